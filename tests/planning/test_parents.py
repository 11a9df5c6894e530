"""Records inside records: what becomes of children whose parents leave, move or are renamed."""

from __future__ import annotations

import httpx
import pytest

from tests.support.edition_2026 import LAB, begin, behavior, behaviors, live
from tests.support.lab import Lab


@pytest.fixture
def lab(lab: Lab) -> Lab:
    begin(lab)
    lab.write(
        "records/behaviors.yaml",
        behaviors(
            behavior("monday", "monday"),
            behavior("monday/late", "monday", notes="Late."),
            behavior("tuesday", "tuesday"),
        ),
    )
    lab.apply()
    return lab


def without_monday(lab: Lab) -> None:
    lab.write("records/lab.yaml", LAB.replace("  - {name: monday, projects: [Theta]}\n", ""))
    lab.write("records/behaviors.yaml", behaviors(behavior("tuesday", "tuesday")))


def test_a_parent_is_deleted_in_the_run_that_deletes_its_children(lab: Lab) -> None:
    without_monday(lab)
    plan = {c["address"]: (c["held"], c["waits"]) for c in lab.plan()["changes"]}
    assert plan == {
        "behavior/monday": ("delete", []),
        "behavior/monday/late": ("delete", []),
        "session/monday": ("delete", []),
    }
    assert lab.run("apply", "--auto-approve", "--allow", "delete=2").code == 3
    assert lab.writes == []
    lab.apply("--allow", "delete=3")
    assert [s.path.split("/")[1] for s in lab.writes] == ["behavior", "behavior", "session"]
    assert lab.plan()["changes"] == []


def test_what_moved_to_another_parent_is_not_doubled(lab: Lab) -> None:
    moved = behavior("tuesday/late", "tuesday", notes="Late.")
    others = (behavior("monday", "monday"), behavior("tuesday", "tuesday"))
    lab.write("records/behaviors.yaml", behaviors(*others, moved))
    held = {c["address"]: (c["held"], c["waits"]) for c in lab.plan()["changes"]}
    assert held == {
        "behavior/monday/late": ("rename", ["behavior/tuesday/late"]),
        "behavior/tuesday/late": ("rename", ["behavior/monday/late"]),
    }


def test_an_entry_of_deleted_covers_the_children(lab: Lab) -> None:
    without_monday(lab)
    lab.write("records/gone.yaml", "deleted: [session/monday]\n")
    lab.apply()
    assert len(lab.writes) == 3
    assert lab.plan()["changes"] == []


def test_an_entry_of_forget_covers_the_children(lab: Lab) -> None:
    without_monday(lab)
    lab.write("records/gone.yaml", "forget: [session/mon*]\n")
    lab.apply()
    assert lab.writes == []
    assert sorted(lab.state["records"]) == [
        "behavior/tuesday",
        "behavioralassay/Forced alternation",
        "project/Delta",
        "project/Theta",
        "session/tuesday",
        "setup/Maze room",
        "subject/rat12",
    ]


def test_a_protected_child_keeps_its_parent(lab: Lab) -> None:
    protected = behavior("monday", "monday", lifecycle={"prevent_delete": True})
    lab.write("records/behaviors.yaml", behaviors(protected, behavior("tuesday", "tuesday")))
    lab.apply("--allow", "delete=1")
    without_monday(lab)
    lab.run("apply", "--auto-approve", "--allow", "delete=9", "--allow", "cascade=9")
    assert lab.writes == []
    plan = {c["address"]: (c["held"], c["waits"]) for c in lab.plan("--allow", "delete")["changes"]}
    assert plan == {
        "behavior/monday": ("protected", []),
        "session/monday": ("blocked", ["behavior/monday"]),
    }


def test_a_child_that_the_server_refuses_to_delete_keeps_its_parent(lab: Lab) -> None:
    without_monday(lab)
    late = lab.state["records"]["behavior/monday/late"]["id"]

    def refuse(request: httpx.Request) -> httpx.Response | None:
        refused = request.method == "DELETE" and late in request.url.path
        return httpx.Response(400, json={"detail": "An epoch uses it."}) if refused else None

    lab.intercept = refuse
    result = lab.run("apply", "--auto-approve", "--allow", "delete=3", "-o", "json")
    assert result.code == 3
    outcomes = {o["address"]: (o["status"], o["message"]) for o in result.json["outcomes"]}
    assert outcomes == {
        "behavior/monday": ("applied", ""),
        "behavior/monday/late": ("failed", "400 An epoch uses it."),
        "session/monday": ("skipped", "waits for behavior/monday/late"),
    }
    lab.intercept = lambda request: None
    lab.apply("--allow", "delete=2")
    assert lab.plan()["changes"] == []


def test_what_is_not_managed_and_hangs_on_the_parent_is_a_cascade(lab: Lab) -> None:
    ids = lab.state["records"]
    other = {
        "session": ids["session/monday"]["id"],
        "subjects": [ids["subject/rat12"]["id"]],
        "setup": ids["setup/Maze room"]["id"],
        "behavioralassay": ids["behavioralassay/Forced alternation"]["id"],
    }
    lab.api("POST", "modules/behavior/", other)
    without_monday(lab)
    changes = {c["address"]: c for c in lab.plan("--allow", "delete=3")["changes"]}
    assert changes["session/monday"]["held"] == "cascade"
    assert changes["session/monday"]["detail"] == ["the server may also delete: 1 in behaviors"]
    assert changes["behavior/monday"]["held"] is None
    lab.apply("--allow", "delete=3", "--allow", "cascade=1")
    assert len(live(lab, "behavior")) == 1


def test_a_record_that_comes_to_hang_on_the_parent_stops_its_delete(lab: Lab) -> None:
    ids = lab.state["records"]
    other = {
        "session": ids["session/monday"]["id"],
        "subjects": [ids["subject/rat12"]["id"]],
        "setup": ids["setup/Maze room"]["id"],
        "behavioralassay": ids["behavioralassay/Forced alternation"]["id"],
    }
    without_monday(lab)
    assert lab.run("plan", "--allow", "delete=3", "--out", "plan.json").code == 0
    lab.api("POST", "modules/behavior/", other)
    result = lab.run("apply", "plan.json", "-o", "json")
    outcomes = {o["address"]: o["status"] for o in result.json["outcomes"]}
    assert outcomes["session/monday"] == "failed"
    assert len(live(lab, "behavior")) == 2


def test_a_part_of_the_files_does_not_grow_by_the_children(lab: Lab) -> None:
    without_monday(lab)
    (change,) = lab.plan("session/monday", "--allow", "delete=3")["changes"]
    assert (change["held"], change["waits"]) == (
        "blocked",
        ["behavior/monday", "behavior/monday/late"],
    )


def test_a_child_moves_to_another_parent_before_its_old_one_is_deleted(lab: Lab) -> None:
    id_ = lab.state["records"]["behavior/monday/late"]["id"]
    lab.write("records/lab.yaml", LAB.replace("  - {name: monday, projects: [Theta]}\n", ""))
    lab.write(
        "records/behaviors.yaml",
        behaviors(
            behavior("tuesday", "tuesday"), behavior("tuesday/late", "tuesday", notes="Late.")
        )
        + "moved: [{from: behavior/monday/late, to: behavior/tuesday/late}]\n",
    )
    lab.apply("--allow", "delete=2")
    tuesday = lab.state["records"]["session/tuesday"]["id"]
    sent = {(s.method, s.path.split("/")[1], s.path.split("/")[2]): s.body for s in lab.writes}
    assert sent["PATCH", "behavior", id_] == {"session": tuesday}
    assert [s.method for s in lab.writes][-1] == "DELETE"
    assert lab.plan()["changes"] == []


def test_a_parent_that_is_probably_renamed_holds_its_children(lab: Lab) -> None:
    lab.write("records/lab.yaml", LAB.replace("{name: monday,", "{name: Monday,"))
    lab.write(
        "records/behaviors.yaml",
        behaviors(behavior("Monday", "Monday"), behavior("tuesday", "tuesday")),
    )
    plan = {
        c["address"]: (c["held"], c["waits"]) for c in lab.plan("--allow", "delete=9")["changes"]
    }
    assert plan == {
        "behavior/Monday": ("blocked", ["session/Monday"]),
        "behavior/monday": ("rename", ["session/Monday"]),
        "behavior/monday/late": ("rename", ["session/Monday"]),
        "session/Monday": ("rename", ["session/monday"]),
        "session/monday": ("rename", ["session/Monday"]),
    }
