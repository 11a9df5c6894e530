"""Every fault, in this process and over a socket: what the client sees, and what is on the server
afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Awaitable, Callable, Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sandbox_api import LAB, PROJECTS

from stemctl.client.over_asgi import OverAsgi
from stemctl.sandbox.database import Database
from stemctl.sandbox.faults.kinds import KINDS
from stemctl.sandbox.in_process import app_over
from stemctl.schema.catalog import Catalog
from tests.support.as_httpx import AsHttpx
from tests.support.lab import CONFIG, Lab
from tests.support.served import serve

SESSIONS = "/api/private/stem/session/"
STIMULI = "/api/private/taxonomies/sensorystimulustype/"
APPROVALS = "/api/private/taxonomies/sensorystimulustype_approvals/"
NO_ANSWER = "RemoteProtocolError: Server disconnected without sending a response."


class Talk:
    """What clients of a sandbox say. Each test has names of its own, since a served sandbox is that
    of many tests.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.name = str(uuid.uuid4())

    async def post(self, name: str | None = None, **options: Any) -> httpx.Response:
        body = {"name": name or self.name, "projects": [LAB]}
        return await self.client.post(SESSIONS, json=body, **options)

    async def seen(self, **options: Any) -> str:
        """What whoever posts a session sees of the answer."""
        return seen(await outcome(self.post(**options)))

    async def page(self, **parameters: Any) -> dict[str, Any]:
        """A page of the sessions of this test."""
        query = {"filter{name.startswith}": self.name, **parameters}
        answer: dict[str, Any] = (await self.client.get(SESSIONS, params=query)).json()
        return answer

    async def is_there(self) -> bool:
        return bool((await self.page())["sessions"])


async def outcome(request: Awaitable[httpx.Response]) -> httpx.Response | httpx.HTTPError:
    try:
        return await request
    except httpx.HTTPError as error:
        return error


def seen(got: httpx.Response | httpx.HTTPError) -> str:
    if isinstance(got, httpx.RemoteProtocolError):
        return f"{type(got).__name__}: {str(got).partition(' (')[0]}"
    if isinstance(got, httpx.HTTPError):
        return type(got).__name__
    if got.content:
        assert got.headers["content-length"] == str(len(got.content))
    kind = got.headers.get("content-type", "/nothing").partition(";")[0].partition("/")[2]
    if kind == "json":
        try:
            kind = f"JSON of {' '.join(got.json())}"
        except ValueError:
            kind = f"no JSON: {got.text[:12]}"
    return f"{got.status_code} {kind}"


class Edge:
    """A sandbox with a file of faults, and a way to it."""

    def __init__(self, file: Path, **options: Any) -> None:
        self.file = file
        self.options = options

    def script(self, *faults: str) -> None:
        """Write the file of faults."""
        self.file.write_text(
            "faults:\n" + "".join(f"  - {fault}\n" for fault in faults)
            if faults
            else "faults: []\n"
        )

    def talk(self, scenario: Callable[[Talk], Awaitable[None]]) -> None:
        headers = {"Authorization": "Bearer sandbox-user"}

        async def whole() -> None:
            async with httpx.AsyncClient(headers=headers, timeout=60, **self.options) as client:
                await scenario(Talk(client))

        asyncio.run(whole())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "stemctl.yaml").write_text(CONFIG)
    (folder / "seed.yaml").write_text(json.dumps(PROJECTS))
    edge = Edge(folder / "faults.yaml")
    edge.script()
    with serve(folder, "--faults", str(edge.file)) as url:
        edge.options["base_url"] = url
        yield edge


@pytest.fixture(params=["in process", "served"])
def edge(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue("served" if request.param == "served" else "in_process")


@pytest.fixture
def database(catalog: Catalog) -> Iterator[Database]:
    with contextlib.closing(Database(None, catalog)) as found:
        found.seed(PROJECTS)
        yield found


@pytest.fixture
def in_process(tmp_path: Path, database: Database) -> Iterator[Edge]:
    edge = Edge(tmp_path / "faults.yaml", base_url="http://sandbox")
    edge.script()
    with app_over(database, tmp_path, "faults.yaml") as app:
        edge.options["transport"] = AsHttpx(OverAsgi(app))
        yield edge


POSTED = [
    ("status, status: 503", "503 JSON of detail", False),
    ("status, status: 204", "204 nothing", False),
    ("delay, seconds: 0.01", "201 JSON of session", True),
    ("delay_answer, seconds: 0.01", "201 JSON of session", True),
    ("late, seconds: 0.01", "201 JSON of session", True),
    ("lose_request", NO_ANSWER, False),
    ("lose_answer", NO_ANSWER, True),
    ("reset", "ReadError", False),
    ("html", "200 html", True),
    ("truncated", '201 no JSON: {"session":{', True),
    (
        "cut_off",
        "RemoteProtocolError: peer closed connection without sending complete message body",
        True,
    ),
    ("invalid_json", "201 no JSON: It is done.", True),
    ("approval_answer", "201 JSON of session_approval", True),
    ("record_answer", "201 JSON of session", True),
    ("shrinking_total", "201 JSON of session", True),
    ("repeated_page", "201 JSON of session", True),
    ("other_record", "201 JSON of session", True),
    ("known_id", "201 JSON of session", True),
    ("altered_value, field: name", "201 JSON of session", True),
    ("duplicate_element", "201 JSON of session", True),
    ("foreign_404", "404 html", False),
    ("edit_in_pause, edit: {description: Theirs.}", "429 JSON of detail", False),
]

ENDLESS = ("endless_headers", "processing")


@pytest.mark.parametrize(("fault", "sees", "there"), POSTED)
def test_what_becomes_of_a_new_record(edge: Edge, fault: str, sees: str, there: bool) -> None:
    edge.script(f"{{match: {{method: POST}}, fault: {fault}, times: 1}}")

    async def scenario(talk: Talk) -> None:
        assert await talk.seen() == sees
        assert await talk.is_there() is there
        # The connection, or the next one, is none the worse for it, and the fault is used up.
        assert (await talk.post(f"{talk.name} again")).status_code == 201
        assert len((await talk.page())["sessions"]) == there + 1

    edge.talk(scenario)


def test_every_fault_is_tried() -> None:
    assert {"bomb", *ENDLESS, *(fault.partition(",")[0] for fault, _, _ in POSTED)} == set(KINDS)


@pytest.mark.parametrize("fault", ENDLESS)
def test_what_has_no_end_goes_on_until_the_client_hangs_up(served: Edge, fault: str) -> None:
    served.script(f"{{match: {{method: POST}}, fault: {fault}, seconds: 0.01, times: 1}}")

    async def scenario(talk: Talk) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(
                0.5
            ):  # each piece comes well before the client's own limit of 0.2 s
                await talk.post(timeout=httpx.Timeout(60, read=0.2))
        assert not await talk.is_there()
        assert (await talk.post(f"{talk.name} again")).status_code == 201

    served.talk(scenario)


def test_a_bomb_is_small_until_it_is_unpacked(edge: Edge) -> None:
    edge.script("{match: {method: POST}, fault: bomb, mebibytes: 2, times: 1}")

    async def scenario(talk: Talk) -> None:
        async with talk.client.stream("POST", SESSIONS, json={"name": talk.name}) as answer:
            packed = sum([len(part) async for part in answer.aiter_raw()])
        assert (answer.headers["content-encoding"], packed < 10_000) == ("gzip", True)
        assert len((await talk.post()).content) < 10_000
        edge.script("{match: {method: POST}, fault: bomb, mebibytes: 2}")
        assert len((await talk.post()).content) == 2 * 2**20

    edge.talk(scenario)


def test_an_answer_about_another_record(edge: Edge) -> None:
    edge.script()

    async def scenario(talk: Talk) -> None:
        assert (await talk.post(f"{talk.name} first")).status_code == 201
        edge.script("{match: {method: POST}, fault: known_id}")
        second = (await talk.post(f"{talk.name} second")).json()["session"]
        known = (await talk.client.get(f"{SESSIONS}{second['id']}/")).json()["session"]
        assert (second["name"], known["name"] != second["name"]) == (f"{talk.name} second", True)
        edge.script("{match: {method: POST}, fault: other_record}")
        assert (await talk.post(f"{talk.name} third")).json()["session"][
            "name"
        ] != f"{talk.name} third"
        edge.script()
        assert len((await talk.page())["sessions"]) == 3

    edge.talk(scenario)


def test_a_value_that_is_altered_on_its_way(edge: Edge) -> None:
    edge.script()

    async def scenario(talk: Talk) -> None:
        record = (await talk.post()).json()["session"]
        await talk.client.patch(
            f"{SESSIONS}{record['id']}/", json={"description": "A long text.", "tags": ["a", "b"]}
        )
        edge.script("{match: {method: GET}, fault: altered_value, field: description}")
        assert [r["description"] for r in (await talk.page())["sessions"]] == ["A long"]
        edge.script("{match: {method: GET}, fault: altered_value, field: tags, value: [c]}")
        assert [r["tags"] for r in (await talk.page())["sessions"]] == [["c"]]

    edge.talk(scenario)


def test_a_colleague_edits_while_a_write_waits(edge: Edge) -> None:
    edge.script()

    async def scenario(talk: Talk) -> None:
        record = (await talk.post()).json()["session"]
        edge.script(
            "{match: {method: DELETE}, fault: edit_in_pause, edit: {description: Theirs.},"
            " retry_after: 7}"
        )
        answer = await talk.client.delete(f"{SESSIONS}{record['id']}/")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
        assert [r["description"] for r in (await talk.page())["sessions"]] == ["Theirs."]

    edge.talk(scenario)


def test_an_item_that_comes_twice(edge: Edge) -> None:
    edge.script()

    async def scenario(talk: Talk) -> None:
        record = (await talk.post()).json()["session"]
        links = [{"Repository": "DANDI", "URL": "https://a.org/1"}]
        await talk.client.patch(f"{SESSIONS}{record['id']}/", json={"download_links": links})
        edge.script("{match: {method: GET}, fault: duplicate_element}")
        found = (await talk.page())["sessions"][0]["download_links"]
        assert found == [*links, {"Repository": "Other", "URL": "https://a.org/1"}]

    edge.talk(scenario)


@pytest.mark.parametrize(
    ("fault", "sees", "there"),
    [
        ("status, status: 502", "502 JSON of detail", True),
        ("lose_request", NO_ANSWER, True),
        ("lose_answer", NO_ANSWER, False),
        ("reset", "ReadError", True),
        ("html", "200 html", False),
        ("truncated", "204 nothing", False),
        ("cut_off", "204 nothing", False),
        ("invalid_json", "200 no JSON: It is done.", False),
        ("approval_answer", "204 nothing", False),
    ],
)
def test_what_becomes_of_a_deleted_record(edge: Edge, fault: str, sees: str, there: bool) -> None:
    edge.script(f"{{match: {{method: DELETE}}, fault: {fault}}}")

    async def scenario(talk: Talk) -> None:
        record = (await talk.post()).json()["session"]
        assert seen(await outcome(talk.client.delete(f"{SESSIONS}{record['id']}/"))) == sees
        assert await talk.is_there() is there

    edge.talk(scenario)


IMPATIENT = httpx.Timeout(60, read=0.2)


async def until_there(talk: Talk) -> None:
    async with asyncio.timeout(60):
        while not await talk.is_there():
            await asyncio.sleep(0.05)


def test_an_answer_that_nobody_waits_for(edge: Edge) -> None:
    edge.script("{match: {method: POST}, fault: delay_answer, seconds: 600}")

    async def scenario(talk: Talk) -> None:
        assert await talk.seen(timeout=IMPATIENT) == "ReadTimeout"
        await until_there(talk)

    edge.talk(scenario)


@pytest.mark.parametrize(("fault", "later"), [("delay", False), ("late", True)])
def test_a_request_whose_client_does_not_wait(edge: Edge, fault: str, later: bool) -> None:
    edge.script(f"{{match: {{method: POST}}, fault: {fault}, seconds: 2}}")

    async def scenario(talk: Talk) -> None:
        assert await talk.seen(timeout=IMPATIENT) == "ReadTimeout"
        assert not await talk.is_there()
        if later:
            await until_there(talk)
        else:
            await asyncio.sleep(2.2)
            assert not await talk.is_there()

    edge.talk(scenario)


def test_what_is_late_is_not_carried_out_once_its_process_has_closed_the_line(
    in_process: Edge, database: Database
) -> None:
    in_process.script("{match: {method: POST}, fault: late, seconds: 0.2}")
    names = []

    async def scenario(talk: Talk) -> None:
        names.append(talk.name)
        assert await talk.seen(timeout=httpx.Timeout(60, read=0.01)) == "ReadTimeout"

    async def look(talk: Talk) -> None:
        await asyncio.sleep(0.4)
        talk.name = names[0]
        assert not await talk.is_there()

    async def both() -> None:
        for part in (scenario, look):
            with app_over(database, in_process.file.parent, in_process.file.name) as app:
                options = {**in_process.options, "transport": AsHttpx(OverAsgi(app))}
                async with httpx.AsyncClient(headers=headers, **options) as client:
                    await part(Talk(client))

    headers = {"Authorization": "Bearer sandbox-user"}
    asyncio.run(both())


def test_a_pause_that_is_asked_for(edge: Edge) -> None:
    edge.script(
        "{fault: status, status: 429, retry_after: 2, times: 1}",
        "{fault: status, status: 503, retry_after_date: 3600, times: 1}",
        "{fault: status, status: 503, times: 1}",
    )

    async def scenario(talk: Talk) -> None:
        answers = [await talk.post() for _ in range(4)]
        assert [answer.status_code for answer in answers] == [429, 503, 503, 201]
        asked = [answer.headers.get("retry-after") for answer in answers]
        assert (asked[0], asked[2], asked[3]) == ("2", None, None)
        assert parsedate_to_datetime(str(asked[1])).tzinfo is not None
        assert str(asked[1]).endswith("GMT")

    edge.talk(scenario)


def test_lists_that_do_not_add_up(edge: Edge) -> None:
    def names(page: dict[str, Any], talk: Talk) -> list[str]:
        return [record["name"].removeprefix(talk.name) for record in page["sessions"]]

    async def scenario(talk: Talk) -> None:
        for number in range(5):
            await talk.post(f"{talk.name}{number}")
        edge.script("{fault: shrinking_total}")
        pages = [await talk.page(limit=2, offset=offset) for offset in (0, 2, 4)]
        assert [page["count"] for page in pages] == [5, 4, 3]
        assert [page["meta"]["total_results"] for page in pages] == [5, 4, 3]
        assert [names(page, talk) for page in pages] == [["0", "1"], ["2", "3"], ["4"]]
        edge.script("{fault: repeated_page}")
        pages = [await talk.page(limit=2, offset=offset) for offset in (0, 2, 4)]
        assert [page["count"] for page in pages] == [5, 5, 5]
        assert [names(page, talk) for page in pages] == [["0", "1"], ["0", "1"], ["2", "3"]]

    edge.talk(scenario)


def test_proposals_and_records_that_change_places(edge: Edge) -> None:
    async def scenario(talk: Talk) -> None:
        body = {"name": talk.name, "description": "d"}
        edge.script("{match: {method: POST}, fault: record_answer}")
        answer = (await talk.client.post(STIMULI, json=body)).json()
        assert list(answer) == ["sensory_stimulus_type"]
        assert answer["sensory_stimulus_type"]["name"] == talk.name
        listed = await talk.client.get(APPROVALS, params={"filter{name}": talk.name})
        (proposal,) = listed.json()["sensory_stimulus_type_approvals"]
        assert proposal["status"] == "Pending"
        assert answer["sensory_stimulus_type"]["id"] != proposal["id"]

        edge.script(
            "{match: {path: taxonomies/sensorystimulustype/?*, method: GET},"
            " fault: approval_answer}"
        )
        accepted = f"{APPROVALS}{proposal['id']}/accept/"
        admin = {"Authorization": "Bearer sandbox-admin"}
        id_ = (await talk.client.patch(accepted, headers=admin)).json()[
            "sensory_stimulus_type_approval"
        ]["instance_id"]
        shown = (await talk.client.get(f"{STIMULI}{id_}/")).json()
        assert shown["sensory_stimulus_type_approval"]["name"] == talk.name
        assert shown["sensory_stimulus_type_approval"]["id"] != id_

    edge.talk(scenario)


def test_a_file_that_is_wrong_lets_nothing_pass_until_it_is_mended(edge: Edge) -> None:
    async def scenario(talk: Talk) -> None:
        edge.file.write_text("faults:\n  - fault: delai\n")
        answer = await talk.post()
        assert answer.status_code == 500
        assert "faults.yaml:2:12: unknown fault `delai`." in answer.json()["detail"]
        assert "Did you mean delay?" in answer.json()["detail"]
        edge.file.unlink()
        answer = await talk.client.get(SESSIONS)
        assert answer.status_code == 500
        assert "faults.yaml:1:1: cannot be read" in answer.json()["detail"]
        edge.script()
        assert not await talk.is_there()
        assert (await talk.post()).status_code == 201

    edge.talk(scenario)


def with_faults(lab: Lab, *faults: str, file: str = "faults.yaml") -> None:
    lab.write("stemctl.yaml", CONFIG.replace("seed: seed.yaml", f"seed: seed.yaml, faults: {file}"))
    lab.write("faults.yaml", "faults:\n" + "".join(f"  - {fault}\n" for fault in faults))


def test_the_configuration_names_the_faults_of_the_sandbox(lab: Lab) -> None:
    with_faults(lab, "{match: {method: POST}, fault: lose_answer, times: 1}")
    lab.sessions("{name: answered late}")
    lab.apply()
    assert [sent.method for sent in lab.writes] == ["POST"]
    with_faults(lab, "{fault: status, status: 503, retry: 1}")
    result = lab.run("plan")
    assert result.code == 1
    assert "faults.yaml:2:34: unknown key `retry`" in result.err


def test_faults_stay_in_the_repository(lab: Lab) -> None:
    with_faults(lab, file="../faults.yaml")
    lab.sessions("{name: s}")
    result = lab.run("plan")
    assert result.code == 1
    assert "outside this repository" in result.err


def test_faults_are_for_the_sandbox_alone(lab: Lab) -> None:
    lab.write(
        "stemctl.yaml",
        CONFIG.replace('"sandbox:"', "http://localhost:1/, edition: 2024, faults: faults.yaml"),
    )
    result = lab.run("plan")
    assert result.code == 1
    assert "has faults, but is not a sandbox" in result.err


def test_what_is_wrong_with_a_file_is_said_before_it_is_served(lab: Lab) -> None:
    lab.write("faults.yaml", "faults:\n  - {fault: late}\n")
    for name, said in (
        ("faults.yaml", "faults.yaml:2:5: seconds is missing"),
        ("no.yaml", "no.yaml:1:1: cannot be"),
    ):
        result = lab.run("sandbox", "serve", "--port", "0", "--faults", str(lab.root / name))
        assert result.code == 1
        assert said in result.err
