"""How two texts differ: word by word, line by line, in spaces alone, or as old and new.

Words are marked where the texts share much: at least half the words of the longer one, or all but
one place. Otherwise marks would be harder to read than the two texts, and these are shown.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from stemctl.render.spans import Span, Spans, new, old, spans
from stemctl.render.values import LONG, is_empty, shown
from stemctl.util.json_types import Value
from stemctl.util.look_alike import difference as points_that_differ
from stemctl.util.look_alike import look_alike
from stemctl.util.plural import counted
from stemctl.util.safe_text import visible

AROUND = 3
"""Words shown before and after a change."""

_BRIDGE = 2
"""Fewer shared words than this between two changes count as changed: they only tear them apart."""

_LARGEST = 1_000_000
"""Pairs of words or lines that are compared with each other; of larger texts only what is before
and after all changes is taken as shared.
"""

_LINE = "| "
"""What each line of a text of several lines begins with."""


class _Run(NamedTuple):
    """Words (or lines) that both texts share, or that are gone and have come."""

    before: Sequence[str]
    after: Sequence[str]
    is_shared: bool


def difference(before: Value, after: Value) -> Spans:
    """`old → new`, or the changed words where the texts are long and alike."""
    if is_long_text(before, after) or _differ_in_spaces(before, after):
        marked = marked_words(before, after)
        if marked:
            return (*marked, *spans(how_they_differ(before, after)))
    cleared = is_empty(after) and not is_empty(before)
    remark = " (cleared)" if cleared else how_they_differ(before, after)
    return spans(old(before), " → ", new(after), remark)


def how_they_differ(before: Value, after: Value) -> str:
    """What two texts differ in that look the same on the screen; spaces are shown otherwise."""
    if (
        not isinstance(before, str)
        or not isinstance(after, str)
        or _differ_in_spaces(before, after)
    ):
        return ""
    if before.casefold() == after.casefold() or not look_alike(before, after):
        return ""
    return f"  ({points_that_differ(before, after, ('before', 'after'))})"


def marked_words(before: Value, after: Value) -> Spans:
    """The words that differ, marked; nothing where the values are easier to read as they are."""
    if not isinstance(before, str) or not isinstance(after, str) or not before or not after:
        return ()
    if _differ_in_spaces(before, after):
        return _in_spaces(before, after)
    runs = _alike(before.split(), after.split())
    return _marked(runs) if runs else ()


def _differ_in_spaces(before: Value, after: Value) -> bool:
    """Whether two texts differ, but not in their words."""
    if not isinstance(before, str) or not isinstance(after, str) or before == after:
        return False
    return bool(before.strip()) and before.split() == after.split()


def is_long_text(before: Value, after: Value) -> bool:
    """Whether two values are texts, and too long to be read side by side."""
    if not isinstance(before, str) or not isinstance(after, str):
        return False
    return max(len(before), len(after)) > LONG


def has_lines(*values: Value) -> bool:
    """Whether one of the values is a text of several lines."""
    return any(isinstance(value, str) and "\n" in value.rstrip("\n") for value in values)


def lines_of(text: Value) -> list[Spans]:
    """A value, a text of several lines as a row for each."""
    if not isinstance(text, str) or not has_lines(text):
        return [spans(shown(text))]
    lines = text.removesuffix("\n").split("\n")
    return [spans(_LINE + visible(line)) for line in lines]


def line_difference(before: str, after: str) -> list[Spans]:
    """The lines of two texts that differ, each as a row, with the edited words marked; nothing
    where the texts share too little.
    """
    if _differ_in_spaces(before, after):
        return [_in_spaces(before, after)]
    if _alike(before.split(), after.split()) is None:
        return []
    runs = list(_runs(before.splitlines(), after.splitlines()))
    changed = sum(max(len(run.before), len(run.after)) for run in runs if not run.is_shared)
    rows = [spans(f"{counted(changed, 'line')} of {max(map(len, _sides(runs))):,} changed")]
    for run in runs:
        if not run.is_shared:
            rows += _edited_lines(run)
        elif len(run.before) == 1:
            rows.append(spans(_LINE + visible(run.before[0])))
        else:
            rows.append(spans(f"… {len(run.before):,} lines unchanged"))
    return rows


def _sides(runs: Sequence[_Run]) -> tuple[list[str], list[str]]:
    before = [line for run in runs for line in run.before]
    return before, [line for run in runs for line in run.after]


def _edited_lines(run: _Run) -> Iterator[Spans]:
    """Line by line where as many have come as are gone; else those that are gone, then the new."""
    pairs = list(zip(run.before, run.after, strict=False))
    is_even = len(run.before) == len(run.after)
    alike = [_alike(left.split(), right.split()) if is_even else None for left, right in pairs]
    if is_even and all(alike):
        for runs in alike:
            yield spans(_LINE, *_marked(runs or []))
        return
    for line in run.before:
        yield spans(_LINE, Span(visible(line), "gone"))
    for line in run.after:
        yield spans(_LINE, Span(visible(line), "come"))


def _in_spaces(before: str, after: str) -> Spans:
    """Two texts with the same words, their spaces made visible around the first difference."""
    start = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b),
        min(len(before), len(after)),
    )
    left, right = (_spaced(text, start) for text in (before, after))
    return spans(
        Span(left, "old"), " → ", Span(right, "new"), " (only spaces differ; · is a space)"
    )


def _spaced(text: str, start: int) -> str:
    begin, end = max(0, start - 20), start + 20
    cropped = visible(text[begin:end].replace(" ", "·"))
    return f"{'…' if begin else ''}{cropped}{'…' if end < len(text) else ''}"


def _alike(left: Sequence[str], right: Sequence[str]) -> list[_Run] | None:
    """What two texts share and what not, if they share enough for marked words to be readable."""
    longer = max(len(left), len(right))
    shared = sum((Counter(left) & Counter(right)).values())
    if 2 * shared < min(len(left), len(right)):
        return None  # they cannot share enough, in whichever order
    runs = _bridged(list(_runs(left, right)))
    kept = sum(len(run.before) for run in runs if run.is_shared)
    changes = [run for run in runs if not run.is_shared]
    is_one_place = len(changes) == 1 and 2 * kept >= min(len(left), len(right))
    return runs if 2 * kept >= longer or is_one_place else None


def _runs(left: Sequence[str], right: Sequence[str]) -> Iterator[_Run]:
    """Runs of shared and of changed words, in order."""
    start = _shared_start(left, right)
    end = _shared_start(left[start:][::-1], right[start:][::-1])
    middle = left[start : len(left) - end], right[start : len(right) - end]
    if start:
        yield _Run(left[:start], right[:start], is_shared=True)
    if len(middle[0]) * len(middle[1]) > _LARGEST:
        yield _Run(*middle, is_shared=False)
    else:
        blocks = difflib.SequenceMatcher(None, *middle, autojunk=False).get_opcodes()
        for kind, i1, i2, j1, j2 in blocks:
            yield _Run(middle[0][i1:i2], middle[1][j1:j2], is_shared=kind == "equal")
    if end:
        yield _Run(left[len(left) - end :], right[len(right) - end :], is_shared=True)


def _shared_start(left: Sequence[str], right: Sequence[str]) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(left), len(right)))


def _bridged(runs: list[_Run]) -> list[_Run]:
    """The runs, with changes joined that have next to nothing between them."""
    result: list[_Run] = []
    for number, run in enumerate(runs):
        is_inner = 0 < number < len(runs) - 1
        is_shared = run.is_shared and not (is_inner and len(run.before) < _BRIDGE)
        if result and not is_shared and not result[-1].is_shared:
            last = result.pop()
            run = _Run([*last.before, *run.before], [*last.after, *run.after], is_shared=False)
        result.append(run._replace(is_shared=is_shared))
    return result


def _marked(runs: Sequence[_Run]) -> Spans:
    """The changed words with a few words around them, `…` where words are left out."""
    result: list[str | Span] = []
    for number, run in enumerate(runs):
        if result:
            result.append(" ")
        if run.is_shared:
            is_last = number == len(runs) - 1
            result.append(_around(run.before, is_first=number == 0, is_last=is_last))
            continue
        if run.before:
            result.append(Span(visible(" ".join(run.before)), "gone"))
        if run.after:
            result.append(Span(visible(" ".join(run.after)), "come"))
    return tuple(result)


def _around(words: Sequence[str], is_first: bool, is_last: bool) -> str:
    """The words next to a change. `…` replaces two words or more."""
    start = [] if is_first else words[:AROUND]
    end = [] if is_last else words[-AROUND:]
    if len(start) + len(end) + 1 >= len(words):
        return visible(" ".join(words))
    return visible(" ".join([*start, "…", *end]))
