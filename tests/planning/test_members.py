"""Members of projects and groups: merged one by one, invited once, never all locked out."""

from __future__ import annotations

import datetime

import httpx
import pytest

from stemctl.client import retry
from stemctl.commands import plan
from tests.support.lab import Lab
from tests.support.writes_struck import STRIKES, apply_struck

CONFIG = """\
manifests: [records]
default_server: sandbox
servers:
  sandbox: {url: "sandbox:", edition: "2026", seed: seed.yaml}
"""
OTHER, READER, USER = "other@elsewhere.example", "reader@lab.example", "user@lab.example"


@pytest.fixture
def lab(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr(retry, "backoff", lambda attempt: 0.0)
    lab.write("stemctl.yaml", CONFIG)
    lab.write("seed.yaml", "projects: [{name: Theta}]\n")
    return lab


def later(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    monkeypatch.setattr(plan, "utc_now", lambda: moment)


def project(lab: Lab, users: str) -> None:
    lab.write("records/p.yaml", f"projects:\n  - name: Maze\n    users: {users}\n")


def group(lab: Lab, users: str) -> None:
    lab.write("records/g.yaml", f"groups:\n  - name: Lab\n    users: {users}\n")


def users(lab: Lab) -> dict[str, dict[str, bool]]:
    found = lab.api("GET", "stem/project/")["projects"]
    return next(dict(record["users"]) for record in found if record["name"] == "Maze")


def invitations(lab: Lab, token: str = "sandbox-user") -> list[dict[str, object]]:
    found = lab.api("GET", "users/groupmembershipinvitation/", token=token)
    return list(found["group_membership_invitations"])


def edit(lab: Lab, **sent: object) -> None:
    (record,) = [r for r in lab.api("GET", "stem/project/")["projects"] if r["name"] == "Maze"]
    lab.api("PATCH", f"stem/project/{record['id']}/", sent)


def test_only_changed_members_are_sent_and_others_stay(lab: Lab) -> None:
    project(lab, f"{{{OTHER}: {{can_change: true}}, {READER}: {{can_change: true}}}}")
    lab.apply()
    edit(lab, users={"admin@sandbox.example": {"can_change": True}})
    project(lab, f"{{{OTHER}: {{is_manager: true}}, {READER}: {{can_change: true}}}}")
    lab.apply()
    assert [write.body for write in lab.writes] == [{"users": {OTHER: {"is_manager": True}}}]
    assert users(lab)[OTHER] == {"can_change": False, "is_manager": True, "is_owner": False}
    assert users(lab).keys() == {OTHER, READER, USER, "admin@sandbox.example"}
    assert lab.plan()["changes"] == []


def test_a_member_of_ours_that_left_the_file_is_taken_out(lab: Lab) -> None:
    project(lab, f"{{{OTHER}: {{can_change: true}}, {READER}: {{}}}}")
    lab.apply()
    project(lab, f"{{{READER}: {{}}}}")
    result = lab.run("plan")
    assert "apply removes it (was can_change: true), no longer in the" in result.out
    lab.apply()
    assert [write.body for write in lab.writes] == [{"users": {OTHER: {"remove": True}}}]
    assert OTHER not in users(lab)
    assert lab.plan()["changes"] == []


def test_a_field_that_left_the_file_is_released(lab: Lab) -> None:
    project(lab, f"{{{OTHER}: {{can_change: true}}}}")
    lab.apply()
    lab.write("records/p.yaml", "projects: [{name: Maze}]\n")
    lab.apply()
    assert lab.writes == []
    assert OTHER in users(lab)


def test_a_removal_takes_out_whom_others_added(lab: Lab) -> None:
    project(lab, "{}")
    lab.apply()
    edit(lab, users={OTHER: {"is_manager": True}})
    project(lab, f"{{{OTHER}: {{remove: true}}}}")
    result = lab.run("plan")
    assert "apply removes it (was is_manager: true)" in result.out
    lab.apply()
    assert [write.body for write in lab.writes] == [{"users": {OTHER: {"remove": True}}}]
    lab.apply()
    assert lab.writes == []
    edit(lab, users={OTHER: {"can_change": True}})  # somebody wants him back
    (change,) = lab.plan()["changes"]
    assert (change["reason"], change["held"]) == ("drift", "revert")
    project(lab, "{}")
    assert lab.plan()["changes"] == []


def test_the_case_of_an_address_makes_no_other_member(lab: Lab) -> None:
    project(lab, f"{{{OTHER.upper()}: {{can_change: true}}}}")
    lab.intercept = lambda request: None
    lab.api("POST", "stem/project/", {"name": "Maze", "tags": []})
    edit(lab, users={OTHER: {"can_change": True}})
    lab.apply()
    assert lab.writes == []
    assert lab.plan()["changes"] == []


def test_rights_that_others_changed_are_drift_and_both_is_a_conflict(lab: Lab) -> None:
    project(lab, f"{{{OTHER}: {{can_change: true}}}}")
    lab.apply()
    edit(lab, users={OTHER: {"is_manager": True}})
    (change,) = lab.plan()["changes"]
    assert (change["reason"], change["held"]) == ("drift", "revert")
    project(lab, f"{{{OTHER}: {{is_owner: true}}}}")
    (change,) = lab.plan()["changes"]
    assert change["held"] == "conflict"
    assert lab.run("resolve", "--keep", "files", "project/Maze").code == 0
    lab.apply()
    assert users(lab)[OTHER]["is_owner"] is True


def test_an_edit_of_another_person_after_the_plan_is_not_overwritten(lab: Lab) -> None:
    project(lab, f"{{{OTHER}: {{can_change: true}}}}")
    lab.apply()
    project(lab, f"{{{OTHER}: {{is_manager: true}}}}")
    lab.run("plan", "--out", "plan.json")
    edit(lab, users={OTHER: {"is_owner": True}})
    result = lab.run("apply", "plan.json")
    assert result.code == 1
    assert "changed on the server since this plan was made" in result.out
    assert lab.writes == []


def test_nobody_locks_everybody_out(lab: Lab) -> None:
    project(lab, f"{{{USER}: {{remove: true}}}}")
    lab.apply()
    assert [write.method for write in lab.writes] == ["POST"]
    (change,) = lab.plan()["changes"]
    assert (change["held"], change["request"]) == ("blocked", None)
    assert "no one would have is_owner any more" in lab.run("plan").out
    project(lab, f"{{{USER}: {{can_change: true}}, {OTHER}: {{is_owner: true}}}}")
    result = lab.run("plan", "--allow", "replace=1")
    assert f"{USER} loses the highest right" in result.out
    lab.apply("--allow", "replace=1")
    assert users(lab)[USER]["is_owner"] is False


def test_a_creation_that_would_lock_its_creator_out_says_so(lab: Lab) -> None:
    project(lab, f"{{{USER}: {{can_change: true}}}}")
    result = lab.run("apply", "--auto-approve")
    assert result.code == 3
    assert "created, then Not sent: users: no one would have is_owner any more" in result.out
    assert users(lab)[USER]["is_owner"] is True


def test_a_new_member_of_a_group_is_pending_until_he_accepts(lab: Lab) -> None:
    group(lab, f"{{{OTHER}: {{is_manager: true}}}}")
    result = lab.apply()
    assert f"users: {OTHER} invited, pending until accepted" in result.out
    assert len(invitations(lab)) == 1
    result = lab.apply()
    assert lab.writes == []
    assert f"{OTHER} is invited, and becomes a member by accepting" in result.out
    group(lab, f"{{{OTHER}: {{}}}}")
    (change,) = lab.plan()["changes"]
    assert (change["held"], change["request"]) == ("pending", None)
    assert "approvals list" not in lab.run("plan").out
    group(lab, f"{{{OTHER}: {{is_manager: true}}}}")
    (invitation,) = invitations(lab)
    path = f"users/groupmembershipinvitation/{invitation['id']}/accept/"
    lab.api("GET", path, token="sandbox-other")
    lab.apply()
    assert lab.writes == []
    plan = lab.plan()
    assert (plan["changes"], plan["bookkeeping"], plan["notes"]) == ([], [], [])
    assert not [sent for sent in lab.requests if "invitation" in sent.path]
    group(lab, f"{{{OTHER}: {{}}}}")
    lab.apply()
    assert [write.body for write in lab.writes] == [{"users": {OTHER: {}}}]


def test_who_was_invited_is_known_without_the_state(lab: Lab) -> None:
    group(lab, f"{{{OTHER}: {{is_manager: true}}}}")
    lab.apply()
    (lab.root / ".stemctl" / "sandbox.state.json").unlink()
    lab.apply()
    assert lab.writes == []
    assert len(invitations(lab)) == 1


def test_who_declined_is_not_invited_again(lab: Lab) -> None:
    group(lab, f"{{{OTHER}: {{is_manager: true}}}}")
    lab.apply()
    (invitation,) = invitations(lab)
    path = f"users/groupmembershipinvitation/{invitation['id']}/reject/"
    lab.api("GET", path, token="sandbox-other")
    result = lab.apply()
    assert lab.writes == []
    assert "is neither a member nor invited now" in result.out
    group(lab, "{}")
    lab.apply()
    group(lab, f"{{{OTHER}: {{is_manager: true}}}}")
    lab.apply()
    assert len(invitations(lab)) == 1


def test_without_a_list_of_invitations_the_state_says_who_is_invited(lab: Lab) -> None:
    group(lab, f"{{{OTHER}: {{is_manager: true}}}}")
    lab.intercept = lambda request: (
        httpx.Response(403, json={"detail": "No."}) if "invitation" in request.url.path else None
    )
    lab.run("apply", "--auto-approve")
    result = lab.run("apply", "--auto-approve")
    assert lab.writes == []
    assert f"{OTHER} is invited" in result.out
    lab.intercept = lambda request: None
    assert len(invitations(lab)) == 1


@pytest.mark.parametrize(("name", "arrives"), STRIKES)
@pytest.mark.parametrize("number", [1, 2])
def test_whatever_happens_to_a_request_everybody_is_invited_once(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, number: int, name: str, arrives: bool
) -> None:
    group(lab, f"{{{OTHER}: {{is_manager: true}}}}")
    apply_struck(lab, number, name, arrives)
    lab.run("apply", "--auto-approve")
    assert len(invitations(lab)) < 2
    later(monkeypatch, 61)
    lab.run("apply", "--auto-approve")
    assert len(invitations(lab)) == 1
    assert len(lab.api("GET", "users/group/")["groups"]) == 1
    lab.apply()
    assert lab.writes == []
    assert lab.plan()["changes"] == []


def test_who_accepted_with_the_rights_of_the_invitation_changed_nothing(lab: Lab) -> None:
    group(lab, f"{{{OTHER}: {{is_manager: true}}}}")
    lab.apply()
    (invitation,) = invitations(lab)
    path = f"users/groupmembershipinvitation/{invitation['id']}/accept/"
    lab.api("GET", path, token="sandbox-other")
    group(lab, f"{{{OTHER}: {{}}}}")
    (change,) = lab.plan()["changes"]
    assert (change["reason"], change["held"]) == ("edited", None)


def test_an_invitation_without_an_answer_is_not_sent_again_within_a_minute(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    group(lab, f"{{{OTHER}: {{is_manager: true}}}}")
    apply_struck(lab, 2, "lost", False)
    lab.run("apply", "--auto-approve")
    assert lab.writes == []
    later(monkeypatch, 61)
    lab.apply()
    assert [write.method for write in lab.writes] == ["PATCH"]
