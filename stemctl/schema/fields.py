"""The fields of models, and the types that decide about details."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from stemctl.errors import TableError
from stemctl.schema.tables import read_details
from stemctl.util.json_types import Value

_LISTS = {"references", "list", "items", "rows", "numbers"}
_MAPS = {"map", "members"}


class Member(Struct, frozen=True):
    """One member of the objects that an `items` field lists."""

    name: str
    kind: str
    required: bool = False
    format: str | None = None
    enum: tuple[Value, ...] = ()
    max_length: int | None = None
    description: str = ""


class Details(Struct, frozen=True):
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
        return detail_group(self.folder, self.group).types

    @property
    def of_parent(self) -> bool:
        """Whether the parent of the record has the type."""
        return "." in self.selector


class Field(Struct, frozen=True, dict=True):
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
    labels: Mapping[str, str] = field(default_factory=dict)
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


class DetailType(Struct, frozen=True):
    """The fields that the details of one type have. Entries of an `interval` type have a start and
    an end in place of a moment.
    """

    name: str
    title: str
    fields: Mapping[str, Field]
    rows: bool = False
    interval: bool = False


class DetailGroup(Struct, frozen=True):
    """All types that a `details` field may have, by name."""

    name: str
    types: Mapping[str, DetailType]


def field_of(name: str, row: dict[str, Value], details: Path | None = None) -> Field:
    """A field from its row in a table; `details` is the folder of the types of details."""
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
def detail_group(folder: Path, group: str) -> DetailGroup:
    """The types of a group of details, read once.

    Raises:
        TableError: the file of the group is missing or not well formed.
    """
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
    fields = {key: field_of(key, {**source, **rule}) for key, rule in row.get("fields", {}).items()}
    return DetailType(
        name, row["title"], fields, row.get("rows", False), row.get("interval", False)
    )
