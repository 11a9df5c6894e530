"""A sandbox as a real process on a loopback port."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn

from stemctl.commands import connection, workspace
from stemctl.sandbox.api import create_app


@contextlib.contextmanager
def serve(folder: Path, *options: str) -> Iterator[str]:
    """Run `stemctl sandbox serve` in a folder; gives its URL. It must have nothing to complain of
    in the end.
    """
    command = [
        sys.executable,
        "-u",
        "-m",
        "stemctl",
        "-C",
        str(folder),
        "sandbox",
        "serve",
        "--port",
        "0",
        *options,
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            assert found, line + process.stdout.read()
            yield found[0]
        finally:
            process.terminate()
            process.wait(timeout=20)
        noise = process.stdout.read()
        assert "ERROR" not in noise, noise


@contextlib.contextmanager
def serve_app(app: Any) -> Iterator[str]:
    """An application in a thread; gives its URL."""
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)  # whoever connects before the server is up waits in line
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()


class Gate:
    """Holds every write that arrives until it is opened; knows which have arrived and which were
    carried out.
    """

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.arrived: list[str] = []
        self.done: list[str] = []

    def wait_for(self, number: int, what: str = "arrived") -> None:
        """Wait until so many writes have arrived, or are done."""
        deadline = time.monotonic() + 60
        while len(getattr(self, what)) < number:
            assert time.monotonic() < deadline, f"{what}: {getattr(self, what)}"
            time.sleep(0.01)


@contextlib.contextmanager
def serve_behind(gate: Gate, folder: Path) -> Iterator[str]:
    """A sandbox in a thread whose writes wait at a gate; gives its URL."""
    space = workspace.open_workspace(folder, "sandbox")
    with contextlib.closing(connection.open_sandbox(space)) as database:
        app = create_app(database)

        async def gated(scope: Any, receive: Any, send: Any) -> None:
            if scope["method"] == "GET":
                await app(scope, receive, send)
                return
            request = (
                await receive()
            )  # a request that has arrived whole is carried out, even if its sender dies
            gate.arrived.append(f"{scope['method']} {scope['path']}")
            while not gate.opened.is_set():
                await asyncio.sleep(0.01)
            messages = iter([request])

            async def again() -> Any:
                return next(messages, {"type": "http.disconnect"})

            await app(scope, again, send)
            gate.done.append(gate.arrived[len(gate.done)])

        with serve_app(gated) as url:
            try:
                yield url
            finally:
                gate.opened.set()
