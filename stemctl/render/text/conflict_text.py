"""Conflicts, and what it means to settle them, as text."""

from __future__ import annotations

from collections.abc import Sequence

from stemctl.core.plan import Change
from stemctl.render.next_steps import values_to_keep
from stemctl.render.terminal import TerminalStyle
from stemctl.render.values import shown
from stemctl.util.plural import counted
from stemctl.util.safe_text import visible


def conflicts_text(changes: Sequence[Change], style: TerminalStyle) -> str:
    """Each field in conflict, with the value of the server and that of the files."""
    lines = [f"{counted(len(changes), 'record')} in conflict:"]
    for change in changes:
        rows = []
        for field in change.fields:
            if field.reason == "conflict":
                rows.append((f"{visible(field.path)}  server", shown(field.before)))
                rows.append((" " * len(visible(field.path)) + "  files", shown(field.after)))
        lines += ["", f"  {style.paint('bold', visible(str(change.address)))}"]
        lines += style.wrapped(rows)
    return style.finish(lines)


def kept_server_text(changes: Sequence[Change], style: TerminalStyle) -> str:
    """What the files should have so that the values of the server stay."""
    records = counted(len(changes), "record")
    lines = style.sentences(
        [
            f"The server's values of {records} stay as they are, and nothing is sent for them. "
            "The conflict ends once your files have these values:"
        ]
    )
    return style.finish([*lines[1:], *values_to_keep(changes, style)])
