"""Asks a server how it answers: a page of each list, one record, and the approvals. Only GET."""

from __future__ import annotations

import asyncio
import datetime
import time

from stemctl import __version__
from stemctl.client import retry
from stemctl.client.client import EVERYTHING, ReadClient
from stemctl.client.exchange import Params, exchange
from stemctl.client.failures import NoResponse
from stemctl.client.responses import (
    NotTheApi,
    Response,
    ServerError,
    read_response,
    unreachable,
)
from stemctl.core.answer_shapes import (
    Received,
    approvals_of,
    detail_of,
    first_record,
    listing_of,
)
from stemctl.core.profile import ModelProfile, Profile
from stemctl.schema.models import Model
from stemctl.util.json_types import is_id
from stemctl.util.strict_json import read_json


class Prober(ReadClient):
    """A client that takes every answer as it is."""

    async def profile(self) -> Profile:
        """How the server answers about every model of the portal.

        The first request goes alone: if the server cannot be reached, or does not know the token,
        all others would only fail in the same way.

        Raises:
            Unreachable: there is no server.
            NotTheApi: the first answer is not that of the API.
        """
        models = [m for m in self.catalog.models.values() if self._is_listed(m)]
        found: dict[str, ModelProfile] = {}
        if models:
            first, *others = models
            found[first.name] = await self._of_model(first, must_answer=True)
            if found[first.name].list.status == 401:
                others = []
            profiles = await asyncio.gather(*map(self._of_model, others))
            found |= {model.name: each for model, each in zip(others, profiles, strict=True)}
        return Profile(
            format=1,
            kind="stemctl profile",
            stemctl=__version__,
            made=datetime.datetime.now(datetime.UTC).date().isoformat(),
            edition=self.catalog.edition,
            portal=self.portal,
            models=found,
        )

    def _is_listed(self, model: Model) -> bool:
        return "list" in model.operations and self.portal in model.read_portals

    async def _of_model(self, model: Model, must_answer: bool = False) -> ModelProfile:
        params = EVERYTHING.params(0)
        listed = await self._ask(f"{model.app}/{model.name}/", params, must_answer)
        record = first_record(listed, model)
        detail = None
        id_ = str(record["id"]) if record is not None else ""
        if is_id(id_) and "detail" in model.operations:
            path = f"{model.app}/{model.name}/{id_}/"
            detail = detail_of(await self._ask(path, []), model)
        approvals = None
        if model.approval is not None and self.portal in model.write_portals:
            path = f"{model.app}/{model.approval.path}/"
            approvals = approvals_of(await self._ask(path, params), model, self.catalog)
        listing = listing_of(listed, model, self.catalog)
        return ModelProfile(list=listing, detail=detail, approvals=approvals)

    async def _ask(self, path: str, params: Params, must_answer: bool = False) -> Received:
        """One answer, after retries as for every other GET."""
        for attempt in range(1, retry.ATTEMPTS + 1):
            last = attempt == retry.ATTEMPTS
            try:
                response, seconds = await self._exchanged(path, params)
            except (NoResponse, NotTheApi) as error:
                again = isinstance(error, NoResponse) and retry.may_retry_error("GET", error)
                if last or not again:
                    return self._lost(error, must_answer)
            else:
                self._heed(response, attempt)
                if last or not _is_temporary(response):
                    if must_answer:
                        self._check_is_api(response, path)
                    return _received(response, seconds)
                if response.status_code in retry.BUSY:
                    continue  # the limiter waits
            await asyncio.sleep(retry.backoff(attempt))
        raise AssertionError("the last attempt returns or raises")

    async def _exchanged(self, path: str, params: Params) -> tuple[Response, float]:
        async with self._limiter.slot():
            begun = time.monotonic()
            response = await exchange(
                self._http, "GET", self.url_of(path), params=params, headers=self._headers()
            )
            return response, time.monotonic() - begun

    def _check_is_api(self, response: Response, path: str) -> None:
        """Check the very first answer. A missing model is a finding, another site is not.

        Raises:
            NotTheApi: it is a redirect, a page, or JSON of something else.
        """
        try:
            read_response(response, "GET", self.base, self.url_of(path))
        except ServerError as error:
            if isinstance(error, NotTheApi) and error.status != 404:
                raise

    def _lost(self, error: NoResponse | NotTheApi, must_answer: bool) -> Received:
        """No answer: this ends the command only if there never was one."""
        if not must_answer:
            return Received(None)
        if isinstance(error, NotTheApi):
            raise error
        raise unreachable(error, self.base, retry.may_have_arrived(error)) from error


def _is_temporary(response: Response) -> bool:
    """Whether the next attempt may get another answer: the server was busy, or this is cut off."""
    if retry.may_retry_status("GET", response.status_code):
        return True
    return response.status_code == 200 and _received(response, 0.0).body == "text"


def _received(response: Response, seconds: float) -> Received:
    """An answer, with its content if it is a JSON object."""
    status, headers = response.status_code, tuple(response.headers)
    if not response.content.strip():
        return Received(status, "empty", seconds, headers)
    try:
        content = read_json(response.content.decode("utf-8-sig"))
    except ValueError:
        is_page = response.content.lstrip()[:1] == b"<"
        return Received(status, "html" if is_page else "text", seconds, headers)
    return Received(
        status, "json", seconds, headers, content if isinstance(content, dict) else None
    )
