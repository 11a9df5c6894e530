import json
import re

import jsonschema
import pytest
import yaml

from stemctl.errors import TableError
from stemctl.manifests.reader import parse
from stemctl.manifests.schema_errors import validator_of
from stemctl.manifests.validation import check_document
from stemctl.schema import catalog as catalogs
from stemctl.schema.catalog import editions, load_catalog, schemas_dir
from stemctl.schema.compiled import compiled
from stemctl.schema.manifest_schema import config_schema, generated, manifest_schema, record_schema

CATALOGS = [load_catalog(edition) for edition in editions()]
GENERATED = generated(CATALOGS)


@pytest.mark.parametrize("path", GENERATED)
def test_the_committed_schema_is_the_generated_one(path):
    committed = (schemas_dir() / path).read_bytes().decode("utf-8")
    assert committed == GENERATED[path], "run `stemctl schema build`"


@pytest.mark.parametrize("path", GENERATED)
def test_a_schema_is_well_formed_and_stands_alone(path):
    schema = json.loads(GENERATED[path])
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (
        schema["$id"] == f"urn:stemctl:schema:{path.removesuffix('.schema.json').replace('/', ':')}"
    )
    assert schema["title"]
    assert schema["description"]
    for part in parts(schema):
        assert part.get("$ref", "#/").startswith("#/")
        if part.get("type") == "object" and "properties" in part:
            assert part["additionalProperties"] is False
        for name, inner in part.get("properties", {}).items() if "type" in part else ():
            assert (
                "description" in inner
                or "$ref" in inner
                or name in ("from", "to")
                or path.startswith("config")
                or inner.keys() <= {"const", "enum", "items"}  # of a rule about a type
                or inner.get("properties") == {}
                or set(part["properties"]) == {"value", "unit"}
            )


def parts(value):
    """Every object inside a schema."""
    if isinstance(value, dict):
        yield value
    for inner in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from parts(inner)


@pytest.mark.parametrize("catalog", CATALOGS, ids=lambda catalog: catalog.edition)
def test_every_writable_model_and_field_is_there_and_no_other(catalog):
    manifest = manifest_schema(catalog)
    lists = {model.section for model in catalog.listed}
    assert set(manifest["properties"]) == {"defaults", "moved", "forget", "deleted", *lists}
    for model in catalog.writable:
        fields = {field.name for field in model.managed}
        handles = set() if model.embedded else {"key", "id"}
        inside = {child.section for child in catalog.children(model)}
        properties = set(manifest["$defs"][model.name]["properties"])
        assert properties == {"lifecycle", *handles, *fields, *inside}
        assert not fields & inside
    for model in catalog.listed:
        names = {model.called, *(group[-1] for group in model.together_unique)}
        shared = [f.name for f in model.managed if f.to or f.name not in names]
        defaults = set(manifest["$defs"][f"{model.name}_defaults"]["properties"])
        assert defaults == {"lifecycle", *shared}


@pytest.mark.parametrize("catalog", CATALOGS, ids=lambda catalog: catalog.edition)
def test_the_example_of_every_field_is_valid(catalog):
    for model in catalog.writable:
        properties = record_schema(model, catalog)["properties"]
        for field in model.managed:
            validator = jsonschema.Draft202012Validator(properties[field.name])
            if field.example is not None:
                assert validator.is_valid(field.example), f"{model.name}.{field.name}"
            if (
                not field.required
                and not field.enum
                and (field.empty is not None or field.takes_null)
            ):
                assert validator.is_valid(field.empty), (
                    f"{model.name}.{field.name} cannot be cleared"
                )


def test_a_record_needs_what_creating_it_requires_and_a_manifest_what_names_it():
    catalog = load_catalog("2024")
    alone = jsonschema.Draft202012Validator(record_schema(catalog.models["session"], catalog))
    manifest = jsonschema.Draft202012Validator(manifest_schema(catalog))
    assert not alone.is_valid({"name": "rat12"})
    assert alone.is_valid({"name": "rat12", "projects": ["P"]})
    assert manifest.is_valid({"sessions": [{"name": "rat12"}]})
    assert manifest.is_valid({"sessions": [{"key": "rat12"}]})
    assert not manifest.is_valid({"sessions": [{"projects": ["P"]}]})


CONFIG = """\
manifests: [records]
default_server: sandbox
servers:
  sandbox: {url: "sandbox:", seed: sandbox-seed.yaml}
  brainstem: {url: https://www.brainstem.org/, portal: private, edition: 2024,
              state: {backend: git, remote: origin, branch: stemctl-state}}
policy:
  allow: {delete: 10}
"""


@pytest.mark.parametrize(
    "old, new, valid",
    [
        ("", "", True),
        ("2024", '"2024"', True),
        ("2024", "1999", False),
        (", edition: 2024", "", False),
        ("portal: private", "portal: admin", False),
        ("backend: git", "backend: s3", False),
        ("delete: 10", "delete: -1", False),
        ("delete: 10", "delete: yes", False),
        ("delete: 10", "remove: 1", False),
        ("[records]", "[]", False),
        ("brainstem:", "../brainstem:", False),
        ("https://www.brainstem.org/", "ftp://www.brainstem.org/", False),
        ("policy:", "polcy:", False),
    ],
)
def test_the_configuration(old, new, valid):
    schema = config_schema(["2024"])
    data = yaml.safe_load(CONFIG.replace(old, new, 1))
    assert jsonschema.Draft202012Validator(schema).is_valid(data) is valid
    assert compiled(schema, schema)(data) is valid


def test_a_keyword_that_nobody_knows_is_not_passed_over():
    with pytest.raises(TableError, match="multipleOf"):
        compiled({"multipleOf": 2}, {})
    with pytest.raises(TableError, match="format"):
        compiled({"format": "uri"}, {})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer"},
        {"type": ["number", "null"]},
        {"enum": [1, "a", None, True]},
        {"minimum": 1},
        {"required": []},
        {"additionalProperties": {"type": "string"}},
        {"not": {"minLength": 2}},
        {"minLength": 1},
        {"maxLength": 1},
        {"minItems": 1},
        {"pattern": "^a$"},
        {"propertyNames": {"maxLength": 0}},
        {"items": {"type": "string"}},
        {"if": {"type": "string"}, "then": {"maxLength": 1}},
        {},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "value",
    [None, True, False, 0, 1, 1.0, 1.5, "", "a", "ab", [], [1], {}, {"a": "b"}, {"a": 1}],
    ids=repr,
)
def test_a_compiled_keyword_means_what_it_means_to_others(schema, value):
    assert compiled(schema, schema)(value) == jsonschema.Draft202012Validator(schema).is_valid(
        value
    )


TABLE = {
    "model": "assay",
    "app": "modules",
    "title": "Assay",
    "description": "One of everything.",
    "one": "assay",
    "many": "assays",
    "portals": {"read": ["private"], "write": ["private"]},
    "operations": ["list", "add", "detail", "change", "delete"],
    "identity": None,
    "fields": {
        name: {"description": name, "source": "invented", **field}
        for name, field in {
            "id": {"kind": "id", "read_only": True},
            "session": {"kind": "reference", "to": "session", "required": True},
            "born": {"kind": "date"},
            "site": {"kind": "text", "format": "uri"},
            "contact": {"kind": "text", "format": "email"},
            "sex": {"kind": "text", "enum": ["Male", "Female", "Unknown"]},
            "stage": {"kind": "text", "enum": ["a", "b"], "nullable": True},
            "count": {"kind": "integer"},
            "weight": {"kind": "number", "nullable": True},
            "open": {"kind": "boolean"},
            "steps": {"kind": "list", "ordered": True},
            "details": {"kind": "json"},
            "links": {
                "kind": "items",
                "by": "url",
                "members": {
                    "url": {"kind": "text"},
                    "type": {"kind": "text", "enum": ["paper", "data"]},
                    "open": {"kind": "boolean"},
                },
            },
        }.items()
    },
}


@pytest.fixture
def invented(tmp_path, monkeypatch):
    """An edition that has a model without a name, and the kinds of fields that sessions lack."""
    folder = tmp_path / "tables" / "test" / "modules"
    folder.mkdir(parents=True)
    (folder / "assay.yaml").write_text(json.dumps(TABLE), encoding="utf-8")
    monkeypatch.setattr(catalogs, "schemas_dir", lambda: tmp_path)
    return load_catalog("test")


@pytest.mark.parametrize(
    "field, value, code, remedy",
    [
        ("session", "null", None, None),
        ("session", "''", "empty", "write a value"),
        ("session", "[a]", "wrong-type", "write `a`"),
        ("born", "2024-03-12", None, None),
        ("born", "null", None, None),
        ("born", "2024-03-12T09:00:00Z", "bad-format", "write `2024-03-12`"),
        ("born", "20240312", "wrong-type", "write `2024-03-12`"),
        ("born", "12 March", "bad-format", "write a day as `2024-03-12`"),
        ("site", "''", None, None),
        ("site", "https://a.org", None, None),
        ("site", "a.org", "bad-format", "write `https://a.org`"),
        ("contact", "a@b.org", None, None),
        ("contact", "a.b.org", "bad-format", "write `NAME@DOMAIN`"),
        ("sex", "Male", None, None),
        ("sex", "male", "not-in-list", "write `Male`"),
        ("sex", "other", "not-in-list", "use one of: Male, Female, Unknown"),
        ("sex", "12", "wrong-type", 'write `"12"`'),
        ("sex", "null", "wrong-type", "write a value, or remove"),
        ("stage", "null", None, None),
        ("count", "1", None, None),
        ("count", "1.5", "wrong-type", "write a whole number"),
        ("count", "'12'", "wrong-type", "write `12` without quotes"),
        ("count", "null", "wrong-type", "write a value, or remove"),
        ("weight", "null", None, None),
        ("weight", "heavy", "wrong-type", "write a number"),
        ("open", "no", "wrong-type", "write `false`"),
        ("open", "0", "wrong-type", "write `false`"),
        ("open", "perhaps", "wrong-type", "write true or false"),
        ("steps", "[b, a, b]", None, None),
        ("details", "{a: [1, {b: null}]}", None, None),
        ("details", "null", "wrong-type", "write a value, or remove"),
        ("links", "[{url: a, type: data, open: true}]", None, None),
        ("links", "[{type: data}]", "missing-field", "add `url: ...`"),
        ("links", "[{url: a, type: Data}]", "not-in-list", "write `data`"),
        ("links", "[{url: a, open: on}]", "wrong-type", "write `true`"),
        ("links", "[{url: a}, {url: b}, {url: a}]", "duplicate-item", "keep one of them"),
    ],
)
def test_every_kind_of_field(invented, field, value, code, remedy):
    text = f"assays:\n  - key: one\n    {field}: {value}\n"
    findings, _ = check_document(parse(text.encode(), "a.yaml"), validator_of(invented), invented)
    assert [f.code for f in findings] == ([code] if code else [])
    assert all(f.remedy.startswith(remedy) for f in findings)


def test_a_model_without_a_name_needs_a_key(invented):
    text = b"assays:\n  - session: rat12\n"
    (finding,), _ = check_document(parse(text, "a.yaml"), validator_of(invented), invented)
    assert finding.message == "this assay has no `key`"


def test_the_pattern_of_addresses_knows_every_spelling_of_a_model():
    catalog = load_catalog("2024")
    pattern = manifest_schema(catalog)["$defs"]["address"]["pattern"]
    for model in catalog.writable:
        for spelling in (model.name, model.one, model.many):
            assert re.search(pattern, f"{spelling}/a/b c")
            assert catalog.find(spelling) is model
