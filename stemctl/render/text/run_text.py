"""Runs for people: what broke off, what is on, what there was."""

from __future__ import annotations

from typing import Any

from stemctl.core.documents import outcome_document
from stemctl.core.lease import Lease
from stemctl.core.plan import Action
from stemctl.core.report import Status
from stemctl.core.run import Brief, Run, in_brief
from stemctl.planning.declared import as_declared
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.plan_text import SYMBOLS
from stemctl.render.text.report_text import outcome_row
from stemctl.render.text.uncommitted_text import and_changes, commit_words
from stemctl.schema.catalog import Catalog
from stemctl.util.json_types import Value
from stemctl.util.safe_text import visible

_DONE = (Status.APPLIED, Status.PROPOSED)


def broken_text(run: Run) -> str:
    """A run that broke off, as a command that only reads announces it."""
    if run.lease is not None:
        return f"{_lease_ended(run)}\nThe next apply looks up each of its {_changes(len(run.intents))}, and goes on."
    unanswered = len(run.unanswered())
    lines = [
        f"Run {run.id} broke off: {run.count(*_DONE):,} done, {unanswered:,} sent without an answer, "
        f"{run.not_begun():,} not started."
    ]
    if unanswered:
        what = f"The {unanswered} are" if unanswered > 1 else "It is"
        lines.append(
            f"{what} looked up before anything else is sent; none is sent a second time unseen."
        )
    return "\n".join(lines)


def going_on_text(run: Run) -> str:
    """A run of another process that is still on."""
    return (
        f"Run {run.id} of {run.who} is on at this moment, {len(run.outcomes):,} of {len(run.plan.actionable()):,} done. "
        "What it has not done yet is shown as open."
    )


def elsewhere_text(lease: Lease, where: str) -> str:
    """A run of another machine that is on, or died a moment ago."""
    return (
        f"Run {lease.run} of {visible(lease.owner)} holds the claim on {where} until {lease.until:%H:%M:%SZ}.\n"
        f"Each of its {_changes(lease.changes)} may have been sent by now, and is looked up."
    )


def waiting_text(lease: Lease, where: str) -> str:
    """A run of another machine that an apply waits for."""
    commit = f", commit {lease.commit[:7]}" if lease.commit else ""
    return (
        f"\nWaiting: another run holds the claim on {where}. Nothing was sent yet.\n"
        f"  owner    {visible(lease.owner)}{commit}\n"
        f"  run      {lease.run}, {_changes(lease.changes)}\n"
        f"  lease    until {lease.until:%H:%M:%SZ}, renewed at {lease.renewed:%H:%M:%SZ}"
    )


def _changes(number: int) -> str:
    return f"{number:,} change{'' if number == 1 else 's'}"


def _lease_ended(run: Run) -> str:
    return f"The lease of run {run.id} of {visible(run.who)} ended at {run.lease:%H:%M:%SZ} and was not renewed."


def settling_text(run: Run) -> str:
    """A run that broke off, as the command that takes over from it announces it."""
    if run.lease is not None:
        return f"{_lease_ended(run)}\nSettling it from its claim, {_changes(len(run.intents))}."
    counts: dict[Action, int] = {}
    for change in run.unanswered():
        counts[change.action] = counts.get(change.action, 0) + 1
    done = f"{run.count(*_DONE):,} done, {run.not_begun():,} not started"
    if not counts:
        return f"Taking over from run {run.id}, which broke off: {done}, nothing without an answer."
    what = ", ".join(
        f"{number} {action}{'s' if number > 1 else ''}" for action, number in counts.items()
    )
    return f"Settling run {run.id}, which broke off: {done}; without an answer: {what}."


def runs_text(runs: list[Brief], style: TerminalStyle) -> str:
    """One line for each run, the latest first."""
    if not runs:
        return "No runs yet: nothing was applied from this folder."
    return style.finish(
        [line.rstrip() for line in style.columns([_row(run) for run in runs], indent=0)]
    )


def _row(run: Brief) -> tuple[str, str, str, str]:
    commit = commit_words(run.commit[:7] if run.commit else None, run.uncommitted)
    return (run.id, visible(run.who), visible(commit), how_it_ended(run))


def how_it_ended(run: Brief) -> str:
    """`3 applied, 1 failed`; where it broke off, that too."""
    words = [f"{number:,} {word}" for word, number in run.numbers.items()]
    end = [] if run.ended else ["is on now"] if run.is_on else ["broke off"]
    return ", ".join([*words, *end]) or "nothing was sent"


def run_text(run: Run, style: TerminalStyle) -> str:
    """Who, when, from which commit, and what became of each change."""
    head = [
        ("run", run.id),
        ("who", visible(run.who)),
        ("server", f"{visible(run.plan.server.name)}  {visible(run.plan.server.url)}"),
        ("commit", visible((run.plan.commit or "none") + and_changes(run.plan.uncommitted))),
        ("digest", run.plan.digest),
        ("ended", run.ended or "broke off"),
    ]
    rows = [outcome_row(outcome, style) for outcome in run.outcomes.values()]
    for change in run.unanswered():
        title = f"{SYMBOLS[change.action]} {visible(str(change.address))}"
        sent = "may have been sent" if run.lease else f"sent at {run.intents[change.address].at}"
        rows.append((title, "no answer", sent))
    lines = style.columns(head, indent=0)
    lines += ["", *(row.rstrip() for row in style.columns(rows, indent=2))] if rows else []
    lines += ["", f"{how_it_ended(in_brief(run))}."]
    if any(intent.before for intent in run.intents.values()):
        hint = (f"stemctl runs show {run.id} -o yaml", "the records as they were, as a manifest")
        lines += style.next([hint])
    return style.finish(lines)


def brief_document(run: Brief) -> dict[str, Any]:
    """A run as a list of JSON has it."""
    later = {"uncommitted": list(run.uncommitted)} if run.uncommitted else {}
    numbers = dict(run.numbers)
    return {
        "run": run.id,
        "who": run.who,
        "ended": run.ended,
        "commit": run.commit,
        **later,
        "numbers": numbers,
    }


def run_document(run: Run) -> dict[str, Any]:
    """A run as JSON, with what became of each change and the records as they were."""
    return {
        **brief_document(in_brief(run)),
        "digest": run.plan.digest,
        "unanswered": [str(change.address) for change in run.unanswered()],
        "outcomes": [outcome_document(outcome) for outcome in run.outcomes.values()],
        "before": {str(address): intent.before for address, intent in run.intents.items()},
    }


def as_they_were(run: Run, catalog: Catalog) -> dict[str, list[dict[str, Value]]]:
    """The records that the run changed or deleted, as they were before it: list key to declared
    records.

    What the run changed stands there also where it was empty.
    """
    names = {
        model: {id_: name for name, id_ in known.items()} for model, known in run.plan.names.items()
    }
    found: dict[str, list[dict[str, Value]]] = {}
    for change in run.plan.actionable():
        intent, outcome = run.intents.get(change.address), run.outcomes.get(change.address)
        model = catalog.models.get(change.address.model)
        if model is None or intent is None or intent.before is None:
            continue
        if outcome is not None and outcome.status not in (Status.APPLIED, Status.UNKNOWN):
            continue
        record = as_declared(model, intent.before, names, intent.body)
        key = change.address.key
        if model.identity is None or intent.before.get(model.identity) != key:
            record = {"key": key, **record}
        found.setdefault(model.many, []).append(record)
    return found
