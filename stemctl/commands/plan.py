"""What the commands do: strings reading, planning and applying together. No printing here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stemctl.client.client import ReadClient
from stemctl.client.listing import take_snapshot
from stemctl.commands.ancestry import not_committed_since, since_applied
from stemctl.commands.base import Before
from stemctl.commands.connection import connect
from stemctl.commands.validate import Loaded, below, load
from stemctl.commands.workspace import Workspace
from stemctl.core.diagnostics import Diagnostic, has_errors, in_order
from stemctl.core.plan import Note, Plan
from stemctl.core.records import Address, Repository
from stemctl.core.snapshot import Snapshot
from stemctl.core.state import State
from stemctl.errors import ConfigError, InvalidFiles
from stemctl.git.history import CommitRange
from stemctl.git.repository import head_commit
from stemctl.manifests import work_tree
from stemctl.manifests.load import with_lines
from stemctl.manifests.work_tree import CODE
from stemctl.planning import offline
from stemctl.planning.attribution import explain
from stemctl.planning.bindings import Bound
from stemctl.planning.drift import Drift, find_drift
from stemctl.planning.matching import identify
from stemctl.planning.needs import Need, needs, wants_approvals
from stemctl.planning.planner import Options, count_read, make_plan
from stemctl.planning.provenance import Origins, find_origins
from stemctl.planning.references import Resolver, declared_names, wanted_references
from stemctl.planning.selection import choose, spell
from stemctl.render.text.uncommitted_text import commit_notes
from stemctl.util import gc_pause
from stemctl.util.json_types import Fields
from stemctl.util.plural import counted
from stemctl.util.timestamps import utc_now


async def validate_online(
    workspace: Workspace, loaded: Loaded, paths: Sequence[str] = ()
) -> Loaded:
    """The same, with references and names looked up on the server."""
    async with connect(workspace) as link:
        planned = await plan(workspace, link.reader(), Loaded(loaded.repository, ()), Options())
    known = (
        d for d in loaded.diagnostics if d.code != "missing-field"
    )  # what is live is known better now
    return Loaded(loaded.repository, below(paths, in_order([*known, *planned.plan.diagnostics])))


def referred_to(workspace: Workspace) -> Mapping[str, list[Fields]]:
    """What the manifests refer to and do not declare, as a seed: the name, and in every required
    text the name.
    """
    repository = load(workspace.config, workspace.catalog).repository
    names = declared_names(repository, workspace.catalog)
    seed: dict[str, list[Fields]] = {}
    for name, wanted in sorted(
        wanted_references(repository.records.values(), names, workspace.catalog).items()
    ):
        model = workspace.catalog.models.get(name)
        if model is not None and model.identity:
            texts = [row.name for row in model.managed if row.required and row.kind == "text"]
            seed[model.many] = [
                dict.fromkeys([model.identity, *texts], text) for text in sorted(wanted)
            ]
    return seed


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with what it was made from."""

    plan: Plan
    repository: Repository
    snapshot: Snapshot
    state: State
    options: Options
    since: CommitRange
    notes: tuple[Note, ...] = ()
    """What its commit is to be known for; these are in the plan too."""


async def plan(
    workspace: Workspace, client: ReadClient, loaded: Loaded, options: Options
) -> Planned:
    """Read what the files need of the server and compare. The client that comes in cannot write by
    its type.

    Raises:
        InvalidFiles: the files have errors; nothing was read.
    """
    repository, catalog = loaded.repository, workspace.catalog
    with gc_pause.paused():
        state, options, chosen = _asked_for(workspace, loaded, options)
        wanted = needs(repository, state, catalog, chosen)
        began = utc_now()
        snapshot = await take_snapshot(client, wanted, wants_approvals(repository, catalog, chosen))
        snapshot = replace(snapshot, began=began)
        made = make_plan(repository, state, snapshot, catalog, workspace.target, options)
    return _planned(workspace, loaded, made, snapshot, state, options)


def plan_offline(workspace: Workspace, loaded: Loaded, options: Options) -> Planned:
    """Compare with the state alone: no server is asked, and no token is needed.

    Raises:
        InvalidFiles: the files have errors.
    """
    state, options, chosen = _asked_for(workspace, loaded, options)
    made = offline.plan_offline(
        loaded.repository, state, workspace.catalog, workspace.target, options, chosen
    )
    return _planned(workspace, loaded, made, Snapshot({}), state, options)


def _asked_for(
    workspace: Workspace, loaded: Loaded, options: Options
) -> tuple[State, Options, frozenset[Address]]:
    """The state, the options with addresses spelled out, and what they choose."""
    if has_errors(loaded.diagnostics):
        raise InvalidFiles(loaded.diagnostics, "The files have errors; nothing was read or sent.")
    repository, state, catalog = loaded.repository, workspace.store.read(), workspace.catalog
    only = spell(options.only, repository, state, catalog)
    options = replace(
        options, only=only, exclude=spell(options.exclude, repository, state, catalog)
    )
    return state, options, choose(repository, state, options.only, options.exclude)


def _planned(
    workspace: Workspace,
    loaded: Loaded,
    made: Plan,
    snapshot: Snapshot,
    state: State,
    options: Options,
) -> Planned:
    """A plan with the findings of the files beside its own, with its commit, and with what it was
    made from.
    """
    root = workspace.config.root
    lined = with_lines(root, in_order([*made.diagnostics, *loaded.diagnostics]))
    commit = head_commit(root)
    uncommitted = work_tree.uncommitted(root, loaded.tracked) if commit and loaded.tracked else ()
    made = replace(made, diagnostics=lined, commit=commit, uncommitted=uncommitted)
    notes = tuple(commit_notes(made, state, not_committed_since(workspace, state, commit)))
    made = replace(made, notes=(*made.notes, *notes))
    since = since_applied(workspace, state, commit)
    return Planned(made, loaded.repository, snapshot, state, options, since, notes)


def split_by_base(workspace: Workspace, planned: Planned, before: Before) -> Planned:
    """The plan with what the difference of the files explains told apart from what it does not."""
    made = explain(
        planned.plan, before.base, before.repository, planned.repository, workspace.catalog
    )
    return replace(planned, plan=replace(made, notes=(*made.notes, *before.notes)))


def replan(workspace: Workspace, planned: Planned, allow: Mapping[str, int]) -> Planned:
    """The same readings planned again with more permissions."""
    before, options = (
        planned.plan,
        replace(planned.options, allow={**planned.options.allow, **allow}),
    )
    made = make_plan(
        planned.repository,
        planned.state,
        planned.snapshot,
        workspace.catalog,
        workspace.target,
        options,
    )
    made = replace(
        made,
        diagnostics=before.diagnostics,
        commit=before.commit,
        uncommitted=before.uncommitted,
        notes=(*made.notes, *planned.notes),
    )
    return replace(planned, plan=made, options=options)


def what_was_read(workspace: Workspace, planned: Planned) -> str:
    """`Read 2 files with 3 records. On the server: 1 project, 3 sensory stimulus types.`"""
    files, records = len(planned.repository.files), len(planned.repository.records)
    server = ", ".join(count_read(planned.snapshot, workspace.catalog))
    there = f" On the server: {server}." if server else ""
    if planned.plan.offline:
        there = f" The state has {counted(len(planned.state.records), 'record')}."
    return f"Read {counted(files, 'file')} with {counted(records, 'record')}.{there}"


def _all_here(loaded: Loaded) -> None:
    """Refuse files of which git has some that are not here; other errors do not matter to who only
    looks.
    """
    absent = tuple(found for found in loaded.diagnostics if found.code == CODE)
    if absent:
        raise InvalidFiles(absent, "Some of the files are not here; nothing was read or sent.")


async def drift(workspace: Workspace, client: ReadClient, loaded: Loaded) -> Drift:
    """Compare what was observed when it was applied with what is live now.

    Raises:
        InvalidFiles: some of them are tracked, and not here.
    """
    _all_here(loaded)
    state, catalog = workspace.store.read(), workspace.catalog
    wanted: dict[str, Need] = {}
    for address, entry in state.records.items():
        if entry.id and address.model in catalog.models:
            wanted.setdefault(address.model, Need()).ids[entry.id] = None
    for name in list(wanted):
        for row in catalog.models[name].references:
            if row.to and row.to in catalog.models:
                wanted.setdefault(row.to, Need())  # so that ids are shown as names
    snapshot = await take_snapshot(client, wanted, [])
    resolver = _resolver(workspace, loaded.repository, state, snapshot)
    return find_drift(loaded.repository, state, snapshot, catalog, resolver)


async def origins(workspace: Workspace, client: ReadClient, loaded: Loaded, word: str) -> Origins:
    """One record of the files or the state, and the server's side of it.

    Raises:
        ConfigError: the word means no record, or several.
        InvalidFiles: some files are tracked, and not here.
    """
    _all_here(loaded)
    repository, state, catalog = loaded.repository, workspace.store.read(), workspace.catalog
    only = spell([word], repository, state, catalog)
    chosen = sorted(choose(repository, state, only, ()))
    if len(chosen) > 1:
        raise ConfigError(
            f"{word} means {len(chosen)} records.",
            f"Name one: {', '.join(map(str, chosen[:5]))}, ...",
        )
    (address,) = chosen
    snapshot = await take_snapshot(client, needs(repository, state, catalog, {address}), [])
    resolver = _resolver(workspace, repository, state, snapshot)
    binding = resolver.identities.bindings.get(address)
    entry = state.records.get(address)
    live = binding.live if isinstance(binding, Bound) else None
    if live is None and entry and entry.id and address.model in snapshot.readings:
        live = snapshot.readings[address.model].records.get(entry.id)
    return find_origins(
        address,
        catalog.models[address.model],
        repository.records.get(address),
        entry,
        live,
        resolver,
    )


def _resolver(
    workspace: Workspace, repository: Repository, state: State, snapshot: Snapshot
) -> Resolver:
    identities = identify(repository, state, snapshot, workspace.catalog)
    return Resolver(workspace.catalog, repository, snapshot, state, identities)


def wrong_files(plan: Plan) -> tuple[Diagnostic, ...]:
    """The findings of a plan that stand in the user's files; with errors among them nothing is sent."""
    return tuple(d for d in plan.diagnostics if d.location is not None)
