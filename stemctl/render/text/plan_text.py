"""A plan as text: what is sent first, then what sends nothing, then what needs a decision, numbers,
what to type.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence

from stemctl.core.diagnostics import Severity
from stemctl.core.plan import (
    NOT_HELD,
    PERMISSIONS,
    WAITING,
    Action,
    Change,
    FieldChange,
    Held,
    Plan,
    Target,
)
from stemctl.errors import Hint
from stemctl.render.basis import count_others, offline_sentences, split_by_base, why_others
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.field_lines import field_lines
from stemctl.render.values import LONG, shown
from stemctl.util.json_types import Value
from stemctl.util.plural import joined
from stemctl.util.safe_text import visible

FOLD_ABOVE = 5
"""Equal changes are folded once there are more than this many."""

_PLAIN = re.compile(r"\w[\w/. -]*(?<! )")
"""Text that YAML takes without quotes, wherever it stands."""

SYMBOLS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.DELETE: "-",
    Action.ADOPT: "=",
    Action.FORGET: ".",
}
_ORDER = [Action.CREATE, Action.ADOPT, Action.UPDATE, Action.DELETE]


def plan_text(
    plan: Plan, style: TerminalStyle, advise: bool = True, saved_as: str | None = None
) -> str:
    """The whole screen, below its first lines (see `where_line`); without what to type next unless
    `advise`.

    `saved_as` is the file that the plan was kept in.
    """
    own, others = split_by_base(plan)
    lines = style.sentences(offline_sentences(plan))
    lines += _settled(plan, style)
    lines += _legend(plan.actionable(), style)
    lines += _going(own, style)
    if plan.base and not own.changes:
        lines += ["", f"Nothing comes from the difference to {visible(plan.base.ref)}."]
    lines += _notes(plan, style)
    lines += held_lines(own, style)
    lines += _others(others, style)
    lines += summary_lines(plan)
    lines += _not_from_here(plan)
    lines += _left_out(plan)
    if advise and saved_as and not plan.offline:
        hint = (
            f"stemctl apply {saved_as}",
            "carries out exactly this plan, once, without a question",
        )
        lines += style.next([hint] if plan.actionable() or plan.state_changes else [])
    elif advise:
        lines += style.next(next_hints(plan, style)) + _to_write(plan, style)
    return style.finish(lines)


def where_line(server: Target, database: str | None = None) -> str:
    """The first line of every screen: which server, at which URL, through which portal, in which
    edition.
    """
    url = f"{server.url} ({database})" if database else server.url
    return visible(f"{server.name}  {url}  portal {server.portal}  edition {server.edition}")


def _settled(plan: Plan, style: TerminalStyle) -> list[str]:
    """What was found out about requests whose answer was lost; many of one kind are counted."""
    counts = Counter((s.found, s.then) for s in plan.settled)
    many = {kind for kind, number in counts.items() if number > FOLD_ABOVE and not style.verbose}
    cells = [
        (visible(str(s.address)), s.found, s.then)
        for s in plan.settled
        if (s.found, s.then) not in many
    ]
    cells += [(f"{counts[kind]:,} records", *kind) for kind in counts if kind in many]
    rows = style.columns(cells, indent=2)
    return (
        ["", style.paint("bold", "Sent before, without an answer"), *(row.rstrip() for row in rows)]
        if rows
        else []
    )


def _legend(actionable: Sequence[Change], style: TerminalStyle) -> list[str]:
    lines = []
    if any(c.approval for c in actionable):
        lines.append(
            "  proposals    become records when an administrator of BrainSTEM accepts them"
        )
    if any(c.action is Action.ADOPT for c in actionable):
        lines.append(
            "  = adopt      the live record is managed from now on; only a field that says so sends something"
        )
    return ["", *lines] if lines else []


def _going(plan: Plan, style: TerminalStyle) -> list[str]:
    """What is carried out: first what is sent, then what is only forgotten."""
    actionable = [c for action in _ORDER for c in plan.actionable() if c.action is action]
    return _changes(actionable, style) + _changes(
        [c for c in plan.actionable() if c.action is Action.FORGET], style
    )


def _others(plan: Plan, style: TerminalStyle) -> list[str]:
    """What the difference to the base does not explain."""
    if plan.base is None or not plan.changes:
        return []
    title = f"Not from the difference to {visible(plan.base.ref)} ({why_others(plan)})"
    return ["", style.paint("bold", title), *_going(plan, style), *held_lines(plan, style)]


def _not_from_here(plan: Plan) -> list[str]:
    """How much of the numbers the difference to the base does not explain."""
    others = count_others(plan)
    if plan.base is None or not others:
        return []
    verb = "is" if others.startswith("1 ") and " and " not in others else "are"
    return [f"Of these, {others} {verb} not from the difference to {visible(plan.base.ref)}."]


def _changes(changes: Sequence[Change], style: TerminalStyle) -> list[str]:
    lines: list[str] = []
    for group in folded(changes, style):
        lines += [
            "",
            *(change_lines(group[0], style) if len(group) == 1 else fold_lines(group, style)),
        ]
    return lines


def folded(changes: Sequence[Change], style: TerminalStyle) -> list[list[Change]]:
    """Groups of equal changes: of a group above the limit all, else each alone; in the order of the
    first.
    """
    groups: dict[str, list[Change]] = {}
    for change in changes:
        alone = change.action is Action.CREATE or style.verbose
        groups.setdefault(str(change.address) if alone else _kind(change), []).append(change)
    return [
        g
        for group in groups.values()
        for g in ([group] if len(group) > FOLD_ABOVE else [[c] for c in group])
    ]


def _kind(change: Change) -> str:
    """What equal changes have in common."""
    sent = bool(change.request)
    same = [change.address.model, change.action, change.reason, change.held, sent, _content(change)]
    return json.dumps(same, default=str)


def _content(change: Change) -> Value:
    if change.action in (Action.DELETE, Action.FORGET):
        return None
    return [(f.path, f.before, f.after, f.reason, f.held) for f in change.fields]


def change_lines(change: Change, style: TerminalStyle) -> list[str]:
    """One change: its line, what is to be said of it, and its fields."""
    symbol = margin_of(change)
    lines = style.headline(symbol, visible(str(change.address)), _right(change))
    lines += [f"      {visible(text)}" for text in change.detail]
    gone = change.held is Held.REVERT and change.action is Action.CREATE
    if change.held is None or (
        change.held in (Held.CONFLICT, Held.REVERT, Held.REPLACE) and not gone
    ):
        lines += field_lines(change, style)
    return lines


def fold_lines(group: Sequence[Change], style: TerminalStyle) -> list[str]:
    """Equal changes as one."""
    first = group[0]
    what = style.count(first.address.model, len(group))
    same = {Action.ADOPT: "no difference", Action.UPDATE: "the same edit in each"}.get(
        first.action, ""
    )
    if first.action is Action.ADOPT and first.fields:
        same = "the same difference in each"
    title = f"{what}, {same}" if same and first.held is None else what
    lines = style.headline(margin_of(first), title, _right(first, _common_place(group)))
    if first.held is None and first.action is not Action.DELETE:
        lines += field_lines(first, style)
    names = ", ".join(visible(str(c.address)) for c in group[:2])
    return [*lines, f"      {names}, {len(group) - 2:,} more; -v lists them"]


def margin_of(change: Change) -> str:
    """The symbol of a change: what it sends, or that it is held for others (`…`) or for the user (`!`)."""
    if change.held is None:
        return SYMBOLS[change.action]
    return "…" if change.held in WAITING and change.held is not Held.REJECTED else "!"


def _common_place(group: Sequence[Change]) -> str:
    """The place of the edit where all share it, as that of a default; else the file, or the files
    counted.
    """
    edits = {f.location for change in group for f in change.fields}
    if len(edits) == 1 and (location := edits.pop()):
        return f"{visible(location.file)}:{location.line}"
    files = sorted({change.location.file for change in group if change.location})
    return visible(files[0]) if len(files) == 1 else f"{len(files)} files" if files else ""


def _right(change: Change, where: str = "") -> str:
    """Reason, why it is held, and where it is written."""
    if change.location and not where:
        where = _location(change)
    return "  ".join(part for part in (reason_words(change), where) if part)


def reason_words(change: Change) -> str:
    """Why the change is there, and why it is held, in the words of the plan document."""
    reason = {"forgotten": "left files", "conflict": ""}.get(
        change.reason, change.reason.replace("_", " ")
    )
    kind = (
        f"held: {change.held}"
        if change.held
        else "proposal"
        if change.approval and change.request
        else ""
    )
    return ", ".join(word for word in (reason, kind) if word)


def _notes(plan: Plan, style: TerminalStyle) -> list[str]:
    lines = [line for block in note_blocks(plan, style) for line in block]
    lines = ["", "Notes, nothing is sent for them", *lines] if lines else []
    if plan.ignored_fields:
        fields = f"{plan.ignored_fields} field{'' if plan.ignored_fields == 1 else 's'}"
        lines += ["", f"Left alone: {fields} by ignore_changes."]
    return lines


def note_blocks(plan: Plan, style: TerminalStyle) -> list[list[str]]:
    """The lines of each note."""
    blocks = []
    for note in plan.notes:
        if note.address is None:
            blocks.append([f"  {visible(note.text)}"])
            continue
        location = f"{visible(note.location.file)}:{note.location.line}" if note.location else ""
        title = visible(str(note.address))
        space = " " * max(2, style.width - 2 - len(title) - len(location))
        blocks.append(
            [f"  {title}{space}{style.paint('dim', location)}", f"      {visible(note.text)}"]
        )
    return blocks


def held_lines(plan: Plan, style: TerminalStyle) -> list[str]:
    """What is held: first what waits for somebody else, in columns, then what waits for the user."""
    waits = [c for c in plan.held() if margin_of(c) == "…"]
    decide = [c for c in plan.held() if margin_of(c) == "!"]
    lines: list[str] = []
    for change, row in zip(
        waits, style.columns([_waiting(c, style) for c in waits], indent=2), strict=True
    ):
        lines.append(row)
        if change.held is Held.PENDING and _differs(change):
            lines += field_lines(change, style)
    body = [*([""] if lines else []), *lines, *_changes(decide, style)]
    return ["", style.paint("bold", "Held, nothing is sent"), *body] if lines or decide else []


def _differs(change: Change) -> bool:
    """Whether what is pending has another content than the files: its fields are those that differ."""
    return change.action is Action.CREATE and any(f.before is not None for f in change.fields)


def _waiting(change: Change, style: TerminalStyle) -> tuple[str, str, str]:
    detail = "; ".join(visible(text) for text in change.detail)
    if change.held is Held.BLOCKED:
        detail = (
            f"waits for {joined([visible(str(address)) for address in change.waits])}"
            if change.waits
            else detail
        )
    return (
        f"{style.paint('yellow', '…')} {visible(str(change.address))}",
        str(change.held),
        detail,
    )


def summary_lines(plan: Plan) -> list[str]:
    """The numbers, or a sentence where nothing is sent and nothing waits for the user."""
    numbers = plan.summary()
    errors = [d for d in plan.diagnostics if d.severity is Severity.ERROR]
    if not plan.needs_attention() and not errors:
        return ["", _calm(plan, numbers)]
    create = f"{numbers['create']} to create"
    proposed = sum(c.approval for c in plan.actionable() if c.action is Action.CREATE)
    words = [f"{create} ({proposed} as a proposal)" if proposed == 1 else create]
    if proposed > 1:
        words = [f"{create} ({proposed} as proposals)"]
    words += [f"{numbers['update']} to update", f"{numbers['delete']} to delete"]
    if numbers["adopt"]:
        fields = sum(len(c.held_fields) for c in plan.actionable() if c.action is Action.ADOPT)
        held = f" ({fields} field{'s' if fields > 1 else ''} of it held)" if fields else ""
        words.append(f"{numbers['adopt']} to adopt{held}")
    for word, tail in (("forget", "to forget"), ("held", "held"), ("unchanged", "unchanged")):
        if numbers[word]:
            words.append(f"{numbers[word]:,} {tail}")
    silent = (
        " Nothing will be sent."
        if plan.actionable() and not any(c.sends for c in plan.actionable())
        else ""
    )
    return ["", f"Plan: {', '.join(words)}.{silent}"]


def _left_out(plan: Plan) -> list[str]:
    """What a subset does not show."""
    subset = plan.subset
    if not (subset.only or subset.exclude):
        return []
    asked = [f"only {joined([visible(word) for word in subset.only])}"] if subset.only else []
    asked += (
        [f"without {joined([visible(word) for word in subset.exclude])}"] if subset.exclude else []
    )
    number = f"{subset.left_out:,} record{' was' if subset.left_out == 1 else 's were'}"
    return [f"A part: {', '.join(asked)}. {number} left out."]


def _calm(plan: Plan, numbers: dict[str, int]) -> str:
    """That nothing is to be sent, and of how many records that says that they are as the files say."""
    otherwise = len({d.address for d in plan.diagnostics if d.code == NOT_HELD})
    agree, where = (
        numbers["unchanged"] - otherwise,
        "in the state" if plan.offline else "on the server",
    )
    parts = [
        f"{agree:,} record{' ' if agree == 1 else 's '}{where} {'is' if agree == 1 else 'are'} as the files say"
    ]
    parts = parts if agree else []
    parts += [f"{otherwise:,} held otherwise by the server"] if otherwise else []
    parts += [f"{numbers['held']} held"] if numbers["held"] else []
    if numbers["held"] or otherwise:
        return f"Nothing to send: {', '.join(parts)}."
    if any(d.code == "incomplete-reading" for d in plan.diagnostics):
        return f"Nothing to send: {', '.join([*parts, 'not all could be read'])}."
    if agree:
        return f"Nothing to do: {'' if agree == 1 else 'all '}{parts[0]}."
    if plan.subset.left_out:
        return "Nothing to do: no record is chosen."
    if any(note.address for note in plan.notes):
        return "Nothing to send: no managed record can be seen."
    return "Nothing to do: the files declare no records, and none is managed."


def next_hints(plan: Plan, style: TerminalStyle) -> list[Hint]:
    """One to three commands that fit what the plan shows."""
    hints: list[Hint] = []
    actionable = plan.actionable()
    again = "stemctl plan --offline" if plan.offline else "stemctl plan"
    if plan.offline:
        hints.append(
            (
                f"stemctl plan{_same_part(plan)}{style.options}",
                "asks the server, and shows what apply sends",
            )
        )
    elif actionable:
        part = _same_part(plan) + style.options
        if any(c.sends for c in actionable):
            hints.append((f"stemctl apply{part}", "shows this again, asks, and sends it"))
            hints.append(
                (f"stemctl plan{part} --out plan.json", "keeps it, to apply exactly this one later")
            )
        elif all(c.action is Action.ADOPT for c in actionable):
            hints.append(
                (f"stemctl apply{part}", f"binds the record{'s' if len(actionable) > 1 else ''}")
            )
        else:
            hints.append((f"stemctl apply{part}", "writes it to the state"))
    conflicts = [c for c in plan.held() if c.held is Held.CONFLICT and c.pending_since is None]
    if conflicts:
        words = " ".join(_typed(str(c.address)) for c in conflicts[:3])
        hints.append(
            (f"stemctl resolve {words}", "the files' values become an edit of the server's")
        )
    if any(c.held is Held.CONFLICT and c.pending_since is not None for c in plan.held()):
        hints.append(("stemctl runs list", "what was sent, when and by whom"))
    asking = {kind: sum(_asks(c, kind) for c in plan.changes) for kind in PERMISSIONS}
    for kind, number in asking.items():
        if number:
            hints.append((f"{again} --allow {kind}={number}", _ALLOWED[kind]))
    if not hints and any(c.held in (Held.PENDING, Held.REJECTED) for c in plan.held()):
        hints.append(("stemctl approvals list", "where the proposals stand"))
    if plan.offline:
        return hints[:3]
    if any(c.held is Held.REJECTED for c in plan.held()):
        hints.append(("stemctl apply --resubmit", "proposes the same again"))
    elif any(c.held is Held.PENDING and _differs(c) for c in plan.held()):
        hints.append(
            (
                "stemctl apply --resubmit",
                "proposes the new text as well; the first cannot be withdrawn",
            )
        )
    return hints[:3]


def _same_part(plan: Plan) -> str:
    """The options that make the same subset again."""
    words = [_typed(word) for word in plan.subset.only]
    words += [f"--exclude {_typed(word)}" for word in plan.subset.exclude]
    return "".join(f" {word}" for word in words)


def _typed(word: str) -> str:
    """A word as a shell takes it."""
    return shlex.quote(visible(word))


_ALLOWED = {
    Held.REVERT: "the plan that undoes what was changed there",
    Held.REPLACE: "the plan that replaces what stands there",
    Held.DELETE: "the plan that deletes them; the ids do not come back",
    Held.CASCADE: "the plan that deletes them with all that hangs on them",
}


def _asks(change: Change, kind: Held) -> bool:
    return change.held is kind or any(f.held is kind for f in change.held_fields)


def _to_write(plan: Plan, style: TerminalStyle) -> list[str]:
    """What can be written into a file to settle what is held."""
    left = [c for c in plan.held() if c.held is Held.DELETE]
    renames = [c for c in plan.held() if c.held is Held.RENAME]
    drifted = [
        (c, f)
        for c in plan.changes
        for f in c.fields
        if f.held is Held.REVERT and c.action is Action.UPDATE
    ]
    lines: list[str] = []
    if drifted:
        lines.append(
            "To keep what the server has, write it in the file; nothing is sent for it then:"
        )
        lines += style.wrapped([(visible(str(c.address)), _to_copy(c, f)) for c, f in drifted[:5]])
    if left:
        names = f"[{', '.join(_yaml(str(c.address)) for c in left[:3])}{', …' if len(left) > 3 else ''}]"
        lines += [
            "To settle it in a pull request, write one of these in any manifest:",
            f"      deleted: {names}    deletes, no other permission needed",
            f"      forget: {names}     keeps it on the server, unmanaged",
        ]
    lines += _moved_entry(renames)
    gone = [c for c in plan.held() if c.held is Held.REVERT and c.action is Action.CREATE]
    if gone:
        lines.append("To accept that it is gone, take it out of its file:")
        lines += [f"      {visible(str(c.address))}    {_location(c)}" for c in gone[:5]]
    sides = [
        (c, f)
        for c in plan.held()
        for f in c.fields
        if c.pending_since is None and f.held is Held.CONFLICT
    ]
    conflicts = [(c, f) for c, f in sides if f.reason == "conflict"]
    if conflicts:
        lines.append("To settle a conflict with the server's value, write it in the file:")
        lines += style.wrapped(
            [(visible(str(c.address)), _to_copy(c, f)) for c, f in conflicts[:5]]
        )
    return lines


def _location(change: Change) -> str:
    return f"{visible(change.location.file)}:{change.location.line}" if change.location else ""


def _to_copy(change: Change, f: FieldChange) -> str:
    """The server's value as a line of a manifest, if it is short."""
    text = (
        json.dumps(f.before, ensure_ascii=False) if isinstance(f.before, list) else shown(f.before)
    )
    name, _, entry = f.path.partition(".")
    if len(text) > LONG:
        return f"its {f.path} as stemctl show {_typed(str(change.address))} prints it"
    if f.before is None:
        return f"without {f.path}"
    return f"{name}: {{{entry}: {text}}}" if entry else f"{name}: {text}"


def _yaml(text: str) -> str:
    """Text as a manifest takes it, in quotes where it needs them."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _moved_entry(renames: Iterable[Change]) -> list[str]:
    lines = []
    for change in renames:
        if change.action is Action.CREATE:
            old = _yaml(str(change.waits[0]))
            lines += [
                "If it is the same record:",
                "      moved:",
                f"        - from: {old}",
                f"          to: {_yaml(str(change.address))}",
                "If it is another one, and the first should go:",
                f"      deleted: [{old}]",
            ]
    return lines
