"""A model without a unique field: records are told apart by id, state and, where an answer was
lost, by content.
"""

from __future__ import annotations

import httpx
import pytest

from tests.planning.test_in_doubt import Gone, break_off, later, settled
from tests.schema.test_invented_model import TABLE
from tests.support.invented import add_table
from tests.support.lab import Lab

NAMELESS = {
    **TABLE,
    "identity": None,
    "fields": {
        **TABLE["fields"],  # type: ignore[dict-item]
        "name": {
            "kind": "text",
            "required": True,
            "max_length": 20,
            "description": "Its name.",
            "source": "invented",
        },
    },
}
DRUM = "rigs:\n  - {key: drum, name: Drum, weight: 2}\n"


@pytest.fixture
def lab(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr("stemctl.client.retry.backoff", lambda attempt: 0.0)
    add_table(NAMELESS, monkeypatch)
    return lab


def rigs(lab: Lab) -> list[str]:
    return sorted(record["name"] for record in lab.api("GET", "gadgets/rig/")["rigs"])


def test_it_is_created_changed_and_deleted_by_its_id(lab: Lab) -> None:
    lab.write("records/rigs.yaml", DRUM)
    lab.apply()
    lab.write("records/rigs.yaml", DRUM.replace("2", "3"))
    lab.apply()
    assert [(s.method, s.body) for s in lab.writes] == [("PATCH", {"weight": 3})]
    lab.write("records/rigs.yaml", "rigs: []\n")
    lab.apply("--allow", "delete")
    assert rigs(lab) == []


def test_a_creation_that_arrived_is_found_by_its_content(lab: Lab) -> None:
    lab.api(
        "POST", "gadgets/rig/", {"name": "Drum", "weight": 3}
    )  # somebody else's, with another weight
    lab.write("records/rigs.yaml", DRUM)
    break_off(lab, "POST", arrives=True)
    assert settled(lab) == [("on the server, as sent", "taken as created")]
    lab.apply()
    assert lab.writes == []
    assert rigs(lab) == ["Drum", "Drum"]


def test_a_creation_that_may_still_arrive_waits_a_minute(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.write("records/rigs.yaml", DRUM)
    break_off(lab, "POST", arrives=False)
    later(monkeypatch, 59)
    result = lab.run("apply", "--auto-approve")
    assert result.code == 3
    assert lab.writes == []
    assert "Unknown: sent, but no answer" in result.out
    later(monkeypatch, 61)
    lab.apply()
    assert [s.method for s in lab.writes] == ["POST"]
    assert rigs(lab) == ["Drum"]


def test_a_creation_that_arrives_late_is_taken(lab: Lab) -> None:
    lab.write("records/rigs.yaml", DRUM)
    break_off(lab, "POST", arrives=False)
    assert lab.run("apply", "--auto-approve").code == 3
    lab.api(
        "POST", "gadgets/rig/", {"name": "Drum", "weight": 2}
    )  # thirty seconds later, so to say
    lab.apply()
    assert lab.writes == []
    assert rigs(lab) == ["Drum"]
    assert lab.run("plan", "--detailed-exitcode").code == 0


def test_of_several_with_the_same_content_the_user_chooses(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = lab.api("POST", "gadgets/rig/", {"name": "Drum", "weight": 2})["rig"]["id"]
    lab.write("records/rigs.yaml", DRUM)
    blocked = lab.run(
        "apply", "--auto-approve"
    )  # before anything was sent: it equals one that nobody has
    assert lab.writes == []
    assert f"stemctl import rig/drum {other}" in blocked.out
    lab.write("records/rigs.yaml", DRUM.replace("Drum", "Drums"))
    break_off(lab, "POST", arrives=True)
    lab.api("POST", "gadgets/rig/", {"name": "Drums", "weight": 2})
    later(monkeypatch, 100)
    stopped = lab.run("apply", "--auto-approve")
    assert stopped.code == 3
    assert lab.writes == []
    ours = [r["id"] for r in lab.api("GET", "gadgets/rig/")["rigs"] if r["name"] == "Drums"]
    assert all(f"stemctl import rig/drum {id_}" in stopped.out for id_ in ours)
    assert lab.run("import", "rig/drum", ours[0]).code == 0
    assert lab.run("plan", "--detailed-exitcode").code == 0


def test_a_lost_state_asks_for_the_binding(lab: Lab) -> None:
    lab.write("records/rigs.yaml", DRUM + "  - {key: table, name: Table}\n")
    lab.apply()
    ids = {r["name"]: r["id"] for r in lab.api("GET", "gadgets/rig/")["rigs"]}
    (lab.root / ".stemctl" / "sandbox.state.json").unlink()
    result = lab.run("apply", "--auto-approve")
    assert lab.writes == []
    assert f"stemctl import rig/drum {ids['Drum']}" in result.out
    for name, id_ in ids.items():
        assert lab.run("import", f"rig/{name.lower()}", id_).code == 0
    lab.apply()
    assert lab.writes == []
    assert rigs(lab) == ["Drum", "Table"]


def test_two_alike_that_were_lost_become_two(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.write("records/rigs.yaml", DRUM + "  - {key: drum2, name: Drum, weight: 2}\n")
    sent = 0

    def second_dies(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        nonlocal sent
        sent += request.method == "POST"
        if sent:
            raise Gone
        return response

    lab.after = second_dies
    with pytest.raises(Gone):
        lab.run("apply", "--auto-approve", "--parallelism", "1")
    lab.after = lambda request, response: response
    later(monkeypatch, 100)
    lab.run("apply", "--auto-approve")
    assert rigs(lab) == ["Drum", "Drum"]
    assert lab.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("arrive", [0, 1, 2])
def test_of_two_alike_that_have_no_answer_as_many_are_made_as_are_missing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, arrive: int
) -> None:
    lab.write("records/rigs.yaml", DRUM + "  - {key: drum2, name: Drum, weight: 2}\n")
    posts = 0

    def lose(request: httpx.Request) -> None:
        nonlocal posts
        posts += request.method == "POST"
        if request.method == "POST" and posts > arrive:
            raise httpx.ReadTimeout("late", request=request)

    def swallow(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method == "POST":
            raise httpx.ReadTimeout("late", request=request)
        return response

    lab.intercept, lab.after = lose, swallow
    assert lab.run("apply", "--auto-approve").code == 3
    lab.intercept, lab.after = (lambda request: None), (lambda request, response: response)
    later(monkeypatch, 100)
    result = lab.run("apply", "--auto-approve")
    if arrive < 2:
        assert result.code == 0, result.said
        assert len(lab.writes) == 2 - arrive
    else:  # which is which cannot be told
        assert result.code == 3
        assert lab.writes == []
    assert rigs(lab) == ["Drum", "Drum"]


def test_what_could_not_be_read_is_not_created(lab: Lab) -> None:
    lab.write("records/rigs.yaml", DRUM)
    lab.intercept = lambda request: httpx.Response(502) if request.method == "GET" else None
    assert lab.run("apply", "--auto-approve").code == 1
    assert lab.writes == []
