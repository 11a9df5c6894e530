"""Models and their fields, read from the field tables: everything stemctl knows of the API."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stemctl.errors import ConfigError, TableError
from stemctl.schema.tables import BUILT, read_tables
from stemctl.util.json_types import Value

_LISTS = {"references", "list", "items"}


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the objects that an `items` field lists."""

    name: str
    kind: str
    required: bool = False
    format: str | None = None
    enum: tuple[Value, ...] = ()
    max_length: int | None = None
    description: str = ""


@dataclass(frozen=True)
class Field:
    """One field of a model; `schemas/table.schema.json` describes each attribute."""

    name: str
    kind: str
    description: str
    source: str
    example: Value = None
    required: bool = False
    read_only: bool = False
    unique: bool = False
    trimmed: bool = False
    rich: bool = False
    shown: bool = True
    proposal: bool = False
    always_sent: bool = False
    nullable: bool = False
    default: Value = None
    max_length: int | None = None
    enum: tuple[Value, ...] = ()
    format: str | None = None
    to: str | None = None
    reverse: str | None = None
    ordered: bool = False
    key_pattern: str | None = None
    by: str | None = None
    members: Mapping[str, Member] = field(default_factory=dict)

    @property
    def empty(self) -> Value:
        """The value that clears the field (a fresh one at each call)."""
        if self.nullable or self.kind in {
            "date",
            "instant",
            "reference",
            "number",
            "integer",
            "boolean",
            "json",
        }:
            return None
        if self.kind in _LISTS:
            return []
        return {} if self.kind == "map" else ""

    @functools.cached_property
    def takes_null(self) -> bool:
        """Whether null is what clears it."""
        return self.nullable or self.kind in {"date", "instant", "reference"}

    @functools.cached_property
    def merges(self) -> bool:
        """Whether it is merged element by element: sets and maps are, ordered lists are not."""
        return self.kind == "map" or (self.kind in _LISTS and not self.ordered)


@dataclass(frozen=True, slots=True)
class Approval:
    """Where the proposals of a model live: URL segment, other spellings of it, envelope keys."""

    path: str
    one: str
    many: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """Who may see and change a record; used by the sandbox."""

    through: str | None = None
    members: str | None = None
    public: str | None = None


@dataclass(frozen=True)
class Model:
    """A kind of record the API serves."""

    name: str
    app: str
    title: str
    description: str
    one: str
    many: str
    read_portals: tuple[str, ...]
    write_portals: tuple[str, ...]
    operations: tuple[str, ...]
    identity: str | None
    fields: Mapping[str, Field]
    access: Access | None = None
    dependents: tuple[str, ...] = ()
    delete_by: str | None = None
    approval: Approval | None = None

    @property
    def writable(self) -> bool:
        """Whether manifests may declare records of it."""
        return "add" in self.operations

    @property
    def words(self) -> str:
        """The model in lower-case words, singular: `sensory stimulus type`."""
        return self.title[0].lower() + self.title[1:]

    def count(self, number: int) -> str:
        """`1 session`, `2,500 sessions`."""
        return f"{number:,} {self.words if number == 1 else _plural(self.words)}"

    @functools.cached_property
    def managed(self) -> tuple[Field, ...]:
        """The fields that a manifest may write, in the order of the table."""
        return tuple(f for f in self.fields.values() if not f.read_only)

    @functools.cached_property
    def moments(self) -> tuple[Field, ...]:
        """The writable fields that hold a day or a time."""
        return tuple(f for f in self.managed if f.kind in ("date", "instant"))

    @functools.cached_property
    def references(self) -> tuple[Field, ...]:
        """The writable fields that point to other records."""
        return tuple(f for f in self.managed if f.to)


@dataclass(frozen=True, eq=False)  # compared by identity: it is a key of caches
class Catalog:
    """All models of one edition, by name, in alphabetical order."""

    edition: str
    models: Mapping[str, Model]

    def find(self, word: str) -> Model | None:
        """The model with this name, in any spelling: `session`, `sessions`,
        `sensory_stimulus_types`.
        """
        plain = _plain(word)
        for model in self.models.values():
            if plain in {
                _plain(model.name),
                _plain(model.one),
                _plain(model.many),
                _plain(model.title),
            }:
                return model
        return None

    def by_list_key(self, key: str) -> Model | None:
        """The writable model whose records a manifest lists under `key`."""
        return self._by_list_key.get(key)

    @functools.cached_property
    def _by_list_key(self) -> Mapping[str, Model]:
        return {model.many: model for model in self.writable}

    @functools.cached_property
    def writable(self) -> tuple[Model, ...]:
        """The models that manifests may declare."""
        return tuple(m for m in self.models.values() if m.writable)


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")


def _plural(words: str) -> str:
    if words.endswith("y") and words[-2:-1] not in "aeiou":
        return words[:-1] + "ies"
    return words if words.endswith("s") else words + "s"


def schemas_dir() -> Path:
    """The folder of tables and schemas: in the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "schemas"
    return inside if inside.is_dir() else package.parent / "schemas"


def editions() -> list[str]:
    """The editions that have tables."""
    return sorted(p.name for p in (schemas_dir() / "tables").iterdir() if p.is_dir())


def load_catalog(edition: str) -> Catalog:
    """Read the field tables of one edition.

    Raises:
        ConfigError: there is no such edition.
        TableError: a table is not well formed; `stemctl schema build` checks them against their
        schema.
    """
    return _load(schemas_dir(), edition)


@functools.cache
def _load(schemas: Path, edition: str) -> Catalog:
    folder = schemas / "tables" / edition
    if not folder.is_dir():
        raise ConfigError(
            f"There is no edition {edition!r}.", f"The editions are: {', '.join(editions())}."
        )
    models = {}
    for table in read_tables(folder, schemas / edition / BUILT):
        try:
            model = _model(table)
        except (KeyError, TypeError, AttributeError) as error:
            name = table.get("model") if isinstance(table, dict) else None
            raise TableError(
                f"The field table of {name} in {folder} is not valid.",
                f"{type(error).__name__}: {error}",
            ) from error
        models[model.name] = model
    return Catalog(edition, dict(sorted(models.items())))


def _model(table: dict[str, Value]) -> Model:
    approval = table.get("approval")
    return Model(
        name=table["model"],
        app=table["app"],
        title=table["title"],
        description=table["description"],
        one=table["one"],
        many=table["many"],
        read_portals=tuple(table["portals"]["read"]),
        write_portals=tuple(table["portals"]["write"]),
        operations=tuple(table["operations"]),
        identity=table["identity"],
        fields={name: _field(name, row) for name, row in table["fields"].items()},
        access=Access(**table["access"]) if "access" in table else None,
        dependents=tuple(table.get("dependents", ())),
        delete_by=table.get("delete_by"),
        approval=Approval(**{**approval, "aliases": tuple(approval.get("aliases", ()))})
        if approval
        else None,
    )


def _field(name: str, row: dict[str, Value]) -> Field:
    members = {
        key: Member(key, **_tuples(member)) for key, member in row.get("members", {}).items()
    }
    return Field(name, **{**_tuples(row), "members": members})


def _tuples(row: dict[str, Value]) -> dict[str, Value]:
    return {**row, "enum": tuple(row.get("enum", ()))}
