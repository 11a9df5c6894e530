"""`-o github`: findings, what is held and what failed, beside the lines of a pull request."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import httpx
import pytest
from hypothesis import given

from stemctl.core.plan import Plan
from stemctl.core.records import Location
from stemctl.git.ci_job import path_in_repository
from stemctl.render.github import Annotation, commands, plan_github
from tests.render.plans import NASTY, PLANS
from tests.support.effort import examples
from tests.support.lab import Lab


def annotated(text: str) -> list[tuple[str, dict[str, str], str]]:
    """The workflow commands of an answer, as GitHub reads them: kind, properties, text."""
    found = []
    for line in text.splitlines():
        if command := re.fullmatch(r"::(\w+) (.*?)::(.*)", line):
            kind, listed, data = command.groups()
            properties = dict(pair.split("=", 1) for pair in listed.split(","))
            found.append(
                (kind, {name: plain(value) for name, value in properties.items()}, plain(data))
            )
    return found


def plain(text: str) -> str:
    for code, character in (("%0A", "\n"), ("%0D", "\r"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def test_what_is_held_is_a_warning_and_drift_a_notice_the_riskiest_first(lab: Lab) -> None:
    lab.sessions(
        "{name: a, description: One.}", "{name: gone, tags: [x]}", "{name: z, description: One.}"
    )
    lab.apply()
    lab.edit("session", "a", description="Theirs, 100%: yes.")
    lab.edit("session", "z", description="Theirs.")
    lab.sessions("{name: a, description: One.}", "{name: new}", "{name: z, description: Two.}")
    result = lab.run("plan", "-o", "github")
    found = annotated(result.out)
    assert [(kind, p["title"], p.get("file"), p.get("line")) for kind, p, _ in found] == [
        ("warning", "session/z, held: conflict", "records/sessions.yaml", "7"),
        ("warning", "session/gone, held: delete", None, None),
        ("notice", "session/a, held: revert", "records/sessions.yaml", "5"),
    ]
    told = [line.split() for line in found[0][2].splitlines()[-3:]]
    assert told == [["base", "One."], ["files", "Two."], ["server", "Theirs."]]
    assert found[1][2] == "left files, held: delete"
    assert 'server has "Theirs, 100%: yes."; if allowed, apply restores "One."' in found[2][2]
    assert result.out.splitlines()[-1] == "Plan: 1 to create, 0 to update, 0 to delete, 3 held."


def test_what_failed_is_an_error_beside_its_line(lab: Lab) -> None:
    lab.sessions("{name: a,\n     description: Bad.}", "{name: b}")
    refusal = httpx.Response(400, json={"description": ["No: never,\nnowhere."]})
    lab.intercept = lambda request: refusal if b"Bad." in request.content else None
    result = lab.run("apply", "-y", "-o", "github")
    assert result.code == 3
    ((kind, properties, text),) = annotated(result.out)
    assert kind == "error"
    assert properties == {
        "file": "records/sessions.yaml",
        "line": "6",
        "col": "19",
        "title": "session/a failed",
    }
    assert "No: never," in text
    assert re.search(r"\nApplied: 1 created, .* 1 failed, in [0-9.]+ s\.\n", result.out)


def test_wrong_files_and_errors_are_annotations_too(lab: Lab) -> None:
    lab.sessions("{name: a, nam: b}")
    for command in (["plan"], ["apply", "-y"], ["validate"]):
        result = lab.run(*command, "-o", "github")
        assert result.code == 1
        ((kind, properties, _),) = annotated(result.out)
        assert (kind, properties["file"], properties["line"]) == (
            "error",
            "records/sessions.yaml",
            "5",
        )
    lab.sessions("{name: a}")
    lab.intercept = lambda request: httpx.Response(500, text="no")
    result = lab.run("--server", "nowhere", "plan", "-o", "github")
    assert annotated(result.out)[0][0] == "error"
    assert "Unknown server 'nowhere'" in annotated(result.out)[0][2]
    assert "Error: Unknown server 'nowhere'" in result.err


def test_no_more_than_github_shows_and_the_rest_counted() -> None:
    location = Location("a.yaml", 1, 1)
    found = [
        *(Annotation("notice", "n", str(i), location) for i in range(3)),
        *(Annotation("warning", "w", str(i), location) for i in range(11)),
        *(Annotation("error", "e", str(i), location) for i in range(25)),
    ]
    lines = commands(found).splitlines()
    assert [line.split(" ")[0] for line in lines[:-1]] == ["::error"] * 10 + ["::warning"] * 10 + [
        "::notice"
    ] * 3
    assert [kept[2] for kept in annotated("\n".join(lines))][:10] == [str(i) for i in range(10)]
    assert lines[-1] == "GitHub shows 10 of a kind; left out: 15 errors, 1 warning."


@examples(25)
@given(PLANS, NASTY, NASTY)
def test_no_data_begins_a_command_or_a_property(plan: Plan, folder: str, title: str) -> None:
    for line in plan_github(plan, folder).splitlines():
        assert re.match("::(error|warning|notice) |GitHub shows", line)
    location = Location("a,b::c", 1, 2)
    (line,) = commands([Annotation("error", title, "text", location)], folder).splitlines()
    ((kind, properties, text),) = annotated(line)
    assert (kind, text, set(properties)) == ("error", "text", {"file", "line", "col", "title"})


@pytest.mark.parametrize("command", [["validate"], ["plan"], ["apply", "-y"]], ids=" ".join)
def test_paths_begin_at_the_root_of_the_git_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "meta" / "lab,1").mkdir(parents=True)
    lab = Lab(tmp_path / "meta" / "lab,1", monkeypatch)
    lab.sessions("{name: a, nam: b}")
    (annotation,) = annotated(lab.run(*command, "-o", "github").out)
    assert annotation[1]["file"] == "meta/lab,1/records/sessions.yaml"


def test_without_git_paths_begin_at_the_workspace_of_the_job(tmp_path: Path) -> None:
    inner = tmp_path / "meta"
    inner.mkdir()
    environ = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent), "PATH": ""}
    assert path_in_repository(inner, environ) == ""
    assert path_in_repository(inner, {**environ, "GITHUB_WORKSPACE": str(tmp_path)}) == "meta/"
    assert path_in_repository(inner, {**environ, "GITHUB_WORKSPACE": str(inner)}) == ""
    assert (
        path_in_repository(inner, {**environ, "GITHUB_WORKSPACE": str(tmp_path / "elsewhere")})
        == ""
    )
