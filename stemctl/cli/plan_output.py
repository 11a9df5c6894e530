"""How plan, show and apply print a plan."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from stemctl.cli.screen import Screen
from stemctl.core import plan_codec
from stemctl.core.plan import Plan
from stemctl.git.ci_job import describe_owner, job_url
from stemctl.planning.planner import Options
from stemctl.planning.read_counts import count_read
from stemctl.render.plan_summary import plan_summary
from stemctl.render.text.commits_text import since_text
from stemctl.render.text.plan_text import plan_text, where_line
from stemctl.schema.catalog import load_catalog
from stemctl.takeover.live_addresses import in_no_file
from stemctl.takeover.pull_selection import labs_own
from stemctl.util.plural import counted, joined

if TYPE_CHECKING:  # a saved plan is shown without loading the network
    from stemctl.commands.plan import Planned
    from stemctl.commands.workspace import Workspace
    from stemctl.render.html import Made


def make_options(
    workspace: Workspace,
    allowed: tuple[tuple[str, int], ...],
    resubmit: bool,
    *,
    only: tuple[str, ...],
    exclude: tuple[str, ...],
) -> Options:
    """The options of a plan. Permissions of the command line replace those of the repository."""
    return Options({**workspace.config.allow, **dict(allowed)}, resubmit, only, exclude)


def print_plan(screen: Screen, plan: Plan, output_format: str, max_bytes: int | None) -> None:
    """Print a plan for programs, pull requests or browsers."""
    style = screen.style(load_catalog(plan.server.edition))
    match output_format:
        case "json":
            screen.document(plan_codec.plan_document(plan))
        case "markdown":
            from stemctl.render.markdown import elsewhere, plan_markdown

            screen.out(plan_markdown(plan, style, max_bytes, elsewhere(job_url(os.environ))))
        case "github":
            from stemctl.render.github import plan_github

            screen.annotate(lambda folder: plan_github(plan, folder, style.words))
            screen.out(where_line(plan.server))
            screen.out(plan_summary(plan))
        case _:
            from stemctl.render.html import plan_html

            screen.out(plan_html(plan, style, _made(screen)))


def _made(screen: Screen) -> Made:
    """Where, when and by whom a page is made: the plan itself depends neither on clock nor user."""
    from stemctl.render.html import Made

    now = datetime.now(UTC)
    return Made(screen.root.name, f"{now:%Y-%m-%d at %H:%M} UTC", describe_owner(os.environ))


def print_saved_plan(screen: Screen, plan: Plan, name: str) -> None:
    """Print a saved plan as text."""
    style = screen.style(load_catalog(plan.server.edition))
    screen.out(where_line(plan.server))
    screen.out(plan_text(plan, style, saved_as=name))


def print_planned(
    screen: Screen,
    workspace: Workspace,
    planned: Planned,
    *,
    advise: bool = True,
    saved_as: str | None = None,
) -> None:
    """Print a plan as text, below what was read for it; with `advise`, hints follow."""
    screen.out(where_line(workspace.target, workspace.database))
    since = since_text(planned.since, planned.state.commit)
    lines = [_read_line(workspace, planned), *_in_no_file(workspace, planned), *since]
    screen.sentences("\n".join(lines))
    style = screen.style(workspace.catalog)
    options = _options_to_repeat(planned.options, workspace.config.allow)
    screen.out(plan_text(planned.plan, replace(style, options=options), advise, saved_as))
    if planned.plan.diagnostics:
        screen.out("")
        screen.findings(planned.plan.diagnostics)


def _read_line(workspace: Workspace, planned: Planned) -> str:
    """`Read 2 files with 3 records. On the server: 1 project, 3 sensory stimulus types.`"""
    files = counted(len(planned.repository.files), "file")
    records = counted(len(planned.repository.records), "record")
    line = f"Read {files} with {records}."
    if planned.plan.offline:
        return f"{line} The state has {counted(len(planned.state.records), 'record')}."
    on_server = ", ".join(count_read(planned.snapshot, workspace.catalog))
    return f"{line} On the server: {on_server}." if on_server else line


def _in_no_file(workspace: Workspace, planned: Planned) -> list[str]:
    """A line about the records that `pull` would write, of the models that the files have."""
    if planned.plan.offline or planned.options.only or planned.options.exclude:
        return []
    catalog, repository = workspace.catalog, planned.repository
    declared = {address.model for address in repository.records}
    among = [model for model in labs_own(catalog) if model.name in declared]
    found = in_no_file(
        repository,
        planned.snapshot,
        planned.identities,
        catalog,
        among,
        is_shared=planned.state.is_shared,
    )
    if not found:
        return []
    models = [catalog.models[name] for name in found]
    listed = [catalog.parent_of(model) or model if model.embedded else model for model in models]
    counts = joined([catalog.models[name].count(number) for name, number in found.items()])
    verb = "is" if sum(found.values()) == 1 else "are"
    names = " ".join(dict.fromkeys(model.name for model in listed))
    return [f"{counts} on the server {verb} in no file: stemctl pull {names}"]


def _options_to_repeat(options: Options, configured: Mapping[str, int]) -> str:
    """The options that the next command needs too, without permissions that are configured."""
    repeated = [
        f"--allow {kind}={number}"
        for kind, number in options.allow.items()
        if configured.get(kind) != number
    ]
    if options.resubmit:
        repeated.append("--resubmit")
    return "".join(f" {option}" for option in repeated)
