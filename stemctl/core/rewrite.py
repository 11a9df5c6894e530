"""What files should say instead of what they say: new texts, and what could not be done."""

from __future__ import annotations

from msgspec import Struct, field

from stemctl.core.diagnostics import Diagnostic
from stemctl.core.records import Address


class FileChange(Struct, frozen=True):
    """A file before and after, as bytes. `old` is None for a file that is new."""

    file: str
    old: bytes | None
    new: bytes


class Refusal(Struct, frozen=True):
    """A file that cannot be edited safely: where and why, the edits to make by hand, and the
    records that they are about. `line` is counted from 1.
    """

    file: str
    line: int
    why: str
    by_hand: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()


class RecordChange(Struct, frozen=True):
    """What was done to a record: `added`, `edited`, `removed` or `renamed`; `fields` are those that
    have another value now.
    """

    address: Address
    done: str
    file: str
    fields: tuple[str, ...] = ()


class Rewrite(Struct, frozen=True):
    """The files that change, and what that means for records. With `problems`, the new texts would
    have errors, and nothing of it may be written.
    """

    files: tuple[FileChange, ...] = ()
    records: tuple[RecordChange, ...] = ()
    refused: tuple[Refusal, ...] = ()
    problems: tuple[Diagnostic, ...] = field(default=())
