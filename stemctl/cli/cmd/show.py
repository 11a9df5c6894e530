"""show: a saved plan, or a record with the origin of its values."""

from __future__ import annotations

import click

from stemctl.cli.command import command
from stemctl.cli.options import max_bytes, output
from stemctl.cli.plan_output import print_plan, print_saved_plan
from stemctl.cli.screen import Screen
from stemctl.commands.plan_file import read_plan
from stemctl.errors import ConfigError
from stemctl.render.text.plan_text import where_line
from stemctl.render.text.provenance_text import origin_document, origin_text


@command(
    examples=(
        ("stemctl show plan.json -o html > plan.html", "turns a saved plan into a web page"),
        ("stemctl show session/rat12_2024-03-12", "shows where each of its values comes from"),
    ),
)
@click.argument("target", metavar="PLAN|ADDRESS")
@max_bytes
@output("text", "json", "markdown", "html", "github")
@click.pass_obj
def show(screen: Screen, target: str, max_bytes: int | None, output_format: str) -> int:
    """Show a saved plan, or where the values of a record come from.

    A plan is shown in any format, a record as text or JSON: the file and line of each value, also
    of those from defaults, and the value on the server.
    """
    (target,) = screen.below_root([target])
    saved = read_plan(screen.root, target)
    if saved is None:
        _show_record(screen, target, output_format)
    elif output_format == "text":
        print_saved_plan(screen, saved, target)
    else:
        print_plan(screen, saved, output_format, max_bytes)
    return 0


def _show_record(screen: Screen, target: str, output_format: str) -> None:
    if output_format not in ("text", "json"):
        raise ConfigError(
            f"A record cannot be shown as {output_format}.", "Use -o text or -o json."
        )
    # A saved plan is shown without loading the network.
    from stemctl.commands.event_loop import run_async
    from stemctl.commands.show import origins

    workspace = screen.open()
    screen.announce(workspace)
    record = run_async(origins(workspace, target))
    if output_format == "json":
        screen.document(origin_document(record))
    else:
        screen.out(where_line(workspace.target, workspace.database))
        screen.out(origin_text(record, screen.style(workspace.catalog)))
