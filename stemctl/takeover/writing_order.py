"""In which order files are written, so that a pull that is killed leaves no reference dangling.

A name that is unique on the server can be referred to before a file has it. A key is known only
once its file is there, so records that are referred to by keys come first.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from msgspec.structs import replace

from stemctl.core.rewrite import Rewrite
from stemctl.schema.catalog import Catalog


def in_writing_order(rewrite: Rewrite, catalog: Catalog) -> Rewrite:
    """The rewrite with its files in the order in which they are to be written."""
    ranks = _ranks(catalog)
    rank_of: dict[str, int] = {}
    for record in rewrite.records:
        rank = ranks[record.address.model]
        rank_of[record.file] = max(rank, rank_of.get(record.file, 0))
    files = sorted(rewrite.files, key=lambda change: rank_of.get(change.file, 0))
    return replace(rewrite, files=tuple(files))


@functools.cache
def _ranks(catalog: Catalog) -> Mapping[str, int]:
    """The place of each model behind those that its records refer to by keys."""
    found: dict[str, int] = {}

    def rank(name: str, above: frozenset[str]) -> int:
        if name not in found:
            model = catalog.models[name]
            # A record is in its parent, in the same file: else its entries would rank above both.
            rows = [row for row in model.references if row.name != model.parent]
            targets = {row.to for row in rows if row.to in catalog.models}
            keyed = {to for to in targets if to and not catalog.models[to].identity}
            below = [rank(to, above | {name}) for to in keyed - above - {name}]
            found[name] = 1 + max(below, default=0)
        return found[name]

    return {name: rank(name, frozenset()) for name in catalog.models}
