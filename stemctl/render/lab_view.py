"""A repository as its page shows it: its records by model, what each model is counted by first, and
which one the calendar is about when the page opens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from stemctl.core.plan import Change, Plan
from stemctl.core.records import Repository
from stemctl.core.state import State
from stemctl.render.lab_groups import FIRST_WORD, STATUS, Group, Groups, Kin
from stemctl.render.lab_rows import LabRow, lab_rows
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model

MOST_GROUPS = 40
"""What one model can be counted by on the page: maps may have any number of keys."""

STATUS_AT = 5
"""The position of the status among what is counted: on the page before anything is unfolded."""


class ModelView(Struct, frozen=True):
    """A model of the page. `groups` are those that say something first; `by` is what the rows of
    its calendar are, `moments` the fields that a record's day can come from.
    """

    model: Model
    number: int
    groups: tuple[Group, ...]
    by: Group | None
    moments: tuple[str, ...]


class LabView(Struct, frozen=True):
    """What the page shows. `first` is the position of the model that it opens with, or None for
    all; `changes` are what a plan against the state would do.
    """

    rows: tuple[LabRow, ...]
    groups: tuple[Groups, ...]
    models: tuple[ModelView, ...]
    all_groups: tuple[Group, ...]
    first: int | None
    changes: tuple[Change, ...]


def view_lab(repository: Repository, state: State, plan: Plan, catalog: Catalog) -> LabView:
    """The view of a repository and its last apply."""
    rows = lab_rows(repository, state, plan, catalog)
    parents = {row.address: row.parent for row in rows.values() if row.parent is not None}
    kin = Kin(catalog, {address: row.groups for address, row in rows.items()}, parents)
    groups = {a: {**kin.groups(a), STATUS: (row.status,)} for a, row in rows.items()}
    tallies: dict[str, _Tally] = {}
    for address, said in groups.items():
        tally = tallies.setdefault(address.model, _Tally())
        tally.add(said, rows[address])
    models = [_model_view(catalog, name, tally) for name, tally in tallies.items()]
    models.sort(key=_precedence)
    return LabView(
        rows=tuple(rows.values()),
        groups=tuple(groups.values()),
        models=tuple(models),
        all_groups=_first_ones(_together(tallies.values())),
        first=0 if models and models[0].moments else None,
        changes=plan.changes,
    )


class _Tally:
    """How many records there are, how many say something of a group, and how many each value.
    `from_kin` are the groups of which other records say something, around or inside these.
    """

    def __init__(self) -> None:
        self.records = self.dated = 0
        self.values: dict[Group, Counter[str]] = {}
        self.said: Counter[Group] = Counter()
        self.from_kin: set[Group] = set()

    def add(self, groups: Groups, row: LabRow) -> None:
        self.records += 1
        self.dated += bool(row.when)
        self.from_kin |= groups.keys() - row.groups.keys()
        for group, texts in groups.items():
            self.said[group] += 1
            if (values := self.values.get(group)) is None:
                values = self.values[group] = Counter()
            for text in texts:
                values[text] += 1


def _together(tallies: Iterable[_Tally]) -> _Tally:
    every = _Tally()
    for tally in tallies:
        every.records += tally.records
        every.said.update(tally.said)
        for group, values in tally.values.items():
            every.values.setdefault(group, Counter()).update(values)
    return every


def _model_view(catalog: Catalog, name: str, tally: _Tally) -> ModelView:
    model = catalog.models[name]
    by = _calendar_rows(catalog, tally) if tally.dated else None
    return ModelView(
        model=model,
        number=tally.records,
        groups=_first_ones(tally, by),
        by=by,
        moments=tuple(field.name for field in model.moments) if tally.dated else (),
    )


def _precedence(view: ModelView) -> tuple[bool, bool, bool, int, str]:
    """Models with a time of day come first: there something happened. A day alone is often a
    property, such as that of a birth. Then models of their own, and those with more records.
    """
    instants = {field.name for field in view.model.moments if field.kind == "instant"}
    happens = not instants.isdisjoint(view.moments)
    is_own = view.model.parent is None
    return not (happens and is_own), not is_own, not happens, -view.number, view.model.name


def _first_ones(tally: _Tally, by: Group | None = None) -> tuple[Group, ...]:
    """What to count by, the telling first: what most records say, and neither all the same nor
    each another thing. The first word of a name counts only where nothing better is there.
    """

    def rank(group: Group) -> tuple[bool, bool, int, str]:
        different = len(tally.values[group])
        tells = 1 < different <= max(2, 0.6 * tally.said[group])
        return not tells, not group.to, -tally.said[group], group.title

    left_out = {STATUS} if by == FIRST_WORD else {STATUS, FIRST_WORD}
    ranked = sorted(tally.said.keys() - left_out, key=rank)[:MOST_GROUPS]
    differs = len(tally.values.get(STATUS, ())) > 1
    ranked.insert(STATUS_AT if differs else len(ranked), STATUS)
    return tuple(ranked)


def _calendar_rows(catalog: Catalog, tally: _Tally) -> Group | None:
    """What the rows of a calendar are. At best what is referred to from inside, and has most
    models of its own inside, such as an animal with all that was done to it; else what names begin
    with; else any reference.
    """

    def worth(group: Group) -> tuple[bool, int, bool, int, bool, int, str]:
        target = catalog.models.get(group.to)
        below = sum(1 for _ in catalog.below(target))
        said = tally.said[group]
        repeats = bool(group.to) or len(tally.values[group]) <= max(1, 0.6 * said)
        fits = repeats and 2 * said >= tally.records
        inside = below if group in tally.from_kin else 0
        is_word = group == FIRST_WORD
        return fits, inside, is_word, below, bool(group.to), said, group.title

    candidates = [group for group in tally.said if group != STATUS]
    return max(candidates, key=worth, default=None)
