"""A file as read: its values, and where each of them is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import yaml
from msgspec import Struct, field

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Location
from stemctl.util.json_types import Path, Value
from stemctl.util.late_pattern import late_pattern

LINE_END = late_pattern(r"\r\n|\n|\r")


_NO_MEMBERS: Mapping[str, Any] = MappingProxyType({})


class Node(Struct, gc=False, eq=False):
    """A value, with the parser's event that it was read from.

    A list has `items`. A mapping has `members`, and `keys` with the event of each key. For other
    values these are empty. There are many nodes, none of which is inside itself.
    """

    value: Value
    event: Any
    items: Sequence[Node] = ()
    members: Mapping[str, Node] = _NO_MEMBERS
    keys: Mapping[str, Any] = _NO_MEMBERS

    @property
    def is_list(self) -> bool:
        """Whether it is a list, also an empty one."""
        return isinstance(self.value, list)

    @property
    def is_mapping(self) -> bool:
        """Whether it is a mapping, also an empty one."""
        return isinstance(self.value, dict)

    @property
    def blank(self) -> bool:
        """Whether nothing is written here."""
        return self.value is None and not self.event.value

    @property
    def text(self) -> str | None:
        """A scalar as it is written, without its quotes."""
        return None if self.is_list or self.is_mapping else self.event.value

    def steps(self) -> Iterator[tuple[str | int, Node]]:
        """The nodes inside this one, by key or position."""
        yield from self.members.items()
        yield from enumerate(self.items)

    def at(self, path: Path) -> Node:
        """The node of a value inside this one."""
        node = self
        for step in path:
            node = node.items[step] if isinstance(step, int) else node.members[step]
        return node


class Document(Struct):
    """One file as read. `root` is None where nothing could be read.

    `blanks` are nodes without a value, `ambiguous` are nodes whose value is a guess. Both have
    findings of their own, so that schema errors about them are not reported. `doubts` are warnings
    about texts that some readers take for something else.
    """

    file: str
    text: str
    root: Node | None = None
    problems: list[Diagnostic] = field(default_factory=list)
    doubts: list[Diagnostic] = field(default_factory=list)
    blanks: list[Node] = field(default_factory=list)
    ambiguous: list[Node] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def finding(
        self, event: Any, code: str, message: str, remedy: str = "", **more: Any
    ) -> Diagnostic:
        """A diagnostic at an event of this file, with its line."""
        start, end = event.start_mark, event.end_mark
        line = self.line(start.line + 1)
        last = end.column if end.line == start.line else len(line)
        length = 1 if isinstance(event, yaml.CollectionStartEvent) else max(1, last - start.column)
        more = {"severity": Severity.ERROR, "line": line, "length": length, **more}
        return Diagnostic(
            code=code, message=message, remedy=remedy, location=self.location(event), **more
        )

    def location(self, event: Any) -> Location:
        """Where an event begins."""
        mark = event.start_mark
        return Location(self.file, mark.line + 1, mark.column + 1)

    def location_of(self, row: int, column: int) -> Location:
        """A place, counted from 0."""
        return Location(self.file, row + 1, column + 1)

    def around(self, mark: Any) -> tuple[str, str]:
        """The text of a line before and after a mark of the parser."""
        line = self.line(mark.line + 1)
        return line[: mark.column], line[mark.column :]

    def line(self, number: int) -> str:
        """The text of a line, counted from 1."""
        if not self.lines:
            self.lines = LINE_END.split(self.text)
        return self.lines[number - 1] if number <= len(self.lines) else ""


def code_span(text: str) -> str:
    """A key, name or value inside a sentence."""
    return f"`{text}`" if text else '`""`'
