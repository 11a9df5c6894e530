"""What changed on the server, as text and as JSON."""

from __future__ import annotations

import shlex
from typing import Any

from stemctl.errors import Hint
from stemctl.planning.drift import Drift, Drifted, Moved
from stemctl.render.look import LONGEST_CELL, LONGEST_LAST, Look
from stemctl.render.wording import cut, difference, element_diff, joined, shown, visible


def drift_text(drift: Drift, look: Look) -> str:
    """The screen below its first line."""
    lines = []
    for name, reason in drift.unread.items():
        lines.append(f"{look.count(name, 2)[2:]} could not all be read: {cut(look.cell(reason), LONGEST_LAST)}")
    if not drift.looked_at:
        lines.append("Nothing was applied from here yet, so there is nothing to compare with.")
        return look.finish([*lines, *look.next([("stemctl plan", "compares the files with the server")])])
    if not drift.records:
        lines.append(f"No drift: {drift.looked_at:,} records are as they were applied.")
        return look.finish(lines)
    number = len(drift.records)
    are = "is" if number == 1 else "are"
    unsaid = "BrainSTEM does not tell who changed them, or when."
    lines.append(f"{number:,} of {drift.looked_at:,} records {are} not as applied. {unsaid}")
    for record in drift.records:
        lines += ["", *_record(record, drift, look)]
    missing = sum(r.missing for r in drift.records)
    lines += ["", f"Drift: {number - missing} changed, {missing} not found."]
    first = str(drift.records[0].address)
    hints: list[Hint] = [
        (f"stemctl show {shlex.quote(first)}", "your values and the server's, to copy from"),
        ("stemctl plan", "what apply would do about it"),
    ]
    return look.finish([*lines, *look.next(hints)])


def _record(record: Drifted, drift: Drift, look: Look) -> list[str]:
    place = f"{visible(record.place.file)}:{record.place.line}" if record.place else "not in the files"
    title = cut(visible(str(record.address)), LONGEST_CELL)
    lines = [f"  {look.paint('bold', title)}{' ' * max(2, look.width - 2 - len(title) - len(place))}{place}"]
    if record.missing:
        seen = drift.totals.get(record.address.model)
        among = f"not among the {look.count(record.address.model, seen)} you may see (all were read), " if seen else ""
        lines.append(f"      not found: {among}404 for its id.")
        lines.append("      It was deleted, or it is hidden from your account.")
    return lines + look.wrapped([(visible(move.path), _what(move)) for move in record.fields])


def _what(move: Moved) -> str:
    if isinstance(move.before, list) and isinstance(move.after, list):
        gains, losses = element_diff(move.before, move.after)
        words = [f"{joined(gains)} {'were' if len(gains) > 1 else 'was'} added"] if gains else []
        words += [f"{joined(losses)} {'were' if len(losses) > 1 else 'was'} removed"] if losses else []
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
                "file": record.place.file if record.place else None,
                "line": record.place.line if record.place else None,
                "fields": [{"path": m.path, "before": m.before, "after": m.after} for m in record.fields],
            }
            for record in drift.records
        ],
    }
