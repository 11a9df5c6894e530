"""ci: create workflows for GitHub or GitLab."""

from __future__ import annotations

import click

from stemctl.cli.command import group, option
from stemctl.cli.options import OneOf
from stemctl.cli.screen import Screen
from stemctl.commands.ci import choose_server, write_workflows
from stemctl.commands.ci_forms import Form
from stemctl.render.text.ci_text import advice


@group()
def ci() -> None:
    """Create CI workflows for GitHub or GitLab.

    The workflows check and plan pull requests, and apply merged changes.
    """


@ci.command(
    examples=(
        ("stemctl ci init github", "checks, plans, applies, and looks for drift"),
        ("stemctl ci init gitlab --pull", "also proposes what changed on the server"),
    ),
    exits=(("1", "error, or a file exists with other content and was kept"),),
)
@click.argument("forge", type=OneOf(["github", "gitlab"]))
@option("--pull", is_flag=True, help="Also open a pull request every night with what has changed.")
@option("--short", is_flag=True, help="Write short files, which use stemctl's action or component.")
@option(
    "--source",
    metavar="SOURCE",
    help="Install this stemctl in the jobs. Default: the one that you run, from where you got it.",
)
@click.pass_obj
def init(screen: Screen, forge: str, pull: bool, short: bool, source: str | None) -> int:
    """Create the workflows for one server.

    Uses the server of --server, the default server, or the only one that is not a sandbox.
    Existing files are not changed.

    SOURCE is a commit of a repository, a file with its hash, or a release:
    git+https://HOST/REPO@COMMIT, https://HOST/FILE.whl#sha256=HASH, stemctl==VERSION.
    """
    form = Form(forge, short, pull)
    if screen.server is None:
        screen.server = choose_server(screen.root, form)
    workspace = screen.open()
    result = write_workflows(workspace, form, source)
    screen.did = f"wrote {', '.join(result.written)}." if result.written else ""
    for name in result.written:
        screen.out(f"wrote {name}")
    for name in result.unchanged:
        screen.out(f"{name} is up to date")
    for name in result.kept:
        screen.out(
            f"{name} already exists with other content and was not changed; "
            "delete it to create a new one"
        )
    if result.written or not result.kept:
        shared = workspace.server.backend == "git"
        lines = advice(
            forge,
            shared,
            result.branch,
            environment=result.environment,
            folder=result.folder,
            source=result.source,
            pull=pull,
        )
        screen.note("\n".join(lines))
    return 1 if result.kept else 0
