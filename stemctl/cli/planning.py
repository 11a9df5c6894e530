"""plan and show: what apply would send, and sends nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stemctl.cli.options import allow, exclude, output, resubmit
from stemctl.cli.running import finish
from stemctl.cli.screen import Screen
from stemctl.errors import ConfigError, InvalidFiles

if TYPE_CHECKING:
    from stemctl.commands.plan import Planned
    from stemctl.commands.workspace import Workspace
    from stemctl.core.plan import Plan
    from stemctl.planning.planner import Options


@click.command()
@click.argument("words", metavar="[ADDRESS|PATH]...", nargs=-1)
@exclude
@allow
@resubmit
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the plan, to apply exactly this one.",
)
@click.option(
    "--detailed-exitcode", is_flag=True, help="2 if something would happen or needs a decision."
)
@click.option(
    "--offline", is_flag=True, help="Compare with the state, and ask no server; needs no token."
)
@click.option(
    "--base", metavar="REF", help="Tell apart what the difference to a git commit explains."
)
@click.option("--max-bytes", type=click.IntRange(1000), help="With -o markdown: at most so long.")
@output("text", "json", "markdown", "html", "github")
@click.pass_obj
def plan(
    screen: Screen,
    words: tuple[str, ...],
    exclude: tuple[str, ...],
    allowed: tuple[tuple[str, int], ...],
    resubmit: bool,
    out: Path | None,
    detailed_exitcode: bool,
    offline: bool,
    base: str | None,
    max_bytes: int | None,
    form: str,
) -> int:
    """Show what apply would send, and send nothing.

    All records, or those that ADDRESS (* and ? are patterns) and PATH (of manifests and folders)
    name.
    """
    from stemctl.commands.base import read_before
    from stemctl.commands.plan import split_by_base

    workspace = screen.open()
    screen.announce(workspace)
    options = make_options(workspace, allowed, resubmit, words, exclude)
    before = read_before(workspace.config, workspace.catalog, base) if base is not None else None
    planned = _plan_offline(workspace, options) if offline else finish(_plan(workspace, options))
    planned = split_by_base(workspace, planned, before) if before else planned
    if out is not None:
        write_plan(planned.plan, screen.root / out)
    summarize_plan(screen, planned.plan)
    if form == "text":
        show_text(screen, workspace, planned, saved_as=str(out) if out else None)
    else:
        show_plan(screen, planned.plan, form, max_bytes)
    if unread(planned.plan):
        return 1
    return 2 if detailed_exitcode and planned.plan.needs_attention() else 0


@click.command()
@click.argument("word", metavar="PLAN|ADDRESS")
@click.option("--max-bytes", type=click.IntRange(1000), help="With -o markdown: at most so long.")
@output("text", "json", "markdown", "html", "github")
@click.pass_obj
def show(screen: Screen, word: str, max_bytes: int | None, form: str) -> int:
    """Show a saved plan; or a record, with the origin of each value and the server's side."""
    saved = read_plan(screen, word)
    if saved is not None:
        if form != "text":
            show_plan(screen, saved, form, max_bytes)
            return 0
        from stemctl.render.text.plan_text import plan_text, where_line
        from stemctl.schema.catalog import load_catalog

        style = screen.style(load_catalog(saved.server.edition))
        screen.out(where_line(saved.server))
        screen.out(plan_text(saved, style, saved_as=word))
        return 0
    if form not in ("text", "json"):
        raise ConfigError(f"A record is shown as text or json, not as {form}.")
    return finish(_show_record(screen, word, form))


async def _show_record(screen: Screen, word: str, form: str) -> int:
    from stemctl.commands import connection, plan, validate
    from stemctl.render.text.plan_text import where_line
    from stemctl.render.text.provenance_text import origin_document, origin_text

    workspace = screen.open()
    screen.announce(workspace)
    loaded = validate.load(workspace.config, workspace.catalog)
    async with connection.connect(workspace) as link:
        found = await plan.origins(workspace, link.reader(), loaded, word)
    if form == "json":
        screen.document(origin_document(found))
    else:
        screen.out(where_line(workspace.target, workspace.database))
        screen.out(origin_text(found, screen.style(workspace.catalog)))
    return 0


def read_plan(screen: Screen, word: str) -> Plan | None:
    """The plan in a file, relative to the folder of -C; None if the word names no plan file.

    Raises:
        BadPlan: it is one, and was edited or damaged; or its name says it is one, and it is not.
    """
    from stemctl.core.saved_plan import BadPlan, open_plan, plan_in

    path = screen.root / word
    try:
        # A folder whose name is not UTF-8 stands in the places of a plan.
        text = path.read_text(encoding="utf-8", errors="surrogatepass") if path.is_file() else ""
    except UnicodeDecodeError:
        return None
    document = plan_in(text)
    if document is not None:
        return open_plan(document, word)
    if word.endswith(".json"):
        what = f"{word} is no plan." if path.exists() else f"There is no file {word}."
        raise BadPlan(what, "Nothing was sent.", [(f"stemctl plan --out {word}", "makes one")])
    return None


def write_plan(plan: Plan, path: Path) -> None:
    """Keep a plan in a file, over an older plan but over nothing else."""
    from stemctl.core.plan_codec import plan_lines
    from stemctl.core.saved_plan import plan_in
    from stemctl.util.atomic_file import replace_file

    if path.is_symlink():
        raise ConfigError(
            f"{path} is a link.", "A plan is kept in a file of its own. Nothing was written."
        )
    old = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    if path.exists() and plan_in(old) is None:
        raise ConfigError(
            f"{path} is there already, and is no plan.", "It was not touched. Name another file."
        )
    try:
        replace_file(path, plan_lines(plan))
    except OSError as error:
        raise ConfigError(f"{path} cannot be written.", str(error.strerror)) from error


def summarize_plan(screen: Screen, plan: Plan) -> None:
    """Add the plan to the summary of the CI job, if there is one."""
    from stemctl.render.markdown import plan_markdown
    from stemctl.schema.catalog import load_catalog

    style = screen.style(load_catalog(plan.server.edition))
    screen.summarize(lambda most: plan_markdown(plan, style, most))


def show_plan(screen: Screen, plan: Plan, form: str, max_bytes: int | None) -> None:
    """A plan as a document for programs, pull requests or browsers."""
    from stemctl.core.plan_codec import plan_document
    from stemctl.git.ci_job import job_url
    from stemctl.render.github import plan_github
    from stemctl.render.html import plan_html
    from stemctl.render.markdown import elsewhere, plan_markdown
    from stemctl.render.plan_summary import plan_summary
    from stemctl.render.text.plan_text import where_line
    from stemctl.schema.catalog import load_catalog

    style = screen.style(load_catalog(plan.server.edition))
    if form == "json":
        screen.document(plan_document(plan))
    elif form == "markdown":
        screen.out(plan_markdown(plan, style, max_bytes, elsewhere(job_url(os.environ))))
    elif form == "github":
        screen.annotate(lambda folder: plan_github(plan, folder, style.words))
        screen.out(where_line(plan.server))
        screen.out(plan_summary(plan))
    else:
        screen.out(plan_html(plan, style))


def make_options(
    workspace: Workspace,
    allowed: tuple[tuple[str, int], ...],
    resubmit: bool,
    only: tuple[str, ...],
    exclude: tuple[str, ...],
) -> Options:
    """What the options of plan and apply ask for, with what the repository allows."""
    from stemctl.planning.planner import Options

    return Options({**workspace.config.allow, **dict(allowed)}, resubmit, only, exclude)


def _plan_offline(workspace: Workspace, options: Options) -> Planned:
    from stemctl.commands import plan, validate

    loaded = validate.load(workspace.config, workspace.catalog)
    return checked(plan.plan_offline(workspace, loaded, options))


async def _plan(workspace: Workspace, options: Options) -> Planned:
    from stemctl.commands import connection, plan, validate

    loaded = validate.load(workspace.config, workspace.catalog)
    async with connection.connect(workspace) as link:
        return checked(await plan.plan(workspace, link.reader(), loaded, options))


def checked(planned: Planned) -> Planned:
    """The plan, if the user's files have no errors that only the server could tell.

    Raises:
        InvalidFiles: they have.
    """
    from stemctl.commands.plan import wrong_files
    from stemctl.core.diagnostics import has_errors

    wrong = wrong_files(planned.plan)
    if has_errors(wrong):
        raise InvalidFiles(wrong, "The files have errors; nothing was sent.")
    return planned


def show_text(
    screen: Screen,
    workspace: Workspace,
    planned: Planned,
    advise: bool = True,
    saved_as: str | None = None,
) -> None:
    """The plan as the terminal shows it."""
    from stemctl.commands.plan import what_was_read
    from stemctl.render.text.commits_text import since_text
    from stemctl.render.text.plan_text import plan_text, where_line

    screen.out(where_line(workspace.target, workspace.database))
    screen.out(
        "\n".join(
            [what_was_read(workspace, planned), *since_text(planned.since, planned.state.commit)]
        )
    )
    style = replace(
        screen.style(workspace.catalog), options=again(planned.options, workspace.config.allow)
    )
    screen.out(plan_text(planned.plan, style, advise, saved_as))
    if planned.plan.diagnostics:
        screen.out("")
        screen.findings(planned.plan.diagnostics)


def again(options: Options, standing: Mapping[str, int]) -> str:
    """The permissions of this run as options for the next command; those of stemctl.yaml stand there."""
    words = [
        f"--allow {kind}={number}"
        for kind, number in options.allow.items()
        if standing.get(kind) != number
    ]
    return "".join(f" {word}" for word in [*words, *(["--resubmit"] if options.resubmit else [])])


def unread(plan: Plan) -> bool:
    """Whether a model could not all be read, so that the plan does not tell everything."""
    return any(d.code == "incomplete-reading" for d in plan.diagnostics)
