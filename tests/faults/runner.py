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
from types import ModuleType
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
        """Run a command; `kill_after` is in seconds from its first write request, `clock` how many
        seconds its clock is ahead, `largest` the bytes after which no file takes more, as on a full
        disk, `lease` the seconds that a lease lasts, `deadline` those after which an answer without
        an end is given up.
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
            status = _wait(child, order["kill_after"], points)
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


def _wait(child: int, kill_after: float | None, points: Path) -> int:
    deadline = None
    while kill_after is not None:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        if deadline is None and b"w" in points.read_bytes():
            deadline = time.monotonic() + kill_after
        if deadline is not None and time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            break
        time.sleep(0.001)
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
        _patch(_Points(folder / "points", order["kill_at"]), order["clock"])
        if order["lease"] is not None:
            set_lease(order["lease"])
        if order["deadline"] is not None:
            _replace(retry, "DEADLINE", order["deadline"])
        if order["largest"] is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["largest"], order["largest"]))
        code = run(list(order["argv"]))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


class _Points:
    """What a command passes, counted in a file, and the point at which it is killed."""

    def __init__(self, path: Path, kill_at: int | None) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND)
        self._kill_at = kill_at
        self._passed = 0
        self._write = os.write  # without the point that is set before each write

    def note(self, kind: bytes) -> None:
        self._write(self._file, kind)

    def point(self, kind: bytes) -> None:
        self._passed += 1
        if self._passed == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.note(kind)


def _patch(points: _Points, ahead: float) -> None:
    """Count the points, die at the chosen one, shorten pauses, and set the clock."""
    for name in ("write", "fsync", "replace"):
        _watch_disk(points, name)
    _watch_requests(points)
    _watch_answers(points)
    _watch_git(points)
    _set_clock(ahead)


def _watch_disk(points: _Points, name: str) -> None:
    real = getattr(os, name)

    def call(*arguments: Any, **options: Any) -> Any:
        points.point(b"d")
        return real(*arguments, **options)

    setattr(os, name, call)


def _watch_requests(points: _Points) -> None:
    import asyncio

    from stemctl.client.connections import Connections
    from stemctl.client.failures import NoResponse
    from stemctl.client.http_types import Incoming, Request, by_name

    send = Connections.send

    async def watched(self: Connections, request: Request) -> Incoming:
        points.point(b"r")
        if request.method != "GET":
            points.note(b"w")
        try:
            incoming = await send(self, request)
        except NoResponse:
            points.note(b"f")
            raise
        except asyncio.CancelledError:
            points.note(b"P")
            raise
        points.note(COUNTED.get(by_name(incoming.headers).get("sandbox-fault", ""), b""))
        if incoming.status == 429 or incoming.status >= 500:
            points.note(b"f")
        points.point(b"a")
        return incoming

    # The class, since the program that is watched makes its own connections.
    Connections.send = watched  # type: ignore[method-assign]


def _watch_answers(points: _Points) -> None:
    from stemctl.client import client, retry

    real = client.read_response  # type: ignore[attr-defined]

    def watched(*arguments: Any) -> Any:
        try:
            return real(*arguments)
        except client.NotTheApi:
            points.note(b"f")
            raise

    def backoff(attempt: int) -> float:
        points.note(b"t")
        return 0.002 * attempt

    _replace(client, "read_response", watched)
    _replace(retry, "backoff", backoff)


def _replace(module: ModuleType, name: str, new: object) -> None:
    """Replace what a module has; a name that it no longer has would change nothing."""
    assert hasattr(module, name), f"{module.__name__} has no {name}"
    setattr(module, name, new)


def _watch_git(points: _Points) -> None:
    from stemctl.git import process

    real = process.Git.run

    def watched(self: process.Git, *args: str, **options: Any) -> bytes:
        points.point(b"g")
        try:
            return real(self, *args, **options)
        finally:
            points.point(b"g")

    process.Git.run = watched  # type: ignore[method-assign]


def _set_clock(ahead: float) -> None:
    import datetime

    from stemctl.commands import plan
    from stemctl.state import git_backend, journal, lock, recovery, run_log

    def clock() -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=ahead)

    for module in (journal, lock, plan, recovery, run_log):
        _replace(module, "utc_now", clock)
    real = git_backend.GitBackend
    git_backend.GitBackend = functools.partial(real, clock=clock)  # type: ignore[misc,assignment]


if __name__ == "__main__":
    _serve()
