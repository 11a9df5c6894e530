"""Spans of a text that change, and what stands beside them: lines, comments and empty lines."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple


class CannotEdit(Exception):
    """A way of writing that is not edited: why, and the position in the text."""

    def __init__(self, why: str, position: int) -> None:
        super().__init__(why)
        self.why = why
        self.position = position


class Splice(NamedTuple):
    """The characters from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


def spliced(text: str, splices: Sequence[Splice]) -> str:
    """The text with all splices made; those at one place in their order.

    Raises:
        CannotEdit: two of them overlap.
    """
    parts, position = [], 0
    for splice in sorted(splices, key=lambda one: (one.start, one.end > one.start)):
        if splice.start < position:
            raise CannotEdit("two changes touch the same line", splice.start)
        parts += [text[position : splice.start], splice.text]
        position = splice.end
    return "".join([*parts, text[position:]])


class Lines:
    """A text whose lines end with `\\n`, its comments, and the splices that are made in it."""

    def __init__(self, text: str, comments: Sequence[tuple[int, str]]) -> None:
        self.text = text
        self.comments = [start for start, _ in comments]
        self.splices: list[Splice] = []
        self.gone: list[tuple[int, int]] = []
        """Spans whose comments go with what they belong to."""

    def splice(self, start: int, end: int, text: str) -> None:
        self.splices.append(Splice(start, end, text))

    def take(self, start: int, end: int) -> None:
        """Take a span out, and the comments in it."""
        self.splice(start, end, "")
        self.gone.append((start, end))

    # Lines

    def start(self, position: int) -> int:
        """The beginning of the line."""
        return self.text.rfind("\n", 0, position) + 1

    def end(self, position: int) -> int:
        """The end of the line, before its line break."""
        found = self.text.find("\n", position)
        return len(self.text) if found < 0 else found

    def next(self, position: int) -> int:
        """The beginning of the next line, or the end of the text."""
        return min(self.end(position) + 1, len(self.text))

    def column(self, position: int) -> int:
        return position - self.start(position)

    def begins(self, position: int) -> bool:
        """Whether only spaces stand before it in its line."""
        return not self.text[self.start(position) : position].strip(" \t")

    def is_same(self, one: int, other: int) -> bool:
        """Whether two positions are in one line."""
        return self.text.find("\n", one, other) < 0

    def is_empty(self, start: int) -> bool:
        """Whether the line that begins there is empty."""
        return not self.text[start : self.end(start)].strip(" \t")

    # Comments

    def has_comment(self, start: int, end: int) -> bool:
        """Whether a comment begins there."""
        return self.comment_at(start, end) is not None

    def comment_at(self, start: int, end: int) -> int | None:
        """Where the first comment begins, of those between."""
        number = bisect_left(self.comments, start)
        is_there = number < len(self.comments) and self.comments[number] < end
        return self.comments[number] if is_there else None

    def comments_between(self, start: int, end: int) -> list[int]:
        """Where the comments begin."""
        return self.comments[bisect_left(self.comments, start) : bisect_left(self.comments, end)]

    def is_comment(self, start: int) -> bool:
        """Whether the line that begins there has nothing but a comment."""
        comment = self.comment_at(start, self.end(start))
        return comment is not None and self.begins(comment)

    def above(self, position: int, least: int) -> int:
        """The beginning of the comments directly above a line, which are about it: they begin in
        its column, and not before `least`. Those that begin a file are about the file.
        """
        found, column = self.start(position), self.column(position)
        while found > least:
            line = self.start(found - 1)
            if line < least or not self.is_comment(line):
                break
            if self.column(self.comment_at(line, found) or line) != column:
                break
            found = line
        return found or self.start(position)

    def below(self, end: int, column: int) -> int:
        """The end of the comments directly below a value that belong to it: they begin to the
        right of `column`.
        """
        found = self.end(end)
        while found + 1 < len(self.text) and self.is_comment(found + 1):
            comment = self.comment_at(found + 1, self.end(found + 1)) or 0
            if self.column(comment) <= column:
                break
            found = self.end(found + 1)
        return found

    def outdent(self, end: int, column: int) -> None:
        """Move comments below a value to `column` that are further to the right: what they were
        part of is gone.
        """
        start = self.end(end) + 1
        while start < len(self.text) and (self.is_empty(start) or self.is_comment(start)):
            comment = self.comment_at(start, self.end(start))
            if comment is not None and self.column(comment) > column:
                self.splice(start, comment, " " * column)
            start = self.end(start) + 1

    # Empty lines

    def empty_above(self, start: int) -> int:
        """The beginning of the empty lines above the line that begins at `start`."""
        while start and self.is_empty(line := self.start(start - 1)):
            start = line
        return start

    def empty_below(self, start: int) -> int:
        """The end of the empty lines from the line on that begins at `start`."""
        while start < len(self.text) and self.is_empty(start):
            start = self.next(start)
        return start
