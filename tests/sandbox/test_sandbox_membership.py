"""Members of projects and groups, invitations and requests, in edition 2026."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sandbox_api import Api

from stemctl.sandbox.database import Database
from stemctl.schema.catalog import load_catalog

USER, READER, OTHER = "user@lab.example", "reader@lab.example", "other@elsewhere.example"
ALL = {"can_change": True, "is_manager": True, "is_owner": True}
NONE = dict.fromkeys(ALL, False)
PLAIN, LEADER = {"is_manager": False, "is_owner": False}, {"is_manager": True, "is_owner": True}
INVITATIONS = "users/groupmembershipinvitation/"
REQUESTS = "users/groupmembershiprequest/"


@pytest.fixture
def api() -> Iterator[Api]:
    database = Database(None, load_catalog("2026"))
    yield Api(database)
    database.close()


def make(api: Api, path: str, **fields: Any) -> str:
    """The path of a new record."""
    answer = api("POST", path, fields)
    assert answer.status_code == 201, answer.text
    return f"{path}{next(iter(answer.json().values()))['id']}/"


def send(api: Api, path: str, **fields: Any) -> dict[str, Any]:
    answer = api("PATCH", path, fields)
    assert answer.status_code == 200, answer.text
    return dict(next(iter(answer.json().values())))


def read(api: Api, path: str) -> Any:
    answer = api("GET", path)
    assert answer.status_code == 200, answer.text
    return next(iter(answer.json().values()))


def test_a_creator_is_the_only_member_whatever_is_sent(api: Api) -> None:
    project = make(api, "stem/project/", name="P", users={OTHER: {}}, groups={"nobody": {}})
    assert read(api, project)["users"] == {USER: ALL}
    assert read(api, project)["groups"] == {}
    group = make(api, "users/group/", name="G", users={OTHER: {"colour": "red"}})
    assert read(api, group)["users"] == {USER: LEADER}
    assert read(api, INVITATIONS) == []


def test_members_of_a_project_are_changed_one_by_one(api: Api) -> None:
    project = make(api, "stem/project/", name="P")
    made = send(api, project, users={OTHER: {"is_manager": True}, READER: {"can_change": True}})
    members = {USER: ALL, OTHER: {**NONE, "is_manager": True}, READER: {**NONE, "can_change": True}}
    assert made["users"] == members
    # Flags that are not sent become false; members that are not sent stay.
    assert send(api, project, users={OTHER: {"can_change": True}})["users"] == {
        **members,
        OTHER: {**NONE, "can_change": True},
    }
    assert list(send(api, project, users={OTHER: {"remove": True}})["users"]) == [USER, READER]
    # The groups are another field, and so is everything else.
    assert send(api, project, description="d")["users"] == read(api, project)["users"]


@pytest.mark.parametrize(
    "users, told",
    [
        ({"nobody@lab.example": {}}, 'There is no user "nobody@lab.example".'),
        ({"nobody@lab.example": {"remove": True}}, 'There is no user "nobody@lab.example".'),
        ({OTHER: {"colour": True}}, f"{OTHER}: Unknown right colour."),
        ({OTHER: {"can_change": 1}}, f"{OTHER}: can_change must be a valid boolean."),
        ({OTHER: "owner"}, f"{OTHER}: Expected an object of rights."),
        ([OTHER], 'Expected an object but got type "list".'),
    ],
)
def test_what_is_no_member_is_refused(api: Api, users: Any, told: str) -> None:
    project = make(api, "stem/project/", name="P")
    answer = api("PATCH", project, {"users": users, "description": "d"})
    assert (answer.status_code, answer.json()) == (400, {"users": [told]})
    assert read(api, project)["description"] == ""


def test_groups_are_named(api: Api) -> None:
    project = make(api, "stem/project/", name="P")
    make(api, "users/group/", name="G")
    assert send(api, project, groups={"G": {"can_change": True}})["groups"] == {
        "G": {**NONE, "can_change": True}
    }
    answer = api("PATCH", project, {"groups": {"H": {}}})
    assert answer.json() == {"groups": ['There is no group "H".']}


def test_a_group_that_is_renamed_or_deleted_is_so_in_its_projects(api: Api) -> None:
    project, group = make(api, "stem/project/", name="P"), make(api, "users/group/", name="G")
    rights = send(api, project, groups={"G": {"can_change": True}})["groups"]["G"]
    send(api, group, name="H")
    assert read(api, project)["groups"] == {"H": rights}
    assert api("DELETE", group).status_code == 204
    assert read(api, project)["groups"] == {}


def test_managers_grant_no_more_than_content(api: Api) -> None:
    project = make(api, "stem/project/", name="P", users={})
    send(api, project, users={OTHER: {"is_manager": True}})
    other = api.by("other")
    assert send(other, project, users={READER: {"can_change": True}})["users"][READER] == {
        **NONE,
        "can_change": True,
    }
    for rights in ({"is_manager": True}, {"is_owner": True}):
        assert other("PATCH", project, {"users": {READER: rights}}).status_code == 403
    assert other("PATCH", project, {"users": {USER: {}}}).status_code == 403
    assert send(other, project, users={READER: {"remove": True}})["users"].keys() == {USER, OTHER}


def test_a_new_member_of_a_group_is_only_invited(api: Api) -> None:
    group, other = make(api, "users/group/", name="G"), api.by("other")
    number = read(api, group)["id"]
    assert send(api, group, users={OTHER: {"is_manager": True}})["users"] == {USER: LEADER}
    (invitation,) = read(api, INVITATIONS)
    assert invitation == {
        "id": invitation["id"],
        "user_account_invitation": 4,
        "authgroup": number,
        "new_manager": True,
        "new_owner": False,
    }
    # Who is invited sees it, and others do not.
    assert read(other, INVITATIONS) == [invitation]
    assert read(api.by("reader"), INVITATIONS) == []
    path = f"{INVITATIONS}{invitation['id']}/"
    assert api("GET", f"{path}accept/").status_code == 403
    assert api.by("reader")("GET", path).status_code == 404
    assert other("GET", f"{path}accept/").status_code == 200
    assert read(api, group)["users"] == {USER: LEADER, OTHER: {**LEADER, "is_owner": False}}
    assert read(api, INVITATIONS) == []
    assert other("GET", f"{path}accept/").status_code == 404
    # A member is not invited again, but changed.
    assert send(api, group, users={OTHER: {}})["users"][OTHER] == PLAIN
    assert read(api, INVITATIONS) == []


def test_an_invitation_is_rejected_or_cancelled(api: Api) -> None:
    group, other = make(api, "users/group/", name="G"), api.by("other")
    for client, action in ((other, "reject"), (api, "cancel")):
        send(api, group, users={OTHER: {}})
        (invitation,) = read(api, INVITATIONS)
        path = f"{INVITATIONS}{invitation['id']}/{action}/"
        wrong = api if client is other else other
        assert wrong("GET", path).status_code == 403
        assert client("HEAD", path).status_code == client("POST", path).status_code == 405
        assert client("GET", path).json() == {"group_membership_invitation": invitation}
        assert read(api, INVITATIONS) == []
    assert read(api, group)["users"] == {USER: LEADER}


def test_a_user_asks_to_join_and_leaves(api: Api) -> None:
    group, other = make(api, "users/group/", name="G"), api.by("other")
    assert other("GET", f"{group}leave/").status_code == 400
    request = other("GET", f"{group}join/").json()["group_membership_request"]
    assert request["user_account_request"] == 4
    assert other("GET", f"{group}join/").status_code == 400
    assert api("GET", f"{group}join/").status_code == 400
    path = f"{REQUESTS}{request['id']}/"
    assert read(other, REQUESTS) == read(api, REQUESTS) == [request]
    assert other("GET", f"{path}accept/").status_code == 403
    assert api("GET", f"{path}cancel/").status_code == 403
    assert api("GET", f"{path}accept/").status_code == 200
    assert read(api, group)["users"] == {USER: LEADER, OTHER: PLAIN}
    assert other("GET", f"{group}leave/").status_code == 200
    assert read(api, group)["users"] == {USER: LEADER}
    other("GET", f"{group}join/")
    (again,) = read(other, REQUESTS)
    assert other("GET", f"{REQUESTS}{again['id']}/cancel/").status_code == 200
    assert read(api, REQUESTS) == []


def test_an_invitation_to_a_project_is_for_a_user_or_a_group(api: Api) -> None:
    project, other = make(api, "stem/project/", name="P"), api.by("other")
    make(other, "users/group/", name="Theirs")
    seed = {
        "project_membership_invitations": [
            {"invitee": OTHER, "project": "P", "can_change": True, "own_project": False}
        ],
        "project_group_membership_invitations": [
            {"invitee": "Theirs", "project": "P", "manage_project": True}
        ],
    }
    assert api.database.seed(seed) == 2
    for path in ("stem/projectmembershipinvitation/", "stem/projectgroupmembershipinvitation/"):
        (invitation,) = read(other, path)
        assert read(api, path) == [invitation]
        assert read(api.by("reader"), path) == []
        assert other("GET", f"{path}{invitation['id']}/accept/").status_code == 200
    found = read(api, project)
    assert found["users"] == {USER: ALL, OTHER: {**NONE, "can_change": True}}
    assert found["groups"] == {"Theirs": {**NONE, "is_manager": True}}


def test_invitations_go_with_what_they_are_to(api: Api) -> None:
    group = make(api, "users/group/", name="G")
    send(api, group, users={OTHER: {}})
    assert api("DELETE", group).status_code == 204
    assert read(api.by("admin"), INVITATIONS) == []


def test_everybody_sees_groups_and_users_but_only_owners_edit_a_group(api: Api) -> None:
    group, other = make(api, "users/group/", name="G"), api.by("other")
    assert read(other, group)["name"] == "G"
    assert [user["email"] for user in read(other, "users/user/")][:2] == [USER, READER]
    assert other("PATCH", group, {"name": "H"}).status_code == 403
    assert other("PATCH", group, {"users": {OTHER: {}}}).status_code == 403
    assert other("PATCH", "users/user/1/", {"website": "x"}).status_code == 405
