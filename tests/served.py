"""A sandbox as a real process on a loopback port."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn

from stemctl import workflow
from stemctl.sandbox.app import create_app


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Run `stemctl sandbox serve` in a folder; gives its URL."""
    command = [sys.executable, "-u", "-m", "stemctl", "-C", str(folder), "sandbox", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            assert found, line + process.stdout.read()
            yield found[0]
        finally:
            process.terminate()
            process.wait(timeout=20)


@contextlib.contextmanager
def serve_slowly(folder: Path, seconds: float) -> Iterator[tuple[str, list[str]]]:
    """A sandbox in a thread that takes its time over every write; gives its URL and the writes that arrived."""
    arrived: list[str] = []
    space = workflow.open_workspace(folder, "sandbox")
    with contextlib.closing(workflow.open_sandbox(space)) as database, socket.socket() as listener:
        app = create_app(database)

        async def slow(scope: Any, receive: Any, send: Any) -> None:
            if scope["method"] != "GET":
                arrived.append(f"{scope['method']} {scope['path']}")
                await asyncio.sleep(seconds)
            await app(scope, receive, send)

        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        server = uvicorn.Server(uvicorn.Config(slow, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/", arrived
        finally:
            server.should_exit = True
            thread.join()
