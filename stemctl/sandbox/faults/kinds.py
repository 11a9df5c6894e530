"""The kinds of faults, and what each does to a request."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.sandbox import list_query
from stemctl.sandbox.asgi import ASGIApp, Message, Receive, Scope, Send
from stemctl.sandbox.faults import altered_replies, line, wire
from stemctl.sandbox.faults.altered_replies import FaultContext, RawReply
from stemctl.sandbox.faults.script import Fault, Keys
from stemctl.schema.catalog import Catalog
from stemctl.util.json_types import Fields, Value

Tasks = set[asyncio.Task[RawReply]]


class Exchange(Struct, frozen=True):
    """A request that a fault strikes, and the connection to the client.

    `late` has the tasks of delayed requests.
    """

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
    def page(self) -> list_query.PageRange:
        """The requested part of a list."""
        return list_query.page(self.parameters)

    async def execute(self, parameters: list[tuple[str, str]] | None = None) -> RawReply:
        """Let the app execute the request, with other parameters if given. Nothing is sent yet."""
        scope = (
            self.scope
            if parameters is None
            else {**self.scope, "query_string": urlencode(parameters).encode()}
        )
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        await self.app(scope, replay(self.content), keep)
        return RawReply(
            sent[0]["status"],
            tuple(sent[0]["headers"]),
            b"".join(part["body"] for part in sent[1:]),
        )

    async def besides(self, method: str, path: str, body: Value = None) -> RawReply:
        """The reply of the app to another request of the same account."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = [
            pair
            for pair in self.scope["headers"]
            if pair[0] not in (b"content-length", b"content-type")
        ]
        headers += [
            (b"content-length", str(len(content)).encode()),
            (b"content-type", b"application/json"),
        ]
        other = {
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": headers,
        }
        scope = {**self.scope, **other}
        return await replace(self, scope=scope, content=content).execute()

    async def answer(self, reply: RawReply, *, max_bytes: int | None = None) -> None:
        """Send a reply that names its fault, or only `max_bytes` of its body, without an end."""
        headers = [*reply.headers, (b"sandbox-fault", self.fault.fault.encode())]
        await self.send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await self.send(
            {
                "type": "http.response.body",
                "body": reply.body[:max_bytes],
                "more_body": max_bytes is not None,
            }
        )


def replay(content: bytes) -> Receive:
    """A `receive` that returns a body which was read already."""
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
        headers.append(
            (b"retry-after", formatdate(time.time() + fault.retry_after_date, usegmt=True).encode())
        )
    reply = RawReply(fault.status, tuple(headers))
    if fault.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        reply = reply.with_document({"detail": "The fault script of this sandbox says so."})
    await exchange.answer(reply)


async def _delay(exchange: Exchange) -> None:
    if await line.still_there(exchange.receive, exchange.fault.seconds):
        await exchange.answer(await exchange.execute())


async def _delay_answer(exchange: Exchange) -> None:
    reply = await exchange.execute()
    if await line.still_there(exchange.receive, exchange.fault.seconds):
        await exchange.answer(reply)


async def _late(exchange: Exchange) -> None:
    """Run in a separate task, which continues if the client disconnects."""
    task = asyncio.create_task(_later(exchange))
    exchange.late.add(task)
    task.add_done_callback(exchange.late.discard)
    await exchange.answer(await asyncio.shield(task))


async def _later(exchange: Exchange) -> RawReply:
    await asyncio.sleep(exchange.fault.seconds)
    return await exchange.execute()


_NO_ANSWER = "Server disconnected without sending a response."
_NOT_ALL = "peer closed connection without sending complete message body"


async def _lose_request(exchange: Exchange) -> None:
    await line.hang_up(exchange.receive, exchange.send, _NO_ANSWER)


async def _lose_answer(exchange: Exchange) -> None:
    await exchange.execute()
    await line.hang_up(exchange.receive, exchange.send, _NO_ANSWER)


async def _reset(exchange: Exchange) -> None:
    await line.reset(exchange.receive, exchange.send)


async def _cut_off(exchange: Exchange) -> None:
    reply = await exchange.execute()
    if not reply.body:
        await exchange.answer(reply)
        return
    await exchange.answer(reply, max_bytes=len(reply.body) // 2)
    await line.hang_up(exchange.receive, exchange.send, _NOT_ALL)


async def _repeated_page(exchange: Exchange) -> None:
    page = exchange.page
    if not page.offset:
        await exchange.answer(await exchange.execute())
        return
    others = [pair for pair in exchange.parameters if pair[0] != "offset"]
    await exchange.answer(
        await exchange.execute([*others, ("offset", str(max(0, page.offset - page.limit)))])
    )


def _spoiled(spoil: altered_replies.Spoil) -> Strike:
    async def strike(exchange: Exchange) -> None:
        reply = await exchange.execute()
        await exchange.answer(
            spoil(reply, FaultContext(exchange.page, exchange.catalog, exchange.fault))
        )

    return strike


async def _other_record(exchange: Exchange) -> None:
    await _answer_with_another(exchange, lambda mine, other: other)


async def _known_id(exchange: Exchange) -> None:
    await _answer_with_another(exchange, lambda mine, other: {**mine, "id": other["id"]})


async def _answer_with_another(exchange: Exchange, mix: Callable[[Fields, Fields], Fields]) -> None:
    """Execute; if the model has another record, reply with a mix of both."""
    reply = await exchange.execute()
    document = reply.document or {}
    model = next(
        (m for m in exchange.catalog.models.values() if isinstance(document.get(m.one), dict)), None
    )
    if model is None:
        await exchange.answer(reply)
        return
    mine = document[model.one]
    # The list is above the record, also if an action of the record was asked for.
    path = exchange.scope["path"].partition(f"/{mine.get('id')}/")[0].removesuffix("/")
    path = path.removesuffix(f"/{mine.get('id')}")
    listed = (await exchange.besides("GET", f"{path}/")).document or {}
    others = [record for record in listed.get(model.many, []) if record["id"] != mine.get("id")]
    await exchange.answer(
        reply.with_document({model.one: mix(mine, others[0])}) if others else reply
    )


async def _foreign_404(exchange: Exchange) -> None:
    await exchange.answer(
        RawReply(404).with_body(b"<html><body>No route to this host.</body></html>", b"text/html")
    )


async def _edit_in_pause(exchange: Exchange) -> None:
    """Reply with 429, and let a colleague edit the record during the pause."""
    await exchange.besides("PATCH", _edited(exchange), exchange.fault.edit)
    pause = str(exchange.fault.retry_after or 0).encode()
    reply = RawReply(429, ((b"retry-after", pause),))
    await exchange.answer(reply.with_document({"detail": "Request was throttled."}))


def _edited(exchange: Exchange) -> str:
    """Where a colleague edits: at the same URL, or the entry that is to be removed."""
    path = exchange.scope["path"].removesuffix("/")
    for model in exchange.catalog.models.values():
        embedded = model.embedded
        if embedded and path.endswith(f"/{embedded.remove}"):
            return f"{path.removesuffix(embedded.remove)}{embedded.change}/"
    return f"{path}/"


async def _endless_headers(exchange: Exchange) -> None:
    head, seconds = b"HTTP/1.1 200 OK\r\n", exchange.fault.seconds
    await wire.drip(exchange.receive, exchange.send, head, b"X-More: to come\r\n", seconds)


async def _processing(exchange: Exchange) -> None:
    piece = b"HTTP/1.1 102 Processing\r\n\r\n"
    await wire.drip(exchange.receive, exchange.send, b"", piece, exchange.fault.seconds)


async def _bomb(exchange: Exchange) -> None:
    await wire.bomb(exchange.send, exchange.fault.mebibytes)


class FaultKind(Struct, frozen=True):
    """What a fault does, a line about it, and its keys."""

    strike: Strike
    about: str
    keys: Keys = field(default=Keys())


_SECONDS = Keys(needs=("seconds",))

KINDS: Mapping[str, FaultKind] = {
    "status": FaultKind(
        _status,
        "not carried out; answered with `status`, and with `Retry-After` if the fault has it",
        Keys(needs=("status",), takes=("retry_after", "retry_after_date")),
    ),
    "delay": FaultKind(
        _delay,
        "carried out and answered after `seconds`, unless the client hangs up before",
        _SECONDS,
    ),
    "delay_answer": FaultKind(
        _delay_answer, "carried out at once, answered after `seconds`", _SECONDS
    ),
    "late": FaultKind(
        _late,
        "carried out and answered after `seconds`, also if the client hangs up before",
        _SECONDS,
    ),
    "lose_request": FaultKind(
        _lose_request, "not carried out; the connection is closed without an answer"
    ),
    "lose_answer": FaultKind(
        _lose_answer, "carried out; the connection is closed without an answer"
    ),
    "reset": FaultKind(_reset, "not carried out; the connection is reset (TCP RST)"),
    "html": FaultKind(
        _spoiled(altered_replies.html), "carried out; answered with status 200 and a login page"
    ),
    "truncated": FaultKind(
        _spoiled(altered_replies.truncated),
        "carried out; the JSON of the answer ends in the middle",
    ),
    "cut_off": FaultKind(
        _cut_off, "carried out; the connection is closed in the middle of the answer"
    ),
    "invalid_json": FaultKind(
        _spoiled(altered_replies.invalid_json), "carried out; the answer says it is JSON and is not"
    ),
    "shrinking_total": FaultKind(
        _spoiled(altered_replies.shrinking_total),
        "the total of a list is lower by one on each page",
    ),
    "repeated_page": FaultKind(
        _repeated_page, "in place of a further page of a list, the page before it comes again"
    ),
    "approval_answer": FaultKind(
        _spoiled(altered_replies.approval_answer),
        "carried out; a record is answered like a proposal",
    ),
    "record_answer": FaultKind(
        _spoiled(altered_replies.record_answer), "carried out; a proposal is answered like a record"
    ),
    "other_record": FaultKind(
        _other_record, "carried out; answered with the body of another record of the model"
    ),
    "known_id": FaultKind(
        _known_id, "carried out; answered with the id of another record of the model"
    ),
    "altered_value": FaultKind(
        _spoiled(altered_replies.altered_value),
        "carried out; in the answer `field` has another value: `value`, or half of its own",
        Keys(needs=("field",), takes=("value",)),
    ),
    "duplicate_element": FaultKind(
        _spoiled(altered_replies.duplicate_element),
        "carried out; in the answer the first item of a list comes twice, under one key, "
        "the second time altered",
    ),
    "foreign_404": FaultKind(
        _foreign_404, "not carried out; answered with 404 and a page that is not the API's"
    ),
    "edit_in_pause": FaultKind(
        _edit_in_pause,
        "not carried out; answered with 429 and `retry_after`, after a colleague has changed "
        "the record as `edit` says",
        Keys(needs=("edit",), takes=("retry_after",)),
    ),
    "endless_headers": FaultKind(
        _endless_headers,
        "not carried out; one more header every `seconds`, without an end",
        _SECONDS,
    ),
    "processing": FaultKind(
        _processing,
        "not carried out; answered with 102 every `seconds`, and nothing else",
        _SECONDS,
    ),
    "bomb": FaultKind(
        _bomb,
        "not carried out; answered with `mebibytes` of zeros, packed to little",
        Keys(needs=("mebibytes",)),
    ),
}
KEYS: Mapping[str, Keys] = {name: kind.keys for name, kind in KINDS.items()}
