"""apply: plan, show, ask, send; or send a plan that was kept."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from stemctl.cli.options import Digest, allow, exclude, output, resubmit
from stemctl.cli.planning import checked, make_options, read_plan, show_text
from stemctl.cli.questions import interruptible
from stemctl.cli.screen import Screen
from stemctl.errors import ConfigError

if TYPE_CHECKING:
    from stemctl.apply.scheduler import Apply
    from stemctl.commands.apply import Applied
    from stemctl.commands.connection import Link
    from stemctl.commands.plan import Planned
    from stemctl.commands.workspace import Workspace
    from stemctl.core.plan import Plan
    from stemctl.core.report import Report
    from stemctl.core.run import Run
    from stemctl.core.state import State
    from stemctl.planning.planner import Options


@click.command()
@click.argument("words", metavar="[PLAN|ADDRESS|PATH]...", nargs=-1)
@exclude
@allow
@resubmit
@click.option(
    "--auto-approve",
    "--yes",
    "-y",
    is_flag=True,
    help="Ask nothing; needed where there is no terminal.",
)
@click.option(
    "--allow-behind", is_flag=True, help="Also from a commit that lacks what was applied already."
)
@click.option("--digest", type=Digest(), help="Refuse a plan with another digest than this one.")
@click.option(
    "--parallelism",
    type=click.IntRange(1, 64),
    default=8,
    show_default=True,
    help="Requests at a time.",
)
@output("text", "json", "github")
@click.pass_obj
def apply(
    screen: Screen,
    words: tuple[str, ...],
    exclude: tuple[str, ...],
    allowed: tuple[tuple[str, int], ...],
    resubmit: bool,
    auto_approve: bool,
    allow_behind: bool,
    digest: str | None,
    parallelism: int,
    form: str,
) -> int:
    """Plan, show, ask, and carry it out; a saved PLAN is carried out as it is, without a question."""
    saved = read_plan(screen, words[0]) if len(words) == 1 else None
    if saved is not None and (exclude or allowed or resubmit):
        raise ConfigError(
            "A saved plan is applied as it is.",
            "--exclude, --allow and --resubmit belong to the plan that is saved. Nothing was sent.",
        )
    if saved is None and not auto_approve and not sys.stdin.isatty():
        raise ConfigError(
            "There is no terminal to ask on.",
            "Nothing was sent.",
            [
                ("stemctl plan", "shows what would be sent"),
                ("stemctl apply --auto-approve", "sends it unasked"),
            ],
        )
    workspace = screen.open()
    options = make_options(workspace, allowed, resubmit, words if saved is None else (), exclude)
    run = _Run(screen, workspace, auto_approve, allow_behind, digest, parallelism, form)
    with workspace.writing() as broken:
        run.settling(broken)
        try:
            return asyncio.run(run.saved(saved, words[0]) if saved else run.fresh(options))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


@dataclass(frozen=True, slots=True)
class _Run:
    """One apply: how it was asked for, and where it goes. The state is locked."""

    screen: Screen
    workspace: Workspace
    unasked: bool
    allow_behind: bool
    digest: str | None
    parallelism: int
    form: str

    async def fresh(self, options: Options) -> int:
        """Plan, show, ask, send; again from the start where somebody else applied before we could begin."""
        from stemctl.commands import connection, plan, validate
        from stemctl.commands.ancestry import refuse_behind
        from stemctl.commands.workspace import check_writable
        from stemctl.state.backend import StateMoved

        loaded = validate.load(self.workspace.config, self.workspace.catalog)
        check_writable(self.workspace, (address.model for address in loaded.repository.records))
        async with connection.connect(self.workspace, self.parallelism) as link:
            while True:
                await self._until_free()
                planned = checked(await plan.plan(self.workspace, link.reader(), loaded, options))
                if not self.allow_behind:
                    refuse_behind(planned.since)
                if self.form == "text":
                    show_text(
                        self.screen, self.workspace, planned, advise=not planned.plan.actionable()
                    )
                self._check_digest(planned.plan)
                if not self.unasked:
                    self._check_visible()
                    with interruptible():
                        agreed = _ask(self.workspace, planned)
                    if agreed is None:
                        self.screen.note("Nothing was sent.")
                        return 1
                    planned = agreed
                try:
                    return await self._send(
                        link, planned.plan, planned.state, planned.snapshot.ids()
                    )
                except StateMoved as moved:
                    self.settling(moved.settled)
                    self.screen.note("The state has moved on, planning anew.\n")

    async def saved(self, plan: Plan, name: str) -> int:
        """Send a plan that was kept, exactly as it is, once."""
        from stemctl.commands import connection
        from stemctl.commands.ancestry import refuse_behind, since_applied
        from stemctl.commands.workspace import check_writable
        from stemctl.core.saved_plan import check_fits
        from stemctl.render.text.plan_text import where_line
        from stemctl.state.backend import StateMoved

        state = self.workspace.store.read()
        check_fits(plan, self.workspace.target, state, self.workspace.catalog, name)
        check_writable(
            self.workspace, (change.address.model for change in plan.changes if change.sends)
        )
        if not self.allow_behind:
            refuse_behind(since_applied(self.workspace, state, plan.commit))
        self._check_digest(plan)
        if self.form == "text":
            self.screen.out(where_line(self.workspace.target, self.workspace.database))
        async with connection.connect(self.workspace, self.parallelism) as link:
            try:
                return await self._send(link, plan, state)
            except StateMoved as moved:
                self.settling(moved.settled)
                check_fits(
                    plan,
                    self.workspace.target,
                    self.workspace.store.read(),
                    self.workspace.catalog,
                    name,
                )
                raise

    def _check_visible(self) -> None:
        if self.screen.mute:
            raise ConfigError(
                "The question cannot be shown: stderr takes no output.", "Nothing was sent."
            )

    async def _until_free(self) -> None:
        """Wait for the run of another machine, and settle it if it died."""
        from stemctl.cli.waiting import Waiting
        from stemctl.commands import apply

        waiting = Waiting(self.screen, self.workspace.store.where)
        try:
            self.settling(await apply.until_free(self.workspace, waiting.see))
        finally:
            waiting.over()

    def settling(self, broken: Run | None) -> None:
        """Tell of a run that broke off, and that we have taken over from."""
        from stemctl.render.text.run_text import settling_text

        if broken is not None:
            self.screen.note(settling_text(broken))

    def _check_digest(self, plan: Plan) -> None:
        if self.digest and not plan.digest.removeprefix("sha256:").startswith(self.digest):
            raise ConfigError(
                f"The plan has another digest than {self.digest}.",
                f"It has {plan.digest}: something is different since that one was made. Nothing was sent.",
                [("stemctl plan", "shows it as it is now")],
            )

    async def _send(self, link: Link, plan: Plan, state: State, seen: Iterable[str] = ()) -> int:
        began = time.monotonic()
        applied = await self._carry_out(link, plan, state, seen)
        seconds, report = time.monotonic() - began, applied.report
        self.screen.did = _done(report, seconds)
        self._summarize(report, seconds)
        if applied.problem is None or self.form != "json":  # else the problem is the one document
            self._show(applied, seconds)
        if applied.problem is not None:
            raise applied.problem
        return report.exit_code

    def _summarize(self, report: Report, seconds: float) -> None:
        from stemctl.render.report_markdown import report_markdown

        style = self.screen.style(self.workspace.catalog)
        self.screen.summarize(lambda most: report_markdown(report, style, seconds, most))

    def _show(self, applied: Applied, seconds: float) -> None:
        from stemctl.core.documents import report_document
        from stemctl.render.github import report_github
        from stemctl.render.text.report_text import report_last, report_text

        report, style = applied.report, self.screen.style(self.workspace.catalog)
        saved = None if applied.problem else self.workspace.store.where
        if self.form == "json":
            self.screen.document(report_document(report, seconds))
        elif self.form == "github":
            self.screen.annotate(lambda folder: report_github(report, folder, style.words))
            self.screen.out(report_last(report, style, seconds, saved))
        elif report.outcomes and (report.plan.actionable() or report.exit_code not in (0, 1)):
            self.screen.out(report_text(report, style, seconds, saved))

    async def _carry_out(
        self, link: Link, plan: Plan, state: State, seen: Iterable[str]
    ) -> Applied:
        from stemctl.cli.progress import Progress
        from stemctl.cli.waiting import Waiting
        from stemctl.commands import apply

        if not (plan.actionable() or plan.state_changes):
            return apply.left_alone(self.workspace, plan, state)
        waiting = Waiting(self.screen, self.workspace.store.where)
        try:
            journal = await apply.begin(self.workspace, plan, waiting.see)
        finally:
            waiting.over()
        host = self.workspace.server.host or self.workspace.server.name
        shown = self.form != "json" and not self.screen.quiet
        with (
            Progress(len(plan.actionable()), host, self.parallelism, shown) as progress,
            _interrupts(self.screen) as watch,
        ):
            link.limiter.on_pause = progress.paused
            self.screen.did = "requests were sent; the next apply looks up what became of them."
            return await apply.apply(
                self.workspace,
                link.writer(),
                journal,
                state,
                progress.outcome,
                self.parallelism,
                watch,
                seen,
            )


def _done(report: Report, seconds: float) -> str:
    """What a run has written, on the server or in the state; empty if nothing."""
    from stemctl.core.report import Status
    from stemctl.render.text.report_text import report_summary

    wrote = report.run and report.of(Status.APPLIED, Status.PROPOSED, Status.UNKNOWN)
    return report_summary(report, seconds) if wrote else ""


def _ask(workspace: Workspace, planned: Planned) -> Planned | None:
    """Ask for each permission that something is held for, then for the whole; None if the answer is no."""
    from stemctl.cli.questions import ask_permissions, ask_to_send
    from stemctl.commands.plan import replan

    where = workspace.server.host or workspace.server.name
    granted = ask_permissions(planned.plan, where)
    if granted:
        planned = checked(replan(workspace, planned, granted))
    if not planned.plan.actionable():
        return planned
    return planned if ask_to_send(planned.plan, where) else None


@contextlib.contextmanager
def _interrupts(screen: Screen) -> Iterator[_Watch]:
    """The first Ctrl-C lets what is in flight finish, the second leaves at once. A CI job that is
    cancelled gets SIGTERM, which means the same.
    """
    watch, loop = _Watch(screen), asyncio.get_running_loop()
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, watch.interrupt)
    except (
        NotImplementedError
    ):  # Windows: Ctrl-C ends the run as Python does, and the state is saved all the same
        yield watch
        return
    try:
        yield watch
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


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
        self._screen.note(
            "\nNo new requests. Waiting for those in flight; Ctrl-C again leaves at once."
        )
