"""Models: kinds of records that the API serves."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from stemctl.schema.fields import Field, field_of
from stemctl.util.json_types import Value


class Approval(Struct, frozen=True):
    """Where the proposals of a model live: URL segment, other spellings of it, envelope keys."""

    path: str
    one: str
    many: str
    aliases: tuple[str, ...] = ()


class Access(Struct, frozen=True):
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


class Joining(Struct, frozen=True):
    """What the acceptance of an invitation does: `member` joins the record in `to`, in the field
    `within` of that record. `rights` are the fields that grant rights, by their names there. With
    `asked`, it is the member who asks, and the other side accepts.
    """

    to: str
    member: str
    within: str
    rights: Mapping[str, str] = field(default_factory=dict)
    asked: bool = False


class Embedded(Struct, frozen=True):
    """Records that live inside the field `within` of their parent, and are written by its actions.

    One of the fields in `by` tells them apart: the moment, or the start of an interval.
    """

    within: str
    by: tuple[str, ...]
    add: str
    change: str
    remove: str


class Model(Struct, frozen=True, dict=True):
    """A kind of record the API serves.

    `identity` is one field that is unique on the server. `together_unique` are groups of fields
    that are, with their references by id. `label` is what people call it by, which need not be
    unique. `parent` is the reference under which manifests may nest it. `pairs` are fields that
    are sent together. `columns` are columns of import templates with the paths of their fields.
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
    columns: Mapping[str, str | None] = field(default_factory=dict)

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
    def unique(self) -> tuple[Field, ...]:
        """The writable fields of which no two records have the same value."""
        return tuple(f for f in self.managed if f.unique)

    @functools.cached_property
    def required(self) -> tuple[Field, ...]:
        """The writable fields that a new record needs."""
        return tuple(f for f in self.managed if f.required)

    @functools.cached_property
    def with_keys(self) -> tuple[Field, ...]:
        """The writable fields with items that a member identifies."""
        return tuple(f for f in self.managed if f.by)

    @functools.cached_property
    def detailed(self) -> tuple[Field, ...]:
        """The writable fields whose members depend on a type."""
        return tuple(f for f in self.managed if f.details)

    @functools.cached_property
    def references(self) -> tuple[Field, ...]:
        """The writable fields that point to other records."""
        return tuple(f for f in self.managed if f.to)


def _plural(words: str) -> str:
    if words.endswith("y") and words[-2:-1] not in "aeiou":
        return words[:-1] + "ies"
    return words if words.endswith("s") else words + "s"


def model_of(table: dict[str, Value], details: Path) -> Model:
    """A model from its table; `details` is the folder of the types of details."""
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
        fields={name: field_of(name, row, details) for name, row in table["fields"].items()},
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
        columns=table.get("columns", {}),
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
