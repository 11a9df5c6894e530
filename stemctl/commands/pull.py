"""pull: take over what is on the server: into files, and with its ids into the state.

Files are written first, then the state. Between the two, a plan finds new records by their names,
or holds them, and sends nothing; a state that is ahead of the files would look like records that
left the files, which an apply may delete. The next pull finishes what was begun.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.client.query import make_query
from stemctl.commands.connection import connect
from stemctl.commands.event_loop import run_async
from stemctl.commands.loading import load
from stemctl.commands.pull_reading import matching_ids, read_sides
from stemctl.commands.pull_targets import check_found, check_named, only_model, select
from stemctl.commands.rewrite import Written, sources_of
from stemctl.commands.workspace import Workspace
from stemctl.config.file_templates import FileTemplate
from stemctl.core.diagnostics import Diagnostic, InvalidFiles, has_errors
from stemctl.core.records import Address, Repository
from stemctl.core.rewrite import Rewrite
from stemctl.core.snapshot import Completeness, Snapshot
from stemctl.core.state import State
from stemctl.core.state_codec import same_entries
from stemctl.errors import Untouched
from stemctl.manifests.draft import Draft
from stemctl.manifests.file_defaults import FileDefaults
from stemctl.manifests.sources import Sources
from stemctl.planning.bindings import Binding, Bound
from stemctl.planning.matching import identify
from stemctl.schema.models import Model
from stemctl.takeover.by_content import match_by_content, with_ids
from stemctl.takeover.live_addresses import in_no_file
from stemctl.takeover.manifest import NewRecords, World, new_records
from stemctl.takeover.new_base import state_after
from stemctl.takeover.pull_selection import Selection
from stemctl.takeover.record_files import RecordFiles
from stemctl.takeover.sides import Sides
from stemctl.takeover.take import REFUSED, Left, Takeover, take_declared
from stemctl.takeover.take_new import take_new
from stemctl.takeover.text import text_of
from stemctl.takeover.unbound import Twins
from stemctl.takeover.writing_order import in_writing_order
from stemctl.util import gc_pause
from stemctl.util.plural import counted

Pick = Callable[[Sequence[Twins]], Collection[str]]
"""Asks which records to write of those that have a twin; gives their ids."""


class Request(Struct, frozen=True):
    """What to pull, as the options say."""

    targets: tuple[str, ...] = ()
    everything: bool = False
    filters: tuple[str, ...] = ()
    layout: FileTemplate | None = None
    all_fields: bool = False
    theirs: bool = False


class Pull(Struct):
    """A pull before anything is written: what the files become, and what is left."""

    workspace: Workspace
    sides: Sides
    found: Takeover
    new: Mapping[Address, str]
    rewrite: Rewrite
    state: State
    """The state as it was read."""
    repository: Repository | None
    """What the files declare if all of it is written."""
    everything: bool = False
    is_saved: bool = False
    """Whether the state was written."""
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    """By model, how many records are on the server and in no file."""

    @property
    def is_left(self) -> bool:
        """Whether something was left that is for people to decide."""
        found = self.found
        return bool(found.left or found.twins or found.gone or self.unread)

    @property
    def unread(self) -> tuple[Model, ...]:
        """The selected models that this account cannot read."""
        readings = self.sides.snapshot.readings
        return tuple(
            model
            for model in self.sides.selection.models
            if (reading := readings.get(model.name)) and reading.completeness is Completeness.DENIED
        )

    def number_left(self, written: Written) -> int:
        """How many records were left, or parts of them."""
        found = self.found
        names: set[object] = {left.address for left in found.left} | set(found.gone)
        names |= {id_ for group in found.twins for id_ in group.open}
        names |= {at for refusal in self.rewrite.refused for at in refusal.addresses}
        names |= {record.address for record in self.rewrite.records if record.file in written.left}
        return len(names)

    def number_written(self, written: Written, *, dry_run: bool) -> int:
        """How many records were written, or would be."""
        changed = {change.file for change in self.rewrite.files}
        files = changed if dry_run else set(written.files)
        refused = {at for refusal in self.rewrite.refused for at in refusal.addresses}
        return sum(
            record.file in files and record.address not in refused
            for record in self.rewrite.records
        )


def prepare(workspace: Workspace, request: Request, pick: Pick = lambda twins: ()) -> Pull:
    """Read files, state and server, and decide. Nothing is written.

    Raises:
        InvalidFiles: the files have errors.
        StemctlError: something was not read in full, or a target means nothing.
    """
    catalog = workspace.catalog
    if request.theirs:
        check_named(catalog, request.targets, request.everything)
    sources = sources_of(workspace.config, catalog, may_be_empty=True)
    state = workspace.store.read()
    selection = select(workspace, sources.repository, state, request.targets, request.everything)
    with gc_pause.paused():
        snapshot, ids = run_async(_read(workspace, sources.repository, state, selection, request))
        sides = _sides(sources, state, snapshot, selection, request)
        matched = match_by_content(_narrowed(sides, ids) if ids is not None else sides)
        found = _decide(matched.sides, matched.alike)
        if picked := frozenset(pick(found.twins) if found.twins else ()):
            sides = replace(matched.sides, picked=picked)
            found = _decide(sides, matched.alike)
        check_found(selection, found)
        return _drafted(workspace, sources, matched.sides, found, state, request)


async def _read(
    workspace: Workspace,
    repository: Repository,
    state: State,
    selection: Selection,
    request: Request,
) -> tuple[Snapshot, Mapping[str, frozenset[str]] | None]:
    """What the server has, and with filters the ids that match them."""
    catalog = workspace.catalog
    model = only_model(catalog, request.targets) if request.filters else None
    query = make_query(model, request.filters, (), ()) if model else None
    async with connect(workspace) as link:
        client = link.reader()
        snapshot = await read_sides(client, repository, state, selection)
        if model is None or query is None:
            return snapshot, None
        return snapshot, {model.name: await matching_ids(client, model, query.filters)}


def _sides(
    sources: Sources, state: State, snapshot: Snapshot, selection: Selection, request: Request
) -> Sides:
    catalog, repository = sources.catalog, sources.repository
    identities = identify(repository, state, snapshot, catalog)
    if has_errors(identities.diagnostics):
        summary = f"The files have errors. {Untouched.NOTHING_WRITTEN}"
        raise InvalidFiles(identities.diagnostics, summary)
    return Sides(
        catalog,
        repository,
        state,
        snapshot,
        identities,
        selection,
        sources.written,
        theirs=request.theirs,
        all_fields=request.all_fields,
    )


def _narrowed(sides: Sides, ids: Mapping[str, frozenset[str]]) -> Sides:
    """The sides with only the records with these ids selected."""
    exact = frozenset(
        address for (model, id_), address in sides.addresses.items() if id_ in ids.get(model, ())
    )
    return replace(sides, selection=Selection(sides.catalog, exact=exact, ids=ids))


def _decide(sides: Sides, alike: Mapping[tuple[str, str], Address]) -> Takeover:
    found = Takeover()
    take_declared(sides, found)
    take_new(sides, found, alike)
    return found


def _drafted(
    workspace: Workspace,
    sources: Sources,
    sides: Sides,
    found: Takeover,
    state: State,
    request: Request,
) -> Pull:
    """The new texts. Values that the schema refuses are left, and the rest is tried again."""
    new = _new_records(workspace, sources, sides, found, request.layout)
    _name_new(sides, found, new.ids())
    for model, id_, why in new.left:
        found.left.append(Left(Address(model, id_), REFUSED, detail=why))
    for row in new.rows():
        found.left += [Left(row.address, REFUSED, (name,), why) for name, why in row.left_out]
    while True:
        draft = _draft(sources, found, new)
        is_idle = not found.edits and not any((new.new, new.added, new.inside))
        rewrite = Rewrite() if is_idle else draft.finish()
        refused = [one for one in rewrite.problems if _is_of_edit(one, found)]
        if not refused:
            ordered = in_writing_order(rewrite, sides.catalog)
            return Pull(
                workspace,
                sides,
                found,
                new.ids(),
                ordered,
                state,
                draft.repository,
                everything=request.everything,
            )
        for one in refused:
            _leave(found, one)


def _name_new(sides: Sides, found: Takeover, ids: Mapping[Address, str]) -> None:
    """Let edits refer to new records without a unique name by their keys, not by their ids."""
    keys = {(address.model, id_): address.key for address, id_ in ids.items()}
    for address, fields in found.edits.items():
        for row in sides.catalog.models[address.model].references:
            value = fields.get(row.name)
            if isinstance(value, list):
                fields[row.name] = [keys.get((row.to or "", str(one)), one) for one in value]
            elif value is not None:
                fields[row.name] = keys.get((row.to or "", str(value)), value)


def _new_records(
    workspace: Workspace,
    sources: Sources,
    sides: Sides,
    found: Takeover,
    layout: FileTemplate | None,
) -> NewRecords:
    catalog, repository = sides.catalog, sides.repository
    files = RecordFiles(workspace.config, catalog, layout, repository.files)
    bound = {
        key: address for key, address in sides.addresses.items() if address in repository.records
    }
    return new_records(
        World(catalog, sides.snapshot, repository, bound),
        found.new,
        files.file_of,
        FileDefaults(sources),
        lambda file: file in repository.files,
    )


def _draft(sources: Sources, found: Takeover, new: NewRecords) -> Draft:
    draft = Draft(sources)
    for address, fields in found.edits.items():
        for name, value in fields.items():
            draft.set(address, name, value)
    for parent, row in new.inside:
        draft.add_record(row.model.name, row.whole(), parent=parent, remarks=row.all_remarks())
    for file, row in new.added:
        draft.add_record(row.model.name, row.whole(), file, remarks=row.all_remarks())
    for one in new.new:
        draft.add_file(one.file, text_of(one), tuple(row.address for row in one.rows()))
    return draft


def _is_of_edit(problem: Diagnostic, found: Takeover) -> bool:
    address = Address.parse(problem.address) if problem.address else None
    return address is not None and problem.field in found.edits.get(address, ())


def _leave(found: Takeover, problem: Diagnostic) -> None:
    """Leave a value that a file cannot have."""
    address = Address.parse(problem.address or "")
    name = problem.field or ""
    if found.edits.get(address, {}).pop(name, None) is not None:
        found.left.append(Left(address, REFUSED, (name,), problem.message))
    if not found.edits.get(address, True):
        del found.edits[address]


def bind(pull: Pull, written: Written, *, dry_run: bool) -> None:
    """Write ids and bases of what the files have now to the state. The caller holds its lock.
    With `dry_run`, only the numbers are found.

    Raises:
        StateError: it cannot be written, or someone else was faster.
    """
    workspace, sides = pull.workspace, pull.sides
    repository = sides.repository
    if written.left:
        repository = load(workspace.config, workspace.catalog, may_be_empty=True).repository
    elif written.files or dry_run:
        repository = pull.repository or repository
    refused = {address for refusal in pull.rewrite.refused for address in refusal.addresses}
    ids = {
        address: id_
        for address, id_ in (*pull.found.ids.items(), *pull.new.items())
        if address in repository.records and address not in refused
    }
    moved = {address for address in ids if _is_moved(sides.identities.bindings.get(address))}
    state = with_ids(sides.state, {at: id_ for at, id_ in ids.items() if at not in moved})
    identities = identify(repository, state, sides.snapshot, sides.catalog)
    now = replace(sides, repository=repository, state=state, identities=identities)
    is_shared = workspace.server.backend == "git"
    after = state_after(now, [at for at in ids if at in pull.new or not is_shared])
    models = sides.selection.models
    pull.elsewhere = in_no_file(
        repository,
        sides.snapshot,
        identities,
        sides.catalog,
        models,
        is_shared=state.is_shared,
    )
    if dry_run:
        return
    if not same_entries(after.records, pull.state.records) or after.names != pull.state.names:
        workspace.store.write(after, workspace.owner, f"pull: {counted(len(ids), 'record')}")
        pull.is_saved = True


def _is_moved(binding: Binding | None) -> bool:
    """Whether the state has a record under another address, which `moved` gives up."""
    return isinstance(binding, Bound) and binding.previous_address is not None
