"""Text whose old and new words are marked, so that each printer can show them in its own way."""

from __future__ import annotations

from typing import Literal, NamedTuple

from stemctl.render.values import shown
from stemctl.util.json_types import Value
from stemctl.util.safe_text import cut

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


def plain(parts: Spans, most: int | None = None) -> str:
    """The parts as text: changed words as `[-old-]{+new+}`, as git writes them. Of each part no
    more than `most` characters are shown, and how many it has.
    """
    return "".join([_in_text(part, most) for part in parts])


def _in_text(part: str | Span, most: int | None) -> str:
    text, mark = (part, "") if isinstance(part, str) else part
    if most is not None:
        text = cut(text, most)
    form = _TEXT_MARKS.get(mark)
    return form.format(text) if form else text
