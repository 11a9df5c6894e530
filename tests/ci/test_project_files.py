"""The files by which others meet the project: forms, citation, security, image."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from tests.support.paths import PROJECT

DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
SECURITY = (PROJECT / "SECURITY.md").read_text(encoding="utf-8")
FORMS = sorted(
    path for path in (PROJECT / ".github/ISSUE_TEMPLATE").iterdir() if path.stem != "config"
)


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        *(("github-issue-forms", path) for path in FORMS),
        ("github-issue-config", PROJECT / ".github/ISSUE_TEMPLATE/config.yml"),
        ("citation-file-format", PROJECT / "CITATION.cff"),
    ],
)
def test_its_schema_takes_a_file(schema: str, path: Path) -> None:
    vendor = resources.files("check_jsonschema") / "builtin_schemas/vendor"
    rules = json.loads((vendor / f"{schema}.json").read_text(encoding="utf-8"))
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert [error.message for error in Draft7Validator(rules).iter_errors(document)] == []


def test_each_promise_of_security_names_a_test() -> None:
    named = re.findall(r"`(tests/[\w/.]+)`", SECURITY)
    assert len(named) > 20
    assert [name for name in named if not (PROJECT / name).exists()] == []
    rows = [line for line in SECURITY.splitlines() if line.startswith("| ")]
    assert [row for row in rows if "`tests/" not in row] == ["| promised | tested in |"] * 2


def test_the_image_runs_as_anyone_and_starts_nothing() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert "ENTRYPOINT" not in DOCKERFILE, "GitLab and GitHub start a shell in the image"
    assert "HOME=/tmp" in DOCKERFILE


def test_the_image_is_built_from_what_is_let_through() -> None:
    ignored = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    through = {line[1:] for line in ignored if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert {path for line in copied for path in line.split()} == through
    assert [path for path in through if not (PROJECT / path).exists()] == []
