"""The outcome of a plan, as Markdown for the summary of a job: what went wrong first, what was done
folded.
"""

from __future__ import annotations

from collections.abc import Sequence

from stemctl.core.apply_report import Outcome, Report, Status
from stemctl.render.fitting import Item, Section, code, fitted, section
from stemctl.render.markdown import for_markdown, where
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.outcome_text import (
    LinesOf,
    failure_lines,
    held_rows,
    outcome_blocks,
    outcome_row,
    refusal_lines,
)
from stemctl.render.text.report_text import REFUSED, UNKNOWN, report_title
from stemctl.util.plural import counted
from stemctl.util.safe_text import visible


def report_markdown(
    report: Report, style: TerminalStyle, seconds: float, max_bytes: int | None = None
) -> str:
    """The report of a finished apply; with `max_bytes`, what does not fit is counted."""
    style = for_markdown(style)
    title = report_title(report, seconds)
    run = f", run {code(report.run)}" if report.run else ""
    head = [f"### {title}", "", where(report.plan) + run, ""]
    left = len(report.of(Status.SKIPPED))
    if report.stopped and left:
        reason = code(report.stopped, 200)
        head += [f"Stopped early, {counted(left, 'change')} not started: {reason}", ""]
    refused = [outcome for outcome in report.outcomes if outcome.refused]
    tried = [outcome for outcome in report.outcomes if outcome.status is not Status.HELD]
    sections = [
        *_titled("Failed", report, report.of(Status.FAILED), failure_lines, style),
        *_titled(UNKNOWN, report, report.of(Status.UNKNOWN), failure_lines, style),
        *_titled(REFUSED, report, refused, refusal_lines, style),
        *_rows("Held, nothing was sent", held_rows(report, style), style, is_open=True),
        *_rows("Outcomes", [outcome_row(outcome) for outcome in tried], style),
    ]
    return fitted("\n".join(head), sections, max_bytes)


def _titled(
    title: str,
    report: Report,
    outcomes: Sequence[Outcome],
    lines_of: LinesOf,
    style: TerminalStyle,
) -> list[Section]:
    items = []
    for block in outcome_blocks(report, outcomes, lines_of, style):
        lines = [visible(line.removeprefix("  ")) for line in block.lines]
        items.append(Item("\n".join(lines), block.records))
    return [section(title, items, opened=True)] if items else []


def _rows(
    title: str, rows: Sequence[tuple[str, str, str]], style: TerminalStyle, is_open: bool = False
) -> list[Section]:
    items = [Item(row) for row in style.columns(rows, indent=0)]
    return [section(title, items, is_open)] if items else []
