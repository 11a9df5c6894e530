"""Text whose old and new words are marked, so that each printer can show them in its own way."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from stemctl.render.values import LONG, is_empty, shown
from stemctl.util.json_types import Value
from stemctl.util.safe_text import visible

AROUND = 3
"""Words shown before and after a change."""

Mark = Literal["", "old", "new", "gone", "come"]
"""Plain text, a whole old or new value, or words of a text that are gone or have come."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text, and what its words are."""

    text: str
    mark: Mark = ""


Spans = tuple[Span, ...]


def spans(*parts: str | Span) -> Spans:
    """Spans in their order; a string is plain text."""
    return tuple(Span(part) if isinstance(part, str) else part for part in parts)


def old(value: Value) -> Span:
    """A value that is there before."""
    return Span(shown(value), "old")


def new(value: Value) -> Span:
    """A value that is there after."""
    return Span(shown(value), "new")


def plain(texts: Iterable[Span]) -> str:
    """The spans as text: changed words as `[-old-]{+new+}`, as git writes them."""
    marks = {"gone": "[-{}-]", "come": "{{+{}+}}"}
    return "".join(marks.get(span.mark, "{}").format(span.text) for span in texts)


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
    result: list[Span] = []
    for span in _word_changes(before, after):
        replaces = bool(result) and result[-1].mark == "gone" and span.mark == "come"
        if result and not replaces:
            result.append(Span(" "))
        result.append(span)
    return tuple(result)


def _word_changes(before: str, after: str) -> Iterator[Span]:
    """The words of a change in their order, those between two changes as one span."""
    left, right = before.split(), after.split()
    blocks = difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    for number, (kind, i1, i2, j1, j2) in enumerate(blocks):
        if kind == "equal":
            is_last = number == len(blocks) - 1
            yield Span(_around(left[i1:i2], is_first=number == 0, is_last=is_last))
            continue
        if i2 > i1:
            yield Span(visible(" ".join(left[i1:i2])), "gone")
        if j2 > j1:
            yield Span(visible(" ".join(right[j1:j2])), "come")


def _around(words: Sequence[str], is_first: bool, is_last: bool) -> str:
    """The words next to a change. `…` stands for two words or more."""
    start = [] if is_first else words[:AROUND]
    end = [] if is_last else words[-AROUND:]
    if len(start) + len(end) + 1 >= len(words):
        return visible(" ".join(words))
    return visible(" ".join([*start, "…", *end]))
