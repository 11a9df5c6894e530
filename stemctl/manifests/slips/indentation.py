"""Slips in the spaces that a line begins with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from stemctl.manifests.slips.situation import Edit, Entry, Repair, Situation, spaces_before
from stemctl.util.late_pattern import late_pattern
from stemctl.util.plural import counted

_CONTINUED = late_pattern(r"^[ ]*(?!- )[^\s:#-][^:#]*$")


def continued_text(situation: Situation) -> Iterator[Repair]:
    """A text that goes on in the next line, but not deeper than its key."""
    for number in situation.near:
        text = situation.lines[number]
        above = _content_above(situation, number)
        if above is None or not _CONTINUED.match(text):
            continue
        entry = situation.entry(above)
        if not entry.key or spaces_before(text) > entry.begin or entry.value[:1] in ("[", "{"):
            continue
        block = _lines_until_key(situation, number)
        wanted = entry.begin + 2
        edits = [_moved(situation, row, wanted - spaces_before(text)) for row in block]
        message = f"this line belongs to the text of `{entry.key}`, but is not indented by more"
        remedy = _more(wanted - spaces_before(text), _and_below(situation, block))
        yield Repair(message, remedy, tuple(edits), _first_character(situation, number))


def _content_above(situation: Situation, number: int) -> int | None:
    return next((row for row in range(number - 1, -1, -1) if situation.has_content(row)), None)


def _lines_until_key(situation: Situation, number: int) -> list[int]:
    """This line, and the lines below that are text as well."""
    block = [number]
    below = situation.next_content(number)
    while below < len(situation.lines) and _CONTINUED.match(situation.lines[below]):
        block.append(below)
        below = situation.next_content(below)
    return block


def quoted_text(situation: Situation) -> Iterator[Repair]:
    """A text of several lines that contains `: `."""
    for number in situation.near:
        above = _content_above(situation, number)
        entry = situation.entry(number)
        if above is None or not entry.key or " " not in entry.key:
            continue
        first = situation.entry(above)
        if not first.key or entry.begin <= first.begin or not first.value:
            continue
        edits = (
            Edit(number, entry.end, entry.end, '"'),
            Edit(above, first.start, first.start, '"'),
        )
        message = "text that contains `: ` must be quoted"
        line = situation.shown(above)
        remedy = f'add `"` here, and before `{first.value[:20]}` in line {line}'
        place = (number, entry.end, 1)
        yield Repair(message, remedy, edits, place)


def misaligned(situation: Situation) -> Iterator[Repair]:
    """A line that begins in another column than the lines it belongs to.

    A line is moved to a column in which other lines begin. What moves is this line alone, or this
    line with those below that are deeper or in the same column.
    """
    if "',' or" in situation.problem:  # indentation means nothing inside of brackets
        return
    window = _window(situation)
    counts = Counter(kind for row in window for kind in _columns(situation, row))
    columns = {column for _, column in counts}
    found = []
    for position, number in enumerate(window):
        text = situation.lines[number]
        at = spaces_before(text)
        least = _least_column(situation, number)
        for wanted in sorted(columns, key=lambda column: (abs(column - at), column)):
            if wanted == at or (wanted and situation.entry(number).key in situation.sections):
                continue
            if wanted < least:
                continue
            for block in _blocks(situation, number, at):
                kind = text.lstrip().startswith("- ")
                majority = counts[kind, at] - counts[kind, wanted]
                rank = (abs(wanted - at), majority, position, len(block))
                found.append((rank, _move(situation, block, at, wanted)))
        found += _first_keys(situation, number, counts, position)
    for _, repair in sorted(found, key=lambda row: row[0]):
        yield repair


def _least_column(situation: Situation, number: int) -> int:
    """Where a line may begin at the left, if it belongs to a key without a value above it."""
    above = _content_above(situation, number)
    entry = situation.entry(above) if above is not None else None
    return entry.begin if entry and entry.key and not entry.value else 0


_Rank = tuple[int, int, int, int]


def _first_keys(
    situation: Situation, number: int, counts: Counter[tuple[bool, int]], position: int
) -> Iterator[tuple[_Rank, Repair]]:
    """Move the key behind a dash to the column of the keys below it."""
    entry = situation.entry(number)
    text = situation.lines[number]
    if not entry.key or "-" not in text[: entry.begin]:
        return
    dash = text.rindex("-", 0, entry.begin)
    for wanted in {column for is_dash, column in counts if not is_dash}:
        if wanted <= dash + 1 or wanted == entry.begin:
            continue
        edit = Edit(number, dash + 1, entry.begin, " " * (wanted - dash - 1))
        message = f"`{entry.key}` begins in column {entry.begin + 1}, the keys below it in "
        message += f"column {wanted + 1}"
        change = counted(abs(wanted - entry.begin), "space")
        verb = "remove" if wanted < entry.begin else "add"
        remedy = f"{verb} {change} after the dash"
        rank = (
            abs(wanted - entry.begin),
            counts[False, entry.begin] - counts[False, wanted],
            position,
            1,
        )
        place = (number, entry.begin, max(1, len(entry.key)))
        yield rank, Repair(message, remedy, (edit,), place)


def _window(situation: Situation) -> list[int]:
    """The line where the parser stopped, some lines above it, and some below."""
    above = situation.near[:8]
    window = list(above)
    below = situation.next_content(situation.found[0])
    while below < len(situation.lines) and len(window) < len(above) + 4:
        window.append(below)
        below = situation.next_content(below)
    return window


def _columns(situation: Situation, number: int) -> set[tuple[bool, int]]:
    """Where a line begins, and whether with a dash; and where the key behind its dash begins."""
    text = situation.lines[number]
    is_dash = text.lstrip().startswith("- ")
    return {(is_dash, spaces_before(text)), (False, situation.entry(number).begin)}


def _blocks(situation: Situation, number: int, at: int) -> Iterator[list[int]]:
    """This line alone; and with the lines below that are at least as deep."""
    yield [number]
    block = [number]
    below = situation.next_content(number)
    while below < len(situation.lines) and spaces_before(situation.lines[below]) >= at:
        block.append(below)
        below = situation.next_content(below)
        if len(block) > 30:
            return
    if len(block) > 1:
        yield block


def _move(situation: Situation, block: list[int], at: int, wanted: int) -> Repair:
    entry = situation.entry(block[0])
    edits = tuple(_moved(situation, row, wanted - at) for row in block)
    message = f"{_is_indented(at)}, its neighbours by {wanted}"
    if not wanted:
        message = f"{_is_indented(at)}, its neighbours are not"
    below = _and_below(situation, block)
    remedy = _more(wanted - at, below) if wanted > at else _less(at - wanted, below)
    return Repair(message, remedy, edits, _first_character(situation, entry.line))


def _is_indented(at: int) -> str:
    return f"this line is indented by {counted(at, 'space')}" if at else "this line is not indented"


def _more(spaces: int, below: str) -> str:
    return f"add {counted(spaces, 'space')} before it{below}"


def _less(spaces: int, below: str) -> str:
    return f"remove {counted(spaces, 'space')} before it{below}"


def _and_below(situation: Situation, block: list[int]) -> str:
    """The other lines that move with the first one."""
    if len(block) == 1:
        return ""
    first, last = situation.shown(block[1]), situation.shown(block[-1])
    return f" and line {first}" if first == last else f" and lines {first} to {last}"


def _moved(situation: Situation, number: int, by: int) -> Edit:
    now = spaces_before(situation.lines[number])
    return Edit(number, 0, now, " " * max(0, now + by))


def _first_character(situation: Situation, number: int) -> tuple[int, int, int]:
    text = situation.lines[number]
    entry: Entry = situation.entry(number)
    start = spaces_before(text)
    length = len(entry.key) if entry.key and entry.begin == start else 1
    return number, start, length
