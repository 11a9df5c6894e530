"""A plan as all its outputs show it: changes, notes and sentences, built once and printed as text,
Markdown, HTML or annotations.

Every text in a view has its control characters made visible. What the output format obeys is for
the printer to escape.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stemctl.core.plan import PERMISSIONS, WAITING, Action, Change, Held, Plan
from stemctl.core.records import Location
from stemctl.render.field_view import FieldRow, differs_from_proposal, field_rows
from stemctl.render.model_words import ModelWords
from stemctl.render.plan_summary import (
    offline_sentences,
    plan_summary,
    remarks,
    split_by_base,
    why_others,
)
from stemctl.util.json_types import Value
from stemctl.util.plural import counted, joined
from stemctl.util.safe_text import visible

FOLD_ABOVE = 5
"""Equal changes are folded once there are more than this many."""

SYMBOLS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.DELETE: "-",
    Action.ADOPT: "=",
    Action.FORGET: ".",
}


class Group(enum.Enum):
    """What a change is for its reader; the value is a heading. The riskiest come first."""

    DESTROYS = "Deletes and overwrites"
    DECIDE = "Held, waiting for your decision"
    UPDATE = "Updates"
    ADOPT = "Adoptions"
    CREATE = "Creates"
    FORGET = "Forgotten, nothing is sent"
    WAITS = "Waiting for others"


class ChangeView(NamedTuple):
    """One change, or equal changes as one.

    `title` is its address, or how many changes there are; `more` names some of these. `why` is the
    reason, and why it is held. `is_brief` says that short outputs leave the fields out.
    """

    symbol: str
    title: str
    action: Action
    group: Group
    why: str
    held: str
    location: str
    details: tuple[str, ...]
    fields: tuple[FieldRow, ...]
    is_brief: bool
    more: str = ""
    records: int = 1


@dataclass(frozen=True, slots=True)
class NoteView:
    """Something to know that sends nothing; without a title it is about no record."""

    title: str
    text: str
    location: str


@dataclass(frozen=True, slots=True)
class PlanView:
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
    """The view of a plan; with `folds`, equal changes are shown as one."""
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
        notes=_notes(plan),
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
    """Changes in their order; equal ones are folded into the first."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        stays_alone = not folds or change.action is Action.CREATE
        key = str(change.address) if stays_alone else _kind(change)
        groups.setdefault(key, []).append(change)
    views: list[ChangeView] = []
    for group in groups.values():
        if len(group) > FOLD_ABOVE:
            views.append(_view_group(group, words))
        else:
            views += [view_change(change, words) for change in group]
    return tuple(views)


def _kind(change: Change) -> str:
    """What equal changes have in common."""
    sends = bool(change.request)
    same = [
        change.address.model,
        change.action,
        change.reason,
        change.held,
        sends,
        _content(change),
    ]
    return json.dumps(same, default=str)


def _content(change: Change) -> Value:
    if change.action in (Action.DELETE, Action.FORGET):
        return None
    return [(f.path, f.before, f.after, f.reason, f.held) for f in change.fields]


def view_change(change: Change, words: ModelWords) -> ChangeView:
    """One change."""
    return ChangeView(
        symbol=symbol_of(change),
        title=visible(str(change.address)),
        action=change.action,
        group=group_of(change),
        why=reason_words(change),
        held=str(change.held or ""),
        location=location_text(change.location),
        details=details_of(change),
        fields=field_rows(change, words.json_fields),
        is_brief=_is_brief(change),
    )


def _is_brief(change: Change) -> bool:
    """Whether the line of a change says enough without its fields."""
    match change.held:
        case None | Held.CONFLICT | Held.REPLACE:
            return False
        case Held.REVERT:
            return change.action is Action.CREATE
        case Held.PENDING:
            return not differs_from_proposal(change)
        case _:
            return True


def _view_group(group: Sequence[Change], words: ModelWords) -> ChangeView:
    """Equal changes as one."""
    first = group[0]
    names = ", ".join(visible(str(change.address)) for change in group[:2])
    title = words.count(first.address.model, len(group))
    if first.held is None:
        title += _what_is_equal(first)
    is_brief = first.held is not None or first.action is Action.DELETE
    return ChangeView(
        symbol=symbol_of(first),
        title=title,
        action=first.action,
        group=group_of(first),
        why=reason_words(first),
        held=str(first.held or ""),
        location=_common_location(group),
        details=(),
        fields=field_rows(first, words.json_fields),
        is_brief=is_brief,
        more=f"{names}, {len(group) - 2:,} more; -v lists them",
        records=len(group),
    )


def _what_is_equal(change: Change) -> str:
    if change.action is Action.UPDATE:
        return ", the same edit in each"
    if change.action is Action.ADOPT:
        return ", the same difference in each" if change.fields else ", no difference"
    return ""


def _common_location(group: Sequence[Change]) -> str:
    """The line of the edit where all share it, as that of a default; else the file, or how many."""
    edits = {f.location for change in group for f in change.fields}
    if len(edits) == 1 and (location := edits.pop()):
        return location_text(location)
    files = sorted({change.location.file for change in group if change.location})
    if not files:
        return ""
    return visible(files[0]) if len(files) == 1 else counted(len(files), "file")


_SENT = {
    Action.CREATE: Group.CREATE,
    Action.UPDATE: Group.UPDATE,
    Action.ADOPT: Group.ADOPT,
    Action.FORGET: Group.FORGET,
}


def group_of(change: Change) -> Group:
    """What a change is for its reader."""
    if change.held is not None:
        return Group.WAITS if _waits(change.held) else Group.DECIDE
    if change.action is Action.DELETE or _overwrites(change):
        return Group.DESTROYS
    return _SENT[change.action]


def _waits(held: Held) -> bool:
    return held in WAITING and held is not Held.REJECTED


def _overwrites(change: Change) -> bool:
    """Whether a change that is sent undoes or replaces what others wrote, or was allowed to."""
    if change.reason in ("drift", "gone_from_server"):
        return True
    return any(f.held in PERMISSIONS for f in change.fields)


def symbol_of(change: Change) -> str:
    """What a change sends, or that it is held for others (`…`) or for the user (`!`)."""
    if change.held is None:
        return SYMBOLS[change.action]
    return "…" if _waits(change.held) else "!"


_REASONS = {"forgotten": "left files", "conflict": ""}


def reason_words(change: Change) -> str:
    """Why the change is there, and why it is held, in the words of the plan document."""
    reason = _REASONS.get(change.reason)
    if reason is None:
        reason = change.reason.replace("_", " ")
    kind = ""
    if change.held:
        kind = f"held: {change.held}"
    elif change.approval and change.request:
        kind = "proposal"
    return ", ".join(word for word in (reason, kind) if word)


def details_of(change: Change) -> tuple[str, ...]:
    """What is to be said of a change beside its fields."""
    if change.held is Held.BLOCKED and change.waits:
        return (f"waits for {joined([visible(str(address)) for address in change.waits])}",)
    return tuple(visible(text) for text in change.detail)


def location_text(location: Location | None) -> str:
    """`records/a.yaml:3`."""
    return f"{visible(location.file)}:{location.line}" if location else ""


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


def _notes(plan: Plan) -> tuple[NoteView, ...]:
    return tuple(
        NoteView(
            title=visible(str(note.address or "")),
            text=visible(note.text),
            location=location_text(note.location),
        )
        for note in plan.notes
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
