"""The outcome of a plan, as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stemctl.core.plan import Action, Change, Held
from stemctl.core.records import Location
from stemctl.core.report import Outcome, Report, Status
from stemctl.render.next_steps import report_hints
from stemctl.render.plan_summary import plan_summary
from stemctl.render.plan_view import SYMBOLS, details_of, location_text, symbol_of
from stemctl.render.terminal import TerminalStyle
from stemctl.render.values import LONG, shown
from stemctl.util.json_types import Value
from stemctl.util.plural import counted, joined
from stemctl.util.safe_text import visible

UNKNOWN = "Unknown: sent, but no answer"
REFUSED = "The server holds other values than were sent"

_PROPOSED = (
    "A proposal is not a record yet: a BrainSTEM administrator decides. You have nothing to do."
)

LINES_UP_TO = 40
"""Runs of more changes than this show their failures; -v shows the rest."""

_DONE = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.DELETE: "deleted",
    Action.ADOPT: "adopted",
    Action.FORGET: "forgotten",
}


def report_text(report: Report, style: TerminalStyle, seconds: float, state: str | None) -> str:
    """The screen of a finished apply; `state` says where the state was saved, None that it could
    not be.
    """
    lines = _outcomes(report, style)
    lines += ["", report_summary(report, seconds)]
    if report.of(Status.PROPOSED):
        lines.append(_PROPOSED)
    lines += _ended_early(report)
    lines += _titled("Failed", report.of(Status.FAILED), failure_lines, style)
    lines += _titled(UNKNOWN, report.of(Status.UNKNOWN), failure_lines, style)
    refused = [outcome for outcome in report.outcomes if outcome.refused]
    lines += _titled(REFUSED, refused, refusal_lines, style)
    lines += _held(report, style)
    lines += _saved(report, state)
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
    if state is None or not report.of(Status.APPLIED, Status.PROPOSED):
        return []
    return ["", f"State saved in {state}, run {report.run}."]


def outcome_row(outcome: Outcome) -> tuple[str, str, str]:
    """Symbol and address, the outcome, and its id, approval, fields or message."""
    change = outcome.change
    is_applied = outcome.status is Status.APPLIED
    word = _DONE[change.action] if is_applied else str(outcome.status)
    return f"{SYMBOLS[change.action]} {visible(str(change.address))}", word, _result(outcome)


def _result(outcome: Outcome) -> str:
    change = outcome.change
    if outcome.status is Status.PROPOSED:
        return f"approval {outcome.approval}"
    if outcome.status is not Status.APPLIED:
        return shortened(visible(outcome.message))
    if change.action is Action.CREATE:
        return outcome.id or ""
    if change.action is Action.DELETE or not change.sends:
        return ""
    return ", ".join(dict.fromkeys(field.path for field in change.fields if not field.held))


def shortened(text: str) -> str:
    """A message as a cell; the whole message is shown below."""
    return text if len(text) <= LONG else text[: LONG - 1] + "…"


def _outcomes(report: Report, style: TerminalStyle) -> list[str]:
    tried = [outcome for outcome in report.outcomes if outcome.status is not Status.HELD]
    if len(tried) > LINES_UP_TO and not style.verbose:
        tried = [o for o in tried if o.status in (Status.FAILED, Status.UNKNOWN)]
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
    return f" ({number} with a PATCH)" if number else ""


def _titled(
    title: str,
    outcomes: Sequence[Outcome],
    lines_of: Callable[[Outcome, TerminalStyle], list[str]],
    style: TerminalStyle,
) -> list[str]:
    lines = [line for outcome in outcomes for line in lines_of(outcome, style)]
    return ["", style.paint("bold", title), *lines] if lines else []


def failure_lines(outcome: Outcome, style: TerminalStyle) -> list[str]:
    """What went wrong with a change, and where it is written."""
    location = location_of(outcome)
    right = f"{visible(location.file)}:{location.line}:{location.column}" if location else ""
    lines = style.headline("!", visible(str(outcome.change.address)), right)
    return lines + [f"      {visible(text)}" for text in (outcome.message, *outcome.detail)]


def location_of(outcome: Outcome) -> Location | None:
    """Where the field is written that the server said something about, or the record."""
    location = outcome.change.location
    for name in outcome.errors:
        for field in outcome.change.fields:
            if field.path == name and field.location:
                location = field.location
                break
    return location


def refusal_lines(outcome: Outcome, style: TerminalStyle) -> list[str]:
    """What the server answered without holding it."""
    location = location_text(outcome.change.location)
    lines = style.headline("!", visible(str(outcome.change.address)), location)
    lines += style.columns(
        [(name, _instead(outcome, name, value)) for name, value in outcome.refused.items()]
    )
    return [*lines, "      It is not sent again. Write the server's value, or ask its operator."]


def _instead(outcome: Outcome, name: str, sent: Value) -> str:
    """What the server holds in place of what was sent."""
    if name in outcome.observed:
        return f"sent {shown(sent)}; the server holds {shown(outcome.observed[name])}"
    return f"sent {shown(sent)}; the server's answer does not include it"


def _held(report: Report, style: TerminalStyle) -> list[str]:
    rows = style.columns(held_rows(report), indent=2)
    return ["", style.paint("bold", "Held, nothing was sent"), *rows] if rows else []


def held_rows(report: Report) -> list[tuple[str, str, str]]:
    """What was not sent: symbol and address, the kind, and why."""
    rows = []
    for outcome in report.of(Status.HELD):
        change = outcome.change
        title = f"{symbol_of(change)} {visible(str(change.address))}"
        rows.append((title, str(change.held), _why_held(change)))
    for outcome in report.of(Status.APPLIED, Status.PROPOSED):
        title = f"! {visible(str(outcome.change.address))}"
        for field in outcome.change.held_fields:
            rows.append((title, str(field.held), f"{field.path}: the server keeps its value"))
    return rows


def _why_held(change: Change) -> str:
    if change.held is Held.DELETE:
        return "no longer in the files"
    if change.pending_since is not None:
        return "sent without an answer; the record there now may not be yours"
    if change.held is Held.CONFLICT:
        paths = [field.path for field in change.fields if field.reason == "conflict"]
        return f"{joined(paths)}: changed on both sides"
    if change.held is Held.REVERT and change.fields and change.action is Action.UPDATE:
        field = change.fields[0]
        return f"{field.path}: server {shown(field.before)}, files {shown(field.after)}"
    return "; ".join(details_of(change))
