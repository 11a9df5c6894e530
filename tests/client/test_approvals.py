"""Proposals from POST to bound record, and every state in which one is held."""

from __future__ import annotations

import pytest

from tests.support.lab import Lab

PUFF = "{name: Air puff, description: Brief puff of air}"


def declare(lab: Lab, *records: str) -> None:
    lines = "".join(f"  - {record}\n" for record in records)
    lab.write("records/stimulus.yaml", f"sensory_stimulus_types:\n{lines}")


def held(lab: Lab) -> list[tuple[str, str]]:
    return [(c["address"].partition("/")[2], c["held"]) for c in lab.plan()["changes"]]


def decide(lab: Lab, verdict: str, name: str, **content: str) -> None:
    answer = lab.api("GET", "taxonomies/sensorystimulustype_approvals/", token="sandbox-admin")
    (pending,) = [
        a
        for a in answer["sensory_stimulus_type_approvals"]
        if a["name"] == name and a["status"] == "Pending"
    ]
    path = f"taxonomies/sensorystimulustype_approvals/{pending['id']}/{verdict}/"
    lab.api("PATCH", path, content, token="sandbox-admin")


def test_from_proposal_to_record(lab: Lab) -> None:
    declare(lab, PUFF)
    proposed = lab.apply()
    assert "1 proposed" in proposed.out
    assert [s.method for s in lab.writes] == ["POST"]

    assert held(lab) == [("Air puff", "pending")]
    assert lab.run("plan", "--detailed-exitcode").code == 0
    lab.apply()
    assert lab.writes == []

    assert (
        lab.run("approvals", "accept", "sensorystimulustype/Air puff", token="sandbox-admin").code
        == 0
    )
    (change,) = lab.plan()["changes"]
    assert (change["action"], change["reason"], change["request"]) == ("adopt", "accepted", None)
    lab.apply()
    assert lab.writes == []
    assert lab.plan()["changes"] == []
    entry = lab.state["records"]["sensorystimulustype/Air puff"]
    assert entry["id"] == lab.live("sensorystimulustype", "Air puff")["id"]
    assert "approval" not in entry


def test_what_is_live_as_declared_is_bound_at_once(lab: Lab) -> None:
    declare(lab, "{name: Auditory, description: Auditory cue}")
    lab.apply()
    assert lab.writes == []
    assert lab.plan()["changes"] == []


def test_a_rejected_proposal_is_held_until_it_is_edited_or_sent_again(lab: Lab) -> None:
    declare(lab, PUFF)
    lab.apply()
    decide(lab, "reject", "Air puff")
    assert held(lab) == [("Air puff", "rejected")]
    assert lab.run("plan", "--detailed-exitcode").code == 0
    lab.apply()
    assert lab.writes == []
    lab.apply("--resubmit")
    assert [s.method for s in lab.writes] == ["POST"]
    decide(lab, "reject", "Air puff")
    declare(lab, PUFF.replace("Brief", "Short"))
    lab.apply()
    assert [s.body["description"] for s in lab.writes] == ["Short puff of air"]


def test_the_same_is_never_proposed_twice_while_it_is_pending(lab: Lab) -> None:
    declare(lab, PUFF)
    lab.apply()
    lab.apply("--resubmit")
    assert lab.writes == []


def test_other_text_that_is_pending_is_held_with_the_difference(lab: Lab) -> None:
    declare(lab, PUFF)
    lab.apply()
    declare(lab, PUFF.replace("Brief puff", "Short puff"))
    plan = lab.run("plan")
    assert 'proposed: "Brief puff of air"; files: "Short puff of air"' in plan.out
    lab.apply()
    assert lab.writes == []
    lab.apply("--resubmit")
    assert [s.body["description"] for s in lab.writes] == ["Short puff of air"]


def test_a_change_of_a_live_record_is_a_proposal(lab: Lab) -> None:
    declare(lab, "{name: Auditory, description: Auditory cue}")
    lab.apply()
    declare(lab, "{name: Auditory, description: A sound}")
    lab.apply()
    assert [(s.method, s.body) for s in lab.writes] == [("PATCH", {"description": "A sound"})]
    assert held(lab) == [("Auditory", "pending")]
    decide(lab, "accept", "Auditory")
    assert lab.plan()["changes"] == []
    lab.apply()
    assert lab.writes == []
    assert "approval" not in lab.state["records"]["sensorystimulustype/Auditory"]


def test_what_the_reviewer_wrote_is_shown_once(lab: Lab) -> None:
    declare(lab, PUFF)
    lab.apply()
    decide(lab, "accept", "Air puff", description="Brief puff of air to the whiskers")
    plan = lab.run("plan")
    assert "the reviewer wrote: Brief puff of air {+to the whiskers+}" in plan.out
    lab.apply()
    assert lab.writes == []
    assert lab.run("plan", "--detailed-exitcode").code == 0
    assert lab.plan()["changes"] == []


def test_an_edit_after_proposing_is_not_lost_when_it_is_accepted(lab: Lab) -> None:
    declare(lab, PUFF)
    lab.apply()
    decide(lab, "accept", "Air puff")
    declare(lab, PUFF.replace("Brief", "Short"))
    lab.apply()
    assert [(s.method, s.body) for s in lab.writes] == [
        ("PATCH", {"description": "Short puff of air"})
    ]


def test_a_proposal_of_another_account_is_pending(lab: Lab) -> None:
    declare(lab, PUFF)
    assert lab.run("apply", "--auto-approve", token="sandbox-admin").code == 0
    assert held(lab) == [("Air puff", "pending")]
    assert "which this account cannot read" in lab.run("plan").out


def test_an_unknown_status_is_shown_and_waits(lab: Lab) -> None:
    declare(lab, PUFF)
    lab.apply()

    def after(request, response):  # type: ignore[no-untyped-def]
        if "approvals" in request.url.path:
            return type(response)(
                200, content=response.content.replace(b"Pending", b"Revision Requested")
            )
        return response

    lab.after = after
    assert held(lab) == [("Air puff", "pending")]
    assert 'status "Revision Requested"' in lab.run("plan").out


def test_a_name_that_differs_from_a_live_one_only_in_case_is_warned_about(lab: Lab) -> None:
    declare(lab, "{name: auditory, description: Auditory cue}")
    result = lab.run("plan")
    assert result.code == 0
    assert (
        'warning: the server has "Auditory", which differs from this name only in case'
        in result.out
    )
    assert "records/stimulus.yaml:2" in result.out


def test_the_comment_to_the_reviewer_is_sent_and_never_compared(lab: Lab) -> None:
    declare(lab, PUFF.replace("}", ", comments: We use it daily.}"))
    lab.apply()
    assert lab.writes[0].body["comments"] == "We use it daily."
    decide(lab, "accept", "Air puff")
    lab.apply()
    assert lab.plan()["changes"] == []


@pytest.mark.parametrize("verdict", ["accept", "reject"])
def test_only_administrators_decide(lab: Lab, verdict: str) -> None:
    declare(lab, PUFF)
    lab.apply()
    result = lab.run("approvals", verdict, "sensorystimulustype/Air puff")
    assert result.code == 1
    assert "no permission to do this" in result.err
    result = lab.run("approvals", verdict, "sensorystimulustype/Nothing", token="sandbox-admin")
    assert result.code == 1
    assert "No pending proposal" in result.err


def test_approvals_are_listed_and_shown(lab: Lab) -> None:
    declare(lab, PUFF)
    lab.apply()
    assert "sensorystimulustype/Air puff  Add     Pending" in lab.run("approvals", "list").out
    (document,) = lab.run("approvals", "show", "sensorystimulustype/Air puff", "-o", "json").json
    assert document["approval"]["status"] == "Pending"
    by_id = lab.run("approvals", "list", document["approval"]["id"], "-o", "json").json
    assert by_id == [document]


def test_a_delete_of_what_only_administrators_may_delete_fails_clearly(lab: Lab) -> None:
    declare(lab, "{name: Auditory, description: Auditory cue}", PUFF)
    lab.apply()
    declare(lab, PUFF)
    result = lab.run("apply", "--auto-approve", "--allow", "delete")
    assert result.code == 1
    assert "no permission" in result.out
    assert "sensorystimulustype/Auditory" in lab.state["records"]


def test_a_proposal_that_the_files_took_back_is_not_remembered(lab: Lab) -> None:
    declare(lab, "{name: Auditory, description: Auditory cue}")
    lab.apply()
    declare(lab, "{name: Auditory, description: Sound}")
    lab.apply()
    assert "approval" in lab.state["records"]["sensorystimulustype/Auditory"]
    declare(lab, "{name: Auditory, description: Auditory cue}")
    assert [row["address"] for row in lab.plan()["bookkeeping"]] == ["sensorystimulustype/Auditory"]
    lab.apply()
    assert "approval" not in lab.state["records"]["sensorystimulustype/Auditory"]


def test_who_may_decide_is_said_to_those_who_may_not(lab: Lab) -> None:
    lab.write("records/types.yaml", "sensory_stimulus_types: [{name: Air puff, description: P.}]\n")
    assert lab.run("apply", "-y").code in (0, 3)
    result = lab.run("approvals", "accept", "Air puff", token="sandbox-user")
    assert result.code == 1
    assert "Only administrators of BrainSTEM accept and reject proposals." in result.err
    command = f"stemctl -C {lab.root} approvals accept 'sensorystimulustype/Air puff'"
    assert f"Next  BRAINSTEM_TOKEN=sandbox-admin {command}" in result.err
    assert "doctor" not in result.err
    name = "sensorystimulustype/Air puff"
    assert lab.run("approvals", "accept", name, token="sandbox-admin").code == 0
