"""What git leaves in a file that it could not merge: both versions, between marks."""

from __future__ import annotations

from collections.abc import Iterator

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Location
from stemctl.manifests.document import Document

_BEGIN, _MIDDLE, _END = "<<<<<<< ", "=======", ">>>>>>> "


def conflicts(document: Document) -> Iterator[Diagnostic]:
    """The conflicts in a file. Inside of quoted text, YAML would take the marks for text."""
    if _BEGIN not in document.text or _END not in document.text:
        return
    document.line(1)  # splits the text into lines
    begin = middle = 0
    for number, line in enumerate(document.lines, start=1):
        if line.startswith(_BEGIN):
            begin, middle = number, 0
        elif begin and line == _MIDDLE:
            middle = number
        elif middle and line.startswith(_END):
            yield _conflict(document, begin, middle, number)
            begin = middle = 0


def _conflict(document: Document, begin: int, middle: int, end: int) -> Diagnostic:
    line = document.line(begin)
    message = f"a merge conflict of git is not resolved: it ends in line {end}"
    remedy = (
        f"keep the lines above or below line {middle}, or parts of both; "
        "remove the lines with <<<<<<<, ======= and >>>>>>>"
    )
    location = Location(document.file, begin, 1)
    return Diagnostic(
        Severity.ERROR, "merge-conflict", message, location, remedy, line=line, length=len(line)
    )
