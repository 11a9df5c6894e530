"""Records that are to be written, with those inside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from stemctl.core.records import Address
from stemctl.schema.models import Model
from stemctl.util.json_types import Value
from stemctl.util.safe_text import visible


class Row(Struct):
    """A record as a file is to have it: its key and fields in order, and the records inside it by
    list key. `left_out` are the values that no file can have, each with the reason. `remarks` go
    above the record as comments.
    """

    model: Model
    id: str
    address: Address
    fields: dict[str, Value]
    inside: dict[str, list[Row]] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def is_blank(self) -> bool:
        """Whether nothing is left of it but remarks."""
        return not self.fields and not self.inside

    def leave_out(self, name: str, why: str) -> None:
        """Note that a value cannot be written, and why."""
        self.left_out.append((name, why))
        self.remarks.append(f"left out: {name}: {why}")

    def whole(self) -> dict[str, Value]:
        """The mapping of the record, with the lists inside it."""
        lists = {key: [row.whole() for row in rows] for key, rows in self.inside.items()}
        return {**self.fields, **lists}

    def all_remarks(self) -> list[str]:
        """The remarks about the record and, with their addresses, about those inside it."""
        found = [visible(remark) for remark in self.remarks]
        inner = [row for row in self.walk() if row is not self]
        return found + [visible(f"{row.address}: {one}") for row in inner for one in row.remarks]

    def walk(self) -> Iterator[Row]:
        """The record, and those inside it."""
        yield self
        for rows in self.inside.values():
            for row in rows:
                yield from row.walk()


class NewFile(Struct):
    """What a new file is to say: defaults, and records by list key."""

    file: str
    sections: dict[str, list[Row]] = field(default_factory=dict)
    defaults: dict[str, dict[str, Value]] = field(default_factory=dict)

    def rows(self) -> Iterator[Row]:
        """All records, also those inside others."""
        yield from walk_all(row for rows in self.sections.values() for row in rows)

    def whole(self) -> dict[str, Value]:
        """The content of the file."""
        found: dict[str, Value] = {"defaults": self.defaults} if self.defaults else {}
        for key, rows in self.sections.items():
            found[key] = [row.whole() for row in rows if not row.is_blank]
        return found


def walk_all(rows: Iterable[Row]) -> Iterator[Row]:
    """Records, each with those inside it."""
    for row in rows:
        yield from row.walk()
