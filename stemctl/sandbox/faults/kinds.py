"""The faults that there are: what each does to a request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stemctl.catalog import Catalog
from stemctl.sandbox import query
from stemctl.sandbox.faults import line, replies
from stemctl.sandbox.faults.replies import Reply, Subject
from stemctl.sandbox.faults.script import Fault, Keys

Tasks = set[asyncio.Task[Reply]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that a fault strikes, and the line to the client. `late` holds what is carried out later."""

    fault: Fault
    content: bytes
    app: ASGIApp
    catalog: Catalog
    late: Tasks
    scope: Scope
    receive: Receive
    send: Send

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The query."""
        return parse_qsl(self.scope["query_string"].decode(), keep_blank_values=True)

    @property
    def page(self) -> query.Page:
        """The part of a list that is asked for."""
        return query.page(self.parameters)

    async def carry_out(self, parameters: list[tuple[str, str]] | None = None) -> Reply:
        """Let the app do what is asked, or what would be with other parameters; its answer is not sent yet."""
        scope = self.scope if parameters is None else {**self.scope, "query_string": urlencode(parameters).encode()}
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        await self.app(scope, again(self.content), keep)
        return Reply(sent[0]["status"], tuple(sent[0]["headers"]), b"".join(part["body"] for part in sent[1:]))

    async def answer(self, reply: Reply, *, most: int | None = None) -> None:
        """Send an answer, or so many bytes of its body, after which it is not ended."""
        await self.send({"type": "http.response.start", "status": reply.status, "headers": list(reply.headers)})
        await self.send({"type": "http.response.body", "body": reply.body[:most], "more_body": most is not None})


def again(content: bytes) -> Receive:
    """The body of a request that was read already, for an app that has yet to read it."""
    messages = iter([{"type": "http.request", "body": content, "more_body": False}])

    async def receive() -> Message:
        return next(messages, {"type": "http.disconnect"})

    return receive


Strike = Callable[[Exchange], Awaitable[None]]


async def _status(exchange: Exchange) -> None:
    fault = exchange.fault
    headers = []
    if fault.retry_after is not None:
        headers.append((b"retry-after", str(fault.retry_after).encode()))
    if fault.retry_after_date is not None:
        headers.append((b"retry-after", formatdate(time.time() + fault.retry_after_date, usegmt=True).encode()))
    reply = Reply(fault.status, tuple(headers))
    if fault.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        reply = reply.with_document({"detail": "The file of faults of this sandbox says so."})
    await exchange.answer(reply)


async def _delay(exchange: Exchange) -> None:
    if await line.still_there(exchange.receive, exchange.fault.seconds):
        await exchange.answer(await exchange.carry_out())


async def _delay_answer(exchange: Exchange) -> None:
    reply = await exchange.carry_out()
    if await line.still_there(exchange.receive, exchange.fault.seconds):
        await exchange.answer(reply)


async def _late(exchange: Exchange) -> None:
    """In a task of its own, which goes on where the client takes this one with it."""
    task = asyncio.create_task(_later(exchange))
    exchange.late.add(task)
    task.add_done_callback(exchange.late.discard)
    await exchange.answer(await asyncio.shield(task))


async def _later(exchange: Exchange) -> Reply:
    await asyncio.sleep(exchange.fault.seconds)
    return await exchange.carry_out()


_NO_ANSWER = "Server disconnected without sending a response."
_NOT_ALL = "peer closed connection without sending complete message body"


async def _lose_request(exchange: Exchange) -> None:
    await line.hang_up(exchange.receive, exchange.send, _NO_ANSWER)


async def _lose_answer(exchange: Exchange) -> None:
    await exchange.carry_out()
    await line.hang_up(exchange.receive, exchange.send, _NO_ANSWER)


async def _reset(exchange: Exchange) -> None:
    await line.reset(exchange.receive, exchange.send)


async def _cut_off(exchange: Exchange) -> None:
    reply = await exchange.carry_out()
    if not reply.body:
        await exchange.answer(reply)
        return
    await exchange.answer(reply, most=len(reply.body) // 2)
    await line.hang_up(exchange.receive, exchange.send, _NOT_ALL)


async def _repeated_page(exchange: Exchange) -> None:
    page = exchange.page
    if not page.offset:
        await exchange.answer(await exchange.carry_out())
        return
    others = [pair for pair in exchange.parameters if pair[0] != "offset"]
    await exchange.answer(await exchange.carry_out([*others, ("offset", str(max(0, page.offset - page.limit)))]))


def _spoiled(spoil: replies.Spoil) -> Strike:
    async def strike(exchange: Exchange) -> None:
        reply = await exchange.carry_out()
        await exchange.answer(spoil(reply, Subject(exchange.page, exchange.catalog)))

    return strike


@dataclass(frozen=True, slots=True)
class Kind:
    """What a fault does, in one line for people too, and the keys it has."""

    strike: Strike
    about: str
    keys: Keys = field(default=Keys())


_SECONDS = Keys(needs=("seconds",))

KINDS: Mapping[str, Kind] = {
    "status": Kind(
        _status,
        "not carried out; answered with `status`, and with `Retry-After` if the fault has it",
        Keys(needs=("status",), takes=("retry_after", "retry_after_date")),
    ),
    "delay": Kind(_delay, "carried out and answered after `seconds`, unless the client hangs up before", _SECONDS),
    "delay_answer": Kind(_delay_answer, "carried out at once, answered after `seconds`", _SECONDS),
    "late": Kind(_late, "carried out and answered after `seconds`, also if the client hangs up before", _SECONDS),
    "lose_request": Kind(_lose_request, "not carried out; the connection is closed without an answer"),
    "lose_answer": Kind(_lose_answer, "carried out; the connection is closed without an answer"),
    "reset": Kind(_reset, "not carried out; the connection is reset (TCP RST)"),
    "html": Kind(_spoiled(replies.html), "carried out; answered with status 200 and a login page"),
    "truncated": Kind(_spoiled(replies.truncated), "carried out; the JSON of the answer ends in the middle"),
    "cut_off": Kind(_cut_off, "carried out; the connection is closed in the middle of the answer"),
    "invalid_json": Kind(_spoiled(replies.invalid_json), "carried out; the answer says it is JSON and is not"),
    "shrinking_total": Kind(_spoiled(replies.shrinking_total), "the total of a list is lower by one on each page"),
    "repeated_page": Kind(_repeated_page, "in place of a further page of a list, the page before it comes again"),
    "approval_answer": Kind(_spoiled(replies.approval_answer), "carried out; a record is answered like a proposal"),
    "record_answer": Kind(_spoiled(replies.record_answer), "carried out; a proposal is answered like a record"),
}
KEYS: Mapping[str, Keys] = {name: kind.keys for name, kind in KINDS.items()}
