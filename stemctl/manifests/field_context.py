"""The model, field and record that a path in a manifest belongs to."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from stemctl.core.records import Address
from stemctl.manifests.document import Document
from stemctl.schema.catalog import Catalog, Field, Member, Model
from stemctl.util.json_types import Path, Value


@dataclass(frozen=True, slots=True)
class FieldContext:
    """One value of a manifest, and what the field tables say about it."""

    path: Path
    model: Model | None = None
    field: Field | None = None
    member: Member | None = None
    address: str | None = None
    in_defaults: bool = False

    @property
    def label(self) -> str:
        """Its name in a message: `session.download_links.URL`, `moved.from`."""
        names = [str(step) for step in self.path if not isinstance(step, int)]
        if self.model and (self.is_record or self.inside_record) and not self.in_defaults:
            names = [self.model.name, *names[1:]]
        elif self.model and self.inside_record:
            names = [self.model.name, *names[2:]]
        return ".".join(names)

    @property
    def field_name(self) -> str | None:
        """The field, and the path into it: `extra_fields.room`."""
        return self.label.partition(".")[2] or None if self.model else None

    @property
    def is_record(self) -> bool:
        """Whether it is a record, or the defaults of a model."""
        return self.model is not None and len(self.path) == 2

    @property
    def inside_record(self) -> bool:
        """Whether it is inside a record, or inside defaults."""
        return self.model is not None and len(self.path) > 2

    @property
    def is_field(self) -> bool:
        """Whether it is the whole value of a field."""
        return self.field is not None and len(self.path) == 3

    @property
    def names_record(self) -> bool:
        """Whether it identifies its record."""
        identity = self.model.identity if self.model else None
        return len(self.path) == 3 and self.path[2] in ("key", identity)


def field_context(path: Path, document: Document, catalog: Catalog) -> FieldContext:
    """The context of the value at `path`."""
    in_defaults = path[:1] == ("defaults",)
    section = path[1:] if in_defaults and len(path) > 1 else path
    model = catalog.by_list_key(str(section[0])) if section else None
    if model is None:
        return FieldContext(path)
    field = model.fields.get(str(path[2])) if len(path) > 2 else None
    member = field.members.get(str(path[-1])) if field and len(path) > 3 else None
    address = None if in_defaults or len(path) < 2 else _address(path, document, model)
    return FieldContext(path, model, field, member, address, in_defaults)


def _address(path: Path, document: Document, model: Model) -> str | None:
    record = document.root.at(path[:2]).value if document.root else None
    key = record_key(record, model)
    return str(Address(model.name, key)) if key else None


def record_key(record: Value, model: Model) -> str | None:
    """The key of a record: as written, or the value of its unique field."""
    if not isinstance(record, dict):
        return None
    key = record.get("key")
    if key is None and model.identity:
        key = record.get(model.identity)
        if isinstance(key, str) and model.fields[model.identity].trimmed:
            key = key.strip()
    return key if isinstance(key, str) and key else None


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
