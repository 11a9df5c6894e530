"""The standard streams. A process may be started without one of them (`<&-`, `>&-`, `2>&-`)."""

from __future__ import annotations

import os
import sys

_MODES = {"stdin": "r", "stdout": "w", "stderr": "w"}
"""By file descriptor: 0, 1, 2."""


def fill_in() -> None:
    """Replace standard streams that are closed by the null device.

    Otherwise the next file that is opened gets the number of such a stream: a line for stdout would
    end up in a journal, and git would read the journal as its stdin.
    """
    for number, (name, mode) in enumerate(_MODES.items()):
        if not _is_open(number):
            _open_null(number, os.O_RDONLY if mode == "r" else os.O_WRONLY)
        if getattr(sys, name) is None:
            stream = open(number, mode, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 - stays open
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def silence(name: str) -> None:
    """Discard the rest of a stream, since flushing its buffer at exit would fail once more."""
    setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for the rest of the process


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _open_null(number: int, flags: int) -> None:
    """Open the null device under a number that is free. Child processes inherit it."""
    opened = os.open(os.devnull, flags)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
    os.set_inheritable(number, True)
