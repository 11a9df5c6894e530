"""The plan: declared records, the state and what the server holds, put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic, Severity, in_order
from stemctl.core.plan import PERMISSIONS, Action, Change, Note, Plan, StateChange, Subset, Target
from stemctl.core.records import Address, Record, Repository
from stemctl.core.snapshot import Completeness, Snapshot
from stemctl.core.state import Entry, State
from stemctl.manifests.validation import missing_fields
from stemctl.planning.administrators import by_administrators
from stemctl.planning.bindings import Absent, Ambiguous, Bound, Identities, Lives
from stemctl.planning.compare import Permissions, RecordComparer
from stemctl.planning.deletes import Departures
from stemctl.planning.in_doubt import ambiguous_change, settled_rows
from stemctl.planning.likely_renames import hold_renames
from stemctl.planning.moved_entries import carry_over
from stemctl.planning.ordering import in_order as put_in_order
from stemctl.planning.ordering import references_removed
from stemctl.planning.other_editions import records_without_model
from stemctl.planning.record_change import Comparison
from stemctl.planning.references import Resolver
from stemctl.planning.selection import choose
from stemctl.planning.similar_names import similar_names
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.plural import counted

DEFAULT_LIMIT = 10
"""How many records of one run a permission covers if it names no number."""


class Options(Struct, frozen=True):
    """What the user asks for.

    `allow` maps a permission to the highest number of records of one run that it covers. `only` and
    `exclude` are addresses, patterns of them, and paths of files and folders.
    """

    allow: Mapping[str, int] = field(default_factory=dict)
    resubmit: bool = False
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


Granted = Mapping[Address, frozenset[str]]
"""The permissions that each record has."""


def make_plan(
    repository: Repository,
    state: State,
    snapshot: Snapshot,
    identities: Identities,
    *,
    catalog: Catalog,
    target: Target,
    options: Options,
) -> Plan:
    """Compare everything and decide what to do. `identities` come from `matching.identify`.

    If something is allowed, the plan is made twice: first to count the records that each permission
    would cover, since none is allowed above its number, then with the permissions that remain.
    """
    planner = _Planner(
        repository,
        state,
        snapshot,
        catalog=catalog,
        target=target,
        options=options,
        identities=identities,
        chosen=choose(repository, state, options.only, options.exclude),
    )
    plan = planner.plan({})
    granted, notes = _grants(plan, options.allow)
    if granted:
        plan = planner.plan(granted)
    return replace(plan, notes=(*plan.notes, *notes))


def _grants(plan: Plan, allow: Mapping[str, int]) -> tuple[Granted, list[Note]]:
    """The permissions of each record, and a note per permission that covers too few records."""
    granted: dict[Address, frozenset[str]] = {}
    notes = []
    for kind in PERMISSIONS:
        held = [
            change.address
            for change in plan.changes
            if change.held is kind or any(field.held is kind for field in change.fields)
        ]
        if not held or kind not in allow:
            continue
        if len(held) > allow[kind]:
            affected = counted(len(held), "record is", "records are")
            notes.append(
                Note(
                    None,
                    f"{kind}: {affected} affected, but the limit for one run is {allow[kind]}, "
                    "so all are held",
                )
            )
            continue
        for address in held:
            granted[address] = granted.get(address, frozenset()) | {kind}
    return granted, notes


_NO_PERMISSION: frozenset[str] = frozenset()


class _Planner(Struct):
    repository: Repository
    state: State
    snapshot: Snapshot
    catalog: Catalog
    target: Target
    options: Options
    identities: Identities
    chosen: Set[Address]

    def plan(self, granted: Granted) -> Plan:
        resolver = Resolver(
            self.catalog,
            self.repository,
            self.snapshot,
            state=self.state,
            identities=self.identities,
        )
        comparisons = self._compared(resolver, granted)
        left = list(self._left_files(resolver, granted, comparisons))
        changes, cycles = self._ordered(comparisons, left)
        state_changes = [
            *(result.state_change for result in comparisons.values() if result.state_change),
            *(found for found in left if isinstance(found, StateChange)),
        ]
        notes = [
            *(note for result in comparisons.values() for note in result.notes),
            *(found for found in left if isinstance(found, Note)),
            *self._not_readable(),
            *self._read_only(changes),
            *records_without_model(self.state, self.catalog),
            *by_administrators(changes, self.catalog),
        ]
        diagnostics = [
            *self.identities.diagnostics,
            *(found for result in comparisons.values() for found in result.diagnostics),
            *cycles,
            *resolver.diagnostics,
            *similar_names(changes, self.snapshot, self.catalog),
            *self._incomplete(),
        ]
        settled = settled_rows(
            self.state,
            self.identities,
            self.catalog,
            changes=changes,
            state_changes=state_changes,
            chosen=self.chosen,
        )
        return Plan(
            self.target,
            self.state.lineage,
            self.state.serial,
            changes,
            tuple(sorted(state_changes, key=lambda row: row.address)),
            unchanged=self._unchanged(comparisons),
            ignored_fields=sum(result.ignored for result in comparisons.values()),
            settled=tuple(settled),
            notes=tuple(sorted(notes, key=lambda note: (note.address or _NOWHERE, note.text))),
            diagnostics=in_order(diagnostics),
            names={
                model: dict(sorted(names.items())) for model, names in sorted(resolver.used.items())
            },
            subset=self._subset(),
        )

    def _compared(self, resolver: Resolver, granted: Granted) -> dict[Address, Comparison]:
        """The comparison of each chosen record."""
        comparer = RecordComparer(self.catalog, self.snapshot, resolver)
        compared = {}
        for address, record in self.repository.records.items():
            if address in self.chosen:
                allowed = granted.get(address, _NO_PERMISSION)
                compared[address] = self._compare(record, comparer, allowed)
        return compared

    def _compare(
        self, record: Record, comparer: RecordComparer, granted: frozenset[str]
    ) -> Comparison:
        permissions = Permissions(granted, self.options.resubmit)
        match self.identities.bindings[record.address]:
            case Bound() as binding:
                return comparer.update(record, binding, permissions)
            case Absent() as binding:
                model = self.catalog.models[record.address.model]
                missing = tuple(
                    missing_fields(record, model, parent=self.repository.around(record))
                )
                if missing:
                    return Comparison(diagnostics=missing)
                return comparer.create(record, binding, permissions)
            case Ambiguous() as binding:
                model = self.catalog.models[record.address.model]
                return Comparison(ambiguous_change(record, binding, model, comparer.resolver))
            case _:
                return Comparison()

    def _left_files(
        self, resolver: Resolver, granted: Granted, comparisons: Mapping[Address, Comparison]
    ) -> Iterator[Change | StateChange | Note]:
        """What becomes of the state entries that no file declares any more."""
        leftovers = {
            address: entry
            for address, entry in self.identities.leftovers.items()
            if address.model in self.catalog.models
        }
        if not leftovers:
            return
        pulled = 0
        departures = Departures(
            self.repository,
            self.snapshot,
            self.catalog,
            resolver,
            self.chosen,
            entries=leftovers,
            removed=self._removed(comparisons),
        )
        for address, entry in leftovers.items():
            if address in self.chosen:
                allowed = granted.get(address, _NO_PERMISSION)
                found = departures.leave(address, entry, allowed)
                if isinstance(found, Change) and self._is_not_here_yet(found, entry):
                    pulled += 1
                elif found is not None:
                    yield found
        if pulled:
            verb = "record is" if pulled == 1 else "records are"
            yield Note(None, _NOT_HERE_YET.format(f"{pulled:,} {verb}"))

    def _is_not_here_yet(self, change: Change, entry: Entry) -> bool:
        """Whether a record is in no file because its file is not merged yet: a pull bound it in
        a shared state, and the files that the pull wrote may not be merged yet.
        """
        is_asked_for = change.action is Action.FORGET or change.location is not None
        return self.state.is_shared and entry.is_pulled and not is_asked_for

    def _removed(
        self, comparisons: Mapping[Address, Comparison]
    ) -> dict[tuple[str, str], set[str]]:
        """(model, id) of records to the ids of those that a change takes off them."""
        removed: dict[tuple[str, str], set[str]] = {}
        for address, result in comparisons.items():
            binding = self.identities.bindings[address]
            if result.change is None or not isinstance(binding, Bound):
                continue
            model = self.catalog.models[address.model]
            for target in references_removed(result.change, model, binding.live):
                removed.setdefault(target, set()).add(binding.id)
        return removed

    def _ordered(
        self, comparisons: Mapping[Address, Comparison], left: Iterable[object]
    ) -> tuple[tuple[Change, ...], tuple[Diagnostic, ...]]:
        """All changes in their order, and the cycles among them."""
        changes = [result.change for result in comparisons.values() if result.change]
        changes += [found for found in left if isinstance(found, Change)]
        lives = Lives(self.identities, self.snapshot.readings)
        changes = carry_over(changes, self.repository, lives, self.catalog)
        held = list(hold_renames(changes, lives, self.catalog))
        return put_in_order(held, lives, self.catalog)

    def _unchanged(self, comparisons: Mapping[Address, Comparison]) -> int:
        """How many records are live and need no change."""
        bindings = self.identities.bindings
        return sum(
            result.change is None and isinstance(bindings[address], Bound)
            for address, result in comparisons.items()
        )

    def _subset(self) -> Subset:
        everything = {*self.repository.records, *self.state.records}
        return Subset(self.options.only, self.options.exclude, len(everything - self.chosen))

    def _not_readable(self) -> Iterator[Note]:
        """The records that this account is not allowed to read."""
        for address, entry in self.identities.entries.items():
            reading = self.snapshot.readings.get(address.model)
            if address in self.chosen and reading is not None and entry.id in reading.hidden:
                record = self.repository.records.get(address)
                text = "you are not allowed to read it (403), so it is neither compared nor changed"
                yield Note(address, text, record.location if record else None)

    def _read_only(self, changes: Iterable[Change]) -> Iterator[Note]:
        """A portal through which nothing can be written."""
        models = {change.address.model for change in changes if change.sends}
        portal = self.target.portal
        if any(portal not in self.catalog.models[name].write_portals for name in models):
            text = f"the portal {portal} is read-only: to apply, set another portal in stemctl.yaml"
            yield Note(None, text)

    def _incomplete(self) -> Iterator[Diagnostic]:
        """The models that were not read completely, so nothing of them is created or deleted."""
        for name, reading in sorted(self.snapshot.readings.items()):
            if not reading.sound:
                model = self.catalog.models[name]
                denied = reading.completeness is Completeness.DENIED
                yield Diagnostic(
                    Severity.ERROR,
                    "incomplete-reading",
                    f"{model.count(2)[2:]} could not {'' if denied else 'all '}be read: "
                    f"{reading.reason}",
                    remedy=self._if_denied(model) if denied else _if_partial(model),
                    field=name,
                )

    def _if_denied(self, model: Model) -> str:
        return (
            f"the portal is {self.target.portal}: use one that your account can read, or another "
            f"account; until then no {model.words} is created, changed or deleted"
        )


_NOT_HERE_YET = (
    "{} in the state since a pull, but in none of these files, which may not be merged yet; to "
    "delete or forget one, list it under deleted: or forget:"
)
_NOWHERE = Address("", "")


def _if_partial(model: Model) -> str:
    return f"try again; until then no {model.words} is created or deleted"
