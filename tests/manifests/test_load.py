import gc

import pytest

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Address, Directive, Lifecycle, Location
from stemctl.manifests.load import load_repository, with_lines
from stemctl.schema.catalog import load_catalog

CATALOG = load_catalog("2024")


@pytest.fixture
def load(tmp_path):
    def load_files(**files):
        for name, text in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return load_repository(tmp_path, ["."], CATALOG)

    return load_files


def session(repository, key):
    return repository.records[Address("session", key)]


def test_a_record_is_what_is_written(load):
    repository, findings = load(
        a="sessions:\n  - name: ' rat12 '\n    key: k/1\n"
        "    id: 5c0f3c52-7a0e-4b7b-9d6e-0f5a1b6c2d48\n    tags: [a]\n"
        "    lifecycle: {prevent_delete: true, ignore_changes: [tags]}\n"
    )
    assert [finding.code for finding in findings] == ["odd-character"]
    record = session(repository, "k/1")
    assert record.fields == {"name": " rat12 ", "tags": ["a"]}
    assert record.id == "5c0f3c52-7a0e-4b7b-9d6e-0f5a1b6c2d48"
    assert record.lifecycle == Lifecycle(True, ("tags",))
    assert record.location == Location("a.yaml", 2, 5)
    assert repository.files == ("a.yaml",)


def test_the_key_is_the_name_as_the_server_stores_it(load):
    repository, _ = load(a="sessions: [{name: ' rat 12/a '}]\n")
    assert list(repository.records) == [Address("session", "rat 12/a")]


def test_every_value_knows_where_it_is_written(load):
    repository, _ = load(
        a="sessions:\n"
        "  - name: rat12\n"
        "    tags:\n"
        "      - a\n"
        "      - b\n"
        "    extra_fields: {room: B115}\n"
        "    download_links:\n"
        "      - {Repository: DANDI, URL: 'https://a.org/1'}\n"
    )
    record = session(repository, "rat12")
    assert record.location_of("name") == Location("a.yaml", 2, 11)
    assert record.location_of("tags") == Location("a.yaml", 3, 5)
    assert record.location_of("tags", "b") == Location("a.yaml", 5, 9)
    assert record.location_of("tags", "elsewhere") == record.location_of("tags")
    assert record.location_of("extra_fields", "room") == Location("a.yaml", 6, 20)
    assert record.location_of("download_links", "https://a.org/1") == Location("a.yaml", 8, 9)
    assert record.location_of("description") == record.location
    assert len(record.locations) == len(list(record.locations)) == 8


DEFAULTS = """\
defaults:
  sessions:
    projects: [P]
    description: from the file
    tags: [theta, sleep]
    extra_fields: {room: A, cage: 1}
    download_links: [{Repository: DANDI, URL: 'https://a.org/1'}, {Repository: DANDI, URL: 'https://a.org/2'}]
    lifecycle: {prevent_delete: true, ignore_changes: [tags]}
"""


def test_defaults_of_the_file_lie_under_each_record(load):
    repository, findings = load(
        a=DEFAULTS
        + "sessions:\n"
        + "  - name: rat12\n"
        + "    description: own\n"
        + "    tags: [sleep, own]\n"
        + "    extra_fields: {room: B}\n"
        + "    download_links: [{Repository: Zenodo, URL: 'https://a.org/2'}]\n"
        + "    lifecycle: {prevent_delete: false, ignore_changes: [description]}\n"
        + "  - name: rat13\n"
    )
    assert findings == ()
    record = session(repository, "rat12")
    assert record.fields == {
        "name": "rat12",
        "projects": ["P"],
        "description": "own",
        "tags": ["theta", "sleep", "own"],
        "extra_fields": {"room": "B", "cage": 1},
        "download_links": [
            {"Repository": "DANDI", "URL": "https://a.org/1"},
            {"Repository": "Zenodo", "URL": "https://a.org/2"},
        ],
    }
    assert record.lifecycle == Lifecycle(False, ("tags", "description"))
    assert record.location_of("projects").line == 3
    assert record.location_of("tags").line == 12
    assert record.location_of("tags", "theta").line == 5
    assert record.location_of("tags", "sleep").line == 12
    assert record.location_of("extra_fields", "cage").line == 6
    assert record.location_of("extra_fields", "room").line == 13
    assert record.location_of("download_links", "https://a.org/1").line == 7
    assert record.location_of("download_links", "https://a.org/2").line == 14
    other = session(repository, "rat13")
    assert other.fields["tags"] == ["theta", "sleep"]
    assert other.lifecycle == Lifecycle(True, ("tags",))


def test_defaults_of_a_model_say_nothing_to_others(load):
    repository, _ = load(a=DEFAULTS + "sensory_stimulus_types: [{name: Air puff}]\n")
    assert repository.records[Address("sensorystimulustype", "Air puff")].fields == {
        "name": "Air puff"
    }


def test_the_nearest_folder_lies_under_the_file(load):
    repository, findings = load(
        _defaults="defaults: {sessions: {projects: [root], description: root}}\n",
        labs___defaults="defaults: {sessions: {tags: [folder], extra_fields: {room: folder}}}\n",
        labs__x__a="defaults: {sessions: {extra_fields: {cage: file}}}\n"
        "sessions: [{name: rat12, tags: [own]}]\n",
        b="sessions: [{name: rat13}]\n",
    )
    assert findings == ()
    record = session(repository, "rat12")
    assert record.fields == {
        "name": "rat12",
        "tags": ["folder", "own"],
        "extra_fields": {"room": "folder", "cage": "file"},
    }
    assert record.location_of("tags", "folder").file == "labs/_defaults.yaml"
    assert record.location_of("extra_fields", "room").file == "labs/_defaults.yaml"
    assert record.location_of("extra_fields", "cage").file == "labs/x/a.yaml"
    assert session(repository, "rat13").fields == {
        "name": "rat13",
        "projects": ["root"],
        "description": "root",
    }
    assert repository.files == ("b.yaml", "labs/x/a.yaml")


def test_records_that_are_written_alike_do_not_share_what_changes(load):
    repository, _ = load(a=DEFAULTS + "sessions: [{name: a, tags: [x]}, {name: b}]\n")
    assert session(repository, "a").fields["tags"] == ["theta", "sleep", "x"]
    assert session(repository, "b").fields["tags"] == ["theta", "sleep"]


def test_wishes_name_models_as_the_catalog_does(load):
    repository, findings = load(
        a="sessions: [{name: b}]\n"
        "moved: [{from: sessions/a, to: session/b}]\n"
        "forget: ['sensory_stimulus_types/x*']\n"
        "deleted: [session/c/d]\n"
    )
    assert findings == ()
    assert repository.moved == (
        Directive("session/a", Location("a.yaml", 2, 16), Address("session", "b")),
    )
    assert repository.forget == (Directive("sensorystimulustype/x*", Location("a.yaml", 3, 10)),)
    assert repository.deleted == (Directive("session/c/d", Location("a.yaml", 4, 11)),)


def test_what_is_wrong_is_left_out_and_the_rest_is_there(load):
    repository, findings = load(
        a="sessions:\n  - {name: bad, tags: x}\n  - {name: blank, tags: }\n"
        "  - {name: ambiguous, description: 012}\n"
        "  - {name: good}\n  - text\ndeleted: [nonsense, session/old]\n",
        b="- not a manifest\n",
        c="sessions: [{name: other}]\n",
    )
    assert [address.key for address in repository.records] == ["good", "other"]
    assert [directive.subject for directive in repository.deleted] == ["session/old"]
    assert [finding.location.line for finding in findings if finding.location.file == "a.yaml"] == [
        2,
        3,
        4,
        6,
        7,
    ]


def test_records_under_wrong_defaults_are_left_out(load):
    repository, _ = load(
        a="defaults: {sessions: {tags: x}}\nsessions: [{name: a}]\n"
        "sensory_stimulus_types: [{name: b}]\n",
        c___defaults="defaults: {sessions: {tags: 012}}\n",
        c__d="sessions: [{name: c}]\n",
        c__e="defaults: {sessions: {description: fine}}\nsessions: [{name: e}]\n",
    )
    assert [address.key for address in repository.records] == ["b"]


def test_a_record_that_cannot_be_used_still_counts_as_declared(load):
    _, findings = load(
        a="sessions:\n  - {name: rat12, tags: x}\n  - {name: rat12}\n"
        "moved: [{from: session/old, to: session/rat12}]\n"
    )
    assert sorted(finding.code for finding in findings) == ["duplicate-name", "wrong-type"]


def test_the_first_of_two_records_stays(load):
    repository, _ = load(
        a="sessions: [{name: x, tags: [first]}]\n", b="sessions: [{name: x, tags: [second]}]\n"
    )
    assert session(repository, "x").fields["tags"] == ["first"]


def test_findings_are_sorted_by_place(load):
    _, findings = load(
        b="sessions: [{nam: a}]\n", a="deleted: [x]\nsessions: [{nam: a}, {name: 1}]\n"
    )
    locations = [finding.location for finding in findings]
    assert locations == sorted(locations)
    assert {location.file for location in locations} == {"a.yaml", "b.yaml"}


def test_lines_are_read_for_findings_that_have_none(tmp_path):
    (tmp_path / "a.yaml").write_text("sessions:\n  - name: 'rat'\n", encoding="utf-8")
    finding = Diagnostic(Severity.ERROR, "x", "wrong", Location("a.yaml", 2, 11), length=3)
    nowhere = Diagnostic(Severity.ERROR, "x", "wrong")
    gone = Diagnostic(Severity.ERROR, "x", "wrong", Location("gone.yaml", 2, 1))
    completed = with_lines(tmp_path, [finding, nowhere, gone])
    assert (completed[0].line, completed[0].length) == ("  - name: 'rat'", 5)
    assert completed[1] == nowhere
    assert completed[2] == gone


def test_a_move_is_not_judged_by_files_that_could_not_be_read(load):
    moved = "moved: [{from: session/a, to: session/b}]\n"
    _, findings = load(a=moved, b="sessions: [{name: b]\n")
    assert [finding.code for finding in findings] == ["syntax"]
    _, findings = load(a=moved, b="sessions: [{name: 1}]\n")
    assert [finding.code for finding in findings] == ["wrong-type"]
    _, findings = load(a=moved, b="sessions: []\n")
    assert [finding.code for finding in findings] == ["bad-move"]


def test_the_collector_runs_again_after_reading(load):
    load(a="sessions: [{name: a}]\n")
    assert gc.isenabled()


FOLDER = "defaults:\n  sessions: {tags: [lab], extra_fields: {room: B115}, projects: [P]}\n"


def test_a_record_can_take_no_defaults_for_a_field(load):
    repository, findings = load(
        _defaults=FOLDER,
        a="sessions:\n"
        "  - {name: a, lifecycle: {no_defaults: [tags, projects]}, projects: [Q]}\n"
        "  - {name: b, lifecycle: {no_defaults: [tags]}, tags: []}\n"
        "  - {name: c}\n",
    )
    assert findings == ()
    assert session(repository, "a").fields == {
        "name": "a",
        "projects": ["Q"],
        "extra_fields": {"room": "B115"},
    }
    assert session(repository, "b").fields["tags"] == []
    assert session(repository, "b").location_of("tags") == Location("a.yaml", 3, 55)
    assert session(repository, "c").fields["tags"] == ["lab"]


def test_defaults_of_a_file_can_take_none_of_the_folder(load):
    repository, findings = load(
        _defaults=FOLDER,
        a="defaults:\n"
        "  sessions: {tags: [mine], lifecycle: {no_defaults: [tags, projects]}}\n"
        "sessions: [{name: a, tags: [own]}]\n",
    )
    assert findings == ()
    fields = session(repository, "a").fields
    assert fields == {"name": "a", "tags": ["mine", "own"], "extra_fields": {"room": "B115"}}


@pytest.mark.parametrize("name", ["name", "lifecycle", "key", "tagz"])
def test_only_fields_that_can_have_defaults_can_refuse_them(load, name):
    _, findings = load(a=f"sessions: [{{name: a, lifecycle: {{no_defaults: [{name}]}}}}]\n")
    assert [finding.code for finding in findings] == ["not-in-list"]


def test_an_empty_set_over_defaults_is_a_warning_and_has_their_location(load):
    repository, findings = load(
        _defaults=FOLDER,
        a="sessions:\n  - name: a\n    tags: []\n    extra_fields: {}\n",
        b="defaults:\n  sessions:\n    tags: []\nsessions: [{name: b}]\n",
    )
    assert [(f.code, f.severity, str(f.location), f.field) for f in findings] == [
        ("clears-nothing", Severity.WARNING, "a.yaml:3:11", "tags"),
        ("clears-nothing", Severity.WARNING, "a.yaml:4:19", "extra_fields"),
        ("clears-nothing", Severity.WARNING, "b.yaml:3:11", "tags"),
    ]
    assert findings[0].remedy.startswith("to have none, add `lifecycle: {no_defaults: [tags]}`")
    for key in ("a", "b"):
        record = session(repository, key)
        assert record.fields["tags"] == ["lab"]
        assert record.location_of("tags") == Location("_defaults.yaml", 2, 20)
        assert record.location_of("tags", "lab") == Location("_defaults.yaml", 2, 21)


def test_an_empty_set_without_elements_below_it_is_no_warning(load):
    _, findings = load(
        _defaults="defaults: {sessions: {tags: []}}\n", a="sessions: [{name: a, tags: []}]\n"
    )
    assert findings == ()
