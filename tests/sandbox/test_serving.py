"""A sandbox that is served to other programs, by real processes."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.support.lab import Lab


@contextmanager
def served(lab: Lab) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """`sandbox serve`, and the lines that it printed first."""
    command = [sys.executable, "-m", "stemctl", "-C", str(lab.root), "sandbox", "serve"]
    with subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, [process.stdout.readline() for _ in range(3)]
        finally:
            process.kill()


def marks(lab: Lab) -> int:
    return len(list((lab.root / ".stemctl").glob("sandbox.serve-*.lock")))


def test_a_served_sandbox_is_not_deleted_and_one_whose_server_was_killed_is(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.apply()
    with served(lab) as (process, _):
        result = lab.run("sandbox", "reset")
        assert result.code == 1
        assert f"The sandbox is being served (process {process.pid})." in result.err
        assert "Nothing was changed." in result.err
        assert lab.plan()["changes"] == [], "commands use the same database meanwhile"
        with served(lab) as (other, _):
            err = lab.run("sandbox", "reset").err
            assert str(process.pid) in err
            assert str(other.pid) in err
        assert marks(lab) == 2
    assert lab.run("sandbox", "reset").code == 0
    assert marks(lab) == 0
    assert len(lab.plan()["changes"]) == 1


def test_a_server_that_is_stopped_leaves_no_mark(lab: Lab) -> None:
    with served(lab) as (process, _):
        process.send_signal(signal.SIGINT)
        process.wait(30)
        assert marks(lab) == 0


def test_the_line_for_the_official_client_works(lab: Lab) -> None:
    with served(lab) as (_, lines):
        found = re.search(r'BrainstemClient\(token="([^"]+)", url="([^"]+)"\)', lines[2])
        assert found is not None
        token, url = found.groups()
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.get(f"{url}api/private/stem/session/", headers=headers)
        assert answer.json()["sessions"] == []
