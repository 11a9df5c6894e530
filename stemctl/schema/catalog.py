"""Models and their fields, read from the field tables: everything stemctl knows of the API."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stemctl.errors import ConfigError, TableError
from stemctl.schema.tables import BUILT, read_apps, read_details, read_tables
from stemctl.util.json_types import Value

_LISTS = {"references", "list", "items", "rows", "numbers"}
_MAPS = {"map", "members"}


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


@dataclass(frozen=True, slots=True)
class Details:
    """What decides the members of a `details` field: the group of types, and the field beside it
    that holds the type (`parent.field` if the parent of the record has it). With `rows`, the value
    is a list of objects.
    """

    group: str
    selector: str
    rows: bool = False
    folder: Path = Path()
    """The folder with the tables of all groups."""

    @property
    def types(self) -> Mapping[str, DetailType]:
        """The types of the group by name, read on first use.

        Raises:
            TableError: the file of the group is missing or not well formed.
        """
        return _details(self.folder, self.group).types

    @property
    def of_parent(self) -> bool:
        """Whether the parent of the record has the type."""
        return "." in self.selector


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
    immutable: bool = False
    after_create: bool = False
    upload: bool = False
    ahead: bool = False
    numbered: bool = False
    minimum: float | None = None
    maximum: float | None = None
    min_items: int | None = None
    units: tuple[str, ...] = ()
    details: Details | None = None
    of: str | None = None
    invites: str | None = None
    requests: str | None = None
    stamp: str | None = None

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
            "quantity",
        }:
            return None
        if self.kind in _LISTS or (self.details and self.details.rows):
            return []
        return {} if self.kind in {*_MAPS, "details"} else ""

    @property
    def is_links(self) -> bool:
        """Whether it is the object with the URLs of the related lists of a record."""
        return self.name == "links" and self.read_only and self.kind == "json"

    @functools.cached_property
    def takes_null(self) -> bool:
        """Whether null is what clears it."""
        return self.nullable or self.kind in {"date", "instant", "reference"}

    @functools.cached_property
    def keyed(self) -> bool:
        """Whether its elements have names: the entries of a map, the fields of details."""
        return self.kind in _MAPS or (self.details is not None and not self.details.rows)

    @functools.cached_property
    def merges(self) -> bool:
        """Whether it is merged element by element: sets and maps are, ordered lists are not."""
        if self.kind in ("rows", "numbers"):
            return False
        return self.keyed or (self.kind in _LISTS and not self.ordered)


@dataclass(frozen=True, slots=True)
class Approval:
    """Where the proposals of a model live: URL segment, other spellings of it, envelope keys."""

    path: str
    one: str
    many: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """Who may see and change a record; used by the sandbox.

    `schemas/table.schema.json` describes each attribute.
    """

    through: str | None = None
    members: str | None = None
    groups: str | None = None
    public: str | None = None
    everyone: bool = False
    edit: str | None = None
    also: tuple[str, ...] = ()
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Joining:
    """What the acceptance of an invitation does: `member` joins the record in `to`, in the field
    `within` of that record. `rights` are the fields that grant rights, by their names there. With
    `asked`, it is the member who asks, and the other side accepts.
    """

    to: str
    member: str
    within: str
    rights: Mapping[str, str] = field(default_factory=dict)
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Embedded:
    """Records that live inside the field `within` of their parent, and are written by its actions.

    One of the fields in `by` tells them apart: the moment, or the start of an interval.
    """

    within: str
    by: tuple[str, ...]
    add: str
    change: str
    remove: str


@dataclass(frozen=True, slots=True)
class DetailType:
    """The fields that the details of one type have. Entries of an `interval` type have a start and
    an end in place of a moment.
    """

    name: str
    title: str
    fields: Mapping[str, Field]
    rows: bool = False
    interval: bool = False


@dataclass(frozen=True, slots=True)
class DetailGroup:
    """All types that a `details` field may have, by name."""

    name: str
    types: Mapping[str, DetailType]


@dataclass(frozen=True)
class Model:
    """A kind of record the API serves.

    `identity` is one field that is unique on the server. `together_unique` are groups of fields
    that are, with their references by id. `label` is what people call it by, which need not be
    unique. `parent` is the reference under which manifests may nest it. `pairs` are fields that
    are sent together.
    """

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
    section: str = ""
    plural: str = ""
    together_unique: tuple[tuple[str, ...], ...] = ()
    label: str | None = None
    parent: str | None = None
    embedded: Embedded | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    write_by: str | None = None
    integer_ids: bool = False
    joining: Joining | None = None
    kept_by: tuple[str, ...] = ()

    @property
    def writable(self) -> bool:
        """Whether manifests may declare records of it."""
        return "add" in self.operations

    @property
    def nameless(self) -> bool:
        """Whether nothing but the id tells its records apart."""
        return self.identity is None and not self.together_unique

    @functools.cached_property
    def called(self) -> str | None:
        """The field that people call a record by; None if they have no name for it."""
        if self.identity or self.label:
            return self.identity or self.label
        last = self.together_unique[0][-1] if self.together_unique else None
        return None if last is None or self.fields[last].to else last

    @property
    def words(self) -> str:
        """The model in lower-case words, singular: `sensory stimulus type`."""
        return self.title[0].lower() + self.title[1:]

    @property
    def one_of_them(self) -> str:
        """`a session`, `an inventory`."""
        return f"{'an' if self.words[0] in 'aeio' else 'a'} {self.words}"

    def count(self, number: int) -> str:
        """`1 session`, `2,500 sessions`."""
        return f"{number:,} {self.words if number == 1 else self.plural or _plural(self.words)}"

    @functools.cached_property
    def managed(self) -> tuple[Field, ...]:
        """The fields that a manifest may write, in the order of the table."""
        return tuple(f for f in self.fields.values() if not f.read_only)

    @functools.cached_property
    def moments(self) -> tuple[Field, ...]:
        """The writable fields that hold a day or a time."""
        return tuple(f for f in self.managed if f.kind in ("date", "instant"))

    @functools.cached_property
    def with_keys(self) -> tuple[Field, ...]:
        """The writable fields with items that a member tells apart."""
        return tuple(f for f in self.managed if f.by)

    @functools.cached_property
    def detailed(self) -> tuple[Field, ...]:
        """The writable fields whose members depend on a type."""
        return tuple(f for f in self.managed if f.details)

    @functools.cached_property
    def references(self) -> tuple[Field, ...]:
        """The writable fields that point to other records."""
        return tuple(f for f in self.managed if f.to)


@dataclass(frozen=True, eq=False)  # compared by identity: it is a key of caches
class Catalog:
    """All models of one edition, by name, in alphabetical order."""

    edition: str
    models: Mapping[str, Model]
    folder: Path = field(default_factory=Path)

    def find(self, word: str) -> Model | None:
        """The model with this name, in any spelling: `session`, `sessions`,
        `sensory_stimulus_types`.
        """
        plain = _plain(word)
        for model in self.models.values():
            if plain in {
                _plain(model.name),
                _plain(model.title),
                *(() if model.embedded else map(_plain, (model.one, model.many))),
            }:
                return model
        return None

    def by_list_key(self, key: str) -> Model | None:
        """The writable model whose records a manifest lists under `key` at the top."""
        return self._by_list_key.get(key)

    @functools.cached_property
    def _by_list_key(self) -> Mapping[str, Model]:
        return {model.section: model for model in self.listed}

    @functools.cached_property
    def writable(self) -> tuple[Model, ...]:
        """The models that manifests may declare."""
        return tuple(m for m in self.models.values() if m.writable)

    @functools.cached_property
    def listed(self) -> tuple[Model, ...]:
        """The models that manifests may list at the top: all but those inside their parents."""
        return tuple(m for m in self.writable if m.embedded is None)

    def parent_of(self, model: Model) -> Model | None:
        """The model that records of `model` may be nested in."""
        return self.models.get(model.fields[model.parent].to or "") if model.parent else None

    def children(self, model: Model) -> tuple[Model, ...]:
        """The models that may be nested in records of `model`, in the order of their sections."""
        return self._children.get(model.name, ())

    def child(self, model: Model, key: str) -> Model | None:
        """The model whose records a record of `model` lists under `key`."""
        return next((child for child in self.children(model) if child.section == key), None)

    def below(self, model: Model | None) -> Iterator[Model]:
        """The models that may be nested in records of `model`, at any depth."""
        passed: set[str] = set()
        models = [model] if model else []
        while models:
            for child in self.children(models.pop()):
                if child.name not in passed:
                    passed.add(child.name)
                    models.append(child)
                    yield child

    @functools.cached_property
    def _children(self) -> Mapping[str, tuple[Model, ...]]:
        found: dict[str, list[Model]] = {}
        for model in sorted(self.writable, key=lambda m: m.section):
            parent = self.parent_of(model)
            if parent is not None:
                found.setdefault(parent.name, []).append(model)
        return {name: tuple(children) for name, children in found.items()}

    def details(self, group: str) -> DetailGroup:
        """The types of a group of details, read on first use.

        Raises:
            TableError: the file of the group is missing or not well formed.
        """
        return _details(self.folder, group)


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


def by_app(catalog: Catalog) -> Mapping[str, tuple[Model, ...]]:
    """The models by the title of their group in the API, for lists that people read."""
    titles = read_apps(schemas_dir() / "tables")
    order = {app: position for position, app in enumerate(titles)}
    found: dict[str, list[Model]] = {}
    for model in sorted(catalog.models.values(), key=lambda m: order.get(m.app, len(order))):
        found.setdefault(titles.get(model.app, model.app), []).append(model)
    return {title: tuple(models) for title, models in found.items()}


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


def forget_tables() -> None:
    """Read all tables anew when they are needed."""
    _load.cache_clear()
    _details.cache_clear()


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
            model = _model(table, schemas / "details" / edition)
        except (KeyError, TypeError, AttributeError) as error:
            name = table.get("model") if isinstance(table, dict) else None
            raise TableError(
                f"The field table of {name} in {folder} is not valid.",
                f"{type(error).__name__}: {error}",
            ) from error
        models[model.name] = model
    return Catalog(edition, dict(sorted(models.items())), schemas / "details" / edition)


def _model(table: dict[str, Value], details: Path) -> Model:
    approval, embedded = table.get("approval"), table.get("embedded")
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
        fields={name: _field(name, row, details) for name, row in table["fields"].items()},
        access=_access(table["access"]) if "access" in table else None,
        dependents=tuple(table.get("dependents", ())),
        delete_by=table.get("delete_by"),
        approval=Approval(**{**approval, "aliases": tuple(approval.get("aliases", ()))})
        if approval
        else None,
        section=table.get("section") or table["many"],
        plural=table.get("plural", ""),
        label=table.get("label"),
        parent=table.get("parent"),
        embedded=Embedded(**{**embedded, "by": tuple(embedded["by"])}) if embedded else None,
        pairs=tuple((first, second) for first, second in table.get("together", ())),
        write_by=table.get("write_by"),
        integer_ids=table.get("integer_ids", False),
        joining=Joining(**table["joining"]) if "joining" in table else None,
        kept_by=tuple(table.get("kept_by", ())),
        **_identities(table["identity"]),
    )


def _access(row: dict[str, Value]) -> Access:
    return Access(**{**row, "also": tuple(row.get("also", ()))})


def _identities(written: Value) -> dict[str, Value]:
    """The unique field, or the groups of fields that are unique together: `[a, b]`, or a list of
    such lists.
    """
    if not isinstance(written, list):
        return {"identity": written}
    groups = written if isinstance(written[0], list) else [written]
    return {"identity": None, "together_unique": tuple(tuple(group) for group in groups)}


def _field(name: str, row: dict[str, Value], details: Path | None = None) -> Field:
    members = {
        key: Member(key, **_tuples(member)) for key, member in row.get("members", {}).items()
    }
    values = {**row, "members": members, "enum": tuple(row.get("enum", ()))}
    if "units" in row:
        values["units"] = tuple(row["units"])
    if "details" in row:
        values["details"] = Details(**row["details"], folder=details or Path())
    return Field(name, **values)


def _tuples(row: dict[str, Value]) -> dict[str, Value]:
    return {**row, "enum": tuple(row.get("enum", ()))}


@functools.cache
def _details(folder: Path, group: str) -> DetailGroup:
    table = read_details(folder, group)
    try:
        types = {name: _detail_type(name, row) for name, row in table["types"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise TableError(
            f"The details of {group} in {folder} are not valid.", f"{type(error).__name__}: {error}"
        ) from error
    return DetailGroup(group, types)


def _detail_type(name: str, row: dict[str, Value]) -> DetailType:
    source = {"source": row["source"]}
    fields = {key: _field(key, {**source, **rule}) for key, rule in row.get("fields", {}).items()}
    return DetailType(
        name, row["title"], fields, row.get("rows", False), row.get("interval", False)
    )
