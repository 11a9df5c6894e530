import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stemctl.core.diagnostics import Severity
from stemctl.core.records import Address, Location, Record, Repository
from stemctl.manifests.cross_file import check_references
from stemctl.manifests.reader import parse
from stemctl.manifests.schema_errors import ManifestValidator, validator_of
from stemctl.manifests.validation import check_document, located, missing_fields
from stemctl.schema.catalog import Catalog, editions, load_catalog
from stemctl.schema.manifest_schema import record_schema, unfolding_manifest_schema
from tests.support.paths import PROJECT

CATALOG = load_catalog("2024")
SESSION = CATALOG.models["session"]
PLACE = Location("a.yaml", 2, 5)


def record(model, key, line=1, **fields):
    return Record(Address(model, key), fields, Location("a.yaml", line, 5))


def repository(*records):
    return Repository({r.address: r for r in records})


def test_a_new_record_needs_what_the_table_requires():
    (finding,) = missing_fields(record("session", "rat12", 2, name="rat12"), SESSION)
    assert finding.severity is Severity.ERROR
    assert finding.code == "missing-field"
    assert finding.message == "a new session needs `projects`"
    assert (
        finding.remedy
        == "add `projects: [NAME OF A PROJECT]` here, or under `defaults:` for the whole file"
    )
    assert (finding.address, finding.field, finding.location) == (
        "session/rat12",
        "projects",
        PLACE,
    )


def test_a_live_record_leaves_it_to_the_server():
    findings = list(missing_fields(record("session", "rat12"), SESSION, live=True))
    assert [f.severity for f in findings] == [Severity.NOTE, Severity.NOTE]
    assert [f.message for f in findings] == [
        "`name` is left to the server",
        "`projects` is left to the server",
    ]


def test_a_name_is_not_to_be_put_under_defaults():
    (finding,) = missing_fields(record("session", "rat12", projects=["P"]), SESSION)
    assert finding.remedy == "add `name: ...` here"


@pytest.mark.parametrize("model", list(CATALOG.writable), ids=lambda model: model.name)
@given(st.data())
def test_what_is_missing_is_what_the_schema_of_a_record_says(model, data):
    written = data.draw(st.sets(st.sampled_from([f.name for f in model.managed])))
    missing = {
        f.field
        for f in missing_fields(record(model.name, "k", **dict.fromkeys(written, "x")), model)
    }
    assert missing == set(record_schema(model, CATALOG)["required"]) - written


def writable_projects():
    project = replace(CATALOG.models["project"], operations=("list", "add", "detail"))
    return Catalog("test", {**CATALOG.models, "project": project})


def test_a_reference_that_could_mean_two_records():
    records = (
        record("project", "Maze", 1, name="Theta"),
        record("project", "other", 2, name=" Maze "),
        record("session", "rat12", 3, projects=["Maze", "Theta", "other", "elsewhere"]),
    )
    (finding,) = check_references(repository(*records), writable_projects())
    assert finding.code == "ambiguous-reference"
    assert finding.message == "`Maze` is the key of one project and the name of another"
    assert finding.remedy == "change the key in a.yaml:1; the name is in a.yaml:2"
    assert (finding.address, finding.field, finding.value) == ("session/rat12", "projects", "Maze")


def test_references_that_mean_one_record_or_may_be_live():
    records = (
        record("project", "Maze", 1, name="Maze"),
        record("project", "no name", 2),
        record(
            "session",
            "rat12",
            3,
            projects=["Maze", "no name", "5c0f3c52-7a0e-4b7b-9d6e-0f5a1b6c2d48", "live"],
        ),
        record("session", "rat13", 4, projects=None),
    )
    assert list(check_references(repository(*records), writable_projects())) == []


def test_an_id_is_never_taken_for_a_name():
    records = (
        record("project", "5c0f3c52-7a0e-4b7b-9d6e-0f5a1b6c2d48", 1, name="x"),
        record("project", "y", 2, name="5c0f3c52-7a0e-4b7b-9d6e-0f5a1b6c2d48"),
        record("session", "rat12", 3, projects=["5c0f3c52-7a0e-4b7b-9d6e-0f5a1b6c2d48"]),
    )
    assert list(check_references(repository(*records), writable_projects())) == []


def test_names_of_models_that_no_file_writes_are_left_to_the_server():
    records = (record("session", "rat12", projects=["Maze"]),)
    assert list(check_references(repository(*records), CATALOG)) == []


def test_findings_carry_what_programs_need():
    text = b"sessions:\n  - name: rat12\n    extra_fields: {room: [a]}\n"
    (finding,), broken = check_document(parse(text, "a.yaml"), validator_of(CATALOG), CATALOG)
    assert finding.location == Location("a.yaml", 3, 26)
    assert finding.address == "session/rat12"
    assert finding.field == "extra_fields.room"
    assert finding.value == ["a"]
    assert finding.rule == 'type: ["string", "number"]'
    assert finding.line == "    extra_fields: {room: [a]}"
    assert broken == {("sessions", 0)}


def test_one_wrong_record_among_many_is_told_by_its_own_place():
    good = "".join(f"  - {{name: s{i}}}\n" for i in range(50))
    text = f"sessions:\n{good}  - {{name: bad, tags: x}}\n{good}"
    (finding,), broken = check_document(
        parse(text.encode(), "a.yaml"), validator_of(CATALOG), CATALOG
    )
    assert finding.location == Location("a.yaml", 52, 23)
    assert finding.address == "session/bad"
    assert broken == {("sessions", 50)}


def test_a_mistake_behind_an_anchor_is_told_where_it_is_written():
    text = b"sessions:\n  - {name: a, tags: &t [1]}\n  - {name: b, tags: *t}\n"
    findings, broken = check_document(parse(text, "a.yaml"), validator_of(CATALOG), CATALOG)
    assert {f.location for f in findings} == {Location("a.yaml", 2, 25)}
    assert broken == {("sessions", 0), ("sessions", 1)}


@pytest.mark.parametrize("edition", editions())
def test_the_committed_schema_is_the_judge(edition):
    committed = PROJECT / "schemas" / edition / "manifest.schema.json"
    expected = json.loads(committed.read_text(encoding="utf-8"))
    schema = validator_of(load_catalog(edition))._validator.schema
    assert {name: schema["$defs"][name] for name in expected["$defs"]} == expected["$defs"]
    assert {**schema, "$defs": None} == {**expected, "$defs": None}


def test_only_the_definitions_that_a_file_needs_are_made():
    validator = ManifestValidator(unfolding_manifest_schema(load_catalog("2026")))
    assert list(validator.errors({"species": [{"name": "Rat"}, {"nam": "Mouse"}]})) != []
    assert set(validator._schema["$defs"]) == {"species"}


@pytest.mark.parametrize(
    "line, address, field",
    [
        ("  - {name: b, extra_fields: {cage: 012}}", "session/b", "extra_fields.cage"),
        ("  - {name: b, tags: [a], tags: [b]}", "session/b", None),
        ("  - {name: b, tags: !!set {a}}", "session/b", "tags"),
        ("sessions: []", None, None),
    ],
)
def test_what_could_not_be_read_is_told_with_its_record(line, address, field):
    document = parse(f"sessions:\n  - {{name: a}}\n{line}\n".encode(), "a.yaml")
    (finding,) = located(document, CATALOG)
    assert (finding.address, finding.field) == (address, field)
    assert finding.location.line == 3


def test_nothing_is_located_in_a_file_without_values():
    document = parse(b"a: [", "a.yaml")
    assert list(located(document, CATALOG)) == document.problems
