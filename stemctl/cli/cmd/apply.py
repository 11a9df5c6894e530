"""apply: send the changes in the files, or a saved plan, to the server."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import click
from msgspec import Struct

from stemctl.apply.scheduler import Apply
from stemctl.cli.command import command, option
from stemctl.cli.options import Digest, allow, exclude, output, resubmit
from stemctl.cli.plan_output import make_options, print_planned
from stemctl.cli.progress import Progress, Waiting
from stemctl.cli.prompts import ask_permissions, ask_to_send, interruptible
from stemctl.cli.screen import Screen
from stemctl.client.limiter import Limiter
from stemctl.commands.apply import ApplyOptions, OnWait, apply_files, apply_saved
from stemctl.commands.execute import Applied
from stemctl.commands.plan import Planned
from stemctl.commands.plan_file import read_plan
from stemctl.commands.workspace import Workspace
from stemctl.core.apply_report import Outcome, Report, Status
from stemctl.core.documents import report_document
from stemctl.core.plan import Plan
from stemctl.core.run import Run
from stemctl.errors import ConfigError, Untouched
from stemctl.render.github import report_github
from stemctl.render.plan_summary import plan_summary
from stemctl.render.report_markdown import report_markdown
from stemctl.render.text.plan_text import where_line
from stemctl.render.text.report_text import report_last, report_summary, report_text
from stemctl.render.text.run_text import settling_text
from stemctl.util.safe_text import visible

_PARALLELISM = 8


@command(
    examples=(
        ("stemctl apply", "shows the plan, asks, and sends it"),
        ("stemctl apply plan.json", "applies a saved plan"),
        (
            "stemctl apply --auto-approve --allow delete=3",
            "asks nothing, and deletes up to three records",
        ),
        ("stemctl apply records/sessions/2024-03.yaml", "applies what one file declares"),
    ),
    exits=(
        ("1", "error, and nothing was written; or you said no"),
        (
            "3",
            "some changes failed, or are held by a conflict, a missing permission other than "
            "revert, or a likely rename",
        ),
    ),
)
@click.argument("targets", metavar="[PLAN|ADDRESS|PATH]...", nargs=-1)
@exclude
@allow
@resubmit
@option(
    "--auto-approve",
    "--yes",
    "-y",
    is_flag=True,
    help="Apply without asking; required without a terminal.",
)
@option(
    "--allow-behind",
    is_flag=True,
    help="Apply even if this commit lacks commits that were already applied.",
)
@option("--digest", type=Digest(), help="Apply only a plan with this digest.")
@option(
    "--parallelism",
    type=click.IntRange(1, 64),
    default=_PARALLELISM,
    show_default=True,
    help="Limit the number of concurrent requests.",
)
@output("text", "json", "github")
@click.pass_obj
def apply(
    screen: Screen,
    targets: tuple[str, ...],
    exclude: tuple[str, ...],
    allowed: tuple[tuple[str, int], ...],
    resubmit: bool,
    auto_approve: bool,
    allow_behind: bool,
    digest: str | None,
    parallelism: int,
    output_format: str,
) -> int:
    """Send the changes in your files to the server.

    Shows the plan and asks for confirmation first. A saved PLAN is applied exactly as it is,
    without confirmation, and once. It is refused if it was edited, if it is for another server, or
    if the state has changed.

    If apply is killed or an answer is lost, run it again: it first looks up what was sent, and
    sends nothing twice.
    """
    targets, exclude = screen.below_root(targets), screen.below_root(exclude)
    saved = read_plan(screen.root, targets[0]) if len(targets) == 1 else None
    if saved is not None and (exclude or allowed or resubmit):
        raise ConfigError(
            "A saved plan is applied exactly as it is.",
            "Use --exclude, --allow and --resubmit when you make the plan.",
            untouched=Untouched.NOTHING_SENT,
        )
    if saved is None and not auto_approve and not sys.stdin.isatty():
        raise _cannot_ask(_same_options(targets, exclude, allowed, parallelism))
    workspace = screen.open()
    options = ApplyOptions(
        auto_approve=auto_approve,
        allow_behind=allow_behind,
        digest=digest,
        parallelism=parallelism,
    )
    view = _TerminalView(screen, workspace, parallelism, output_format)
    if saved is not None:
        return _finish(view, apply_saved(workspace, saved, targets[0], options, view))
    selection = make_options(workspace, allowed, resubmit, only=targets, exclude=exclude)
    return _finish(view, apply_files(workspace, selection, options, view))


def _same_options(
    targets: Sequence[str],
    exclude: Sequence[str],
    allowed: Sequence[tuple[str, int]],
    parallelism: int,
) -> tuple[str, str]:
    """What a plan and an apply of the same changes have to be called with."""
    words = [*targets, *(word for name in exclude for word in ("--exclude", name))]
    words += [word for kind, most in allowed for word in ("--allow", f"{kind}={most}")]
    plan = "".join(f" {shlex.quote(visible(word))}" for word in words)
    return plan, plan if parallelism == _PARALLELISM else f"{plan} --parallelism {parallelism}"


def _cannot_ask(same: tuple[str, str]) -> ConfigError:
    return ConfigError(
        "Cannot ask for confirmation: not a terminal. Use --auto-approve.",
        "",
        [
            (f"stemctl plan{same[0]}", "shows what would be sent"),
            (f"stemctl apply{same[1]} --auto-approve", "sends it without asking"),
        ],
        untouched=Untouched.NOTHING_SENT,
    )


class _TerminalView(Struct, frozen=True):
    """What an apply shows at a terminal or in the log of a job."""

    screen: Screen
    workspace: Workspace
    parallelism: int
    output_format: str

    @property
    def host(self) -> str:
        return self.workspace.server.host or self.workspace.server.name

    def settled(self, run: Run) -> None:
        self.screen.note(settling_text(run))

    @contextlib.contextmanager
    def waiting(self) -> Iterator[OnWait]:
        waiting = Waiting(self.screen, self.workspace.store.where)
        try:
            yield waiting.update
        finally:
            waiting.end()

    def planned(self, planned: Planned) -> None:
        if self.output_format == "text":
            advise = not planned.plan.actionable()
            print_planned(self.screen, self.workspace, planned, advise=advise)

    def saved_plan_fits(self, plan: Plan) -> None:
        if self.output_format == "text":
            self.screen.out(where_line(self.workspace.target, self.workspace.database))
            if not plan.actionable():
                self.screen.out(plan_summary(plan))

    def replanning(self) -> None:
        self.screen.note("The state has changed in the meantime. Planning again.\n")

    def asking(self) -> AbstractContextManager[None]:
        if self.screen.mute:
            raise ConfigError(
                "Cannot ask for confirmation: stderr cannot be written.",
                untouched=Untouched.NOTHING_SENT,
            )
        return interruptible()

    def ask_permissions(self, plan: Plan) -> dict[str, int]:
        return ask_permissions(plan, self.host)

    def ask_to_send(self, plan: Plan) -> bool:
        return ask_to_send(plan, self.host)

    @contextlib.contextmanager
    def sending(self, plan: Plan, limiter: Limiter) -> Iterator[_Observer]:
        shown = self.output_format != "json" and not self.screen.quiet
        with (
            Progress(
                len(plan.actionable()),
                self.host,
                self.parallelism,
                shown=shown,
                colour=self.screen.colour,
            ) as progress,
            _interrupts(_Observer(self.screen, progress.outcome)) as observer,
        ):
            limiter.on_pause = progress.paused
            self.screen.did = "requests were sent; the next apply checks their outcome."
            yield observer


def _finish(view: _TerminalView, applied: Applied | None) -> int:
    """Print what became of the plan."""
    screen = view.screen
    if applied is None:
        screen.note(Untouched.NOTHING_SENT)
        return 1
    report = applied.report
    screen.did = _done(report, applied.seconds)
    style = screen.style(view.workspace.catalog)
    screen.summarize(lambda max_bytes: report_markdown(report, style, applied.seconds, max_bytes))
    # With -o json there is one document, so a problem takes the place of the report.
    if applied.problem is None or view.output_format != "json":
        _print_report(view, applied)
    if applied.problem is not None:
        raise applied.problem
    return report.exit_code


def _print_report(view: _TerminalView, applied: Applied) -> None:
    screen, report, seconds = view.screen, applied.report, applied.seconds
    style = screen.style(view.workspace.catalog)
    state = None if applied.problem else view.workspace.store.where
    if view.output_format == "json":
        screen.document(report_document(report, seconds))
    elif view.output_format == "github":
        screen.annotate(lambda folder: report_github(report, folder, style.words))
        screen.out(report_last(report, style, seconds, state))
    elif report.outcomes and (report.plan.actionable() or report.exit_code not in (0, 1)):
        screen.out(report_text(report, style, seconds, state))


def _done(report: Report, seconds: float) -> str:
    """What a run has written, to the server or to the state; empty if nothing."""
    wrote = report.run and report.of(Status.APPLIED, Status.PROPOSED, Status.UNKNOWN)
    return report_summary(report, seconds) if wrote else ""


@contextlib.contextmanager
def _interrupts(observer: _Observer) -> Iterator[_Observer]:
    """On the first Ctrl-C, let requests in flight finish; on the second, stop at once.

    SIGTERM, which a CI job gets when it is cancelled, has the same effect.
    """
    loop = asyncio.get_running_loop()
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, observer.interrupt)
    except NotImplementedError:
        # On Windows, Ctrl-C raises KeyboardInterrupt, and the journal keeps what was sent.
        yield observer
        return
    try:
        yield observer
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


class _Observer:
    """Follows an execution for the progress line, and interrupts it."""

    def __init__(self, screen: Screen, on_outcome: Callable[[Outcome], None]) -> None:
        self._screen = screen
        self._on_outcome = on_outcome
        self._work: Apply | None = None
        self._task = asyncio.current_task()

    def started(self, work: Apply) -> None:
        self._work = work

    def outcome(self, outcome: Outcome) -> None:
        self._on_outcome(outcome)

    def interrupt(self) -> None:
        if self._work is None or self._work.stop.is_set():
            if self._task is not None:
                self._task.cancel()
            return
        self._work.stop.set()
        self._screen.note(
            "\nStopping: waiting for the requests in flight. Press Ctrl-C again to stop at once."
        )
