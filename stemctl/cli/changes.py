"""validate, plan, apply."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from stemctl.cli.options import allow, output, resubmit
from stemctl.cli.screen import Screen
from stemctl.errors import ConfigError, InvalidFiles

if TYPE_CHECKING:
    from stemctl.apply import Apply
    from stemctl.plan import Plan, Report
    from stemctl.planner import Options
    from stemctl.workflow import Link, Planned, Workspace


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--online", is_flag=True, help="Also resolve references and names, by reading from the server.")
@output("text", "json", "github")
@click.pass_obj
def validate(screen: Screen, paths: tuple[str, ...], online: bool, form: str) -> int:
    """Check the manifests; without --online, no network and no token are needed."""
    from stemctl import workflow
    from stemctl.diagnostics import has_errors
    from stemctl.render.documents import findings_document
    from stemctl.render.findings import findings_github

    space = screen.open()
    loaded = workflow.validate(space, paths)
    if online and not has_errors(loaded.diagnostics):
        loaded = asyncio.run(workflow.validate_online(space, loaded, paths))
    summary = workflow.verdict(space, loaded)
    if form == "json":
        screen.document(findings_document(loaded.diagnostics, loaded.repository, space.server.edition))
    elif form == "github":
        screen.out(findings_github(loaded.diagnostics) or summary)
    else:
        screen.findings(loaded.diagnostics, summary)
    return 1 if has_errors(loaded.diagnostics) else 0


@click.command()
@allow
@resubmit
@click.option("--detailed-exitcode", is_flag=True, help="2 if something would happen or needs a decision.")
@output("text", "json")
@click.pass_obj
def plan(
    screen: Screen, allowed: tuple[tuple[str, int], ...], resubmit: bool, detailed_exitcode: bool, form: str
) -> int:
    """Show what apply would send, and send nothing."""
    space = screen.open()
    planned = asyncio.run(_plan(screen, space, _options(space, allowed, resubmit)))
    if form == "json":
        from stemctl.render.documents import plan_document

        screen.document(plan_document(planned.plan))
    else:
        _show(screen, space, planned)
    if _unread(planned.plan):
        return 1
    return 2 if detailed_exitcode and planned.plan.needs_attention() else 0


@click.command()
@allow
@resubmit
@click.option("--auto-approve", "--yes", "-y", is_flag=True, help="Ask nothing; needed where there is no terminal.")
@click.option("--parallelism", type=click.IntRange(1, 64), default=8, show_default=True, help="Requests at a time.")
@output("text", "json")
@click.pass_obj
def apply(
    screen: Screen,
    allowed: tuple[tuple[str, int], ...],
    resubmit: bool,
    auto_approve: bool,
    parallelism: int,
    form: str,
) -> int:
    """Plan, show, ask, and carry it out."""
    if not auto_approve and not sys.stdin.isatty():
        raise ConfigError(
            "There is no terminal to ask on.",
            "Nothing was sent.",
            [("stemctl plan", "shows what would be sent"), ("stemctl apply --auto-approve", "sends it unasked")],
        )
    space = screen.open()
    options = _options(space, allowed, resubmit)
    with space.store.locked():
        try:
            return asyncio.run(_apply(screen, space, options, auto_approve, parallelism, form == "json"))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


def _options(space: Workspace, allowed: tuple[tuple[str, int], ...], resubmit: bool) -> Options:
    from stemctl.planner import Options

    return Options({**space.config.allow, **dict(allowed)}, resubmit)


async def _plan(screen: Screen, space: Workspace, options: Options) -> Planned:
    from stemctl import workflow

    loaded = workflow.load(space.config, space.catalog)
    async with workflow.connect(space) as link:
        return checked(await workflow.plan(space, link.reader(), loaded, options))


def checked(planned: Planned) -> Planned:
    """The plan, if the user's files have no errors that only the server could tell.

    Raises:
        InvalidFiles: they have.
    """
    from stemctl.diagnostics import has_errors
    from stemctl.workflow import wrong_files

    wrong = wrong_files(planned.plan)
    if has_errors(wrong):
        raise InvalidFiles(wrong, "The files have errors; nothing was sent.")
    return planned


def _show(screen: Screen, space: Workspace, planned: Planned, advise: bool = True) -> None:
    """The plan as the terminal shows it."""
    from stemctl.render.plan_text import plan_text, where_line
    from stemctl.workflow import what_was_read

    screen.out(where_line(space.target, space.database))
    screen.out(what_was_read(space, planned))
    screen.out(plan_text(planned.plan, screen.look(space.catalog), advise))
    if planned.plan.diagnostics:
        screen.out("")
        screen.findings(planned.plan.diagnostics)


def _unread(plan: Plan) -> bool:
    return any(d.code == "incomplete-reading" for d in plan.diagnostics)


async def _apply(
    screen: Screen, space: Workspace, options: Options, unasked: bool, parallelism: int, as_json: bool
) -> int:
    from stemctl import workflow

    loaded = workflow.load(space.config, space.catalog)
    async with workflow.connect(space, parallelism) as link:
        planned = checked(await workflow.plan(space, link.reader(), loaded, options))
        if not as_json:
            _show(screen, space, planned, advise=not planned.plan.going())
        if not unasked:
            agreed = _ask(space, planned, options)
            if agreed is None:
                screen.note("Nothing was sent.")
                return 1
            planned = agreed
        began = time.monotonic()
        report = await _carry_out(screen, space, link, planned, parallelism, as_json)
        seconds = time.monotonic() - began
    if as_json:
        from stemctl.render.documents import report_document

        screen.document(report_document(report, seconds))
    elif planned.plan.going():
        from stemctl.render.report_text import report_text

        screen.out(report_text(report, screen.look(space.catalog), seconds, space.store.where))
    return report.exit_code


def _ask(space: Workspace, planned: Planned, options: Options) -> Planned | None:
    """Ask for each permission that something is held for, then for the whole; None if the answer is no."""
    from stemctl.cli.questions import ask_permissions, ask_to_send
    from stemctl.workflow import replan

    granted = ask_permissions(planned.plan, space.server.host or space.server.name)
    if granted:
        planned = checked(replan(space, planned, replace(options, allow={**options.allow, **granted})))
    if not planned.plan.going():
        return planned
    return planned if ask_to_send(planned.plan, space.server.host or space.server.name) else None


async def _carry_out(
    screen: Screen, space: Workspace, link: Link, planned: Planned, parallelism: int, as_json: bool
) -> Report:
    from stemctl import workflow
    from stemctl.cli.progress import Progress

    run = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    host = space.server.host or space.server.name
    shown = not (as_json or screen.quiet)
    with Progress(len(planned.plan.going()), host, parallelism, shown) as progress, _interrupts(screen) as watch:
        return await workflow.apply(space, link.writer(), planned, run, progress.outcome, parallelism, watch)


@contextlib.contextmanager
def _interrupts(screen: Screen) -> Iterator[_Watch]:
    """The first Ctrl-C lets what is in flight finish, the second leaves at once."""
    watch = _Watch(screen)
    try:
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, watch.interrupt)
    except NotImplementedError:  # Windows: Ctrl-C ends the run as Python does, and the state is saved all the same
        yield watch
        return
    try:
        yield watch
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)


class _Watch:
    """Called with the work once it is there; told of interrupts."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._work: Apply | None = None
        self._task = asyncio.current_task()

    def __call__(self, work: Apply) -> None:
        self._work = work

    def interrupt(self) -> None:
        if self._work is None or self._work.stop.is_set():
            if self._task is not None:
                self._task.cancel()
            return
        self._work.stop.set()
        self._screen.note("\nNo new requests. Waiting for those in flight; Ctrl-C again leaves at once.")
