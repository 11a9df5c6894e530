"""The wire between stemctl and a server that has an address: requests are noted, and answered by a
sandbox or worse.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from stemctl.client.connections import Connections
from stemctl.client.http_types import Incoming, Request
from stemctl.client.over_httpx import OverHttpx
from stemctl.sandbox.api import create_app
from stemctl.sandbox.database import Database
from stemctl.schema.catalog import load_catalog

CANARY = "canary-7f3a9c51/e0b24d68+token="
ADDRESS = "http://127.0.0.1:8000/"
CONFIG = f"""\
manifests: [records]
default_server: there
servers:
  there: {{url: "{ADDRESS}", edition: 2024}}
  sandbox: {{url: "sandbox:", seed: seed.yaml}}
"""

Seed = Mapping[str, list[Mapping[str, Any]]]
PROJECTS: Seed = {"projects": [{"name": "Theta Maze Study"}]}

Fault = Callable[[httpx.Request], "httpx.Response | None"]


@dataclass
class Wire:
    """All requests. A fault may answer one or raise; otherwise the sandbox answers."""

    requests: list[httpx.Request] = field(default_factory=list)
    fault: Fault = lambda request: None

    @property
    def told(self) -> set[str]:
        """The hosts that were sent a token."""
        return {request.url.host for request in self.requests if "authorization" in request.headers}


@contextlib.contextmanager
def tapped(
    monkeypatch: pytest.MonkeyPatch, edition: str = "2024", seed: Seed = PROJECTS
) -> Iterator[Wire]:
    """No request leaves this process; the sandbox behind the wire knows the canary as its
    administrator.
    """
    wire = Wire()
    with contextlib.closing(Database(None, load_catalog(edition))) as database:
        database.seed(seed)
        database.query("INSERT INTO tokens VALUES (?, ?)", (CANARY, "admin@sandbox.example"))
        app = httpx.ASGITransport(create_app(database))

        async def send(self: Connections, request: Request) -> Incoming:
            (host,) = [value.decode() for name, value in request.headers if name == b"Host"]
            return await OverHttpx(_Tap(wire, app), f"http://{host}/").send(request)

        monkeypatch.setattr(Connections, "send", send)
        yield wire


@dataclass
class _Tap(httpx.AsyncBaseTransport):
    """Notes each request, and answers it."""

    wire: Wire
    app: httpx.AsyncBaseTransport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.wire.requests.append(request)
        answer = self.wire.fault(request)
        return answer if answer is not None else await self.app.handle_async_request(request)


def files_with(text: str, *folders: Path) -> list[Path]:
    """The files below some folders that hold a text."""
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in found if text.encode() in path.read_bytes()]
