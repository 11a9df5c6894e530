"""From live records to what new manifests are to say: which record is inside which, what each is
called, what it refers to, and in which file it goes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from msgspec import Struct, field

from stemctl.core.records import Address, Repository
from stemctl.core.snapshot import Snapshot
from stemctl.planning.declared import as_declared, as_list
from stemctl.planning.members import entries_in
from stemctl.planning.values import canonical, elements, ids_in, is_empty
from stemctl.schema.catalog import Catalog
from stemctl.schema.detail_values import type_of
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.takeover.default_values import lift, under_defaults
from stemctl.takeover.own_keys import Handle, OwnKeys, type_fields
from stemctl.takeover.reference_texts import ReferenceTexts
from stemctl.takeover.rows import NewFile, Row, walk_all
from stemctl.takeover.writable import Writable
from stemctl.util.json_equality import same_json
from stemctl.util.json_types import Fields, Value
from stemctl.util.safe_text import has_unseen
from stemctl.util.timestamps import utc_moment

Ids = Mapping[str, Collection[str]]
"""Ids by model."""

Defaults = Callable[[str], Mapping[str, Fields]]
"""The defaults that a new record of a file would have, by list key: of the file, or of its folder
if there is no such file yet.
"""


class World(Struct, frozen=True):
    """What is known when records are taken over: what was read, what the files declare, and which
    live record each declared one is (`bound`: by model and id).
    """

    catalog: Catalog
    snapshot: Snapshot
    repository: Repository
    bound: Mapping[tuple[str, str], Address]

    def live(self, model: str) -> Mapping[str, Fields]:
        """The live records of a model by id."""
        reading = self.snapshot.readings.get(model)
        return reading.records if reading else {}


class NewRecords(Struct):
    """Live records as files are to have them.

    `new` are whole files. `added` are records for files that are there, and `inside` records for
    declared parents. `left` are records that cannot be written at all: model, id and the reason.
    """

    new: list[NewFile] = field(default_factory=list)
    added: list[tuple[str, Row]] = field(default_factory=list)
    inside: list[tuple[Address, Row]] = field(default_factory=list)
    left: list[tuple[str, str, str]] = field(default_factory=list)

    def rows(self) -> Iterator[Row]:
        """All records, those inside others among them."""
        for file in self.new:
            yield from file.rows()
        yield from walk_all(row for _, row in (*self.added, *self.inside))

    def ids(self) -> dict[Address, str]:
        """The id of each record on the server."""
        return {row.address: row.id for row in self.rows()}


def new_records(
    world: World,
    wanted: Ids,
    file_of: Callable[[Model, Fields], str],
    defaults: Defaults,
    is_there: Callable[[str], bool],
) -> NewRecords:
    """The live records with these ids, which no file declares yet.

    `file_of` names the file of a record by its fields. `defaults` are those that a record in a file
    has already, and `is_there` says whether there is such a file.
    """
    tree = _Tree(world, wanted)
    found = NewRecords()
    by_file: dict[str, NewFile] = {}
    for row in tree.at_top():
        file = file_of(row.model, row.fields)
        if is_there(file):
            found.added.append((file, under_defaults(world.catalog, row, defaults(file))))
        else:
            sections = by_file.setdefault(file, NewFile(file)).sections
            sections.setdefault(row.model.section, []).append(row)
    for parent, row in tree.in_declared():
        file = world.repository.records[parent].location.file
        found.inside.append((parent, under_defaults(world.catalog, row, defaults(file))))
    for new in by_file.values():
        above = defaults(new.file)
        for rows in new.sections.values():
            rows[:] = [under_defaults(world.catalog, row, above) for row in rows]
        lift(new)
    found.new = list(by_file.values())
    found.left = tree.left
    return found


class _Tree:
    """Finds parents, then addresses, and builds the rows with what they refer to."""

    def __init__(self, world: World, wanted: Ids) -> None:
        self._world = world
        self._wanted = {name: dict.fromkeys(ids) for name, ids in wanted.items() if ids}
        self._writable = Writable(world.catalog)
        self._keys = OwnKeys(
            world.catalog, self._writable.can_be_called, set(world.repository.records)
        )
        self._handles: dict[tuple[str, str], Handle] = {}
        self._below: dict[tuple[str, str, str], list[str]] = {}
        self._parents: dict[tuple[str, str], tuple[str, str]] = {}
        self._addresses = dict(world.bound)
        self.left: list[tuple[str, str, str]] = []
        self._declared_inside = _inside_declared(world.repository)
        for model in self._parents_first():
            self._place(model)
        self._texts = ReferenceTexts(
            world.catalog, world.snapshot, world.repository, self._addresses
        )
        self._names = _Names(self._texts)

    def at_top(self) -> Iterator[Row]:
        """The records that are not inside others, in the order in which a file has them."""
        for model in self._world.catalog.listed:
            ids = [id_ for id_ in self._wanted.get(model.name, ()) if self._is_top(model, id_)]
            for id_ in self._sorted(model, ids):
                yield from self._written(model, id_, is_top=True)

    def in_declared(self) -> Iterator[tuple[Address, Row]]:
        """The records inside declared ones, with the address of these."""
        for (parent, id_, child), ids in self._below.items():
            address = self._world.bound.get((parent, id_))
            if address is not None:
                model = self._world.catalog.models[child]
                for one in ids:
                    for row in self._written(model, one, is_top=False):
                        yield address, row

    def _written(self, model: Model, id_: str, is_top: bool) -> Iterator[Row]:
        """A record without what no file can have."""
        row = self._row(model, id_, is_top=is_top)
        parent = None if is_top else self._world.catalog.parent_of(model)
        if parent is None:
            why = self._writable.make_writable(row)
        else:
            types = self._types_of_parent(model, id_)
            around = {name.rpartition(".")[2]: value for name, value in types.items()}
            why = self._writable.make_writable(row, around, parent.section)
        if why:
            self.left.append((model.name, id_, why))
        else:
            yield row

    def _is_top(self, model: Model, id_: str) -> bool:
        return (model.name, id_) not in self._parents

    def _parents_first(self) -> Iterator[Model]:
        """The models, each after that of its parent."""
        catalog = self._world.catalog
        tops = [model for model in catalog.writable if model.parent is None]
        for model in tops:
            yield model
            yield from catalog.below(model)

    def _place(self, model: Model) -> None:
        """Find the parents of the records of a model, and give the records their addresses."""
        live, parent = self._world.live(model.name), self._world.catalog.parent_of(model)
        alone, inside = [], dict[str, list[str]]()
        for id_ in self._wanted.get(model.name, ()):
            above = next(ids_in(live[id_].get(model.parent or "")), "") if parent else ""
            if parent is not None and (parent.name, above) in self._addresses:
                inside.setdefault(above, []).append(id_)
                self._parents[model.name, id_] = parent.name, above
            elif not model.embedded:
                alone.append(id_)
        for id_ in self._sorted(model, alone):
            handle = self._keys.at_top(model, live[id_], self._key_at_top(model, live[id_]))
            self._set(model, id_, handle)
        for above, ids in inside.items():
            assert parent is not None
            address = self._addresses[parent.name, above]
            ordered = self._sorted(model, ids)
            self._below[parent.name, above, model.name] = ordered
            siblings = [live[id_] for id_ in ordered]
            others = self._declared_inside.get((address, model.name), ())
            handles = self._keys.inside(model, address.key, siblings, others)
            for id_, handle in zip(ordered, handles, strict=True):
                self._set(model, id_, handle)

    def _set(self, model: Model, id_: str, handle: Handle) -> None:
        self._handles[model.name, id_] = handle
        self._addresses[model.name, id_] = handle.address

    def _key_at_top(self, model: Model, record: Fields) -> str:
        """The key of a record without a name of its own: what it belongs to is called so. An id
        alone would be read as that of the other record.
        """
        names = [model.parent] if model.parent else [*model.together_unique[:1]]
        group = model.together_unique[0] if model.together_unique else tuple(filter(None, names))
        parts = [self._called(model.fields[str(name)], record.get(str(name))) for name in group]
        key = "/".join(parts)
        is_id = key in {id_ for name in group for id_ in ids_in(record.get(str(name)))}
        return key if all(parts) and not is_id and not has_unseen(key) else ""

    def _called(self, row: Field, value: Value) -> str:
        """What a value is called in a key: a text itself, the name of what it refers to."""
        if not row.to:
            return value.strip() if isinstance(value, str) else ""
        id_ = next(ids_in(value), "")
        if address := self._addresses.get((row.to, id_)):
            return address.key
        model = self._world.catalog.models.get(row.to)
        name = self._world.live(row.to).get(id_, {}).get((model and model.called) or "")
        return name.strip() if isinstance(name, str) and name.strip() else id_

    def _sorted(self, model: Model, ids: Iterable[str]) -> list[str]:
        """Records in the order of their times; those without one by name, at the end. Where there
        are no names either, type and content decide: ids are a matter of chance.
        """
        live = self._world.live(model.name)
        times = [row.name for row in model.moments if row.kind == "instant"]
        plain = [*type_fields(self._world.catalog, model), *_plain_fields(model)]

        def order(id_: str) -> tuple[bool, str, str, str]:
            fields = live[id_]
            texts = (fields.get(name) for name in times)
            moment = next((utc_moment(text) for text in texts if isinstance(text, str)), None)
            when = moment.isoformat() if moment else ""
            name = str(fields.get(model.called or "") or "").casefold()
            name = name or json.dumps([fields.get(part) for part in plain], default=str)
            return not when, when, name, id_

        return sorted(ids, key=order)

    def _row(self, model: Model, id_: str, is_top: bool) -> Row:
        handle = self._handles[model.name, id_]
        fields = self._fields(model, id_)
        if not is_top:
            fields.pop(model.parent or "", None)
        row = Row(model, id_, handle.address, {**handle.written, **fields})
        if "id" in handle.written and not fields.get(model.called or ""):
            row.remarks.append(f"{model.called} is empty on the server, so the id is written")
        for child in self._world.catalog.children(model):
            ids = self._below.get((model.name, id_, child.name))
            if ids:
                row.inside[child.section] = [self._row(child, one, is_top=False) for one in ids]
        return row

    def _fields(self, model: Model, id_: str) -> dict[str, Value]:
        """What a record writes, in the order in which people read it."""
        live = self._world.live(model.name)[id_]
        live = {**live, **self._types_of_parent(model, id_)}
        self._names.learn(model, live)
        written = as_declared(model, live, self._names.known)
        found = {}
        for name in _order(self._world.catalog, model):
            if name in written:
                value = _without_defaults(model.fields[name], written[name], live)
                if value is not None:
                    found[name] = value
        return found

    def _types_of_parent(self, model: Model, id_: str) -> Fields:
        """The types of details that the parent of a record has, by the selectors."""
        if (model.name, id_) not in self._parents:
            return {}
        parent, above = self._parents[model.name, id_]
        around = self._world.live(parent).get(above, {})
        selectors = [row.details.selector for row in model.detailed if row.details]
        return {name: around.get(name.rpartition(".")[2]) for name in selectors if "." in name}


class _Names(Struct):
    """The texts for references that were met: model to id to text, as `as_declared` takes them."""

    texts: ReferenceTexts
    known: dict[str, dict[str, str]] = field(default_factory=dict)

    def learn(self, model: Model, live: Fields) -> None:
        """Find the texts for what a record refers to."""
        for row in model.references:
            known = self.known.setdefault(row.to or "", {})
            for id_ in elements(row, as_list(live.get(row.name))) if live.get(row.name) else ():
                if id_ not in known:
                    text = self.texts.text(row.to or "", id_)
                    if isinstance(text, str) and text != id_:
                        known[id_] = text


def _order(catalog: Catalog, model: Model) -> list[str]:
    """The fields of a model: its name, its type, its time, and the others as in the table."""
    times = [row.name for row in model.moments if row.kind == "instant"]
    first = [model.called or "", *type_fields(catalog, model)[:1], *times]
    return list(dict.fromkeys([*first, *(row.name for row in model.managed)]))


def _plain_fields(model: Model) -> list[str]:
    return [row.name for row in model.managed if not row.to]


def _without_defaults(row: Field, value: Value, live: Fields) -> Value:
    """A value without what the server sets when nothing is written; None if nothing is left."""
    if row.details:
        return _details(row, value, live)
    if row.kind == "members":
        return {name: _rights(row, rights) for name, rights in entries_in(value).items()}
    if row.default is not None and not row.required and same_json(value, row.default):
        return None
    if row.rich and isinstance(value, str):
        text = canonical(row, value)
        return value if is_empty(row, text) else text
    return value


def _rights(row: Field, rights: Value) -> Value:
    """The rights that a member has; of one who has none, the first that is missing."""
    given = rights if isinstance(rights, dict) else {}
    held = {name: True for name in row.members if given.get(name) is True}
    return held or dict.fromkeys(list(row.members)[:1], False)


def _details(row: Field, value: Value, live: Fields) -> Value:
    type_ = type_of(row, live.get(row.details.selector)) if row.details else None
    if type_ is None or not isinstance(value, dict):
        return value
    left = {}
    for name, part in value.items():
        known = type_.fields.get(name)
        is_set = known is not None and known.default is not None and not known.required
        if not (is_set and known is not None and same_json(part, known.default)):
            left[name] = part
    return left or None


def _inside_declared(repository: Repository) -> Mapping[tuple[Address, str], list[Address]]:
    """The declared records inside others, by these and by model."""
    found: dict[tuple[Address, str], list[Address]] = {}
    for address, record in repository.records.items():
        if record.parent is not None:
            found.setdefault((record.parent, address.model), []).append(address)
    return found
