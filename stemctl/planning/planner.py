"""The plan: declared records, the state and what the server holds, put together. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace

from stemctl.core.diagnostics import Diagnostic, Severity, in_order
from stemctl.core.plan import PERMISSIONS, Action, Change, Note, Plan, StateChange, Subset, Target
from stemctl.core.records import Address, Record, Repository
from stemctl.core.snapshot import Completeness, Reading, Snapshot
from stemctl.core.state import Entry, State
from stemctl.manifests.validation import missing_fields
from stemctl.planning.compare import Comparison, Permissions, RecordComparer
from stemctl.planning.deletes import hold_renames, leave
from stemctl.planning.doubts import creations
from stemctl.planning.matching import Absent, Ambiguous, Bound, Identities, identify, identity_of
from stemctl.planning.ordering import in_order as put_in_order
from stemctl.planning.references import (
    Resolver,
    declared_names,
    declared_targets,
    wanted_references,
)
from stemctl.planning.selection import choose
from stemctl.planning.settled import settled_rows
from stemctl.planning.undecided import undecided
from stemctl.schema.catalog import Catalog, Model
from stemctl.util.json_types import Fields

DEFAULT_LIMIT = 10
"""How many records one run may delete, revert, replace or cascade with a permission that names no
number.
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asks for. `allow` maps a permission to the most records of one run that it
    covers; `only` and `exclude` are addresses, patterns of them, and paths of files and folders.
    """

    allow: Mapping[str, int] = field(default_factory=dict)
    resubmit: bool = False
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(slots=True)
class Need:
    """What must be read of one model: `names` of records, and `ids` each with the name to try if it
    is gone; or everything, where a record can only be told by its content.
    """

    names: set[str] = field(default_factory=set)
    everything: bool = False
    ids: dict[str, str | None] = field(default_factory=dict)


_NO_ENTRY = Entry()


def needs(
    repository: Repository, state: State, catalog: Catalog, chosen: Set[Address]
) -> dict[str, Need]:
    """Model to what a plan of the chosen addresses must read of it; what they refer to is among it."""
    wanted: dict[str, Need] = {}
    records = {
        address: record for address, record in repository.records.items() if address in chosen
    }
    names = declared_names(repository, catalog)
    targets = {
        address: repository.records[address]
        for address in declared_targets(records.values(), names, catalog)
    }
    for address, record in {**records, **targets}.items():
        need = wanted.setdefault(address.model, Need())
        entry = state.records.get(address, _NO_ENTRY)
        identity = catalog.models[address.model].identity
        name = record.fields.get(identity) if identity else None
        id_ = entry.id or record.id
        if id_ is not None:
            need.ids[id_] = name if isinstance(name, str) else None
        elif isinstance(name, str):
            need.names.add(name.strip())
        need.names |= _names_sent(entry, identity)
        need.everything |= id_ is None and identity is None
    for address, entry in state.records.items():
        if (
            address in repository.records
            or address not in chosen
            or address.model not in catalog.models
        ):
            continue
        need = wanted.setdefault(address.model, Need())
        identity = catalog.models[address.model].identity
        need.names |= _names_sent(entry, identity)
        need.everything |= bool(creations(entry)) and identity is None
        if entry.id:
            need.ids.setdefault(entry.id, None)
    for model, texts in wanted_references(records.values(), names, catalog).items():
        if model in catalog.models:
            wanted.setdefault(model, Need()).names |= texts
    return wanted


def _names_sent(entry: Entry, identity: str | None) -> set[str]:
    """The names under which a record may have been created, where the answer was lost."""
    return {
        str(doubt.body[identity])
        for doubt in creations(entry)
        if identity and doubt.body.get(identity)
    }


def make_plan(
    repository: Repository,
    state: State,
    snapshot: Snapshot,
    catalog: Catalog,
    target: Target,
    options: Options,
) -> Plan:
    """Compare everything and say what to do.

    Planned twice if something is allowed: first to count what each permission would cover, since
    above its number all of that kind is held, then with what is granted.
    """
    planner = _Planner(repository, state, snapshot, catalog, target, options)
    plan = planner.plan({})
    granted, notes = _grants(plan, options.allow)
    if granted:
        plan = planner.plan(granted)
    return replace(plan, notes=(*plan.notes, *notes))


def _grants(
    plan: Plan, allow: Mapping[str, int]
) -> tuple[dict[Address, frozenset[str]], list[Note]]:
    """What each record may do, and a note for each permission that asks for more records than it
    covers.
    """
    granted: dict[Address, frozenset[str]] = {}
    notes = []
    for kind in PERMISSIONS:
        asking = [
            c.address
            for c in plan.changes
            if c.held is kind or any(f.held is kind for f in c.fields)
        ]
        if not asking or kind not in allow:
            continue
        if len(asking) > allow[kind]:
            notes.append(
                Note(
                    None,
                    f"{kind}: {len(asking)} records, more than the {allow[kind]} of one run, so none",
                )
            )
            continue
        for address in asking:
            granted[address] = granted.get(address, frozenset()) | {kind}
    return granted, notes


@dataclass(slots=True)
class _Planner:
    repository: Repository
    state: State
    snapshot: Snapshot
    catalog: Catalog
    target: Target
    options: Options
    identities: Identities = field(init=False)
    chosen: Set[Address] = field(init=False)

    def __post_init__(self) -> None:
        self.identities = identify(self.repository, self.state, self.snapshot, self.catalog)
        self.chosen = choose(self.repository, self.state, self.options.only, self.options.exclude)

    def plan(self, granted: Mapping[Address, frozenset[str]]) -> Plan:
        resolver = Resolver(
            self.catalog, self.repository, self.snapshot, self.state, self.identities
        )
        comparer = RecordComparer(self.catalog, self.snapshot, resolver)
        problems = list(self.identities.diagnostics)
        verdicts = {
            address: self._record(record, comparer, granted.get(address, frozenset()), problems)
            for address, record in self.repository.records.items()
            if address in self.chosen
        }
        left = list(self._leftovers(resolver, granted))
        changes = [v.change for v in verdicts.values() if v.change] + [
            c for c in left if isinstance(c, Change)
        ]
        changes = list(hold_renames(changes, self.catalog))
        ordered, cycles = put_in_order(changes, self.identities, self._lives(), self.catalog)
        state_changes = [v.state_change for v in verdicts.values() if v.state_change]
        state_changes += [b for b in left if isinstance(b, StateChange)]
        notes = [note for v in verdicts.values() for note in v.notes]
        notes += [
            *(note for note in left if isinstance(note, Note)),
            *self._unseen(),
            *self._read_only(ordered),
        ]
        problems += [found for v in verdicts.values() for found in v.diagnostics]
        return Plan(
            self.target,
            self.state.lineage,
            self.state.serial,
            ordered,
            tuple(sorted(state_changes, key=lambda b: b.address)),
            unchanged=sum(
                v.change is None and self._is_live(address) for address, v in verdicts.items()
            ),
            ignored_fields=sum(v.ignored for v in verdicts.values()),
            settled=tuple(
                settled_rows(
                    self.state, self.identities, ordered, state_changes, self.catalog, self.chosen
                )
            ),
            notes=tuple(sorted(notes, key=lambda n: (n.address or Address("", ""), n.text))),
            diagnostics=in_order(
                [
                    *problems,
                    *cycles,
                    *resolver.diagnostics,
                    *self._alike(ordered),
                    *self._incomplete(),
                ]
            ),
            names={
                model: dict(sorted(names.items())) for model, names in sorted(resolver.used.items())
            },
            subset=self._subset(),
        )

    def _is_live(self, address: Address) -> bool:
        return isinstance(self.identities.bindings[address], Bound)

    def _unseen(self) -> Iterator[Note]:
        """Records of which the server only said that this account may not read them."""
        for address, entry in self.identities.entries.items():
            reading = self.snapshot.readings.get(address.model)
            if address in self.chosen and reading is not None and entry.id in reading.hidden:
                record = self.repository.records.get(address)
                text = "this account may not read it (403), so it is neither compared nor changed"
                yield Note(address, text, record.location if record else None)

    def _read_only(self, changes: Iterable[Change]) -> Iterator[Note]:
        """A portal through which nothing can be written."""
        models = {self.catalog.models[c.address.model].name for c in changes if c.sends}
        portal = self.target.portal
        if any(portal not in self.catalog.models[name].write_portals for name in models):
            yield Note(
                None, f"the portal {portal} is read-only: apply needs another one in stemctl.yaml"
            )

    def _subset(self) -> Subset:
        everything = {*self.repository.records, *self.state.records}
        return Subset(self.options.only, self.options.exclude, len(everything - self.chosen))

    def _record(
        self,
        record: Record,
        comparer: RecordComparer,
        granted: frozenset[str],
        problems: list[Diagnostic],
    ) -> Comparison:
        permissions = Permissions(granted, self.options.resubmit)
        match self.identities.bindings[record.address]:
            case Bound() as binding:
                return comparer.update(record, binding, permissions)
            case Absent() as binding:
                missing = list(missing_fields(record, self.catalog.models[record.address.model]))
                problems += missing
                return Comparison() if missing else comparer.create(record, binding, permissions)
            case Ambiguous() as binding:
                return Comparison(
                    undecided(
                        record,
                        binding,
                        self.catalog.models[record.address.model],
                        comparer.resolver,
                    )
                )
            case _:
                return Comparison()

    def _leftovers(
        self, resolver: Resolver, granted: Mapping[Address, frozenset[str]]
    ) -> Iterator[Change | StateChange | Note]:
        for address, entry in self.identities.leftovers.items():
            model = self.catalog.models.get(address.model)
            if model is not None and address in self.chosen:
                allowed = granted.get(address, frozenset())
                found = leave(
                    address, entry, self.repository, self.snapshot, model, resolver, allowed
                )
                if found is not None:
                    yield found

    def _lives(self) -> dict[Address, Fields]:
        """The live fields of every address that has some."""
        lives = {a: b.live for a, b in self.identities.bindings.items() if isinstance(b, Bound)}
        for address, entry in self.identities.leftovers.items():
            reading = self.snapshot.readings.get(address.model)
            if reading and entry.id and entry.id in reading.records:
                lives[address] = reading.records[entry.id]
        return lives

    def _alike(self, changes: Iterable[Change]) -> Iterator[Diagnostic]:
        """A new name that differs from a live one only in case or Unicode form is hardly meant to
        be another.
        """
        creates = [c for c in changes if c.action is Action.CREATE and c.request is not None]
        if not creates:
            return
        live: dict[tuple[str, str], str] = {}
        for kind, reading in self.snapshot.readings.items():
            for fields in reading.records.values():
                there = identity_of(self.catalog.models[kind], fields)
                if there is not None:
                    live[kind, _folded(there)] = there
        for change in creates:
            model = self.catalog.models[change.address.model]
            name = identity_of(model, change.request.body or {}) if change.request else None
            other = live.get((model.name, _folded(name))) if name else None
            if other not in (None, name):
                yield Diagnostic(
                    Severity.WARNING,
                    "name-case",
                    f'the server has "{other}", which differs from this {model.identity} only in case or spelling',
                    change.location,
                    f"write {other} if it is the same",
                    str(change.address),
                    model.identity,
                    name,
                )

    def _incomplete(self) -> Iterator[Diagnostic]:
        """A reading that was not complete leaves records undecided: neither created nor deleted,
        and said so.
        """
        for name, reading in sorted(self.snapshot.readings.items()):
            if reading.sound:
                continue
            denied = reading.completeness is Completeness.DENIED
            words = self.catalog.models[name].count(2)[2:]
            yield Diagnostic(
                Severity.ERROR,
                "incomplete-reading",
                f"{words} could not {'' if denied else 'all '}be read: {reading.reason}",
                remedy=self._denied() if denied else _TRY_AGAIN,
                field=name,
            )

    def _denied(self) -> str:
        return (
            f"the portal is {self.target.portal}: use one that your account may read, or another account; "
            "until then nothing is created, changed or deleted among them"
        )


_TRY_AGAIN = "nothing is created or deleted among them until they can be; try again"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def wants_approvals(repository: Repository, catalog: Catalog, chosen: Set[Address]) -> list[str]:
    """The models whose approvals must be read: those that have some, and chosen declared records."""
    declared = {address.model for address in repository.records if address in chosen}
    return sorted(name for name in declared if catalog.models[name].approval is not None)


def count_read(snapshot: Snapshot, catalog: Catalog) -> list[str]:
    """`412 sessions`, for every model that was read, and which were not."""
    return [
        _number_read(catalog.models[name], reading)
        for name, reading in sorted(snapshot.readings.items())
    ]


def _number_read(model: Model, reading: Reading) -> str:
    if reading.completeness is Completeness.DENIED:
        return f"{model.count(2)[2:]} not read"
    return model.count(reading.total if reading.total is not None else len(reading.records))
