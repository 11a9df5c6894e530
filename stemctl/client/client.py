"""Requests to the API: `ReadClient` only reads, `WriteClient` also writes."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Self
from urllib.parse import quote, urlsplit

from msgspec import Struct, field

from stemctl.client import retry
from stemctl.client.exchange import Http, Params, TooLong, exchange
from stemctl.client.failures import NoResponse
from stemctl.client.limiter import Limiter, SharedSlot
from stemctl.client.responses import (
    CheckedRows,
    NotFound,
    NotTheApi,
    Parse,
    Paused,
    Refused,
    Response,
    checked_record,
    json_object,
    key_names,
    one_record,
    read_response,
    unreachable,
)
from stemctl.client.retry import ATTEMPTS
from stemctl.client.tokens import Token
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value

PAGE = 100
"""Records of a page: the API returns no more."""

_LARGE = 20_000
"""Bytes. A smaller list is read before what reads quickly is loaded."""

_MAX_TOTAL = 10_000_000
"""A larger total is ignored: no server has so many records."""

PARALLELISM = 8
"""The default limit of requests in flight."""

BeforeSend = Callable[[], Awaitable[None]]
"""Called right before a write is sent, to journal its intent."""


class Page(Struct, frozen=True):
    """The response to a list request: records, the total, and whether this is the last page.

    `total` and `last` are None if the server does not say. `beside` is the rest of the response.
    `texts` are the records as JSON, if that was kept.
    """

    records: tuple[Fields, ...]
    total: int | None
    last: bool | None
    beside: Mapping[str, Value] = field(default_factory=dict)
    texts: tuple[bytes, ...] = ()


class WriteResult(Struct, frozen=True):
    """The result of a write: the record as it is now, or the approval if `proposed`."""

    fields: Fields
    proposed: bool


class Query(Struct, frozen=True):
    """Filters, sort keys and included relations of a list request, as the API spells them."""

    filters: tuple[tuple[str, str], ...] = ()
    sort: tuple[str, ...] = ()
    include: tuple[str, ...] = ()

    def params(self, offset: int, limit: int = PAGE) -> list[tuple[str, str]]:
        """The query string. It always sorts by id last, since the API promises no order."""
        order = list(self.sort)
        if not {"id", "-id"} & set(self.sort):
            order.append("id")
        return [
            *((f"filter{{{name}}}", value) for name, value in self.filters),
            *(("sort[]", key) for key in order),
            *(("include[]", f"{name}.*") for name in self.include),
            ("limit", str(limit)),
            ("offset", str(offset)),
        ]


EVERYTHING = Query()
"""All records, in the order of their ids."""


class ReadClient:
    """The part of the API that changes nothing."""

    def __init__(
        self,
        http: Http,
        base: str,
        portal: str,
        catalog: Catalog,
        token: Token | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        self.base = base
        self.portal = portal
        self.catalog = catalog
        self._http = http
        self._token = token
        self._limiter: Limiter | SharedSlot = limiter or Limiter(PARALLELISM)

    async def page(self, model: Model, offset: int = 0, query: Query = EVERYTHING) -> Page:
        """One page of a model's list."""

        def parse(response: Response) -> dict[str, Any]:
            if len(response.content) < _LARGE:
                return json_object(response)
            from stemctl.client.quick_lists import quick_list

            return quick_list(response.content, model) or json_object(response)

        path = f"{model.app}/{model.name}/"
        answer = await self._send("GET", path, params=[*query.params(offset)], parse=parse)
        return self._page(answer, model.many, model)

    async def detail(self, model: Model, id_: str, include: Sequence[str] = ()) -> Fields:
        """One record.

        Raises:
            NotFound: there is no such record, or this account may not see it.
        """
        params = [("include[]", f"{name}.*") for name in include]
        with self._naming(model.words, id_, f"stemctl get {model.name}"):
            answer = await self._get(_one(model, id_), params)
        record = one_record(answer, model.one)
        return checked_record(_requested(record, id_, model.words), model)

    async def approval_page(self, model: Model, offset: int = 0, query: Query = EVERYTHING) -> Page:
        """One page of the approvals of a model."""
        assert model.approval is not None
        answer = await self._get(f"{model.app}/{model.approval.path}/", query.params(offset))
        return self._page(answer, model.approval.many, model)

    async def approval(self, model: Model, id_: str) -> Fields:
        """One approval."""
        assert model.approval is not None
        with self._naming(f"approval of a {model.words}", id_, "stemctl approvals list"):
            answer = await self._get(_approval(model, id_), [])
        return _requested(one_record(answer, model.approval.one), id_, "approval")

    @contextlib.contextmanager
    def _naming(self, words: str, id_: str, lists: str) -> Iterator[None]:
        """Name what was not found: the response tells neither the model nor the id."""
        try:
            yield
        except NotFound as error:
            host = urlsplit(self.base).hostname or self.base
            raise NotFound(
                f"{host} has no {words} with the id {id_}, or hides it from you (404).",
                error.why,
                [*error.hints, (lists, "lists those that you can see")],
                status=error.status,
                messages=error.messages,
            ) from error

    def url_of(self, path: str) -> str:
        """The URL of a path below the portal."""
        return f"{self.base}api/{self.portal}/{path}"

    async def _get(self, path: str, params: Sequence[tuple[str, str]]) -> dict[str, Any]:
        return await self._send("GET", path, params=params)

    def _page(self, answer: dict[str, Any], key: str, model: Model) -> Page:
        records = answer.get(key)
        if not isinstance(records, list):
            raise NotTheApi(
                f"The server's list has no {key!r}.", f"It has {key_names(answer)} instead."
            )
        meta = answer.get("meta")
        meta = meta if isinstance(meta, dict) else {}
        totals = [meta.get("total_results"), meta.get("count"), answer.get("count")]
        total = next((t for t in totals if type(t) is int and 0 <= t <= _MAX_TOTAL), None)
        last = answer["next"] is None if "next" in answer else None
        beside = {k: v for k, v in answer.items() if k != key}
        if isinstance(records, CheckedRows):
            return Page(tuple(records), total, last, beside, tuple(records.texts))
        return Page(tuple(checked_record(row, model) for row in records), total, last, beside)

    async def _send(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        body: Fields | None = None,
        first: BeforeSend | None = None,
        parse: Parse = json_object,
    ) -> dict[str, Any]:
        """Send a request, with retries as in `retry`. `first` is awaited before each attempt.

        Raises:
            Paused: a request that must follow a read at once would have to wait: it was not sent.
            ServerError: one of its subclasses.
        """
        url = self.url_of(path)
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            if method in retry.READ_FIRST and self._limiter.is_paused:
                raise Paused()
            try:
                async with self._limiter.slot():
                    if first is not None:
                        await first()
                    answer = await exchange(
                        self._http, method, url, params=params, json=body, headers=self._headers()
                    )
                self._heed(answer, attempt)
                if last or not retry.may_retry_status(method, answer.status_code):
                    return read_response(answer, method, self.base, url, parse)
                if answer.status_code in retry.BUSY:
                    continue  # the limiter waits
            except NoResponse as error:
                if last or not retry.may_retry_error(method, error):
                    raise unreachable(error, self.base, retry.may_have_arrived(error)) from error
            except TooLong as error:  # because of a name in it
                raise Refused(
                    f"The URL of this request is too long: {error}.", sent=False
                ) from error
            except NotTheApi as error:
                if last or method != "GET" or error.status != 200 or "HTML" in error.what:
                    raise
            await asyncio.sleep(retry.backoff(attempt))
        raise AssertionError("the last attempt returns or raises")

    def _heed(self, answer: Response, attempt: int) -> None:
        if answer.status_code in retry.BUSY:
            self._limiter.pause(retry.retry_after(answer.headers, attempt))
        else:
            self._limiter.answered()

    def _headers(self) -> dict[str, str]:
        return self._token.header() if self._token and self.portal != "public" else {}


class WriteClient(ReadClient):
    """The whole API. Planning never has one."""

    @contextlib.asynccontextmanager
    async def in_one_slot(self) -> AsyncIterator[Self]:
        """A client for a read and the write that follows, with no wait between them.

        After Paused, the caller must leave the slot, enter it again, and read again.
        """
        assert isinstance(self._limiter, Limiter)
        async with self._limiter.slot():
            one = copy.copy(self)
            one._limiter = SharedSlot(self._limiter)
            yield one

    async def add(self, model: Model, body: Fields, first: BeforeSend | None = None) -> WriteResult:
        """POST a record, or the proposal of one."""
        return _written(
            model, await self._send("POST", f"{model.app}/{model.name}/", body=body, first=first)
        )

    async def change(
        self, model: Model, id_: str, body: Fields, first: BeforeSend | None = None
    ) -> WriteResult:
        """PATCH a record with only the changed fields, or propose this."""
        return _written(model, await self._send("PATCH", _one(model, id_), body=body, first=first))

    async def delete(
        self, model: Model, id_: str, first: BeforeSend | None = None
    ) -> Mapping[str, Value]:
        """DELETE a record, and return the response, which should be empty."""
        return await self._send("DELETE", _one(model, id_), first=first)

    async def act(
        self, model: Model, id_: str, action: str, body: Fields, first: BeforeSend | None = None
    ) -> Fields | None:
        """PATCH an action of a record. The answer is the record; None if it is empty."""
        answer = await self._send("PATCH", f"{_one(model, id_)}{action}/", body=body, first=first)
        if not answer:
            return None
        record = one_record(answer, model.one)
        return checked_record(_requested(record, id_, model.words), model)

    async def decide(self, model: Model, id_: str, verdict: str) -> None:
        """Accept or reject a proposal (`verdict` is `accept` or `reject`)."""
        assert model.approval is not None
        await self._send("PATCH", f"{_approval(model, id_)}{verdict}/", body={})


def _one(model: Model, id_: str) -> str:
    """The path of one record. The id is quoted, so that it cannot lead out of its collection."""
    return f"{model.app}/{model.name}/{quote(id_, safe='')}/"


def _approval(model: Model, id_: str) -> str:
    """The path of one approval."""
    assert model.approval is not None
    return f"{model.app}/{model.approval.path}/{quote(id_, safe='')}/"


def _requested(record: Fields, id_: str, words: str) -> Fields:
    """The record, if it is the requested one.

    Raises:
        NotTheApi: it is another record.
    """
    if str(record["id"]).lower() != id_.lower():
        raise NotTheApi(f"The server answered with another {words}, id {record['id']}.")
    return record


def _written(model: Model, answer: Mapping[str, Any]) -> WriteResult:
    """The record, or the approval if the model is changed by proposals, in a response to a write.

    Raises:
        NotTheApi: the response has neither under its expected key.
    """
    key = model.approval.one if model.approval else model.one
    if not isinstance(answer.get(key), dict):
        raise NotTheApi(f"The server's response has no {key!r}.", f"It has {key_names(answer)}.")
    return WriteResult(checked_record(answer[key], model), proposed=model.approval is not None)
