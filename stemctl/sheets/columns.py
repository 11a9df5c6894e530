"""Which field a column of a sheet means: by name, by title, or as BrainSTEM's import templates name
it.

A column of a template has the model in front, `session__date_time`, or is the name of another
record, `project__name`. What does not follow from this rule is in the table of the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.sheets.cells import SCALAR
from stemctl.util.late_pattern import late_pattern

KEY = "key"
_UNIT = late_pattern(r"(.+?)\s*[(\[]([^()\[\]]+)[)\]]")


class Meaning(Struct, frozen=True):
    """The field of a column, and which part of it: `extra_fields`, `room`. `model` is that of the
    sheet, or the one of the records inside its records. With `left`, nothing is read from the
    column, for this reason. `is_template` says that the column has the name of a template.
    """

    model: Model
    field: str
    part: str = ""
    left: str = ""
    is_template: bool = False
    unit: str = ""

    @property
    def path(self) -> str:
        """As people write it: `extra_fields.room`."""
        return f"{self.field}.{self.part}" if self.part else self.field


def plain(word: str) -> str:
    """A word without what people write differently: case, spaces, hyphens and underscores."""
    return re.sub(r"[\s_-]+", "", word.casefold())


class Columns:
    """Finds what the columns of a sheet of one model mean."""

    def __init__(self, model: Model, catalog: Catalog) -> None:
        self.model = model
        self.catalog = catalog
        children = [child for child in catalog.children(model) if child.embedded]
        self.inner = children[0] if children else None

    @property
    def models(self) -> tuple[Model, ...]:
        """The model of the sheet, and that of the records inside its records."""
        return (self.model, self.inner) if self.inner else (self.model,)

    def meaning(self, name: str) -> Meaning | None:
        """What a column with this name means, or a path of a map."""
        first, separator, rest = name.partition("__")
        found = self._of_template(first, rest) if separator else None
        if found is None:
            found = next(filter(None, (self._in(model, name) for model in self.models)), None)
        if found is None and (with_unit := _UNIT.fullmatch(name)):
            found = self.meaning(with_unit[1])
            units = self._units(found) if found else set()
            return replace(found, unit=with_unit[2]) if found and with_unit[2] in units else None
        return found

    def inside(self, name: str) -> list[Meaning]:
        """The references that a column would mean of the models inside this one."""
        children = [child for child in self.catalog.children(self.model) if not child.embedded]
        found = [Columns(child, self.catalog).meaning(name) for child in children]
        return [
            one
            for one in found
            if one
            and one.field in {row.name for row in one.model.references}
            and one.field != one.model.parent
        ]

    def known(self) -> list[str]:
        """The names of all columns that can be written, for proposals."""
        names = [KEY] if self.model.called is None else []
        for model in self.models:
            names += [field.name for field in model.managed]
            names += [f"{field.name}.{part}" for field in model.managed for part in parts_of(field)]
            names += [name for name, path in model.columns.items() if path]
        return list(dict.fromkeys(names))

    def _of_template(self, prefix: str, rest: str) -> Meaning | None:
        """A column with a model in front of it: this one, or another one that it refers to."""
        other = self.catalog.find(prefix)
        if other is None:
            return None
        if other in self.models:
            path = rest.replace("__", ".")
            found = (self._special(model, path) or self._in(model, path) for model in self.models)
        elif plain(rest) == plain(other.called or ""):
            found = (_referring(model, other) for model in self.models)
        else:
            return None
        meaning = next(filter(None, found), None)
        return replace(meaning, is_template=True) if meaning else None

    def _in(self, model: Model, name: str) -> Meaning | None:
        """A field of the model, a part of one, or a column of a template without a prefix."""
        word = plain(name)
        if word == KEY and model is self.model:
            return Meaning(model, KEY)
        if field := next((f for f in model.fields.values() if plain(f.name) == word), None):
            return Meaning(model, field.name, left=_read_only(field))
        return (
            self._part(model, name)
            or self._special(model, name)
            or self._part_alone(model, word)
            or self._named_by_model(model, name)
        )

    def _special(self, model: Model, name: str) -> Meaning | None:
        if name not in model.columns:
            return None
        path = model.columns[name]
        if path is None:
            return Meaning(model, "", left="the API has no field for it", is_template=True)
        found = self._in(model, path)
        return replace(found, is_template=True) if found else None

    def _part(self, model: Model, name: str) -> Meaning | None:
        """`FIELD.PART`: an entry of a map, a field of details, a right of members, the addresses of
        one kind, or a part of what a referenced record is called.
        """
        first, dot, rest = name.partition(".")
        field = next((f for f in model.fields.values() if plain(f.name) == plain(first)), None)
        if not dot or not rest.strip() or field is None or field.is_links:
            return None
        if field.read_only:
            return Meaning(model, field.name, rest, left=_read_only(field))
        if field.kind == "map":
            return Meaning(model, field.name, rest.strip())
        if field.to and plain(rest) == plain(self.catalog.models[field.to].called or ""):
            target = self.catalog.models[field.to]
            return Meaning(model, field.name, "" if target.identity else rest)
        known = [*parts_of(field), *self._reference_parts(field)]
        part = next((one for one in known if plain(one) == plain(rest)), None)
        return Meaning(model, field.name, part) if part else None

    def _reference_parts(self, field: Field) -> Iterator[str]:
        """The fields that together tell the records apart that a field refers to."""
        target = self.catalog.models.get(field.to or "")
        for group in target.together_unique if target and field.kind == "reference" else ():
            yield from group

    def _part_alone(self, model: Model, word: str) -> Meaning | None:
        """The name of a field of details that no field of the model has: `weight`."""
        found = {
            (field.name, part): None
            for field in model.detailed
            for part in parts_of(field)
            if plain(part) == word
        }
        return Meaning(model, *next(iter(found))) if len(found) == 1 else None

    def _named_by_model(self, model: Model, name: str) -> Meaning | None:
        other = self.catalog.find(name)
        return _referring(model, other) if other else None

    def _units(self, meaning: Meaning) -> set[str]:
        field = meaning.model.fields.get(meaning.field)
        types = field.details.types.values() if field and field.details else ()
        rows = [type_.fields[meaning.part] for type_ in types if meaning.part in type_.fields]
        return {unit for row in rows for unit in row.units}


def _referring(model: Model, other: Model) -> Meaning | None:
    """The only field that refers to another model."""
    found = [field.name for field in model.references if field.to == other.name]
    return Meaning(model, found[0]) if len(found) == 1 else None


def _read_only(field: Field) -> str:
    return "the server sets it" if field.read_only else ""


def parts_of(field: Field) -> list[str]:
    """The parts of a field that the tables know."""
    if field.details and not field.details.rows:
        types = field.details.types.values()
        return list(dict.fromkeys(name for type_ in types for name in type_.fields))
    if field.kind == "members":
        return list(field.members)
    kinds = kind_member(field)
    return list(map(str, field.members[kinds].enum)) if kinds else []


def kind_member(field: Field) -> str:
    """The member that says of which kind the items of a list are, if the only other one is what
    tells them apart: an address and where it leads.
    """
    others = [name for name in field.members if name != field.by]
    if field.kind != "items" or len(others) != 1 or not field.members[others[0]].enum:
        return ""
    return others[0]


def with_type_titles(field: Field, models: Iterable[Model]) -> Field:
    """A field, with the titles of types as further labels if it holds the type of details."""
    details = [row.details for model in models for row in model.detailed]
    for one in details:
        if one and one.selector.rpartition(".")[2] == field.name:
            titles = {name: type_.title for name, type_ in one.types.items()}
            return replace(field, labels={**titles, **field.labels})
    return field


def part_field(field: Field, part: str, type_name: object) -> Field | None:
    """What the cells of a part of a field hold; None if the type has no such part."""
    if field.details:
        type_ = field.details.types.get(str(type_name))
        return type_.fields.get(part) if type_ else None
    if field.kind == "map":
        return replace(SCALAR, name=part)
    if field.to:
        return replace(SCALAR, name=part, kind="text")
    return replace(SCALAR, name=part, kind="list")
