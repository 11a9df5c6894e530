"""Lists and mappings in several lines: parts are added, replaced and taken out line by line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from stemctl.manifests.editor.places import Part, Place
from stemctl.manifests.editor.splices import CannotEdit, Lines
from stemctl.util.late_pattern import late_pattern

INSIDE = "a comment is inside the value"

_EMPTY = late_pattern(r"\n[ \t]*\n")
"""An empty line between two others."""

_ENOUGH = 8
"""So many parts tell whether empty lines separate them."""


def replace(lines: Lines, part: Part, text: str) -> None:
    """Replace the value of a part. `text` is what follows the dash or colon; comments in that line
    and behind the value stay.
    """
    after, old = part.after, part.value
    if after is None:
        raise CannotEdit("the key has no colon", part.head)
    head, break_, rest = text.partition("\n")
    end, tail = max(old.end, after), break_ + rest
    if lines.is_same(after, end):
        if not lines.text[end : lines.end(end)].strip(" \t"):
            end = lines.end(end)
        lines.splice(after, end, head)
        lines.splice(lines.end(end), lines.end(end), tail)
        return
    _replace_lines(lines, part, end, head, tail)


def _replace_lines(lines: Lines, part: Part, end: int, head: str, tail: str) -> None:
    """Replace a value that is not only in the line of its dash or colon."""
    after, old = part.after or part.head, part.value
    key_line = lines.end(after)
    comment = lines.comment_at(after, key_line)
    starts_below = old.start > key_line
    within = old.start if starts_below and not old.is_block else key_line
    is_within = comment is not None and not starts_below and not old.block_text
    if is_within or lines.has_comment(within, end):
        raise CannotEdit(INSIDE, old.start)
    stop = len(lines.text[after : comment or key_line].rstrip(" \t")) + after
    lines.splice(after, stop, head)
    begin = lines.start(old.start) - 1 if starts_below else key_line
    margin = " " * (old.column if tail else lines.column(part.head))
    for line in lines.comments_between(key_line, begin):
        lines.splice(lines.start(line), line, margin)
    behind = lines.comment_at(end, lines.end(end))
    if behind is not None and (comment is not None or begin > key_line):
        lines.splice(begin, behind, f"\n{margin}")  # a line of its own
    else:
        lines.splice(begin, end, "")
    lines.splice(lines.end(end), lines.end(end), tail)
    if old.is_block and not tail:
        lines.outdent(end, lines.column(part.head))


def empty(lines: Lines, place: Place, around: Part | None) -> None:
    """Take all parts out, so that `[]` or `{}` stays. `around` is the part whose value it is."""
    brackets = "[]" if place.is_list else "{}"
    first, everything = place.parts[0], set(range(len(place.parts)))
    if around is None and place.is_mapping:
        take(lines, place, everything)  # a file that says nothing
        return
    after = around.after if around else None
    if around is None or after is None or lines.is_same(after, first.head):
        lines.splice(first.head, first.head, brackets)
        lines.take(first.head, first.end)
        take(lines, place, everything - {0})
        return
    lines.splice(after, after, f" {brackets}")
    known, column = len(lines.gone), lines.column(around.head)
    take(lines, place, everything)
    for comment in lines.comments_between(lines.end(after), place.end):
        if not any(start <= comment < end for start, end in lines.gone[known:]):
            lines.splice(lines.start(comment), comment, " " * column)
    lines.outdent(place.end, column)


def take(lines: Lines, place: Place, gone: set[int]) -> None:
    """Take parts out, each with its lines, what is written about it, and an empty line."""
    parts = place.parts
    if 0 in gone and not lines.begins(parts[0].head):
        gone = gone - _take_first(lines, parts, gone)
    has_kept = 0 not in gone
    run: list[tuple[int, int]] = []
    for number, part in enumerate(parts):
        if number in gone:
            least = lines.next(parts[number - 1].end) if number else 0
            start = lines.above(part.head, least)
            if run and lines.empty_below(lines.next(run[-1][1])) < start:
                _take_run(lines, run, has_kept, is_last=False)  # a comment is in between
                run = []
            run.append((start, lines.below(part.end, lines.column(part.head))))
            if part.value.is_block:
                lines.outdent(run[-1][1], lines.column(part.head))
        elif run:
            _take_run(lines, run, has_kept, is_last=False)
            has_kept, run = True, []
    if run:
        _take_run(lines, run, has_kept, is_last=True)


def _take_run(lines: Lines, run: Sequence[tuple[int, int]], has_kept: bool, is_last: bool) -> None:
    """Take spans of lines out that follow each other, and an empty line."""
    start, end = _with_empty_lines(lines, run[0][0], run[-1][1], has_kept, is_last)
    take_lines(lines, start, end)


def take_lines(lines: Lines, start: int, end: int) -> None:
    """Take whole lines out, so that a line may be added behind them."""
    if start:
        lines.take(start - 1, end)
    else:
        lines.take(0, min(end + 1, len(lines.text)))


def _with_empty_lines(
    lines: Lines, start: int, end: int, has_kept: bool, is_last: bool
) -> tuple[int, int]:
    """Lines with as many empty ones above as below, so that one kind stays."""
    above = lines.empty_above(start)
    below = lines.empty_below(lines.next(end))
    if below == len(lines.text):
        return above, end
    if not has_kept and not is_last and above == start:
        return start, max(end, below - 1)
    count = min(lines.text.count("\n", above, start), lines.text.count("\n", end + 1, below))
    for _ in range(count):
        start = lines.start(start - 1)
    return start, end


def _take_first(lines: Lines, parts: Sequence[Part], gone: set[int]) -> set[int]:
    """Take the first parts out that begin behind a dash; another one, or a comment, moves there.

    Returns the numbers of those that went.
    """
    first = parts[0]
    kept = next(number for number in range(len(parts)) if number not in gone)
    line_end = lines.end(first.end)
    follows = parts[kept].head
    if not lines.has_comment(line_end, follows):
        lines.take(first.head, follows)
        return set(range(kept))
    start = first.head
    while lines.text[start - 1] in " \t":
        start -= 1
    lines.take(start, line_end)
    return {0}


def add(lines: Lines, place: Place, before: int | None, gone: set[int], text: str) -> None:
    """Add a part behind the one with the number `before`, or before all others.

    `text` has its further lines in the right columns, and begins in that of the collection.
    """
    parts = place.parts
    column = lines.column(parts[0].head)
    gap = "\n" if _has_empty_lines(lines, parts) else ""
    margin = " " * column
    if before is not None:
        end = lines.below(parts[before].end, column)
        lines.splice(end, end, f"\n{gap}{margin}{text}")
        return
    if not lines.begins(parts[0].head):
        lines.splice(parts[0].head, parts[0].head, f"{text}\n{gap}{margin}")
        return
    kept = next((number for number in range(len(parts)) if number not in gone), None)
    start = lines.above(parts[kept or 0].head, 0)
    if kept is None and start:
        lines.splice(start - 1, start - 1, f"\n{margin}{text}")
    else:
        lines.splice(start, start, f"{margin}{text}\n{gap}")


def replace_all(lines: Lines, place: Place, texts: Sequence[str]) -> None:
    """Put new parts in the place of all that are there."""
    first = place.parts[0]
    everything = set(range(len(place.parts)))
    if lines.begins(first.head):
        for text in texts:
            add(lines, place, None, everything, text)
        take(lines, place, everything)
        return
    margin = f"\n{' ' * lines.column(first.head)}"
    lines.splice(first.head, first.head, margin.join(texts))
    lines.take(first.head, first.end)
    take(lines, place, everything - {0})


def _has_empty_lines(lines: Lines, parts: Sequence[Part]) -> bool:
    """Whether the parts are separated by empty lines, but for a few."""
    last = parts[-_ENOUGH:]
    gaps = [_EMPTY.search(lines.text, one.end, other.head) for one, other in pairwise(last)]
    return sum(map(bool, gaps)) * 2 > len(gaps)


def in_order(place: Place, gone: set[int], name: str, order: Sequence[str]) -> int | None:
    """The number of the member behind which a new one goes: the last of those that come before it
    in `order`, or of all, if it is not in that.
    """
    earlier = set(order[: order.index(name)]) if name in order else place.numbers.keys()
    found = [number for key, number in place.numbers.items() if key in earlier]
    return max((number for number in found if number not in gone), default=None)
