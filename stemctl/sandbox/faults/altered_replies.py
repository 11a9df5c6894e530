"""Faults that alter a reply. Each alters the replies that it applies to, and no others."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from stemctl.sandbox.faults.script import Fault
from stemctl.sandbox.list_query import PageRange
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Value

Headers = tuple[tuple[bytes, bytes], ...]

_JSON = b"application/json"
_LOGIN_PAGE = (
    b"<!doctype html><html><head><title>Log in</title></head><body><h1>Log in</h1>"
    b'<form method="post"><input name="username"><input name="password" type="password"></form>'
    b"</body></html>"
)


class RawReply(Struct, frozen=True):
    """A reply as it is sent."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def with_body(self, body: bytes, kind: bytes = _JSON) -> RawReply:
        """The reply with another body, and matching headers."""
        kept = tuple(
            pair for pair in self.headers if pair[0] not in (b"content-length", b"content-type")
        )
        fitting = ((b"content-length", str(len(body)).encode()), (b"content-type", kind))
        return replace(self, headers=(*kept, *fitting), body=body)

    def with_document(self, document: Value) -> RawReply:
        """The reply with another JSON document."""
        return self.with_body(json.dumps(document, ensure_ascii=False).encode())

    @property
    def document(self) -> dict[str, Value] | None:
        """The JSON object in the body; None if there is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


class FaultContext(Struct, frozen=True):
    """The request of a reply: the part of a list, the models, and the fault."""

    page: PageRange
    catalog: Catalog
    fault: Fault


Spoil = Callable[[RawReply, FaultContext], RawReply]


def html(reply: RawReply, context: FaultContext) -> RawReply:
    """A page that asks for a login, with status 200."""
    return replace(reply, status=200).with_body(_LOGIN_PAGE, b"text/html; charset=utf-8")


def truncated(reply: RawReply, context: FaultContext) -> RawReply:
    """Half of the body, with a matching length."""
    return reply.with_body(reply.body[: len(reply.body) // 2]) if reply.body else reply


def invalid_json(reply: RawReply, context: FaultContext) -> RawReply:
    """A body that is declared as JSON, but is not. A status without a body becomes 200."""
    return replace(reply, status=reply.status if reply.body else 200).with_body(b"It is done.")


def shrinking_total(reply: RawReply, context: FaultContext) -> RawReply:
    """A list whose total decreases by one with each page."""
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
    """A record in the envelope of a proposal, with an id that no record has."""
    return _in_envelopes(reply, _envelopes(context.catalog))


def record_answer(reply: RawReply, context: FaultContext) -> RawReply:
    """A proposal in the envelope of a record, with an id that no record has."""
    return _in_envelopes(
        reply, {approval: one for one, approval in _envelopes(context.catalog).items()}
    )


def _envelopes(catalog: Catalog) -> dict[str, str]:
    """The envelope of each record to that of its proposal, invented where there is none."""
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
    # Another id, so that a program that confuses the two is detected.
    id_ = str(uuid.uuid5(uuid.NAMESPACE_OID, str(document[key].get("id"))))
    return reply.with_document({envelopes[key]: {**document[key], "id": id_}})


def altered_value(reply: RawReply, context: FaultContext) -> RawReply:
    """Each record with another value of one field: that of the fault, or half of its own."""
    name, value = context.fault.field or "", context.fault.value

    def alter(model: Model, record: dict[str, Value]) -> dict[str, Value]:
        if name in record:
            return {**record, name: _half(record[name]) if value is None else value}
        for child in context.catalog.children(model):
            if child.embedded and name in child.fields:
                entries = record.get(child.embedded.within) or []
                return {**record, child.embedded.within: [alter(child, e) for e in entries]}
        return record

    return _each_record(reply, context, alter)


def _half(value: Value) -> Value:
    return value[: len(value) // 2] if isinstance(value, str | list) else None


def duplicate_element(reply: RawReply, context: FaultContext) -> RawReply:
    """Each record with the first item of a list twice: the same key, but other values."""

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
    """A reply with each of its records or proposals changed."""
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
