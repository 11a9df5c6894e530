"""The official client 2.0.0, unchanged, against the sandbox of edition 2026, for each model that it
knows.

Where it fails, the test says what is its fault.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import brainstem_api_tools.brainstem_api_client as official
import pytest
from brainstem_api_tools import BrainstemClient

from stemctl.sandbox.api import create_app
from stemctl.sandbox.database import Database
from stemctl.schema.catalog import load_catalog
from stemctl.schema.models import Model
from tests.support.served import serve_app
from tests.support.small_lab import LAB

CATALOG = load_catalog("2026")
KNOWN = sorted(official._MODEL_TO_APP)
GONE = {"protocol"}
"""A model that the client knows and the service does not document."""
MISSPELT = {
    "group_membership_invitation",
    "group_membership_request",
    "project_group_membership_invitation",
    "project_membership_invitation",
}
"""Models that the client spells otherwise than the URLs of the service, which answer with 404."""
APPROVALS = {model.approval.path: model for model in CATALOG.models.values() if model.approval}
SERVED = [name for name in KNOWN if name in CATALOG.models]


@pytest.fixture
def url() -> Iterator[str]:
    database = Database(None, CATALOG)
    database.seed(LAB)
    with serve_app(create_app(database)) as url:
        yield url
    database.close()


@pytest.fixture
def client(url: str) -> Iterator[BrainstemClient]:
    with BrainstemClient(token="sandbox-user", url=url) as client:
        yield client


@pytest.fixture
def admin(url: str) -> Iterator[BrainstemClient]:
    with BrainstemClient(token="sandbox-admin", url=url) as client:
        yield client


def records(client: BrainstemClient, name: str, **how: Any) -> list[dict[str, Any]]:
    answer = client.load(name, **how)
    assert answer.status_code == 200, (name, answer.text)
    return list(answer.json()[CATALOG.models[name].many])


def test_it_knows_every_model_but_one() -> None:
    ours = {model.name for model in CATALOG.models.values() if not model.embedded}
    spelt = {name.replace("_", "") for name in KNOWN}
    assert ours - spelt == {"epoch"}
    assert spelt - ours == GONE | {"strainapproval", "journalapproval"}


def test_it_asks_for_models_that_the_service_does_not_have(client: BrainstemClient) -> None:
    """Its fault: it spells four models with underscores, and knows one that is gone."""
    for name in sorted(GONE | MISSPELT):
        assert client.load(name).status_code == 404


def test_it_reads_records_and_pages_of_each_model(admin: BrainstemClient) -> None:
    for name in SERVED:
        model = CATALOG.models[name]
        found = records(admin, name)
        assert found, name
        one = admin.load(name, id=found[0]["id"])
        assert one.json() == {model.one: found[0]}
        assert records(admin, name, filters={"id": found[0]["id"]}) == found[:1]
        assert records(admin, name, sort=["-id"], limit=1, offset=len(found) - 1)
        relations = [f.name for f in model.fields.values() if f.to and f.shown]
        answer = admin.load(name, include=relations, limit=1).json()
        assert answer[model.many] == found[:1]
        everything = admin.load(name, include=relations, load_all=True, limit=1)
        assert sorted(map(str, everything[model.many])) == sorted(map(str, found))


def test_it_filters_by_relations_as_its_documentation_says(client: BrainstemClient) -> None:
    session = records(client, "session")[0]["id"]
    subject = records(client, "subject", filters={"name": "rat12"})[0]["id"]
    project = records(client, "project")[0]["id"]
    setup = records(client, "setup")[0]["id"]
    for loaded in (
        client.load_session(projects=project),
        client.load_subject(projects=project, sex="M", name="RAT"),
        client.load_behavior(session=session),
        client.load_dataacquisition(session=session),
        client.load_manipulation(session=session),
        client.load_procedure(subject=subject),
        client.load_subjectlog(subject=subject),
        client.load_equipment(setup=setup, name="cam"),
        client.load_project(name="theta"),
    ):
        assert loaded.status_code == 200, loaded.text
        assert next(iter(loaded.json().values())), loaded.url


LOADERS = {
    name.removeprefix("load_"): loader
    for name, loader in inspect.getmembers(BrainstemClient, inspect.isfunction)
    if name.startswith("load_")
}


def loader_of(client: BrainstemClient, name: str) -> Callable[..., Any]:
    return getattr(client, f"load_{name}")


def test_its_loaders_load_all_pages(client: BrainstemClient) -> None:
    for name in LOADERS:
        model = CATALOG.models[name]
        loaded = loader_of(client, name)(load_all=True, limit=1)
        assert len(loaded[model.many]) == len(records(client, name))


def test_its_loaders_filter_by_fields_that_models_do_not_have(client: BrainstemClient) -> None:
    """Its fault: it offers tags for models without tags, and a name where there is none."""
    for name in LOADERS:
        model = CATALOG.models[name]
        has_tags = "tags" in model.fields
        assert loader_of(client, name)(tags="x").status_code == (200 if has_tags else 400), name
        if "name" in inspect.signature(LOADERS[name]).parameters:
            named = loader_of(client, name)(name="a")
            assert named.status_code == (200 if "name" in model.fields else 400), name


def test_its_pages_lose_what_is_included_after_the_first(client: BrainstemClient) -> None:
    """Its fault: `load_all` keeps the included lists of the first page alone."""
    one_page = client.load_subject().json()
    by_pages = client.load_subject(load_all=True, limit=1)
    assert by_pages["subjects"] == one_page["subjects"]
    assert len(one_page["procedures"]) == 1
    assert by_pages["procedures"] == []  # the procedure belongs to the second subject


def test_it_never_ends_where_included_lists_come_first(
    client: BrainstemClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its fault: `load_all` takes the first list for the records, and waits for `count` of them.

    The sandbox puts the records first, so that it ends there.
    """
    asked: list[int] = []
    get = client._session.get

    def included_first(url: str, *, params: dict[str, Any], **more: Any) -> Any:
        asked.append(params["offset"])
        if len(asked) > 5:
            raise TimeoutError
        answer = get(url, params=params, **more)
        document = dict(reversed(answer.json().items()))
        monkeypatch.setattr(answer, "json", lambda: document)
        return answer

    monkeypatch.setattr(client._session, "get", included_first)
    with pytest.raises(TimeoutError):
        client.load_subject(name="rat11", load_all=True)
    assert asked == [0, 100, 200, 300, 400, 500]


def copy_of(model: Model, record: dict[str, Any]) -> dict[str, Any]:
    """The fields that a client may write, with other values where they must be unique."""
    body = {f.name: record.get(f.name) for f in model.managed if not f.after_create}
    body = {name: value for name, value in body.items() if value not in (None, "", [], {})}
    for field in model.detailed:  # sent together with their type
        body.setdefault(field.name, field.empty)
    unique = {name for group in model.together_unique for name in group}
    unique |= {f.name for f in model.fields.values() if f.unique} | {model.label}
    for name in unique & body.keys():
        field = model.fields[name]
        if field.kind == "text" and not field.enum:
            body[name] = f"{body[name]} 2"
    return body


def test_it_saves_changes_and_deletes_each_model(
    client: BrainstemClient, admin: BrainstemClient
) -> None:
    """Created again as a copy, changed, and deleted, by whoever may."""
    gamma = client.save("group", data={"name": "Gamma Lab"}).json()["group"]["id"]
    for name in SERVED:
        model = CATALOG.models[name]
        if not model.writable or model.approval:
            continue
        writer = admin if model.write_by else client
        body = copy_of(model, records(admin, name)[0])
        if name == "laboratory":  # a group has one
            body["group"] = gamma
        created = writer.save(name, data=body)
        assert created.status_code == 201, (name, created.text)
        made = created.json()[model.one]
        added = {f.name for f in model.detailed}  # the server adds the defaults of the type
        assert all(made[name].items() >= body[name].items() for name in added if body[name])
        assert all(made[name] == body[name] for name in body.keys() - added)
        again = {key: body[key] for key in list(body)[:1]}
        again |= {b: body[b] for a, b in model.pairs if a in again}
        changed = writer.save(name, id=made["id"], data=again)
        assert (changed.status_code, changed.json()[model.one].keys()) == (200, made.keys())
        assert writer.load(name, id=made["id"]).json() == changed.json()
        assert writer.delete(name, id=made["id"]).status_code == 204, name
        assert writer.load(name, id=made["id"]).status_code == 404


def test_it_proposes_where_administrators_decide(
    client: BrainstemClient, admin: BrainstemClient
) -> None:
    for name in SERVED:
        model = CATALOG.models[name]
        if not model.approval:
            continue
        record = records(client, name)[0]
        body = copy_of(model, record)
        proposed = client.save(name, data=body)
        assert proposed.status_code == 201, (name, proposed.text)
        assert list(proposed.json()) == [model.approval.one]
        assert client.save(name, id=record["id"], data={"name": "x"}).status_code == 200
        if model.delete_by:
            assert client.delete(name, id=record["id"]).status_code == 403
        if model.approval.path in KNOWN:
            pending = client.load(model.approval.path).json()[model.approval.many]
            assert [row["status"] for row in pending] == ["Pending", "Pending"]
            accepted = admin.save(
                model.approval.path, id=pending[0]["id"], options="accept", data={}
            )
            assert accepted.json()[model.approval.one]["status"] == "Accepted"
            assert len(records(client, name, filters={"name": body["name"]})) == 1


def test_it_knows_two_kinds_of_approvals(client: BrainstemClient) -> None:
    """Its fault: for the other eight it raises an error before any request."""
    for path in APPROVALS:
        if path in KNOWN:
            assert client.load(path).status_code == 200
            continue
        with pytest.raises(ValueError, match="Unknown model"):
            client.load(path)


def test_it_writes_entries_and_members_by_its_options(client: BrainstemClient) -> None:
    log = records(client, "subjectlog", filters={"type": "Housing"})[0]["id"]
    entry = {"start_date_time": "2024-03-12T08:00:00Z", "notes": "new cage"}
    added = client.save("subjectlog", id=log, data=entry, options="add_entry")
    assert added.json()["subject_log"]["entries"][0]["notes"] == "new cage"

    project = records(client, "project")[0]["id"]
    users = {"other@elsewhere.example": {"can_change": True}}
    changed = client.save("project", id=project, data={"users": users}).json()["project"]["users"]
    assert changed["other@elsewhere.example"] == {
        "can_change": True,
        "is_manager": False,
        "is_owner": False,
    }

    group = records(client, "group", filters={"name": "Elsewhere"})[0]["id"]
    assert client.load("group", id=group, options="join").status_code == 200
