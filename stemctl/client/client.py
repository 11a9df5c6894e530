"""Requests to the API. `ReadClient` can only GET; `WriteClient` adds, changes, deletes and decides."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote

import httpx

from stemctl.client import retry
from stemctl.client.exchange import exchange
from stemctl.client.limiter import Limiter, SharedSlot
from stemctl.client.responses import (
    NotTheApi,
    Paused,
    Refused,
    Response,
    checked_record,
    named,
    one_record,
    read_response,
    unreachable,
)
from stemctl.client.retry import TRIES
from stemctl.client.tokens import Token
from stemctl.schema.catalog import Catalog, Model
from stemctl.util.json_types import Fields, Value

PAGE = 100
"""Records asked for at once: the most the API gives."""

_MOST = 10_000_000
"""Records that a server may say it has; what says more does not count."""

PARALLELISM = 8
"""Requests in flight at most, unless somebody asks for another number."""

BeforeSend = Callable[[], Awaitable[None]]
"""What is done right before a write goes out: its intent is written down."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer to a list request: records, what the server says the total is, and whether it says
    this is the last one (None: it does not say).
    """

    records: tuple[Fields, ...]
    total: int | None
    last: bool | None
    beside: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The answer to a write: the record as it is now, or, if `proposed`, the approval."""

    fields: Fields
    proposed: bool


@dataclass(frozen=True, slots=True)
class Query:
    """What to ask of a list: filters and sort keys in the API's own spelling, relations to include."""

    filters: tuple[tuple[str, str], ...] = ()
    sort: tuple[str, ...] = ()
    include: tuple[str, ...] = ()

    def params(self, offset: int, limit: int = PAGE) -> list[tuple[str, str]]:
        """The query string, always with a total order, since the API promises none."""
        order = [*self.sort, *([] if {"id", "-id"} & set(self.sort) else ["id"])]
        return [
            *((f"filter{{{name}}}", value) for name, value in self.filters),
            *(("sort[]", key) for key in order),
            *(("include[]", f"{name}.*") for name in self.include),
            ("limit", str(limit)),
            ("offset", str(offset)),
        ]


class ReadClient:
    """The part of the API that changes nothing."""

    def __init__(
        self,
        http: httpx.AsyncClient,
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

    async def page(self, model: Model, offset: int = 0, query: Query = Query()) -> Page:
        """One page of a model's list."""
        return self._page(
            await self._get(f"{model.app}/{model.name}/", query.params(offset)), model.many, model
        )

    async def detail(self, model: Model, id_: str, include: Sequence[str] = ()) -> Fields:
        """One record. Raises NotFound where there is none to see."""
        params = [("include[]", f"{name}.*") for name in include]
        record = one_record(await self._get(_one(model, id_), params), model.one)
        return checked_record(_asked_for(record, id_, model.words), model)

    async def approval_page(self, model: Model, offset: int = 0, query: Query = Query()) -> Page:
        """One page of the approvals of a model."""
        assert model.approval is not None
        answer = await self._get(f"{model.app}/{model.approval.path}/", query.params(offset))
        return self._page(answer, model.approval.many, model)

    async def approval(self, model: Model, id_: str) -> Fields:
        """One approval."""
        assert model.approval is not None
        answer = await self._get(_approval(model, id_), [])
        return _asked_for(one_record(answer, model.approval.one), id_, "approval")

    def url_of(self, path: str) -> str:
        """The address of what stands at a path below the portal."""
        return f"{self.base}api/{self.portal}/{path}"

    async def _get(self, path: str, params: Sequence[tuple[str, str]]) -> dict[str, Any]:
        return await self._send("GET", path, params=list(params))

    def _page(self, answer: dict[str, Any], key: str, model: Model) -> Page:
        records = answer.get(key)
        if not isinstance(records, list):
            raise NotTheApi(
                f"The server's list has no {key!r}.", f"It has {named(answer)} instead."
            )
        meta = answer.get("meta")
        meta = meta if isinstance(meta, dict) else {}
        totals = [meta.get("total_results"), meta.get("count"), answer.get("count")]
        total = next((t for t in totals if type(t) is int and 0 <= t <= _MOST), None)
        last = answer["next"] is None if "next" in answer else None
        sound = tuple(checked_record(fields, model) for fields in records)
        return Page(sound, total, last, {k: v for k, v in answer.items() if k != key})

    async def _send(
        self,
        method: str,
        path: str,
        params: list[tuple[str, str | int | float | bool | None]] | None = None,
        body: Fields | None = None,
        first: BeforeSend | None = None,
    ) -> dict[str, Any]:
        """Send, and again where `policy` says so. `first` is awaited right before each sending.

        Raises:
            Paused: what is sent only right after a look would have to wait, so it was not sent.
            ServerError: one of its children, with what to do.
        """
        url = self.url_of(path)
        for attempt in range(1, TRIES + 1):
            last = attempt == TRIES
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
                    return read_response(answer, method, self.base, url)
                if answer.status_code in retry.BUSY:
                    continue  # the limiter waits
            except httpx.HTTPError as error:
                if last or not retry.may_retry_error(method, error):
                    raise unreachable(error, self.base, retry.may_have_arrived(error)) from error
            except httpx.InvalidURL as error:  # a name that is longer than any address
                raise Refused(
                    f"There is no address for this request: {error}.", sent=False
                ) from error
            except NotTheApi as error:
                if last or method != "GET" or error.status != 200 or "HTML" in error.what:
                    raise
            await asyncio.sleep(retry.backoff(attempt))
        raise AssertionError("the last try returns or raises")

    def _heed(self, answer: Response, attempt: int) -> None:
        if answer.status_code in retry.BUSY:
            self._limiter.pause(retry.retry_after(answer.headers, attempt))
        else:
            self._limiter.answered()

    def _headers(self) -> dict[str, str]:
        return self._token.header() if self._token and self.portal != "public" else {}


class WriteClient(ReadClient):
    """The whole API. Whoever plans never holds one."""

    @contextlib.asynccontextmanager
    async def in_one_slot(self) -> AsyncIterator[Self]:
        """A client for a look and the write that follows: nothing else comes between them, and no pause.

        Whoever gets Paused leaves this place, enters it again, and looks again.
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
        """PATCH a record with the fields that change and no other, or propose so."""
        return _written(model, await self._send("PATCH", _one(model, id_), body=body, first=first))

    async def delete(
        self, model: Model, id_: str, first: BeforeSend | None = None
    ) -> Mapping[str, Value]:
        """DELETE a record; what the server said, which should be nothing."""
        return await self._send("DELETE", _one(model, id_), first=first)

    async def decide(self, model: Model, id_: str, verdict: str) -> None:
        """Accept or reject a proposal (`verdict` is `accept` or `reject`)."""
        assert model.approval is not None
        await self._send("PATCH", f"{_approval(model, id_)}{verdict}/", body={})


def _one(model: Model, id_: str) -> str:
    """The path of one record; nothing in an id leads out of its collection."""
    return f"{model.app}/{model.name}/{quote(id_, safe='')}/"


def _approval(model: Model, id_: str) -> str:
    """The path of one approval."""
    assert model.approval is not None
    return f"{model.app}/{model.approval.path}/{quote(id_, safe='')}/"


def _asked_for(record: Fields, id_: str, words: str) -> Fields:
    """A record, if it is the one that was asked for.

    Raises:
        NotTheApi: it is another one.
    """
    if str(record["id"]).lower() != id_.lower():
        raise NotTheApi(f"The server answered with another {words}, id {record['id']}.")
    return record


def _written(model: Model, answer: Mapping[str, Any]) -> WriteResult:
    """What a write was answered with. What stands under any other key than the expected one is of
    something else.

    Raises:
        NotTheApi: it is not the record, or of a model that is changed by proposals not the
        approval.
    """
    key = model.approval.one if model.approval else model.one
    if not isinstance(answer.get(key), dict):
        raise NotTheApi(f"The server's answer has no {key!r}.", f"It has {named(answer)}.")
    return WriteResult(checked_record(answer[key], model), proposed=model.approval is not None)
