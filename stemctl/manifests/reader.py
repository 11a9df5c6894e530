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

import yaml

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Location
from stemctl.manifests import yaml_hints
from stemctl.manifests.document import LINE_END, Document
from stemctl.manifests.node_builder import NodeBuilder, StopReading

MAX_FILE_BYTES = 64 * 1024 * 1024

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
            if facts.st_size > MAX_FILE_BYTES:
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
    if len(data) > MAX_FILE_BYTES:
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
"""What libyaml says, since 0.2.6, of more than a thousand levels."""


class _ParserLimit(Exception):
    """The parser takes no deeper nesting than that before `index`, which is ten times ours."""

    def __init__(self, index: int) -> None:
        self.index = index


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
