"""What we send and read ourselves, beside httpx, which knows more of HTTP."""

from __future__ import annotations

import asyncio
import gzip
import re
import tracemalloc
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.client import exchange
from stemctl.client.exchange import Http
from stemctl.client.failures import ReadError
from stemctl.client.http_types import Incoming, RawHeaders, Request, by_name
from stemctl.client.over_asgi import OverAsgi
from stemctl.client.over_httpx import OverHttpx
from stemctl.client.responses import NotTheApi, Response
from stemctl.config.config import _URL
from stemctl.sandbox.api import create_app
from stemctl.sandbox.database import Database
from stemctl.schema.catalog import load_catalog
from tests.support.effort import examples
from tests.support.lab import Lab

URL = re.compile(_URL.pattern, re.IGNORECASE | re.ASCII)
ADDRESS = "http://127.0.0.1/"


class Pieces:
    """A body in pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece

    async def aclose(self) -> None:
        self.is_closed = True


class Answering:
    """Answers all requests in the same way, and keeps them."""

    def __init__(self, pieces: list[bytes], headers: RawHeaders) -> None:
        self.body, self.headers = Pieces(pieces), headers
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Incoming:
        self.requests.append(request)
        return Incoming(200, self.headers, self.body)

    async def aclose(self) -> None:
        pass


def asked(transport: Any, url: str = ADDRESS, **more: Any) -> Response:
    async def ask() -> Response:
        async with Http(transport) as http:
            return await exchange.exchange(http, "GET", url, **more)

    return asyncio.run(ask())


def cut(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


# what is packed

PACKED: RawHeaders = [(b"Content-Encoding", b" GZIP ")]
DATA = b'{"sessions": []}' * 300


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("left", [None, -9, 5, 0])
@pytest.mark.parametrize(
    "after",
    [b"", b"garbage", gzip.compress(b"another")],
    ids=["nothing", "garbage", "another"],
)
def test_what_is_packed_is_unpacked_as_by_httpx(size: int, left: int | None, after: bytes) -> None:
    """Whole, cut off, and with something after it."""
    content = gzip.compress(DATA)[:left] + after
    assert unpacked(lambda: asked(Answering(cut(content, size), PACKED))) == unpacked(
        lambda: httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=content)
    )


def unpacked(ask: Callable[[], Any]) -> Any:
    """The content of a response, or what is wrong with it."""
    try:
        return ask().content
    except (ReadError, httpx.DecodingError) as error:
        return str(error)


def test_a_bomb_is_not_unpacked_further_than_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a thousand times as large, and arrives as one piece."""
    monkeypatch.setattr(exchange, "MAX_BYTES", 2**20)
    server = Answering([gzip.compress(bytes(2**26), 1)], PACKED)
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        with pytest.raises(NotTheApi, match="larger than 1 MiB"):
            asked(server)
        assert tracemalloc.get_traced_memory()[1] - before < 2**22
    finally:
        tracemalloc.stop()
    assert server.body.is_closed


def test_what_follows_the_end_does_not_fill_the_memory() -> None:
    server = Answering([gzip.compress(DATA), *[bytes(2**16)] * 200], PACKED)
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        assert asked(server).content == DATA
        assert tracemalloc.get_traced_memory()[1] - before < 2**20
    finally:
        tracemalloc.stop()


def test_the_limit_itself_is_not_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MAX_BYTES", 2**20)
    assert len(asked(Answering([bytes(2**20)], [])).content) == 2**20
    assert len(asked(Answering([gzip.compress(bytes(2**20))], PACKED)).content) == 2**20
    with pytest.raises(NotTheApi):
        asked(Answering([gzip.compress(bytes(2**20 + 1))], PACKED))


# the target, and headers


@examples(200)
@given(st.from_regex(URL, fullmatch=True), st.sampled_from(["", "api/stem/%2F/", "é /"]))
def test_a_url_leads_where_httpx_says(base: str, path: str) -> None:
    server = Answering([b""], [])
    scheme, _, rest = base.partition(":")
    base = f"{scheme.lower()}:{rest}"  # else it takes no port for the usual one
    try:
        theirs, _ = httpx.URL(base + path), urlsplit(base).port
    except (httpx.InvalidURL, ValueError):  # a port or an address that `stemctl.yaml` must not have
        return
    asked(server, base + path)
    (sent,) = server.requests
    assert sent.target.encode() == theirs.raw_path
    assert dict(sent.headers)[b"Host"] == theirs.netloc.lower()


@examples(100)
@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=4))
def test_parameters_arrive_as_they_are(params: list[tuple[str, str]]) -> None:
    server = Answering([b""], [])
    params = [(name, value) for name, value in params if not _has_halves(name + value)]
    asked(server, params=params)
    query = server.requests[0].target.partition("?")[2]
    assert parse_qsl(query, keep_blank_values=True, encoding="utf-8") == params
    assert server.requests[0].target.isascii()


def _has_halves(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def test_a_name_that_is_too_long_for_a_url_is_not_sent(lab: Lab) -> None:
    result = lab.run("get", "session", "--filter", f"name={'x' * 70_000}")
    assert (result.code, lab.requests) == (1, [])
    assert "The URL of this request is too long: 70,0" in result.err


NAMES = st.sampled_from([b"Date", b"date", b"Location", b"X"])


@given(st.lists(st.tuples(NAMES, st.binary(max_size=4)), max_size=4))
def test_headers_are_found_as_in_httpx(raw: RawHeaders) -> None:
    ours, theirs = by_name(raw), httpx.Headers(raw)
    assert set(ours) == set(theirs)
    if all(value.isascii() for _, value in raw):  # else it decodes all headers alike
        assert ours == dict(theirs)


# an application in this process


@pytest.mark.parametrize(
    "path", ["api/private/stem/session/?limit=2&filter{name}=%C3%A9", "api/no/such", "account/x y/"]
)
def test_an_application_is_asked_as_by_httpx(path: str) -> None:
    database = Database(None, load_catalog("2024"))
    database.seed({"projects": [{"name": "P"}]})
    app = create_app(database)
    target, _, query = path.partition("?")
    params = parse_qsl(query)
    headers = {"Authorization": "Bearer sandbox-user"}
    ours, theirs = (
        asked(transport, f"http://sandbox/{target}", params=params, headers=headers)
        for transport in (OverAsgi(app), OverHttpx(httpx.ASGITransport(app), "http://sandbox/"))
    )
    database.close()
    assert ours == theirs
    assert ours.status_code in (200, 404)
