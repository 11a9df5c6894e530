"""When requests go out again, how many at once, and how long all of them pause."""

from __future__ import annotations

import asyncio
import datetime
import email.utils
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from stemctl.client import retry
from stemctl.client.client import WriteClient
from stemctl.client.exchange import Http
from stemctl.client.limiter import Limiter
from stemctl.client.over_httpx import OverHttpx
from stemctl.client.responses import Paused, ServerError
from stemctl.schema.catalog import load_catalog

CATALOG = load_catalog("2024")
SESSION = CATALOG.models["session"]


class Server(httpx.AsyncBaseTransport):
    """Answers what `answer` says, after a while; knows how many were in flight at most, and when
    each began.
    """

    def __init__(self, answer: Callable[[int], httpx.Response | httpx.HTTPError]) -> None:
        self.answer = answer
        self.in_flight = 0
        self.peaks: list[int] = []
        self.began: list[float] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        number = len(self.began)
        self.began.append(asyncio.get_running_loop().time())
        self.in_flight += 1
        self.peaks.append(self.in_flight)
        await asyncio.sleep(0.002)
        self.in_flight -= 1
        found = self.answer(number)
        if isinstance(found, httpx.HTTPError):
            raise found
        return found


def with_server(
    server: Server, limiter: Limiter, work: Callable[[WriteClient], Awaitable[Any]]
) -> Any:
    async def run() -> Any:
        async with Http(OverHttpx(server, "http://127.0.0.1/")) as http:
            return await work(
                WriteClient(http, "http://127.0.0.1/", "private", CATALOG, limiter=limiter)
            )

    return asyncio.run(run())


def ok() -> httpx.Response:
    return httpx.Response(200, json={"session": {"id": "1"}, "sessions": []})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "backoff", lambda attempt: 0.0)


# the pause that is asked for


def http_date(moment: datetime.datetime) -> str:
    return email.utils.format_datetime(moment, usegmt=True)


NOW = datetime.datetime(2024, 3, 12, 9, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "12"}, 12),
        ({"Retry-After": " 12 "}, 12),
        ({"Retry-After": "86400"}, 300),
        (
            {
                "Retry-After": http_date(NOW + datetime.timedelta(seconds=20)),
                "Date": http_date(NOW),
            },
            20,
        ),
        (
            {
                "Retry-After": http_date(NOW),
                "Date": http_date(NOW + datetime.timedelta(seconds=20)),
            },
            0,
        ),
        (
            {
                "Retry-After": http_date(
                    datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
                )
            },
            0,
        ),
        (
            {
                "Retry-After": http_date(
                    datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
                )
            },
            300,
        ),
    ],
)
def test_the_pause_that_is_asked_for_in_seconds_or_as_a_date(
    headers: dict[str, str], seconds: float
) -> None:
    assert retry.retry_after({k.lower(): v for k, v in headers.items()}, 1) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "²", "Tue, 99 Foo 2024", "9" * 5000])
def test_a_pause_that_nobody_understands_is_one_of_our_own(text: str) -> None:
    assert 0 <= retry.retry_after({"retry-after": text}, 1) <= 300


def test_all_requests_keep_one_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def answer(number: int) -> httpx.Response:
        return httpx.Response(429, headers={"Retry-After": "1"}) if number == 0 else ok()

    async def work(client: WriteClient) -> float:
        first = asyncio.create_task(client.detail(SESSION, "1"))
        await asyncio.sleep(0.05)
        paused_at = asyncio.get_running_loop().time()
        await asyncio.gather(first, *(client.detail(SESSION, "1") for _ in range(5)))
        return paused_at

    server = Server(answer)
    paused_at = with_server(server, Limiter(8, pauses.append), work)
    assert len(server.began) == 7
    assert min(server.began[1:]) >= paused_at + 0.9
    assert pauses == [1.0]  # said once, not by each


# how many at once


@pytest.mark.parametrize("slots", [1, 3, 8])
def test_never_more_in_flight_than_allowed(slots: int) -> None:
    server = Server(lambda number: ok())

    async def work(client: WriteClient) -> None:
        await asyncio.gather(*(client.page(SESSION) for _ in range(40)))

    with_server(server, Limiter(slots), work)
    assert max(server.peaks) == slots


def test_fewer_are_in_flight_after_throttling_and_they_grow_back_slowly(quick: None) -> None:
    limiter = Limiter(8)
    limits: list[int] = []

    def answer(number: int) -> httpx.Response:
        limits.append(limiter.limit)
        return httpx.Response(429, headers={"Retry-After": "0"}) if number == 0 else ok()

    async def work(client: WriteClient) -> None:
        await client.detail(SESSION, "1")
        for _ in range(60):
            await client.detail(SESSION, "1")

    with_server(Server(answer), limiter, work)
    assert limits[:2] == [8, 4]
    assert limits == [8, *sorted(limits[1:])]
    assert limits[1:].count(4) == 4
    assert limits[-1] == 8


# what goes out again

LOST = [httpx.ReadTimeout("late"), httpx.ReadError("reset"), httpx.RemoteProtocolError("closed")]
NOT_SENT = [httpx.ConnectError("refused"), httpx.ConnectTimeout("late"), httpx.PoolTimeout("full")]
BAD = [
    httpx.Response(200, content=b'{"session": {"id": "1'),
    httpx.Response(200, content=b"no json"),
]


def tries(method: str, found: httpx.Response | httpx.HTTPError) -> int:
    """How often a request goes out whose every answer is this one, if nobody looks in between."""
    server = Server(lambda number: found)

    async def work(client: WriteClient) -> None:
        calls: dict[str, Callable[[], Awaitable[Any]]] = {
            "GET": lambda: client.detail(SESSION, "1"),
            "POST": lambda: client.add(SESSION, {}),
            "PATCH": lambda: client.change(SESSION, "1", {}),
            "DELETE": lambda: client.delete(SESSION, "1"),
        }
        with pytest.raises(ServerError):
            await calls[method]()

    with_server(server, Limiter(8), work)
    return len(server.began)


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_what_goes_out_again_and_what_does_not(method: str, quick: None) -> None:
    reads, looks_before = method == "GET", method in ("PATCH", "DELETE")
    assert [tries(method, error) for error in NOT_SENT] == (
        [1, 1, 1] if looks_before else [3, 3, 3]
    )
    assert [tries(method, error) for error in LOST] == ([3, 3, 3] if reads else [1, 1, 1])
    assert tries(method, httpx.Response(429, headers={"Retry-After": "0"})) == (
        1 if looks_before else 3
    )
    for status in (502, 503, 504):
        assert tries(method, httpx.Response(status, headers={"Retry-After": "0"})) == (
            3 if reads else 1
        )
    for status in (400, 401, 403, 404, 409, 500):
        assert tries(method, httpx.Response(status)) == 1
    assert [tries(method, bad) for bad in BAD] == ([3, 3] if reads else [1, 1])
    assert (
        tries(method, httpx.Response(302, headers={"Location": "https://elsewhere.example/"})) == 1
    )
    assert tries(method, httpx.Response(200, html="<title>Log in</title>")) == 1


def test_what_is_done_first_is_done_before_each_sending(quick: None) -> None:
    """The intent of a write has the time of its last attempt, whatever the pauses before it."""
    order: list[str] = []

    def answer(number: int) -> httpx.Response:
        order.append("sent")
        return httpx.Response(429, headers={"Retry-After": "0"}) if number < 2 else ok()

    async def first() -> None:
        order.append("written down")

    async def work(client: WriteClient) -> None:
        await client.add(SESSION, {"name": "a"}, first)

    with_server(Server(answer), Limiter(8), work)
    assert order == ["written down", "sent"] * 3


def test_a_write_that_is_answered_with_something_else_is_not_taken() -> None:
    bodies = [
        {"session_approval": {"id": "9"}},
        {"sessions": [{"id": "9"}]},
        {"id": "9"},
        {},
        {"session": None},
    ]
    for body in bodies:
        assert tries("POST", httpx.Response(201, content=json.dumps(body).encode())) == 1
    other = httpx.Response(200, json={"session": {"id": "2"}})
    with pytest.raises(ServerError, match="another session"):
        with_server(
            Server(lambda number: other), Limiter(8), lambda client: client.detail(SESSION, "1")
        )


def test_a_place_that_was_given_back_is_taken_at_once() -> None:
    async def check() -> int:
        limiter, finished = Limiter(4), asyncio.Event()
        limiter.limit = 1

        async def work(number: int) -> None:
            nonlocal running, most
            async with limiter.slot():
                running += 1
                most = max(most, running)
                if number == 0:
                    for _ in range(10):  # until the others stand in line
                        await asyncio.sleep(0)
                    limiter.answered()  # from now on two may be in flight
                else:
                    await finished.wait()
                running -= 1

        running = most = 0
        tasks = [asyncio.create_task(work(number)) for number in range(4)]
        for _ in range(50):
            await asyncio.sleep(0)
        finished.set()
        await asyncio.gather(*tasks)
        return most

    assert asyncio.run(check()) == 2


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_write_does_not_wait_between_its_look_and_itself(quick: None, method: str) -> None:
    """Another request was asked to pause in between: what was looked at may be another thing after
    that.
    """
    server, limiter = Server(lambda number: ok()), Limiter(8)

    async def written_down() -> None:
        raise AssertionError("an intent of what is not sent")

    async def work(client: WriteClient) -> None:
        async with client.in_one_slot() as one:
            limiter.pause(0.05)
            is_patch = method == "PATCH"
            write = (
                one.change(SESSION, "1", {}, written_down)
                if is_patch
                else one.delete(SESSION, "1", written_down)
            )
            with pytest.raises(Paused):
                await write
        async with client.in_one_slot() as one:
            await one.delete(SESSION, "1")

    with_server(server, limiter, work)
    assert len(server.began) == 1


def test_a_look_and_a_write_hold_one_place(quick: None) -> None:
    """With one place for all, a second pair begins when the first one is through."""
    order: list[str] = []

    def answer(number: int) -> httpx.Response:
        order.append(str(number))
        return ok()

    async def pair(client: WriteClient) -> None:
        async with client.in_one_slot() as one:
            order.append("in")
            await one.detail(SESSION, "1")
            await one.delete(SESSION, "1")
            order.append("out")

    async def work(client: WriteClient) -> None:
        await asyncio.gather(pair(client), pair(client))

    with_server(Server(answer), Limiter(1), work)
    assert [word for word in order if word in ("in", "out")] == ["in", "out"] * 2
