"""Findings as people, programs and GitHub read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.render.fitting import Item, fitted, section
from stemctl.render.terminal import LONGEST_LINE, TerminalStyle
from stemctl.render.width import beginning, columns_of, ending
from stemctl.util.safe_text import cut, visible

_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "blue"}

_GUTTER = 5
"""Columns of a line number; larger ones push their line to the right."""
_BEFORE = 20
"""Columns kept before the caret where the beginning of a line is left out."""


def findings_text(diagnostics: Iterable[Diagnostic], style: TerminalStyle | None = None) -> str:
    """Each finding with its line and a caret; a note in one line."""
    style = style or TerminalStyle()
    blocks = ["\n".join(_block(finding, style)) for finding in diagnostics]
    return style.finish(["\n\n".join(blocks)]) if blocks else ""


def findings_markdown(
    diagnostics: Sequence[Diagnostic], summary: str, max_bytes: int | None = None
) -> str:
    """The findings as a comment, below a sentence that sums them up; with `max_bytes`, what does
    not fit is counted.
    """
    items = [Item("\n".join(_block(finding, TerminalStyle(width=90)))) for finding in diagnostics]
    sections = [section(f"Findings: {len(items):,}", items, opened=True)] if items else []
    return fitted(
        f"### {summary}\n",
        sections,
        max_bytes,
        lambda number: f"\n{number:,} more do not fit here.\n",
    )


def _block(finding: Diagnostic, style: TerminalStyle) -> list[str]:
    location = (
        f"{style.paint('bold', visible(str(finding.location)))}: " if finding.location else ""
    )
    severity = style.paint(_STYLES[finding.severity], f"{finding.severity.value}:")
    lines = [
        f"{location}{severity} {cut(visible(finding.message), LONGEST_LINE)} {style.paint('dim', f'[{finding.code}]')}"
    ]
    if finding.severity is Severity.NOTE:
        return lines
    remedy = cut(visible(finding.remedy), LONGEST_LINE)
    if finding.location is None or not finding.line:
        return [*lines, f"{'':{_GUTTER}} | {remedy}"] if remedy else lines
    return [
        *lines,
        *_source(finding, finding.location.line, finding.location.column - 1, remedy, style),
    ]


def _source(
    finding: Diagnostic, number: int, column: int, remedy: str, style: TerminalStyle
) -> list[str]:
    """The line that is meant, and under it a caret and what to write instead."""
    gutter = f"{number:{_GUTTER}} | "
    before, meant, after = _cropped(finding, column, style.width - len(gutter))
    carets = "^" * max(1, columns_of(meant))
    empty = f"{'':{len(gutter) - 3}} | "
    caret = f"{empty}{' ' * columns_of(before)}{style.paint(_STYLES[finding.severity], carets)}"
    lines = [f"{gutter}{before}{meant}{after}".rstrip()]
    if len(empty) + columns_of(before) + len(carets) + 1 + columns_of(remedy) <= style.width:
        return [*lines, f"{caret} {remedy}".rstrip()]
    return [*lines, caret, *([f"{empty}{remedy}"] if remedy else [])]


def _cropped(finding: Diagnostic, column: int, width: int) -> tuple[str, str, str]:
    """The line in three parts, the second being what is meant, cut to `width` at both ends as needed."""
    end = column + finding.length
    line, start = finding.line, max(0, column - 2 * width)  # what is further away cannot be seen
    parts = (
        line[start:column],
        line[column : min(end, column + 2 * width)],
        line[end : end + 2 * width],
    )
    before, meant, after = (visible(part) for part in parts)
    if (
        columns_of(before) + min(columns_of(meant), width - _BEFORE) > width - 1
        and columns_of(before) > _BEFORE
    ):
        before = f"…{ending(before, _BEFORE - 1)}"
    left = width - columns_of(before)
    if columns_of(meant) > left:
        return before, f"{beginning(meant, left - 1)}…", ""
    left -= columns_of(meant)
    return before, meant, after if columns_of(after) <= left else f"{beginning(after, left - 1)}…"
