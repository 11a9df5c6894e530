"""What an older stemctl has written is read, and what needs nothing new is written as it was."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from stemctl import __version__
from stemctl.core.formats import NEWEST
from stemctl.core.plan_codec import plan_document, plan_lines
from stemctl.core.run import end_line, first_lines, intent_line, outcome_line, read_brief, read_run
from stemctl.core.saved_plan import BadPlan, open_plan, plan_in
from stemctl.core.state import State, Uncommitted, from_json, shards_of, to_json, to_shards
from stemctl.errors import StateError
from stemctl.planning.reducer import fold
from tests.support.lab import Lab
from tests.support.paths import TESTS

OLD = TESTS / "formats" / "1"


def text(name: str) -> str:
    """A file that stemctl 0.1.0 wrote, as this version would name itself in it."""
    return (
        (OLD / name)
        .read_text(encoding="utf-8")
        .replace('"stemctl":"0.1.0"', f'"stemctl":"{__version__}"')
    )


def state() -> State:
    return from_json(text("state.json"), "state.json")


def test_a_state_of_the_first_format_is_read_and_written_to_the_byte() -> None:
    assert (state().uncommitted, state().folder) == (None, None)
    assert "".join(to_json(state())) == text("state.json")


@pytest.mark.parametrize(
    "later",
    [
        {"folder": ""},
        {"folder": "labs/mäusé"},
        {"uncommitted": Uncommitted("2024-03-22T14:03:11Z", "ann@lab", ("records/a.yaml",))},
    ],
)
def test_a_state_that_needs_a_later_key_has_a_later_format(later: dict[str, object]) -> None:
    fresh = dataclasses.replace(state(), **later)  # type: ignore[arg-type]
    written = "".join(to_json(fresh))
    assert json.loads(written)["format"] == 2
    assert from_json(written, "state.json") == fresh
    head, shards = to_shards(fresh)
    assert from_json(head, "state.json", [shards[name] for name in shards_of(head)]) == fresh


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("folder", "/etc"),
        ("folder", "../other"),
        ("folder", 1),
        ("uncommitted", []),
        ("uncommitted", {"run": "r", "who": "w", "files": []}),
        ("uncommitted", {"run": "r", "who": "w", "files": "ab"}),
        ("uncommitted", {"run": "r", "who": None, "files": ["a"]}),
    ],
)
def test_a_later_key_of_another_shape_is_damage(key: str, value: object) -> None:
    from stemctl.util.canonical_json import hash_of

    body = {**json.loads(text("state.json")), "format": 2, key: value}
    del body["checksum"]
    damaged = json.dumps({**body, "checksum": hash_of(body)})
    with pytest.raises(StateError, match="is not a state file"):
        from_json(damaged, "state.json")


def test_the_record_of_a_run_and_a_journal_of_the_first_format_are_read() -> None:
    for name in ("run.jsonl", "journal.jsonl"):
        content = text(name)
        run = read_run(content.encode(), name)
        assert (run.folder, run.plan.uncommitted) == (None, ())
        written = "".join(first_lines(run))
        written += "".join(
            intent_line(address, intent)
            + (outcome_line(run.outcomes[address]) if address in run.outcomes else "")
            for address, intent in run.intents.items()
        )
        written += end_line(run) if run.ended else ""
        assert sorted(map(len, written.splitlines())) == sorted(map(len, content.splitlines()))
        assert written.splitlines()[0] == content.splitlines()[0]
    known = read_run(text("journal.jsonl").encode(), "journal.jsonl")
    assert len(known.unanswered()) == 1
    assert len(fold(state(), known).records) == 2
    lines = text("run.jsonl").encode().splitlines()
    brief = read_brief(lines[0], lines[-1])
    assert brief is not None
    assert brief.uncommitted == ()


def test_a_kept_plan_of_the_first_format_is_read_and_shown(lab: Lab) -> None:
    document = plan_in(text("plan.json"))
    assert document is not None
    plan = open_plan(document, "plan.json")
    assert plan.uncommitted == ()
    made = re.sub("sha256:[0-9a-f]{64}", "", "".join(plan_lines(plan)))
    assert made == re.sub("sha256:[0-9a-f]{64}", "", text("plan.json"))
    lab.write("plan.json", (OLD / "plan.json").read_text(encoding="utf-8"))
    assert "1 to update" in lab.run("show", "plan.json").out


def test_a_plan_that_needs_a_later_key_has_a_later_format() -> None:
    document = plan_in(text("plan.json"))
    assert document is not None
    plan = dataclasses.replace(open_plan(document, "plan.json"), uncommitted=("records/a.yaml",))
    written = plan_document(plan)
    assert written["format"] == 2
    assert open_plan(written, "plan.json") == plan
    with pytest.raises(BadPlan, match=f"has format 3, this stemctl reads up to {NEWEST}"):
        open_plan({**written, "format": 3}, "plan.json")
