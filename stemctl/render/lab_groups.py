"""What records are counted by: the records that they refer to, their words and their choices.

What a record says of itself also counts for those around it and those inside it: a recording inside
a day counts for that day's project, and the day for what was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from stemctl.core.records import Address, Record
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern
from stemctl.util.safe_text import cut, visible

_LONGEST = 120
_FIRST_WORD = late_pattern(r"[^\s_./-]+(?=[\s_./-])")


class Group(NamedTuple):
    """Something to count by: the model that is referred to, or else a field. `of` names it."""

    title: str
    to: str = ""
    of: str = ""


FIRST_WORD = Group("First word of the name", of="(name)")
STATUS = Group("Status", of="(status)")


def grouped_by(
    catalog: Catalog, model: Model, record: Record, name_of: Callable[[str, str], str]
) -> dict[Group, tuple[str, ...]]:
    """What a record itself can be counted by."""
    found: dict[Group, dict[str, None]] = {}
    for name, value in record.fields.items():
        row = model.fields[name]
        for group, text in _said(catalog, model, row, value, name_of):
            found.setdefault(group, {})[cut(text, _LONGEST)] = None
    if model.parent is None and (word := _first_word(model, record)):
        found[FIRST_WORD] = {word: None}
    return {group: tuple(texts) for group, texts in found.items()}


def _said(
    catalog: Catalog, model: Model, row: Field, value: Value, name_of: Callable[[str, str], str]
) -> Iterator[tuple[Group, str]]:
    if row.to:
        target = catalog.models.get(row.to)
        group = Group(target.title if target else row.to, to=row.to)
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str):
                yield group, name_of(row.to, text)
    elif row.kind == "list" and isinstance(value, list):
        words = row.name.replace("_", " ")
        group = Group(words[0].upper() + words[1:], of=row.name)
        for item in value:
            yield group, visible(str(item))
    elif row.enum and isinstance(value, str):
        group = Group(f"{model.title} {row.name.replace('_', ' ')}", of=f"{model.name}.{row.name}")
        yield group, visible(row.labels.get(value, value))
    elif row.kind == "map" and isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str | int | float):
                yield (
                    Group(visible(f"{row.name}.{key}"), of=f"{row.name}.{key}"),
                    visible(str(item)),
                )


def _first_word(model: Model, record: Record) -> str:
    name = record.fields.get(model.called or "")
    found = _FIRST_WORD.match(name) if isinstance(name, str) else None
    return visible(found[0]) if found else ""


Groups = Mapping[Group, tuple[str, ...]]


def merged(*several: Groups) -> Groups:
    """What several records say, each value once."""
    if len(several) == 1:
        return several[0]
    found: dict[Group, dict[str, None]] = {}
    for groups in several:
        for group, texts in groups.items():
            found.setdefault(group, {}).update(dict.fromkeys(texts))
    return {group: tuple(texts) for group, texts in found.items()}


class Kin:
    """What records say together with those that they are in, and those in them."""

    def __init__(
        self, catalog: Catalog, own: Mapping[Address, Groups], parents: Mapping[Address, Address]
    ) -> None:
        self._catalog, self._own, self._parents = catalog, own, parents
        self._children: dict[Address, list[Address]] = {}
        for child, parent in parents.items():
            self._children.setdefault(parent, []).append(child)

    def groups(self, address: Address) -> Groups:
        """What a record can be counted by. What is around it is no news about what is in it."""
        around = self._around(address)
        line = {address.model, *(above.model for above in around)}
        inside = [
            {group: texts for group, texts in self._own[below].items() if group.to not in line}
            for below in self._inside(address)
        ]
        return merged(self._own[address], *(self._own[above] for above in around), *inside)

    def _around(self, address: Address) -> list[Address]:
        found: list[Address] = []
        while (above := self._parents.get(address)) is not None and above in self._own:
            found.append(above)
            address = above
        return found

    def _inside(self, address: Address) -> Iterator[Address]:
        for child in self._children.get(address, ()):
            yield child
            yield from self._inside(child)
