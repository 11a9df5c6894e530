"""Text that YAML takes for a mark, joins to other text, or cuts at a comma."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.manifests import scalars
from stemctl.manifests.document import Document
from stemctl.util.plural import counted


def decimal_comma(finding: Diagnostic) -> Diagnostic | None:
    """`{weight: 22,5}`: the comma ends the number, and `5` becomes a key."""
    assert finding.location
    column = finding.location.column - 1
    before = re.search(r"[ ](-?[0-9]+),$", finding.line[:column])
    key = str(finding.value)
    if (
        not before
        or not key.isdigit()
        or not re.match(r"\s*[,}]", finding.line[column + len(key) :])
    ):
        return None
    location = finding.location._replace(column=before.start(1) + 1)
    return replace(
        finding,
        message="a comma ends a number: write a point",
        remedy=f"write `{before[1]}.{key}`",
        location=location,
        length=len(before[1]) + 1 + len(key),
    )


def unused_anchor(document: Document, event: Any) -> Diagnostic:
    """`&maze first day`, where `maze` was meant as text."""
    source = document.text[event.start_mark.index : event.end_mark.index]
    message = f"`&{event.anchor}` is a mark for other lines, which none of them uses, and not text"
    remedy = f"write `{scalars.quoted(source)}`, or remove the mark"
    return document.finding(event, "text-lost", message, remedy, severity=Severity.WARNING)


def joined_lines(document: Document, event: Any) -> Iterator[Diagnostic]:
    """A list item that is deeper than the one above it becomes a part of its text."""
    for row in range(event.start_mark.line + 1, event.end_mark.line + 1):
        line = document.line(row + 1)
        column = len(line) - len(line.lstrip(" "))
        if line[column:].startswith("- "):
            above = max(0, document.line(event.start_mark.line + 1).find("- "))
            spaces = counted(column - above, "space")
            yield Diagnostic(
                Severity.WARNING,
                "text-lost",
                "this is not an item of the list, but a part of the text above it",
                document.location_of(row, column),
                f"remove {spaces} before it" if column > above else "quote the whole text",
                line=line,
            )
