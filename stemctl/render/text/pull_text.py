"""What a pull left as it was, and why, with what to type about it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence

from stemctl.core.records import Address
from stemctl.render.terminal import TerminalStyle
from stemctl.schema.models import Model
from stemctl.takeover.field_takeover import CONFLICT, EDITED, REPLACE
from stemctl.takeover.take import (
    ALIKE,
    DOUBT,
    MOVED,
    REFUSED,
    REMOVED,
    RENAMED,
    TAKEN,
    Left,
    Takeover,
)
from stemctl.takeover.unbound import Twins
from stemctl.util.plural import counted, inflected, joined

_MOST = 10
"""Records with one reason that are told one by one."""

_LONGEST = 300
"""Characters of a command: a longer one is nothing to type."""

_WHY: Mapping[str, str] = {
    CONFLICT: "changed in your files and on the server; the first command takes the server's",
    REPLACE: "not as on the server, and never applied",
    MOVED: "belongs to another record on the server; move its lines there",
    RENAMED: "has another name on the server",
    REMOVED: "removed from your files since the last apply, but still on the server",
    TAKEN: "another record on the server has this name now",
    REFUSED: "the server's value cannot be written in a file",
    ALIKE: "may be a record that is on the server",
    EDITED: "edited in your files, and not applied yet",
    DOUBT: "a request without an answer, or a proposal: the next apply settles it",
}

_COMMANDS: Mapping[str, Callable[[str, Left], tuple[str, ...]]] = {
    CONFLICT: lambda at, left: (
        f"stemctl pull --theirs {at}",
        f"stemctl resolve --keep files {at}",
    ),
    REPLACE: lambda at, left: (f"stemctl pull --theirs {at}",),
    RENAMED: lambda at, left: (f"stemctl mv {at} {shlex.quote(left.detail)}",),
    REMOVED: lambda at, left: (f"stemctl plan {at}",),
    ALIKE: lambda at, left: (f"stemctl import {at} {left.detail}",),
}


def left_text(found: Takeover, style: TerminalStyle) -> str:
    """What was left, by reason; empty if nothing was."""
    lines: list[str] = []
    for why in _WHY:
        rows = [left for left in found.left if left.why == why]
        lines += _block(_WHY[why], [_row(left) for left in rows], style)
    lines += _twins(found.twins, style)
    gone = [(address, "", (_remove(address),)) for address in found.gone]
    lines += _block("deleted on the server, or hidden from you", gone, style)
    return style.finish(["", style.paint("bold", "Left as it is"), *lines]) if lines else ""


def pending_text(found: Takeover) -> str:
    """What the next apply sends or settles, in one sentence."""
    if not found.pending:
        return ""
    names = joined([str(left.address) for left in found.pending[:3]])
    more = len(found.pending) - 3
    names = f"{names} and {more:,} more" if more > 0 else names
    verb = "has" if len(found.pending) == 1 else "have"
    return f"{names} {verb} edits that are not applied yet; stemctl plan shows them."


Row = tuple[Address | str, str, tuple[str, ...]]
"""An address, what is to be said of it, and the commands to choose from."""


def _row(left: Left) -> Row:
    command = _COMMANDS.get(left.why)
    typed = command(shlex.quote(str(left.address)), left) if command else ()
    said = joined(list(left.fields))
    if left.why == REFUSED:
        said = f"{said}: {left.detail}" if said else left.detail
    elif left.why in (MOVED, TAKEN):
        said = left.detail
    return left.address, said, typed


def _remove(address: Address) -> str:
    # With --keep-on-server, since nothing is left that could be deleted.
    return f"stemctl rm --keep-on-server {shlex.quote(str(address))}"


def _block(title: str, rows: Sequence[Row], style: TerminalStyle) -> Iterator[str]:
    """The records with one reason: what it is, each of them, and what to type for the first."""
    if not rows:
        return
    yield from style.below([f"{counted(len(rows), 'record')}: {title}"], indent=2)
    shown = [(f"! {address}", said) for address, said, _ in rows[:_MOST]]
    yield from style.columns(shown, indent=4)
    if len(rows) > _MOST:
        yield from style.below([f"{len(rows) - _MOST:,} more"], indent=6)
    commands = [one for *_, typed in rows[:_MOST] for one in typed if len(one) <= _LONGEST]
    yield from (f"      {style.command(style.cell(command))}" for command in commands)


def _twins(twins: Sequence[Twins], style: TerminalStyle) -> Iterator[str]:
    """The groups of records of which one or none should be in the files."""
    if not twins:
        return
    title = "these are alike, so none is written; --ask lets you choose"
    number = sum(len(group.open) for group in twins)
    yield from style.below([f"{counted(number, 'record')}: {title}"], indent=2)
    rows = [(f"! {_called(group)}", ", ".join(_ids(group))) for group in twins[:_MOST]]
    yield from style.columns(rows, indent=4)
    if len(twins) > _MOST:
        yield from style.below([f"{len(twins) - _MOST:,} more"], indent=6)


def _called(group: Twins) -> str:
    number = group.model.count(len(group.records))
    return f"{number} called {group.name}" if group.name else f"{number} with the same content"


def _ids(group: Twins) -> Iterator[str]:
    for id_ in group.records:
        yield f"{id_} (in your files)" if id_ in group.declared else id_


def further_text(number: int) -> str:
    """How many records have more on the server than the files say of them; empty if none has."""
    if not number:
        return ""
    have = "has values" if number == 1 else "have values"
    return (
        f"{counted(number, 'record')} {have} on the server in fields that your files do not have; "
        "--all-fields writes them, too."
    )


def unread_text(models: Sequence[Model]) -> str:
    """Which models this account cannot read, so that nothing of them was looked at."""
    if not models:
        return ""
    names = joined([model.count(2)[2:] for model in models])
    return f"Not read: your account cannot see {names} in this portal."


def numbers_text(written: int, left: int, elsewhere: int, *, dry_run: bool, more: str = "") -> str:
    """`412 records written, 2 left as they are, 3 on the server and in no file.`

    `more` is the command that takes what is in no file.
    """
    verb = "to write" if dry_run else "written"
    more = f" ({more})" if elsewhere and more else ""
    as_is = inflected(left, "as it is", "as they are")
    return (
        f"{counted(written, 'record')} {verb}, {left:,} left {as_is}, "
        f"{elsewhere:,} on the server and in no file{more}."
    )


def state_text(where: str) -> str:
    """Where a pull remembers what it took over."""
    return f"State saved in {where}. To undo a pull, restore it together with the files."


def left_json(found: Takeover) -> list[dict[str, object]]:
    """The same as data."""
    rows: list[dict[str, object]] = [
        {
            "address": str(left.address),
            "reason": left.why,
            "fields": list(left.fields),
            "detail": left.detail,
        }
        for left in found.left
    ]
    rows += [{"model": t.model.name, "reason": "twins", "ids": list(t.open)} for t in found.twins]
    rows += [{"address": str(address), "reason": "gone"} for address in found.gone]
    return rows
