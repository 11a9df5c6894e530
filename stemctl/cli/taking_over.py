"""From a lab that was clicked in to one in files: login, all records, and a first plan."""

from __future__ import annotations

from stemctl.cli.cmd.login import log_in
from stemctl.cli.cmd.pull import finish_pull
from stemctl.cli.plan_output import print_planned
from stemctl.cli.screen import Screen
from stemctl.client.tokens import find_token
from stemctl.commands.event_loop import run_async
from stemctl.commands.plan import is_incomplete, plan_online
from stemctl.commands.pull import Request, prepare
from stemctl.commands.workspace import Workspace
from stemctl.planning.planner import Options


def take_over(screen: Screen, server: str) -> int:
    """Write the records of a server to files, and plan: 0 if the plan has nothing to do, 3 if
    something was left.
    """
    screen.server = server
    workspace = screen.open()
    screen.server = None if workspace.config.default_server == server else server
    if find_token(workspace.server, workspace.environ) is None:
        done = log_in(screen, workspace)
        screen.did = f"{screen.did}; {done}".removeprefix("; ")
        screen.out(done)
    screen.out("")
    with workspace.writing():
        pulled = prepare(workspace, Request(everything=True))
        code = finish_pull(screen, workspace, pulled, dry_run=False, output_format="text", hints=())
    if not pulled.new and not pulled.sides.repository.records:
        screen.note("There is nothing to take over yet.")
        screen.suggest(("stemctl new", "writes a first record"))
        return code
    return max(code, _first_plan(screen, workspace))


def _first_plan(screen: Screen, workspace: Workspace) -> int:
    screen.out("")
    planned = run_async(plan_online(workspace, Options(workspace.config.allow)))
    print_planned(screen, workspace, planned)
    return 3 if is_incomplete(planned.plan) or planned.plan.needs_attention() else 0
