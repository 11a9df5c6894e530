"""Random repositories, servers, and edits on both sides: what may never happen, never happens."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.planning import merge
from stemctl.planning.compare import RecordComparer
from stemctl.planning.values import canonical, elements
from stemctl.schema.catalog import load_catalog
from tests.support.effort import examples
from tests.support.lab import Lab

MODEL = load_catalog("2024").models["session"]
NAMES = ["a", "b", "c", "d"]
PROJECTS = ["Theta Maze Study", "Whisker Touch Study"]
WORDS = st.sampled_from(["", "one", "two", "three", "  two  "])
TAGS = st.lists(st.sampled_from(["x", "y", "z"]), unique=True, max_size=3)
EXTRA = st.dictionaries(
    st.sampled_from(["k", "m"]), st.sampled_from(["1", "2", 1, 2.0]), max_size=2
)
LINKS = st.lists(
    st.fixed_dictionaries(
        {
            "Repository": st.sampled_from(["DANDI", "Zenodo"]),
            "URL": st.sampled_from(["https://a.org/1", "https://b.org/2"]),
        }
    ),
    unique_by=lambda item: item["URL"],
    max_size=2,
)
FIELDS = {
    "description": WORDS,
    "date_time": st.sampled_from(
        [None, "2024-03-12", "2024-03-12T00:00:00Z", "2024-03-12T02:00:00+02:00", "2025-01-01"]
    ),
    "tags": TAGS,
    "extra_fields": EXTRA,
    "download_links": LINKS,
    "projects": st.lists(st.sampled_from(PROJECTS), unique=True, min_size=1),
}
RECORD = st.fixed_dictionaries({}, optional=FIELDS)
FILES = st.dictionaries(st.sampled_from(NAMES), RECORD, min_size=1)
EDITS = st.dictionaries(
    st.sampled_from(NAMES), st.one_of(st.none(), RECORD.filter(bool)), max_size=3
)
PERMISSIONS = st.sets(st.sampled_from(["delete", "revert", "replace", "cascade"]))
MANY = examples(15)


def fresh(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    return Lab(Path(tempfile.mkdtemp(dir=folder)), monkeypatch)


def declare(lab: Lab, files: dict[str, dict[str, Any]]) -> None:
    records = [{"name": name, "projects": PROJECTS[:1], **fields} for name, fields in files.items()]
    lab.write("records/world.yaml", json.dumps({"sessions": records}))


def live(lab: Lab) -> dict[str, dict[str, Any]]:
    return {
        record["name"]: record for record in lab.api("GET", "stem/session/?limit=100")["sessions"]
    }


def colleague(lab: Lab, edits: dict[str, dict[str, Any] | None]) -> None:
    """Somebody edits, deletes and creates in the browser."""
    ids = {record["name"]: record["id"] for record in lab.api("GET", "stem/project/")["projects"]}
    there = live(lab)
    for name, fields in edits.items():
        body = None if fields is None else {**fields}
        if body and "projects" in body:
            body["projects"] = [ids[project] for project in body["projects"]]
        if name in there and body is None:
            lab.api("DELETE", f"stem/session/{there[name]['id']}/")
        elif name in there:
            lab.api("PATCH", f"stem/session/{there[name]['id']}/", body)
        elif body is not None:
            lab.api(
                "POST",
                "stem/session/",
                {"projects": [ids[PROJECTS[0]]], "tags": [], **body, "name": name},
            )


def options(allowed: set[str]) -> list[str]:
    return [word for kind in sorted(allowed) for word in ("--allow", kind)]


def what_is_shown(plan: dict[str, Any]) -> list[tuple[str, str, Any]]:
    return sorted(
        (
            c["request"]["method"],
            c["request"]["path"],
            json.dumps(c["request"]["body"], sort_keys=True),
        )
        for c in plan["changes"]
        if c["request"]
    )


def what_was_sent(lab: Lab) -> list[tuple[str, str, Any]]:
    return sorted((s.method, s.path, json.dumps(s.body, sort_keys=True)) for s in lab.writes)


@pytest.mark.hypothesis
def test_worlds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @MANY
    @given(FILES, EDITS, FILES, PERMISSIONS)
    def check(
        first: dict[str, Any], edits: dict[str, Any], second: dict[str, Any], allowed: set[str]
    ) -> None:
        lab = fresh(tmp_path, monkeypatch)
        declare(lab, first)
        assert lab.run("apply", "--auto-approve").code in (0, 3)
        state = lab.state["records"]
        colleague(lab, edits)
        before = live(lab)
        declare(lab, second)

        plan = lab.plan(*options(allowed))
        assert {sent.method for sent in lab.requests} <= {"GET"}
        assert the_long_way(lab, allowed) == plan
        result = lab.run("apply", "--auto-approve", *options(allowed))
        assert result.code in (0, 3), result.said
        after = live(lab)

        assert what_was_sent(lab) == what_is_shown(plan)
        only_managed_fields_are_sent(lab, second)
        nothing_of_others_is_lost(state, before, after, second, allowed)
        ids = [entry["id"] for entry in lab.state["records"].values()]
        assert len(set(ids)) == len(ids)

        again = lab.plan(*options(allowed))
        assert the_long_way(lab, allowed) == again
        assert what_is_shown(again) == []
        assert again["bookkeeping"] == []
        if not allowed:
            assert all(c["held"] for c in again["changes"])

    check()


def the_long_way(lab: Lab, allowed: set[str]) -> Any:
    """The plan with every record compared field by field, and every field by its rule."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RecordComparer, "_is_settled", lambda *anything: False)
        patch.setattr(merge, "identical", lambda *anything: False)
        return lab.plan(*options(allowed))


def only_managed_fields_are_sent(lab: Lab, files: dict[str, Any]) -> None:
    for sent in lab.writes:
        if sent.method == "PATCH":
            name = next(n for n, r in live(lab).items() if r["id"] in sent.path)
            assert set(sent.body) <= {"name", "projects", *files[name]}


def nothing_of_others_is_lost(
    state: dict[str, Any],
    before: dict[str, Any],
    after: dict[str, Any],
    files: dict[str, Any],
    allowed: set[str],
) -> None:
    """Elements and values that somebody else wrote stay, unless a permission says otherwise."""
    for name, record in before.items():
        known = state.get(f"session/{name}")
        ours = known is not None and known["id"] == record["id"]
        if name not in after:
            assert ours
            assert "delete" in allowed
            continue
        applied = known["applied"] if known and ours else {}
        for row in MODEL.managed:
            if row.name not in FIELDS or row.name == "projects":
                continue
            if row.merges:
                mine = elements(row, applied.get(row.name)) | elements(
                    row, files.get(name, {}).get(row.name)
                )
                theirs = {k: v for k, v in elements(row, record[row.name]).items() if k not in mine}
                assert theirs.items() <= elements(row, after[name][row.name]).items()
            elif canonical(row, after[name][row.name]) != canonical(row, record[row.name]):
                theirs_alone = row.name not in applied or canonical(
                    row, applied[row.name]
                ) != canonical(row, record[row.name])
                empty = canonical(row, record[row.name]) in (None, "")
                assert not theirs_alone or empty or {"revert", "replace"} & allowed


@pytest.mark.hypothesis
def test_an_old_plan_overwrites_nothing_that_nobody_was_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @MANY
    @given(FILES, FILES, EDITS)
    def check(first: dict[str, Any], second: dict[str, Any], edits: dict[str, Any]) -> None:
        lab = fresh(tmp_path, monkeypatch)
        declare(lab, first)
        assert lab.run("apply", "--auto-approve").code in (0, 3)
        declare(lab, second)
        lab.run("plan", "--out", "plan.json", "--allow", "delete", "--allow", "replace")
        plan = json.loads((lab.root / "plan.json").read_text())
        shown = live(lab)
        colleague(lab, edits)
        before = live(lab)
        result = lab.run("apply", "plan.json")
        assert result.code in (0, 1, 3), result.said
        assert set(what_was_sent(lab)) <= set(what_is_shown(plan))
        after = live(lab)
        managed = {
            c["address"].removeprefix("session/"): set(c["managed"]) for c in plan["changes"]
        }
        for name, record in before.items():
            if name not in shown or name not in managed:
                continue
            fields = [row for row in MODEL.fields.values() if row.name in (managed[name] or record)]
            moved = {
                f.name
                for f in fields
                if canonical(f, record[f.name]) != canonical(f, shown[name][f.name])
            }
            for field in moved:
                assert after[name][field] == record[field], (name, field)

    check()


@pytest.mark.hypothesis
def test_shuffling_files_and_records_changes_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @examples(10)
    @given(FILES, st.randoms(use_true_random=False))
    def check(files: dict[str, Any], chance: Any) -> None:
        lab = fresh(tmp_path, monkeypatch)
        parts = {
            f"records/{name}.yaml": json.dumps(
                {"sessions": [{"name": name, "projects": PROJECTS[:1], **fields}]}
            )
            for name, fields in files.items()
        }
        plans = set()
        for _ in range(2):
            names = list(parts)
            chance.shuffle(names)
            for name in names:
                (lab.root / name).unlink(missing_ok=True)
                lab.write(name, parts[name])
            plans.add(lab.run("plan", "-o", "json").out)
        assert len(plans) == 1
        records = [
            {"name": name, "projects": PROJECTS[:1], **fields} for name, fields in files.items()
        ]
        for name in parts:
            (lab.root / name).unlink()
        digests = set()
        for _ in range(2):
            chance.shuffle(records)
            lab.write("records/one.yaml", json.dumps({"sessions": records}))
            digests.add(lab.plan()["digest"])
        assert len(digests) == 1
        assert digests == {json.loads(next(iter(plans)))["digest"]}

    check()
