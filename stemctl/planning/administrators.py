"""Notes about what only the administrators of the server may write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from stemctl.core.plan import Action, Change, Note
from stemctl.schema.catalog import Catalog


def by_administrators(changes: Iterable[Change], catalog: Catalog) -> Iterator[Note]:
    """A note for each model of what is sent that few accounts may write.

    A delete says so itself.
    """
    sent = [change for change in changes if change.sends and change.action is not Action.DELETE]
    numbers = Counter(change.address.model for change in sent)
    for name, number in sorted(numbers.items()):
        model = catalog.models[name]
        if model.write_by:
            yield Note(
                None,
                f"{model.count(number)}: only {model.write_by} of the server may add or change "
                f"{model.one_of_them}; other accounts get a 403",
            )
