"""Runs: those that broke off, those in progress, and those that ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from stemctl.core.apply_report import Status
from stemctl.core.documents import outcome_document
from stemctl.core.lease import Lease
from stemctl.core.plan import Change
from stemctl.core.run import Brief, Run, in_brief
from stemctl.planning.declared import as_declared
from stemctl.render.change_view import SYMBOLS
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.outcome_text import outcome_row
from stemctl.render.text.uncommitted_text import and_changes, commit_words
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value
from stemctl.util.plural import counted, inflected
from stemctl.util.safe_text import visible

_DONE = (Status.APPLIED, Status.PROPOSED)


def broken_text(run: Run) -> str:
    """A run that broke off, as a command that only reads announces it."""
    if run.lease is not None:
        changes = counted(len(run.intents), "change")
        return f"{_lease_ended(run)}\nThe next apply checks each of its {changes} first."
    unanswered = len(run.unanswered())
    text = f"Run {run.id} broke off: {_progress(run, unanswered)}."
    if not unanswered:
        return text
    requests = inflected(unanswered, "this request", f"these {unanswered:,} requests")
    return f"{text}\nThe next apply checks {requests} first, and sends nothing twice."


def _progress(run: Run, unanswered: int) -> str:
    done = f"{run.count(*_DONE):,} done"
    return f"{done}, {unanswered:,} sent without an answer, {run.not_begun():,} not started"


def going_on_text(run: Run) -> str:
    """A run of another process that has not ended."""
    total = len(run.plan.actionable())
    return (
        f"Run {run.id} of {run.who} is in progress: {len(run.outcomes):,} of {total:,} done. "
        "What it has not done yet is shown as still to do."
    )


def elsewhere_text(lease: Lease, where: str) -> str:
    """A run of another machine that has not ended, or died a moment ago."""
    until = f"{lease.until:%H:%M:%SZ}"
    return (
        f"Run {lease.run} of {visible(lease.owner)} holds the lease on {where} until {until}.\n"
        f"Each of its {counted(lease.changes, 'change')} may have been sent by now, and is checked."
    )


def waiting_text(lease: Lease, where: str) -> str:
    """A run of another machine that an apply waits for."""
    commit = f", commit {lease.commit[:7]}" if lease.commit else ""
    return (
        f"\nWaiting: another run holds the lease on {where}. Nothing was sent yet.\n"
        f"  owner    {visible(lease.owner)}{commit}\n"
        f"  run      {lease.run}, {counted(lease.changes, 'change')}\n"
        f"  lease    until {lease.until:%H:%M:%SZ}, renewed at {lease.renewed:%H:%M:%SZ}"
    )


def _lease_ended(run: Run) -> str:
    lease = f"The lease of run {run.id} of {visible(run.who)}"
    return f"{lease} ended at {run.lease:%H:%M:%SZ} and was not renewed."


def settling_text(run: Run) -> str:
    """A run that broke off, as the command that takes over from it announces it."""
    if run.lease is not None:
        changes = counted(len(run.intents), "change")
        return f"{_lease_ended(run)}\nTaking over, and checking {changes} on the server."
    counts = Counter(str(change.action) for change in run.unanswered())
    done = f"{run.count(*_DONE):,} done, {run.not_begun():,} not started"
    start = f"Taking over from run {run.id}, which broke off: {done}"
    if not counts:
        return f"{start}, no request without an answer."
    what = ", ".join(counted(number, action) for action, number in counts.items())
    return f"{start}. Checking what was sent without an answer: {what}."


def runs_text(runs: list[Brief], style: TerminalStyle) -> str:
    """One line for each run, the latest first."""
    if not runs:
        return "No runs yet: nothing was applied from this folder."
    return style.finish(style.columns([_row(run) for run in runs], indent=0))


def _row(run: Brief) -> tuple[str, str, str, str]:
    commit = commit_words(run.commit[:7] if run.commit else None, run.uncommitted)
    return (run.id, visible(run.who), visible(commit), how_it_ended(run))


def how_it_ended(run: Brief) -> str:
    """`3 applied, 1 failed`; and that it broke off, if it did."""
    words = [f"{number:,} {word}" for word, number in run.numbers.items()]
    if not run.ended:
        words.append("in progress" if run.is_on else "broke off")
    return ", ".join(words) or "nothing was sent"


def run_text(run: Run, style: TerminalStyle) -> str:
    """Who, when, from which commit, and the outcome of each change."""
    head = [
        ("run", run.id),
        ("who", visible(run.who)),
        ("server", f"{visible(run.plan.server.name)}  {visible(run.plan.server.url)}"),
        ("commit", visible((run.plan.commit or "none") + and_changes(run.plan.uncommitted))),
        ("digest", run.plan.digest),
        ("ended", run.ended or "broke off"),
    ]
    rows = [outcome_row(outcome) for outcome in run.outcomes.values()]
    for change in run.unanswered():
        title = f"{SYMBOLS[change.action]} {visible(str(change.address))}"
        sent = "may have been sent" if run.lease else f"sent at {run.intents[change.address].at}"
        rows.append((title, "no answer", sent))
    lines = style.columns(head, indent=0)
    if rows:
        lines += ["", *style.columns(rows, indent=2)]
    lines += ["", f"{how_it_ended(in_brief(run))}."]
    if any(intent.before for intent in run.intents.values()):
        command = f"stemctl runs show {run.id} -o yaml"
        lines += style.next([(command, "prints the records as they were before, as a manifest")])
    return style.finish(lines)


def pruned_text(removed: int, size: int, left: int, shared: str | None) -> str:
    """What `runs prune` removed; `shared` is the branch that has records too."""
    stay = inflected(left, "1 is left", f"{left:,} are left")
    if not removed:
        text = f"Removed nothing: {stay}."
    else:
        text = f"Removed {counted(removed, 'run record')} ({size / 1e6:,.1f} MB); {stay}."
    if shared is None:
        return text
    return f"{text}\nThe records on {shared} stay, since that branch only grows."


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
    """A run as JSON, with the outcome of each change and the records as they were."""
    return {
        **brief_document(in_brief(run)),
        "digest": run.plan.digest,
        "unanswered": [str(change.address) for change in run.unanswered()],
        "outcomes": [outcome_document(outcome) for outcome in run.outcomes.values()],
        "before": {str(address): intent.before for address, intent in run.intents.items()},
    }


def as_they_were(run: Run, catalog: Catalog) -> dict[str, list[tuple[dict[str, Value], str]]]:
    """The records that the run changed or deleted, as they were before it: list key to declared
    records, each with its id.

    A field that the run changed is included even if it was empty.
    """
    found: dict[str, list[tuple[dict[str, Value], str]]] = {}
    for change, model, before, record in _before(run, catalog):
        if model.embedded is not None:
            continue
        key = change.address.key
        if model.identity is None or before.get(model.identity) != key:
            record = {"key": key, **record}
        found.setdefault(model.section, []).append((record, change.id or ""))
    return found


def entries_as_they_were(run: Run, catalog: Catalog) -> dict[str, list[dict[str, Value]]]:
    """The entries of records that the run changed or removed: list key to these records, each with
    its key and entries.
    """
    found: dict[tuple[str, str, str], list[Value]] = {}
    for change, model, _, record in _before(run, catalog):
        parent = catalog.parent_of(model)
        if model.embedded is None or parent is None:
            continue
        record.pop(model.parent or "", None)
        key = change.address.key.rpartition("/")[0]
        found.setdefault((parent.section, key, model.section), []).append(record)
    sections: dict[str, list[dict[str, Value]]] = {}
    for (section, key, inner), entries in found.items():
        sections.setdefault(section, []).append({"key": key, inner: entries})
    return sections


def _before(run: Run, catalog: Catalog) -> Iterator[tuple[Change, Model, Fields, dict[str, Value]]]:
    """Each change of a record that was there, with the record as it was, live and as declared."""
    names = {
        model: {id_: name for name, id_ in known.items()} for model, known in run.plan.names.items()
    }
    for change in run.plan.actionable():
        intent, outcome = run.intents.get(change.address), run.outcomes.get(change.address)
        model = catalog.models.get(change.address.model)
        if model is None or intent is None or intent.before is None:
            continue
        if outcome is not None and outcome.status not in (Status.APPLIED, Status.UNKNOWN):
            continue
        yield change, model, intent.before, as_declared(model, intent.before, names, intent.body)
