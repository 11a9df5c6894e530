"""doctor: check the server, the token and the permissions."""

from __future__ import annotations

import click

from stemctl.cli.command import command
from stemctl.cli.options import output
from stemctl.cli.screen import Screen
from stemctl.commands import doctor as use_case
from stemctl.commands.event_loop import run_async
from stemctl.render.text.plan_text import where_line
from stemctl.render.width import columns_of, padded

_MARKS = {True: "ok", False: "no", None: "note"}


@command()
@output("text", "json")
@click.pass_obj
def doctor(screen: Screen, output_format: str) -> int:
    """Check the server, your token and your permissions."""
    workspace = screen.open()
    checks = run_async(use_case.doctor(workspace))
    if output_format == "json":
        rows = [{"what": check.what, "good": check.good, "says": check.says} for check in checks]
        screen.document({"checks": rows})
    else:
        style = screen.style()
        names = style.columns([(_MARKS[check.good], check.what) for check in checks], indent=0)
        width = max(map(columns_of, names), default=0)
        lines = [
            (padded(name, width), check.says) for name, check in zip(names, checks, strict=True)
        ]
        screen.out(where_line(workspace.target, workspace.database))
        screen.out("\n".join(style.wrapped(lines, indent=2)))
        screen.note("Permission to write cannot be checked without sending a change.")
    return 0 if all(check.good is not False for check in checks) else 1
