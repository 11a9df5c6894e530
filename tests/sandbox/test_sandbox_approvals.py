"""Proposals and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_api import NOBODY, Api

MODEL = "taxonomies/sensorystimulustype/"
APPROVALS = "taxonomies/sensorystimulustype_approvals/"
ONE = "sensory_stimulus_type_approval"
PUFF = {"name": "Air puff", "description": "a puff"}


@pytest.fixture
def admin(api: Api) -> Api:
    return api.by("admin")


@pytest.fixture
def visual(api: Api) -> str:
    """The address of a live record."""
    api.database.seed({"sensory_stimulus_types": [{"name": "Visual", "description": "light"}]})
    (record,) = api("GET", MODEL).json()["sensory_stimulus_types"]
    return f"{MODEL}{record['id']}/"


def propose(api: Api, method: str = "POST", path: str = MODEL, **fields: Any) -> dict[str, Any]:
    answer = api(method, path, fields or PUFF)
    assert answer.status_code == (201 if method == "POST" else 200), answer.text
    assert list(answer.json()) == [ONE]
    return answer.json()[ONE]


def approval(api: Api, id_: str) -> dict[str, Any]:
    return api("GET", f"{APPROVALS}{id_}/").json()[ONE]


def test_adding_only_proposes(api: Api) -> None:
    proposal = propose(api, **PUFF, comments="please")
    assert proposal == {"id": proposal["id"], **PUFF, "comments": "please"}
    assert api.names(MODEL) == []
    assert api("GET", f"{MODEL}{proposal['id']}/").status_code == 404
    assert approval(api, proposal["id"]) == {
        **proposal,
        "instance_id": None,
        "action": "Add",
        "reviewer": None,
        "status": "Pending",
    }


def test_changing_only_proposes_the_whole_content(api: Api, visual: str) -> None:
    proposal = propose(api, "PATCH", visual, description="any light")
    assert proposal == {
        "id": proposal["id"],
        "name": "Visual",
        "description": "any light",
        "comments": "",
    }
    live = api("GET", visual).json()["sensory_stimulus_type"]
    assert live["description"] == "light"
    assert proposal["id"] != live["id"]
    found = approval(api, proposal["id"])
    assert (found["action"], found["instance_id"], found["status"]) == (
        "Change",
        live["id"],
        "Pending",
    )


@pytest.mark.parametrize("address", [APPROVALS, "taxonomies/sensorystimulustypeapproval/"])
@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("body", [None, {}])
def test_accepting_an_addition_makes_the_record(
    api: Api, admin: Api, address: str, end: str, body: Any
) -> None:
    proposal = propose(api, **PUFF, comments="please")
    answer = admin("PATCH", f"{address}{proposal['id']}/accept{end}", body)
    assert answer.status_code == 200
    decided = answer.json()[ONE]
    (live,) = api("GET", MODEL).json()["sensory_stimulus_types"]
    assert live == {"id": live["id"], **PUFF}
    assert live["id"] != proposal["id"]
    outcome = {"instance_id": live["id"], "action": "Add", "reviewer": 3, "status": "Accepted"}
    assert decided == approval(api, proposal["id"]) == {**proposal, **outcome}


def test_accepting_a_change_changes_the_record(api: Api, admin: Api, visual: str) -> None:
    proposal = propose(api, "PATCH", visual, description="any light", comments="see above")
    assert admin("PATCH", f"{APPROVALS}{proposal['id']}/accept/").status_code == 200
    live = api("GET", visual).json()["sensory_stimulus_type"]
    assert live == {"id": live["id"], "name": "Visual", "description": "any light"}
    assert api.names(MODEL) == ["Visual"]


def test_rejecting_changes_no_record(api: Api, admin: Api, visual: str) -> None:
    for proposal in (propose(api), propose(api, "PATCH", visual, description="x")):
        instance = approval(api, proposal["id"])["instance_id"]
        decided = admin("PATCH", f"{APPROVALS}{proposal['id']}/reject/").json()[ONE]
        assert (decided["status"], decided["reviewer"], decided["instance_id"]) == (
            "Rejected",
            3,
            instance,
        )
    assert api("GET", visual).json()["sensory_stimulus_type"]["description"] == "light"
    assert api.names(MODEL) == ["Visual"]


def test_a_reviewer_may_change_what_is_accepted(api: Api, admin: Api) -> None:
    proposal = propose(api)
    amended = {"description": "a brief puff", "colour": "red", "status": "Rejected"}
    decided = admin("PATCH", f"{APPROVALS}{proposal['id']}/accept/", amended).json()[ONE]
    assert (decided["description"], decided["status"]) == ("a brief puff", "Accepted")
    assert api("GET", MODEL).json()["sensory_stimulus_types"][0]["description"] == "a brief puff"


def test_what_a_reviewer_writes_is_checked(api: Api, admin: Api) -> None:
    path = f"{APPROVALS}{propose(api)['id']}/accept/"
    assert admin("PATCH", path, {"description": "x" * 501}).json() == {
        "description": ["Ensure this field has no more than 500 characters."]
    }
    assert admin("PATCH", path, {"description": " "}).json() == {
        "description": ["This field may not be blank."]
    }
    assert api.names(MODEL) == []
    assert admin("PATCH", path).status_code == 200


@pytest.mark.parametrize("first", ["accept", "reject"])
@pytest.mark.parametrize("second", ["accept", "reject"])
def test_nothing_is_decided_twice(api: Api, admin: Api, first: str, second: str) -> None:
    path = f"{APPROVALS}{propose(api)['id']}/"
    assert admin("PATCH", f"{path}{first}/").status_code == 200
    before = admin("GET", path).json()
    answer = admin("PATCH", f"{path}{second}/")
    assert (answer.status_code, answer.json()) == (
        400,
        {"detail": f"This proposal is already {first}ed."},
    )
    assert admin("GET", path).json() == before
    assert len(api.names(MODEL)) == (first == "accept")


@pytest.mark.parametrize("user", ["user", "reader", "other"])
@pytest.mark.parametrize("action", ["accept", "reject"])
def test_only_administrators_decide(api: Api, user: str, action: str) -> None:
    path = f"{APPROVALS}{propose(api)['id']}/"
    assert api.by(user)("PATCH", f"{path}{action}/").status_code == 403
    assert api("GET", path).json()[ONE]["status"] == "Pending"


def test_administrators_decide_about_their_own_too(admin: Api) -> None:
    proposal = propose(admin)
    assert admin.names(MODEL) == []
    assert admin("PATCH", f"{APPROVALS}{proposal['id']}/accept/").status_code == 200
    assert admin.names(MODEL) == ["Air puff"]


def test_one_sees_ones_own_and_administrators_see_all(api: Api, admin: Api) -> None:
    other = api.by("other")
    ours, theirs = propose(api), propose(other, name="Theirs", description="d")
    assert api.names(APPROVALS) == ["Air puff"]
    assert other.names(APPROVALS) == ["Theirs"]
    assert (
        admin.names(APPROVALS)
        == api.by("admin", "super").names(APPROVALS)
        == ["Air puff", "Theirs"]
    )
    assert api("GET", f"{APPROVALS}{theirs['id']}/").status_code == 404
    assert other("GET", f"{APPROVALS}{ours['id']}/").status_code == 404
    assert "proposer" not in approval(admin, ours["id"])


def test_proposals_are_listed_like_records(api: Api, admin: Api) -> None:
    ids = [propose(api, name=f"N{number}", description="d")["id"] for number in range(3)]
    admin("PATCH", f"{APPROVALS}{ids[1]}/accept/")
    instance = approval(api, ids[1])["instance_id"]
    assert api.names(APPROVALS, ("filter{status}", "Pending")) == ["N0", "N2"]
    assert api.names(APPROVALS, ("filter{name}", "N2")) == ["N2"]
    assert api.names(APPROVALS, ("filter{instance_id}", instance)) == ["N1"]
    assert api.names(APPROVALS, ("filter{reviewer}", "3")) == ["N1"]
    assert api.names(APPROVALS, ("sort[]", "-name"), ("limit", 2), ("offset", 1)) == ["N1", "N0"]
    assert api("GET", APPROVALS).json()["meta"]["total_results"] == 3
    assert api("GET", f"{APPROVALS}?filter{{proposer}}=x").status_code == 400


def test_the_same_may_be_proposed_again_while_it_waits(api: Api, admin: Api) -> None:
    first, second = propose(api), propose(api)
    assert first["id"] != second["id"]
    assert admin("PATCH", f"{APPROVALS}{first['id']}/accept/").status_code == 200

    late = admin("PATCH", f"{APPROVALS}{second['id']}/accept/")
    taken = {"name": ["sensory stimulus type with this name already exists."]}
    assert (late.status_code, late.json()) == (400, taken)
    assert approval(api, second["id"])["status"] == "Pending"
    assert api.names(MODEL) == ["Air puff"]
    # The reviewer finds a free name.
    assert (
        admin("PATCH", f"{APPROVALS}{second['id']}/accept/", {"name": "Other puff"}).status_code
        == 200
    )
    assert api.names(MODEL) == ["Air puff", "Other puff"]


def test_a_name_of_a_live_record_is_not_proposed(api: Api, visual: str) -> None:
    taken = {"name": ["sensory stimulus type with this name already exists."]}
    answer = api("POST", MODEL, {"name": "Visual", "description": "d"})
    assert (answer.status_code, answer.json()) == (400, taken)
    assert api("PATCH", visual, {"name": "Visual"}).status_code == 200
    api.database.seed({"sensory_stimulus_types": [{"name": "Auditory", "description": "d"}]})
    assert api("PATCH", visual, {"name": "Auditory"}).json() == taken


def test_proposals_are_checked_like_records(api: Api) -> None:
    answer = api("POST", MODEL, {"name": "x" * 201, "comments": 3})
    assert answer.status_code == 400
    assert answer.json() == {
        "name": ["Ensure this field has no more than 200 characters."],
        "description": ["This field is required."],
        "comments": ["Not a valid string."],
    }
    assert api.names(APPROVALS) == []


def test_a_change_of_what_is_gone_is_not_accepted(api: Api, admin: Api, visual: str) -> None:
    proposal = propose(api, "PATCH", visual, description="x")
    assert admin("DELETE", visual).status_code == 204
    answer = admin("PATCH", f"{APPROVALS}{proposal['id']}/accept/")
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])
    assert approval(api, proposal["id"])["status"] == "Pending"
    assert admin("PATCH", f"{APPROVALS}{proposal['id']}/reject/").status_code == 200


def test_a_change_needs_its_action(api: Api, admin: Api) -> None:
    path = f"{APPROVALS}{propose(api)['id']}"
    for by in (api, admin):
        answer = by("PATCH", path, {})
        assert (answer.status_code, list(answer.json())) == (400, ["detail"])
    assert admin("PATCH", f"{path}/postpone/").status_code == 404
    assert admin("GET", f"{path}/accept/").status_code == 405
    assert admin("POST", f"{path}/accept/").status_code == 405
    assert admin("POST", APPROVALS, PUFF).status_code == admin("DELETE", path).status_code == 405
    assert admin("PATCH", f"{APPROVALS}{NOBODY}/accept/").status_code == 404


def test_only_administrators_delete_and_do_so_at_once(api: Api, admin: Api, visual: str) -> None:
    for user in ("user", "reader", "other"):
        assert api.by(user)("DELETE", visual).status_code == 403
    answer = admin("DELETE", visual)
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.names(MODEL) == api.names(APPROVALS) == []
