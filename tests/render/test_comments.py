"""A plan as the comment of a pull request: it fits, obeys nothing, and says what will happen."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.core.plan import Action, Change, Held, Plan, Request, Subset, Target
from stemctl.core.records import Address
from stemctl.git.ci_job import job_url
from stemctl.render.markdown import elsewhere, plan_markdown
from stemctl.render.terminal import TerminalStyle
from tests.render.plans import PLANS, outside
from tests.render.test_cases import CASES, cases, prepare
from tests.support.effort import examples
from tests.support.lab import Lab


def without_code(line: str) -> str:
    """A line without its code spans, as CommonMark takes them apart."""
    return re.sub(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", "", line)


JOBS = st.none() | st.integers(0, 300).map(lambda length: "https://github.example/" + "a" * length)


@examples(25)
@given(PLANS, st.integers(1000, 6000) | st.none(), JOBS)
def test_a_comment_is_never_longer_than_it_may_be_and_obeys_nothing(
    plan: Plan, most: int | None, job: str | None
) -> None:
    text = plan_markdown(plan, TerminalStyle(), most, elsewhere(job))
    if most is not None:
        assert len(text.encode()) <= most
    lines = outside(text)
    assert re.fullmatch(r"<!-- stemctl plan: [A-Za-z0-9_.-]{1,60} -->", lines[0])
    assert lines[1].startswith("### ")
    assert plan.digest in text
    shown = "\n".join(map(without_code, lines[1:]))
    assert not re.search("@all|#12|GH-3|::error|鼠|🐀|é", shown)
    assert text.count("<details") >= shown.count("<details") == shown.count("</details>")


@examples(25)
@given(PLANS, st.integers(1000, 20000))
def test_what_is_not_shown_is_counted(plan: Plan, most: int) -> None:
    whole, part = (plan_markdown(plan, TerminalStyle(), limit) for limit in (None, most))
    assert "not fit here" not in whole
    assert ("not fit here" in part) == (len(whole.encode()) > most)


def test_the_worst_head_leaves_room() -> None:
    changes = tuple(
        Change(
            Address("session", f"{i}"),
            action,
            "edited",
            held,
            approval=i % 2 > 0,
            request=None if held else Request("POST", "x", None),
        )
        for i, (action, held) in enumerate(
            [(a, h) for a in Action for h in (None, Held.DELETE)] * 300
        )
    )
    plan = Plan(
        Target("x" * 500, "https://" + "é" * 500, "private", "2024"),
        None,
        0,
        changes,
        unchanged=10**9,
        subset=Subset(("a",), (), 10**9),
        commit="c" * 40,
    )
    text = plan_markdown(
        plan, TerminalStyle(), 1000, elsewhere("https://github.example/" + "a" * 90)
    )
    assert len(text.encode()) <= 1000
    assert "not fit here" in text


@pytest.mark.parametrize("name", cases())
def test_a_comment_says_in_words_what_apply_would_do(lab: Lab, name: str) -> None:
    token = prepare(lab, CASES / name)
    first, heading, *_ = lab.run("plan", "-o", "markdown", token=token).out.splitlines()
    assert first == "<!-- stemctl plan: sandbox -->"
    assert re.match("### (Apply would|Nothing to (do|send))", heading)


def test_each_server_has_a_comment_of_its_own(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.write(
        "stemctl.yaml",
        "servers:\n"
        "  one: {url: 'sandbox:', seed: seed.yaml}\n"
        "  two.b: {url: 'sandbox:', seed: seed.yaml}\n",
    )
    firsts = [
        lab.run("--server", name, "plan", "-o", "markdown").out.partition("\n")[0]
        for name in ("one", "two.b")
    ]
    assert firsts == ["<!-- stemctl plan: one -->", "<!-- stemctl plan: two.b -->"]


def test_the_digest_of_a_comment_can_be_pasted(lab: Lab) -> None:
    lab.sessions("{name: a}")
    (digest,) = re.findall("digest `([^`]+)`", lab.run("plan", "-o", "markdown").out)
    lab.sessions("{name: a}", "{name: b}")
    assert lab.run("apply", "-y", "--digest", digest).code == 1
    lab.sessions("{name: a}")
    assert lab.run("apply", "-y", "--digest", digest).code == 0


@pytest.mark.parametrize("digest", ["", "sha256:", "a", "sha256:abc", "g" * 64, "a" * 65])
def test_a_digest_that_is_none_lets_nothing_through(lab: Lab, digest: str) -> None:
    lab.sessions("{name: a}")
    result = lab.run("apply", "-y", "--digest", digest)
    assert result.code == 1
    assert "is not a digest" in result.err
    assert lab.requests == []


@pytest.mark.parametrize(
    "environ, url",
    [
        ({}, None),
        ({"GITHUB_ACTIONS": "true"}, None),
        (
            {
                "GITHUB_ACTIONS": "true",
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": "lab/meta",
                "GITHUB_RUN_ID": "7",
            },
            "https://github.com/lab/meta/actions/runs/7",
        ),
        (
            {"CI_JOB_URL": "https://gitlab.com/lab/meta/-/jobs/8"},
            "https://gitlab.com/lab/meta/-/jobs/8",
        ),
    ],
)
def test_a_comment_says_where_the_whole_plan_is(environ: dict[str, str], url: Any) -> None:
    assert job_url(environ) == url
    assert (url or "`stemctl plan`") in elsewhere(job_url(environ))
