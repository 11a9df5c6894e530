"""Text whose old and new words are marked, so that each printer can show them in its own way."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from stemctl.render.values import LONG, is_empty, shown
from stemctl.util.json_types import Value
from stemctl.util.safe_text import visible

AROUND = 3
"""Words shown before and after a change."""

Mark = Literal["old", "new", "gone", "come"]
"""A whole value that is old or new; words of a text that are gone or have come."""

_TEXT_MARKS = {"gone": "[-{}-]", "come": "{{+{}+}}"}


class Span(NamedTuple):
    """Words that are old or new."""

    text: str
    mark: Mark


Spans = tuple[str | Span, ...]
"""Plain text, and spans in it."""


def spans(*parts: str | Span) -> Spans:
    """A text of several parts."""
    return parts


def old(value: Value) -> Span:
    """A value that is there before."""
    return Span(shown(value), "old")


def new(value: Value) -> Span:
    """A value that is there after."""
    return Span(shown(value), "new")


def plain(parts: Spans) -> str:
    """The parts as text: changed words as `[-old-]{+new+}`, as git writes them."""
    return "".join([part if isinstance(part, str) else _in_text(part) for part in parts])


def _in_text(span: Span) -> str:
    form = _TEXT_MARKS.get(span.mark)
    return form.format(span.text) if form else span.text


def is_long_text(before: Value, after: Value) -> bool:
    """Whether two texts are compared word by word."""
    if not isinstance(before, str) or not isinstance(after, str):
        return False
    return max(len(before), len(after)) > LONG


def difference(before: Value, after: Value) -> Spans:
    """`old → new`, or a word diff where the text is long."""
    if after and is_long_text(before, after):
        return word_diff(str(before), str(after))
    cleared = is_empty(after) and not is_empty(before)
    return spans(old(before), " → ", new(after), " (cleared)" if cleared else "")


def word_diff(before: str, after: str) -> Spans:
    """The changed words with a few words around them, `…` where words are left out."""
    result: list[str | Span] = []
    last = ""
    for part in _word_changes(before, after):
        mark = part.mark if isinstance(part, Span) else ""
        replaces = last == "gone" and mark == "come"
        if result and not replaces:
            result.append(" ")
        result.append(part)
        last = mark
    return tuple(result)


def _word_changes(before: str, after: str) -> Iterator[str | Span]:
    """The words of a change in their order, those between two changes as one text."""
    left, right = before.split(), after.split()
    blocks = difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    for number, (kind, i1, i2, j1, j2) in enumerate(blocks):
        if kind == "equal":
            is_last = number == len(blocks) - 1
            yield _around(left[i1:i2], is_first=number == 0, is_last=is_last)
            continue
        if i2 > i1:
            yield Span(visible(" ".join(left[i1:i2])), "gone")
        if j2 > j1:
            yield Span(visible(" ".join(right[j1:j2])), "come")


def _around(words: Sequence[str], is_first: bool, is_last: bool) -> str:
    """The words next to a change. `…` replaces two words or more."""
    start = [] if is_first else words[:AROUND]
    end = [] if is_last else words[-AROUND:]
    if len(start) + len(end) + 1 >= len(words):
        return visible(" ".join(words))
    return visible(" ".join([*start, "…", *end]))
