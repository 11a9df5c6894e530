"""A command typed at a terminal of a fixed size, and what the terminal then shows."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

_OURS = ("BRAINSTEM_", "STEMCTL_", "GIT", "CI")
_LOOKS = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")


def environ(**more: str) -> dict[str, str]:
    """The environment of a new user, with this stemctl on the path."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OURS) and name not in _LOOKS
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
    """The exit code of a command, and what the terminal shows; each question gets an answer."""
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
        if waiting and read.endswith(b": "):
            os.write(ours, f"{waiting.pop(0)}\n".encode())
    os.close(ours)
    return process.wait(), _shown(read.decode())


def _shown(text: str) -> str:
    """What is left on the screen: a machine that is busy shows its progress for a while."""
    text = re.sub(r"\x1b\[(?![\d;]*m)[?\d;]*[A-Za-z]", "\r", text.replace("\r\n", "\n"))
    text = re.sub(r"Sending [^\x1b]*? in flight\.\n", "", text)
    return re.sub(r"[^\n]*\r", "", text)
