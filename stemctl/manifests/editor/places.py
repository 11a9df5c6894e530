"""Where the values of a text are: a tree like the one that is read, with the characters of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

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

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
"""Everything that may stand between two tokens."""


@dataclass(slots=True)
class Place:
    """A value: its characters from `start` to `end`, and the column where it begins.

    A list has `items`, with the place of each dash in `dashes` if it is no flow list; a mapping has
    `members` by key, and where each key begins in `keys`. An `odd` value has an anchor or a tag, or
    is an alias: what it means is written elsewhere, too.
    """

    start: int
    end: int
    column: int
    is_list: bool = False
    is_mapping: bool = False
    flow: bool = False
    odd: bool = False
    block_text: bool = False
    items: list[Place] = field(default_factory=list)
    dashes: list[int] = field(default_factory=list)
    members: dict[str, Place] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)

    @property
    def is_block(self) -> bool:
        """Whether it is a list or mapping of several lines without brackets."""
        return (self.is_list or self.is_mapping) and not self.flow

    @property
    def parts(self) -> list[Place]:
        """The values in it, in the order of the text."""
        return self.items if self.is_list else list(self.members.values())


def places(text: str) -> Place | None:
    """The places of all values of a text that is valid YAML; None if it has no value."""
    parser = Parser(text)
    events = _events(parser)
    first = next(events)
    while isinstance(first, (StreamStartEvent, DocumentStartEvent)):
        first = next(events)
    if isinstance(first, StreamEndEvent):
        return None
    return _Finder(text, events).value(first)


def _events(parser: Any) -> Iterator[Any]:
    while (event := parser.get_event()) is not None:
        yield event


def _end(event: Any) -> int:
    end: int = event.end_mark.index
    return end


class _Finder:
    """Follows the events of one text."""

    def __init__(self, text: str, events: Iterator[Any]) -> None:
        self.text = text
        self.events = events

    def value(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        place = Place(start.index, end.index, start.column)
        place.odd = isinstance(event, AliasEvent) or event.anchor is not None
        if isinstance(event, AliasEvent):
            return place
        place.odd |= event.tag is not None
        if isinstance(event, ScalarEvent):
            place.block_text = event.style in ("|", ">")
            if place.block_text:
                place.end = self.without_line_ends(place.end)
            return place
        place.flow = event.flow_style
        if isinstance(event, SequenceStartEvent):
            self.items(place)
        elif isinstance(event, MappingStartEvent):
            self.members(place)
        return place

    def items(self, place: Place) -> None:
        place.is_list = True
        before = place.start
        while not isinstance(event := next(self.events), SequenceEndEvent):
            if not place.flow:
                place.dashes.append(self.token(before))
            place.items.append(self.value(event))
            before = place.items[-1].end
        place.end = _end(event) if place.flow else before

    def members(self, place: Place) -> None:
        place.is_mapping = True
        last = place.start
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = self.value(event)
            name = event.value if isinstance(event, ScalarEvent) else ""
            place.odd |= key.odd or not isinstance(event, ScalarEvent)
            value = self.value(next(self.events))
            place.keys[name] = key.start
            place.members[name] = value
            last = max(key.end, value.end)
        place.end = _end(event) if place.flow else last

    def without_line_ends(self, end: int) -> int:
        while self.text[end - 1] in "\r\n":
            end -= 1
        return end

    def token(self, before: int) -> int:
        """Where the next token begins."""
        found = _SPACE.match(self.text, before)
        return found.end() if found else before
