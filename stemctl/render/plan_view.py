"""A plan as all its outputs show it: changes, notes and sentences, built once and printed as text,
Markdown, HTML or annotations.

Every text in a view has its control characters made visible. What the output format obeys is for
the printer to escape.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from msgspec import Struct

from stemctl.core.plan import Action, Change, Note, Plan
from stemctl.render.change_view import ChangeView, location_text, view_change
from stemctl.render.families import children_below
from stemctl.render.fold_view import EXAMPLES, common_file, view_fold
from stemctl.render.folding import FOLD_ABOVE, first_and_rest, fold_changes, grouped
from stemctl.render.model_words import ModelWords
from stemctl.render.plan_summary import (
    offline_sentences,
    plan_summary,
    remarks,
    split_by_base,
    why_others,
)
from stemctl.util.plural import counted, first_few
from stemctl.util.safe_text import visible


class NoteView(Struct, frozen=True):
    """Something to know that sends nothing; without a title it is about no record, with `examples`
    about many.
    """

    title: str
    text: str
    location: str
    examples: str = ""
    records: int = 1


class PlanView(Struct, frozen=True):
    """The parts of a plan. `others` are the changes that the difference to `base` does not explain;
    `why_others` says where they can come from.
    """

    offline: tuple[str, ...]
    settled: tuple[tuple[str, str, str], ...]
    legend: tuple[tuple[str, str], ...]
    changes: tuple[ChangeView, ...]
    others: tuple[ChangeView, ...]
    why_others: str
    base: str
    notes: tuple[NoteView, ...]
    ignored: str
    findings: tuple[str, ...]
    summary: str
    remarks: tuple[str, ...]


def view_plan(plan: Plan, words: ModelWords, folds: bool) -> PlanView:
    """The view of a plan; with `folds`, changes of one shape are shown as one."""
    own, others = split_by_base(plan)
    base = visible(plan.base.ref) if plan.base else ""
    return PlanView(
        offline=offline_sentences(plan),
        settled=_settled(plan, folds),
        legend=_legend(plan.actionable()),
        changes=view_changes(own.changes, words, folds),
        others=view_changes(others.changes, words, folds) if base else (),
        why_others=why_others(plan),
        base=base,
        notes=_notes(plan, words, folds),
        ignored=_ignored(plan),
        findings=_findings(plan),
        summary=plan_summary(plan),
        remarks=remarks(plan),
    )


def plan_facts(plan: Plan) -> tuple[tuple[str, str], ...]:
    """For which server, from which commit, and the digest that ties an apply to this plan. They are
    no part of the view: the digest of a large plan takes time.
    """
    server = plan.server
    facts = {
        "server": server.name,
        "URL": server.url,
        "portal": server.portal,
        "edition": server.edition,
        "commit": (plan.commit or "")[:12],
        "digest": plan.digest,
    }
    if plan.base:
        facts |= {"base": plan.base.ref, "base commit": plan.base.commit[:12]}
    return tuple((name, visible(value)) for name, value in facts.items() if value)


def view_changes(
    changes: Sequence[Change], words: ModelWords, folds: bool
) -> tuple[ChangeView, ...]:
    """Changes in their order, deletes of children below their parents; with `folds`, many of one
    shape as one.
    """
    changes = children_below(changes, words)
    if not folds:
        return tuple(view_change(change, words) for change in changes)
    views = []
    for fold in fold_changes(changes):
        is_one = len(fold.changes) == 1 and not fold.is_rest
        views.append(view_change(fold.changes[0], words) if is_one else view_fold(fold, words))
    return tuple(views)


def _settled(plan: Plan, folds: bool) -> tuple[tuple[str, str, str], ...]:
    """What was found out about requests whose answer was lost; many of one kind are counted."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for settled in plan.settled:
        kind = (visible(settled.found), visible(settled.then))
        kinds.setdefault(kind, []).append(visible(str(settled.address)))
    rows = []
    for kind, addresses in kinds.items():
        if folds and len(addresses) > FOLD_ABOVE:
            addresses = [counted(len(addresses), "record")]
        rows += [(address, *kind) for address in addresses]
    return tuple(rows)


def _legend(actionable: Sequence[Change]) -> tuple[tuple[str, str], ...]:
    rows = []
    if any(change.approval for change in actionable):
        rows.append(("proposals", "become records once a BrainSTEM administrator accepts them"))
    if any(change.action is Action.ADOPT for change in actionable):
        rows.append(
            ("= adopt", "manages a record that already exists; only the changes shown are sent")
        )
    return tuple(rows)


def _notes(plan: Plan, words: ModelWords, folds: bool) -> tuple[NoteView, ...]:
    """Notes in their order; with `folds`, the same note about many records is shown once."""
    views: list[NoteView] = []
    others: list[Note] = []
    for alike in grouped(plan.notes, _about) if folds else ():
        if len(alike) > FOLD_ABOVE and alike[0].address:
            views.append(_view_notes(alike, words, alike[0].text))
        else:
            others += alike
    listed, rest = first_and_rest(others) if folds else (plan.notes, ())
    views += [_view_note(note) for note in listed]
    for of_model in grouped(rest, lambda note: note.address and note.address.model):
        views.append(_view_notes(of_model, words))
    return tuple(views)


def _about(note: Note) -> Hashable:
    return note.address and note.address.model, note.text


def _view_note(note: Note) -> NoteView:
    return NoteView(
        title=visible(str(note.address or "")),
        text=visible(note.text),
        location=location_text(note.location),
    )


def _view_notes(notes: Sequence[Note], words: ModelWords, text: str = "") -> NoteView:
    """Notes about records of one model as one; without a text, those that are not listed."""
    addresses = [visible(str(note.address)) for note in notes if note.address]
    model = notes[0].address.model if notes[0].address else ""
    return NoteView(
        title=words.count(model, len(notes), more=not text),
        text=visible(text) or "with other notes",
        location=common_file(note.location for note in notes),
        examples=first_few(addresses, EXAMPLES),
        records=len(notes),
    )


def _ignored(plan: Plan) -> str:
    if not plan.ignored_fields:
        return ""
    return f"Ignored because of ignore_changes: {counted(plan.ignored_fields, 'field')}."


def _findings(plan: Plan) -> tuple[str, ...]:
    lines = []
    for finding in plan.diagnostics:
        location = visible(str(finding.location)) if finding.location else ""
        message = f"{finding.severity.value}: {visible(finding.message)}"
        parts = [message, location, visible(finding.remedy)]
        lines.append("  ".join(part for part in parts if part))
    return tuple(lines)
