"""Children written inside their parents: they follow a parent that is renamed, and are created
exactly once, though nothing but their ids tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from tests.planning.test_in_doubt import break_off, later, settled
from tests.support.edition_2026 import LAB, begin, live
from tests.support.lab import Lab

NESTED = """\
defaults:
  behaviors: {setup: Maze room, behavioralassay: Forced alternation, subjects: [rat12]}
sessions:
  - name: monday
    projects: [Theta]
    behaviors:
      - notes: Early.
      - {key: late, notes: Late.}
    data_acquisitions:
      - {key: audio, type: Audio}
  - {name: tuesday, projects: [Theta], behaviors: [{notes: Tuesday.}]}
subjects:
  - name: rat12
    projects: [Theta]
    strain: Long Evans
    sex: M
    procedures:
      - key: hole
        type: BurrHole
        coordinates_system: Stereotaxic_BregmaAbsolute
        brain_region: AIA/CA1
    subject_logs:
      - key: weight
        type: Weighing
        entries:
          - {date_time: 2024-03-12T08:00:00Z, details: {weight: 312 g}}
"""
BASE = LAB[: LAB.index("subjects:")]


@pytest.fixture
def lab(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr("stemctl.client.retry.backoff", lambda attempt: 0.0)
    begin(lab)
    lab.write("records/lab.yaml", BASE)
    lab.write("records/nested.yaml", NESTED)
    return lab


def quiet(lab: Lab) -> None:
    """Let requests pass as they are."""
    lab.intercept, lab.after = (lambda request: None), (lambda request, response: response)


def addresses(lab: Lab) -> list[str]:
    return sorted(a for a in lab.state["records"] if not a.startswith(("project", "setup", "beh")))


def test_all_are_created_and_then_there_is_nothing_to_do(lab: Lab) -> None:
    lab.apply()
    assert lab.plan()["changes"] == []
    assert addresses(lab) == [
        "dataacquisition/monday/audio",
        "procedure/rat12/hole",
        "session/monday",
        "session/tuesday",
        "subject/rat12",
        "subjectlog/rat12/weight",
        "subjectlogentry/rat12/weight/2024-03-12T08:00:00Z",
    ]


def test_a_parent_that_is_renamed_takes_its_children_along(lab: Lab) -> None:
    lab.apply()
    text = NESTED.replace("name: monday", "name: Monday").replace("name: rat12", "name: rat-12")
    lab.write(
        "records/nested.yaml",
        text.replace("[rat12]", "[rat-12]")
        + "moved:\n  - {from: session/monday, to: session/Monday}\n"
        "  - {from: subject/rat12, to: subject/rat-12}\n",
    )
    lab.apply()
    assert sorted((s.method, s.body["name"]) for s in lab.writes) == [
        ("PATCH", "Monday"),
        ("PATCH", "rat-12"),
    ]
    assert lab.plan()["changes"] == []
    assert lab.plan()["bookkeeping"] == []
    assert "subjectlogentry/rat-12/weight/2024-03-12T08:00:00Z" in addresses(lab)
    assert "behavior/Monday/late" in lab.state["records"]


def test_so_does_one_that_is_renamed_by_its_id(lab: Lab) -> None:
    lab.apply()
    id_ = lab.state["records"]["session/monday"]["id"]
    text = NESTED.replace("  - name: monday\n", f"  - name: Monday\n    id: {id_}\n")
    lab.write("records/nested.yaml", text)
    lab.apply()
    assert [(s.method, s.body) for s in lab.writes] == [("PATCH", {"name": "Monday"})]
    assert "behavior/Monday/late" in lab.state["records"]
    assert lab.plan()["changes"] == []


def test_so_does_one_whose_key_changes_under_the_same_name(lab: Lab) -> None:
    lab.apply()
    text = NESTED.replace("  - name: monday\n", "  - key: first\n    name: monday\n")
    lab.write("records/nested.yaml", text)
    lab.apply()
    assert lab.writes == []
    assert "dataacquisition/first/audio" in addresses(lab)
    assert lab.plan()["changes"] == []


def test_all_that_was_nested_is_deleted_from_the_leaves(lab: Lab) -> None:
    lab.apply()
    lab.write("records/nested.yaml", "subjects: []\n")
    lab.write("records/gone.yaml", "deleted: [session/monday, session/tuesday, subject/rat12]\n")
    lab.apply()
    assert live(lab, "subject") == live(lab, "behavior") == live(lab, "subjectlog") == []
    assert not [a for a in addresses(lab) if "rat12" in a]


@pytest.mark.parametrize("arrive", [True, False])
def test_a_child_whose_answer_was_lost_is_looked_for_beside_its_siblings(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, arrive: bool
) -> None:
    def lose(request: httpx.Request) -> None:
        if request.method == "POST" and "/behavior/" in request.url.path and not arrive:
            raise httpx.ReadTimeout("late", request=request)

    def swallow(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method == "POST" and "/behavior/" in request.url.path:
            raise httpx.ReadTimeout("late", request=request)
        return response

    lab.intercept, lab.after = lose, swallow
    result = lab.run("apply", "--auto-approve")
    looks = [s for s in lab.requests if s.method == "GET" and "filter%7Bsession%7D" in s.query]
    assert len(looks) == 3
    quiet(lab)
    if arrive:
        assert result.code == 0, result.out
    else:
        assert result.code == 3
        assert lab.run("apply", "--auto-approve").code == 3
        assert lab.writes == []  # it may still arrive
        later(monkeypatch, 100)
        lab.apply()
        assert len(lab.writes) == 3
    assert sorted(b["notes"] for b in live(lab, "behavior")) == ["Early.", "Late.", "Tuesday."]
    assert lab.plan()["changes"] == []


def test_siblings_alike_are_never_taken_for_each_other(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.write("records/nested.yaml", NESTED.replace("Late.", "Early."))
    posts = 0

    def lose_first(request: httpx.Request) -> None:
        nonlocal posts
        if request.method == "POST" and b"Early." in request.content:
            posts += 1
            if posts == 1:
                raise httpx.ReadTimeout("late", request=request)

    lab.intercept = lose_first
    assert lab.run("apply", "--auto-approve", "--parallelism", "1").code == 3
    quiet(lab)
    later(monkeypatch, 100)
    lab.apply()
    assert sorted(b["notes"] for b in live(lab, "behavior")) == ["Early.", "Early.", "Tuesday."]
    assert lab.plan()["changes"] == []


def test_a_process_that_dies_after_a_child_was_sent_finds_it_again(lab: Lab) -> None:
    lab.apply()
    early = "      - notes: Early.\n"
    third = early + "      - {key: third, notes: Third.}\n"
    lab.write("records/nested.yaml", NESTED.replace(early, third))
    break_off(lab, "POST", arrives=True)
    assert settled(lab) == [("on the server, as sent", "taken as created")]
    lab.apply()
    assert lab.writes == []
    assert len(live(lab, "behavior")) == 4


def test_a_lost_state_asks_for_the_binding_of_each_child(lab: Lab) -> None:
    lab.apply()
    ids = {a: e["id"] for a, e in lab.state["records"].items()}
    (lab.root / ".stemctl" / "sandbox.state.json").unlink()
    asked = set()
    for _ in range(4):  # what a record refers to has to be known first
        lab.run("apply", "--auto-approve")
        assert lab.writes == []
        for change in lab.plan()["changes"]:
            if change["held"] == "blocked" and "import" in "".join(change["detail"]):
                address = change["address"]
                assert change["detail"][-1].endswith(ids[address])
                assert lab.run("import", address, ids[address]).code == 0
                asked.add(address.partition("/")[0])
    assert lab.plan()["changes"] == []
    assert asked == {
        "behavior",
        "behavioralassay",
        "dataacquisition",
        "procedure",
        "setup",
        "subjectlog",
    }


def test_an_id_of_another_model_is_an_error(lab: Lab) -> None:
    lab.apply()
    id_ = lab.state["records"]["subject/rat12"]["id"]
    early = "      - notes: Early.\n"
    third = f"{early}      - {{key: third, id: {id_}}}\n"
    lab.write("records/nested.yaml", NESTED.replace(early, third))
    said = lab.run("plan").said
    assert "records/nested.yaml:8:" in said
    assert "this id belongs to subject/rat12" in said
    lab.write("records/nested.yaml", NESTED.replace("subjects: [rat12]", f"subjects: [{id_}]"))
    assert lab.plan()["changes"] == []
    text = NESTED.replace("    projects: [Theta]\n    beh", f"    projects: [{id_}]\n    beh")
    lab.write("records/nested.yaml", text)
    assert "this is the id of subject/rat12, not of a project" in lab.run("plan").said
    assert lab.run("apply", "--auto-approve").code == 1
    assert lab.writes == []


def test_entries_of_others_hang_on_their_log(lab: Lab) -> None:
    lab.apply()
    log = lab.state["records"]["subjectlog/rat12/weight"]["id"]
    other = {"date_time": "2024-03-13T08:00:00Z", "details": {"weight": {"value": 1, "unit": "g"}}}
    lab.api("PATCH", f"modules/subjectlog/{log}/add_entry/", other)
    lab.write("records/nested.yaml", NESTED[: NESTED.index("    subject_logs:")])
    changes = {c["address"]: c for c in lab.plan("--allow", "delete=9")["changes"]}
    assert changes["subjectlog/rat12/weight"]["held"] == "cascade"
    assert changes["subjectlog/rat12/weight"]["detail"] == [
        "the server may also delete: 1 in entries"
    ]


def test_a_plan_shows_deletes_of_children_below_their_parents(lab: Lab) -> None:
    lab.apply()
    lab.write("records/nested.yaml", "subjects: []\n")
    out = lab.run("plan", "--allow", "delete=20").out
    shown = [line.split()[1] for line in out.splitlines() if line.startswith("  - ")]
    assert shown == [
        "session/monday",
        "behavior/monday",
        "behavior/monday/late",
        "dataacquisition/monday/audio",
        "session/tuesday",
        "behavior/tuesday",
        "subject/rat12",
        "procedure/rat12/hole",
        "subjectlog/rat12/weight",
        "subjectlogentry/rat12/weight/2024-03-12T08:00:00Z",
    ]


def test_state_mv_takes_the_children_along(lab: Lab) -> None:
    lab.apply()
    assert lab.run("state", "mv", "session/monday", "session/first").code == 0
    text = NESTED.replace("  - name: monday\n", "  - key: first\n    name: monday\n")
    lab.write("records/nested.yaml", text)
    assert lab.plan()["changes"] == []
    assert {"behavior/first", "behavior/first/late", "dataacquisition/first/audio"} <= set(
        lab.state["records"]
    )


def test_state_mv_leaves_what_is_in_a_record_whose_key_continues_the_old_one(lab: Lab) -> None:
    text = NESTED.replace("{name: tuesday,", "{name: monday/tuesday,")
    text = text.replace("{key: late, notes", "{key: so/late, notes")
    lab.write("records/nested.yaml", text)
    lab.apply()
    assert lab.run("state", "mv", "session/monday", "session/first").code == 0
    text = text.replace("  - name: monday\n", "  - key: first\n    name: monday\n")
    lab.write("records/nested.yaml", text)
    assert lab.plan()["changes"] == []
    behaviors = sorted(a for a in lab.state["records"] if a.startswith("behavior/"))
    assert behaviors == ["behavior/first", "behavior/first/so/late", "behavior/monday/tuesday"]


def test_children_are_named_by_their_address(lab: Lab) -> None:
    lab.apply()
    assert "Late." in lab.run("show", "behavior/monday/late").out
    assert "behavior/monday/late" in lab.run("state", "list", "behavior/monday/*").out
    shown = lab.run("state", "show", "subjectlogentry/rat12/weight/2024-03-12T08:00:00Z")
    assert shown.code == 0, shown.said
    lab.write("records/nested.yaml", NESTED.replace("Late.", "Later."))
    assert [c["address"] for c in lab.plan("behavior/monday/late")["changes"]] == [
        "behavior/monday/late"
    ]
    assert lab.plan("behavior/monday")["changes"] == []


def test_a_plan_reads_lists_and_not_parent_by_parent(lab: Lab) -> None:
    day = (
        "  - {name: day%d, projects: [Theta], behaviors: [{notes: One.}, {key: b, notes: Two.}]}\n"
    )
    lab.write("records/many.yaml", "sessions:\n" + "".join(day % n for n in range(60)))
    defaults = NESTED[: NESTED.index("sessions:")]
    lab.write("records/_defaults.yaml", defaults)
    lab.write("records/nested.yaml", NESTED.removeprefix(defaults))
    lab.apply()
    assert lab.run("plan").out.count("Nothing to do") == 1
    pages = {
        "session": 1,
        "behavior": 2,
    }
    reads = [sent.path.split("/")[1] for sent in lab.requests]
    assert {name: reads.count(name) for name in reads} == {
        name: pages.get(name, 1) for name in reads
    }


def test_a_lost_answer_about_one_of_two_alike_is_settled_by_the_next_plan(lab: Lab) -> None:
    lab.write("records/nested.yaml", NESTED.replace("Late.", "Early."))
    posts = 0

    def swallow_first(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        nonlocal posts
        if request.method == "POST" and b"Early." in request.content:
            posts += 1
            if posts == 1:
                raise httpx.ReadTimeout("late", request=request)
        return response

    lab.after = swallow_first
    assert lab.run("apply", "--auto-approve", "--parallelism", "1").code == 3
    quiet(lab)
    assert settled(lab) == [("on the server, as sent", "taken as created")]
    lab.apply()
    assert lab.writes == []
    assert sorted(b["notes"] for b in live(lab, "behavior")) == ["Early.", "Early.", "Tuesday."]


def test_an_offline_plan_knows_children_and_what_they_refer_to(lab: Lab) -> None:
    lab.apply()
    assert lab.plan("--offline")["changes"] == []
    assert lab.run("drift", "--detailed-exitcode").code == 0
    lab.write("records/nested.yaml", NESTED.replace("AIA/CA1", "AIA/CA3"))
    (change,) = lab.plan("--offline")["changes"]
    assert change["request"]["body"] == {"brain_region": {"$unresolved": "AIA/CA3"}}


def _by_moved(lab: Lab, text: str) -> str:
    return (
        text.replace("name: monday", "name: Monday")
        + "moved: [{from: session/monday, to: session/Monday}]\n"
    )


def _by_id(lab: Lab, text: str) -> str:
    id_ = lab.state["records"]["session/monday"]["id"]
    return text.replace("  - name: monday\n", f"  - name: Monday\n    id: {id_}\n")


@pytest.mark.parametrize("rename", [_by_moved, _by_id])
def test_a_child_that_failed_when_its_parent_was_renamed_follows_later(
    lab: Lab, rename: Callable[[Lab, str], str]
) -> None:
    lab.apply()
    lab.write("records/nested.yaml", rename(lab, NESTED).replace("Late.", "Very late."))

    def lose(request: httpx.Request) -> None:
        if request.method == "PATCH" and "/behavior/" in request.url.path:
            raise httpx.ConnectError("gone", request=request)

    lab.intercept = lose
    assert lab.run("apply", "--auto-approve").code == 3
    assert "session/Monday" in lab.state["records"]
    assert "behavior/monday/late" in lab.state["records"]
    quiet(lab)
    lab.apply()
    assert sorted(b["notes"] for b in live(lab, "behavior")) == ["Early.", "Tuesday.", "Very late."]
    assert "behavior/Monday/late" in lab.state["records"]
    assert lab.plan()["changes"] == []


@pytest.mark.parametrize("rename", [_by_moved, _by_id])
def test_so_does_one_whose_creation_has_no_answer(
    lab: Lab, rename: Callable[[Lab, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.write("records/nested.yaml", NESTED.replace("      - {key: late, notes: Late.}\n", ""))
    lab.apply()
    lab.write("records/nested.yaml", NESTED)

    def lose(request: httpx.Request) -> None:
        if request.method == "POST":
            raise httpx.ReadTimeout("late", request=request)

    lab.intercept = lose
    assert lab.run("apply", "--auto-approve").code == 3
    lab.write("records/nested.yaml", rename(lab, NESTED))
    assert lab.run("apply", "--auto-approve", "session/Monday").code in (0, 3)
    assert "session/Monday" in lab.state["records"]
    quiet(lab)
    assert lab.run("apply", "--auto-approve").code == 3
    assert lab.writes == []  # the creation may still arrive
    later(monkeypatch, 100)
    lab.apply()
    assert sorted(b["notes"] for b in live(lab, "behavior")) == ["Early.", "Late.", "Tuesday."]
    assert lab.plan()["changes"] == []
    assert not [at for at in lab.state["records"] if at.startswith("behavior/monday")]
