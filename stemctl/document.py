"""A file as read: values, and where each of them is written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from stemctl import scalars
from stemctl.diagnostics import Diagnostic, Severity
from stemctl.records import Path, Place, Value

LINE_END = re.compile(r"\r\n|\n|\r")


class Node:
    """A value with the event it was read from; `keys` and `children` are there for mappings, `children` for lists."""

    __slots__ = ("children", "event", "keys", "value")

    def __init__(self, value: Value, event: Any, children: Any = None, keys: Any = None) -> None:
        self.value = value
        self.event = event
        self.children: dict[str, Node] | list[Node] | None = children
        self.keys: dict[str, Any] = keys

    @property
    def blank(self) -> bool:
        """Whether nothing at all is written here."""
        return self.value is None and not self.event.value

    @property
    def text(self) -> str | None:
        """A scalar as it is written, without its quotes."""
        return None if self.children is not None else self.event.value

    def at(self, path: Path) -> Node:
        """The node of a value inside this one."""
        node = self
        for step in path:
            node = node.children[step]  # type: ignore[index]
        return node


@dataclass(slots=True)
class Document:
    """One file as read. `root` is None where nothing could be read.

    `blanks` are nodes without a value, `disputed` those whose value is a guess; both are already findings, or will
    be, so that what a schema says about them is of no interest.
    """

    file: str
    text: str
    root: Node | None = None
    problems: list[Diagnostic] = field(default_factory=list)
    blanks: list[Node] = field(default_factory=list)
    disputed: list[Node] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def finding(self, event: Any, code: str, message: str, remedy: str = "", **more: Any) -> Diagnostic:
        """A diagnostic at an event of this file, with the line it stands in."""
        start, end = event.start_mark, event.end_mark
        line = self.line(start.line + 1)
        last = end.column if end.line == start.line else len(line)
        length = 1 if isinstance(event, yaml.CollectionStartEvent) else max(1, last - start.column)
        more = {"severity": Severity.ERROR, "line": line, "length": length, **more}
        return Diagnostic(code=code, message=message, remedy=remedy, place=self.place(event), **more)

    def place(self, event: Any) -> Place:
        """Where an event begins."""
        mark = event.start_mark
        return Place(self.file, mark.line + 1, mark.column + 1)

    def around(self, mark: Any) -> tuple[str, str]:
        """The text of a line on both sides of a mark of the parser."""
        line = self.line(mark.line + 1)
        return line[: mark.column], line[mark.column :]

    def line(self, number: int) -> str:
        """The text of a line, counted from 1."""
        if not self.lines:
            self.lines = LINE_END.split(self.text)
        return self.lines[number - 1] if number <= len(self.lines) else ""


def shown(text: str) -> str:
    """A key or name inside a sentence: quoted if it has spaces or is empty."""
    return text if re.fullmatch(r"\S+", text) else scalars.quoted(text)
