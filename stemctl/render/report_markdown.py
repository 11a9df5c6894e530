"""What became of a plan, as Markdown for the summary of a job: what went wrong first, what was done
folded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stemctl.core.report import Outcome, Report, Status
from stemctl.render.fitting import Item, Section, code, fitted, section
from stemctl.render.markdown import for_markdown, where
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.plan_text import summary_lines
from stemctl.render.text.report_text import (
    UNKNOWN,
    failure_lines,
    held_rows,
    outcome_row,
    refusal_lines,
    report_summary,
)
from stemctl.util.safe_text import visible


def report_markdown(
    report: Report, style: TerminalStyle, seconds: float, max_bytes: int | None = None
) -> str:
    """The report of a finished apply; with `max_bytes`, what does not fit is counted."""
    style = for_markdown(style)
    title = report_summary(report, seconds) if report.outcomes else summary_lines(report.plan)[1]
    run = f", run {code(report.run)}" if report.run else ""
    head = [f"### {title}", "", where(report.plan) + run, ""]
    left = len(report.of(Status.SKIPPED))
    if report.stopped and left:
        head += [f"Ended early, {left:,} not begun: {code(report.stopped, 200)}", ""]
    sections = [
        *_told("Failed", report.of(Status.FAILED), failure_lines, style),
        *_told(UNKNOWN, report.of(Status.UNKNOWN), failure_lines, style),
        *_told(
            "Refused by the server", [o for o in report.outcomes if o.refused], refusal_lines, style
        ),
        *_rows("Held, nothing was sent", held_rows(report), style, opened=True),
        *_rows(
            "Outcomes",
            [outcome_row(o, style) for o in report.outcomes if o.status is not Status.HELD],
            style,
        ),
    ]
    return fitted(
        "\n".join(head), sections, max_bytes, lambda number: f"\n{number:,} more do not fit here.\n"
    )


def _told(
    title: str,
    outcomes: Sequence[Outcome],
    lines: Callable[[Outcome, TerminalStyle], list[str]],
    style: TerminalStyle,
) -> list[Section]:
    items = [
        Item("\n".join(visible(line.removeprefix("  ")) for line in lines(o, style)))
        for o in outcomes
    ]
    return [section(f"{title}: {len(items):,}", items, opened=True)] if items else []


def _rows(
    title: str, rows: Sequence[tuple[str, str, str]], style: TerminalStyle, opened: bool = False
) -> list[Section]:
    items = [Item(row.rstrip()) for row in style.columns(rows, indent=0)]
    return [section(f"{title}: {len(items):,}", items, opened)] if items else []
