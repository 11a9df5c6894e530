"""The official Python client, unchanged, against the sandbox on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import brainstem_api_tools.brainstem_api_client as official
import httpx
import pytest
from brainstem_api_tools import BrainstemClient
from sandbox_api import LAB, PROJECTS

from stemctl.sandbox.api import create_app
from stemctl.sandbox.database import Database
from stemctl.schema.catalog import Catalog
from tests.support.served import serve_app


@pytest.fixture
def url(catalog: Catalog) -> Iterator[str]:
    database = Database(None, catalog)
    database.seed(PROJECTS)
    database.seed(
        {"sessions": [{"name": f"s{number:03}", "projects": ["Lab"]} for number in range(250)]}
    )
    with serve_app(create_app(database)) as url:
        yield url
    database.close()


@pytest.fixture
def client(url: str) -> Iterator[BrainstemClient]:
    with BrainstemClient(token="sandbox-user", url=url) as client:
        yield client


ALL = [f"s{number:03}" for number in range(250)]


def test_it_lists_a_page(client: BrainstemClient) -> None:
    answer = client.load(
        "session", limit=3, offset=2, sort=["-name"], filters={"name.startswith": "s1"}
    )
    assert answer.status_code == 200
    assert [session["name"] for session in answer.json()["sessions"]] == ["s197", "s196", "s195"]
    assert answer.json()["count"] == 100


def test_it_loads_all_pages(client: BrainstemClient) -> None:
    loaded = client.load("session", load_all=True)
    assert [session["name"] for session in loaded["sessions"]] == ALL


def test_its_session_loader_asks_for_relations_that_do_not_exist_and_loads_all(
    client: BrainstemClient,
) -> None:
    assert [session["name"] for session in client.load_session(load_all=True)["sessions"]] == ALL
    found = client.load_session(name="S24", projects=LAB, load_all=True)["sessions"]
    assert [session["name"] for session in found] == ALL[240:]
    assert client.load_session(tags="none", datastorage=LAB).json()["sessions"] == []


def test_its_project_loader_side_loads_sessions(client: BrainstemClient) -> None:
    loaded = client.load_project(name="lab").json()
    assert [project["name"] for project in loaded["projects"]] == ["Lab"]
    assert len(loaded["sessions"]) == 250


def test_it_saves_changes_and_deletes(client: BrainstemClient) -> None:
    created = client.save(
        "session", data={"name": "new", "description": "some text", "projects": [LAB]}
    )
    assert created.status_code == 201
    id_ = created.json()["session"]["id"]

    changed = client.save("session", id=id_, data={"description": "new text"})
    assert (changed.status_code, changed.json()["session"]["description"]) == (200, "new text")
    assert client.load("session", id=id_).json() == changed.json()

    deleted = client.delete("session", id=id_)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client.load("session", id=id_).status_code == 404


def test_it_is_told_what_is_wrong(client: BrainstemClient, url: str) -> None:
    assert client.save("session", data={"name": "s000"}).json() == {
        "name": ["session with this name already exists."],
        "projects": ["This field is required."],
    }
    assert client.load("behavior").status_code == 404
    with (
        BrainstemClient(token="wrong", url=url) as stranger,
        pytest.raises(official.AuthenticationError),
    ):
        stranger.load("session", load_all=True)


def test_it_reads_the_public_portal(client: BrainstemClient) -> None:
    answer = client.load("project", portal="public")
    assert [project["name"] for project in answer.json()["projects"]] == ["Open"]


def test_it_logs_in(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    token_file = tmp_path_factory.mktemp("home") / "token"
    monkeypatch.setattr(official, "_TOKEN_FILE", token_file)
    # The person at the browser is quick, so that the client need not wait for them.
    monkeypatch.setattr(official, "webbrowser", SimpleNamespace(open=httpx.post))
    monkeypatch.setattr(
        official, "time", SimpleNamespace(sleep=lambda seconds: None, monotonic=lambda: 0)
    )
    with BrainstemClient(url=url) as client:
        assert client.load("session").status_code == 200
    assert token_file.read_text().startswith("sandbox-")
