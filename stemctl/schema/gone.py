"""Models that an edition lacks and others have: since when, and what took their place."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from msgspec import Struct

from stemctl.schema.catalog import Catalog, editions, load_catalog, schemas_dir
from stemctl.schema.tables import read_gone


class GoneModel(Struct, frozen=True):
    """A model that the API had before."""

    name: str
    title: str
    section: str
    since: str
    instead: str


@functools.cache
def gone_models(edition: str) -> Mapping[str, GoneModel]:
    """The models that an edition says are gone, by name."""
    rows = read_gone(schemas_dir() / "tables" / edition)
    return {
        name: GoneModel(name, row["title"], row["section"], str(row["since"]), row["instead"])
        for name, row in rows.items()
    }


def gone_model(catalog: Catalog, word: str) -> GoneModel | None:
    """The model that a word means, in any spelling, if the edition lacks it and says why."""
    gone = gone_models(catalog.edition)
    for edition in editions() if gone else ():
        found = load_catalog(edition).find(word)
        if found is not None and found.name in gone:
            return gone[found.name]
    return None
