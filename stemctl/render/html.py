"""A plan as one HTML page: searchable, light and dark, wide and narrow, and loading nothing.

Every text goes through `escape`; the page's own policy lets no script run but the one whose hash it
states.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable, Sequence

from stemctl.core.plan import WAITING, Action, Change, FieldChange, Held, Plan
from stemctl.render.basis import offline_sentences, split_by_base, why_others
from stemctl.render.html_assets import SCRIPT, STYLE
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.plan_text import margin_of, reason_words, summary_lines
from stemctl.render.values import LONG, element_diff, shown, word_changes
from stemctl.util.json_types import Value
from stemctl.util.plural import joined
from stemctl.util.safe_text import visible

_OPEN_UP_TO = 200
"""Changes that are unfolded when the page opens; more of them would make it slow and long."""


def plan_html(plan: Plan, style: TerminalStyle) -> str:
    """The page."""
    total = len(plan.changes)
    own, others = split_by_base(plan)
    sections = "".join(
        _section(title, changes, total) for title, changes in _sections(own) if changes
    )
    if plan.base and others.changes:
        heading = f"Not from the difference to {plan.base.ref} ({why_others(plan)})"
        sections += _section(
            heading, [c for _, changes in _sections(others) for c in changes], total
        )
    title = escape(summary_lines(plan)[1])
    policy = f"default-src 'none'; style-src '{_hash(STYLE)}'; script-src '{_hash(SCRIPT)}'; base-uri 'none'"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{title}</h1>
<p class="where">{_where(plan)}</p>
<div class="search" hidden><input type="search" placeholder="Search names, fields, values, files" aria-label="Search">
<output></output></div>
{_offline(plan)}{_settled(plan)}{sections}{_notes(plan)}{_findings(plan)}
<script>{SCRIPT}</script>
</body>
</html>
"""


def escape(text: object) -> str:
    """Text as HTML, control characters made visible."""
    return html.escape(visible(str(text)))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _where(plan: Plan) -> str:
    server = plan.server
    facts = [f"{server.name}", server.url, f"portal {server.portal}", f"edition {server.edition}"]
    facts += [f"commit {plan.commit[:12]}"] if plan.commit else []
    facts += [f"digest {plan.digest}"]
    facts += [f"base {plan.base.ref} at {plan.base.commit[:12]}"] if plan.base else []
    if plan.subset.only or plan.subset.exclude:
        words = [f"only {joined(plan.subset.only)}"] if plan.subset.only else []
        words += [f"without {joined(plan.subset.exclude)}"] if plan.subset.exclude else []
        facts.append(f"a part: {', '.join(words)}, {plan.subset.left_out} records left out")
    return " · ".join(escape(fact) for fact in facts)


def _sections(plan: Plan) -> list[tuple[str, list[Change]]]:
    actionable, held = plan.actionable(), plan.held()
    waits = [c for c in held if c.held in WAITING and c.held is not Held.REJECTED]
    order = [Action.DELETE, Action.UPDATE, Action.ADOPT, Action.CREATE, Action.FORGET]
    return [
        ("Held until somebody decides", [c for c in held if c not in waits]),
        ("Carried out by apply", [c for action in order for c in actionable if c.action is action]),
        ("Waiting for others", waits),
    ]


def _section(title: str, changes: Sequence[Change], total: int) -> str:
    cards = "".join(_card(change, total <= _OPEN_UP_TO) for change in changes)
    return f"<section><h2>{escape(title)}: {len(changes)}</h2>{cards}</section>"


def _card(change: Change, opened: bool) -> str:
    symbol = margin_of(change)
    style = {"…": "waits", "!": "decide"}.get(symbol, change.action.value)
    location = f"{change.location.file}:{change.location.line}" if change.location else ""
    details = "".join(f'<p class="detail">{escape(text)}</p>' for text in change.detail)
    if change.held is Held.BLOCKED and change.waits:
        details += (
            f'<p class="detail">waits for {escape(joined([str(a) for a in change.waits]))}</p>'
        )
    rows = "".join(_rows(change, f) for f in change.fields)
    table = f"<table>{rows}</table>" if rows else ""
    body = f'<div class="body">{details}{table}</div>' if details or table else ""
    return (
        f'<details class="change {style}"{" open" if opened else ""}><summary>'
        f'<span class="symbol">{escape(symbol)}</span>'
        f'<span class="address">{escape(change.address)}</span><span class="why">{escape(reason_words(change))}</span>'
        f'<span class="place">{escape(location)}</span></summary>{body}</details>'
    )


def _rows(change: Change, f: FieldChange) -> str:
    if f.reason == "conflict":
        sides = [
            ("sent" if change.pending_since else "base", f.base),
            ("files", f.after),
            ("server", f.before),
        ]
        return _row(f.path, "") + "".join(_row(f"— {name}", _value(value)) for name, value in sides)
    tag = f' <span class="tag">held: {escape(f.held)}</span>' if f.held else ""
    return _row(f.path, _difference(change, f) + tag + _direction(f))


def _direction(f: FieldChange) -> str:
    """Who did what, wherever the server moved."""
    words = {
        Held.REVERT: "changed on the server; allowed, apply undoes that",
        Held.REPLACE: "the server's value stays until replacing it is allowed",
        Held.CONFLICT: "waits for the conflict",
    }
    said = (
        words.get(f.held, "")
        if f.held
        else "the reviewer wrote this"
        if f.reason == "accepted"
        else ""
    )
    return f' <span class="note">{said}</span>' if said else ""


def _row(name: str, cell: str) -> str:
    return f"<tr><th>{escape(name)}</th><td>{cell}</td></tr>"


def _difference(change: Change, f: FieldChange) -> str:
    if change.action is Action.CREATE and change.held is not Held.PENDING:
        return _value(f.after)
    if change.action is Action.DELETE:
        return f"<del>{_value(f.before)}</del>"
    if (
        isinstance(f.before, str)
        and isinstance(f.after, str)
        and max(len(f.before), len(f.after)) > LONG
    ):
        return " ".join(_words(word_changes(f.before, f.after)))
    if isinstance(f.before, list) and isinstance(f.after, list):
        gains, losses = element_diff(f.before, f.after)
        stays = len(f.after) - len(gains)
        words = [f"<del>{escape(x)}</del>" for x in losses] + [
            f"<ins>{escape(x)}</ins>" for x in gains
        ]
        return " ".join(words) + (f' <span class="note">{stays} unchanged</span>' if stays else "")
    before = (
        "<del>(not shown by the server)</del>" if not f.shown else f"<del>{_value(f.before)}</del>"
    )
    return f"{before} → <ins>{_value(f.after)}</ins>"


def _words(runs: Iterable[tuple[str, str]]) -> Iterable[str]:
    marks = {"same": "{}", "gone": "<del>{}</del>", "come": "<ins>{}</ins>"}
    return (marks[kind].format(html.escape(text)) for kind, text in runs)


def _value(value: Value) -> str:
    return html.escape(shown(value))


def _offline(plan: Plan) -> str:
    """What a plan without a server says of itself."""
    said = " ".join(offline_sentences(plan))
    return f"<p><strong>{escape(said)}</strong></p>" if said else ""


def _settled(plan: Plan) -> str:
    """What was found out about requests whose answer was lost."""
    if not plan.settled:
        return ""
    rows = "".join(
        f"<li>{escape(s.address)}: {escape(s.found)}, {escape(s.then)}</li>" for s in plan.settled
    )
    return f"<h2>Sent before, without an answer</h2><ul>{rows}</ul>"


def _notes(plan: Plan) -> str:
    if not plan.notes:
        return ""
    rows = "".join(f"<li>{escape(n.address or '')} {escape(n.text)}</li>" for n in plan.notes)
    return f"<h2>Notes, nothing is sent for them</h2><ul>{rows}</ul>"


def _findings(plan: Plan) -> str:
    if not plan.diagnostics:
        return ""
    rows = "".join(
        f"<li>{escape(d.severity.value)}: {escape(d.message)} {escape(d.location or '')} {escape(d.remedy)}</li>"
        for d in plan.diagnostics
    )
    return f"<h2>Findings</h2><ul>{rows}</ul>"
