"""What the state remembers of models that the edition lacks: it stays as it is, and is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from stemctl.core.plan import Note
from stemctl.core.state import State
from stemctl.schema.catalog import Catalog
from stemctl.util.plural import counted, inflected, joined


def records_without_model(state: State, catalog: Catalog) -> Iterator[Note]:
    """One note about all of them, if there are any."""
    counts = Counter(
        address.model for address in state.records if address.model not in catalog.models
    )
    if not counts:
        return
    number = sum(counts.values())
    models = joined(sorted(counts))
    yield Note(
        None,
        f"{counted(number, 'record')} of the state {inflected(number, 'is', 'are')} left alone: "
        f"edition {catalog.edition} has no model {models}",
    )
