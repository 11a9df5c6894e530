"""A plan as one HTML page for the person who decides about it: sentences first, then what is
riskiest. It folds without a script, loads nothing, and is printed in full.

Every text goes through `escape`; the page's own policy lets no script run but the one whose hash it
states.
"""

from __future__ import annotations

import base64
import hashlib
import pkgutil
from collections.abc import Iterable
from typing import NamedTuple

from stemctl.core.plan import Plan
from stemctl.render.html_changes import escape, sections
from stemctl.render.plan_sentences import consequences
from stemctl.render.plan_view import NoteView, PlanView, plan_facts, view_plan
from stemctl.render.terminal import TerminalStyle

_LEGEND = (
    ("create", "+", "a record is created"),
    ("update", "~", "a record is changed"),
    ("delete", "-", "a record is deleted for good"),
    ("adopt", "=", "a record that exists is managed from now on"),
    ("forget", ".", "a record is no longer managed; it stays on the server"),
    ("decide", "!", "not sent: it needs your decision"),
    ("waits", "…", "not sent: it waits for another person or record"),
)


class Made(NamedTuple):
    """Where, when and by whom a page was made, in words; empty where that is not known."""

    repository: str = ""
    time: str = ""
    who: str = ""


def plan_html(plan: Plan, style: TerminalStyle, made: Made) -> str:
    """The page."""
    view = view_plan(plan, style.words, folds=True)
    stylesheet, script = asset("plan.css"), asset("plan.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(stylesheet)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    title = f"Plan for {made.repository}" if made.repository else "Plan"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(f"{title}: {view.summary}")}</title>
<style>{stylesheet}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
{_made(plan, made)}
</header>
<main>
{_consequences(plan, view, style)}
{_legend()}
<div class="tools" hidden>
<input type="search" placeholder="Search names, fields, values, files ( / )" aria-label="Search">
<button type="button" class="fold">Unfold all</button>
<button type="button" class="theme">Dark or light</button>
<output aria-live="polite"></output></div>
{_settled(view)}{sections(view, style.words)}{_notes(view)}{_findings(view)}
</main>
<footer>
{_facts(plan)}
</footer>
<script>{script}</script>
</body>
</html>
"""


def asset(name: str) -> str:
    """A file that becomes part of the page."""
    data = pkgutil.get_data(__package__, name)
    assert data is not None  # every loader of a package gives bytes
    return data.decode()


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _made(plan: Plan, made: Made) -> str:
    """When and by whom the page was made, for which server, from which commit."""
    page = " ".join(
        part for part in (made.time and f"on {made.time}", made.who and f"by {made.who}") if part
    )
    commit = f"Planned from commit {plan.commit[:12]}" if plan.commit else "Planned"
    changes = ", with changes that are not committed" if plan.uncommitted else ""
    texts = [f"{commit}{changes}, for {plan.server.name} ({plan.server.url})."]
    made_line = f'<p class="made">Page made {escape(page)}.</p>' if page else ""
    return made_line + "".join(f'<p class="where">{escape(text)}</p>' for text in texts)


def _consequences(plan: Plan, view: PlanView, style: TerminalStyle) -> str:
    if plan.offline:
        title, sentences = "This plan cannot be applied", list(view.offline)
    else:
        title, sentences = "If you approve this plan", consequences(plan, style.words)
    rows = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    remarks = "".join(f'<p class="where">{escape(text)}</p>' for text in view.remarks)
    summary = f'<p class="where">{escape(view.summary)}</p>'
    return f'<section class="sum"><h2>{title}</h2><ul>{rows}</ul>{summary}{remarks}</section>'


def _legend() -> str:
    rows = "".join(
        f'<div class="{name}"><dt class="symbol">{symbol}</dt><dd>{meaning}</dd></div>'
        for name, symbol, meaning in _LEGEND
    )
    marks = (
        "<div><dt><del>old</del></dt><dd>a value that goes</dd></div>"
        "<div><dt><ins>new</ins></dt><dd>a value that comes</dd></div>"
    )
    return (
        '<details class="legend"><summary>What the symbols and colours mean</summary>'
        f"<dl>{rows}{marks}</dl></details>"
    )


def _facts(plan: Plan) -> str:
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in plan_facts(plan)
    )
    return f'<h2>Details</h2><dl class="facts">{rows}</dl>'


def _settled(view: PlanView) -> str:
    """What was found out about requests whose answer was lost."""
    lines = [f"{address}: {found}, {then}" for address, found, then in view.settled]
    return _list("Sent earlier, without an answer", lines)


def _notes(view: PlanView) -> str:
    return _list("Notes, nothing is sent", map(_note, view.notes))


def _note(note: NoteView) -> str:
    text = f"{note.title}: {note.text}" if note.title else note.text
    return f"{text} ({note.examples})" if note.examples else text


def _findings(view: PlanView) -> str:
    return _list("Findings", view.findings)


def _list(title: str, lines: Iterable[str]) -> str:
    rows = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<section><h2>{escape(title)}</h2><ul>{rows}</ul></section>" if rows else ""
