"""Reads a YAML file: its values with their locations, or what is wrong with it."""

from __future__ import annotations

import codecs
import functools
import os
import stat
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

import yaml
from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Location
from stemctl.manifests import yaml_hints
from stemctl.manifests.document import LINE_END, Document
from stemctl.manifests.merge_conflicts import conflicts
from stemctl.manifests.node_builder import NodeBuilder, StopReading
from stemctl.schema.catalog import editions, load_catalog
from stemctl.schema.manifest_schema import DIRECTIVES
from stemctl.util import characters
from stemctl.util.late_pattern import late_pattern

if TYPE_CHECKING:
    from stemctl.manifests.slips.situation import Repair

MAX_FILE_BYTES = 64 * 1024 * 1024

# What YAML does not allow, and the line ends that only some readers recognise.
_UNPRINTABLE = late_pattern("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def read(path: FilePath | str, file: str, kept: dict[str, bytes] | None = None) -> Document:
    """Read a file. What is wrong with it becomes a problem of the document.

    `file` is the name of the file in locations, and in `kept`, which gets its content.
    """
    try:
        data = _content(path)
    except OSError as error:
        problem = _unreadable(file, f"cannot be read: {error.strerror or error}")
        return Document(file, "", problems=[problem])
    if data is None:
        return Document(file, "", problems=[_unreadable(file, "not a regular file")])
    if len(data) > MAX_FILE_BYTES:
        return _too_large(file)
    if kept is not None:
        kept[file] = data
    return parse(data, file)


_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Without waiting for the writer of a pipe, which is refused as it is not a regular file."""


_PIECE = 64 * 1024
"""Python reserves that much before it asks, and gets it quickly up to about here."""


def _content(path: FilePath | str) -> bytes | None:
    """The bytes of a file, or more than it may have; None if it is not a regular file.

    A file object would ask the system twice as much, which counts with thousands of small files.

    Raises:
        OSError: it cannot be read.
    """
    descriptor = os.open(path, _READ)
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            return None
        data = os.read(descriptor, min(facts.st_size, MAX_FILE_BYTES) + 1)
        while len(data) <= MAX_FILE_BYTES and (more := os.read(descriptor, _PIECE)):
            data += more  # it has grown since
        return data
    finally:
        os.close(descriptor)


def parse(data: bytes, file: str) -> Document:
    """Read the content of a file."""
    if len(data) > MAX_FILE_BYTES:
        return _too_large(file)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        document = Document(file, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return Document(file, "", problems=[_utf_16(file)])
        return Document(file, "", problems=[_undecodable(data, file, error.start)])
    if data[1:2] == b"\0" or data[:1] == b"\0":
        return Document(file, "", problems=[_utf_16(file)])
    if match := _UNPRINTABLE.search(document.text):
        document.problems.append(_unprintable(document, match.start()))
        return document
    document.problems += conflicts(document)
    if document.problems:
        return document
    try:
        return _built(document, document.text)
    except _ParserLimit as limit:
        # The parser looks ahead, so that it may reach its limit before we reach ours. Without the
        # text beyond its limit, we reach ours.
        again = _built(Document(file, document.text), document.text[: limit.index])
        assert again.problems  # a document that was cut off must not pass as a whole one
        return again


def _built(document: Document, text: str) -> Document:
    """The document with the values of `text`, which is its own text or the beginning of it.

    Raises:
        _ParserLimit: the text is nested deeper than the parser takes.
    """
    try:
        document.root = NodeBuilder(document, text).build()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        if mark and _PARSER_LIMIT in (error.problem or "") and mark.index < len(text):
            raise _ParserLimit(mark.index) from None
        document.problems.append(_syntax(document, error))
    except StopReading as stop:
        document.problems.append(stop.finding)
    return document


_PARSER_LIMIT = "exceeded maximum nesting depth"
"""The message of libyaml, since 0.2.6, on more than a thousand levels."""


class _ParserLimit(Exception):
    """The parser's own limit of nesting, ten times ours, is exceeded at `index`."""

    def __init__(self, index: int) -> None:
        self.index = index


def _error(
    location: Location, code: str, message: str, remedy: str = "", *, line: str = ""
) -> Diagnostic:
    return Diagnostic(Severity.ERROR, code, message, location, remedy, line=line)


def _unreadable(file: str, message: str) -> Diagnostic:
    return _error(Location(file, 1, 1), "unreadable", message)


def _too_large(file: str) -> Document:
    message = "the file is larger than 64 MiB"
    problem = _error(Location(file, 1, 1), "too-large", message, "split it into several files")
    return Document(file, "", problems=[problem])


def _undecodable(data: bytes, file: str, position: int) -> Diagnostic:
    location = _location(file, data[:position].decode("utf-8"))
    line = Document(file, data.decode("utf-8", "replace")).line(location.line)
    message = f"byte 0x{data[position]:02x} is not valid UTF-8"
    return _error(location, "encoding", message, "save the file as UTF-8", line=line)


def _utf_16(file: str) -> Diagnostic:
    message = "this file is written in UTF-16"
    return _error(Location(file, 1, 1), "encoding", message, "save the file as UTF-8")


def _unprintable(document: Document, position: int) -> Diagnostic:
    location = _location(document.file, document.text[:position])
    character = ord(document.text[position])
    remedy = "remove it"
    message = f"{characters.named(chr(character))} is not allowed in YAML"
    if character < 0xA0:
        spelled = f"\\x{character:02x}"
        message = f"the control character {spelled} is not allowed in YAML"
        remedy = f'remove it, or write `"{spelled}"` in double quotes'
    line = document.line(location.line)
    return _error(location, "control-character", message, remedy, line=line)


def _location(file: str, before: str) -> Location:
    """The location behind the text `before`."""
    lines = LINE_END.split(before)
    return Location(file, len(lines), len(lines[-1]) + 1)


def _syntax(document: Document, error: yaml.MarkedYAMLError) -> Diagnostic:
    found = error.problem_mark or error.context_mark
    opened = error.context_mark or error.problem_mark
    assert found is not None  # parsers mark every problem
    assert opened is not None
    if slip := _slip(document, error):
        row, column, length = slip.marked
        location = Location(document.file, row + 1, column + 1)
        line = document.line(row + 1)
        return replace(
            _error(location, "syntax", slip.message, slip.remedy, line=line), length=length
        )
    before, after = document.around(found)
    hint = yaml_hints.explain(error.problem or "", before, after, opened.line + 1)
    # What was never closed, or has no colon, is fixed where it begins.
    mark = opened if hint.at_opening else found
    location = Location(document.file, mark.line + 1, mark.column + 1)
    line = document.line(location.line)
    return _error(location, "syntax", hint.message, hint.remedy, line=line)


def _slip(document: Document, error: yaml.MarkedYAMLError) -> Repair | None:
    """The slip behind a syntax error, if there is a repair that the parser takes."""
    # Most commands find no syntax error, and need none of this.
    from stemctl.manifests.slips.repair import find_slip
    from stemctl.manifests.slips.situation import Situation

    found = error.problem_mark or error.context_mark
    opened = error.context_mark or found
    assert found is not None  # parsers mark every problem
    assert opened is not None
    document.line(1)  # splits the text into lines
    situation = Situation(
        [*document.lines, ""],  # the end of a file may be in a line that does not exist
        (found.line, found.column),
        (opened.line, opened.column),
        error.problem or "",
        *_known_names(),
    )
    return find_slip(situation)


@functools.cache
def _known_names() -> tuple[frozenset[str], frozenset[str]]:
    """Words that are keys in manifests, and those of them that are keys at the top."""
    catalogs = [load_catalog(edition) for edition in editions()]
    models = [model for catalog in catalogs for model in catalog.writable]
    names = {name for model in models for name in (model.section, *model.fields)}
    members = {m for model in models for f in model.fields.values() for m in f.members}
    # The same word may be a section and a field that most records have, such as their projects.
    fields = {field.name for model in models for field in model.managed if field.required}
    inside = {child.section for c in catalogs for m in c.writable for child in c.children(m)}
    sections = {*DIRECTIVES, "defaults", *(model.section for model in models)} - fields - inside
    return frozenset(names | members | sections | {"key", "lifecycle"}), frozenset(sections)
