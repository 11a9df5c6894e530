"""What changed on the server, as text and as JSON."""

from __future__ import annotations

import shlex
from typing import Any

from stemctl.core.plan import Target
from stemctl.errors import Hint
from stemctl.planning.drift import Drift, Drifted, Moved
from stemctl.render.fitting import Item, code, fitted, section
from stemctl.render.markdown import for_markdown
from stemctl.render.terminal import LONGEST_CELL, LONGEST_LAST, TerminalStyle
from stemctl.render.values import difference, element_diff, shown
from stemctl.util.plural import joined
from stemctl.util.safe_text import cut, visible


def drift_text(drift: Drift, style: TerminalStyle) -> str:
    """The screen below its first line."""
    lines = _unread(drift, style)
    hints: list[Hint] = [("stemctl plan", "compares the files with the server")]
    if not drift.looked_at:
        return style.finish([*lines, _verdict(drift), *style.next(hints)])
    if not drift.records:
        return style.finish([*lines, _verdict(drift)])
    lines.append(f"{_verdict(drift)} BrainSTEM does not tell who changed them, or when.")
    for record in drift.records:
        lines += ["", *_record(record, drift, style)]
    missing = sum(r.missing for r in drift.records)
    lines += ["", f"Drift: {len(drift.records) - missing} changed, {missing} not found."]
    first = str(drift.records[0].address)
    hints = [
        (f"stemctl show {shlex.quote(first)}", "your values and the server's, to copy from"),
        ("stemctl plan", "what apply would do about it"),
    ]
    return style.finish([*lines, *style.next(hints)])


def drift_markdown(
    drift: Drift, style: TerminalStyle, server: Target, max_bytes: int | None = None
) -> str:
    """The same for the summary of a job; with `max_bytes`, what does not fit is counted."""
    style = for_markdown(style)
    items = [
        Item("\n".join(line.removeprefix("  ") for line in _record(r, drift, style)))
        for r in drift.records
    ]
    unread = [Item(line) for line in _unread(drift, style)]
    sections = [section(f"Not all read: {len(unread)}", unread, opened=True)] if unread else []
    sections += [section(f"Drift: {len(items):,}", items, opened=True)] if items else []
    head = f"### {_verdict(drift)}\n\nserver {code(server.name)} {code(server.url)}, portal {server.portal}\n"
    return fitted(head, sections, max_bytes, lambda number: f"\n{number:,} more do not fit here.\n")


def _unread(drift: Drift, style: TerminalStyle) -> list[str]:
    return [
        f"{style.count(name, 2)[2:]} could not all be read: {cut(style.cell(reason), LONGEST_LAST)}"
        for name, reason in drift.unread.items()
    ]


def _verdict(drift: Drift) -> str:
    if not drift.looked_at:
        return "Nothing was applied from here yet, so there is nothing to compare with."
    if not drift.records:
        return f"No drift: {drift.looked_at:,} records are as they were applied."
    number = len(drift.records)
    return f"{number:,} of {drift.looked_at:,} records {'is' if number == 1 else 'are'} not as applied."


def _record(record: Drifted, drift: Drift, style: TerminalStyle) -> list[str]:
    location = (
        f"{visible(record.location.file)}:{record.location.line}"
        if record.location
        else "not in the files"
    )
    title = cut(visible(str(record.address)), LONGEST_CELL)
    lines = [
        f"  {style.paint('bold', title)}{' ' * max(2, style.width - 2 - len(title) - len(location))}{location}"
    ]
    if record.missing:
        seen = drift.totals.get(record.address.model)
        among = (
            f"not among the {style.count(record.address.model, seen)} you may see (all were read), "
            if seen
            else ""
        )
        lines.append(f"      not found: {among}404 for its id.")
        lines.append("      It was deleted, or it is hidden from your account.")
    return lines + style.wrapped([(visible(move.path), _what(move)) for move in record.fields])


def _what(move: Moved) -> str:
    if not move.held:
        return f"the server never held what was applied: {difference(move.before, move.after)}"
    if isinstance(move.before, list) and isinstance(move.after, list):
        gains, losses = element_diff(move.before, move.after)
        words = [f"{joined(gains)} {'were' if len(gains) > 1 else 'was'} added"] if gains else []
        words += (
            [f"{joined(losses)} {'were' if len(losses) > 1 else 'was'} removed"] if losses else []
        )
        return "; ".join(words) or "in another order"
    if move.before is None:
        return f"{shown(move.after)} was added"
    if move.after is None and "." in move.path:
        return f"{shown(move.before)} was removed"
    return difference(move.before, move.after)


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
