"""Entries of logs, which actions of the log write, in edition 2026."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sandbox_api import NOBODY, Api

from stemctl.client.over_asgi import OverAsgi
from stemctl.sandbox.database import Database
from stemctl.sandbox.in_process import app_over
from stemctl.schema.catalog import load_catalog
from tests.support.as_httpx import AsHttpx
from tests.support.small_lab import LAB, weight

DAY, NEXT, LATER = "2024-03-11T08:00:00Z", "2024-03-12T08:00:00Z", "2024-03-13T08:00:00Z"


@pytest.fixture
def api() -> Iterator[Api]:
    database = Database(None, load_catalog("2026"))
    database.seed(LAB)
    yield Api(database)
    database.close()


def log(api: Api, type_: str = "Weighing") -> str:
    (found,) = api("GET", f"modules/subjectlog/?filter{{type}}={type_}").json()["subject_logs"]
    return f"modules/subjectlog/{found['id']}/"


def entries(api: Api, path: str) -> list[dict[str, Any]]:
    return list(api("GET", path).json()["subject_log"]["entries"])


def moments(api: Api, path: str) -> list[str]:
    return [entry["date_time"] for entry in entries(api, path)]


def test_an_entry_is_added_and_the_newest_comes_first(api: Api) -> None:
    path = log(api)
    assert moments(api, path) == [NEXT, DAY]
    answer = api("PATCH", f"{path}add_entry/", {"date_time": LATER, "details": weight(320)})
    assert answer.status_code == 200
    assert list(answer.json()) == ["subject_log"]
    assert answer.json()["subject_log"] == api("GET", path).json()["subject_log"]
    assert entries(api, path)[0] == {"date_time": LATER, "notes": None, "details": weight(320)}
    between = {"date_time": "2024-03-12T09:30:00+02:00", "details": weight(1), "notes": " low "}
    assert api("PATCH", f"{path}add_entry", between).status_code == 200
    assert moments(api, path) == [LATER, NEXT, "2024-03-12T07:30:00Z", DAY]
    assert entries(api, path)[2]["notes"] == "low"


def refused(api: Api, path: str, body: dict[str, Any], **told: str) -> None:
    before = entries(api, path.rsplit("/", 2)[0] + "/")
    answer = api("PATCH", path, body)
    expected = {name: [text] for name, text in told.items()}
    assert (answer.status_code, answer.json()) == (400, {"entries": expected})
    assert entries(api, path.rsplit("/", 2)[0] + "/") == before


def test_two_entries_at_one_time_are_refused(api: Api) -> None:
    for moment in (DAY, "2024-03-11T09:00:00+01:00"):
        body = {"date_time": moment, "details": weight(1)}
        told = "There is an entry with this date and time."
        refused(api, f"{log(api)}add_entry/", body, date_time=told)


def test_an_entry_needs_a_moment_that_exists(api: Api) -> None:
    path = log(api)
    for action in ("add_entry", "change_entry", "remove_entry"):
        body = {"details": weight(1)}
        refused(api, f"{path}{action}/", body, date_time="This field is required.")
    told = "There is no entry with this date and time."
    for action in ("change_entry", "remove_entry"):
        refused(api, f"{path}{action}/", {"date_time": LATER}, date_time=told)
        answer = api("PATCH", f"{path}{action}/", {"date_time": "yesterday"})
        assert (answer.status_code, list(answer.json()["entries"])) == (400, ["date_time"])


def test_an_entry_is_changed_by_what_is_sent(api: Api) -> None:
    path = log(api)
    same_moment = "2024-03-11T10:00:00+02:00"
    changed = {"date_time": same_moment, "notes": "before feeding"}
    assert api("PATCH", f"{path}change_entry/", changed).status_code == 200
    assert entries(api, path)[1] == {
        "date_time": DAY,
        "notes": "before feeding",
        "details": weight(312),
    }
    api("PATCH", f"{path}change_entry/", {"date_time": DAY, "details": weight(99), "notes": None})
    assert entries(api, path)[1] == {"date_time": DAY, "notes": None, "details": weight(99)}


def test_an_entry_is_removed(api: Api) -> None:
    path = log(api)
    assert api("PATCH", f"{path}remove_entry/", {"date_time": DAY}).status_code == 200
    assert moments(api, path) == [NEXT]
    assert api("PATCH", f"{path}remove_entry/", {"date_time": DAY}).status_code == 400
    assert api("PATCH", f"{path}remove_entry/", {"date_time": NEXT}).status_code == 200
    assert entries(api, path) == []


def test_entries_that_last_are_told_apart_by_their_start(api: Api) -> None:
    path = log(api, "Housing")
    stay = {"start_date_time": DAY, "details": {"cageId": "12"}}
    assert api("PATCH", f"{path}add_entry/", stay).status_code == 200
    assert entries(api, path) == [
        {"start_date_time": DAY, "end_date_time": None, "notes": None, "details": {"cageId": "12"}}
    ]
    told = "There is an entry with this date and time."
    refused(api, f"{path}add_entry/", stay, start_date_time=told)
    ended = {"start_date_time": DAY, "end_date_time": NEXT}
    assert api("PATCH", f"{path}change_entry/", ended).status_code == 200
    assert entries(api, path)[0]["end_date_time"] == NEXT
    assert entries(api, path)[0]["details"] == {"cageId": "12"}
    assert api("PATCH", f"{path}remove_entry/", {"start_date_time": DAY}).status_code == 200
    assert entries(api, path) == []


def test_the_moments_of_one_sort_are_not_taken_by_the_other(api: Api) -> None:
    told = "Entries of this type do not have this field."
    stay = {"start_date_time": DAY, "date_time": DAY}
    refused(api, f"{log(api, 'Housing')}add_entry/", stay, date_time=told)
    body = {"date_time": LATER, "end_date_time": LATER, "details": weight(1)}
    refused(api, f"{log(api)}add_entry/", body, end_date_time=told)


def test_entries_are_not_written_in_another_way(api: Api) -> None:
    path = log(api)
    before = entries(api, path)
    assert api("PATCH", path, {"entries": [], "description": "d"}).status_code == 200
    assert entries(api, path) == before
    for method in ("GET", "POST", "PUT", "DELETE", "HEAD"):
        assert api(method, f"{path}add_entry/").status_code == 405
    assert api("PATCH", f"{path}add_entries/", {}).status_code == 404
    assert api("GET", "modules/subjectlogentry/").status_code == 404


def test_rights_are_those_of_the_log(api: Api) -> None:
    path = log(api)
    body = {"date_time": LATER, "details": weight(1)}
    assert api.by("other")("PATCH", f"{path}add_entry/", body).status_code == 404
    assert api.by("reader")("PATCH", f"{path}add_entry/", body).status_code == 403
    assert api("PATCH", f"modules/subjectlog/{NOBODY}/add_entry/", body).status_code == 404
    assert api.by("admin")("PATCH", f"{path}add_entry/", body).status_code == 200


def test_procedure_logs_have_entries_too(api: Api) -> None:
    (found,) = api("GET", "modules/procedurelog/").json()["procedure_logs"]
    path = f"modules/procedurelog/{found['id']}/"
    details = {"displacement": {"value": 250, "unit": "µm"}}
    answer = api("PATCH", f"{path}add_entry/", {"date_time": LATER, "details": details})
    assert [e["date_time"] for e in answer.json()["procedure_log"]["entries"]] == [LATER, NEXT]


class Faulty:
    """Sends a request to the sandbox with a fault that strikes one action."""

    def __init__(self, api: Api, folder: Path) -> None:
        self.api = api
        self.folder = folder

    def __call__(self, action: str, body: dict[str, Any], fault: str, **keys: Any) -> Any:
        match = {"method": "PATCH", "path": f"modules/subjectlog/?*/{action}/"}
        script = {"faults": [{"match": match, "fault": fault, **keys}]}
        (self.folder / "faults.yaml").write_text(json.dumps(script))
        return asyncio.run(self._send(f"/api/private/{log(self.api)}{action}/", body))

    async def _send(self, path: str, body: dict[str, Any]) -> httpx.Response:
        headers = {"Authorization": "Bearer sandbox-user"}
        with app_over(self.api.database, self.folder, "faults.yaml") as app:
            async with httpx.AsyncClient(
                transport=AsHttpx(OverAsgi(app)), base_url="http://sandbox", headers=headers
            ) as client:
                return await client.patch(path, json=body)


@pytest.fixture
def faulty(api: Api, tmp_path: Path) -> Faulty:
    return Faulty(api, tmp_path)


def test_the_answer_of_an_action_gets_lost(api: Api, faulty: Faulty) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        faulty("add_entry", {"date_time": LATER, "details": weight(1)}, "lose_answer")
    assert moments(api, log(api)) == [LATER, NEXT, DAY]


def test_a_colleague_edits_an_entry_in_the_pause(api: Api, faulty: Faulty) -> None:
    """In place of a request that would remove it, too."""
    theirs = {"date_time": "2024-03-14", "details": weight(2)}
    body = {"date_time": "2024-03-15", "details": weight(1)}
    assert faulty("add_entry", body, "edit_in_pause", edit=theirs).status_code == 429
    assert moments(api, log(api)) == ["2024-03-14T00:00:00Z", NEXT, DAY]
    for action in ("change_entry", "remove_entry"):
        edit = {"date_time": DAY, "notes": action}
        assert faulty(action, {"date_time": DAY}, "edit_in_pause", edit=edit).status_code == 429
        assert entries(api, log(api))[2]["notes"] == action


def test_an_action_is_answered_with_another_record(api: Api, faulty: Faulty) -> None:
    body = {"date_time": LATER, "details": weight(1)}
    other = faulty("add_entry", body, "other_record").json()["subject_log"]
    assert other["type"] == "Housing"
    mixed = faulty("remove_entry", {"date_time": LATER}, "known_id").json()["subject_log"]
    assert (mixed["type"], mixed["id"]) == ("Weighing", other["id"])


def test_an_action_is_answered_with_an_altered_entry(api: Api, faulty: Faulty) -> None:
    body = {"date_time": LATER, "notes": "after feeding", "details": weight(1)}
    altered = faulty("add_entry", body, "altered_value", field="notes", value="else")
    assert [e["notes"] for e in altered.json()["subject_log"]["entries"]] == ["else"] * 3
    assert entries(api, log(api))[0]["notes"] == "after feeding"
    halved = faulty("remove_entry", {"date_time": DAY}, "altered_value", field="entries")
    assert len(halved.json()["subject_log"]["entries"]) == 1
