"""What became of a plan, as text."""

from __future__ import annotations

from collections.abc import Sequence

from stemctl.core.plan import WAITING, Action, Held
from stemctl.core.records import Location
from stemctl.core.report import Outcome, Report, Status
from stemctl.errors import Hint
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.plan_text import SYMBOLS, margin_of, summary_lines
from stemctl.render.values import LONG, shown
from stemctl.util.json_types import Value
from stemctl.util.plural import joined
from stemctl.util.safe_text import visible

UNKNOWN = "Unknown: sent, and nobody knows yet what became of it"

LINES_UP_TO = 40
"""Runs of more changes than this show their failures, and the rest with -v alone."""

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
        lines.append(
            "A proposal is not a record yet: an administrator of BrainSTEM decides. You have nothing to do."
        )
    lines += _ended_early(report)
    lines += _failures(report, style)
    lines += _refusals(report, style)
    lines += _held(report, style)
    lines += _saved(report, state)
    lines += style.next(next_hints(report))
    return style.finish(lines)


def report_last(report: Report, style: TerminalStyle, seconds: float, state: str | None) -> str:
    """The numbers, why it ended early, and where the state is."""
    summary = report_summary(report, seconds) if report.outcomes else summary_lines(report.plan)[1]
    return style.finish([summary, *_ended_early(report), *_saved(report, state)])


def _ended_early(report: Report) -> list[str]:
    left = len(report.of(Status.SKIPPED))
    return (
        ["", f"Ended early, {left:,} not begun: {visible(report.stopped)}"]
        if report.stopped and left
        else []
    )


def _saved(report: Report, state: str | None) -> list[str]:
    if state is None or not report.of(Status.APPLIED, Status.PROPOSED):
        return []
    return ["", f"State saved in {state}, run {report.run}."]


def outcome_row(outcome: Outcome, style: TerminalStyle) -> tuple[str, str, str]:
    """Symbol and address, what became of it, and its id, approval, fields or message."""
    change = outcome.change
    failed = outcome.status not in (Status.APPLIED, Status.PROPOSED)
    word = _DONE[change.action] if outcome.status is Status.APPLIED else str(outcome.status)
    if outcome.status is Status.PROPOSED:
        what = f"approval {outcome.approval}"
    elif failed:
        what = shortened(visible(outcome.message))
    elif change.action is Action.CREATE:
        what = outcome.id or ""
    else:
        what = (
            ", ".join(dict.fromkeys(f.path for f in change.fields if not f.held))
            if change.sends
            else ""
        )
        what = "" if change.action is Action.DELETE else what
    return (f"{SYMBOLS[change.action]} {visible(str(change.address))}", word, what)


def shortened(text: str) -> str:
    """A message as a cell; it stands in full below."""
    return text if len(text) <= LONG else text[: LONG - 1] + "…"


def _outcomes(report: Report, style: TerminalStyle) -> list[str]:
    tried = [o for o in report.outcomes if o.status is not Status.HELD]
    if len(tried) > LINES_UP_TO and not style.verbose:
        tried = [o for o in tried if o.status in (Status.FAILED, Status.UNKNOWN)]
    rows = style.columns([outcome_row(o, style) for o in tried], indent=2)
    return ["", *(row.rstrip() for row in rows)] if rows else []


def report_summary(report: Report, seconds: float) -> str:
    """The numbers of a run in a line."""
    numbers = report.summary()
    words = [
        f"{numbers['created']:,} created",
        f"{numbers['updated']:,} updated",
        f"{numbers['deleted']:,} deleted",
    ]
    patched = sum(
        o.change.sends for o in report.of(Status.APPLIED) if o.change.action is Action.ADOPT
    )
    if numbers["adopted"]:
        words.append(
            f"{numbers['adopted']:,} adopted{f' ({patched} with a PATCH)' if patched else ''}"
        )
    words += [f"{numbers[w]:,} {w}" for w in ("forgotten", "proposed") if numbers[w]]
    words.append(f"{numbers['failed']:,} failed")
    words += [f"{numbers[w]:,} {w}" for w in ("skipped", "unknown", "held") if numbers[w]]
    start = "Interrupted" if report.interrupted else "Applied"
    return f"{start}: {', '.join(words)}, in {seconds:.1f} s."


def _failures(report: Report, style: TerminalStyle) -> list[str]:
    failed = _told("Failed", report.of(Status.FAILED), style)
    return failed + _told(UNKNOWN, report.of(Status.UNKNOWN), style)


def _told(title: str, outcomes: Sequence[Outcome], style: TerminalStyle) -> list[str]:
    lines = [line for outcome in outcomes for line in failure_lines(outcome, style)]
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
        location = next(
            (f.location for f in outcome.change.fields if f.path == name and f.location), location
        )
    return location


def _refusals(report: Report, style: TerminalStyle) -> list[str]:
    lines = [
        line
        for outcome in report.outcomes
        if outcome.refused
        for line in refusal_lines(outcome, style)
    ]
    return (
        ["", style.paint("bold", "The server holds other values than were sent"), *lines]
        if lines
        else []
    )


def refusal_lines(outcome: Outcome, style: TerminalStyle) -> list[str]:
    """What the server answered without holding it."""
    location = outcome.change.location
    right = f"{visible(location.file)}:{location.line}" if location else ""
    lines = style.headline("!", visible(str(outcome.change.address)), right)
    lines += style.columns(
        [(name, _instead(outcome, name, value)) for name, value in outcome.refused.items()]
    )
    return [
        *lines,
        "      It is not sent again. Write what the server holds, or ask who runs the server.",
    ]


def _instead(outcome: Outcome, name: str, sent: Value) -> str:
    """What the server holds in place of what was sent."""
    if name in outcome.observed:
        return f"sent {shown(sent)}; the server holds {shown(outcome.observed[name])}"
    return f"sent {shown(sent)}; the server's answer does not show it"


def _held(report: Report, style: TerminalStyle) -> list[str]:
    rows = style.columns(held_rows(report), indent=2)
    return (
        ["", style.paint("bold", "Held, nothing was sent"), *(row.rstrip() for row in rows)]
        if rows
        else []
    )


def held_rows(report: Report) -> list[tuple[str, str, str]]:
    """What was not sent: symbol and address, the kind, and why."""
    rows = []
    for outcome in report.of(Status.HELD):
        change = outcome.change
        why = "; ".join(visible(text) for text in change.detail)
        if change.held is Held.BLOCKED:
            why = (
                f"waits for {joined([visible(str(address)) for address in change.waits])}"
                if change.waits
                else why
            )
        elif change.held is Held.DELETE:
            why = "not in the files any more"
        elif change.pending_since is not None:
            why = "sent without an answer; what is there now may be somebody else's"
        elif change.held is Held.CONFLICT:
            why = f"{joined([f.path for f in change.fields if f.reason == 'conflict'])}: changed on both sides"
        elif change.held is Held.REVERT and change.fields and change.action is Action.UPDATE:
            f = change.fields[0]
            why = f"{f.path}: server {shown(f.before)}, files {shown(f.after)}"
        rows.append((f"{margin_of(change)} {visible(str(change.address))}", str(change.held), why))
    for outcome in report.of(Status.APPLIED, Status.PROPOSED):
        for f in outcome.change.held_fields:
            rows.append(
                (
                    f"! {visible(str(outcome.change.address))}",
                    str(f.held),
                    f"{f.path}: the server's stays",
                )
            )
    return rows


def next_hints(report: Report) -> list[Hint]:
    """One to three commands that fit what happened."""
    held = {o.change.held for o in report.of(Status.HELD)}
    hints: list[Hint] = []
    if report.interrupted:
        hints.append(
            ("stemctl apply", f"goes on with the remaining {len(report.of(Status.SKIPPED))}")
        )
    elif report.of(Status.UNKNOWN):
        hints.append(("stemctl plan", "looks again for what had no answer"))
    elif report.of(Status.FAILED):
        hints.append(("stemctl plan", "what is left to do, after mending what failed"))
    if held - WAITING and not report.of(Status.FAILED, Status.UNKNOWN):
        hints.append(("stemctl plan", "each held change in full, with what to write"))
    if Held.DELETE in held:
        number = sum(o.change.held is Held.DELETE for o in report.outcomes)
        hints.append(
            (
                f"stemctl apply --auto-approve --allow delete={number}",
                "deletes; the ids do not come back",
            )
        )
    if not hints and report.of(Status.PROPOSED):
        hints.append(("stemctl approvals list", "where the proposals stand"))
    return hints[:3]
