"""Warnings about what is valid, but probably not meant: text that YAML drops, characters that look
like others, and dates that cannot be.
"""

from __future__ import annotations

import datetime
import itertools
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.manifests import field_context
from stemctl.manifests.document import Document, Node, code_span
from stemctl.manifests.record_nodes import default_nodes, record_nodes
from stemctl.manifests.scalars import quoted
from stemctl.schema.catalog import Catalog
from stemctl.schema.manifest_schema import DIRECTIVES
from stemctl.util import characters
from stemctl.util.json_types import Path
from stemctl.util.late_pattern import late_pattern

_COMMENT = late_pattern(r"[ \t]+(#\w.*)")
_HAS_COMMENT = late_pattern(r"#(?<=[ \t]#)\w")
_PADDED = late_pattern(r"""["'](?:[ ]|(?<=[ ].)[ ]*(?:$|[,\]}]))""", re.MULTILINE)
"""These two begin with the rare character, so that searching for them is quick."""
_ESCAPED_PATH = late_pattern(r'"[A-Za-z]:(?:\\\\[^"\n\\]+)*(\\[abefnrtv0])[^"\n]*"')
_INVISIBLE = "\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069"
_JOINERS = "\u200c\u200d"
_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_OPENING, _CLOSING = "“„‟«»‘‚‛”’", "”“‟»«’‘‛"
_ODD = late_pattern(f"[{_INVISIBLE}{_JOINERS}{_SPACES}]")
_WORD = late_pattern(r"\w+")
_LOOKALIKES = frozenset("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοϹϲνρυ")
"""Greek letters that look like Latin ones. Others, as in `Δt`, are meant."""

EARLIEST = "1900-01-01"


def latest_plausible(today: datetime.date) -> str:
    """The last day that a record may plausibly have: a year from today."""
    return (today + datetime.timedelta(days=366)).isoformat()


def in_document(document: Document, catalog: Catalog, latest: str) -> Iterator[Diagnostic]:
    """The warnings about one file. Most files need no closer look."""
    root, text = document.root, document.text
    if root is None:
        return
    has_comment = _HAS_COMMENT.search(text) is not None
    if has_comment or not text.isascii() or _PADDED.search(text):
        for path, event in _scalars(root, ()):
            yield from _about_scalar(document, catalog, path, event)
    if "\\" in text:
        yield from _escaped_paths(document)
    yield from _dates(document, catalog, latest)


def _scalars(node: Node, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every scalar value with its path. Keys are known names, or errors."""
    if node.text is not None:
        yield path, node.event
    for step, child in node.steps():
        yield from _scalars(child, (*path, step))


def _about_scalar(
    document: Document, catalog: Catalog, path: Path, event: Any
) -> Iterator[Diagnostic]:
    text = event.value
    if event.style in (None, ""):
        yield from _cut_by_comment(document, event)
    if text.isascii() and text.strip(" ") == text:
        return
    context = field_context.field_context(path, document, catalog)
    is_name = _is_name(context, path)
    finding = _odd_character(document, event, text, is_name) or (
        _spaces_around(document, event, text) if is_name else None
    )
    if finding:
        yield replace(finding, address=context.address, field=context.field_name)


def _is_name(context: field_context.FieldContext, path: Path) -> bool:
    """Whether a value must be written alike everywhere: a name, a reference, a tag."""
    kind = context.field.kind if context.field else ""
    is_listed = kind in ("list", "reference", "references")
    return context.names_record or is_listed or (bool(path) and path[0] in DIRECTIVES)


def _warning(document: Document, event: Any, code: str, words: tuple[str, str]) -> Diagnostic:
    return document.finding(event, code, *words, severity=Severity.WARNING)


def _at(document: Document, finding: Diagnostic, character: str, event: Any) -> Diagnostic | None:
    """A finding moved to a character of its value; None if it is an escape sequence there."""
    start, end = event.start_mark, event.end_mark
    at = document.text.find(character, start.index, end.index)
    if at < 0:
        return None
    before = document.text[start.index : at]
    if "\n" in before:
        return finding
    assert finding.location
    location = finding.location._replace(column=finding.location.column + len(before))
    return replace(finding, location=location, length=1)


def _cut_by_comment(document: Document, event: Any) -> Iterator[Diagnostic]:
    """`name: rat #2`: a `#` behind a space, with a word right behind it."""
    start, end = event.start_mark, event.end_mark
    line = document.line(end.line + 1)
    match = _COMMENT.match(line, end.column)
    if not match or start.line != end.line or start.column == end.column:
        return
    rest = match[1].rstrip()
    whole = f"{line[start.column : end.column]}{line[end.column : match.start(1)]}{rest}"
    message = f"the value is only {code_span(event.value)}, since ` #` begins a comment"
    remedy = f"write `{quoted(whole)}`, or a space behind the `#` of a comment"
    finding = _warning(document, event, "text-lost", (message, remedy))
    yield replace(finding, length=len(whole))


def _odd_character(document: Document, event: Any, text: str, is_name: bool) -> Diagnostic | None:
    if finding := _wrapped_in_quotes(document, event, text):
        return finding
    for match in _ODD.finditer(text):
        character = match[0]
        if not _is_odd_here(text, match.start(), is_name):
            continue
        what = "invisible " if unicodedata.category(character) == "Cf" else ""
        message = f"{what}{characters.named(character)} in the text"
        remedy = "write a space" if character.isspace() else "remove it"
        finding = _warning(document, event, "odd-character", (message, remedy))
        if moved := _at(document, finding, character, event):
            return moved
    return _mixed_scripts(document, event, text) if is_name else None


def _is_odd_here(text: str, at: int, is_name: bool) -> bool:
    """Some characters are needed in some scripts, or between a number and its unit."""
    character = text[at]
    if character in _JOINERS:
        around = text[max(0, at - 1) : at] + text[at + 1 : at + 2]
        return is_name and (around.isascii() or len(around) < 2)
    if character in "\u061c\u200e\u200f":
        return is_name or text.isascii()
    return is_name or not character.isspace()


def _wrapped_in_quotes(document: Document, event: Any, text: str) -> Diagnostic | None:
    """“rat1”: the quotes are part of the value."""
    if len(text) < 3 or event.style not in (None, ""):
        return None
    inner = text[1:-1]
    if text[0] not in _OPENING or text[-1] not in _CLOSING or set(inner) & set(_OPENING):
        return None
    message = f"{characters.named(text[0])} is not a quote in YAML: it is part of the text"
    words = message, f"write `{quoted(inner)}`"
    return _warning(document, event, "odd-character", words)


def _spaces_around(document: Document, event: Any, text: str) -> Diagnostic | None:
    inner = text.strip(" ")
    if inner == text or not inner:
        return None
    where = "after" if text[0] != " " else "before" if text[-1] != " " else "around"
    words = f"spaces {where} the text", f"write `{quoted(inner)}`"
    return _warning(document, event, "odd-character", words)


def _mixed_scripts(document: Document, event: Any, text: str) -> Diagnostic | None:
    """A word of Latin letters with letters of another script that look the same."""
    for word in _WORD.findall(text):
        strange = next((c for c in word if not c.isascii() and _looks_latin(c)), None)
        if strange and any(c.isascii() and c.isalpha() for c in word):
            plain = unicodedata.normalize("NFKC", strange)
            remedy = f"write `{plain}`" if plain.isascii() else "type it with a Latin keyboard"
            message = f"{characters.named(strange)} among Latin letters"
            finding = _warning(document, event, "odd-character", (message, remedy))
            return _at(document, finding, strange, event)
    return None


def _looks_latin(character: str) -> bool:
    name = unicodedata.name(character, "")
    is_form = name.startswith(("FULLWIDTH", "MATHEMATICAL")) and character.isalnum()
    return is_form or name.startswith("CYRILLIC") or character in _LOOKALIKES


def _escaped_paths(document: Document) -> Iterator[Diagnostic]:
    r"""`"C:\new"`, where `\n` is a line break."""
    for match in _ESCAPED_PATH.finditer(document.text):
        start = document.text.rfind("\n", 0, match.start()) + 1
        row = document.text.count("\n", 0, start)
        before = document.text[start : match.start()]
        if "#" in before or match[0].count("'"):
            continue
        path = match[0][1:-1].replace("\\\\", "\\")
        message = f"`{match[1]}` in double quotes is a control character, and no part of a path"
        location = document.location_of(row, len(before))
        yield Diagnostic(
            Severity.WARNING,
            "text-lost",
            message,
            location,
            f"write `'{path}'`",
            line=document.line(row + 1),
            length=len(match[0]),
        )


_EVER = "9999-12-31"


def _dates(document: Document, catalog: Catalog, latest: str) -> Iterator[Diagnostic]:
    """Days before 1900, and more than a year from today where it is not the end of a validity."""
    found = (record_nodes(document, catalog), default_nodes(document, catalog))
    for _, node, model in itertools.chain(*found):
        for field in model.moments:
            value = node.members.get(field.name)
            if value is None or not isinstance(value.value, str):
                continue
            day = value.value[:10]
            if not EARLIEST <= day <= (_EVER if field.ahead else latest) and re.match(
                r"\d{4}-\d\d-\d\d", day
            ):
                yield _unlikely(document, value, day)


def _unlikely(document: Document, node: Node, day: str) -> Diagnostic:
    when = "before 1900" if day < EARLIEST else "more than a year from today"
    words = f"{day} is {when}", "check the year"
    return _warning(document, node.event, "unlikely-date", words)
