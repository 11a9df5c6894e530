"""What is shown of each changed field: what is there, what comes, and who did what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from stemctl.core.plan import Action, Change, FieldChange, Held
from stemctl.render.json_leaves import Leaf, differing_leaves
from stemctl.render.spans import Mark, Span, Spans, new, spans
from stemctl.render.text_diff import (
    difference,
    has_lines,
    how_they_differ,
    is_long_text,
    line_difference,
    lines_of,
    marked_words,
)
from stemctl.render.values import element_diff, is_empty, is_removal, quoted, shown
from stemctl.util.json_types import Value
from stemctl.util.plural import counted, joined
from stemctl.util.safe_text import visible

LEAVES_SHOWN = 20
"""Differences inside one JSON value that are listed; the others are counted."""


class FieldRow(NamedTuple):
    """A line of a change. Without a name, it continues the row above."""

    name: str
    spans: Spans


def field_rows(change: Change, json_fields: frozenset[str] = frozenset()) -> tuple[FieldRow, ...]:
    """The rows of a change; `json_fields` names the fields that hold any JSON (`session.links`)."""
    rows: list[FieldRow] = []
    for field in change.fields:
        is_json = json_fields and f"{change.address.model}.{field.path}" in json_fields
        found = _json_rows(change, field) if is_json else _rows(change, field)
        rows += [FieldRow(visible(name), parts) for name, parts in found]
    return tuple(rows)


def differs_from_proposal(change: Change) -> bool:
    """Whether a record that is proposed has other content in the files: its fields are those that
    differ.
    """
    if change.action is not Action.CREATE:
        return False
    return any(field.before is not None for field in change.fields)


_Rows = Iterator[tuple[str, Spans]]


def _json_rows(change: Change, field: FieldChange) -> _Rows:
    """A row for each leaf that differs, where the values have leaves."""
    if field.reason == "conflict":
        yield from _json_conflict(change, field)
        return
    leaves = differing_leaves(field.path, field.before, field.after)
    if not leaves or not field.shown:
        yield from _rows(change, field)
        return
    if field.held is Held.REPLACE:
        yield field.path, spans(_STAYS)
    for leaf in leaves[:LEAVES_SHOWN]:
        yield leaf.path, _leaf(change, field, leaf)
    if len(leaves) > LEAVES_SHOWN:
        yield field.path, spans(_more(len(leaves)))


def _leaf(change: Change, field: FieldChange, leaf: Leaf) -> Spans:
    if change.held is Held.CONFLICT:
        return spans("files have ", _side(leaf.after, leaf.removed), _WAITS)
    if change.held is Held.PENDING:
        proposed, files = _side(leaf.before, leaf.added), _side(leaf.after, leaf.removed)
        return spans("proposed: ", proposed, "; files: ", files)
    if field.reason == "accepted":
        return spans("the reviewer wrote: ", *_leaf_difference(leaf))
    if field.held is Held.REPLACE:
        server, files = _side(leaf.before, leaf.added), _side(leaf.after, leaf.removed)
        return spans("server: ", server, "; files: ", files)
    if field.held is Held.REVERT:
        return _reverted(change, leaf, _json)
    return _leaf_difference(leaf)


def _leaf_difference(leaf: Leaf) -> Spans:
    if leaf.added:
        return spans("apply adds ", _new(leaf.after))
    if leaf.removed:
        return spans("apply removes it (was ", _old(leaf.before), ")")
    return _changed(leaf)


def _changed(leaf: Leaf) -> Spans:
    if is_long_text(leaf.before, leaf.after):
        return difference(leaf.before, leaf.after)
    return spans(
        _old(leaf.before), " → ", _new(leaf.after), how_they_differ(leaf.before, leaf.after)
    )


def _old(value: Value) -> Span:
    return Span(_json(value), "old")


def _new(value: Value) -> Span:
    return Span(_json(value), "new")


def _json(value: Value) -> str:
    """A value inside of JSON, where null says something else than nothing."""
    if value is None:
        return "null"
    if isinstance(value, dict) and value:
        return f"{{{shown(value)}}}"
    if isinstance(value, list) and value:
        return f"[{shown(value)}]"
    return quoted(value)


def _json_conflict(change: Change, field: FieldChange) -> _Rows:
    """What each side changed, if there is a base that tells."""
    sides = {
        "  files": differing_leaves("", field.base, field.after),
        "  server": differing_leaves("", field.base, field.before),
    }
    if not all(sides.values()):
        yield from _conflict(change, field)
        return
    yield field.path, ()
    for side, leaves in sides.items():
        for number, leaf in enumerate(leaves[:LEAVES_SHOWN]):
            name = side if number == 0 else ""
            yield name, spans(f"{leaf.path.removeprefix('.')}: ", *_leaf_change(leaf))
        if len(leaves) > LEAVES_SHOWN:
            yield "", spans(_more(len(leaves)))


def _leaf_change(leaf: Leaf) -> Spans:
    if leaf.added:
        return spans("added ", _new(leaf.after))
    if leaf.removed:
        return spans("removed (was ", _old(leaf.before), ")")
    return _changed(leaf)


def _side(value: Value, is_missing: bool) -> str:
    return "nothing" if is_missing else _json(value)


def _more(number: int) -> str:
    return counted(number - LEAVES_SHOWN, "more difference")


_STAYS = "held: replace; the server keeps its value"
_WAITS = "; waits for the conflict above"


def _rows(change: Change, field: FieldChange) -> _Rows:
    if change.held is Held.CONFLICT:
        yield from _conflict(change, field)
    elif change.held is Held.PENDING and differs_from_proposal(change):
        yield field.path, spans(f"proposed: {quoted(field.before)}; files: {quoted(field.after)}")
    elif change.action is Action.CREATE:
        yield from _value(field.path, field.after)
    elif change.action is Action.DELETE:
        yield from _value(field.path, field.before, "old")
    elif field.reason == "accepted":
        yield field.path, spans("the reviewer wrote: ", *_reviewed(field))
    elif field.held is Held.REPLACE:
        yield field.path, spans(_STAYS)
        yield from _replaced(field)
    elif has_lines(field.before, field.after):
        yield from _edited_lines(change, field)
    elif field.held is Held.REVERT:
        yield field.path, _reverted(change, _as_leaf(field), quoted)
    else:
        yield field.path, _edited(change, field)


def _value(name: str, value: Value, mark: Mark | None = None) -> _Rows:
    """A value below its name if it has several lines, else beside it."""
    if has_lines(value):
        yield name, ()
        for line in lines_of(value):
            yield "", line
    else:
        text = shown(value)
        yield name, (Span(text, mark),) if mark else spans(text)


def _replaced(field: FieldChange) -> _Rows:
    if field.shown:
        yield from _value("  server", field.before)
    else:
        yield "  server", spans("(not returned by the server)")
    yield from _value("  files", field.after)


def _edited_lines(change: Change, field: FieldChange) -> _Rows:
    """An edit of a text of several lines, or what the server did to one."""
    what: Spans = ()
    if field.held is Held.REVERT:
        held = "" if change.held else "held: revert; "
        what = spans(f"{held}changed on the server; if allowed, apply restores yours:")
    before, after = field.before, field.after
    rows = []
    if isinstance(before, str) and isinstance(after, str) and before and after:
        rows = line_difference(before, after)
    if not rows:
        yield field.path, what
        yield from _value("  before", before, "old")
        yield from _value("  after", after, "new")
        return
    yield field.path, what or rows.pop(0)
    for row in rows:
        yield "", row


def _as_leaf(field: FieldChange) -> Leaf:
    """A field, or an entry of a map, which may be there on one side alone."""
    is_entry = "." in field.path
    return Leaf(
        field.path,
        field.before,
        field.after,
        added=field.before is None,
        removed=is_entry and (field.after is None or is_removal(field.after)),
    )


def _conflict(change: Change, field: FieldChange) -> _Rows:
    if field.reason == "conflict":
        yield field.path, ()
        yield from _value("  sent" if change.pending_since else "  base", field.base)
        yield from _side_of_conflict("  files", field.base, field.after)
        yield from _side_of_conflict("  server", field.base, field.before)
    elif isinstance(field.before, list) and isinstance(field.after, list):
        edit = _gains_and_losses(field, "added ", "removed ", otherwise="changed the order")
        yield field.path, spans("files ", *edit, _WAITS)
    else:
        yield field.path, spans(f"files have {quoted(field.after)}", _WAITS)


def _side_of_conflict(name: str, base: Value, value: Value) -> _Rows:
    """What one side made of a long text; short ones can be compared as they are."""
    marked = () if has_lines(base, value) else marked_words(base, value)
    if marked and is_long_text(base, value):
        yield name, marked
    else:
        yield from _value(name, value)


def _reviewed(field: FieldChange) -> Spans:
    before, after = field.before, field.after
    return marked_words(before, after) or spans(shown(after))


def _reverted(change: Change, leaf: Leaf, text_of: Callable[[Value], str]) -> Spans:
    """What the server did to what was applied, and what apply would do about it."""
    held = "" if change.held else "held: revert; "
    did, does = _drift(leaf, text_of)
    return spans(held, *did, "; if allowed, apply ", *does)


def _drift(leaf: Leaf, text_of: Callable[[Value], str]) -> tuple[Spans, Spans]:
    before, after = leaf.before, leaf.after
    if isinstance(before, list) and isinstance(after, list):
        return _list_drift(before, after)
    server = Span(text_of(before), "old")
    applied = Span(text_of(after), "new")
    if leaf.added:
        return spans("removed on the server"), spans("restores ", applied)
    if leaf.removed:
        return spans("server has ", server), spans("removes it")
    marked = marked_words(after, before) if is_long_text(before, after) else ()
    if marked:
        return spans("server has ", *marked), spans("reverts that")
    return spans("server has ", server), spans("restores ", applied)


def _list_drift(before: list[Value], after: list[Value]) -> tuple[Spans, Spans]:
    missing, extra = element_diff(before, after)
    did, does = [], []
    if missing:
        did.append(f"removed {joined(missing)}")
        does.append(f"restores {joined(missing)}")
    if extra:
        did.append(f"added {joined(extra)}")
        does.append(f"removes {joined(extra)}")
    if not did:
        return spans("server has another order"), spans("restores yours")
    return spans(f"server {joined(did)}"), spans(joined(does))


def _edited(change: Change, field: FieldChange) -> Spans:
    """An edit, a fill or an allowed replacement that is sent."""
    before, after = field.before, field.after
    if isinstance(before, list) and isinstance(after, list):
        edit = _gains_and_losses(field, "adds ", "removes ", otherwise="changes the order")
        return spans("apply ", *edit, _why_removed(field), _kept(change, field))
    if not field.shown:
        return spans(new(after), " (the server does not return its value)")
    if "." in field.path and before is None:
        return spans("apply adds ", new(after))
    if "." in field.path and (after is None or is_removal(after)):
        removed = Span(quoted(before), "old")
        return spans("apply removes it (was ", removed, ")", _why_removed(field))
    if change.action is Action.ADOPT and is_empty(before):
        return spans("empty on the server; apply sets ", new(after))
    return difference(before, after)


def _gains_and_losses(field: FieldChange, adds: str, removes: str, otherwise: str) -> Spans:
    gains, losses = element_diff(field.before or [], field.after or [])
    words: list[str | Span] = []
    if gains:
        words += [adds, Span(joined(gains), "new")]
    if gains and losses:
        words.append(" and ")
    if losses:
        words += [removes, Span(joined(losses), "old")]
    return spans(*words or [otherwise])


def _why_removed(field: FieldChange) -> str:
    """Why elements are removed, since a field that leaves the files removes nothing."""
    if field.reason != "edited" or is_removal(field.after):
        return ""
    if isinstance(field.after, list) and not element_diff(field.before, field.after)[1]:
        return ""
    return ", no longer in the file"


def _kept(change: Change, field: FieldChange) -> str:
    """The elements that others added: they stay, although the files do not name them."""
    declared = change.declared.get(field.path)
    if not isinstance(declared, list):
        return ""
    theirs = [
        shown(item)
        for item in field.before or []
        if isinstance(item, str) and item in field.after and item not in declared
    ]
    return f"; keeps {joined(theirs)} (added on the server)" if theirs else ""
