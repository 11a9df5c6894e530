"""One line per changed field: what is there, what comes, and who did what."""

from __future__ import annotations

from collections.abc import Iterator

from stemctl.core.plan import Action, Change, FieldChange, Held
from stemctl.render.terminal import TerminalStyle
from stemctl.render.values import difference, element_diff, shown, word_diff
from stemctl.util.plural import joined

Row = tuple[str, str]


def field_lines(change: Change, style: TerminalStyle) -> list[str]:
    """The lines below a change's own line, names in one column."""
    rows = [row for f in change.fields for row in _rows(change, f)]
    return style.wrapped(rows)


def _rows(change: Change, f: FieldChange) -> Iterator[Row]:
    if change.held is Held.CONFLICT:
        yield from _conflict(change, f)
    elif change.held is Held.PENDING:
        yield (f.path, f"proposed: {shown(f.before)}; files: {shown(f.after)}")
    elif change.action is Action.CREATE:
        yield (f.path, shown(f.after))
    elif change.action is Action.DELETE:
        yield (f.path, shown(f.before))
    elif f.reason == "accepted":
        yield (f.path, f"the reviewer wrote: {_reviewed(f)}")
    elif f.held is Held.REPLACE:
        yield (f.path, "held: replace, the server's stays")
        yield ("", f"server   {shown(f.before) if f.shown else '(not shown by the server)'}")
        yield ("", f"files    {shown(f.after)}")
    elif f.held is Held.REVERT:
        yield (
            f.path,
            _drifted(f) if change.held else f"held: revert, the server's stays; {_drifted(f)}",
        )
    else:
        yield (f.path, _edited(change, f))


def _conflict(change: Change, f: FieldChange) -> Iterator[Row]:
    if f.reason == "conflict":
        yield (f.path, "")
        yield ("  sent" if change.pending_since else "  base", shown(f.base))
        yield ("  files", shown(f.after))
        yield ("  server", shown(f.before))
    elif isinstance(f.before, list) and isinstance(f.after, list):
        yield (f.path, f"files {_gains_and_losses(f, 'added', 'took out')}; waits for the above")
    else:
        yield (f.path, f"files have {shown(f.after)}; waits for the above")


def _reviewed(f: FieldChange) -> str:
    if isinstance(f.before, str) and isinstance(f.after, str) and " " in f.after:
        return word_diff(f.before, f.after)
    return shown(f.after)


def _drifted(f: FieldChange) -> str:
    """What the server did to what was applied, and what apply would do about it."""
    if isinstance(f.before, list) and isinstance(f.after, list):
        back, out = element_diff(f.before, f.after)
        did = [f"took out {joined(back)}"] if back else []
        does = ["puts back " + joined(back)] if back else []
        if out:
            did, does = [*did, f"put back {joined(out)}"], [*does, f"takes out {joined(out)}"]
        return f"server {joined(did)}; allowed, apply {joined(does)}"
    if (
        isinstance(f.before, str)
        and isinstance(f.after, str)
        and max(len(f.before), len(f.after)) > 60
    ):
        return f"server has {word_diff(f.after, f.before)}; allowed, apply undoes that"
    if f.before is None:
        return f"server took it out; allowed, apply puts back {shown(f.after)}"
    return f"server has {shown(f.before)}; allowed, apply puts back {shown(f.after)}"


def _edited(change: Change, f: FieldChange) -> str:
    """An edit, a fill or an allowed replacement that is sent."""
    if isinstance(f.before, list) and isinstance(f.after, list):
        stays = _others(change, f)
        fate = (
            f"; {joined(stays)}, added on the server, {'stay' if len(stays) > 1 else 'stays'}"
            if stays
            else ""
        )
        return f"apply {_gains_and_losses(f, 'adds', 'takes out')}{fate}"
    if not f.shown:
        return f"{shown(f.after)} (what the server has is not shown)"
    if "." in f.path and f.before is None:
        return f"apply adds {shown(f.after)}"
    if "." in f.path and f.after is None:
        return f"apply takes it out, it was {shown(f.before)}"
    if change.action is Action.ADOPT and f.before in (None, "", [], {}):
        return f"server has none; apply fills in {shown(f.after)}"
    return difference(f.before, f.after)


def _gains_and_losses(f: FieldChange, gain: str, loss: str) -> str:
    gains, losses = element_diff(f.before or [], f.after or [])
    words = [f"{gain} {joined(gains)}"] if gains else []
    words += [f"{loss} {joined(losses)}"] if losses else []
    return joined(words, "and") or "changes an element"


def _others(change: Change, f: FieldChange) -> list[str]:
    """The elements that stay although the files do not name them: somebody else's."""
    ours = change.declared.get(f.path)
    if not isinstance(ours, list):
        return []
    return [
        shown(item)
        for item in f.before or []
        if item in f.after and item not in ours and isinstance(item, str)
    ]
