"""The record of a run, compressed so that its first and last line can be read alone.

It is a gzip file of three members: the first line, the lines between, and the last line. Any
program that reads gzip sees one text.
"""

from __future__ import annotations

import gzip
import os
import shutil
import zlib
from pathlib import Path
from typing import BinaryIO

from stemctl.errors import StateError, Untouched
from stemctl.util.atomic_file import sync_folder

SUFFIX = ".jsonl.gz"

_LEVEL = 3
"""Half the time of the usual level, for files that are a tenth larger."""
_TAIL = 4096
"""Bytes from the end of a record within which its last line begins, if that line ends the run."""
_BLOCK = 1024 * 1024
_MEMBER = b"\x1f\x8b\x08\x00"
"""How each member begins: gzip, deflate, nothing optional."""


def pack(source: Path, target: Path) -> None:
    """Replace a record by its compressed form, which is on the disk before the record goes.

    Raises:
        OSError: it cannot be read or written; then the record is still there.
    """
    temporary = target.with_name(target.name + ".new")
    temporary.unlink(missing_ok=True)
    try:
        with open(source, "rb") as lines, open(temporary, "xb") as file:
            _write(lines, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        sync_folder(target.parent)
    except BaseException:  # Ctrl-C too must not leave half a file
        temporary.unlink(missing_ok=True)
        raise
    source.unlink()


def _write(lines: BinaryIO, file: BinaryIO) -> None:
    _, last = ends_of_lines(lines)
    left = lines.seek(0, os.SEEK_END) - len(last)
    lines.seek(0)
    file.write(gzip.compress(first := lines.readline(), _LEVEL, mtime=0))
    left -= len(first)
    with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as member:
        while left > 0 and (block := lines.read(min(left, _BLOCK))):
            member.write(block)
            left -= len(block)
    with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as member:
        shutil.copyfileobj(lines, member)


def ends_of_lines(lines: BinaryIO) -> tuple[bytes, bytes]:
    """The first line and the last one, which is only looked for near the end."""
    lines.seek(0)
    first = lines.readline()
    lines.seek(max(len(first), lines.seek(0, os.SEEK_END) - _TAIL))
    tail = lines.read()
    return first, tail[tail.rstrip(b"\n").rfind(b"\n") + 1 :]


def unpacked(content: bytes, where: str) -> bytes:
    """The lines of a packed record.

    Raises:
        StateError: it is damaged.
    """
    try:
        if not content:
            raise EOFError("It is empty.")
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise StateError(
            f"{where} is damaged.",
            f"It is the record of a past run. {error}",
            [(f"rm {where}", "goes on without this record")],
            Untouched.NOTHING_SENT,
        ) from error


def ends_of_packed(path: Path) -> tuple[bytes, bytes]:
    """The first and the last line of a packed record; empty where they cannot be read alone."""
    with open(path, "rb") as file:
        beginning = file.read(_TAIL)
        file.seek(max(0, path.stat().st_size - _TAIL))
        tail = file.read()
    return _member(beginning), _member(tail[max(0, tail.rfind(_MEMBER)) :])


def _member(content: bytes) -> bytes:
    """The first member of a gzip file."""
    try:
        return zlib.decompressobj(wbits=31).decompress(content, _BLOCK)
    except zlib.error:
        return b""
