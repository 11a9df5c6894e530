"""The model, field and record that a path in a manifest belongs to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from stemctl.core.records import Address
from stemctl.manifests.document import Document
from stemctl.manifests.record_keys import record_key
from stemctl.schema.catalog import Catalog
from stemctl.schema.detail_values import type_of
from stemctl.schema.fields import DetailType, Field, Member
from stemctl.schema.models import Model
from stemctl.util.json_types import Path, Value

Message = tuple[str, str, str]
"""What is said about a value: code, message, remedy."""


class FieldContext(Struct, frozen=True):
    """One value of a manifest, and what the field tables say about it.

    `depth` is the number of steps that lead to its record. For a list of records inside another
    record, `model` is that of the list, and `parent` that of the record around it. Inside of
    details, `detail` is the field of their type that it is, or is a part of.
    """

    path: Path
    model: Model | None = None
    field: Field | None = None
    member: Member | None = None
    address: str | None = None
    in_defaults: bool = False
    depth: int = 2
    parent: Model | None = None
    detail_type: DetailType | None = None
    detail: Field | None = None

    @property
    def label(self) -> str:
        """Its name in a message: `session.download_links.URL`, `moved.from`."""
        if self.is_nested_list and self.parent:
            return f"{self.parent.name}.{self.path[-1]}"
        is_plain = not self.model or (self.in_defaults and not self.inside_record)
        if self.model and not is_plain and (self.is_record or self.inside_record):
            return ".".join([self.model.name, *_names(self.path[self.depth :])])
        return ".".join(_names(self.path))

    @property
    def field_name(self) -> str | None:
        """The field, and the path into it: `extra_fields.room`."""
        return self.label.partition(".")[2] or None if self.model else None

    @property
    def is_list(self) -> bool:
        """Whether it is a list of records."""
        return self.model is not None and len(self.path) == self.depth - 1

    @property
    def is_nested_list(self) -> bool:
        """Whether it is a list of records inside another record."""
        return self.is_list and self.depth > 2

    @property
    def is_record(self) -> bool:
        """Whether it is a record, or the defaults of a model."""
        return self.model is not None and len(self.path) == self.depth

    @property
    def is_nested_record(self) -> bool:
        """Whether it is a record inside another one."""
        return self.is_record and self.depth > 2

    @property
    def inside_record(self) -> bool:
        """Whether it is inside a record, or inside defaults."""
        return self.model is not None and len(self.path) > self.depth

    @property
    def is_field(self) -> bool:
        """Whether it is the whole value of a field."""
        return self.field is not None and len(self.path) == self.depth + 1

    @property
    def names_record(self) -> bool:
        """Whether it identifies its record."""
        if self.model is None or self.model.embedded or len(self.path) != self.depth + 1:
            return False
        return self.path[-1] in ("key", self.model.called)


def _names(path: Path) -> list[str]:
    return [step for step in path if isinstance(step, str)]


def field_context(
    path: Path, document: Document, catalog: Catalog, type_: DetailType | None = None
) -> FieldContext:
    """The context of the value at `path`; `type_` is the type of details that do not stand beside
    it.
    """
    in_defaults = path[:1] == ("defaults",)
    section = path[1:] if in_defaults and len(path) > 1 else path
    model = catalog.by_list_key(str(section[0])) if section else None
    if model is None:
        return FieldContext(path)
    chain = [model]
    if not in_defaults:
        chain += children_on(path, model, catalog)
    model, depth = chain[-1], 2 * len(chain)
    field = model.fields.get(str(path[depth])) if len(path) > depth else None
    member = field.members.get(str(path[-1])) if field and len(path) > depth + 1 else None
    address = None if in_defaults or len(path) < 2 else _address(path, document, chain)
    parent = chain[-2] if len(chain) > 1 else None
    context = FieldContext(path, model, field, member, address, in_defaults, depth, parent)
    if field is None or field.details is None:
        return context
    type_ = type_ or written_type(path[:depth], field, document)
    return replace(context, detail_type=type_, detail=_detail(path[depth + 1 :], type_))


def written_type(record: Path, field: Field, document: Document) -> DetailType | None:
    """The type of details that is written beside them, or in the record around theirs."""
    if field.details is None or document.root is None:
        return None
    around = record[:-2] if field.details.of_parent else record
    node = document.root.at(around)
    name = node.members.get(field.details.selector.rpartition(".")[2])
    return type_of(field, name.value) if name else None


def _detail(path: Path, type_: DetailType | None) -> Field | None:
    """The field of a type that a path inside of details leads to."""
    name = next((step for step in path if isinstance(step, str)), None)
    return type_.fields.get(name) if type_ and name else None


def children_on(path: Path, model: Model, catalog: Catalog) -> Iterator[Model]:
    """The models of the lists of records that a path goes through inside a record of `model`."""
    for step in path[2::2]:
        child = catalog.child(model, step) if isinstance(step, str) else None
        if child is None:
            return
        yield child
        model = child


def record_path(path: Path, catalog: Catalog) -> Path:
    """The part of a path that leads to the innermost record, or to the defaults, around a value."""
    model = catalog.by_list_key(str(path[0])) if len(path) > 2 else None
    if model is None:
        return path[:2]
    depth = 2 + 2 * sum(1 for _ in children_on(path, model, catalog))
    return path[:depth] if len(path) >= depth else path[: depth - 2]


def _address(path: Path, document: Document, chain: list[Model]) -> str | None:
    """The address of the record at or around `path`."""
    key, model = None, chain[0]
    for number, model_there in enumerate(chain, 1):
        if document.root is None or len(path) < 2 * number:
            break
        record = document.root.at(path[: 2 * number]).value
        key, model = record_key(record, model_there, key), model_there
        if key is None:
            return None
    return str(Address(model.name, key)) if key else None


def written(value: Value) -> str:
    """A value as one line of YAML, without quotes where that is safe."""
    if isinstance(value, str):
        is_plain = re.fullmatch(r"[A-Za-z][\w ./-]*(?<! )", value)
        if is_plain and value.lower() not in _RESERVED:
            return value
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(written(item) for item in value)}]"
    if isinstance(value, dict):
        members = [f"{key}: {written(item)}" for key, item in value.items()]
        return f"{{{', '.join(members)}}}"
    return json.dumps(value)


_RESERVED = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
