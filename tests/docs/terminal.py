"""A command typed at a terminal of a fixed size, and what the terminal then holds."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

QUESTION = b": "


def environ(**more: str) -> dict[str, str]:
    """The environment, with this stemctl first on the path, and nothing that changes its output."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BRAINSTEM_", "STEMCTL_", "GITHUB_", "GITLAB_", "CI"))
        and name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **more}


def typed(
    command: str,
    folder: Path,
    env: Mapping[str, str],
    *,
    columns: int = 100,
    answers: Sequence[str] = (),
) -> tuple[int, str]:
    """The exit code of a command of a shell, and what the terminal got, with what was answered."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=folder,
        env=dict(env),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    read, waiting = b"", list(answers)
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the end, on Linux
            break
        if not piece:
            break
        read += piece
        if waiting and read.rstrip(b"\x1b[0m").endswith(b": "):
            os.write(ours, f"{waiting.pop(0)}\n".encode())
    os.close(ours)
    return process.wait(), read.decode().replace("\r\n", "\n")
