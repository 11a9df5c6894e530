"""Our connection beside that of httpx, over real sockets: the same answers, the same failures."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.client import failures
from stemctl.client.direct import Direct
from stemctl.client.failures import NoResponse
from stemctl.client.http_types import Request, Timeout, Transport
from stemctl.client.over_httpx import OverHttpx
from tests.support.effort import examples

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
TIMEOUT = Timeout(connect=5.0, read=5.0, write=5.0)
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-One: 1\r\n\r\nhello"
ANSWERS = {
    "whole": WHOLE,
    "in pieces": b"HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    "to the end": b"HTTP/1.0 200 OK\r\n\r\nhello",
    "closing": WHOLE.replace(b"X-One: 1", b"Connection: close"),
    "after a first head": b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE,
    "without a body": b"HTTP/1.1 204 No Content\r\n\r\n",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "a wrong length": WHOLE.replace(b"5", b"five"),
    "a long head": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
    "nothing": b"",
}


def transport(kind: str, url: str) -> Transport:
    if kind == "ours":
        return Direct(url, None)
    return OverHttpx(httpx.AsyncHTTPTransport(verify=NO_TLS, trust_env=False), url)


def request(url: str, content: bytes = b"{}", **limits: float) -> Request:
    headers = [
        (b"Host", url.split("/")[2].encode()),
        (b"Content-Length", str(len(content)).encode()),
    ]
    timeout = msgspec.structs.replace(TIMEOUT, **limits)
    return Request("POST", "/here?a=b", headers, content, timeout)


async def outcome(sender: Transport, sent: Request) -> tuple[Any, ...]:
    """What became of a request: its response, or its failure."""
    try:
        incoming = await sender.send(sent)
        try:
            content = b"".join([piece async for piece in incoming.body])
        finally:
            await incoming.body.aclose()
        return incoming.status, incoming.headers, content
    except NoResponse as error:
        return type(error), str(error)


async def served(handler: Handler, work: Callable[[str], Awaitable[Any]]) -> Any:
    """Work against a server on this machine."""
    tasks = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        try:
            await handler(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        return await work(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*filter(None, tasks)), 5)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One request, whose body is `{}`."""
    return await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(2)


def both(handler: Handler) -> list[tuple[Any, ...]]:
    """The outcome of a request over our connection, and over that of httpx."""

    async def work(url: str) -> list[tuple[Any, ...]]:
        found = []
        for kind in ("ours", "theirs"):
            sender = transport(kind, url)
            found.append(await outcome(sender, request(url)))
            await sender.aclose()
        return found

    return list(asyncio.run(served(handler, work)))


def answering(pieces: list[bytes]) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)

    return handle


@pytest.mark.parametrize("answer", ANSWERS)
def test_answers_mean_the_same(answer: str) -> None:
    ours, theirs = both(answering([ANSWERS[answer]]))
    assert ours == theirs


@examples(20)
@given(st.sampled_from(sorted(ANSWERS)), st.data())
def test_answers_in_parts_and_cut_off_mean_the_same(name: str, data: st.DataObject) -> None:
    answer = ANSWERS[name][:300]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(answer)), max_size=3)))
    pieces = [answer[a:b] for a, b in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
    end = data.draw(st.integers(0, len(pieces)))
    ours, theirs = both(answering(pieces[:end]))
    assert ours == theirs


@pytest.mark.parametrize("begun", [b"", WHOLE[:-2]])
def test_a_reset_is_a_read_error(begun: bytes) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(begun)
        await writer.drain()
        await asyncio.sleep(0.01)
        connected = writer.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    ours, theirs = both(handle)
    assert ours == theirs == (failures.ReadError, "The connection broke")


def test_nobody_there_is_a_connect_error() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        for kind in ("ours", "theirs"):
            found = asyncio.run(outcome(transport(kind, url), request(url)))
            assert found == (failures.ConnectError, "All connection attempts failed")


def test_a_header_that_cannot_be_sent_is_not_sent() -> None:
    requests: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.read(1))

    async def work(url: str) -> None:
        for kind in ("ours", "theirs"):
            sender, sent = transport(kind, url), request(url)
            sent.headers.append((b"X-Two", b"a\nb"))
            failure, text = await outcome(sender, sent)
            assert failure is failures.LocalProtocolError
            assert "Illegal header value" in text
            await sender.aclose()

    asyncio.run(served(handle, work))
    assert not any(requests)


@pytest.mark.parametrize("begun", [b"", WHOLE[:-2]])
def test_a_silent_server_is_waited_for_as_long_as_the_request_says(begun: bytes) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(begun)
        await reader.read()

    async def work(url: str) -> None:
        for kind in ("ours", "theirs"):
            sender = transport(kind, url)
            failed = await outcome(sender, request(url, read=0.02))
            assert failed == (failures.ReadTimeout, "It was silent for too long")
            await sender.aclose()

    asyncio.run(served(handle, work))


class Server:
    """Answers requests over and over, and notes over which connections they came."""

    def __init__(self, answer: bytes = WHOLE, said_after: bytes = b"", hangs_up: bool = False):
        self.answer, self.said_after, self.hangs_up = answer, said_after, hangs_up
        self.connections: list[int] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(0)
        number = len(self.connections) - 1
        try:
            while True:
                await read_request(reader)
                self.connections[number] += 1
                writer.write(self.answer)
                if self.said_after or self.hangs_up:
                    await asyncio.sleep(0.01)
                    writer.write(self.said_after)
                if self.hangs_up:
                    break
        except asyncio.IncompleteReadError:
            pass


async def three_requests(url: str) -> None:
    sender = Direct(url, None)
    for _ in range(3):
        assert (await outcome(sender, request(url)))[0] == 200
        await asyncio.sleep(0.03)
    await sender.aclose()


@pytest.mark.parametrize(
    "server, connections",
    [
        (Server(), [3]),
        (Server(hangs_up=True), [1, 1, 1]),
        (Server(said_after=b"HTTP/1.1 408 Request Timeout\r\n\r\n"), [1, 1, 1]),
        (Server(ANSWERS["closing"]), [1, 1, 1]),
    ],
    ids=["kept", "hangs up", "says more", "says that it closes"],
)
def test_a_connection_is_used_as_long_as_it_can_be(server: Server, connections: list[int]) -> None:
    asyncio.run(served(server, three_requests))
    assert server.connections == connections


def test_an_idle_connection_is_not_used_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stemctl.client.direct._EXPIRES_AFTER", 0.01)
    server = Server()
    asyncio.run(served(server, three_requests))
    assert server.connections == [1, 1, 1]


def test_a_connection_that_was_closed_while_nobody_looked_is_not_used() -> None:
    """asyncio has no turn between the end of the connection and the next request."""
    writers = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await Server()(reader, writer)

    async def work(url: str) -> None:
        sender = Direct(url, None)
        assert (await outcome(sender, request(url)))[0] == 200
        line = sender._line
        assert line is not None
        assert line.is_usable()
        writers[0].get_extra_info("socket").shutdown(socket.SHUT_WR)
        assert not line.is_usable()
        assert (await outcome(sender, request(url)))[0] == 200
        await sender.aclose()

    asyncio.run(served(handle, work))
    assert len(writers) == 2


def test_a_request_leaves_in_one_piece() -> None:
    """Head and body in two would be two packets, and twice the work of the system."""
    first: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first.append(await reader.read(100_000))
        writer.write(WHOLE)

    async def work(url: str) -> None:
        sender = Direct(url, None)
        assert (await outcome(sender, request(url, b"x" * 500)))[0] == 200
        await sender.aclose()

    asyncio.run(served(handle, work))
    assert first[0].startswith(b"POST /here?a=b HTTP/1.1\r\n")
    assert first[0].endswith(b"x" * 500)


def test_what_nobody_waits_for_does_not_fill_the_memory() -> None:
    """A server that keeps sending after its response stops once the system's buffers are full."""
    has_sent_all = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(WHOLE)
        with contextlib.suppress(ConnectionError):
            for _ in range(64):
                writer.write(b"x" * 2**20)
                await writer.drain()
            has_sent_all.set()

    async def work(url: str) -> None:
        sender = Direct(url, None)
        assert (await outcome(sender, request(url)))[0] == 200
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(has_sent_all.wait(), 0.3)
        await sender.aclose()

    asyncio.run(served(handle, work))


LARGE = b"x" * 2**24
"""More than the buffers of the system hold."""


def test_a_server_that_is_still_reading_is_not_silent() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.4)
        await reader.readexactly(len(LARGE))
        writer.write(WHOLE)

    async def work(url: str) -> None:
        for kind in ("ours", "theirs"):
            sender = transport(kind, url)
            assert (await outcome(sender, request(url, LARGE, read=0.3)))[0] == 200
            await sender.aclose()

    asyncio.run(served(handle, work))


def test_a_server_that_does_not_read_is_waited_for_as_long_as_the_request_says() -> None:
    is_over = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await is_over.wait()

    async def work(url: str) -> None:
        for kind in ("ours", "theirs"):
            sender = transport(kind, url)
            failed = await outcome(sender, request(url, LARGE, write=0.05))
            assert failed == (failures.WriteTimeout, failures.WriteTimeout.usual)
            await sender.aclose()
        is_over.set()

    asyncio.run(served(handle, work))


def test_a_server_that_answers_without_reading_is_not_waited_for() -> None:
    """It may send without end while it reads nothing: its answer is read, and then judged."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"x" * 2**20)
                await writer.drain()

    async def work(url: str) -> None:
        sender, sent = Direct(url, None), request(url, LARGE)
        assert (await outcome(sender, sent))[0] is failures.RemoteProtocolError
        await sender.aclose()

    asyncio.run(served(handle, work))


def test_a_server_that_hangs_up_without_reading_is_not_waited_for() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.1)  # until the buffers are full
        writer.transport.abort()

    async def work(url: str) -> None:
        for kind in ("ours", "theirs"):
            sender = transport(kind, url)
            failed = (await outcome(sender, request(url, LARGE)))[0]
            assert failed in {failures.ReadError, failures.RemoteProtocolError}
            await sender.aclose()

    asyncio.run(served(handle, work))


@pytest.mark.parametrize("kind", ["ours", "theirs"])
def test_a_request_that_is_given_up_closes_its_connection(kind: str) -> None:
    """At once: nobody will read the answer, and the server need not make it."""
    asked, closed = asyncio.Event(), asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.set()
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        closed.set()

    async def work(url: str) -> None:
        sender = transport(kind, url)
        asking = asyncio.create_task(sender.send(request(url)))
        await asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.wait_for(closed.wait(), 5)
        await sender.aclose()

    asyncio.run(served(handle, work))
