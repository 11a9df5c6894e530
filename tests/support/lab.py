"""A metadata repository to test in: its files, its sandbox, the commands of stemctl, and what they
requested.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from stemctl.cli.main import run
from stemctl.client.over_asgi import OverAsgi
from stemctl.client.over_httpx import OverHttpx
from stemctl.commands import connection, workspace
from stemctl.sandbox.api import create_app
from stemctl.sandbox.database import Database
from stemctl.sandbox.in_process import app_over
from stemctl.schema.catalog import load_catalog
from tests.support.as_httpx import AsHttpx

CONFIG = """\
manifests: [records]
default_server: sandbox
servers:
  sandbox: {url: "sandbox:", seed: seed.yaml}
"""

SEED = """\
projects:
  - {name: Theta Maze Study}
  - {name: Whisker Touch Study}
  - name: Songbird Study
    users: {other@elsewhere.example: {can_change: true, is_manager: true, is_owner: true}}
sensory_stimulus_types:
  - {name: Auditory, description: Auditory cue}
"""


@dataclass(frozen=True)
class Result:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Sent:
    """One request that a command made."""

    method: str
    path: str
    body: Any
    query: str = ""


def run_in_process(*arguments: str) -> Result:
    """Run a command line of stemctl in this process."""
    out, err = (
        io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)
    )
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(list(arguments))
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]  # type: ignore[attr-defined]
    return Result(code, texts[0], texts[1])


Intercept = Callable[[httpx.Request], "httpx.Response | None"]


@dataclass
class Lab:
    """One repository in a temporary folder, with the sandbox inside this process.

    `requests` are those of the last command. `intercept` may answer a request in place of the
    sandbox, or raise; `after` may replace the sandbox's answer. `totals` is how the sandbox counts
    its lists.
    """

    root: Path
    monkeypatch: pytest.MonkeyPatch
    requests: list[Sent] = field(default_factory=list)
    intercept: Intercept = lambda request: None
    after: Callable[[httpx.Request, httpx.Response], httpx.Response] = lambda request, response: (
        response
    )
    totals: str = "both"

    def __post_init__(self) -> None:
        self.write("stemctl.yaml", CONFIG)
        self.write("seed.yaml", SEED)
        self.monkeypatch.setattr(connection, "sandbox_transport", self._transport)

    def write(self, name: str, text: str) -> None:
        """Write a file of the repository."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")

    def sessions(self, *records: str, name: str = "records/sessions.yaml") -> None:
        """Declare sessions, each as flow mapping text, all in the same project."""
        lines = "".join(f"  - {record}\n" for record in records) or "  []\n"
        text = f"defaults:\n  sessions:\n    projects: [Theta Maze Study]\nsessions:\n{lines}"
        self.write(name, text)

    def run(self, *arguments: str, token: str | None = None) -> Result:
        """Run a command in this repository."""
        self.requests.clear()
        with pytest.MonkeyPatch.context() as patch:
            if token is not None:
                patch.setenv("BRAINSTEM_TOKEN", token)
            return run_in_process("-C", str(self.root), *arguments)

    def apply(self, *arguments: str) -> Result:
        """Apply unasked, which must end well."""
        result = self.run("apply", "--auto-approve", *arguments)
        assert result.code == 0, result.said
        return result

    def plan(self, *arguments: str) -> Any:
        """The plan document."""
        return self.run("plan", "-o", "json", *arguments).json

    @property
    def writes(self) -> list[Sent]:
        """The requests of the last command that were no GET."""
        return [sent for sent in self.requests if sent.method != "GET"]

    @property
    def state(self) -> Any:
        """The state file as JSON."""
        return json.loads(
            (self.root / ".stemctl" / "sandbox.state.json").read_text(encoding="utf-8")
        )

    def api(self, method: str, path: str, body: Any = None, token: str = "sandbox-user") -> Any:
        """What another client would do; `path` stands below the private portal."""
        return asyncio.run(self._api(method, path, body, token))

    async def _api(self, method: str, path: str, body: Any, token: str) -> Any:
        with self.database() as database:
            transport = httpx.ASGITransport(create_app(database))
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://sandbox", headers=headers
            ) as client:
                response = await client.request(method, f"/api/private/{path}", json=body)
        assert response.status_code < 400, response.text
        return response.json() if response.content else None

    @contextlib.contextmanager
    def database(self) -> Iterator[Database]:
        """The sandbox's database, filled from the seed if it is new."""
        space = workspace.open_workspace(self.root, "sandbox")
        with contextlib.closing(connection.open_sandbox(space)) as database:
            yield database

    def live(self, model: str, name: str, token: str = "sandbox-user") -> dict[str, Any]:
        """A live record by its name."""
        table = load_catalog("2024").models[model]
        answer = self.api("GET", f"{table.app}/{model}/?filter{{name}}={name}", token=token)
        (record,) = answer[table.many]
        return dict(record)

    def edit(self, model: str, name: str, **fields: Any) -> None:
        """Change a live record in the browser, so to say."""
        table = load_catalog("2024").models[model]
        self.api("PATCH", f"{table.app}/{model}/{self.live(model, name)['id']}/", fields)

    @contextlib.contextmanager
    def _transport(self, space: workspace.Workspace) -> Iterator[OverHttpx]:
        totals: Any = self.totals
        with (
            contextlib.closing(connection.open_sandbox(space)) as database,
            app_over(database, self.root, space.server.faults, totals=totals) as app,
        ):
            yield OverHttpx(_Recording(AsHttpx(OverAsgi(app)), self), "http://sandbox/")


class _Recording(httpx.AsyncBaseTransport):
    """Notes every request, and lets the test answer in place of the sandbox."""

    def __init__(self, inner: httpx.AsyncBaseTransport, lab: Lab) -> None:
        self.inner = inner
        self.lab = lab

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        path = request.url.path.removeprefix("/api/private/").removeprefix("/api/")
        body = json.loads(content) if content else None
        self.lab.requests.append(Sent(request.method, path, body, request.url.query.decode()))
        answer = self.lab.intercept(request)
        if answer is not None:
            return answer
        response = await self.inner.handle_async_request(request)
        await response.aread()
        return self.lab.after(request, response)

    async def aclose(self) -> None:
        await self.inner.aclose()
