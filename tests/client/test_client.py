"""Every operation of the documented pages, through every portal that allows it, and every shape of
an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from brainstem_api_tools import BrainstemClient

from stemctl.client import retry
from stemctl.client.client import Query, ReadClient, WriteClient
from stemctl.client.exchange import Http
from stemctl.client.over_asgi import OverAsgi
from stemctl.client.responses import NotFound, Refused, ServerError, error_messages, one_record
from stemctl.client.tokens import Token
from stemctl.sandbox.api import create_app
from stemctl.sandbox.database import Database
from stemctl.schema.catalog import load_catalog
from tests.support.lab import CONFIG, SEED
from tests.support.served import serve

CATALOG = load_catalog("2024")
SESSION = CATALOG.models["session"]
TYPE = CATALOG.models["sensorystimulustype"]
SEEDED = {
    "projects": [{"name": "P", "is_public": True}],
    "sensory_stimulus_types": [{"name": "Auditory", "description": "Auditory cue"}],
}


def with_client(
    work: Callable[[WriteClient], Awaitable[Any]],
    portal: str = "private",
    token: str = "sandbox-admin",
) -> Any:
    async def run() -> Any:
        database = Database(None, CATALOG)
        database.seed(SEEDED)
        transport = OverAsgi(create_app(database))
        async with Http(transport) as http:
            try:
                return await work(
                    WriteClient(http, "http://sandbox/", portal, CATALOG, Token(token, "a test"))
                )
            finally:
                database.close()

    return asyncio.run(run())


@pytest.mark.parametrize("portal", ["private", "super"])
def test_sessions(portal: str) -> None:
    async def work(client: WriteClient) -> None:
        project = (await client.page(CATALOG.models["project"])).records[0]["id"]
        made = await client.add(SESSION, {"name": "s", "projects": [project], "tags": []})
        id_ = made.fields["id"]
        assert not made.proposed
        assert [r["name"] for r in (await client.page(SESSION)).records] == ["s"]
        assert (await client.detail(SESSION, id_, ["projects"]))["name"] == "s"
        changed = await client.change(SESSION, id_, {"description": "new text"})
        assert changed.fields["description"] == "new text"
        found = await client.page(
            SESSION, 0, Query((("name.icontains", "S"),), ("-name",), ("projects",))
        )
        assert found.total == 1
        assert found.beside["projects"][0]["name"] == "P"
        await client.delete(SESSION, id_)
        with pytest.raises(NotFound):
            await client.detail(SESSION, id_)

    with_client(work, portal)


@pytest.mark.parametrize("portal", ["private", "super"])
def test_stimulus_types_and_their_approvals(portal: str) -> None:
    async def work(client: WriteClient) -> None:
        live = (await client.page(TYPE)).records[0]
        assert (await client.detail(TYPE, live["id"]))["name"] == "Auditory"
        added = await client.add(TYPE, {"name": "Air puff", "description": "Puff"})
        changed = await client.change(TYPE, live["id"], {"description": "A sound"})
        assert added.proposed
        assert changed.proposed
        listed = {r["id"]: r["action"] for r in (await client.approval_page(TYPE)).records}
        assert listed == {added.fields["id"]: "Add", changed.fields["id"]: "Change"}
        await client.decide(TYPE, added.fields["id"], "accept")
        await client.decide(TYPE, changed.fields["id"], "reject")
        assert (await client.approval(TYPE, added.fields["id"]))["status"] == "Accepted"
        assert (await client.approval(TYPE, changed.fields["id"]))["status"] == "Rejected"
        names = {r["name"]: r["id"] for r in (await client.page(TYPE)).records}
        assert set(names) == {"Auditory", "Air puff"}
        await client.delete(TYPE, names["Air puff"])

    with_client(work, portal)


def test_the_public_portal_needs_no_token_and_reads_alone() -> None:
    async def work(client: WriteClient) -> None:
        (live,) = (await client.page(TYPE)).records
        assert (await client.detail(TYPE, live["id"]))["name"] == "Auditory"
        assert (await client.page(SESSION)).records == ()
        with pytest.raises(ServerError):
            await client.add(SESSION, {"name": "s"})

    with_client(work, "public", token="nonsense")


def test_the_reading_client_has_no_way_to_write() -> None:
    writing = set(vars(WriteClient)) - set(vars(ReadClient))
    assert {"add", "change", "delete", "decide"} <= writing
    assert not {"add", "change", "delete", "decide"} & set(dir(ReadClient))


SHAPES: list[tuple[Any, dict[str, list[str]]]] = [
    ({"name": ["Too long.", "Odd."]}, {"name": ["Too long.", "Odd."]}),
    ({"name": "Too long."}, {"name": ["Too long."]}),
    ({"entries": {"date_time": ["Wrong."]}}, {"entries.date_time": ["Wrong."]}),
    ({"detail": "Not allowed."}, {"": ["Not allowed."]}),
    ({"error": "x", "detail": "y"}, {"": ["x", "y"]}),
    (["One.", "Two."], {"": ["One.", "Two."]}),
    ({"links": [{"url": ["Bad."]}, {}]}, {"links[0].url": ["Bad."]}),
    ("<html><head><title>Server Error</title></head></html>", {"": ["Server Error"]}),
    ("plain words", {"": ["plain words"]}),
    ("", {}),
]


@pytest.mark.parametrize(("body", "messages"), SHAPES)
def test_shapes_of_errors(body: Any, messages: dict[str, list[str]]) -> None:
    response = (
        httpx.Response(400, text=body) if isinstance(body, str) else httpx.Response(400, json=body)
    )
    assert error_messages(response) == messages


def test_the_record_is_found_whatever_its_envelope_is_called() -> None:
    record = {"id": "1"}
    assert one_record({"session": record}, "session") == record
    assert one_record({"meta": {"a": 1}, "Session": record, "links": {}}, "session") == record
    for answer in ({}, {"a": record, "b": record}, {"sessions": [record]}):
        with pytest.raises(ServerError):
            one_record(answer, "session")


def test_pauses_grow_and_are_spread() -> None:
    assert 0.25 <= retry.backoff(1) <= 0.75
    assert 0.5 <= retry.backoff(2) <= 1.5
    assert len({retry.backoff(1) for _ in range(10)}) > 1


def test_a_refusal_tells_fields_and_messages() -> None:
    async def work(client: WriteClient) -> None:
        with pytest.raises(Refused) as refused:
            await client.add(SESSION, {"name": "x" * 101, "projects": []})
        assert set(refused.value.messages) == {"name", "projects"}

    with_client(work)


def test_the_official_client_works_against_sandbox_serve(tmp_path: Path) -> None:
    (tmp_path / "stemctl.yaml").write_text(CONFIG)
    (tmp_path / "seed.yaml").write_text(SEED)
    with serve(tmp_path) as url, BrainstemClient(token="sandbox-user", url=url) as official:
        project = official.load("project").json()["projects"][0]["id"]
        ids = []
        for number in range(23):
            data = {"name": f"s{number:02}", "projects": [project], "tags": []}
            ids.append(official.save("session", data=data).json()["session"]["id"])
        everything = official.load("session", load_all=True, limit=10)
        assert sorted(record["id"] for record in everything["sessions"]) == sorted(ids)
        assert len(official.load_session(load_all=True, limit=10)["sessions"]) == 23
        changed = official.save("session", id=ids[0], data={"description": "new text"})
        assert changed.json()["session"]["description"] == "new text"
        assert official.delete("session", id=ids[0]).status_code == 204
        assert official.load("session", id=ids[0]).status_code == 404
