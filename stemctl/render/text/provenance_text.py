"""A record with the origin of each value and the server's side, as text and as JSON."""

from __future__ import annotations

from typing import Any

from stemctl.core.records import Place
from stemctl.planning.provenance import Origin, Origins
from stemctl.render.terminal import LONGEST_CELL, Look
from stemctl.render.values import shown
from stemctl.util.safe_text import cut, visible


def origin_text(found: Origins, look: Look) -> str:
    """Fields in one column; below each, the server's value where it is another."""
    lines = [look.paint("bold", cut(visible(str(found.address)), LONGEST_CELL))]
    facts = [("id", found.id or "not on the server, as far as you may see")]
    facts += [("applied in", f"run {found.run}")] if found.run else []
    facts += [("declared in", str(found.place))] if found.place else [("declared in", "no file")]
    lines += look.columns(facts, indent=2)
    rows: list[tuple[str, str, str]] = []
    for field in found.fields:
        rows += _rows(field)
    cells = [
        (name, "" if len(value) > LONGEST_CELL else value, place) for name, value, place in rows
    ]
    lines.append("")
    for (_, value, _), row in zip(rows, look.columns(cells, indent=2), strict=True):
        lines += [row.rstrip()] if row.strip() else []
        if len(value) > LONGEST_CELL:  # in full, since it may be copied from here
            lines += look.wrapped([("", value)], indent=2)
    return look.finish(lines)


def _rows(field: Origin) -> list[tuple[str, str, str]]:
    if not field.written and not (field.shown and field.live not in (None, "", [], {})):
        return []
    if not field.written:
        return [(field.name, "not managed", f"server: {shown(field.live)}")]
    rows = [(field.name, shown(field.declared), _at(field.place))]
    rows += [("", f"  {visible(name)}", _at(place)) for name, place in field.elements]
    if field.agrees is False:
        rows.append(("", f"server: {shown(field.live)}", ""))
    return rows


def _at(place: Place | None) -> str:
    return f"{visible(place.file)}:{place.line}" if place else ""


def origin_document(found: Origins) -> dict[str, Any]:
    """The same for programs."""
    return {
        "address": str(found.address),
        "id": found.id,
        "run": found.run,
        "fields": [
            {
                "name": field.name,
                "managed": field.written,
                "declared": field.declared,
                "file": field.place.file if field.place else None,
                "line": field.place.line if field.place else None,
                "elements": [
                    {"element": n, "file": p.file, "line": p.line} for n, p in field.elements
                ],
                "server": field.live,
                "agrees": field.agrees,
            }
            for field in found.fields
        ],
    }
