"""What can be done about a plan or a report: commands to type, and lines to write into files.

Commands are a table: when it applies, the command, and what the command does. The first three that
apply are shown.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence

from stemctl.core.address_patterns import escaped
from stemctl.core.apply_report import Report, Status
from stemctl.core.plan import PERMISSIONS, Action, Change, FieldChange, Held, Plan
from stemctl.core.records import Address
from stemctl.errors import Hint
from stemctl.manifests.written import flow_text, is_exact
from stemctl.render.change_view import location_text
from stemctl.render.field_view import differs_from_proposal
from stemctl.render.terminal import TerminalStyle
from stemctl.render.values import LONG
from stemctl.render.width import columns_of
from stemctl.util.plural import inflected
from stemctl.util.safe_text import visible

MOST_HINTS = 3
_EXAMPLES = 5
"""Records for which the lines to write are shown."""

_MOST_NAMED = 3
"""Records that a command names."""

_Row = tuple[bool, str, str]
"""Whether a command helps, the command, and what it does."""

_ALLOWED = {
    Held.REVERT: "plans to undo the changes made on the server",
    Held.REPLACE: "plans to replace the server's values",
    Held.DELETE: "plans the deletes; deleted ids cannot be restored",
    Held.CASCADE: "plans the deletes, with all records that depend on them",
}


def next_hints(plan: Plan, options: str) -> list[Hint]:
    """The commands that fit a plan; `options` are those that plan and apply were called with."""
    rows = [
        *(_offline_commands(plan, options) if plan.offline else _apply_commands(plan, options)),
        *([] if plan.offline else _pull_commands(plan)),
        *_conflict_commands(plan),
        *_permission_commands(plan, options),
        (
            _renames(plan) != [],
            f"stemctl plan{_same_part(plan)}{options}",
            "plans again, after you add one of these to a manifest",
        ),
    ]
    hints = _chosen(rows)
    return _chosen([*rows, *_proposal_commands(plan, options, bool(hints))])


def saved_hints(plan: Plan, saved_as: str) -> list[Hint]:
    """The command that fits a plan which was kept in a file."""
    is_work = bool(plan.actionable() or plan.state_changes)
    command = f"stemctl apply {_typed(saved_as)}"
    return _chosen([(is_work, command, "applies exactly this plan, once, without asking")])


def report_hints(report: Report) -> list[Hint]:
    """The commands that fit the outcome of a plan."""
    held = {outcome.change.held for outcome in report.of(Status.HELD)}
    skipped, failed = len(report.of(Status.SKIPPED)), bool(report.of(Status.FAILED))
    unknown, proposed = bool(report.of(Status.UNKNOWN)), bool(report.of(Status.PROPOSED))
    deletes = sum(outcome.change.held is Held.DELETE for outcome in report.outcomes)
    is_on = not report.interrupted
    decide = any(not o.change.waits_for_others for o in report.of(Status.HELD))
    decide = decide and not failed and not unknown
    part = _same_part(report.plan)
    apply, plan = f"stemctl apply{part}", f"stemctl plan{part}"
    allow = f"{apply} --auto-approve --allow delete={deletes}"
    hints = _chosen(
        [
            (report.interrupted, apply, f"continues with the remaining {skipped:,}"),
            (is_on and unknown, plan, "checks the requests that got no answer"),
            (
                is_on and failed and not unknown,
                plan,
                "shows what is left to do, once you have fixed what failed",
            ),
            (decide, plan, "shows each held change in full, and how to resolve it"),
            (Held.DELETE in held, allow, "deletes them; deleted ids cannot be restored"),
        ]
    )
    if hints:
        return hints
    return _chosen([(proposed, "stemctl approvals list", "shows the status of your proposals")])


def _chosen(rows: Iterable[_Row]) -> list[Hint]:
    hints = [(command, what) for helps, command, what in rows if helps]
    return hints[:MOST_HINTS]


def _offline_commands(plan: Plan, options: str) -> list[_Row]:
    command = f"stemctl plan{_same_part(plan)}{options}"
    return [(True, command, "compares with the server, and shows what apply would send")]


def _apply_commands(plan: Plan, options: str) -> list[_Row]:
    actionable = plan.actionable()
    sends = any(change.sends for change in actionable)
    is_quiet = bool(actionable) and not sends
    adopts = all(change.action is Action.ADOPT for change in actionable)
    part = _same_part(plan) + options
    apply, keep = f"stemctl apply{part}", f"stemctl plan{part} --out plan.json"
    records = inflected(len(actionable), "this record", "these records")
    return [
        (sends, apply, "shows this plan, asks you to confirm, and sends it"),
        (
            sends and not any(helps for helps, *_ in _pull_commands(plan)),
            keep,
            "saves exactly this plan, to apply it later",
        ),
        (is_quiet and adopts, apply, f"starts managing {records}"),
        (is_quiet and not adopts, apply, "updates the state"),
    ]


def _pull_commands(plan: Plan) -> list[_Row]:
    """What takes the server's values: it comes before what overwrites them."""
    drifted = [
        change
        for change in plan.changes
        if change.action is Action.UPDATE and _asks(change, Held.REVERT)
    ]
    conflicts = [change for change in plan.held() if _in_conflict(change)]
    return [
        (
            bool(drifted),
            f"stemctl pull {_first(drifted)}",
            "writes the server's values to your files",
        ),
        (
            bool(conflicts),
            f"stemctl pull --theirs {_first(conflicts)}",
            "takes the server's values, also where you edited yours",
        ),
    ]


def _first(changes: Sequence[Change]) -> str:
    """The first records, as a command takes them."""
    return " ".join(_typed(str(change.address)) for change in changes[:_MOST_NAMED])


def _conflict_commands(plan: Plan) -> list[_Row]:
    held = [change for change in plan.held() if change.held is Held.CONFLICT]
    conflicts = [change for change in held if change.pending_since is None]
    addresses = _first(conflicts)
    return [
        (
            bool(conflicts),
            f"stemctl resolve --keep files {addresses}",
            "keeps your values; the next apply overwrites the server's",
        ),
        (
            len(held) > len(conflicts),
            "stemctl runs list",
            "shows what was sent, when, and by whom",
        ),
    ]


def _permission_commands(plan: Plan, options: str) -> list[_Row]:
    again = f"stemctl plan{_same_part(plan)}{' --offline' if plan.offline else ''}"
    rows = []
    for kind in PERMISSIONS:
        number = sum(_asks(change, kind) for change in plan.changes)
        others = re.sub(f" --allow {kind}=[0-9]+", "", options)
        rows.append((number > 0, f"{again}{others} --allow {kind}={number}", _ALLOWED[kind]))
    return rows


def _proposal_commands(plan: Plan, options: str, has_others: bool) -> list[_Row]:
    rejected = any(change.held is Held.REJECTED for change in plan.held())
    pending = [change for change in plan.held() if change.held is Held.PENDING and change.approval]
    differs = any(differs_from_proposal(change) for change in pending)
    kept = options.replace(" --resubmit", "")
    resubmit = f"stemctl apply{_same_part(plan)}{kept} --resubmit"
    return [
        (
            not has_others and (rejected or bool(pending)),
            "stemctl approvals list",
            "shows the status of your proposals",
        ),
        (not plan.offline and rejected, resubmit, "proposes it again"),
        (
            not plan.offline and differs and not rejected,
            resubmit,
            "proposes your new text as well; the first proposal cannot be withdrawn",
        ),
    ]


def _same_part(plan: Plan) -> str:
    """The options that make the same subset again."""
    words = [_typed(word) for word in plan.subset.only]
    words += [f"--exclude {_typed(word)}" for word in plan.subset.exclude]
    return "".join(f" {word}" for word in words)


def _typed(word: str) -> str:
    """A word as a shell takes it."""
    return shlex.quote(visible(word))


def _asks(change: Change, kind: Held) -> bool:
    return change.held is kind or any(field.held is kind for field in change.held_fields)


def lines_to_write(plan: Plan, style: TerminalStyle) -> list[str]:
    """What can be written into a file to settle what is held."""
    return [
        *_to_delete([change for change in plan.held() if change.held is Held.DELETE], style),
        *_to_rename(_renames(plan)),
        *_to_give_up(plan),
    ]


def _in_conflict(change: Change) -> list[FieldChange]:
    """The fields that differ on both sides."""
    if change.pending_since is not None:
        return []
    fields = change.fields
    return [field for field in fields if field.held is Held.CONFLICT and field.reason == "conflict"]


def values_to_keep(changes: Sequence[Change], style: TerminalStyle) -> list[str]:
    """The server's values of all fields in conflict, as lines of a manifest."""
    rows = [
        (
            f"{visible(str(change.address))}  {location_text(change.location)}",
            _value_to_copy(change, field),
        )
        for change in changes
        for field in _in_conflict(change)
    ]
    return style.wrapped(rows)


def _value_to_copy(change: Change, field: FieldChange) -> str:
    """The server's value as a line of a manifest, if it is short."""
    value = field.before
    text = flow_text(value)
    name, _, entry = field.path.partition(".")
    if len(text) > LONG:
        return f"its {field.path} as stemctl show {_typed(str(change.address))} prints it"
    if value is None:
        return f"without {field.path}"
    if not is_exact(value):
        return f"without {field.path}: YAML cannot hold this number exactly"
    return f"{name}: {{{flow_text(entry)}: {text}}}" if entry else f"{name}: {text}"


_MOST_ENTRIES = 10
"""Addresses that a line to be copied may have."""


def _to_delete(left: Sequence[Change], style: TerminalStyle) -> list[str]:
    if not left:
        return []
    if len(left) > _MOST_ENTRIES:
        return [
            "To decide in a pull request, list their addresses in any manifest: under deleted: to",
            "delete them, or under forget: to keep them on the server, but no longer managed.",
        ]
    names = f"[{', '.join(_entry(change.address) for change in left)}]"
    pronoun = inflected(len(left), "it", "them")
    rows = [
        (f"deleted: {names}", f"deletes {pronoun}; --allow is not needed"),
        (f"forget: {names}", f"keeps {pronoun} on the server, but no longer managed"),
    ]
    lines = [f"      {line:<{len(rows[0][0])}}    {what}" for line, what in rows]
    if style.wraps and max(map(columns_of, lines)) > style.width:
        lines = [text for line, what in rows for text in (f"      {line}", f"          {what}")]
    return ["To decide in a pull request, add one of these lines to any manifest:", *lines]


def _to_rename(renames: Iterable[Change]) -> list[str]:
    lines = []
    for change in renames:
        old = _entry(change.waits[0])
        lines += [
            "If it is the same record:",
            "      moved:",
            f"        - from: {old}",
            f"          to: {_entry(change.address)}",
            "If it is another record, and the old one should be deleted:",
            f"      deleted: [{old}]",
        ]
    return lines


def _renames(plan: Plan) -> list[Change]:
    """The new addresses of records that may have been renamed."""
    held = [change for change in plan.held() if change.held is Held.RENAME]
    return [change for change in held if change.action is Action.CREATE]


def _to_give_up(plan: Plan) -> list[str]:
    gone = [change for change in plan.held() if _is_gone(change)]
    if not gone:
        return []
    lines = ["To accept that it is gone, remove it from its file:"]
    for change in gone[:_EXAMPLES]:
        lines.append(f"      {visible(str(change.address))}    {location_text(change.location)}")
    return lines


def _is_gone(change: Change) -> bool:
    return change.held is Held.REVERT and change.action is Action.CREATE


def _entry(address: Address) -> str:
    """A record as an entry of `moved`, `forget` or `deleted`."""
    return flow_text(escaped(str(address)))
