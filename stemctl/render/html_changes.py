"""The changes of a plan as sections of an HTML page, which fold without a script."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from stemctl.core.plan import Held
from stemctl.render.change_view import ChangeView, Group, view_change
from stemctl.render.field_view import FieldRow
from stemctl.render.model_words import ModelWords
from stemctl.render.plan_sentences import WHAT_TO_DO, WHY_HELD
from stemctl.render.plan_view import PlanView
from stemctl.render.spans import Span, Spans
from stemctl.util.plural import counted
from stemctl.util.safe_text import visible

_OPEN_UP_TO = 200
"""Changes that are unfolded when the page opens; more of them would make it slow and long."""

_ALWAYS_OPEN = (Group.DESTROYS, Group.DECIDE)

_TAGS = {"old": "del", "gone": "del", "new": "ins", "come": "ins"}
_CLASSES = {"…": "waits", "!": "decide"}

_SIDES = {
    "  base": "when last applied",
    "  sent": "as it was sent",
    "  files": "in your files",
    "  server": "on the server now",
    "  before": "before",
    "  after": "after",
}
"""What the sides of a field are called for readers who do not know the terms of stemctl."""


def escape(text: object) -> str:
    """Text as HTML, control characters made visible."""
    return html.escape(visible(str(text)))


def with_code(text: str) -> str:
    """A sentence as HTML, what is to be typed as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(text))


def sections(view: PlanView, words: ModelWords) -> str:
    """A section for each kind of change, the riskiest first."""
    is_short = len(view.changes) + len(view.others) <= _OPEN_UP_TO
    parts = []
    for group in Group:
        changes = [change for change in view.changes if change.group is group]
        parts.append(_section(group.value, changes, words, is_short or group in _ALWAYS_OPEN))
    title = f"Not from changes since {view.base} ({view.why_others})"
    return "".join([*parts, _section(title, view.others, words, is_short)])


def _section(title: str, changes: Sequence[ChangeView], words: ModelWords, opened: bool) -> str:
    if not changes:
        return ""
    cards = "".join(_card(change, words, opened) for change in changes)
    number = sum(change.records for change in changes)
    return f"<section><h2>{escape(title)}: {number:,}</h2>{cards}</section>"


def _card(change: ChangeView, words: ModelWords, opened: bool, is_member: bool = False) -> str:
    style = _CLASSES.get(change.symbol, change.action.value)
    details = "".join(f'<p class="detail">{escape(text)}</p>' for text in change.details)
    if not is_member:
        stays = change.symbol == "!"  # what is blocked for good says itself what to do
        holds = [held for held in change.holds if not (stays and held is Held.BLOCKED)]
        details += "".join(map(_advice, holds))
    rows = "".join(_rows(change.fields))
    table = f"<table>{rows}</table>" if rows else ""
    body = f"{details}{table}{_members(change, words)}"
    body = f'<div class="body">{body}</div>' if body else ""
    return (
        f'<details class="change {style}"{" open" if opened else ""}><summary>'
        f'<span class="symbol">{escape(change.symbol)}</span>'
        f'<span class="address">{escape(change.title)}</span>'
        f'<span class="why">{escape(change.why)}</span>'
        f'<span class="place">{escape(change.location)}</span></summary>{body}</details>'
    )


def _advice(held: Held) -> str:
    """Why something is held, and what to do about it."""
    why = WHY_HELD[held]
    return f'<p class="advice">{why[0].upper()}{why[1:]}. {with_code(WHAT_TO_DO[held])}</p>'


def _members(change: ChangeView, words: ModelWords) -> str:
    """All changes that are shown as one."""
    if not change.members:
        return ""
    views = (view_change(member, words) for member in change.members)
    cards = "".join(_card(view, words, opened=False, is_member=True) for view in views)
    title = f"All {counted(len(change.members), 'record')}"
    return f'<details class="members"><summary>{title}</summary>{cards}</details>'


def _rows(rows: Sequence[FieldRow]) -> list[str]:
    """A row of a table for each field; the lines of a value are in one cell."""
    cells: list[tuple[str, list[str]]] = []
    for row in rows:
        if row.name or not cells:
            cells.append((row.name, []))
        if row.spans:
            cells[-1][1].append(_cell(row.spans))
    return [
        f'<tr><th scope="row"{_side_class(name)}>{html.escape(_SIDES.get(name, name))}</th>'
        f"<td>{'<br>'.join(lines)}</td></tr>"
        for name, lines in cells
    ]


def _side_class(name: str) -> str:
    return ' class="side"' if name in _SIDES else ""


def _cell(parts: Spans) -> str:
    return "".join([_part(part) for part in parts])


def _part(part: str | Span) -> str:
    """A part of a field's row, in which control characters are visible already."""
    if isinstance(part, str):
        return html.escape(part)
    tag = _TAGS[part.mark]
    return f"<{tag}>{html.escape(part.text)}</{tag}>"
