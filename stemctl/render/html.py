"""A plan as one HTML page: searchable, light and dark, wide and narrow, and loading nothing.

Every text goes through `escape`; the page's own policy lets no script run but the one whose hash it
states.
"""

from __future__ import annotations

import base64
import hashlib
import html
import pkgutil
from collections.abc import Iterable, Sequence

from stemctl.core.plan import Plan
from stemctl.render.change_view import ChangeView, Group
from stemctl.render.plan_view import NoteView, PlanView, plan_facts, view_plan
from stemctl.render.spans import Span, Spans
from stemctl.render.terminal import TerminalStyle
from stemctl.util.safe_text import visible

_OPEN_UP_TO = 200
"""Changes that are unfolded when the page opens; more of them would make it slow and long."""

_TAGS = {"old": "del", "gone": "del", "new": "ins", "come": "ins"}
_CLASSES = {"…": "waits", "!": "decide"}


def plan_html(plan: Plan, style: TerminalStyle) -> str:
    """The page."""
    view = view_plan(plan, style.words, folds=False)
    stylesheet, script = asset("plan.css"), asset("plan.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(stylesheet)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'"
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(view.summary)}</title>
<style>{stylesheet}</style>
</head>
<body>
<h1>{escape(view.summary)}</h1>
{_where(plan, view)}
<div class="search" hidden>
<input type="search" placeholder="Search names, fields, values, files" aria-label="Search">
<output></output></div>
{_offline(view)}{_settled(view)}{_sections(view)}{_notes(view)}{_findings(view)}
<script>{script}</script>
</body>
</html>
"""


def asset(name: str) -> str:
    """A file that becomes part of the page."""
    data = pkgutil.get_data(__package__, name)
    assert data is not None  # every loader of a package gives bytes
    return data.decode()


def escape(text: object) -> str:
    """Text as HTML, control characters made visible."""
    return html.escape(visible(str(text)))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _where(plan: Plan, view: PlanView) -> str:
    facts = " · ".join(f"{escape(name)} {escape(value)}" for name, value in plan_facts(plan))
    remarks = "".join(f'<p class="where">{escape(remark)}</p>' for remark in view.remarks)
    return f'<p class="where">{facts}</p>{remarks}'


def _sections(view: PlanView) -> str:
    total = len(view.changes) + len(view.others)
    opened = total <= _OPEN_UP_TO
    sections = []
    for group in Group:
        changes = [change for change in view.changes if change.group is group]
        sections.append(_section(group.value, changes, opened))
    title = f"Not from changes since {view.base} ({view.why_others})"
    return "".join([*sections, _section(title, view.others, opened)])


def _section(title: str, changes: Sequence[ChangeView], opened: bool) -> str:
    if not changes:
        return ""
    cards = "".join(_card(change, opened) for change in changes)
    return f"<section><h2>{escape(title)}: {len(changes):,}</h2>{cards}</section>"


def _card(change: ChangeView, opened: bool) -> str:
    style = _CLASSES.get(change.symbol, change.action.value)
    details = "".join(f'<p class="detail">{escape(text)}</p>' for text in change.details)
    rows = "".join(_row(row.name, row.spans) for row in change.fields)
    table = f"<table>{rows}</table>" if rows else ""
    body = f'<div class="body">{details}{table}</div>' if details or table else ""
    return (
        f'<details class="change {style}"{" open" if opened else ""}><summary>'
        f'<span class="symbol">{escape(change.symbol)}</span>'
        f'<span class="address">{escape(change.title)}</span>'
        f'<span class="why">{escape(change.why)}</span>'
        f'<span class="place">{escape(change.location)}</span></summary>{body}</details>'
    )


def _row(name: str, parts: Spans) -> str:
    cell = "".join([_part(part) for part in parts])
    return f"<tr><th>{html.escape(name)}</th><td>{cell}</td></tr>"


def _part(part: str | Span) -> str:
    """A part of a field's row, in which control characters are visible already."""
    if isinstance(part, str):
        return html.escape(part)
    tag = _TAGS[part.mark]
    return f"<{tag}>{html.escape(part.text)}</{tag}>"


def _offline(view: PlanView) -> str:
    """What a plan without a server says of itself."""
    text = " ".join(view.offline)
    return f"<p><strong>{escape(text)}</strong></p>" if text else ""


def _settled(view: PlanView) -> str:
    """What was found out about requests whose answer was lost."""
    lines = [f"{address}: {found}, {then}" for address, found, then in view.settled]
    return _list("Sent earlier, without an answer", lines)


def _notes(view: PlanView) -> str:
    return _list("Notes, nothing is sent", map(_note, view.notes))


def _note(note: NoteView) -> str:
    return f"{note.title}: {note.text}" if note.title else note.text


def _findings(view: PlanView) -> str:
    return _list("Findings", view.findings)


def _list(title: str, lines: Iterable[str]) -> str:
    rows = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<h2>{escape(title)}</h2><ul>{rows}</ul>" if rows else ""
