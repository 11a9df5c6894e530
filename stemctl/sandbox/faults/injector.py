"""An ASGI application that applies faults to the requests of another one."""

from __future__ import annotations

from pathlib import Path

from stemctl.errors import ConfigError
from stemctl.sandbox.asgi import ASGIApp, Receive, Scope, Send, read_content, respond
from stemctl.sandbox.faults.counts import Counts
from stemctl.sandbox.faults.kinds import KEYS, KINDS, Exchange, Tasks, replay
from stemctl.sandbox.faults.script import IncomingRequest, Script, read_script
from stemctl.schema.catalog import Catalog


class WithFaults:
    """The app with a fault script, which is read again for each request.

    While the script cannot be read or is invalid, every reply is a 500 with the reason. `late` has
    delayed requests, whose clients may be gone.
    """

    def __init__(self, app: ASGIApp, path: Path, catalog: Catalog) -> None:
        self._app = app
        self._path = path
        self._catalog = catalog
        self._counts = Counts()
        self._read: tuple[bytes, Script] | None = None
        self.late: Tasks = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or apply a fault to it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        content = await read_content(receive)
        if content is None:
            return
        request = IncomingRequest(scope["method"], _below_portal(scope["path"]), content)
        try:
            fault = self._counts.striking(self._script(), request)
        except ConfigError as error:
            texts = ("The fault script of this sandbox is invalid.", error.what, error.why)
            detail = " ".join(texts).rstrip()
            await respond(send, 500, {"detail": detail})
            return
        if fault is None:
            await self._app(scope, replay(content), send)
            return
        exchange = Exchange(
            fault, content, self._app, self._catalog, self.late, scope, receive, send
        )
        await KINDS[fault.fault].strike(exchange)

    def _script(self) -> Script:
        """The current script. It is only parsed again if the file has changed.

        Raises:
            ConfigError: it cannot be read or is invalid.
        """
        try:
            content = self._path.read_bytes()
        except OSError:
            content = b""
        if self._read is None or not content or self._read[0] != content:
            self._read = (content, read_script(self._path, KEYS))
        return self._read[1]


def _below_portal(path: str) -> str | None:
    match path.split("/", 3):
        case ["", "api", _, rest]:
            return f"{rest.removesuffix('/')}/"
    return None
