"""A record with the origin of each value and the server's side, as text and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from stemctl.core.plan_codec import findings_json
from stemctl.errors import Hint
from stemctl.planning.provenance import Origin, Origins
from stemctl.render.change_view import location_text
from stemctl.render.terminal import LONGEST_CELL, TerminalStyle
from stemctl.render.text.findings_text import findings_text
from stemctl.render.values import is_empty, shown
from stemctl.render.width import columns_of
from stemctl.util.safe_text import cut, visible


def origin_text(origins: Origins, style: TerminalStyle) -> str:
    """Fields in one column; below each, the server's value if it differs."""
    lines = [style.paint("bold", cut(visible(str(origins.address)), LONGEST_CELL))]
    facts = [("id", _identity(origins))]
    if origins.run:
        facts.append(("applied in", f"run {origins.run}"))
    facts.append(("declared in", str(origins.location or "no file")))
    lines += [*style.columns(facts, indent=2), ""]
    rows: list[tuple[str, str, str]] = []
    for field in origins.fields:
        rows += _rows(field)
    room = _room(rows, style)
    cells = []
    for name, value, location in rows:
        cells.append((name, "" if columns_of(value) > room else value, location))
    for (_, value, _), row in zip(rows, style.columns(cells, indent=2), strict=True):
        if row:
            lines.append(row)
        if columns_of(value) > room:  # in full, since it may be copied from here
            lines += style.wrapped([("", value)], indent=2)
    if origins.remarks:
        lines += ["", findings_text(origins.remarks, style)]
    return style.finish([*lines, *style.next(_hints(origins))])


def _identity(origins: Origins) -> str:
    if origins.id is None:
        return "not on the server, or hidden from your account"
    return origins.id if origins.is_found else f"{origins.id}, deleted or hidden from your account"


def _hints(origins: Origins) -> list[Hint]:
    """What to type next, where the files, the state and the server say different things."""
    name = shlex.quote(str(origins.address))
    is_declared = origins.location is not None
    if is_declared and origins.id is None:
        return [(f"stemctl plan {name}", "shows what apply would create")]
    if is_declared and not origins.is_found:
        remove = "takes it out of your files, if it was deleted on purpose"
        return [
            (f"stemctl plan {name}", "shows what apply would do about it"),
            (f"stemctl rm --keep-on-server {name}", remove),
        ]
    if is_declared and not origins.differs:
        return []
    take = "writes to your files what changed on the server"
    return [
        (f"stemctl plan {name}", "shows what apply would do about it"),
        *([(f"stemctl pull {name}", take)] if is_declared else []),
    ]


def _room(rows: Sequence[tuple[str, str, str]], style: TerminalStyle) -> int:
    """The columns that are left for values, beside the names of the fields and the locations."""
    names = max((columns_of(name) for name, _, _ in rows), default=0)
    locations = max((columns_of(location) for _, _, location in rows), default=0)
    return min(LONGEST_CELL, max(20, style.width - 2 - names - 4 - 4 - locations))


def _rows(field: Origin) -> list[tuple[str, str, str]]:
    if not field.written:
        if not field.shown or is_empty(field.live):
            return []
        return [(field.name, "not managed", f"server: {shown(field.live)}")]
    rows = [(field.name, shown(field.declared), location_text(field.location))]
    for name, location in field.elements:
        rows.append(("", f"  {visible(name)}", location_text(location)))
    if field.agrees is False:
        rows.append(("", f"server: {shown(field.live)}", ""))
    return rows


def origin_document(origins: Origins) -> dict[str, Any]:
    """The same for programs."""
    return {
        "address": str(origins.address),
        "id": origins.id,
        "run": origins.run,
        "fields": [
            {
                "name": field.name,
                "managed": field.written,
                "declared": field.declared,
                "file": field.location.file if field.location else None,
                "line": field.location.line if field.location else None,
                "elements": [
                    {"element": name, "file": location.file, "line": location.line}
                    for name, location in field.elements
                ],
                "server": field.live,
                "agrees": field.agrees,
            }
            for field in origins.fields
        ],
        "diagnostics": findings_json(origins.remarks),
    }
