"""The columns of a table of live records: paths through fields, references and records inside.

name                     a field
extra_fields.room        an entry of a map, a field of details, the links to one repository
projects                 the names of the records that a field refers to
behaviors.subjects.name  a field of records that are inside, or that a field refers to
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from stemctl.errors import ConfigError, Untouched
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.sheets.columns import KEY, parts_of, plain
from stemctl.util.plural import joined
from stemctl.util.suggest import nearest


class Step(Struct, frozen=True):
    """From a record to others: those that `field` refers to, or those inside it (None)."""

    model: Model
    field: Field | None = None

    @property
    def may_be_many(self) -> bool:
        """Whether it may lead to several records."""
        return self.field is None or self.field.kind != "reference"


class TableColumn(Struct, frozen=True):
    """A column: the steps to the records whose values it has, and their field.

    Without a field, it is what these records are called; `part` is a part of the field.
    `as_written` leaves out what a manifest need not say: the defaults of the server.
    """

    title: str
    model: Model
    field: Field | None = None
    part: str = ""
    steps: tuple[Step, ...] = ()
    as_written: bool = False

    @property
    def is_key(self) -> bool:
        """Whether it has the keys of the records of the table."""
        return self.field is None and not self.steps

    def listed(self) -> Iterator[str]:
        """The models that must be read for it."""
        for step in self.steps:
            if not step.model.embedded:
                yield step.model.name
        if self.field is not None and self.field.to:
            yield self.field.to


def columns_of(catalog: Catalog, model: Model, text: str) -> list[TableColumn]:
    """The columns that `--columns` names, separated by commas.

    Raises:
        ConfigError: one is unknown, empty or there twice.
    """
    paths = [path.strip() for path in text.split(",")]
    if not all(paths):
        raise _refused("A column has no name.", "Write --columns 'name, tags', for example.")
    if twice := [path for path in dict.fromkeys(paths) if paths.count(path) > 1]:
        raise _refused(f"--columns has {joined(twice)} more than once.", "Remove one of them.")
    return [_column(catalog, model, path) for path in paths]


def _column(catalog: Catalog, model: Model, path: str) -> TableColumn:
    steps: list[Step] = []
    holder, names = model, [name.strip() for name in path.split(".")]
    while True:
        name, *rest = names
        if child := _inside(catalog, holder, name):
            steps.append(Step(child))
            if not rest:
                return TableColumn(path, child, steps=tuple(steps))
            holder, names = child, rest
            continue
        row = _field(holder, name)
        if row is None:
            if name == KEY and not rest and not steps:
                return TableColumn(path, model)
            raise _unknown(catalog, holder, path, names)
        target = catalog.models.get(row.to or "")
        if target is None or not rest:
            part = _part(catalog, holder, row, path, ".".join(rest))
            return TableColumn(path, holder, row, part, tuple(steps))
        steps.append(Step(target, row))
        holder, names = target, rest


def _field(model: Model, name: str) -> Field | None:
    """A field, in any spelling; not the links of a record."""
    if name in model.fields:
        row = model.fields[name]
    else:
        fields = model.fields.values()
        found = next((each for each in fields if plain(each.name) == plain(name)), None)
        if found is None:
            return None
        row = found
    return None if row.is_links else row


def _inside(catalog: Catalog, model: Model, name: str) -> Model | None:
    """The records inside those of a model: by their list key, or by the server's name for it."""
    row = _field(model, name)
    for child in catalog.children(model):
        if plain(child.section) == plain(name) or (row and row.read_only and row.to == child.name):
            return child
    return None


def _part(catalog: Catalog, model: Model, row: Field, path: str, part: str) -> str:
    """A part of a field, if it can have one."""
    if not part:
        return part
    if row.kind not in {"map", "details", "items", "members", "json", "rows"}:
        raise _refused(
            f"--columns {path}: {model.name}.{row.name} has no parts.",
            f"Write {path[: -len(part) - 1]}.",
        )
    known = parts_of(row)
    if row.details and part not in known:
        raise _no_column(path, part, model.name, known)
    return part


def _unknown(catalog: Catalog, model: Model, path: str, names: Sequence[str]) -> ConfigError:
    known = [row.name for row in model.fields.values() if not row.is_links]
    known += [child.section for child in catalog.children(model)]
    return _no_column(path, names[0], model.name, known)


def _no_column(path: str, name: str, holder: str, known: Sequence[str]) -> ConfigError:
    near = nearest(name, known)
    before = path[: path.rindex(name)] if name in path else ""
    why = f"Known: {', '.join(known)}."
    if near:
        why = f"Did you mean {joined([before + each for each in near], 'or')}?"
    hint = (f"stemctl explain {holder}", "describes its fields")
    return _refused(f"--columns {path}: {holder} has no field {name!r}.", why, [hint])


def _refused(what: str, why: str, hints: Sequence[tuple[str, str]] = ()) -> ConfigError:
    return ConfigError(what, why, list(hints), untouched=Untouched.NOTHING_READ)
