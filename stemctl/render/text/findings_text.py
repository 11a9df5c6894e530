"""Findings as text and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Location
from stemctl.render.fitting import Item, fitted, section
from stemctl.render.terminal import LONGEST_LINE, TerminalStyle
from stemctl.render.width import beginning, broken, columns_of, ending
from stemctl.util.safe_text import cut, visible

_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "blue"}

_GUTTER = 5
"""Columns of a line number; a longer one pushes its line to the right."""
_BEFORE = 20
"""Columns kept before the caret when the beginning of a line is left out."""


def findings_text(diagnostics: Iterable[Diagnostic], style: TerminalStyle | None = None) -> str:
    """Each finding with its line and a caret; a note in one line."""
    style = style or TerminalStyle()
    blocks = ["\n".join(_block(finding, style)) for finding in diagnostics]
    return style.finish(["\n\n".join(blocks)]) if blocks else ""


def findings_markdown(
    diagnostics: Sequence[Diagnostic], summary: str, max_bytes: int | None = None
) -> str:
    """The findings as a comment, below their summary; with `max_bytes`, what does not fit is
    counted.
    """
    style = TerminalStyle(width=90)
    items = [Item("\n".join(_block(finding, style))) for finding in diagnostics]
    sections = [section("Findings", items, opened=True)] if items else []
    return fitted(f"### {summary}\n", sections, max_bytes)


def _block(finding: Diagnostic, style: TerminalStyle) -> list[str]:
    lines = _title(finding, style)
    if finding.severity is Severity.NOTE:
        return lines
    remedy = cut(visible(finding.remedy), LONGEST_LINE)
    if finding.location is not None and finding.line:
        return [*lines, *_source(finding, finding.location, remedy, style)]
    if remedy:
        lines += _remedy(remedy, f"{'':{_GUTTER}} | ", style)
    return lines


def _title(finding: Diagnostic, style: TerminalStyle) -> list[str]:
    location = f"{visible(str(finding.location))}:" if finding.location else ""
    severity, code = f"{finding.severity.value}:", f"[{finding.code}]"
    message = cut(visible(finding.message), LONGEST_LINE)
    plain = f"{location} {severity} {message} {code}".lstrip()
    lines = style.prose([plain], indent=4)
    start = f"{location} {severity}".lstrip()
    if lines[0].startswith(start):
        painted = style.paint(_STYLES[finding.severity], severity)
        where = f"{style.paint('bold', location[:-1])}: " if location else ""
        lines[0] = f"{where}{painted}{lines[0].removeprefix(start)}"
    if lines[-1].endswith(code):
        lines[-1] = lines[-1].removesuffix(code) + style.paint("dim", code)
    return lines


def _remedy(remedy: str, margin: str, style: TerminalStyle) -> list[str]:
    """What to write instead, behind a margin, broken between words at a terminal."""
    fits = not style.wraps_answer or columns_of(margin) + columns_of(remedy) <= style.width
    parts = [remedy] if fits else broken(remedy, style.width - columns_of(margin))
    return [f"{margin}{part}" for part in parts]


def _source(
    finding: Diagnostic, location: Location, remedy: str, style: TerminalStyle
) -> list[str]:
    """The line of the finding, and under it a caret and what to write instead."""
    gutter = f"{location.line:{_GUTTER}} | "
    before, marked, after = _cropped(finding, location.column - 1, style.width - len(gutter))
    carets = "^" * max(1, columns_of(marked))
    empty = f"{'':{len(gutter) - 3}} | "
    indent = f"{empty}{' ' * columns_of(before)}"
    caret = f"{indent}{style.paint(_STYLES[finding.severity], carets)}"
    lines = [f"{gutter}{before}{marked}{after}".rstrip()]
    if len(indent) + len(carets) + 1 + columns_of(remedy) <= style.width:
        return [*lines, f"{caret} {remedy}".rstrip()]
    lines.append(caret)
    if remedy:
        lines += _remedy(remedy, empty, style)
    return lines


def _cropped(finding: Diagnostic, column: int, width: int) -> tuple[str, str, str]:
    """What is before the marked part of the line, that part, and what is after it, in `width`."""
    line, end = finding.line, column + finding.length
    far = 2 * width  # what is further away cannot be seen
    before = visible(line[max(0, column - far) : column])
    marked = visible(line[column : min(end, column + far)])
    after = visible(line[end : end + far])
    needs = columns_of(before) + min(columns_of(marked), width - _BEFORE)
    if needs > width - 1 and columns_of(before) > _BEFORE:
        before = f"…{ending(before, _BEFORE - 1)}"
    left = width - columns_of(before)
    if columns_of(marked) > left:
        return before, f"{beginning(marked, left - 1)}…", ""
    left -= columns_of(marked)
    if columns_of(after) > left:
        after = f"{beginning(after, left - 1)}…"
    return before, marked, after
