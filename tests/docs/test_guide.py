"""Guides are typed word by word in a shell, which goes on from one command to the next."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import PROJECT

_DONE = "@done@"


class Shell:
    """One bash that goes on from command to command, with its folder, variables and children."""

    def __init__(self, folder: Path) -> None:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.process = subprocess.Popen(
            ["bash"],
            cwd=folder,
            env={**os.environ, "PATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str) -> tuple[int, str]:
        """The exit code of a command, and what it said."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\ncode=$?; echo; echo {_DONE} $code\n")
        self.process.stdin.flush()
        lines: list[str] = []
        while not (line := self.process.stdout.readline()).startswith(_DONE):
            assert line, "".join(lines)
            lines.append(line)
        return int(line.split()[1]), "".join(lines)[:-1]

    def end(self) -> None:
        """End the shell and the server that it began."""
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(20)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    found = Shell(tmp_path)
    yield found
    found.end()


def steps(text: str) -> Iterator[tuple[str, int, str]]:
    """Each command of the guide, its exit code, and its output; blocks of sh have no output."""
    for _, kind, block in re.findall(
        r"^(````?)(sh|console)\n(.*?)^\1$", text, re.DOTALL | re.MULTILINE
    ):
        if kind == "sh":
            yield block, 0, ""
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, said = part.partition("\n")
            command, _, code = line.partition("  # exit code ")
            yield command, int(code or 0), said


def masked(text: str) -> str:
    """A text without what is another one each time."""
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
    second_run = r"(-\d+)?"  # of the same second
    text = re.sub(rf"{moment}{second_run}(?=$|[ ,.)\"])", "TIME", text, flags=re.MULTILINE)
    text = re.sub(r"\bTIME {2,}", "TIME  ", text)  # a column is as wide as its longest time
    text = re.sub(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{64}\b|\b[0-9a-f]{40}\b", "ID", text
    )
    text = re.sub(r"\b(?=[a-f]*\d)([0-9a-f]{12}|[0-9a-f]{7})\b", "ID", text)
    text = re.sub(r"\bapproval [0-9a-f]{8}$", "approval ID", text, flags=re.MULTILINE)
    text = re.sub(r"\b[\w-]+@[\w.-]+(?=$| {2,})", "WHO", text, flags=re.MULTILINE)
    text = re.sub(r"\d+\.\d s\b", "N s", text)
    return re.sub(r"(?:^ *[+~-] \S+ +created +ID\n)+", _sorted_lines, text, flags=re.MULTILINE)


def _sorted_lines(rows: re.Match[str]) -> str:
    """What was created at the same time, in one order: the server may answer in another."""
    return "".join(sorted(rows[0].splitlines(keepends=True)))


def ports(text: str) -> tuple[str, str]:
    """The port of a page's server, and one that is free here."""
    found = re.search(r"--port (\d+)", text)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return found[1] if found else "no port", str(free.getsockname()[1])


def test_runs_of_one_second_look_like_runs_of_two() -> None:
    apart = """\
2026-11-26T16:10:24Z    root@vm    commit 9b1fb69    2 applied
2026-11-26T16:10:08Z    root@vm    no commit         2 applied
"""
    together = """\
2026-11-27T00:57:28Z-2    ann@lab    commit c16741d    2 applied
2026-11-27T00:57:28Z      ann@lab    no commit         2 applied
"""
    assert masked(together) == masked(apart)


def test_guides_can_be_typed_one_after_the_other_in_one_shell() -> None:
    """Each has a folder and a port of its own, and leaves no server, token or folder behind."""
    pages = {page.stem: page.read_text("utf-8") for page in (PROJECT / "docs").glob("*.md")}
    starts = re.compile(r"sandbox serve --port \d+ >+ server\.log")
    served = {name: text for name, text in pages.items() if starts.search(text)}
    assert {"bring-your-lab", "ci", "plan", "state"} <= set(served)
    assert len({ports(text)[0] for text in served.values()}) == len(served)
    for name, text in served.items():
        blocks = [command for command, _, _ in steps(text)]
        assert re.search(r"^mkdir ([\w-]+-guide) && cd \1\b", blocks[0], re.M), name
        assert 'grep -qs "running at"' in blocks[0], name
        assert blocks[-1].startswith("kill $server; wait $server 2> /dev/null\nunset "), name
        assert "\ncd ../..\n" in blocks[-1], name
        assert ("export BRAINSTEM_TOKEN" in text) == ("unset BRAINSTEM_TOKEN" in text), name
