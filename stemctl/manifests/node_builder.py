"""Builds the values of a file from the parser's events, in one pass.

Each value knows where it is written. Nesting and aliases are limited while they are read.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Location
from stemctl.manifests import lost_text, scalars
from stemctl.manifests.document import Document, Node, code_span
from stemctl.manifests.scalars import NO_PLAIN_FIRST, NO_PLAIN_WORDS
from stemctl.manifests.yaml_parser import Parser
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern

MAX_DEPTH = 100
MAX_ALIASED = 100_000
"""Values that aliases may add, counted each time an alias is used."""


class StopReading(Exception):
    """Reading ends here."""

    def __init__(self, finding: Diagnostic) -> None:
        self.finding = finding


class _Anchored(NamedTuple):
    """A value with an anchor, the number of values in it, and the depth of their nesting."""

    node: Node
    size: int
    height: int


class NodeBuilder:
    """Builds nodes from the parser's events."""

    def __init__(self, document: Document, text: str) -> None:
        self.document = document
        self.has_glued = _GLUED_KEY.search(text) is not None
        self.next = Parser(text).get_event
        self.anchors: dict[str, _Anchored] = {}
        self.open: set[str] = set()
        self.unused: dict[str, Any] = {}
        self.built = 0
        self.aliased = 0
        self.reached = 0

    def build(self) -> Node:
        """The one document of the file."""
        start = self.next()  # the start of the stream
        if type(event := self.next()) is StreamEndEvent:
            raise StopReading(self.document.finding(start, *_EMPTY))
        root = self.node(self.next(), 1)
        if root.blank:
            raise StopReading(self.document.finding(event, *_EMPTY))
        for unused in self.unused.values():
            doubt = lost_text.unused_anchor(self.document, unused)
            if all(doubt.location != problem.location for problem in self.document.problems):
                self.document.doubts.append(doubt)
        self.next()  # the end of the document
        if type(event := self.next()) is not StreamEndEvent:
            message = "a second YAML document begins here"
            remedy = "move it to its own file: a file holds one document"
            if not self.document.text[event.end_mark.index :].strip():
                message, remedy = "`---` begins a second YAML document", "remove this line"
            raise StopReading(self.document.finding(event, "several-documents", message, remedy))
        return root

    def node(self, event: Any, depth: int) -> Node:
        """The value that begins with `event`."""
        kind = type(event)
        if kind is ScalarEvent and event.tag is None and event.anchor is None:
            self.built += 1
            text = event.value
            # Most values are texts: nothing about these needs a closer look.
            if (
                text[:1] not in NO_PLAIN_FIRST
                and text not in NO_PLAIN_WORDS
                and " - " not in text
                and "\0" not in text
            ):
                return Node(_shared(text), event)
            return self.scalar(event)
        if kind is AliasEvent:
            return self.alias(event, depth)
        self.built += 1
        if event.tag is not None:
            self.refuse_tag(event)
        if event.anchor is not None:
            return self.anchored(event, depth)
        return self.plain(event, depth)

    def plain(self, event: Any, depth: int) -> Node:
        """A value, whether it has an anchor or not."""
        if type(event) is ScalarEvent:
            return self.scalar(event)
        self.descend(event, depth)
        return (
            self.sequence(event, depth)
            if type(event) is SequenceStartEvent
            else self.mapping(event, depth)
        )

    def anchored(self, event: Any, depth: int) -> Node:
        """A value with an anchor, kept for the aliases that follow."""
        self.refuse_odd_name(event, event.start_mark.index)
        before, reached = self.built, self.reached
        self.reached = depth
        self.open.add(event.anchor)
        node = self.plain(event, depth)
        self.open.discard(event.anchor)
        self.anchors[event.anchor] = _Anchored(node, self.built - before + 1, self.reached - depth)
        if type(event) is ScalarEvent and event.implicit[0]:
            self.unused[str(event.anchor)] = event
        self.reached = max(reached, self.reached)
        return node

    def descend(self, event: Any, depth: int) -> None:
        """Limit how deep values are nested, so that no recursion over them overflows the stack."""
        self.reached = max(self.reached, depth)
        if depth > MAX_DEPTH:
            message = f"nested more than {MAX_DEPTH} levels deep"
            raise StopReading(
                self.document.finding(event, "too-deep", message, "remove brackets or indentation")
            )

    def refuse_tag(self, event: Any) -> None:
        message = f"the tag `{event.tag.replace('tag:yaml.org,2002:', '!!')}` is not allowed"
        remedy, more = "remove the tag, and quote the value if it is text", {"length": 1}
        start, end, tag = event.start_mark, event.end_mark, event.tag
        if type(event) is ScalarEvent and start.line == end.line:
            of_yaml = tag.startswith("tag:")
            text = event.value if of_yaml else self.document.text[start.index : end.index]
            remedy, more = f"write `{scalars.quoted(text)}` for text", {}
        self.document.problems.append(self.document.finding(event, "tag", message, remedy, **more))

    def refuse_odd_name(self, event: Any, start: int) -> None:
        """Refuse `&a:b`, whose name ends at the colon for some readers only."""
        rest = _ANCHOR.match(self.document.text, start)
        if rest and rest[1] != event.anchor:
            message = f"`{rest[0]}` is ambiguous in YAML"
            remedy = "use only letters, digits, - and _ in the name of an anchor, or quote the text"
            self.document.problems.append(
                self.document.finding(event, "ambiguous-value", message, remedy)
            )

    def refuse_glued(self, event: Any) -> None:
        """Refuse `{?a: b}`, where the question mark is part of the key for some readers only."""
        start = event.start_mark.index
        if type(event) is ScalarEvent and self.document.text[start - 1 : start] == "?":
            key = f"?{event.value}"
            message = f"`{key}` is ambiguous as a key in YAML: quote it"
            remedy = f"write `{scalars.quoted(key)}`"
            found = self.document.finding(event, "ambiguous-value", message, remedy, value=key)
            file, line, column = self.document.location(event)
            place = Location(file, line, column - 1)
            self.document.problems.append(replace(found, location=place, length=found.length + 1))

    def alias(self, event: Any, depth: int) -> Node:
        """The value of an anchor above. It is shared, not copied."""
        if event.anchor in self.open:
            message = f"`&{event.anchor}` contains itself"
            raise StopReading(
                self.document.finding(event, "alias-bomb", message, "write the values out in full")
            )
        if event.anchor not in self.anchors:
            message = f"`*{event.anchor}` refers to an anchor that is not defined above"
            remedy = (
                f'write `"*{event.anchor}"` for text, or `&{event.anchor}` before a value above'
            )
            raise StopReading(self.document.finding(event, "syntax", message, remedy))
        self.refuse_odd_name(event, event.start_mark.index)
        self.unused.pop(event.anchor, None)
        node, size, height = self.anchors[event.anchor]
        self.descend(event, depth + height)
        self.built += size
        self.aliased += size
        if self.aliased > MAX_ALIASED:
            message = f"aliases expand to more than {MAX_ALIASED:,} values"
            raise StopReading(
                self.document.finding(event, "alias-bomb", message, "write the values out in full")
            )
        return node

    def scalar(self, event: Any) -> Node:
        text = event.value
        if not event.implicit[0]:
            if "\0" in text:
                self.refuse_nul(event)
            return Node(text, event)
        if not text:
            node = Node(None, event)
            self.document.blanks.append(node)
            return node
        value = scalars.resolve(text)
        if type(value) is not scalars.AmbiguousScalar:
            if type(value) is str and scalars.doubt(text):
                self.doubt(event, text)
            if " - " in text and event.start_mark.line != event.end_mark.line:
                self.document.doubts += lost_text.joined_lines(self.document, event)
            return Node(value, event)
        problem = self.document.finding(
            event, "ambiguous-value", value.message, value.remedy, value=text
        )
        self.document.problems.append(problem)
        node = Node(text, event)
        self.document.ambiguous.append(node)
        return node

    def refuse_nul(self, event: Any) -> None:
        """Refuse the one character that no database keeps in a text."""
        message, remedy = "no server stores the character \\0 in a text", "remove it"
        self.document.problems.append(
            self.document.finding(event, "control-character", message, remedy, value=event.value)
        )

    def doubt(self, event: Any, text: str) -> None:
        """A warning about a text that readers of YAML 1.1 take for something else."""
        message = f"`{text}` is {scalars.doubt(text)} to readers of YAML 1.1"
        remedy = f"write `{scalars.quoted(text)}`"
        self.document.doubts.append(
            self.document.finding(
                event, "ambiguous-value", message, remedy, value=text, severity=Severity.WARNING
            )
        )

    def sequence(self, event: Any, depth: int) -> Node:
        items = []
        following, node = self.next, self.node
        while type(item := following()) is not SequenceEndEvent:
            items.append(node(item, depth + 1))
        return Node([item.value for item in items], event, items)

    def mapping(self, event: Any, depth: int) -> Node:
        keys: dict[str, Any] = {}
        members: dict[str, Node] = {}
        values: dict[str, Value] = {}
        merged: list[Node] = []
        following, node = self.next, self.node
        while type(item := following()) is not MappingEndEvent:
            if self.has_glued:
                self.refuse_glued(item)
            key: str | None = None
            if type(item) is ScalarEvent and item.tag is None:
                key = _KEYS.get(item.value)
            if key is None:
                key = self.key(item, depth)
            child = node(following(), depth + 1)
            if key is None:
                continue
            if key == "<<" and item.implicit[0]:
                merged += self.merge_sources(item, child, is_second=bool(merged))
            elif key in keys:
                first = keys[key].start_mark.line + 1
                message = f"duplicate key {code_span(key)}"
                remedy = f"already used in line {first}: keep one of them"
                if key == next(iter(keys)) and not event.flow_style and depth > 2:
                    remedy += ", or begin a new item with `- `"
                self.document.problems.append(
                    self.document.finding(item, "duplicate-key", message, remedy)
                )
            else:
                keys[key] = item
                members[key] = child
                values[key] = child.value
        for source in merged:
            keys = {**source.keys, **keys}
            members = {**source.members, **members}
            values = {**source.value, **values}
        return Node(values, event, members=members, keys=keys)

    def key(self, event: Any, depth: int) -> str | None:
        """The text of a key; None, with a finding, if it is a list or a mapping."""
        document = self.document
        if type(event) is not ScalarEvent:
            before = self.document.text[: event.start_mark.index]
            self.node(event, depth + 1)
            message = "a key must be text"
            remedy = "write the name of a field before the colon"
            if before.endswith("{") and self.document.text[len(before) :].startswith("{"):
                message = "a variable of a template is not filled in"
                remedy = "write its value, or quote the text"
            document.problems.append(document.finding(event, "syntax", message, remedy))
            return None
        key: str = event.value
        if event.tag is not None:
            self.refuse_tag(event)
        if not event.implicit[0]:
            if "\0" in key:
                self.refuse_nul(event)
            return key
        value = scalars.resolve(key)
        if not key:
            message, remedy = "there is no key before the colon", "write the name of a field"
            document.problems.append(document.finding(event, "syntax", message, remedy))
        elif type(value) is not str:
            message = f"`{key}` is ambiguous as a key in YAML: quote it"
            remedy = f"write `{scalars.quoted(key)}`, or begin the key with a letter"
            finding = document.finding(event, "ambiguous-value", message, remedy, value=key)
            document.problems.append(lost_text.decimal_comma(finding) or finding)
        elif scalars.doubt(key):
            self.doubt(event, key)
        else:
            _KEYS[key] = key
        return key

    def merge_sources(self, event: Any, node: Node, is_second: bool) -> Sequence[Node]:
        """The mappings that `<<` merges; the first of them wins. With two `<<`, readers disagree
        which one does.
        """
        if is_second:
            message, remedy = "duplicate key `<<`", "write one `<<` with a list: `[*A, *B]`"
            self.document.problems.append(
                self.document.finding(event, "duplicate-key", message, remedy)
            )
        sources = node.items if node.is_list else [node]
        if all(source.is_mapping for source in sources):
            return sources
        message = "`<<` can only merge mappings"
        remedy = "write `<<: *NAME`, and `&NAME` before a mapping above"
        self.document.problems.append(self.document.finding(event, "syntax", message, remedy))
        return []


_GLUED_KEY = late_pattern(r"[{,]\s*\?[^\s]")
_ANCHOR = late_pattern(r"[&*]([^\s,\[\]{}]+)")


@functools.lru_cache(10_000)
def _shared(text: str) -> str:
    """The same text as one object: records have projects, tags and descriptions in common."""
    return text


_KEYS: dict[str, str] = {"<<": "<<"}
"""Keys that are plain text, with or without quotes. Thousands of records share the same few."""

_EMPTY = ("empty-file", "this file declares nothing", "add a list of records, or delete the file")
