"""Edits of a text, proven before anything is written."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

from stemctl.manifests.document import LINE_END, Document
from stemctl.manifests.editor.differences import settled
from stemctl.manifests.editor.edits import Add, Edit, edited, gathered
from stemctl.manifests.editor.new_text import member
from stemctl.manifests.editor.places import Places, comments, places
from stemctl.manifests.editor.splicer import Splicer
from stemctl.manifests.editor.splices import CannotEdit, Splice, spliced
from stemctl.manifests.formatter.layout import CannotFormat, format_text, same_content
from stemctl.manifests.reader import parse
from stemctl.util import gc_pause
from stemctl.util.json_equality import same_json
from stemctl.util.json_types import Value

_MARK = "\ufeff"
"""The byte order mark, with which some editors begin a file."""


def edit_text(text: str, edits: Sequence[Edit]) -> str:
    """The text with all edits made.

    Raises:
        CannotEdit: as for `edit_document`.
    """
    mark = _MARK if text.startswith(_MARK) else ""
    document = parse(text.removeprefix(mark).encode(), "manifest.yaml")
    try:
        return mark + edit_document(document, edits).text
    except CannotEdit as error:
        raise CannotEdit(error.why, len(mark) + error.position) from None


def edit_document(document: Document, edits: Sequence[Edit]) -> Document:
    """The document with all edits made, as it is read.

    Every character outside of the values that change stays as it is, line ends included. The new
    text is read again, and must have exactly the values that it should, and all comments but those
    of what was taken out.

    Raises:
        CannotEdit: it is written in a way that is not edited, or the proof fails.
    """
    text, old = document.text, _value(document)
    plain = LINE_END.sub("\n", text)
    ends = _LineEnds(text)
    with gc_pause.paused():
        try:
            splices, new = _proven(plain, settled(old, edits), edited(old, edits), document.file)
        except CannotEdit as error:
            raise CannotEdit(error.why, ends.position(error.position)) from None
        made = _formatted_like(text, spliced(text, [ends.splice(splice) for splice in splices]))
        # Reading a large file takes longer than comparing its text.
        return new if made == new.text else parse(made.encode(), document.file)


def _formatted_like(old: str, new: str) -> str:
    """The new text, formatted if the old one is."""
    is_windows = "\r\n" in old
    plain = old.replace("\r\n", "\n") if is_windows else old
    if "\r" in plain or (is_windows and old.count("\r\n") != old.count("\n")):
        return new  # line ends of several kinds
    try:
        formatted = format_text(new).text
        is_same = formatted == (new.replace("\r\n", "\n") if is_windows else new)
        if is_same or format_text(plain).text != plain:
            return new
    except CannotFormat:
        return new
    if not same_content(formatted, new):
        return new
    return formatted.replace("\n", "\r\n") if is_windows else formatted


def _proven(
    text: str, edits: Sequence[Edit], wanted: Value, file: str
) -> tuple[Sequence[Splice], Document]:
    """The splices, with which the text says what is wanted and keeps its comments, and what is
    read then.
    """
    before = places(text)
    splices, gone = _splices(text, before, edits)
    new = spliced(text, splices)
    read = parse(new.encode(), file)
    if not new.endswith("\n") and not _says(read, wanted):
        splices.append(Splice(len(text), len(text), "\n"))  # the last one is a text of lines
        read = parse(f"{new}\n".encode(), file)
    if not _says(read, wanted):
        raise CannotEdit("the new text would not say what it should", 0)
    remarks = [remark for edit in edits if isinstance(edit, Add) for remark in edit.remarks]
    if _without(comments(read.text), remarks) != _kept(before.comments, gone):
        raise CannotEdit("a comment would get lost", 0)
    return splices, read


def _value(document: Document) -> Value:
    """What a document says, which may be nothing.

    Raises:
        CannotEdit: it has errors.
    """
    problems = [problem for problem in document.problems if problem.code != "empty-file"]
    if not problems:
        return document.root.value if document.root else {}
    starts = [0, *(match.end() for match in LINE_END.finditer(document.text))]
    line = problems[0].location.line if problems[0].location else 1
    raise CannotEdit(f"it has an error: {problems[0].message}", starts[line - 1])


def _says(document: Document, wanted: Value) -> bool:
    """Whether a document says just that."""
    try:
        return same_json(_value(document), wanted)
    except CannotEdit:
        return False


def _without(found: list[str], remarks: Sequence[str]) -> list[str]:
    """Comments without those that were asked for."""
    left = Counter(f"# {remark}" for remark in remarks)
    kept = []
    for comment in found:
        if left[comment]:
            left[comment] -= 1
        else:
            kept.append(comment)
    return kept


def _kept(found: Sequence[tuple[int, str]], gone: Sequence[tuple[int, int]]) -> list[str]:
    """The comments outside of what goes."""
    spans = sorted(gone)
    starts = [start for start, _ in spans]
    kept = []
    for position, comment in found:
        number = bisect_right(starts, position) - 1
        if number < 0 or position >= spans[number][1]:
            kept.append(comment)
    return kept


def _splices(
    text: str, found: Places, edits: Sequence[Edit]
) -> tuple[list[Splice], list[tuple[int, int]]]:
    root = found.root
    if root is None or (not root.is_mapping and root.is_blank):
        return [_at_end(text, edited({}, edits), bool(found.comments))], []
    splicer = Splicer(text, found)
    splicer.change(root, gathered(edits))
    return splicer.lines.splices, splicer.lines.gone


def _at_end(text: str, new: Value, has_comments: bool) -> Splice:
    """The members of a file that has none: below its comments, but before its end is marked."""
    end = re.search(r"^\.\.\.(?=\s|\Z)", text, re.MULTILINE)
    position = end.start() if end else len(text)
    before = text[:position]
    gap = "" if not before or before.endswith("\n") else "\n"
    gap += "\n" if has_comments and not before.endswith("\n\n") else ""
    lines = "".join(f"{member(0, key, part)}\n" for key, part in new.items())
    return Splice(position, position, gap + lines if new else "")


class _LineEnds:
    """The line ends of a text, and the positions in it of another one whose line ends are `\\n`."""

    def __init__(self, text: str) -> None:
        first = LINE_END.search(text)
        self.usual = first[0] if first else "\n"
        pairs = re.finditer("\r\n", text)
        self.pairs = [match.start() - number for number, match in enumerate(pairs)]

    def position(self, position: int) -> int:
        return position + bisect_right(self.pairs, position - 1)

    def splice(self, splice: Splice) -> Splice:
        text = splice.text if self.usual == "\n" else splice.text.replace("\n", self.usual)
        return Splice(self.position(splice.start), self.position(splice.end), text)
