"""Files that are on the disk whole, whatever happens while they are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def replace_file(path: Path, text: str | Iterator[str], mode: int | None = None) -> None:
    """Write a file at once: readers find the old text or the new one. The new text is on the disk
    before this returns.

    The text may come in pieces. `mode` is its permissions; without it, those of any new file.
    """
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)  # a committed link would lead elsewhere
    try:
        with open(temporary, "x", encoding="utf-8", errors="surrogatepass", newline="\n") as file:
            file.writelines([text] if isinstance(text, str) else text)
            file.flush()
            if mode is not None:
                os.chmod(temporary, mode)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename itself durable, where a folder can be synced (not on Windows)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
