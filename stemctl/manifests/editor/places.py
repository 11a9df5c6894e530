"""Where the values of a text are: a tree like the one that is read, with the characters of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from stemctl.manifests.yaml_parser import Parser
from stemctl.util.late_pattern import late_pattern

_SPACE = late_pattern(r"(?:[ \t\n]|#[^\n]*)*")
"""Everything that may stand between two tokens."""

_COMMENT = late_pattern(r"""(?:^|(?<=[\s,:?\-\[\]{}'"]))#[^\n]*""")
"""A comment, in a text that has no scalars. An anchor or a tag may hold a `#`."""


_BLANK = ("", " ", "\t", "\n")
"""What follows a dash or a question mark that is no text; nothing, at the end of the text."""


class Place(Struct):
    """A value: its characters from `start` to `end`, and the column where it begins.

    A list has its items in `parts`, and a mapping its members, whose numbers are in `numbers`.
    `odd` says why it cannot be edited: what it means is written elsewhere, too.
    """

    start: int
    end: int
    column: int
    is_list: bool = False
    is_mapping: bool = False
    flow: bool = False
    odd: str = ""
    anchor: str = ""
    block_text: bool = False
    parts: list[Part] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    @property
    def is_block(self) -> bool:
        """Whether it is a list or mapping of several lines without brackets."""
        return (self.is_list or self.is_mapping) and not self.flow

    @property
    def is_blank(self) -> bool:
        """Whether nothing is written."""
        return self.start == self.end


class Part(Struct):
    """An item or a member: `head` is where its dash or key begins, and `after` is the position
    behind the dash or colon (None if it has none). In brackets, an item begins with its value.
    """

    head: int
    after: int | None
    value: Place
    key: Place | None = None

    @property
    def end(self) -> int:
        """Where it ends; without a value, behind its dash or colon."""
        written = self.key.end if self.key else self.head
        return max(self.value.end, self.after or 0, written)


class Places(Struct):
    """All values of a text, and its comments: where each begins, and what it says."""

    root: Place | None
    comments: list[tuple[int, str]]
    aliases: set[str]


def places(text: str) -> Places:
    """The places of all values of a text that is valid YAML, with `\\n` as its line ends."""
    finder = _Finder(text)
    return Places(finder.root(), list(finder.found_comments()), finder.aliases)


def comments(text: str) -> list[str]:
    """What the comments of a text say."""
    if "#" not in text:
        return []
    finder = _Finder(text)
    while (event := finder.event()) is not None:
        kind = type(event)
        if kind is AliasEvent:
            finder.scalars.append((_start(event), _end(event)))
        elif kind is ScalarEvent:
            is_block = event.style in ("|", ">")
            if is_block or "#" in event.value:  # else there is nothing in it that looks like one
                finder.scalar(Place(_start(event), _end(event), 0), is_block)
    return [comment for _, comment in finder.found_comments()]


def _start(event: Any) -> int:
    start: int = event.start_mark.index
    return start


def _end(event: Any) -> int:
    end: int = event.end_mark.index
    return end


class _Finder:
    """Follows the events of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.parser: Any = Parser(text)
        self.scalars: list[tuple[int, int]] = []
        self.aliases: set[str] = set()

    def event(self) -> Any:
        return self.parser.get_event()

    def root(self) -> Place | None:
        event = self.event()
        while isinstance(event, (StreamStartEvent, DocumentStartEvent)):
            event = self.event()
        return None if isinstance(event, StreamEndEvent) else self.value(event)

    def value(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        place = Place(start.index, end.index, start.column)
        if isinstance(event, AliasEvent):
            self.aliases.add(event.anchor or "")
            self.scalars.append((place.start, place.end))
            place.odd = f"its value, *{event.anchor}, is written elsewhere in the file"
            return place
        place.anchor = event.anchor or ""
        if event.tag is not None:
            place.odd = "it has a tag"
        if isinstance(event, ScalarEvent):
            self.scalar(place, event.style in ("|", ">"))
            return place
        place.flow = event.flow_style
        if isinstance(event, SequenceStartEvent):
            self.items(place)
        elif isinstance(event, MappingStartEvent):
            self.members(place)
        return place

    def scalar(self, place: Place, is_block: bool) -> None:
        place.block_text = is_block
        if not is_block:
            self.scalars.append((place.start, place.end))
            return
        header_end = self.line_end(place.start)
        header = self.text[place.start : header_end]
        comment = re.search(r"[ \t]#", header)
        header_stop = place.start + comment.start() + 1 if comment else header_end
        if "+" in header[: header_stop - place.start]:  # the empty lines behind it are a part of it
            end = place.end - (self.text[place.end - 1] == "\n")
        else:
            last = place.end
            while self.text[last - 1] in " \n":
                last -= 1
            end = self.line_end(last)
        place.end = max(end, header_end)
        self.scalars += [(place.start, header_stop), (header_end, place.end)]

    def items(self, place: Place) -> None:
        place.is_list = True
        before = place.start
        while not isinstance(event := self.event(), SequenceEndEvent):
            dash = None if place.flow else self.token(before, "-", len(self.text))
            value = self.value(event)
            head, after = (value.start, None) if dash is None else (dash, dash + 1)
            place.parts.append(Part(head, after, value))
            before = place.parts[-1].end
        place.end = _end(event) if place.flow else before

    def members(self, place: Place) -> None:
        place.is_mapping = True
        before = place.start
        while not isinstance(event := self.event(), MappingEndEvent):
            key = self.value(event)
            name = event.value if isinstance(event, ScalarEvent) else ""
            if key.odd or key.anchor or not isinstance(event, ScalarEvent):
                place.odd = "one of its keys is not plain text"
            value = self.value(self.event())
            head = key.start
            if "?" in self.text[before:head]:
                head = self.token(before, "?", head)
            place.numbers[name] = len(place.parts)
            place.parts.append(Part(head, self.colon(key), value, key))
            before = place.parts[-1].end
        place.end = _end(event) if place.flow else before
        if place.flow and self.text[place.start : place.start + 1] not in ("{", "&", "!"):
            place.odd = "it is a pair without braces"

    def token(self, before: int, mark: str, stop: int) -> int:
        """Where the mark is before `stop`: behind spaces, comments, and what may be before it, such
        as an anchor; or `stop` itself.
        """
        while before < stop:
            found = _SPACE.match(self.text, before)
            before = found.end() if found else before
            if self.text[before] == mark and self.text[before + 1 : before + 2] in _BLANK:
                return before
            before += 1
        return stop

    def colon(self, key: Place) -> int | None:
        """The position behind the colon of a key, if it has one."""
        if self.text[key.end : key.end + 1] == ":":
            return key.end + 1
        found = _SPACE.match(self.text, key.end)
        end = found.end() if found else key.end
        return end + 1 if self.text[end : end + 1] == ":" else None

    def line_end(self, position: int) -> int:
        end = self.text.find("\n", position)
        return len(self.text) if end < 0 else end

    def found_comments(self) -> Iterator[tuple[int, str]]:
        """The comments between the scalars."""
        before = 0
        for start, end in [*self.scalars, (len(self.text), len(self.text))]:
            if self.text.find("#", before, start) >= 0:
                for match in _COMMENT.finditer(self.text, before, start):
                    yield match.start(), match[0]
            before = max(before, end)
