"""plan: read the files, the state and the server, and compare them. Nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from stemctl.client.client import ReadClient
from stemctl.client.listing import take_snapshot
from stemctl.commands.ancestry import not_committed_since, since_applied
from stemctl.commands.base import Before
from stemctl.commands.connection import connect
from stemctl.commands.event_loop import going_on
from stemctl.commands.head_start import HeadStart, head_start
from stemctl.commands.loading import Loaded, loading
from stemctl.commands.targets import spell_targets
from stemctl.commands.workspace import Workspace
from stemctl.config.config import SANDBOX
from stemctl.core.diagnostics import InvalidFiles, has_errors, in_order
from stemctl.core.plan import Note, Plan
from stemctl.core.records import Address, Repository
from stemctl.core.snapshot import Snapshot
from stemctl.core.state import State
from stemctl.errors import StemctlError, Untouched
from stemctl.git.history import CommitRange
from stemctl.git.repository import head_commit
from stemctl.manifests import work_tree
from stemctl.manifests.load import with_lines
from stemctl.planning import attribution, offline
from stemctl.planning.bindings import Identities
from stemctl.planning.matching import identify
from stemctl.planning.needs import needs, wants_approvals
from stemctl.planning.planner import Options, make_plan
from stemctl.planning.selection import choose
from stemctl.planning.shared_fields import with_shared_fields
from stemctl.render.text.uncommitted_text import commit_notes
from stemctl.util import gc_pause
from stemctl.util.timestamps import utc_now


class Planned(Struct, frozen=True):
    """A plan with what it was made from."""

    plan: Plan
    repository: Repository
    snapshot: Snapshot
    identities: Identities
    state: State
    options: Options
    since: CommitRange
    notes: tuple[Note, ...] = ()
    """Notes about the commit, which are also in the plan; `replan` keeps them."""


async def plan_online(workspace: Workspace, options: Options) -> Planned:
    """Load the files, connect to the server, and plan.

    Raises:
        InvalidFiles: the files have errors, perhaps some that only the server reveals.
    """
    async with going_on(loading(workspace.config, workspace.catalog)) as files:
        if files.done() or workspace.server.is_sandbox:
            loaded = await files
            async with connect(workspace) as link:
                return checked(await plan(workspace, link.reader(), loaded, options))
        try:
            async with head_start(workspace, not (options.only or options.exclude)) as ahead:
                loaded = await files
                client = ahead.link.reader()
                return checked(await plan(workspace, client, loaded, options, ahead))
        except StemctlError:
            _refuse_errors(await files, Untouched.NOTHING_SENT)  # they come before what failed
            raise


async def plan(
    workspace: Workspace,
    client: ReadClient,
    loaded: Loaded,
    options: Options,
    ahead: HeadStart | None = None,
) -> Planned:
    """Read from the server what the files need, and compare. The type of the client cannot write.
    Some of it may have begun `ahead`.

    Raises:
        InvalidFiles: the files have errors; nothing was read.
    """
    repository, catalog = loaded.repository, workspace.catalog
    with gc_pause.paused():
        state, options, chosen = _selected(
            workspace, loaded, options, ahead.take_state() if ahead else None
        )
        began = ahead.began if ahead else utc_now()
        snapshot = await take_snapshot(
            client,
            needs(repository, state, catalog, chosen),
            wants_approvals(repository, catalog, chosen),
            ahead.lists if ahead else {},
        )
        snapshot = replace(snapshot, began=began)
        identities = identify(repository, state, snapshot, catalog)
        made = make_plan(
            repository,
            state,
            snapshot,
            identities,
            catalog=catalog,
            target=workspace.target,
            options=options,
        )
    return _planned(
        workspace,
        loaded,
        made,
        snapshot=snapshot,
        identities=identities,
        state=state,
        options=options,
    )


def plan_offline(workspace: Workspace, loaded: Loaded, options: Options) -> Planned:
    """Compare with the state alone, without a server or a token.

    Raises:
        InvalidFiles: the files have errors.
    """
    state, options, chosen = _selected(workspace, loaded, options)
    made = offline.plan_offline(
        loaded.repository,
        state,
        workspace.catalog,
        target=workspace.target,
        options=options,
        chosen=chosen,
    )
    return _planned(
        workspace,
        loaded,
        made,
        snapshot=Snapshot({}),
        identities=Identities({}, {}),
        state=state,
        options=options,
    )


def _selected(
    workspace: Workspace, loaded: Loaded, options: Options, state: State | None = None
) -> tuple[State, Options, frozenset[Address]]:
    """The state, the options with full addresses, and the addresses that they select."""
    _refuse_errors(loaded)
    repository = loaded.repository
    state = with_shared_fields(state or workspace.store.read(), repository)
    only = spell_targets(workspace, repository, state, options.only)
    exclude = spell_targets(workspace, repository, state, options.exclude)
    options = replace(options, only=only, exclude=exclude)
    return state, options, choose(repository, state, only, exclude)


def _refuse_errors(loaded: Loaded, untouched: Untouched = Untouched.NOTHING_READ) -> None:
    if has_errors(loaded.diagnostics):
        raise InvalidFiles(loaded.diagnostics, f"The files have errors. {untouched}")


def _planned(
    workspace: Workspace,
    loaded: Loaded,
    made: Plan,
    *,
    snapshot: Snapshot,
    identities: Identities,
    state: State,
    options: Options,
) -> Planned:
    """The plan with its commit, the findings about the files beside its own, and its sources."""
    root = workspace.config.root
    lined = with_lines(root, in_order([*made.diagnostics, *loaded.diagnostics]))
    commit = head_commit(root)
    uncommitted = work_tree.uncommitted(root, loaded.tracked) if commit and loaded.tracked else ()
    made = replace(made, diagnostics=lined, commit=commit, uncommitted=uncommitted)
    notes = tuple(commit_notes(made, state, not_committed_since(workspace, state, commit)))
    return Planned(
        plan=replace(made, notes=(*made.notes, *notes)),
        repository=loaded.repository,
        snapshot=snapshot,
        identities=identities,
        state=state,
        options=options,
        since=since_applied(workspace, state, commit),
        notes=notes,
    )


def replan(workspace: Workspace, planned: Planned, allow: Mapping[str, int]) -> Planned:
    """Plan again from the same readings, with more permissions."""
    before = planned.plan
    options = replace(planned.options, allow={**planned.options.allow, **allow})
    made = make_plan(
        planned.repository,
        planned.state,
        planned.snapshot,
        planned.identities,
        catalog=workspace.catalog,
        target=workspace.target,
        options=options,
    )
    made = replace(
        made,
        diagnostics=before.diagnostics,
        commit=before.commit,
        uncommitted=before.uncommitted,
        notes=(*made.notes, *planned.notes),
    )
    return replace(planned, plan=made, options=options)


def split_by_base(workspace: Workspace, planned: Planned, before: Before) -> Planned:
    """Separate the changes made since a commit from those merged but not yet applied."""
    made = attribution.explain(
        planned.plan,
        before.base,
        before=before.repository,
        after=planned.repository,
        catalog=workspace.catalog,
    )
    return replace(planned, plan=replace(made, notes=(*made.notes, *before.notes)))


def checked(planned: Planned) -> Planned:
    """The same plan, if the server did not reveal errors in the user's files.

    Raises:
        InvalidFiles: it did; nothing may be sent.
    """
    findings = tuple(
        finding for finding in planned.plan.diagnostics if finding.location is not None
    )
    if has_errors(findings):
        summary = f"The files have errors. {Untouched.NOTHING_SENT}"
        missing = any(finding.code == "unknown-reference" for finding in findings)
        is_sandbox = planned.plan.server.url == SANDBOX
        raise InvalidFiles(findings, summary, [_SEED] if missing and is_sandbox else [])
    return planned


_SEED = ("stemctl sandbox seed", "adds what the files refer to but do not declare")


def is_incomplete(plan: Plan) -> bool:
    """Whether some model could not be read in full, so that the plan may lack changes."""
    return any(finding.code == "incomplete-reading" for finding in plan.diagnostics)
