"""What changed on the server, as text and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Hashable, Iterator
from typing import Any

from stemctl.core.plan import Target
from stemctl.errors import Hint
from stemctl.planning.drift import Drift, Drifted, Moved
from stemctl.render.change_view import location_text
from stemctl.render.fitting import Item, code, fitted, section
from stemctl.render.fold_view import EXAMPLES, common_file
from stemctl.render.folding import LISTED_UP_TO, first_and_rest, grouped
from stemctl.render.markdown import for_markdown
from stemctl.render.spans import plain
from stemctl.render.terminal import LONGEST_LAST, TerminalStyle
from stemctl.render.text.outcome_text import Block
from stemctl.render.text.plan_text import SEE_ALL
from stemctl.render.text_diff import difference
from stemctl.render.values import element_diff, shown
from stemctl.util.plural import counted, first_few, inflected, joined
from stemctl.util.safe_text import cut, visible

_MOST_NAMED = 3
"""Records that a command to type names one by one."""


def drift_text(drift: Drift, style: TerminalStyle) -> str:
    """The screen below its first line."""
    lines = _unread(drift, style)
    if not drift.looked_at:
        hint: Hint = ("stemctl plan", "compares the files with the server")
        return style.finish([*lines, _summary(drift), *style.next([hint])])
    if not drift.records:
        return style.finish([*lines, _summary(drift)])
    lines.append(f"{_summary(drift)} BrainSTEM does not record who changed them, or when.")
    for block in _blocks(drift, style):
        lines += ["", *block.lines]
    missing = sum(record.missing for record in drift.records)
    changed = len(drift.records) - missing
    lines += ["", f"Drift: {changed:,} changed, {missing:,} not found."]
    first = shlex.quote(str(drift.records[0].address))
    moved = [str(record.address) for record in drift.records if not record.missing]
    words = shlex.join(moved) if len(moved) <= _MOST_NAMED else "--all"
    hints = [
        *([(f"stemctl pull {words}", "writes the server's values to your files")] if moved else []),
        (f"stemctl show {first}", "shows your values and the server's"),
        ("stemctl plan", "shows what apply would do about it"),
    ]
    return style.finish([*lines, *style.next(hints)])


def drift_markdown(
    drift: Drift, style: TerminalStyle, server: Target, max_bytes: int | None = None
) -> str:
    """The same for the summary of a job; with `max_bytes`, what does not fit is counted."""
    style = for_markdown(style)
    items = []
    for block in _blocks(drift, style):
        lines = [line.removeprefix("  ") for line in block.lines]
        items.append(Item("\n".join(lines), block.records))
    unread = [Item(line) for line in _unread(drift, style)]
    sections = [section("Not all read", unread, opened=True)] if unread else []
    sections += [section("Drift", items, opened=True)] if items else []
    where = f"server {code(server.name)} {code(server.url)}, portal {server.portal}"
    head = f"### {_summary(drift)}\n\n{where}\n"
    return fitted(head, sections, max_bytes)


def _unread(drift: Drift, style: TerminalStyle) -> list[str]:
    lines = []
    for model, reason in drift.unread.items():
        records = style.words.count(model, 2).removeprefix("2 ")
        lines.append(f"Not all {records} could be read: {cut(style.cell(reason), LONGEST_LAST)}")
    return lines


def _summary(drift: Drift) -> str:
    if not drift.looked_at:
        return "Nothing was applied from here yet, so there is nothing to compare with."
    if not drift.records:
        verb = inflected(drift.looked_at, "matches", "match")
        return f"No drift: {counted(drift.looked_at, 'record')} {verb} what was applied."
    number = len(drift.records)
    records = counted(drift.looked_at, "record")
    return (
        f"{number:,} of {records} {inflected(number, 'differs', 'differ')} from what was applied."
    )


def _blocks(drift: Drift, style: TerminalStyle) -> Iterator[Block]:
    """Each record, and of many that differ in the same fields the first ones."""
    if style.verbose or len(drift.records) <= LISTED_UP_TO:
        for record in drift.records:
            yield Block(_record(record, drift, style))
        return
    for records in grouped(drift.records, _kind):
        listed, rest = first_and_rest(records)
        for record in listed:
            yield Block(_record(record, drift, style))
        if rest:
            names = first_few([visible(str(record.address)) for record in rest], EXAMPLES)
            title = style.words.count(rest[0].address.model, len(rest), more=True)
            fields = ", ".join(visible(move.path) for move in rest[0].fields) or "not found"
            lines = style.titled(title, common_file(record.location for record in rest))
            yield Block([*lines, *style.below([fields, f"{names}; {SEE_ALL}"])], len(rest))


def _kind(record: Drifted) -> Hashable:
    return record.address.model, record.missing, tuple(move.path for move in record.fields)


def _record(record: Drifted, drift: Drift, style: TerminalStyle) -> list[str]:
    location = location_text(record.location) or "not in the files"
    lines = style.titled(visible(str(record.address)), location)
    if record.missing:
        seen = drift.totals.get(record.address.model)
        among = ""
        if seen:
            records = style.words.count(record.address.model, seen)
            among = f"not among the {records} visible to you (all were read), "
        lines.append(f"      not found: {among}404 for its id.")
        lines.append("      It was deleted, or it is hidden from your account.")
    return lines + style.wrapped([(visible(move.path), _what(move)) for move in record.fields])


def _what(move: Moved) -> str:
    before, after = move.before, move.after
    if not move.held:
        return f"the server did not keep what was applied: {plain(difference(before, after))}"
    if isinstance(before, list) and isinstance(after, list):
        gains, losses = element_diff(before, after)
        words = []
        if gains:
            words.append(f"{joined(gains)} {inflected(len(gains), 'was', 'were')} added")
        if losses:
            words.append(f"{joined(losses)} {inflected(len(losses), 'was', 'were')} removed")
        return "; ".join(words) or "in another order"
    if before is None:
        return f"{shown(after)} was added"
    if after is None and "." in move.path:
        return f"{shown(before)} was removed"
    return plain(difference(before, after))


def drift_document(drift: Drift) -> dict[str, Any]:
    """The same for programs."""
    return {
        "looked_at": drift.looked_at,
        "unread": dict(drift.unread),
        "records": [
            {
                "address": str(record.address),
                "id": record.id,
                "missing": record.missing,
                "file": record.location.file if record.location else None,
                "line": record.location.line if record.location else None,
                "fields": [_move(move) for move in record.fields],
            }
            for record in drift.records
        ],
    }


def _move(move: Moved) -> dict[str, Any]:
    found = {"path": move.path, "before": move.before, "after": move.after}
    return found if move.held else {**found, "never_held": True}
