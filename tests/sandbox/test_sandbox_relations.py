"""Edition 2026: who may see and change records through others, and what goes with a deleted one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sandbox_api import NOBODY, Api

from stemctl.sandbox.database import Database
from stemctl.schema.catalog import load_catalog
from tests.support.small_lab import LAB

CATALOG = load_catalog("2026")
OTHER, USER = "other@elsewhere.example", "user@lab.example"
HIDDEN = [
    "stem/project",
    "stem/subject",
    "stem/session",
    "stem/cohort",
    "stem/collection",
    "stem/breeding",
    "stem/epoch",
    "modules/behavior",
    "modules/dataacquisition",
    "modules/manipulation",
    "modules/procedure",
    "modules/procedurelog",
    "modules/subjectlog",
    "modules/equipment",
    "modules/consumablestock",
    "personal_attributes/setup",
    "personal_attributes/inventory",
    "personal_attributes/license",
    "personal_attributes/behavioralassay",
    "personal_attributes/datastorage",
]
BELOW_PROJECT = HIDDEN[1:13]
BELOW_ATTRIBUTES = HIDDEN[13:]


@pytest.fixture
def api() -> Iterator[Api]:
    database = Database(None, CATALOG)
    database.seed(LAB)
    yield Api(database)
    database.close()


def listed(api: Api, path: str, **filters: Any) -> list[dict[str, Any]]:
    parameters = {f"filter{{{name}}}": value for name, value in filters.items()}
    answer = api("GET", f"{path}/", params=parameters)
    assert answer.status_code == 200, answer.text
    return list(next(iter(answer.json().values())))


def first(api: Api, path: str, **filters: Any) -> dict[str, Any]:
    return listed(api, path, **filters)[0]


def status(api: Api, method: str, path: str, id_: Any = "", body: Any = None) -> int:
    return api(method, f"{path}/{id_}/" if id_ else f"{path}/", body).status_code


@pytest.mark.parametrize("path", HIDDEN)
def test_records_of_another_lab_are_hidden(api: Api, path: str) -> None:
    id_ = first(api, path)["id"]
    other, reader = api.by("other"), api.by("reader")
    assert listed(other, path) == []
    assert status(other, "GET", path, id_) == 404
    assert status(other, "DELETE", path, id_) in (404, 405)
    assert status(reader, "GET", path, id_) == 200
    assert status(reader, "PATCH", path, id_, {}) in (403, 405)
    assert status(api.by("admin"), "GET", path, id_) == 200


@pytest.mark.parametrize("path", BELOW_PROJECT)
def test_what_belongs_to_a_project_is_seen_and_changed_by_its_members(api: Api, path: str) -> None:
    project, id_ = first(api, "stem/project")["id"], first(api, path)["id"]
    other = api.by("other")
    assert status(api, "PATCH", "stem/project", project, {"users": {OTHER: {}}}) == 200
    assert status(other, "GET", path, id_) == 200
    assert status(other, "PATCH", path, id_, {}) in (403, 405)
    assert (
        status(api, "PATCH", "stem/project", project, {"users": {OTHER: {"can_change": True}}})
        == 200
    )
    if path == "stem/epoch":
        assert status(other, "PATCH", path, id_, {}) == 405
    elif path == "stem/session":  # it is on a storage that is not theirs
        assert status(other, "PATCH", path, id_, {"tags": ["x"]}) == 403
    else:
        assert status(other, "PATCH", path, id_, {}) == 200


def test_a_session_needs_the_right_to_its_storages(api: Api) -> None:
    project, storage = (
        first(api, "stem/project")["id"],
        first(api, "personal_attributes/datastorage"),
    )
    api("PATCH", f"stem/project/{project}/", {"users": {OTHER: {"can_change": True}}})
    other = api.by("other")
    body = {"name": "theirs", "projects": [project]}
    # They do not even see it, so that it does not exist for them.
    assert (
        status(other, "POST", "stem/session", body={**body, "datastorage": [storage["id"]]}) == 400
    )
    api.database.seed({"datastorages": [{"name": "Shared", "owners": {OTHER: {}, USER: {}}}]})
    shared = first(other, "personal_attributes/datastorage")["id"]
    assert status(other, "POST", "stem/session", body={**body, "datastorage": [shared]}) == 403
    assert listed(other, "stem/session", name="theirs") == []
    assert status(other, "POST", "stem/session", body=body) == 201
    session = first(api, "stem/session", name="rat12_1")["id"]
    assert status(other, "PATCH", "stem/session", session, {"datastorage": []}) == 200
    assert status(other, "DELETE", "stem/session", session) == 204


@pytest.mark.parametrize("path", HIDDEN[:13])
def test_a_public_project_opens_what_belongs_to_it(api: Api, path: str) -> None:
    public = api.by(None, "public")
    assert listed(public, path) == []
    project = first(api, "stem/project")["id"]
    assert status(api, "PATCH", "stem/project", project, {"is_public": True}) == 200
    assert listed(public, path) == listed(api, path)
    assert status(public, "PATCH", path, first(api, path)["id"], {}) in (403, 405)


def test_personal_attributes_have_flags_of_their_own(api: Api) -> None:
    public = api.by(None, "public")
    project, setup = first(api, "stem/project"), first(api, "personal_attributes/setup")
    api("PATCH", f"stem/project/{project['id']}/", {"is_public": True})
    for path in BELOW_ATTRIBUTES:
        assert listed(public, path) == []
    assert (
        status(api, "PATCH", "personal_attributes/setup", setup["id"], {"is_public": True}) == 200
    )
    assert [found["name"] for found in listed(public, "personal_attributes/setup")] == ["Maze room"]
    assert [found["name"] for found in listed(public, "modules/equipment")] == ["Camera"]
    assert listed(public, "modules/consumablestock") == []


def test_only_owners_edit_a_project_and_only_they_publish(api: Api) -> None:
    project = first(api, "stem/project")["id"]
    other = api.by("other")
    for rights, edits, invites in (
        ({"can_change": True}, 403, 403),
        ({"is_manager": True}, 403, 200),
        ({"is_owner": True}, 200, 200),
    ):
        api("PATCH", f"stem/project/{project}/", {"users": {OTHER: rights}})
        assert status(other, "PATCH", "stem/project", project, {"tags": ["x"]}) == edits
        assert status(other, "PATCH", "stem/project", project, {"is_public": True}) == edits
        members = {"users": {"reader@lab.example": {"can_change": True}}}
        assert status(other, "PATCH", "stem/project", project, members) == invites
    assert status(other, "DELETE", "stem/project", project) == 204


def test_personal_attributes_belong_to_their_owner_and_the_groups_of_the_owner(api: Api) -> None:
    other = api.by("other")
    kind = first(api, "taxonomies/setuptype")["id"]
    theirs = other("POST", "personal_attributes/setup/", {"name": "Their room", "setup_type": kind})
    id_ = theirs.json()["setup"]["id"]
    assert "owners" not in theirs.json()["setup"]
    assert status(api, "GET", "personal_attributes/setup", id_) == 404
    elsewhere = first(other, "users/group", name="Elsewhere")["id"]
    invitation = {"users": {USER: {}}}
    assert status(other, "PATCH", "users/group", elsewhere, invitation) == 200
    mine = first(api, "users/groupmembershipinvitation", authgroup=elsewhere)["id"]
    assert api("GET", f"users/groupmembershipinvitation/{mine}/accept/").status_code == 200
    # Now both are in the group of the owner.
    assert status(api, "PATCH", "personal_attributes/setup", id_, {"location": "B117"}) == 200
    camera = {"name": "C", "type": "Camera", "setup": id_}
    camera["coordinates_system"] = "External_XYZ_Absolute"
    made = api("POST", "modules/equipment/", {**camera, "details": {}, "coordinates_details": {}})
    assert made.status_code == 201, made.text
    # But only its owner makes it public.
    assert status(api, "PATCH", "personal_attributes/setup", id_, {"is_public": True}) == 403
    assert status(other, "PATCH", "personal_attributes/setup", id_, {"is_public": True}) == 200


def test_groups_of_a_project_have_its_rights(api: Api) -> None:
    project, other = first(api, "stem/project")["id"], api.by("other")
    for rights, expected in (({}, 403), ({"can_change": True}, 200)):
        changed = api("PATCH", f"stem/project/{project}/", {"groups": {"Elsewhere": rights}})
        assert changed.status_code == 200, changed.text
        subject = first(other, "stem/subject")["id"]
        assert status(other, "PATCH", "stem/subject", subject, {"tags": ["x"]}) == expected
    api("PATCH", f"stem/project/{project}/", {"groups": {"Elsewhere": {"remove": True}}})
    assert listed(other, "stem/subject") == []


def test_administrators_alone_write_brain_regions(api: Api) -> None:
    admin = api.by("admin")
    body = {"name": "Field CA3", "acronym": "CA3", "atlas": "AIA"}
    region = first(api, "taxonomies/brainregion")["id"]
    assert status(api, "POST", "taxonomies/brainregion", body=body) == 403
    assert status(api, "POST", "taxonomies/brainregion", body={}) == 403
    for method in ("PATCH", "DELETE"):
        assert status(api, method, "taxonomies/brainregion", region, {}) == 403
    assert status(admin, "POST", "taxonomies/brainregion", body=body) == 201
    assert status(admin, "PATCH", "taxonomies/brainregion", region, {"description": "d"}) == 200
    assert status(admin, "DELETE", "taxonomies/brainregion", region) == 204


def test_values_that_are_unique_together(api: Api) -> None:
    admin = api.by("admin")
    message = {"non_field_errors": ["The fields atlas, acronym must make a unique set."]}
    body = {"name": "Another", "acronym": "CA1", "atlas": "AIA"}
    answer = admin("POST", "taxonomies/brainregion/", body)
    assert (answer.status_code, answer.json()) == (400, message)
    assert status(admin, "POST", "taxonomies/brainregion", body={**body, "atlas": "BM4"}) == 201
    second = first(api, "taxonomies/brainregion", atlas="BM4")["id"]
    answer = admin("PATCH", f"taxonomies/brainregion/{second}/", {"atlas": "AIA"})
    assert (answer.status_code, answer.json()) == (400, message)
    both = admin("POST", "taxonomies/brainregion/", {**body, "name": "Field CA1"})
    assert both.status_code == 400

    project = first(api, "stem/project")["id"]
    cohort = {"name": "Cohort A", "project": project}
    assert status(api, "POST", "stem/cohort", body=cohort) == 400
    made = api("POST", "stem/project/", {"name": "Gamma"}).json()["project"]["id"]
    assert status(api, "POST", "stem/cohort", body={**cohort, "project": made}) == 201
    moved = first(api, "stem/cohort", project=made)["id"]
    assert status(api, "PATCH", "stem/cohort", moved, {"project": project}) == 400
    assert status(api, "PATCH", "stem/cohort", moved, {"description": "d"}) == 200

    group = first(api, "users/group", name="Theta Lab")["id"]
    lab = {"group": group, "principal_investigators": [1], "institution": "U"}
    answer = api("POST", "users/laboratory/", lab)
    assert answer.json() == {"group": ["laboratory with this group already exists."]}


def test_a_record_in_use_by_an_epoch_is_kept(api: Api) -> None:
    acquisition = first(api, "modules/dataacquisition")["id"]
    answer = api("DELETE", f"modules/dataacquisition/{acquisition}/")
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])
    for path in ("modules/behavior", "modules/manipulation"):
        assert status(api, "DELETE", path, first(api, path)["id"]) == 204
    # With its session it goes.
    assert status(api, "DELETE", "stem/session", first(api, "stem/session")["id"]) == 204
    for path in ("stem/epoch", "modules/dataacquisition"):
        assert listed(api, path) == []


@pytest.mark.parametrize(
    "path, gone",
    [
        ("stem/subject", ["modules/procedure", "modules/procedurelog", "modules/subjectlog"]),
        ("modules/procedure", ["modules/procedurelog"]),
        ("personal_attributes/setup", ["modules/equipment"]),
        ("personal_attributes/inventory", ["modules/consumablestock"]),
        ("stem/project", HIDDEN[:13]),
    ],
)
def test_children_go_with_their_parent(api: Api, path: str, gone: list[str]) -> None:
    parent = listed(api, path)[-1]
    assert status(api, "DELETE", path, parent["id"]) == 204
    for below in gone:
        assert listed(api.by("admin"), below) == []


def test_a_type_cannot_change_where_the_table_says_so(api: Api) -> None:
    log = first(api, "modules/subjectlog", type="Weighing")
    path = f"modules/subjectlog/{log['id']}/"
    answer = api("PATCH", path, {"type": "Housing"})
    assert (answer.status_code, answer.json()) == (400, {"type": ["This field cannot be changed."]})
    assert api("PATCH", path, {"type": "Weighing", "description": "d"}).status_code == 200


def test_the_server_sets_who_and_when(api: Api) -> None:
    subject = first(api, "stem/subject")["id"]
    log = api("POST", "modules/subjectlog/", {"type": "Weighing", "subject": subject, "user": 3})
    assert log.json()["subject_log"]["user"] == 1
    body = {"type": "Headpost", "subject": subject, "details": {}, "coordinates_details": {}}
    body |= {"coordinates_system": "External_XYZ_Absolute", "created_at": "2001-01-01T00:00:00Z"}
    made = api("POST", "modules/procedure/", body).json()["procedure"]
    assert made["created_at"] == made["updated_at"] > "2024"
    seeded = first(api, "modules/procedure", type="SiliconProbeImplant")
    changed = api("PATCH", f"modules/procedure/{seeded['id']}/", {"notes": "n"}).json()["procedure"]
    assert changed["created_at"] == seeded["created_at"]
    assert changed["updated_at"] > "2024"


def test_references_by_number(api: Api) -> None:
    group = api("POST", "users/group/", {"name": "New"}).json()["group"]
    lab = {"group": group["id"], "principal_investigators": [1, "2"], "institution": "U"}
    made = api("POST", "users/laboratory/", lab).json()["laboratory"]
    assert (made["group"], made["principal_investigators"]) == (group["id"], [1, 2])
    for wrong in (99, "99", NOBODY, "x"):
        answer = api(
            "PATCH", f"users/laboratory/{made['id']}/", {"principal_investigators": [wrong]}
        )
        told = [f'Invalid pk "{wrong}" - object does not exist.']
        assert (answer.status_code, answer.json()) == (400, {"principal_investigators": told})
    for wrong in (True, 1.5, {}):
        answer = api("PATCH", f"users/laboratory/{made['id']}/", {"group": wrong})
        assert answer.status_code == 400
    assert api("GET", f"users/group/{group['id']}/").status_code == 200
    assert api("GET", f"users/group/{NOBODY}/").status_code == 404
    # A number is not used again.
    assert api("DELETE", f"users/group/{group['id']}/").status_code == 204
    again = api("POST", "users/group/", {"name": "New"}).json()["group"]["id"]
    assert again > group["id"]


def test_an_address_without_a_scheme_gets_one(api: Api) -> None:
    lab = first(api, "users/laboratory")
    for sent, held in (("lab.example.org", "http://lab.example.org"), ("", "")):
        answer = api("PATCH", f"users/laboratory/{lab['id']}/", {"website": sent})
        assert answer.json()["laboratory"]["website"] == held
    for wrong in ("two words", "file:///etc"):
        answer = api("PATCH", f"users/laboratory/{lab['id']}/", {"website": wrong})
        assert answer.json() == {"website": ["Enter a valid URL."]}
    session = first(api, "stem/session")["id"]
    links = [{"repository": "Zenodo", "url": "zenodo.org/records/1"}]
    assert status(api, "PATCH", "stem/session", session, {"download_links": links}) == 400


def test_numbers_have_bounds(api: Api) -> None:
    litter = f"stem/breeding/{first(api, 'stem/breeding')['id']}/"
    answer = api("PATCH", litter, {"litter_size": 0})
    told = "Ensure this value is greater than or equal to 1."
    assert (answer.status_code, answer.json()) == (400, {"litter_size": [told]})
    assert api("PATCH", litter, {"litter_size": 1}).status_code == 200
    assert api("PATCH", litter, {"litter_size": None}).status_code == 200
