"""Records that several fields tell apart: matched, referred to, created once."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.edition_2026 import begin, live
from tests.support.lab import Lab

COHORTS = """\
cohorts:
  - {key: Theta/Cohort A, name: Cohort A, project: Theta}
  - {key: Delta/Cohort A, name: Cohort A, project: Delta}
"""


@pytest.fixture
def lab(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr("stemctl.client.retry.backoff", lambda attempt: 0.0)
    return begin(lab)


def in_projects(lab: Lab) -> list[tuple[str, str]]:
    names = {record["id"]: record["name"] for record in live(lab, "project")}
    return sorted((names[record["project"]], record["name"]) for record in live(lab, "cohort"))


def actions(lab: Lab, *arguments: str) -> dict[str, tuple[str, Any]]:
    changes = lab.plan(*arguments)["changes"]
    return {c["address"]: (c["action"], c["held"]) for c in changes}


def test_one_name_in_two_projects_is_two_records(lab: Lab) -> None:
    lab.write("records/cohorts.yaml", COHORTS)
    lab.apply()
    assert in_projects(lab) == [("Delta", "Cohort A"), ("Theta", "Cohort A")]
    assert lab.plan()["changes"] == []


def test_they_are_found_again_without_a_state(lab: Lab) -> None:
    lab.write("records/cohorts.yaml", COHORTS)
    lab.apply()
    (lab.root / ".stemctl" / "sandbox.state.json").unlink()
    found = actions(lab)
    assert found["cohort/Theta/Cohort A"] == ("adopt", None)
    assert found["cohort/Delta/Cohort A"] == ("adopt", None)
    lab.run("apply", "--auto-approve")
    assert lab.writes == []


def test_two_declared_with_the_same_values_are_an_error(lab: Lab) -> None:
    lab.write(
        "records/cohorts.yaml",
        "cohorts:\n  - {key: one, name: Cohort A, project: Theta}\n"
        "  - {key: other, name: Cohort A, project: Theta}\n",
    )
    result = lab.run("plan")
    assert result.code == 1
    assert "two cohorts have the same project and name" in result.said
    assert lab.writes == []


@pytest.mark.parametrize("arrives", [True, False])
def test_a_lost_creation_is_settled_at_once(lab: Lab, arrives: bool) -> None:
    lab.apply()
    lab.write("records/cohorts.yaml", COHORTS)

    def lose(request: httpx.Request) -> None:
        if request.method == "POST" and not arrives:
            raise httpx.ReadTimeout("late", request=request)

    def swallow(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method == "POST":
            raise httpx.ReadTimeout("late", request=request)
        return response

    lab.intercept, lab.after = lose, swallow
    result = lab.run("apply", "--auto-approve")
    assert result.code == (0 if arrives else 3), result.out
    looks = [sent.query for sent in lab.requests if "filter" in sent.query]
    assert all("filter%7Bproject%7D=" in look and "filter%7Bname%7D=" in look for look in looks)
    lab.intercept, lab.after = (lambda request: None), (lambda request, response: response)
    lab.apply()
    assert in_projects(lab) == [("Delta", "Cohort A"), ("Theta", "Cohort A")]
    assert lab.plan()["changes"] == []


def test_an_answer_about_another_project_proves_nothing(lab: Lab) -> None:
    lab.apply()
    lab.write("records/cohorts.yaml", "cohorts:\n  - {key: one, name: Cohort A, project: Theta}\n")
    delta = lab.state["records"]["project/Delta"]["id"]

    def other(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method != "POST":
            return response
        answer = response.json()
        answer["cohort"]["project"] = delta
        answer["cohort"]["id"] = "5f7f1d0e-8a80-4d8e-9d3c-3f1b6c0f1a11"
        return httpx.Response(201, json=answer)

    lab.after = other
    lab.apply()
    lab.after = lambda request, response: response
    assert lab.plan()["changes"] == []
    assert lab.state["records"]["cohort/one"]["id"] == live(lab, "cohort")[0]["id"]


def refer(lab: Lab, region: str) -> None:
    lab.write(
        "records/procedures.yaml",
        "procedures:\n"
        "  - key: probe\n    subject: rat12\n    type: BurrHole\n"
        f"    brain_region: {region}\n"
        "    coordinates_system: Stereotaxic_BregmaAbsolute\n",
    )


@pytest.mark.parametrize("region", ["AIA/CA1", "CA3", "Field CA3", "AIA/Field CA1"])
def test_a_brain_region_is_found_by_its_values(lab: Lab, region: str) -> None:
    lab.apply()
    refer(lab, region)
    changes = {c["address"]: c for c in lab.plan()["changes"]}
    body = changes["procedure/probe"]["request"]["body"]
    regions = {r["id"]: (r["atlas"], r["acronym"]) for r in live(lab, "brainregion")}
    assert regions[body["brain_region"]] == ("AIA", "CA3" if "3" in region else "CA1")


def test_a_name_of_several_regions_is_an_error_with_what_to_write(lab: Lab) -> None:
    refer(lab, "CA1")
    said = lab.run("plan").said
    assert 'several brain region records are called "CA1"' in said
    assert "write one of AIA/CA1, PW1997/CA1" in said


def test_an_unknown_region_is_an_error_with_the_nearest(lab: Lab) -> None:
    refer(lab, "AIA/CA2")
    said = lab.run("plan").said
    assert 'no brain region "AIA/CA2"' in said
    assert "CA3" in said


def test_a_plan_shows_the_values_and_not_the_id(lab: Lab) -> None:
    lab.apply()
    refer(lab, "AIA/CA1")
    lab.apply()
    refer(lab, "AIA/CA3")
    out = lab.run("plan").out
    assert "AIA/CA1 → AIA/CA3" in out


def test_a_laboratory_is_told_apart_by_its_group(lab: Lab) -> None:
    lab.write(
        "records/labs.yaml",
        "groups: [{name: Theta Lab}]\n"
        "laboratories:\n"
        "  - key: ours\n    group: Theta Lab\n    institution: University of Copenhagen\n"
        "    principal_investigators: [user@lab.example]\n",
    )
    result = lab.run("apply", "--auto-approve")
    assert result.code == 0, result.said
    bodies = {sent.path: sent.body for sent in lab.writes}
    sent = bodies["users/laboratory/"]
    assert type(sent["group"]) is int
    assert [type(id_) for id_ in sent["principal_investigators"]] == [int]
    assert lab.plan()["changes"] == []
    assert "user@lab.example" in lab.run("show", "laboratory/ours").out
    (lab.root / ".stemctl" / "sandbox.state.json").unlink()
    assert actions(lab)["laboratory/ours"] == ("adopt", None)
    lab.write(
        "records/labs.yaml",
        "laboratories:\n"
        "  - key: ours\n    group: Theta Lab\n    institution: University of Copenhagen\n"
        "    principal_investigators: ['1', nobody@lab.example]\n",
    )
    said = lab.run("plan").said
    assert 'no user "nobody@lab.example"' in said
