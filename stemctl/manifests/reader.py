"""YAML text to data in which every value knows where it is written.

Built on the parser's events: nesting and aliases are bounded while they are read, and there is one
pass. The C parser is used where PyYAML has it.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from pathlib import Path as FilePath
from typing import Any, NamedTuple

import yaml
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
from stemctl.manifests import scalars, yaml_hints
from stemctl.manifests.document import LINE_END, Document, Node, shown
from stemctl.manifests.yaml_parser import Parser
from stemctl.util.json_types import Value

LARGEST_FILE = 64 * 1024 * 1024
DEEPEST = 100
MOST_ALIASED = 100_000
"""Values that may come in through aliases, counted each time one is used."""

# What YAML does not allow, and the line ends that only some readers take for one.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def read(path: FilePath | str, file: str) -> Document:
    """Read a file; whatever is wrong with it is among the problems of the document. `file` is how
    places name it.
    """
    try:
        with open(path, "rb", buffering=0, opener=_without_waiting) as stream:
            facts = os.fstat(stream.fileno())
            if not stat.S_ISREG(facts.st_mode):
                return Document(file, "", problems=[_plain(file, 1, 1, "unreadable", "is no file")])
            if facts.st_size > LARGEST_FILE:
                return _too_large(file)
            data = stream.read()
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        return Document(file, "", problems=[_plain(file, 1, 1, "unreadable", message)])
    return parse(data, file)


def _without_waiting(path: str, flags: int) -> int:
    """A pipe without a writer is opened, and found to be none of ours, rather than waited for."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def parse(data: bytes, file: str) -> Document:
    """Read the content of a file."""
    if len(data) > LARGEST_FILE:
        return _too_large(file)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        document = Document(file, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        return Document(file, "", problems=[_undecodable(data, file, error.start)])
    if match := _UNPRINTABLE.search(document.text):
        document.problems.append(_unprintable(document, match.start()))
        return document
    try:
        return _built(document, document.text)
    except _ParserLimit as limit:
        # The parser looks ahead, so its limit may come before ours: without what is beyond it, ours
        # comes first.
        again = _built(Document(file, document.text), document.text[: limit.index])
        assert again.problems  # a document that was cut off is never read as if it were whole
        return again


def _built(document: Document, text: str) -> Document:
    """The document with the values of `text`: all of its own, or a beginning of it.

    Raises:
        _ParserLimit: the text is nested deeper than the parser takes.
    """
    try:
        document.root = _Builder(document, text).build()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        if mark and _PARSER_LIMIT in (error.problem or "") and mark.index < len(text):
            raise _ParserLimit(mark.index) from None
        document.problems.append(_syntax(document, error))
    except _Stop as stop:
        document.problems.append(stop.finding)
    return document


_PARSER_LIMIT = "exceeded maximum nesting depth"
"""What libyaml says, since 0.2.6, of more than a thousand levels."""


class _ParserLimit(Exception):
    """The parser takes no deeper nesting than that before `index`, which is ten times ours."""

    def __init__(self, index: int) -> None:
        self.index = index


class _Stop(Exception):
    """Reading ends here."""

    def __init__(self, finding: Diagnostic) -> None:
        self.finding = finding


class _Anchored(NamedTuple):
    """A value that aliases may stand for, how many values it holds, and how deep they are nested."""

    node: Node
    size: int
    height: int


class _Builder:
    """Makes nodes of the parser's events."""

    def __init__(self, document: Document, text: str) -> None:
        self.document = document
        self.next = Parser(text).get_event
        self.anchors: dict[str, _Anchored] = {}
        self.open: set[str] = set()
        self.built = 0
        self.aliased = 0
        self.reached = 0

    def build(self) -> Node:
        """The one document of the file."""
        start = self.next()  # the start of the stream
        if type(event := self.next()) is StreamEndEvent:
            raise _Stop(self.document.finding(start, *_EMPTY))
        root = self.node(self.next(), 1)
        if root.blank:
            raise _Stop(self.document.finding(event, *_EMPTY))
        self.next()  # the end of the document
        if type(event := self.next()) is not StreamEndEvent:
            message, remedy = (
                "a second document begins here",
                "one document a file: make it a file of its own",
            )
            raise _Stop(self.document.finding(event, "several-documents", message, remedy))
        return root

    def node(self, event: Any, depth: int) -> Node:
        """The value that begins with `event`."""
        if type(event) is AliasEvent:
            return self.alias(event, depth)
        self.built += 1
        if event.tag is not None:
            self.refuse_tag(event)
        if event.anchor is not None:
            return self.anchored(event, depth)
        return self.scalar(event) if type(event) is ScalarEvent else self.plain(event, depth)

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
        """A value with an anchor, kept for the aliases below."""
        before, reached = self.built, self.reached
        self.reached = depth
        self.open.add(event.anchor)
        node = self.plain(event, depth)
        self.open.discard(event.anchor)
        self.anchors[event.anchor] = _Anchored(node, self.built - before + 1, self.reached - depth)
        self.reached = max(reached, self.reached)
        return node

    def descend(self, event: Any, depth: int) -> None:
        """Note how deep values are nested, so that no reader of them runs out of stack."""
        self.reached = max(self.reached, depth)
        if depth > DEEPEST:
            message = f"nested more than {DEEPEST} deep"
            raise _Stop(
                self.document.finding(
                    event, "too-deep", message, "take out brackets or indentation"
                )
            )

    def refuse_tag(self, event: Any) -> None:
        message = f"the tag {event.tag.replace('tag:yaml.org,2002:', '!!')} is not taken"
        remedy = "write the value alone, in quotes if it is text"
        self.document.problems.append(
            self.document.finding(event, "tag", message, remedy, length=1)
        )

    def alias(self, event: Any, depth: int) -> Node:
        """The value that an anchor above stands for; it is shared, not copied."""
        if event.anchor in self.open:
            message = f"&{event.anchor} holds itself"
            raise _Stop(self.document.finding(event, "alias-bomb", message, "write the values out"))
        if event.anchor not in self.anchors:
            message = f"no value above is named &{event.anchor}"
            raise _Stop(
                self.document.finding(
                    event, "syntax", message, "text that begins with * needs quotes"
                )
            )
        node, size, height = self.anchors[event.anchor]
        self.descend(event, depth + height)
        self.built += size
        self.aliased += size
        if self.aliased > MOST_ALIASED:
            message = f"aliases stand for more than {MOST_ALIASED:,} values"
            raise _Stop(self.document.finding(event, "alias-bomb", message, "write the values out"))
        return node

    def scalar(self, event: Any) -> Node:
        text = event.value
        if not event.implicit[0]:
            return Node(text, event)
        if not text:
            node = Node(None, event)
            self.document.blanks.append(node)
            return node
        value = scalars.resolve(text)
        if type(value) is not scalars.Dispute:
            return Node(value, event)
        problem = self.document.finding(
            event, "ambiguous-value", value.message, value.remedy, value=text
        )
        self.document.problems.append(problem)
        node = Node(text, event)
        self.document.disputed.append(node)
        return node

    def sequence(self, event: Any, depth: int) -> Node:
        items = []
        while type(item := self.next()) is not SequenceEndEvent:
            items.append(self.node(item, depth + 1))
        return Node([item.value for item in items], event, items)

    def mapping(self, event: Any, depth: int) -> Node:
        keys: dict[str, Any] = {}
        members: dict[str, Node] = {}
        values: dict[str, Value] = {}
        merged: list[Node] = []
        while type(item := self.next()) is not MappingEndEvent:
            key = self.key(item, depth)
            child = self.node(self.next(), depth + 1)
            if key is None:
                continue
            if key == "<<" and item.implicit[0]:
                merged += self.merge_sources(item, child)
            elif key in keys:
                first = keys[key].start_mark.line + 1
                message, remedy = (
                    f"{shown(key)} is written twice",
                    f"first in line {first}; keep one",
                )
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
        """The text of a key; None, with a finding, where it is no text at all."""
        if type(event) is ScalarEvent and event.value in _KEYS and event.tag is None:
            return _KEYS[event.value]
        document = self.document
        if type(event) is not ScalarEvent:
            self.node(event, depth + 1)
            message, remedy = (
                "a key is text, and stands before the colon",
                "write the name of a field",
            )
            document.problems.append(document.finding(event, "syntax", message, remedy))
            return None
        key: str = event.value
        if event.tag is not None:
            self.refuse_tag(event)
        if not event.implicit[0]:
            return key
        value = scalars.resolve(key)
        if not key:
            message, remedy = "nothing stands before the colon", "write the name of a field"
            document.problems.append(document.finding(event, "syntax", message, remedy))
        elif type(value) is not str:
            message = f"{key} as a key is text to some readers only"
            remedy = f"write {scalars.quoted(key)}, or begin it with a letter"
            document.problems.append(
                document.finding(event, "ambiguous-value", message, remedy, value=key)
            )
        else:
            _KEYS[key] = key
        return key

    def merge_sources(self, event: Any, node: Node) -> list[Node]:
        """The mappings that `<<` brings in, the first one winning."""
        sources = node.items if node.is_list else [node]
        if all(source.is_mapping for source in sources):
            return sources
        message, remedy = (
            "<< takes in mappings alone",
            "write <<: *NAME, with &NAME before a mapping above",
        )
        self.document.problems.append(self.document.finding(event, "syntax", message, remedy))
        return []


_KEYS: dict[str, str] = {}
"""Keys that are plain text, with or without quotes: thousands of records have the same few, and
share them.
"""

_EMPTY = ("empty-file", "nothing is declared here", "write a list of records, or delete the file")


def _plain(
    file: str, line: int, column: int, code: str, message: str, remedy: str = "", text: str = ""
) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR, code, message, Location(file, line, column), remedy, line=text
    )


def _too_large(file: str) -> Document:
    problem = _plain(file, 1, 1, "too-large", "larger than 64 MiB", "split it into several files")
    return Document(file, "", problems=[problem])


def _undecodable(data: bytes, file: str, position: int) -> Diagnostic:
    before = LINE_END.split(data[:position].decode("utf-8"))
    line, column = len(before), len(before[-1]) + 1
    text = Document(file, data.decode("utf-8", "replace")).line(line)
    message = f"byte 0x{data[position]:02x} is not UTF-8"
    return _plain(file, line, column, "encoding", message, "save it as UTF-8", text)


def _unprintable(document: Document, position: int) -> Diagnostic:
    before = LINE_END.split(document.text[:position])
    character = ord(document.text[position])
    spelled = f"\\x{character:02x}" if character < 0x100 else f"\\u{character:04x}"
    message = f"the control character {spelled} is not allowed in YAML"
    remedy = f'delete it, or write "{spelled}" in double quotes'
    line, column = len(before), len(before[-1]) + 1
    return _plain(
        document.file, line, column, "control-character", message, remedy, document.line(line)
    )


def _syntax(document: Document, error: yaml.MarkedYAMLError) -> Diagnostic:
    found, opened = (
        error.problem_mark or error.context_mark,
        error.context_mark or error.problem_mark,
    )
    assert found is not None  # parsers mark every problem
    assert opened is not None
    before, after = document.around(found)
    hint = yaml_hints.explain(error.problem or "", before, after, opened.line + 1)
    # What was never closed, or has no colon, is mended where it begins.
    mark = opened if hint.at_opening else found
    return _plain(
        document.file,
        mark.line + 1,
        mark.column + 1,
        "syntax",
        hint.message,
        hint.remedy,
        document.line(mark.line + 1),
    )
