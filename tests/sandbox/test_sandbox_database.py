"""Seeding, and what a file keeps: across openings, killed processes and several of them."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sandbox_api import LAB, NOBODY, PROJECTS, Api

from stemctl.errors import ConfigError
from stemctl.sandbox import storage
from stemctl.sandbox.database import Database
from stemctl.schema.catalog import Catalog

MANIPULATION = "20387176-5f3c-433a-8bf9-34a0f2c431f7"


def test_references_are_names_or_ids_in_any_order(api: Api) -> None:
    data = {
        "sessions": [
            {"name": "by name", "projects": ["Later", "Lab"]},
            {"name": "by id", "projects": [LAB, NOBODY.upper()], "datastorage": ["Server"]},
        ],
        "projects": [{"name": "Later"}, {"id": NOBODY, "name": "Known"}],
        "datastorages": [{"name": "Server"}],
    }
    assert api.database.seed(data) == 5
    first, second = api("GET", "stem/session/").json()["sessions"]
    (later,) = api("GET", "stem/project/?filter{name}=Later").json()["projects"]
    assert first["projects"] == [later["id"], LAB]
    assert second["projects"] == [LAB, NOBODY]
    assert len(second["datastorage"]) == 1


def test_a_seed_sets_what_only_the_server_sets(api: Api) -> None:
    session = {
        "name": "s",
        "projects": ["Lab"],
        "manipulations": [MANIPULATION],
        "name_used_in_storage": "s_1",
    }
    api.database.seed({"sessions": [session]})
    (found,) = api("GET", "stem/session/").json()["sessions"]
    assert found["manipulations"] == [MANIPULATION]
    assert found["links"] == {"projects": "projects/", "manipulations": "manipulations/"}
    assert "name_used_in_storage" not in found


def test_what_is_not_said_gets_its_default(api: Api) -> None:
    (lab, *_) = api("GET", "stem/project/").json()["projects"]
    assert (lab["description"], lab["is_public"], lab["tags"], lab["extra_fields"]) == (
        "",
        False,
        [],
        [],
    )


def test_values_are_stored_as_a_request_would_store_them(api: Api) -> None:
    api.database.seed({"sessions": [{"name": " s ", "projects": [LAB], "date_time": "2024-03-12"}]})
    assert (
        api("GET", "stem/session/?filter{name}=s").json()["sessions"][0]["date_time"]
        == "2024-03-12"
    )


def test_records_that_are_there_are_left_alone(api: Api) -> None:
    assert api.database.seed(PROJECTS) == 0
    same_id = {"id": LAB, "name": "Another name"}
    same_name = {"name": " Lab ", "description": "another"}
    assert (
        api.database.seed({"projects": [same_id, same_name, {"name": "New"}, {"name": "New"}]}) == 1
    )
    assert api.names("stem/project/") == ["Lab", "Open", "New"]


@pytest.mark.parametrize(
    "data, told",
    [
        ({"session": []}, "unknown list key: 'session'"),
        ({"projects": {"name": "x"}}, "must have a list under 'projects'"),
        ({"projects": ["Lab"]}, r"projects\[1\] of the seed is not a record"),
        (
            {"projects": [{"name": "x", "colour": 1}]},
            r"projects\[1\] \(x\) .* unknown fields: 'colour'",
        ),
        ({"projects": [{"name": "x", "sessions": []}]}, "unknown fields: 'sessions'"),
        ({"projects": [{"name": "x", "links": {}}]}, "unknown fields: 'links'"),
        ({"projects": [{"name": "x", "id": "7"}]}, "not a UUID: '7'"),
        ({"projects": [{"name": "x", "users": ["a@b.org"]}]}, "must write its members"),
        ({"projects": [{"name": "x", "users": {"a@b.org": "owner"}}]}, "must write its members"),
        (
            {"sessions": [{"name": "s", "projects": ["Unknown"]}]},
            "projects: no project has the name 'Unknown'",
        ),
        ({"sessions": [{"name": "s", "projects": [NOBODY]}]}, "sessions.* cannot be added"),
        (
            {"sessions": [{"name": "s", "projects": ["Lab"], "epochs": ["e1"]}]},
            "epochs: 'e1' is not a UUID",
        ),
        ({"sessions": [{"name": "s"}]}, "cannot be added"),
        ({"sessions": [{"name": "x" * 101, "projects": ["Lab"]}]}, "cannot be added"),
        ({"sessions": [{"projects": ["Lab"]}]}, r"sessions\[1\] of the seed cannot be added"),
    ],
)
def test_a_seed_that_cannot_be_added_says_why_and_adds_nothing(
    api: Api, data: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        api.database.seed(
            {"sensory_stimulus_types": [{"name": "Fine", "description": "d"}], **data}
        )
    assert api.names("stem/session/") == api.names("taxonomies/sensorystimulustype/") == []
    assert api.names("stem/project/") == ["Lab", "Open"]


def test_the_reason_names_field_and_message(database: Database) -> None:
    with pytest.raises(ConfigError) as caught:
        database.seed({"sessions": [{"name": "s", "tags": "x"}]})
    assert caught.value.why == (
        'projects: This field is required.; tags: Expected a list of items but got type "str".'
    )


def test_a_file_keeps_what_was_written(tmp_path: Path, catalog: Catalog) -> None:
    path = tmp_path / "deep" / "sandbox.db"
    database = Database(path, catalog)
    assert database.is_new
    database.seed(PROJECTS)
    session = Api(database).session("kept")
    token = _logged_in(Api(database))
    database.close()

    database = Database(path, catalog)
    assert not database.is_new
    answer = Api(database, None)(
        "GET", "stem/session/", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.json()["sessions"] == [session]
    database.close()


def _logged_in(api: Api) -> str:
    login = api("POST", "/api/auth/device/").json()
    api("POST", login["verification_uri_complete"])
    return api("POST", "/api/auth/device/token/", {"device_code": login["device_code"]}).json()[
        "token"
    ]


def test_an_emptied_database_is_not_new(tmp_path: Path, catalog: Catalog) -> None:
    database = Database(tmp_path / "sandbox.db", catalog)
    database.seed({"sensory_stimulus_types": [{"id": NOBODY, "name": "n", "description": "d"}]})
    Api(database, "admin")("DELETE", f"taxonomies/sensorystimulustype/{NOBODY}/")
    database.close()
    database = Database(tmp_path / "sandbox.db", catalog)
    assert not database.is_new
    database.close()


def test_an_opened_but_never_filled_database_is_new(tmp_path: Path, catalog: Catalog) -> None:
    Database(tmp_path / "sandbox.db", catalog).close()
    with contextlib.closing(sqlite3.connect(tmp_path / "sandbox.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    database = Database(tmp_path / "sandbox.db", catalog)
    assert database.is_new
    database.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path, catalog: Catalog) -> None:
    path = tmp_path / "sandbox.db"
    path.write_text("not a database, but text that is long enough to be looked at\n" * 40)
    with pytest.raises(ConfigError, match="cannot be used as a sandbox"):
        Database(path, catalog)


def test_a_file_of_another_version_is_refused(tmp_path: Path, catalog: Catalog) -> None:
    path = tmp_path / "sandbox.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConfigError) as caught:
        Database(path, catalog)
    assert "99" in caught.value.why


WRITER = """
import asyncio, os, pathlib, sys, httpx
from stemctl.schema.catalog import load_catalog
from stemctl.sandbox.api import create_app
from stemctl.sandbox import storage
from stemctl.sandbox.database import Database

database = Database(pathlib.Path(sys.argv[1]), load_catalog("2024"))
first, last = int(sys.argv[2]), int(sys.argv[3])

async def main():
    headers = {"Authorization": "Bearer sandbox-user"}
    transport = httpx.ASGITransport(create_app(database))
    options = {"transport": transport, "base_url": "http://sandbox", "headers": headers}
    async with httpx.AsyncClient(**options) as client:
        for number in range(first, last):
            body = {"name": f"s{number}", "projects": [sys.argv[4]]}
            answer = await client.post("/api/private/stem/session/", json=body)
            print(answer.status_code, flush=True)

asyncio.run(main())
with database.transaction():
    database.query("DELETE FROM records")
    os._exit(9)  # in the middle of a transaction, without a word to anybody
"""


def test_several_processes_write_and_a_killed_one_takes_back_only_what_it_had_not_done(
    tmp_path: Path, catalog: Catalog
) -> None:
    path = tmp_path / "sandbox.db"
    database = Database(path, catalog)
    database.seed(PROJECTS)
    # Names overlap: of two processes that want the same one, one is refused.
    command = [sys.executable, "-c", WRITER, str(path)]
    spans = [("0", "30"), ("20", "50"), ("40", "70")]
    with ThreadPoolExecutor() as pool:
        runs = list(
            pool.map(
                lambda span: subprocess.run([*command, *span, LAB], capture_output=True), spans
            )
        )
    for run in runs:
        assert (run.returncode, run.stderr) == (9, b"")
    answers = b"".join(run.stdout for run in runs).split()
    assert (answers.count(b"201"), answers.count(b"400")) == (70, 20)

    found = Api(database).names("stem/session/", ("limit", 100))
    assert sorted(found) == sorted(f"s{number}" for number in range(70))
    database.close()


def test_opening_waits_for_another_process_that_is_creating_the_file(
    tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(tmp_path / "sandbox.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waited = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        other.execute("COMMIT")
        other.close()

    monkeypatch.setattr(storage, "time", SimpleNamespace(sleep=sleep, monotonic=time.monotonic))
    Database(tmp_path / "sandbox.db", catalog).close()
    assert len(waited) == 1


def test_a_file_that_stays_locked_is_given_up(
    tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(tmp_path / "sandbox.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    clock = itertools.count(0, 20)
    monkeypatch.setattr(
        storage, "time", SimpleNamespace(sleep=lambda seconds: None, monotonic=lambda: next(clock))
    )
    with pytest.raises(ConfigError, match="cannot be used as a sandbox"):
        Database(tmp_path / "sandbox.db", catalog)
    other.close()


def test_a_file_that_cannot_be_opened_is_not_reset(tmp_path: Path, catalog: Catalog) -> None:
    (tmp_path / "sandbox.db").mkdir()
    with pytest.raises(ConfigError, match="cannot be used as a sandbox") as caught:
        Database(tmp_path / "sandbox.db", catalog)
    assert "check who owns it" in caught.value.why
    assert caught.value.hints == ()


def test_only_so_many_listings_are_kept(api: Api) -> None:
    for number in range(100):
        api.names("stem/session/", ("filter{name}", f"s{number}"))
    assert len(api.database._listings) < 50


def test_a_listing_sees_the_writes_of_another_process(tmp_path: Path, catalog: Catalog) -> None:
    ours, theirs = (Database(tmp_path / "sandbox.db", catalog) for _ in range(2))
    theirs.seed(PROJECTS)
    for number in range(3):
        Api(theirs).session(f"s{number}")
        assert len(Api(ours).names("stem/session/")) == number + 1
    ours.close()
    theirs.close()


def test_reading_does_not_wait_for_the_writing_of_another_process(
    tmp_path: Path, catalog: Catalog
) -> None:
    ours, theirs = (Database(tmp_path / "sandbox.db", catalog) for _ in range(2))
    theirs.seed(PROJECTS)
    with theirs.transaction():
        theirs.add(catalog.models["session"], {"name": "not yet", "projects": [LAB]})
        assert Api(ours).names("stem/session/") == []
    assert Api(ours).names("stem/session/") == ["not yet"]
    ours.close()
    theirs.close()


def test_a_transaction_is_all_or_nothing(database: Database, api: Api) -> None:
    def half() -> None:
        with database.transaction():
            database.add(database.catalog.models["session"], {"name": "half", "projects": [LAB]})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert api.by("admin").names("stem/session/") == []
    assert api("GET", f"stem/project/{LAB}/").json()["project"]["sessions"] == []


def test_a_page_reads_no_more_than_itself(database: Database, api: Api) -> None:
    """The work that a page costs is counted in steps of the database, not in time."""
    database.seed(
        {"sessions": [{"name": f"s{number:05}", "projects": [LAB]} for number in range(3000)]}
    )

    def steps(query: str) -> int:
        counted = [0]

        def count() -> int:
            counted[0] += 1
            return 0

        database._connection.set_progress_handler(count, 10)
        api("GET", query)
        database._connection.set_progress_handler(None, 0)
        return counted[0]

    whole = steps("stem/session/?limit=100&sort[]=id")
    assert steps("stem/session/?limit=100&sort[]=id&offset=100") < whole / 10
    assert steps("stem/session/?filter{name}=s01234") < whole / 10
    (session,) = api("GET", "stem/session/?filter{name}=s01234").json()["sessions"]
    assert steps(f"stem/session/?filter{{id}}={session['id']}") < whole / 10
    assert steps(f"stem/session/{session['id']}/") < whole / 10
