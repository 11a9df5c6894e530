"""The summary of a job, which plan, apply, validate and drift add to."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from stemctl.git.ci_job import SUMMARY_BYTES
from tests.render.plans import outside
from tests.support.lab import Lab


@pytest.fixture
def summary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path_factory.mktemp("job") / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_plan_and_apply_add_to_the_summary_in_every_format(
    lab: Lab, summary: Path, form: str
) -> None:
    summary.write_text("Before.\n")
    lab.sessions("{name: a}")
    assert lab.run("plan", "-o", form).code == 0
    assert lab.run("apply", "-y", "-o", form).code == 0
    text = summary.read_text(encoding="utf-8")
    assert text.startswith(
        "Before.\n<!-- stemctl plan: sandbox -->\n### Apply would create 1 record.\n"
    )
    assert "### Applied: 1 created, 0 updated, 0 deleted, 0 failed" in text
    assert re.search(
        r"<summary>Outcomes: 1</summary>\n\n```\n\+ session/a +created +[0-9a-f-]{36}\n```", text
    )


def test_failures_come_first_in_the_summary(lab: Lab, summary: Path) -> None:
    lab.sessions("{name: a, description: '@all </details>'}", "{name: b}")
    lab.intercept = lambda r: (
        httpx.Response(400, json={"description": ["No @all."]}) if b"@all" in r.content else None
    )
    assert lab.run("apply", "-y").code == 3
    text = summary.read_text(encoding="utf-8")
    assert text.index("<summary>Failed: 1</summary>") < text.index("<summary>Outcomes: 2</summary>")
    assert "@all" in text
    assert not any("@all" in line for line in outside(text))


def test_findings_and_drift_are_in_the_summary(lab: Lab, summary: Path) -> None:
    lab.sessions("{name: a, nam: b}")
    assert lab.run("validate").code == 1
    assert lab.run("plan").code == 1
    text = summary.read_text(encoding="utf-8")
    assert text.count("<summary>Findings: 1</summary>") == 2
    assert text.count("session has no field `nam`") == 2
    lab.sessions("{name: a, description: Ours.}")
    assert lab.run("validate").code == 0
    assert "### No errors in 1 file" in summary.read_text(encoding="utf-8")
    lab.apply()
    lab.edit("session", "a", description="Theirs.")
    assert lab.run("drift").code == 0
    text = summary.read_text(encoding="utf-8")
    assert "### 1 of 1 record differs from what was applied." in text
    assert "Theirs." in text


@pytest.mark.parametrize("taken", [0, SUMMARY_BYTES - 50_000, SUMMARY_BYTES - 3000])
def test_a_summary_takes_no_more_than_github_does(lab: Lab, summary: Path, taken: int) -> None:
    summary.write_bytes(b"." * taken)
    lab.sessions(*(f"{{name: n{i}, description: '{'鼠' * 4000}'}}" for i in range(120)))
    assert lab.run("-v", "plan").code == 0
    assert taken < summary.stat().st_size <= SUMMARY_BYTES
    assert "not fit here" in summary.read_text(encoding="utf-8")


def full(path: Path) -> None:
    path.write_bytes(b"." * SUMMARY_BYTES)


@pytest.mark.parametrize(
    "spoil, remark",
    [
        (Path.mkdir, "The summary of the job cannot be written: Is a directory."),
        (full, "The summary of the job is full"),
    ],
)
def test_a_summary_that_cannot_be_written_is_a_remark(
    lab: Lab, summary: Path, spoil: Callable[[Path], None], remark: str
) -> None:
    spoil(summary)
    lab.sessions("{name: a}")
    for command in (["plan", "-o", "json"], ["apply", "-y", "-o", "json"]):
        result = lab.run(*command)
        assert result.code == 0
        assert result.json
        assert remark in result.err


def test_no_token_gets_into_a_summary(lab: Lab, summary: Path) -> None:
    secret = "a-very-secret-token-of-somebody"
    lab.sessions(f"{{name: a, description: {secret}}}")
    assert lab.run("plan", token=secret).code in (0, 1)
    lab.write("records/b.yaml", f"sessions:\n  - {{name: b, {secret}: 1}}\n")
    assert lab.run("validate", token=secret).code == 1
    assert secret not in summary.read_text(encoding="utf-8")
    assert "(the token)" in summary.read_text(encoding="utf-8")


def test_without_a_summary_nothing_is_written(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "")
    lab.sessions("{name: a}")
    result = lab.run("plan")
    assert (result.code, result.err) == (0, "")
