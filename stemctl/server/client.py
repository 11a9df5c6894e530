"""Requests to the API. `ReadClient` can only GET; `WriteClient` adds, changes, deletes and decides."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from stemctl.catalog import Catalog, Model
from stemctl.records import Fields, Value
from stemctl.server.answers import NotTheApi, one_record, read_answer, unreachable
from stemctl.server.tokens import Token

PAGE = 100
"""Records asked for at once: the most the API gives."""

TRIES = 3
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_AGAIN = frozenset({429, 502, 503, 504})
_LONGEST_PAUSE = 300.0


@dataclass(frozen=True, slots=True)
class Page:
    """One answer to a list request: records, what the server says the total is, and whether it says this is the
    last one (None: it does not say)."""

    records: tuple[Fields, ...]
    total: int | None
    last: bool | None
    beside: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
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
        parallelism: int = 8,
        on_pause: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self.base = base
        self.portal = portal
        self.catalog = catalog
        self.requests = 0
        self._http = http
        self._token = token
        self._places = asyncio.Semaphore(parallelism)
        self._on_pause = on_pause
        self._resume_at = 0.0

    async def page(self, model: Model, offset: int = 0, query: Query = Query()) -> Page:
        """One page of a model's list."""
        return self._page(await self._get(f"{model.app}/{model.name}/", query.params(offset)), model.many)

    async def detail(self, model: Model, id_: str, include: Sequence[str] = ()) -> Fields:
        """One record. Raises NotFound where there is none to see."""
        params = [("include[]", f"{name}.*") for name in include]
        return one_record(await self._get(f"{model.app}/{model.name}/{id_}/", params), model.one)

    async def approval_page(self, model: Model, offset: int = 0, query: Query = Query()) -> Page:
        """One page of the approvals of a model."""
        assert model.approval is not None
        answer = await self._get(f"{model.app}/{model.approval.path}/", query.params(offset))
        return self._page(answer, model.approval.many)

    async def approval(self, model: Model, id_: str) -> Fields:
        """One approval."""
        assert model.approval is not None
        return one_record(await self._get(f"{model.app}/{model.approval.path}/{id_}/", []), model.approval.one)

    async def _get(self, path: str, params: Sequence[tuple[str, str]]) -> dict[str, Any]:
        return await self._send("GET", path, params=list(params))

    def _page(self, answer: dict[str, Any], key: str) -> Page:
        records = answer.get(key)
        if not isinstance(records, list):
            raise NotTheApi(
                f"The server's list has no {key!r}.", f"It has {', '.join(map(repr, answer)) or 'nothing'} instead."
            )
        meta = answer.get("meta")
        meta = meta if isinstance(meta, dict) else {}
        totals = [meta.get("total_results"), meta.get("count"), answer.get("count")]
        total = next((t for t in totals if isinstance(t, int)), None)
        last = answer["next"] is None if "next" in answer else None
        return Page(tuple(records), total, last, {k: v for k, v in answer.items() if k != key})

    async def _send(
        self,
        method: str,
        path: str,
        params: list[tuple[str, str | int | float | bool | None]] | None = None,
        body: Fields | None = None,
    ) -> dict[str, Any]:
        """Send, and again where that is safe: a GET after any passing fault, a write only if it cannot have
        arrived (no connection was made, or the server answered 429).

        Raises:
            ServerError: one of its children, with what to do.
        """
        url = f"{self.base}api/{self.portal}/{path}"
        for attempt in range(1, TRIES + 1):
            last = attempt == TRIES
            try:
                async with self._places:
                    await self._wait_for_pause()
                    self.requests += 1
                    response = await self._http.request(
                        method, url, params=params, json=body, headers=self._headers(), timeout=TIMEOUT
                    )
                status = response.status_code
                if status in (429, 503):
                    self._pause(response, attempt)
                if status in _AGAIN and not last and (method == "GET" or status == 429):
                    if status not in (429, 503):
                        await asyncio.sleep(_growing(attempt))
                    continue
                return read_answer(response, method, self.base)
            except httpx.HTTPError as error:
                arrived = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                if last or (arrived and method != "GET"):
                    raise unreachable(error, self.base, arrived) from error
            except NotTheApi as error:
                if last or method != "GET" or error.status != 200 or "HTML" in error.what:
                    raise
            await asyncio.sleep(_growing(attempt))
        raise AssertionError("the last try returns or raises")

    def _headers(self) -> dict[str, str]:
        token = self._token.header() if self._token and self.portal != "public" else {}
        return {"Accept": "application/json", **token}

    def _pause(self, response: httpx.Response, attempt: int) -> None:
        """One pause for all requests, as long as the server asks for."""
        asked = response.headers.get("Retry-After", "")
        seconds = min(float(asked), _LONGEST_PAUSE) if asked.isdigit() else _growing(attempt)
        self._resume_at = max(self._resume_at, asyncio.get_running_loop().time() + seconds)
        if seconds >= 1:
            self._on_pause(seconds)

    async def _wait_for_pause(self) -> None:
        while (left := self._resume_at - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(left)


class WriteClient(ReadClient):
    """The whole API. Whoever plans never holds one."""

    async def add(self, model: Model, body: Fields) -> Written:
        """POST a record, or the proposal of one."""
        return _written(model, await self._send("POST", f"{model.app}/{model.name}/", body=body))

    async def change(self, model: Model, id_: str, body: Fields) -> Written:
        """PATCH a record with the fields that change and no other, or propose so."""
        return _written(model, await self._send("PATCH", f"{model.app}/{model.name}/{id_}/", body=body))

    async def delete(self, model: Model, id_: str) -> None:
        """DELETE a record."""
        await self._send("DELETE", f"{model.app}/{model.name}/{id_}/")

    async def decide(self, model: Model, id_: str, verdict: str) -> None:
        """Accept or reject a proposal (`verdict` is `accept` or `reject`)."""
        assert model.approval is not None
        await self._send("PATCH", f"{model.app}/{model.approval.path}/{id_}/{verdict}/", body={})


def _written(model: Model, answer: Mapping[str, Any]) -> Written:
    if model.approval is None or model.one in answer:
        return Written(one_record(answer, model.one), proposed=False)
    return Written(one_record(answer, model.approval.one), proposed=True)


def _growing(attempt: int) -> float:
    """Seconds before the next try: about 0.5, then 1, spread so that many clients do not come back at once."""
    return 0.5 * float(2 ** (attempt - 1)) * random.uniform(0.5, 1.5)
