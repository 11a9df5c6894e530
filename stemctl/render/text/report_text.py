"""The outcome of a plan, as text."""

from __future__ import annotations

from collections.abc import Sequence

from stemctl.core.apply_report import Outcome, Report, Status
from stemctl.core.plan import Action
from stemctl.render.next_steps import report_hints
from stemctl.render.plan_summary import plan_summary
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.outcome_text import (
    LinesOf,
    failure_lines,
    held_rows,
    outcome_blocks,
    outcome_row,
    refusal_lines,
)
from stemctl.util.plural import counted
from stemctl.util.safe_text import visible

UNKNOWN = "Unknown: sent, but no answer"
REFUSED = "The server holds other values than were sent"

_PROPOSED = (
    "A proposal is not a record yet: a BrainSTEM administrator decides. You have nothing to do."
)

LINES_UP_TO = 40
"""Runs of more changes than this show their failures; -v shows the rest."""


def report_text(report: Report, style: TerminalStyle, seconds: float, state: str | None) -> str:
    """The screen of a finished apply; `state` says where the state was saved, None that it could
    not be.
    """
    lines = _outcomes(report, style)
    sentences = ["", report_summary(report, seconds)]
    if report.of(Status.PROPOSED):
        sentences.append(_PROPOSED)
    lines += style.prose([*sentences, *_ended_early(report)])
    lines += _titled("Failed", report, report.of(Status.FAILED), failure_lines, style)
    lines += _titled(UNKNOWN, report, report.of(Status.UNKNOWN), failure_lines, style)
    refused = [outcome for outcome in report.outcomes if outcome.refused]
    lines += _titled(REFUSED, report, refused, refusal_lines, style)
    lines += _held(report, style)
    lines += style.prose(_saved(report, state))
    lines += style.next(report_hints(report))
    return style.finish(lines)


def report_last(report: Report, style: TerminalStyle, seconds: float, state: str | None) -> str:
    """The numbers, why it ended early, and where the state is."""
    summary = report_title(report, seconds)
    return style.finish([summary, *_ended_early(report), *_saved(report, state)])


def report_title(report: Report, seconds: float) -> str:
    """The numbers of a run, or of the plan if nothing was tried."""
    return report_summary(report, seconds) if report.outcomes else plan_summary(report.plan)


def _ended_early(report: Report) -> list[str]:
    left = len(report.of(Status.SKIPPED))
    if not report.stopped or not left:
        return []
    return [
        "",
        f"Stopped early: {visible(report.stopped)}",
        f"{counted(left, 'change')} not started.",
    ]


def _saved(report: Report, state: str | None) -> list[str]:
    if state is None or not (
        report.of(Status.APPLIED, Status.PROPOSED) or any(o.done for o in report.outcomes)
    ):
        return []
    return ["", f"State saved in {state}, run {report.run}."]


def _outcomes(report: Report, style: TerminalStyle) -> list[str]:
    tried = [outcome for outcome in report.outcomes if outcome.status is not Status.HELD]
    if len(tried) > LINES_UP_TO and not style.verbose:
        return []
    rows = style.columns([outcome_row(outcome) for outcome in tried], indent=2)
    return ["", *rows] if rows else []


def report_summary(report: Report, seconds: float) -> str:
    """The numbers of a run in a line."""
    numbers = report.summary()
    words = [f"{numbers[word]:,} {word}" for word in ("created", "updated", "deleted")]
    if numbers["adopted"]:
        words.append(f"{numbers['adopted']:,} adopted{_patched(report)}")
    words += [f"{numbers[word]:,} {word}" for word in ("forgotten", "proposed") if numbers[word]]
    words.append(f"{numbers['failed']:,} failed")
    last = ("skipped", "unknown", "held")
    words += [f"{numbers[word]:,} {word}" for word in last if numbers[word]]
    start = "Interrupted" if report.interrupted else "Applied"
    return f"{start}: {', '.join(words)}, in {seconds:.1f} s."


def _patched(report: Report) -> str:
    """How many adoptions changed their record."""
    adoptions = [o for o in report.of(Status.APPLIED) if o.change.action is Action.ADOPT]
    number = sum(outcome.change.sends for outcome in adoptions)
    return f" ({number:,} with a PATCH)" if number else ""


def _titled(
    title: str,
    report: Report,
    outcomes: Sequence[Outcome],
    lines_of: LinesOf,
    style: TerminalStyle,
) -> list[str]:
    blocks = outcome_blocks(report, outcomes, lines_of, style)
    lines = [line for block in blocks for line in block.lines]
    return ["", style.paint("bold", title), *lines] if lines else []


def _held(report: Report, style: TerminalStyle) -> list[str]:
    rows = style.columns(held_rows(report, style), indent=2)
    return ["", style.paint("bold", "Held, nothing was sent"), *rows] if rows else []
