"""References to a record that was seen when they were applied, and that cannot be seen any more."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from stemctl.sandbox.users import USERS
from tests.support.lab import Lab

NAME = "Whisker Touch Study"
WARNING = f'project "{NAME}" was deleted, or is hidden from your account'


def change(lab: Lab, project: str, **fields: object) -> None:
    """Change a project behind the API, which lets nobody write projects in this edition."""
    id_ = lab.live("project", project, token="sandbox-admin")["id"]
    with lab.database() as database, database.transaction():
        model = database.catalog.models["project"]
        row = database.find(model, id_)
        assert row is not None
        database.replace(model, row, {**row.body, **fields})


def hide(lab: Lab) -> None:
    other = USERS["sandbox-other"].email
    change(lab, NAME, users={other: {"is_owner": True}})


@pytest.fixture
def applied(lab: Lab) -> Lab:
    lab.sessions(f'{{name: s, projects: ["{NAME}"]}}', f'{{name: t, projects: ["{NAME}"]}}')
    lab.apply()
    return lab


def test_the_id_of_the_last_apply_is_used_and_told_once(applied: Lab) -> None:
    hide(applied)
    applied.sessions(
        f'{{name: s, projects: ["{NAME}"], description: New.}}',
        f'{{name: t, projects: ["{NAME}"]}}',
    )
    screen = applied.run("plan")
    assert screen.code == 0, screen.said
    assert screen.out.count(WARNING) == 1
    assert "records/sessions.yaml:5:" in screen.out
    (edit,) = applied.plan()["changes"]
    assert list(edit["request"]["body"]) == ["description"]


def test_the_other_records_are_not_blocked(applied: Lab) -> None:
    hide(applied)
    applied.sessions(f'{{name: s, projects: ["{NAME}"]}}', "{name: new}")
    applied.run("apply", "--auto-approve")
    assert applied.live("session", "new")["name"] == "new"


def test_a_record_that_was_renamed_is_named(applied: Lab) -> None:
    change(applied, NAME, name="Whisker Study 2")
    screen = applied.run("plan")
    assert screen.code == 1
    assert f'no project "{NAME}"' in screen.said
    assert 'it is called "Whisker Study 2" on the server now: write that name' in screen.said


def test_a_name_that_was_never_applied_is_an_error(applied: Lab) -> None:
    hide(applied)
    applied.sessions('{name: s, projects: ["Songbird Study"]}')
    screen = applied.run("plan")
    assert screen.code == 1
    assert 'no project "Songbird Study"' in screen.said


def test_another_record_that_has_the_name_now_is_meant(applied: Lab) -> None:
    hide(applied)
    change(applied, NAME, name="Old")
    change(applied, "Songbird Study", name=NAME, users={USERS["sandbox-user"].email: {}})
    screen = applied.run("plan")
    assert WARNING not in screen.out
    assert screen.code == 0, screen.said
    assert {change_["action"] for change_ in applied.plan()["changes"]} == {"update"}


def test_a_difference_shows_the_name_that_a_hidden_record_had(applied: Lab) -> None:
    hide(applied)
    applied.sessions("{name: s, description: x}", f'{{name: t, projects: ["{NAME}"]}}')
    assert NAME in applied.run("plan").out


OTHER = {"project": {"id": "00000000-0000-4000-8000-000000000000", "name": "Other"}}


@pytest.mark.parametrize(
    "answer",
    [
        lambda: httpx.Response(404, html="<h1>Not found</h1>"),
        lambda: httpx.Response(200, html="<h1>Log in</h1>"),
        lambda: httpx.Response(200, json=OTHER),
        lambda: httpx.Response(503),
    ],
    ids=["404 of a proxy", "a login page", "another record", "no server"],
)
def test_an_answer_that_proves_nothing_is_not_taken_for_hidden(
    applied: Lab, answer: Callable[[], httpx.Response]
) -> None:
    """Only the API's own 404 or 403 says that a record cannot be seen."""
    id_ = applied.live("project", NAME)["id"]
    hide(applied)
    applied.sessions(f'{{name: s, projects: ["{NAME}"], description: New.}}')
    applied.intercept = lambda request: answer() if id_ in request.url.path else None
    screen = applied.run("apply", "--auto-approve")
    assert screen.code in (1, 3), screen.said
    assert WARNING not in screen.said
    assert applied.writes == []
