"""Tokens, portals, and who may see and change what."""

from __future__ import annotations

import pytest
from sandbox_api import FOREIGN, LAB, NOBODY, OPEN, Api

from stemctl.sandbox.database import Database
from stemctl.sandbox.users import USERS

SHARED = "5a1d3f6c-0f0e-4c63-8a55-3a1e1ad55555"
NEW = {"name": "new", "projects": [LAB]}


@pytest.fixture
def sessions(api: Api) -> dict[str, str]:
    """Name to address of a session in each kind of project, and in two at once."""
    listed = {"user@lab.example": {}, "other@elsewhere.example": {"can_change": True}}
    api.database.seed(
        {
            "projects": [{"id": SHARED, "name": "Shared", "users": listed}],
            "sessions": [
                {"name": "lab", "projects": ["Lab"]},
                {"name": "foreign", "projects": ["Foreign"]},
                {"name": "open", "projects": ["Open"]},
                {"name": "shared", "projects": ["Shared"]},
                {"name": "lab and foreign", "projects": ["Lab", "Foreign"]},
                {"name": "lab and shared", "projects": ["Lab", "Shared"]},
            ],
        }
    )
    listing = api.by("admin")("GET", "stem/session/").json()["sessions"]
    return {session["name"]: f"stem/session/{session['id']}/" for session in listing}


@pytest.mark.parametrize(
    "authorization, told",
    [
        (None, "Authentication credentials were not provided."),
        ("Bearer", "Authentication credentials were not provided."),
        ("Token sandbox-user", "Authentication credentials were not provided."),
        ("Bearer sandbox-nobody", "Invalid token."),
        ("Bearer user@lab.example", "Invalid token."),
    ],
)
@pytest.mark.parametrize(
    "method, path", [("GET", "stem/session/"), ("POST", "stem/session/"), ("PUT", "stem/session/")]
)
@pytest.mark.parametrize("portal", ["private", "super"])
def test_a_token_is_needed(
    api: Api, portal: str, method: str, path: str, authorization: str | None, told: str
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = api.by(None, portal)(method, path, headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"detail": told})
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_word_bearer_may_be_written_in_any_case(api: Api) -> None:
    assert (
        api.by(None)(
            "GET", "stem/session/", headers={"Authorization": "bearer sandbox-user"}
        ).status_code
        == 200
    )


@pytest.mark.parametrize(
    "user, seen",
    [
        ("user", ["lab", "open", "shared", "lab and foreign", "lab and shared"]),
        ("reader", ["lab", "open", "lab and foreign", "lab and shared"]),
        ("other", ["foreign", "shared", "lab and foreign", "lab and shared"]),
        ("admin", ["lab", "foreign", "open", "shared", "lab and foreign", "lab and shared"]),
    ],
)
def test_one_sees_what_belongs_to_any_of_ones_projects(
    api: Api, sessions: dict[str, str], user: str, seen: list[str]
) -> None:
    api = api.by(user)
    assert api.names("stem/session/") == seen
    assert api("GET", "stem/session/").json()["count"] == len(seen)
    for name, path in sessions.items():
        assert api("GET", path).status_code == (200 if name in seen else 404)


@pytest.mark.parametrize(
    "user, changed, hidden",
    [
        ("user", ["lab", "open"], ["foreign"]),
        ("reader", [], []),
        ("other", ["foreign", "shared"], ["lab", "open"]),
        ("admin", ["lab", "foreign", "open", "shared", "lab and foreign", "lab and shared"], []),
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_one_changes_what_belongs_to_ones_own_projects_alone(
    api: Api,
    sessions: dict[str, str],
    method: str,
    user: str,
    changed: list[str],
    hidden: list[str],
) -> None:
    writer = api.by(user)
    for name, path in sessions.items():
        answer = writer(method, path, {} if method == "PATCH" else None)
        expected = 404 if name in hidden else 403
        if name in changed:
            expected = 200 if method == "PATCH" else 204
        assert answer.status_code == expected, name
        if expected == 403:
            assert answer.json() == {"detail": "You do not have permission to perform this action."}
    left = api.by("admin").names("stem/session/")
    assert left == [name for name in sessions if method == "PATCH" or name not in changed]


@pytest.mark.parametrize("right", ["can_change", "is_manager", "is_owner"])
def test_each_right_of_a_member_allows_to_change(api: Api, right: str) -> None:
    for granted in (True, False):
        project = {"name": f"P{granted}", "users": {"other@elsewhere.example": {right: granted}}}
        api.database.seed({"projects": [project]})
    other = api.by("other")
    may, may_not = (
        other("GET", f"stem/project/?filter{{name}}=P{granted}").json()["projects"][0]["id"]
        for granted in (True, False)
    )
    assert other("POST", "stem/session/", {"name": "a", "projects": [may]}).status_code == 201
    assert other("POST", "stem/session/", {"name": "b", "projects": [may_not]}).status_code == 403


def test_a_new_record_needs_the_right_to_all_it_belongs_to(
    api: Api, sessions: dict[str, str]
) -> None:
    answer = api("POST", "stem/session/", {"name": "new", "projects": [LAB, SHARED]})
    assert answer.status_code == 403
    assert "new" not in api.by("admin").names("stem/session/")


def test_a_record_is_not_moved_to_where_one_has_no_rights(
    api: Api, sessions: dict[str, str]
) -> None:
    assert api("PATCH", sessions["lab"], {"projects": [LAB, SHARED]}).status_code == 403
    assert api("GET", sessions["lab"]).json()["session"]["projects"] == [LAB]
    assert api("PATCH", sessions["lab"], {"projects": [OPEN]}).status_code == 200


def test_readers_write_nothing(api: Api) -> None:
    reader = api.by("reader")
    assert reader("POST", "stem/session/", NEW).status_code == 403
    assert (
        reader(
            "POST", "taxonomies/sensorystimulustype/", {"name": "n", "description": "d"}
        ).status_code
        == 403
    )
    assert api.names("taxonomies/sensorystimulustype_approvals/") == []


def test_the_public_sees_what_is_open(api: Api, sessions: dict[str, str]) -> None:
    api.database.seed({"sensory_stimulus_types": [{"name": "Visual", "description": "d"}]})
    public = api.by(None, "public")
    assert public.names("stem/project/") == ["Open"]
    assert public.names("stem/session/") == ["open"]
    assert public("GET", sessions["open"]).status_code == 200
    assert public("GET", sessions["lab"]).status_code == 404
    assert public.names("taxonomies/sensorystimulustype/") == ["Visual"]
    # A token makes nobody see more there.
    assert api.by("admin", "public").names("stem/session/") == ["open"]


@pytest.mark.parametrize("user", [None, "user", "admin"])
def test_the_public_portal_is_for_reading(
    api: Api, sessions: dict[str, str], user: str | None
) -> None:
    public = api.by(user, "public")
    assert public("POST", "stem/session/", NEW).status_code == 403
    assert public("PATCH", sessions["open"], {"tags": ["x"]}).status_code == 403
    assert public("DELETE", sessions["open"]).status_code == 403
    assert public("GET", sessions["open"]).json()["session"]["tags"] == []


def test_the_super_portal_is_for_administrators(api: Api, sessions: dict[str, str]) -> None:
    for user in ("user", "reader", "other"):
        assert api.by(user, "super")("GET", "stem/session/").status_code == 403
        assert api.by(user, "super")("POST", "stem/session/", NEW).status_code == 403
    admin = api.by("admin", "super")
    assert len(admin.names("stem/session/")) == len(sessions)
    assert (
        admin("POST", "stem/session/", {"name": "new", "projects": [LAB, FOREIGN]}).status_code
        == 201
    )


def test_records_without_members_belong_to_the_lab(api: Api) -> None:
    rights = {"can_change": True, "is_manager": True, "is_owner": True}
    assert api("GET", f"stem/project/{LAB}/").json()["project"]["users"] == {
        "user@lab.example": rights,
        "reader@lab.example": dict.fromkeys(rights, False),
    }


def test_an_email_address_is_no_pattern(database: Database, api: Api) -> None:
    database.seed(
        {
            "projects": [
                {
                    "name": "Quoted",
                    "users": {'a"b@x.org': {}, "%@lab.example": {"can_change": True}},
                }
            ]
        }
    )
    assert "Quoted" not in api.names("stem/project/")


def test_records_that_belong_to_nothing_are_nobodys(api: Api) -> None:
    session = api.session("one")
    with api.database.transaction():
        row = api.database.find(api.database.catalog.models["session"], session["id"])
        assert row is not None
        api.database.replace(
            api.database.catalog.models["session"], row, {**row.body, "projects": []}
        )
    assert api("GET", f"stem/session/{session['id']}/").status_code == 404
    assert api.by("admin")("GET", f"stem/session/{session['id']}/").status_code == 200


def test_every_user_has_a_number_and_a_name() -> None:
    assert set(USERS) == {"sandbox-admin", "sandbox-user", "sandbox-reader", "sandbox-other"}
    assert (
        len({user.id for user in USERS.values()})
        == len({user.email for user in USERS.values()})
        == len(USERS)
    )
    assert all(token == user.token and user.name for token, user in USERS.items())


def test_a_hidden_record_and_none_are_told_alike(api: Api, sessions: dict[str, str]) -> None:
    hidden, none = api("GET", sessions["foreign"]), api("GET", f"stem/session/{NOBODY}/")
    assert (hidden.status_code, hidden.content) == (none.status_code, none.content)
