"""JSON Schemas made from the field tables: what editors, other validators and stemctl itself judge
files by.

Every schema is self-contained (no reference to another file). It uses `pattern` where it can, next
to `format`, so that validators that do not check formats give the same result. Two keywords are
only for editors: `patternErrorMessage` says what a pattern asks
for, `defaultSnippets` what a new record needs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from stemctl.schema import detail_schemas
from stemctl.schema.catalog import Catalog
from stemctl.schema.config_schema import DIALECT, Schema, closed, config_schema
from stemctl.schema.detail_schemas import Builders
from stemctl.schema.field_schema import field_schema, formed
from stemctl.schema.models import Model
from stemctl.schema.naming_schema import listed_at_top, named, nested_lists
from stemctl.schema.patterns import ADDRESS_TAIL, FORMATS, KEY
from stemctl.util.json_types import Value

DIRECTIVES = {
    "moved": "Records whose key has changed: "
    "the record at the old address continues at the new one. "
    "One * in both stands for the same text: {from: MODEL/old_*, to: MODEL/new_*}.",
    "forget": "Records to stop managing; they stay on the server. "
    "* and ? are wildcards, and literal after a backslash.",
    "deleted": "Records to delete from the server; --allow is then not needed.",
}


def generated(catalogs: Iterable[Catalog]) -> dict[str, str]:
    """Path below `schemas/` and text of every generated file."""
    catalogs = list(catalogs)
    schemas: dict[str, Schema] = {
        "config.schema.json": config_schema([c.edition for c in catalogs])
    }
    for catalog in catalogs:
        schemas[f"{catalog.edition}/manifest.schema.json"] = manifest_schema(catalog)
        for model in catalog.writable:
            schemas[f"{catalog.edition}/{model.name}.schema.json"] = record_schema(model, catalog)
    # Schemas that are the same in every edition, as plan.schema.json, join config.schema.json
    # above.
    return {path: as_text(schema) for path, schema in sorted(schemas.items())}


def as_text(schema: Value) -> str:
    """A schema as it stands in its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def record_schema(model: Model, catalog: Catalog) -> Schema:
    """One effective record, after defaults, with all that creating it requires."""
    details = detail_schemas.definitions([model], catalog, whole=True)
    return {
        "$schema": DIALECT,
        "$id": f"urn:stemctl:schema:{catalog.edition}:{model.name}",
        **_record(model, catalog, whole=True),
        "required": [f.name for f in model.managed if f.required],
        **({"$defs": details} if details else {}),
    }


def manifest_schema(catalog: Catalog) -> Schema:
    """A whole file, in which records need no more than what tells them apart: the rest may come
    from defaults.
    """
    definitions = {name: build() for name, build in _definitions(catalog).items()}
    definitions |= detail_schemas.definitions(_listed(catalog), catalog)
    return _manifest(catalog, definitions)


def unfolding_manifest_schema(
    catalog: Catalog, finish: Callable[[Schema], Schema] = lambda schema: schema
) -> Schema:
    """The same, with each of its `$defs` made when it is first looked up, and passed to `finish`.

    An edition has dozens of models, and a file names a few.
    """
    builders = _definitions(catalog) | detail_schemas.builders(_listed(catalog), catalog)
    return _manifest(catalog, _Unfolding(builders, finish))


class _Unfolding(dict[str, Schema]):
    """Definitions by name, each made when it is first looked up."""

    def __init__(self, builders: Builders, finish: Callable[[Schema], Schema]) -> None:
        super().__init__()
        self._builders, self._finish = builders, finish

    def __missing__(self, name: str) -> Schema:
        self[name] = self._finish(self._builders[name]())
        return self[name]


def _listed(catalog: Catalog) -> list[Model]:
    return sorted(catalog.listed, key=lambda model: model.section)


def _definitions(catalog: Catalog) -> Builders:
    """The `$defs` of a manifest schema, but those of details."""
    writable = catalog.writable
    return {
        "address": partial(_address, writable),
        **{m.name: partial(_record_in_list, m, catalog) for m in writable},
        **{f"{m.name}_defaults": partial(_defaults, m, catalog) for m in catalog.listed},
    }


def _record_in_list(model: Model, catalog: Catalog) -> Schema:
    return {**_record(model, catalog), **named(model)}


def _manifest(catalog: Catalog, definitions: dict[str, Schema]) -> Schema:
    models = _listed(catalog)
    lists = {
        m.section: {
            "type": "array",
            "title": m.title,
            "description": m.description,
            "items": listed_at_top(m),
        }
        for m in models
    }
    defaults = {
        "type": "object",
        "title": "Defaults",
        "description": "Values for all records of this file, by list. "
        "Sets and mappings are merged with those of the record.",
        "additionalProperties": False,
        "properties": {m.section: _def(f"{m.name}_defaults") for m in models},
    }
    return {
        "$schema": DIALECT,
        "$id": f"urn:stemctl:schema:{catalog.edition}:manifest",
        "title": "Manifest",
        "description": f"Records of a lab, for edition {catalog.edition} of BrainSTEM.",
        "type": "object",
        "additionalProperties": False,
        "properties": {"defaults": defaults, **lists, **_wishes()},
        "$defs": definitions,
    }


def _record(model: Model, catalog: Catalog, *, whole: bool = False) -> Schema:
    """A record, with the lists of records inside it unless it is `whole`."""
    lists = {} if whole else nested_lists(model, catalog)
    return {
        "title": model.title,
        "description": model.description,
        **closed(**_handles(model), **_fields(model), **lists, lifecycle=_lifecycle(model)),
        **detail_schemas.rules_of(model, catalog, whole=whole),
    }


def _handles(model: Model) -> dict[str, Schema]:
    """What tells stemctl which record it is. Embedded records have their moment, and no id."""
    if model.embedded:
        return {}
    return {
        "key": {
            "type": "string",
            **formed(KEY),
            "title": "Key",
            "description": _about_key(model),
        },
        "id": _id(model),
    }


def _about_key(model: Model) -> str:
    default = f" Default: its {model.called}." if model.called else ""
    text = f"Handle of the record in its address, {model.name}/KEY.{default}"
    if model.parent is None:
        return text
    parent = model.parent.upper()
    return f"{text} Inside of its {model.parent}, its address is {model.name}/{parent}/KEY."


def _id(model: Model) -> Schema:
    description = "of the record on the server that this one is bound to."
    if model.integer_ids:
        return {
            "type": "integer",
            "minimum": 1,
            "title": "Id",
            "description": f"Number {description}",
        }
    return {
        "type": "string",
        **formed(FORMATS["uuid"]),
        "format": "uuid",
        "title": "Id",
        "description": f"UUID {description}",
    }


def _fields(model: Model) -> dict[str, Schema]:
    return {f.name: field_schema(f, model) for f in model.managed}


def _defaults(model: Model, catalog: Catalog) -> Schema:
    properties = {
        name: {"$ref": f"#/$defs/{model.name}/properties/{name}"}
        for name in (*_with_defaults(model), "lifecycle")
    }
    return {
        "title": f"Defaults: {model.title}",
        "description": model.description,
        **closed(**properties),
        **detail_schemas.rules_of(model, catalog),
    }


def _with_defaults(model: Model) -> list[str]:
    """The fields that can have defaults. What tells records apart, or gives them keys, has none."""
    names = {model.called, *(group[-1] for group in model.together_unique)}
    return [f.name for f in model.managed if not f.unique and (f.to or f.name not in names)]


def _example_of_names(model: Model) -> str:
    """An example of a list of fields, of one whose defaults are merged if the model has any."""
    names = sorted(_with_defaults(model), key=lambda name: not model.fields[name].merges)
    return f" Example: [{names[0]}]" if names else ""


def _lifecycle(model: Model) -> Schema:
    return {
        "title": "Lifecycle",
        "description": "How stemctl treats this record.",
        **closed(
            prevent_delete={
                "type": "boolean",
                "title": "Prevent delete",
                "description": "Never delete this record, even if deletes are allowed.",
            },
            ignore_changes={
                "type": "array",
                "title": "Ignore changes",
                "items": {"enum": [f.name for f in model.managed]},
                "description": "Fields that are sent only when the record is created.",
            },
            no_defaults={
                "type": "array",
                "title": "No defaults",
                "items": {"enum": _with_defaults(model)},
                "description": "Fields that take no values from defaults. To have no elements at "
                "all, write the field as [] too." + _example_of_names(model),
            },
        ),
    }


def _wishes() -> dict[str, Schema]:
    pair = {
        **closed(**{"from": _def("address"), "to": _def("address")}),
        "required": ["from", "to"],
    }
    items = {"moved": pair, "forget": _def("address"), "deleted": _def("address")}
    return {
        name: {
            "type": "array",
            "title": name.capitalize(),
            "description": text,
            "items": items[name],
        }
        for name, text in DIRECTIVES.items()
    }


def _address(models: Sequence[Model]) -> Schema:
    spellings = sorted({s for m in models for s in (m.name, m.one, m.section) if " " not in s})
    return {
        "type": "string",
        "pattern": f"^(?:{'|'.join(spellings)})/{ADDRESS_TAIL}",
        "title": "Address",
        "description": f"MODEL/KEY. Example: {models[0].name}/KEY" if models else "MODEL/KEY",
    }


def _def(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
