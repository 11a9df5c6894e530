"""Runs stemctl in processes that can be killed at a chosen point, without paying for a start of
Python each time.

One process imports stemctl and then forks a child for each command that it is told of on stdin
(JSON, one a line). The child is a real process: SIGKILL ends it wherever it is. Points are the
moments before and after each request, and before each call that makes something durable, and before
and after each git; the child is killed at point number `kill_at`.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tests.git.quick import set_lease
from tests.support.paths import PROJECT


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, None if it was killed; how many points it passed; what it
    said.
    """

    code: int | None
    points: int
    counts: dict[str, int]
    said: str


COUNTED = {
    "requests": b"r",
    "faults": b"f",
    "retries": b"t",
    "other_record": b"O",
    "known_id": b"K",
    "altered_value": b"A",
    "foreign_404": b"4",
    "edit_in_pause": b"E",
    "bomb": b"B",
    "given_up": b"P",
}
"""What is counted of a command, each in a byte: faults that only the sandbox knows by the header
that names them.
"""


class Runner:
    """The process that forks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.runner"],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "BRAINSTEM_TOKEN": "sandbox-user", "COLUMNS": "120"},
        )

    def run(
        self,
        *arguments: str,
        kill_at: int | None = None,
        kill_after: float | None = None,
        clock: float = 0,
        largest: int | None = None,
        lease: float | None = None,
        deadline: float | None = None,
    ) -> Ended:
        """Run a command; `kill_after` is in seconds, `clock` how many seconds its clock is ahead,
        `largest` the bytes after which no file takes more, as on a full disk, `lease` the seconds
        that a claim holds, `deadline` those after which an answer without an end is given up.
        """
        order = {
            "argv": arguments,
            "kill_at": kill_at,
            "kill_after": kill_after,
            "clock": clock,
            "largest": largest,
        }
        order |= {"lease": lease, "deadline": deadline}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({**order, "folder": str(self._folder)}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        said = (self._folder / "said.txt").read_text(encoding="utf-8", errors="replace")
        code = os.waitstatus_to_exitcode(answer["status"])
        if code < 0:
            assert code == -signal.SIGKILL, said
        counts = {name: answer[name] for name in COUNTED}
        return Ended(None if code < 0 else code, answer["points"], counts, said)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)
        self._process.stdout.close()


@contextlib.contextmanager
def runner(folder: Path) -> Iterator[Runner]:
    """A runner whose commands leave what they say in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    found = Runner(folder)
    try:
        yield found
    finally:
        found.close()


# what follows runs in the process that forks, and in its children


def _serve() -> None:
    import asyncio  # noqa: F401 - loaded once, for all children
    import sqlite3  # noqa: F401

    import rich.progress  # noqa: F401

    import stemctl.cli.cmd.apply
    import stemctl.cli.cmd.plan
    import stemctl.cli.cmd.resolve
    import stemctl.commands.plan
    import stemctl.git.history  # noqa: F401

    for line in sys.stdin:
        order = json.loads(line)
        points = Path(order["folder"]) / "points"
        points.write_bytes(b"")
        output, said = os.pipe()  # no file: what is said must not be a victim of a full disk
        child = os.fork()
        if child == 0:
            _child(order, said)
        os.close(said)
        with open(output, "rb") as stream:
            reader = threading.Thread(
                target=_keep, args=(stream, Path(order["folder"]) / "said.txt")
            )
            reader.start()
            status = _wait(child, order["kill_after"])
            reader.join()
        passed = points.read_bytes()
        counts = {name: passed.count(kind) for name, kind in COUNTED.items()}
        answer = {
            "status": status,
            "points": sum(passed.count(kind) for kind in (b"r", b"a", b"d", b"g")),
            **counts,
        }
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _keep(stream: BinaryIO, path: Path) -> None:
    path.write_bytes(stream.read())


def _wait(child: int, kill_after: float | None) -> int:
    if kill_after is not None:
        deadline = time.monotonic() + kill_after
        while time.monotonic() < deadline:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return status
            time.sleep(0.001)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _child(order: dict[str, Any], said: int) -> None:
    folder = Path(order["folder"])
    for stream in (1, 2):
        os.dup2(said, stream)
    os.close(0)
    code = 99
    from stemctl.cli.main import run
    from stemctl.client import retry

    try:
        _patch(folder / "points", order["kill_at"], order["clock"])
        if order["lease"] is not None:
            set_lease(order["lease"])
        if order["deadline"] is not None:
            retry.DEADLINE = order["deadline"]
        if order["largest"] is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["largest"], order["largest"]))
        code = run(list(order["argv"]))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _patch(points: Path, kill_at: int | None, ahead: float) -> None:
    """Count the points, die at the one that is wanted, pause for less long, and set the clock."""
    import asyncio
    import datetime

    import httpx

    from stemctl.client import client, retry
    from stemctl.commands import plan
    from stemctl.git import process
    from stemctl.state import git_backend, journal, store

    passed = os.open(points, os.O_WRONLY | os.O_APPEND)
    write = os.write
    count = 0

    def point(kind: bytes) -> None:
        nonlocal count
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        write(passed, kind)

    def watched(name: str) -> None:
        real = getattr(os, name)

        def call(*arguments: Any, **options: Any) -> Any:
            point(b"d")
            return real(*arguments, **options)

        setattr(os, name, call)

    for name in ("write", "fsync", "replace"):
        watched(name)
    handle = httpx.AsyncHTTPTransport.handle_async_request
    read_response = client.read_response  # type: ignore[attr-defined]

    async def watched_request(
        self: httpx.AsyncHTTPTransport, request: httpx.Request
    ) -> httpx.Response:
        point(b"r")
        try:
            response = await handle(self, request)
        except httpx.HTTPError:
            write(passed, b"f")
            raise
        except asyncio.CancelledError:
            write(passed, b"P")
            raise
        write(passed, COUNTED.get(response.headers.get("sandbox-fault", ""), b""))
        if response.status_code == 429 or response.status_code >= 500:
            write(passed, b"f")
        point(b"a")
        return response

    def read_watched(*arguments: Any) -> Any:
        try:
            return read_response(*arguments)
        except client.NotTheApi:
            write(passed, b"f")
            raise

    def backoff(attempt: int) -> float:
        write(passed, b"t")
        return 0.002 * attempt

    def clock() -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=ahead)

    real_git, real_place = process.Git.run, git_backend.GitBackend

    def watched_git(self: process.Git, *words: str, **options: Any) -> bytes:
        point(b"g")
        try:
            return real_git(self, *words, **options)
        finally:
            point(b"g")

    process.Git.run = watched_git  # type: ignore[method-assign]
    git_backend.GitBackend = functools.partial(real_place, clock=clock)  # type: ignore[misc,assignment]
    httpx.AsyncHTTPTransport.handle_async_request = watched_request  # type: ignore[method-assign]
    client.read_response = read_watched  # type: ignore[attr-defined]
    retry.backoff = backoff
    for module in (journal, store, plan):
        module.utc_now = clock  # type: ignore[attr-defined]


if __name__ == "__main__":
    _serve()
