"""Where a parser stopped, the lines around it, and a repair that may be what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct, field

from stemctl.util.late_pattern import late_pattern

_FARTHEST = 40
"""Lines above the place where the parser stopped in which the slip is looked for."""

KEY = r"[A-Za-z_$][\w.-]*(?:[ ][\w.-]+){0,3}"
_ENTRY = late_pattern(
    rf"""(?P<lead>[ ]*(?:-[ ]+)*)                # indentation, and the dashes of lists
    (?:(?P<key>{KEY}|"[^"]*"|'[^']*')[ ]*:(?:[ ]+|$))?
    (?P<value>.*)$""",
    re.VERBOSE,
)
_COMMENT = late_pattern(r"(?:^|[ \t])#.*$")


class Edit(Struct, frozen=True):
    """A part of a line, counted from 0, and what is written in its place."""

    line: int
    start: int
    end: int
    text: str


class Repair(Struct, frozen=True):
    """A slip that there may be: where it is, how it is explained, and the edits that undo it.

    The first edit is at the slip. The others undo the same slip elsewhere, so that the parser gets
    beyond it.
    """

    message: str
    remedy: str
    edits: tuple[Edit, ...]
    place: tuple[int, int, int] | None = None
    """Line, column and length of what is marked, if that is not what the first edit replaces."""

    @property
    def marked(self) -> tuple[int, int, int]:
        """Line, column and length of what is marked."""
        if self.place:
            return self.place
        first = self.edits[0]
        return first.line, first.start, max(1, first.end - first.start)


class Entry(Struct, frozen=True):
    """A line as `- key: value`: the columns where its parts begin, and where the value ends."""

    line: int
    key: str
    begin: int
    """Where the key begins, or the value if there is no key."""
    start: int
    end: int
    value: str


class Situation(Struct, frozen=True, dict=True):
    """The lines of a file; where the parser stopped, where the construct began that it was in, and
    the words that are keys in such files; `sections` are those at the top.
    """

    lines: list[str]
    found: tuple[int, int]
    opened: tuple[int, int]
    problem: str
    names: frozenset[str] = field(default_factory=frozenset)
    sections: frozenset[str] = field(default_factory=frozenset)
    left_out: int = 0
    """How many lines of the file are left out above the second one."""

    def shown(self, row: int) -> int:
        """The number of a line in the file, as people count."""
        return row + self.left_out + 1

    @cached_property
    def near(self) -> list[int]:
        """The lines with content in which the slip may be, the most likely ones first."""
        last = min(self.found[0], len(self.lines) - 1)
        first = max(0, last - _FARTHEST)
        above = [number for number in range(last, first - 1, -1) if self.has_content(number)]
        opened = self.opened[0]
        return above if opened in above or not self.has_content(opened) else [*above, opened]

    def has_content(self, number: int) -> bool:
        """Whether a line holds more than a comment."""
        if not 0 <= number < len(self.lines):
            return False
        text = self.lines[number].strip()
        return bool(text) and not text.startswith("#")

    def entry(self, number: int) -> Entry:
        """A line in its parts. A comment behind an unquoted value is no part of it."""
        text = self.lines[number]
        match = _ENTRY.match(text)
        assert match is not None  # every line has at least a value
        value = match["value"]
        if value[:1] not in ("'", '"', "#"):
            value = _COMMENT.sub("", value)
        value = value.rstrip()
        start = match.start("value")
        begin = match.start("key") if match["key"] else start
        return Entry(number, match["key"] or "", begin, start, start + len(value), value)

    def entries(self) -> Iterator[Entry]:
        """The lines near the problem, in their parts."""
        for number in self.near:
            yield self.entry(number)

    def next_content(self, number: int) -> int:
        """The next line with content after a line; the number of lines if there is none."""
        later = range(number + 1, len(self.lines))
        return next((n for n in later if self.has_content(n)), len(self.lines))


def spaces_before(text: str) -> int:
    """The number of spaces that a line begins with."""
    return len(text) - len(text.lstrip(" "))


def plain_or_quoted(text: str) -> str:
    """A text in quotes: in double quotes if nothing in it has to be escaped there."""
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'{}'".format(text.replace("'", "''"))
