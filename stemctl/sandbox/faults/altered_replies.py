"""Answers on their way out, and what faults make of them. Each spoils what it fits and lets other
answers be.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from stemctl.sandbox.faults.script import Fault
from stemctl.sandbox.list_query import PageRange
from stemctl.schema.catalog import Catalog, Model
from stemctl.util.json_types import Value

Headers = tuple[tuple[bytes, bytes], ...]

_JSON = b"application/json"
_LOGIN_PAGE = (
    b"<!doctype html><html><head><title>Log in</title></head><body><h1>Log in</h1>"
    b'<form method="post"><input name="username"><input name="password" type="password"></form></body></html>'
)


@dataclass(frozen=True, slots=True)
class RawReply:
    """An answer as it is sent."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def with_body(self, body: bytes, kind: bytes = _JSON) -> RawReply:
        """The same with another body, and headers that fit it."""
        kept = tuple(
            pair for pair in self.headers if pair[0] not in (b"content-length", b"content-type")
        )
        fitting = ((b"content-length", str(len(body)).encode()), (b"content-type", kind))
        return replace(self, headers=(*kept, *fitting), body=body)

    def with_document(self, document: Value) -> RawReply:
        """The same with another JSON document."""
        return self.with_body(json.dumps(document, ensure_ascii=False).encode())

    @property
    def document(self) -> dict[str, Value] | None:
        """The JSON object that it holds."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True)
class FaultContext:
    """What an answer is about: the part of a list that was asked for, the models there are, and the
    fault.
    """

    page: PageRange
    catalog: Catalog
    fault: Fault


Spoil = Callable[[RawReply, FaultContext], RawReply]


def html(reply: RawReply, context: FaultContext) -> RawReply:
    """A page that asks for a login, with status 200."""
    return replace(reply, status=200).with_body(_LOGIN_PAGE, b"text/html; charset=utf-8")


def truncated(reply: RawReply, context: FaultContext) -> RawReply:
    """Half of the body, with a length that fits the half."""
    return reply.with_body(reply.body[: len(reply.body) // 2]) if reply.body else reply


def invalid_json(reply: RawReply, context: FaultContext) -> RawReply:
    """A body that says it is JSON and is not. A status that goes without a body becomes 200."""
    return replace(reply, status=reply.status if reply.body else 200).with_body(b"It is done.")


def shrinking_total(reply: RawReply, context: FaultContext) -> RawReply:
    """A list whose total is lower by one for each page before it."""
    document = reply.document or {}
    pages = context.page.offset // context.page.limit
    meta = document.get("meta")
    if isinstance(meta, dict):
        document["meta"] = _lower(meta, pages)
    lower = _lower(document, pages)
    return reply if lower == reply.document else reply.with_document(lower)


def _lower(totals: Mapping[str, Value], number: int) -> dict[str, Value]:
    keys = [key for key in ("count", "total_results") if type(totals.get(key)) is int]
    return {**totals, **{key: max(0, totals[key] - number) for key in keys}}


def approval_answer(reply: RawReply, context: FaultContext) -> RawReply:
    """A record as if it had only been proposed: in the envelope of a proposal, with an id that is
    no record's.
    """
    return _in_envelopes(reply, _envelopes(context.catalog))


def record_answer(reply: RawReply, context: FaultContext) -> RawReply:
    """A proposal as if it were the record: in its envelope, with an id that is no record's."""
    return _in_envelopes(
        reply, {approval: one for one, approval in _envelopes(context.catalog).items()}
    )


def _envelopes(catalog: Catalog) -> dict[str, str]:
    """The envelope of a record to that of a proposal; where nothing is proposed, one like those of
    the others.
    """
    return {
        m.one: m.approval.one if m.approval else f"{m.one}_approval"
        for m in catalog.models.values()
    }


def _in_envelopes(reply: RawReply, envelopes: Mapping[str, str]) -> RawReply:
    document = reply.document or {}
    key = next(
        (key for key in document if key in envelopes and isinstance(document[key], dict)), None
    )
    if key is None:
        return reply
    # Not the id that it has: whoever takes one thing for the other is to be found out.
    id_ = str(uuid.uuid5(uuid.NAMESPACE_OID, str(document[key].get("id"))))
    return reply.with_document({envelopes[key]: {**document[key], "id": id_}})


def altered_value(reply: RawReply, context: FaultContext) -> RawReply:
    """Each record with another value of one field: the one that the fault names, else half of what
    it has.
    """
    name, value = context.fault.field or "", context.fault.value

    def alter(model: Model, record: dict[str, Value]) -> dict[str, Value]:
        if name not in record:
            return record
        there = record[name]
        half = there[: len(there) // 2] if isinstance(there, str | list) else None
        return {**record, name: half if value is None else value}

    return _each_record(reply, context, alter)


def duplicate_element(reply: RawReply, context: FaultContext) -> RawReply:
    """Each record with the first item of a list twice, under the same key, and otherwise not the same."""

    def double(model: Model, record: dict[str, Value]) -> dict[str, Value]:
        return {name: _doubled(model, name, value) for name, value in record.items()}

    return _each_record(reply, context, double)


def _doubled(model: Model, name: str, value: Value) -> Value:
    row = model.fields.get(name)
    if row is None or row.kind != "items" or not value:
        return value
    other = next(member for member in row.members if member != row.by)
    return [*value, {**value[0], other: "Other"}]


def _each_record(
    reply: RawReply,
    context: FaultContext,
    change: Callable[[Model, dict[str, Value]], dict[str, Value]],
) -> RawReply:
    """An answer with each of its records or proposals changed, of a list or alone."""
    document = reply.document or {}
    for model in context.catalog.models.values():
        envelopes = [(model.one, model.many)]
        envelopes += [(model.approval.one, model.approval.many)] if model.approval else []
        for one, many in envelopes:
            if isinstance(document.get(one), dict):
                return reply.with_document({**document, one: change(model, document[one])})
            if isinstance(document.get(many), list):
                return reply.with_document(
                    {**document, many: [change(model, r) for r in document[many]]}
                )
    return reply
