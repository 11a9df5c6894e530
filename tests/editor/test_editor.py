"""What an editor makes of the files that `stemctl init` writes, with the real yaml-language-server
and no network.

The server is found on the PATH, or where STEMCTL_YAML_LANGUAGE_SERVER says:

    npm install --prefix node yaml-language-server
    STEMCTL_YAML_LANGUAGE_SERVER=node/node_modules/.bin/yaml-language-server pytest tests/editor
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stemctl.schema.catalog import schemas_dir
from tests.editor.client import Editor, editor
from tests.support.lab import Lab

SERVER = os.environ.get("STEMCTL_YAML_LANGUAGE_SERVER") or shutil.which("yaml-language-server")
GUARD = Path(__file__).parent / "no_network.cjs"
OFFLINE: dict[str, Any] = {"yaml.schemaStore.enable": False, "yaml.validate": True}

pytestmark = pytest.mark.skipif(
    SERVER is None,
    reason="yaml-language-server is not there: npm install yaml-language-server; see the docstring",
)


@pytest.fixture
def new(lab: Lab) -> Lab:
    """A repository as init writes it, of edition 2024: its files have few words to propose."""
    for name in ("stemctl.yaml", "seed.yaml"):
        (lab.root / name).unlink()
    assert lab.run("init").code == 0
    config = lab.root / "stemctl.yaml"
    text = config.read_text(encoding="utf-8")
    assert "edition: 2026" in text
    config.write_text(text.replace("edition: 2026", "edition: 2024"), encoding="utf-8")
    assert lab.run("init").code == 0
    return lab


class Opened:
    """An editor of a new repository, and whether its files begin with the line that leads to their
    schema.
    """

    def __init__(self, editor: Editor, with_first_line: bool) -> None:
        self.editor, self._first = editor, with_first_line

    def open(self, name: str, text: str) -> list[str]:
        """Open a file whose first line leads to the schema, or does not."""
        up = "../" * name.count("/")
        schema = (
            f"{up}.stemctl-config-schema.json"
            if name.endswith("stemctl.yaml")
            else f"{up}.stemctl-schema.json"
        )
        return self.editor.open(
            name, f"# {f'yaml-language-server: $schema={schema}' if self._first else ''}\n{text}"
        )

    def complete(self, name: str, text: str) -> dict[str, dict[str, Any]]:
        """What is proposed at the end of a text."""
        self.open(name, text)
        lines = text.split("\n")
        return self.editor.complete(name, len(lines), len(lines[-1]))

    def hover(self, name: str, text: str, word: str) -> str:
        """What is shown over a word, where it comes first."""
        self.open(name, text)
        number, line = next((n, line) for n, line in enumerate(text.split("\n"), 1) if word in line)
        return self.editor.hover(name, number, line.index(word))


@pytest.fixture(params=["first line", "workspace settings"])
def opened(
    new: Lab, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Opened]:
    """The two ways to the schema, each without the other; at the end, no connection was tried."""
    by_line = request.param == "first line"
    settings = OFFLINE if by_line else OFFLINE | written_settings(new)
    errors = tmp_path_factory.mktemp("server") / "stderr"
    with language_server(new.root, settings, errors) as found:
        yield Opened(found, by_line)
    assert "NETWORK" not in errors.read_text()


@pytest.fixture
def of_2026(new: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """An editor of a repository of edition 2026."""
    schema = (schemas_dir() / "2026" / "manifest.schema.json").read_text(encoding="utf-8")
    (new.root / ".stemctl-schema.json").write_text(schema, encoding="utf-8")
    errors = tmp_path_factory.mktemp("server") / "stderr"
    with language_server(new.root, OFFLINE, errors) as found:
        yield Opened(found, with_first_line=True)
    assert "NETWORK" not in errors.read_text()


def language_server(folder: Path, settings: dict[str, Any], errors: Path) -> Any:
    assert SERVER is not None
    environment = {**os.environ, "NODE_OPTIONS": f"--require {GUARD}"}
    return editor([SERVER, "--stdio"], folder, settings, environment, errors)


def written_settings(lab: Lab) -> dict[str, Any]:
    return dict(json.loads((lab.root / ".vscode" / "settings.json").read_text(encoding="utf-8")))


def test_what_init_writes_is_found_right(new: Lab, opened: Opened) -> None:
    for name in ("records/first.yaml", "stemctl.yaml"):
        first, _, text = (new.root / name).read_text(encoding="utf-8").partition("\n")
        assert first.startswith("# yaml-language-server: $schema=")
        assert opened.open(name, text) == []


def test_fields_of_a_record_are_proposed(opened: Opened) -> None:
    proposed = opened.complete("records/a.yaml", "sessions:\n  - name: a\n    ")
    assert {"projects", "date_time", "tags", "lifecycle"} <= set(proposed)
    assert "name" not in proposed
    assert "When the session began" in proposed["date_time"]["documentation"]
    assert "epochs" not in proposed  # only the server writes it


def test_a_new_record_is_proposed_with_what_it_needs(opened: Opened) -> None:
    proposed = opened.complete("records/a.yaml", "sessions:\n  - ")
    assert proposed["session"]["insertText"] == "name: $1\n  projects:\n    - $2"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", {"sessions", "sensory_stimulus_types", "defaults", "moved", "forget", "deleted"}),
        ("defaults:\n  sessions:\n    ", {"projects", "tags"}),
        ("sessions:\n  - name: a\n    lifecycle:\n      ", {"prevent_delete", "ignore_changes"}),
        (
            "sessions:\n  - name: a\n    lifecycle:\n      ignore_changes:\n        - ",
            {"description", "tags"},
        ),
        ("sessions:\n  - name: a\n    download_links:\n      - ", {"Repository", "URL"}),
        ("moved:\n  - ", {"from", "to"}),
    ],
)
def test_every_place_has_its_proposals(opened: Opened, text: str, expected: set[str]) -> None:
    assert expected <= set(opened.complete("records/a.yaml", text))


def test_mistakes_are_marked(opened: Opened) -> None:
    assert opened.open("records/a.yaml", "sessions:\n  - {name: a, colour: red}\n") == [
        "Property colour is not allowed."
    ]
    assert opened.open("records/b.yaml", "sesions: []\n") == ["Property sesions is not allowed."]
    assert opened.open("records/c.yaml", "sessions:\n  - {name: a, tags: sleep}\n") == [
        'Incorrect type. Expected "array".'
    ]


def test_a_form_is_told_in_words(opened: Opened) -> None:
    (found,) = opened.open("records/a.yaml", "sessions:\n  - {name: a, date_time: 12 March}\n")
    assert found.startswith("Write a day like 2024-03-12")
    (found,) = opened.open("records/b.yaml", "sessions:\n  - {name: a, extra_fields: {1st: x}}\n")
    assert "Names begin with a letter" in found


def test_hover_tells_what_a_field_is(opened: Opened) -> None:
    text = (
        "sessions:\n  - name: a\n    tags: [x]\n"
        "    download_links:\n      - {Repository: DANDI, URL: https://a.org}\n"
    )
    assert "Tags; their order does not matter. Example: \\[sleep, neuropixels\\]" in opened.hover(
        "records/a.yaml", text, "tags"
    )
    assert "#### URL\n\nURL of the data." in opened.hover("records/b.yaml", text, "URL")
    assert "the centre of the data model" in opened.hover("records/c.yaml", text, "sessions")


def test_the_configuration_too(opened: Opened) -> None:
    assert opened.open(
        "a/stemctl.yaml", "servers:\n  lab: {url: 'sandbox:', portol: private}\n"
    ) == ["Property portol is not allowed."]
    assert {"url", "portal", "edition", "seed"} <= set(
        opened.complete("b/stemctl.yaml", "servers:\n  lab:\n    ")
    )
    portals = opened.complete(
        "c/stemctl.yaml", "servers:\n  lab:\n    url: https://a.org/\n    portal: "
    )
    assert {"private", "public", "super"} <= set(portals)
    hover = opened.hover("d/stemctl.yaml", "policy:\n  allow: {revert: 1}\n", "revert")
    assert "Undo changes that others made" in hover


def test_it_works_where_the_server_would_like_a_network_and_has_none(
    new: Lab, tmp_path: Path
) -> None:
    """Which shows also that the guard sees what it should."""
    settings = {"yaml.schemaStore.enable": True, **written_settings(new)}
    errors = tmp_path / "server-stderr"
    with language_server(new.root, settings, errors) as found:
        assert Opened(found, True).open("records/a.yaml", "sessions:\n  - {name: a, colour: red}\n")
    assert "NETWORK" in errors.read_text()


NESTED = "sessions:\n  - name: a\n    projects: [P]\n"


def test_lists_of_records_are_proposed_inside_a_record(of_2026: Opened) -> None:
    proposed = of_2026.complete("records/a.yaml", f"{NESTED}    ")
    assert {"behaviors", "data_acquisitions", "manipulations"} <= set(proposed)
    inside = of_2026.complete(
        "records/b.yaml", f"{NESTED}    behaviors:\n      - setup: Box\n        "
    )
    assert {"subjects", "behavioralassay", "key"} <= set(inside)


def test_a_new_record_inside_another_needs_no_parent(of_2026: Opened) -> None:
    inside = of_2026.complete("records/a.yaml", f"{NESTED}    behaviors:\n      - ")
    snippet = inside["behavior"]["insertText"]
    assert "subjects:" in snippet
    assert "session:" not in snippet
    assert "key:" not in snippet
    at_top = of_2026.complete("records/b.yaml", "behaviors:\n  - ")["behavior"]["insertText"]
    assert at_top.strip().startswith("key: $1")
    assert "session:" in at_top


@pytest.mark.parametrize(
    "text, told",
    [
        (f"{NESTED}    behaviors:\n      - {{setup: Box}}\n", ""),
        (f"{NESTED}    behaviors: []\n", ""),
        (f"{NESTED}    behaviors: [5c0f3c52-7a0e-4b7b-9d6e-0f5a1b6c2d48]\n", "Behavior"),
        (f"{NESTED}    behaviors:\n      - {{setpu: Box}}\n", "setpu"),
        ("behaviors:\n  - {setup: Box, session: a}\n", "key"),
        (
            "subjects:\n  - name: s\n    subject_logs:\n      - type: Weighing\n"
            "        entries:\n          - {date_time: 2024-03-12T08:00:00Z}\n",
            "",
        ),
    ],
)
def test_records_inside_others_are_checked(of_2026: Opened, text: str, told: str) -> None:
    found = of_2026.open("records/a.yaml", text)
    assert bool(found) == bool(told), found
    assert told in " ".join(found)


@pytest.mark.parametrize(
    "text, expected, others",
    [
        ("data_acquisitions:\n  - key: a\n    type: ", {"Audio", "VideoTracking"}, {"Weighing"}),
        (
            "data_acquisitions:\n  - key: a\n    type: Audio\n    details:\n      ",
            {"sr", "bitDepth"},
            {"lsb"},
        ),
        (
            "subject_logs:\n  - key: a\n    type: Weighing\n    entries:\n"
            "      - date_time: 2024-03-12\n        details:\n          ",
            {"weight"},
            {"sr"},
        ),
    ],
)
def test_the_fields_of_the_type_that_is_written_are_proposed(
    tmp_path: Path, text: str, expected: set[str], others: set[str]
) -> None:
    schema = schemas_dir() / "2026" / "manifest.schema.json"
    text = f"# yaml-language-server: $schema={schema}\n{text}"
    with language_server(tmp_path, OFFLINE, tmp_path / "stderr") as found:
        found.open("a.yaml", text)
        lines = text.split("\n")
        proposed = set(found.complete("a.yaml", len(lines) - 1, len(lines[-1])))
        assert expected <= proposed
        assert not others & proposed
        wrong = "data_acquisitions: [{key: a, type: Audio, details: {sr: 20 KHz}}]\n"
        first = text.partition("\n")[0]
        assert found.open("b.yaml", f"{first}\n{wrong}") == [
            "Write a number and its unit: Hz, GHz, MHz, kHz."
        ]
