"""plan: show what apply would change."""

from __future__ import annotations

from pathlib import Path

import click

from stemctl.cli.command import command, option
from stemctl.cli.options import allow, exclude, max_bytes, output, resubmit
from stemctl.cli.plan_output import make_options, print_plan, print_planned
from stemctl.cli.screen import Screen
from stemctl.commands import plan_file
from stemctl.commands.base import read_before
from stemctl.commands.event_loop import run_async
from stemctl.commands.loading import load
from stemctl.commands.plan import (
    Planned,
    checked,
    is_incomplete,
    plan_offline,
    plan_online,
    split_by_base,
)
from stemctl.commands.workspace import Workspace
from stemctl.planning.planner import Options
from stemctl.render import markdown


@command(
    examples=(
        ("stemctl plan", "shows what apply would send"),
        ("stemctl plan 'session/rat12_*' records/animals", "looks at some records only"),
        ("stemctl plan --out plan.json", "saves the plan for: stemctl apply plan.json"),
        ("stemctl plan --base origin/main -o markdown", "writes the comment of a pull request"),
    ),
    exits=(
        ("1", "error, or the plan is incomplete"),
        (
            "2",
            "with --detailed-exitcode: apply would do something, or something is held that is "
            "no proposal",
        ),
    ),
)
@click.argument("targets", metavar="[ADDRESS|PATH]...", nargs=-1)
@exclude
@allow
@resubmit
@option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save the plan to a file, to apply exactly this plan later.",
)
@option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 if there is something to apply or to decide.",
)
@option(
    "--offline", is_flag=True, help="Compare with the state only; needs no server and no token."
)
@option(
    "--base",
    metavar="REF",
    help="Separate changes made since REF from those merged but not yet applied.",
)
@max_bytes
@output("text", "json", "markdown", "html", "github")
@click.pass_obj
def plan(
    screen: Screen,
    targets: tuple[str, ...],
    exclude: tuple[str, ...],
    allowed: tuple[tuple[str, int], ...],
    resubmit: bool,
    out: Path | None,
    detailed_exitcode: bool,
    offline: bool,
    base: str | None,
    max_bytes: int | None,
    output_format: str,
) -> int:
    """Show what apply would change, without sending anything.

    The plan covers all records, or those that match an ADDRESS (* and ? are wildcards) or are
    declared in PATH, a manifest or a folder.

    Changes that could destroy the work of others are held, which means not sent, until you allow
    them: delete (the record left the files), revert (a colleague changed it since the last apply),
    replace (stemctl did not write the value on the server) and cascade (records depend on the one
    to be deleted).
    """
    workspace = screen.open()
    screen.announce(workspace)
    targets, exclude = screen.below_root(targets), screen.below_root(exclude)
    options = make_options(workspace, allowed, resubmit, only=targets, exclude=exclude)
    planned = _plan(workspace, options, base, offline)
    if out is not None:
        plan_file.write_plan(planned.plan, screen.start / out)
        screen.did = f"the plan was saved to {out}."
    style = screen.style(workspace.catalog)
    screen.summarize(lambda limit: markdown.plan_markdown(planned.plan, style, limit))
    if output_format == "text":
        print_planned(screen, workspace, planned, saved_as=str(out) if out else None)
    else:
        print_plan(screen, planned.plan, output_format, max_bytes)
    if is_incomplete(planned.plan):
        return 1
    return 2 if detailed_exitcode and planned.plan.needs_attention() else 0


def _plan(workspace: Workspace, options: Options, base: str | None, offline: bool) -> Planned:
    before = None
    if base is not None:
        before = read_before(workspace.config, workspace.catalog, base)
    if offline:
        loaded = load(workspace.config, workspace.catalog)
        planned = checked(plan_offline(workspace, loaded, options))
    else:
        planned = run_async(plan_online(workspace, options))
    return split_by_base(workspace, planned, before) if before else planned
