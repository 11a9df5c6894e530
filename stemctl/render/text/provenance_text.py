"""A record with the origin of each value and the server's side, as text and as JSON."""

from __future__ import annotations

from typing import Any

from stemctl.core.records import Location
from stemctl.planning.provenance import Origin, Origins
from stemctl.render.terminal import LONGEST_CELL, TerminalStyle
from stemctl.render.values import shown
from stemctl.util.safe_text import cut, visible


def origin_text(found: Origins, style: TerminalStyle) -> str:
    """Fields in one column; below each, the server's value where it is another."""
    lines = [style.paint("bold", cut(visible(str(found.address)), LONGEST_CELL))]
    facts = [("id", found.id or "not on the server, as far as you may see")]
    facts += [("applied in", f"run {found.run}")] if found.run else []
    facts += (
        [("declared in", str(found.location))] if found.location else [("declared in", "no file")]
    )
    lines += style.columns(facts, indent=2)
    rows: list[tuple[str, str, str]] = []
    for field in found.fields:
        rows += _rows(field)
    cells = [
        (name, "" if len(value) > LONGEST_CELL else value, location)
        for name, value, location in rows
    ]
    lines.append("")
    for (_, value, _), row in zip(rows, style.columns(cells, indent=2), strict=True):
        lines += [row.rstrip()] if row.strip() else []
        if len(value) > LONGEST_CELL:  # in full, since it may be copied from here
            lines += style.wrapped([("", value)], indent=2)
    return style.finish(lines)


def _rows(field: Origin) -> list[tuple[str, str, str]]:
    if not field.written and not (field.shown and field.live not in (None, "", [], {})):
        return []
    if not field.written:
        return [(field.name, "not managed", f"server: {shown(field.live)}")]
    rows = [(field.name, shown(field.declared), _at(field.location))]
    rows += [("", f"  {visible(name)}", _at(location)) for name, location in field.elements]
    if field.agrees is False:
        rows.append(("", f"server: {shown(field.live)}", ""))
    return rows


def _at(location: Location | None) -> str:
    return f"{visible(location.file)}:{location.line}" if location else ""


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
                "file": field.location.file if field.location else None,
                "line": field.location.line if field.location else None,
                "elements": [
                    {"element": n, "file": p.file, "line": p.line} for n, p in field.elements
                ],
                "server": field.live,
                "agrees": field.agrees,
            }
            for field in found.fields
        ],
    }
