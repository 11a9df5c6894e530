"""init: a new repository, and what editors need in one that is there."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from stemctl.schema.catalog import editions, schemas_dir
from tests.support.lab import Lab, run_in_process

MANIFEST, CONFIG = ".stemctl-schema.json", ".stemctl-config-schema.json"
SETTINGS, EXTENSIONS = ".vscode/settings.json", ".vscode/extensions.json"
FOR_EDITORS = {MANIFEST, CONFIG, SETTINGS, EXTENSIONS}


def done(lab: Lab) -> dict[str, str]:
    """What init says it did, by file."""
    result = lab.run("init")
    assert result.code == 0, result.said
    return {name: what for what, name in (line.split(" ", 1) for line in result.out.splitlines())}


def files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def settings(lab: Lab) -> dict[str, list[str]]:
    return dict(json.loads((lab.root / SETTINGS).read_text(encoding="utf-8"))["yaml.schemas"])


@pytest.fixture
def empty(lab: Lab) -> Lab:
    for name in ("stemctl.yaml", "seed.yaml"):
        (lab.root / name).unlink()
    return lab


def test_a_new_repository_has_all_that_an_editor_needs(empty: Lab) -> None:
    assert done(empty) == dict.fromkeys(
        {*FOR_EDITORS, "stemctl.yaml", "sandbox-seed.yaml", "records/first.yaml"}, "wrote"
    )
    for name, schema in {"records/first.yaml": MANIFEST, "stemctl.yaml": CONFIG}.items():
        path = empty.root / name
        first, _, _ = path.read_text(encoding="utf-8").partition("\n")
        leads_to = (path.parent / first.removeprefix("# yaml-language-server: $schema=")).resolve()
        assert leads_to == empty.root / schema
        validator = jsonschema.Draft202012Validator(
            json.loads(leads_to.read_text(encoding="utf-8"))
        )
        assert validator.is_valid(yaml.load(path.read_bytes(), yaml.BaseLoader))
    assert settings(empty) == {
        f"./{MANIFEST}": ["records/**/*.yaml", "records/**/*.yml"],
        f"./{CONFIG}": ["stemctl.yaml"],
    }
    assert json.loads((empty.root / EXTENSIONS).read_text()) == {
        "recommendations": ["redhat.vscode-yaml"]
    }
    assert empty.run("plan").code == 0


def test_a_second_time_changes_nothing(empty: Lab) -> None:
    done(empty)
    before = files(empty.root)
    assert set(done(empty).values()) == {"kept"}
    assert files(empty.root) == before


def test_a_repository_that_is_there_gets_what_editors_need_and_nothing_else(lab: Lab) -> None:
    before = files(lab.root)
    assert done(lab) == {"stemctl.yaml": "kept", **dict.fromkeys(FOR_EDITORS, "wrote")}
    after = files(lab.root)
    assert {name: after[name] for name in before} == before
    assert set(after) == {*before, *FOR_EDITORS}


def test_older_schemas_are_refreshed(lab: Lab) -> None:
    done(lab)
    lab.write(MANIFEST, '{"$id": "urn:stemctl:schema:2019:manifest"}')
    assert done(lab)[MANIFEST] == "refreshed"
    assert (lab.root / MANIFEST).read_bytes() == (
        schemas_dir() / "2024" / "manifest.schema.json"
    ).read_bytes()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"$id": "https://json.schemastore.org/package.json"}', "\udcff"]
)
def test_a_file_of_that_name_that_is_no_schema_of_ours_stays(lab: Lab, text: str) -> None:
    (lab.root / MANIFEST).write_bytes(text.encode(errors="surrogateescape"))
    before = (lab.root / MANIFEST).read_bytes()
    assert done(lab)[MANIFEST] == "kept"
    assert (lab.root / MANIFEST).read_bytes() == before


def test_settings_of_the_user_are_never_touched_and_what_they_lack_is_said(lab: Lab) -> None:
    text = '{\n  // mine\n  "editor.rulers": [120],\n}\n'
    (lab.root / ".vscode").mkdir()
    (lab.root / SETTINGS).write_text(text)
    result = lab.run("init")
    assert (lab.root / SETTINGS).read_text() == text
    _, _, said = result.err.partition(f"add this to {SETTINGS}:\n")
    addition, _, _ = said.partition("\n\nNext")
    assert set(json.loads(addition)["yaml.schemas"]) == {f"./{MANIFEST}", f"./{CONFIG}"}
    (lab.root / SETTINGS).write_text(addition)
    assert "add this to" not in lab.run("init").err


@pytest.mark.parametrize(
    "entry, globs",
    [
        ("records", ["records/**/*.yaml", "records/**/*.yml"]),
        ("./records/", ["records/**/*.yaml", "records/**/*.yml"]),
        (".", ["**/*.yaml", "**/*.yml"]),
        ("labs/*/records", ["labs/*/records/**/*.yaml", "labs/*/records/**/*.yml"]),
        ("records/*.yaml", ["records/*.yaml"]),
        ("one.yml", ["one.yml"]),
    ],
)
def test_the_settings_name_what_the_configuration_names(
    lab: Lab, entry: str, globs: list[str]
) -> None:
    lab.write("stemctl.yaml", f"manifests: ['{entry}']\nservers:\n  sandbox: {{url: 'sandbox:'}}\n")
    done(lab)
    assert settings(lab)[f"./{MANIFEST}"] == globs


def test_a_configuration_that_is_wrong_is_told_and_nothing_written(lab: Lab) -> None:
    lab.write("stemctl.yaml", "servers:\n  sandbox: {url: 'sandbox:', portol: private}\n")
    before = files(lab.root)
    result = lab.run("init")
    assert result.code == 1
    assert "stemctl.yaml:2:30" in result.err
    assert files(lab.root) == before


def test_several_servers_of_which_none_is_the_default_have_a_schema_too(lab: Lab) -> None:
    lab.write(
        "stemctl.yaml", "servers:\n  a: {url: 'sandbox:'}\n  b: {url: 'sandbox:', edition: 2024}\n"
    )
    assert done(lab)[MANIFEST] == "wrote"


@pytest.mark.parametrize("name", [*sorted(FOR_EDITORS), ".vscode"])
def test_nothing_is_written_through_a_link(
    lab: Lab, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    beside = tmp_path_factory.mktemp("beside")
    (lab.root / name).parent.mkdir(exist_ok=True)
    (lab.root / name).symlink_to(beside if name == ".vscode" else beside / "not-there")
    done(lab)
    assert list(beside.iterdir()) == []


def test_a_new_repository_has_the_newest_edition_and_works_at_once(tmp_path: Path) -> None:
    start = ("-C", str(tmp_path))
    assert run_in_process(*start, "init").code == 0
    newest = editions()[-1]
    config = yaml.safe_load((tmp_path / "stemctl.yaml").read_text())
    assert str(config["servers"]["sandbox"]["edition"]) == newest
    schema = schemas_dir() / newest / "manifest.schema.json"
    assert (tmp_path / MANIFEST).read_text() == schema.read_text()
    for words in (["validate"], ["fmt", "--check"], ["apply", "--auto-approve"], ["doctor"]):
        result = run_in_process(*start, *words)
        assert result.code == 0, result.said
        assert f"edition {newest}" in result.out or words[0] == "fmt"
    assert run_in_process(*start, "plan", "--detailed-exitcode").code == 0


def test_schemas_are_those_of_the_server_s_edition(lab: Lab) -> None:
    assert json.loads(lab.run("schema", "show").out)["$id"] == "urn:stemctl:schema:2024:manifest"
    lab.write("empty/readme", "")
    shown = run_in_process("-C", str(lab.root / "empty"), "schema", "show")
    assert json.loads(shown.out)["$id"] == "urn:stemctl:schema:2024:manifest"  # found upwards
    named = lab.run("schema", "show", "--edition", "2026", "subject")
    assert json.loads(named.out)["$id"] == "urn:stemctl:schema:2026:subject"
    assert "There is no edition '1999'." in lab.run("schema", "show", "--edition", "1999").err
    assert "tables.json" not in lab.run("schema", "show", "nothing").err
