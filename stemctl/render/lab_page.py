"""A repository as one HTML page for people who would rather look: a calendar, counts, and a table
of all records. It loads nothing, and without a script it still has the counts and the names.

Every text goes through `escape`, or into the page as data that its script shows as text.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct

from stemctl.core.plan import Action, Change, Target
from stemctl.render.change_view import location_text, reason_words, symbol_of
from stemctl.render.html import asset
from stemctl.render.html_changes import escape
from stemctl.render.lab_data import lab_json
from stemctl.render.lab_groups import STATUS
from stemctl.render.lab_rows import APPLIED, LONGEST_NAME, status_of
from stemctl.render.lab_view import LabView, ModelView
from stemctl.util.plural import counted, first_few, joined
from stemctl.util.safe_text import cut, visible

MARK = '<html lang="en" data-page="stemctl report">'
"""By this, a page that stemctl wrote is known."""

_SCRIPTS = ("lab_page.js", "lab_calendar.js", "lab_table.js")
_LISTED = 1_000
"""Records that are listed for readers without a script."""

_NAMED = 50
"""Changes that the page names in its first section."""


class LabFacts(Struct, frozen=True):
    """What the page says about itself. It has no time: the same files make the same page."""

    name: str
    files: int
    server: Target
    commit: str | None
    uncommitted: bool
    applied: str | None
    """The commit that was applied last."""
    state_is_known: bool = True
    """Whether the state that others share was ever fetched."""


def lab_html(view: LabView, facts: LabFacts) -> str:
    """The page."""
    stylesheet = asset("lab_page.css")
    script = "".join(asset(name) for name in _SCRIPTS)
    policy = (
        f"default-src 'none'; style-src '{_hash(stylesheet)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return f"""<!doctype html>
{MARK}
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(f"{facts.name}: {counted(len(view.rows), 'record')}")}</title>
<style>{stylesheet}</style>
</head>
<body>
<header>
<h1>{escape(facts.name)}</h1>
{"".join(f"<p>{escape(text)}</p>" for text in _about(view, facts))}
</header>
<main>
{_to_apply(view, facts)}
{_TOOLS}
<noscript>
{_without_script(view)}
</noscript>
</main>
<footer>
{"".join(f"<p>{escape(text)}</p>" for text in _sources(facts))}
</footer>
<script type="application/json" id="data">{lab_json(view, facts.server)}</script>
<script>{script}</script>
</body>
</html>
"""


_TOOLS = """<div id="app" hidden>
<div id="models" role="group" aria-label="Kind of record"></div>
<div class="tools">
<input type="search" id="search" aria-label="Search"
 placeholder="Search names, values, files ( / )">
<button type="button" id="theme">Dark or light</button>
<div id="filters" role="group" aria-label="Filters"></div>
</div>
<p id="told" role="status"></p>
<section id="calendar" aria-labelledby="calendar-title">
<div class="title"><h2 id="calendar-title">Calendar</h2>
<span class="legend" aria-hidden="true">fewer <i class="l1"></i><i class="l2"></i><i class="l3"></i
><i class="l4"></i> more</span>
<label>Rows <select id="by"></select></label></div>
<div id="years"></div>
</section>
<section aria-labelledby="counts-title"><h2 id="counts-title">Counts</h2>
<div id="counts"></div><button type="button" id="more-counts" hidden></button>
</section>
<section aria-labelledby="records-title"><h2 id="records-title">Records</h2>
<div class="wide"><table id="records"><thead></thead><tbody></tbody></table></div>
<button type="button" id="more-records" hidden></button>
</section>
</div>"""


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _about(view: LabView, facts: LabFacts) -> Iterator[str]:
    """How much there is."""
    main = [one for one in view.models if one.model.parent is None]
    counts = [one.model.count(one.number) for one in main[:6]]
    rest = len(view.rows) - sum(one.number for one in main[:6])
    if rest:
        counts.append(counted(rest, "other record"))
    yield f"{joined(counts) or 'No records'} in {counted(facts.files, 'file')}."


def _sources(facts: LabFacts) -> Iterator[str]:
    """What the page was made from."""
    server = facts.server
    yield (
        f"Made by stemctl from the files and the state of {server.name} ({server.url}, portal "
        f"{server.portal}, edition {server.edition}). The server was not asked."
    )
    if facts.commit:
        also = ", with changes that are not committed" if facts.uncommitted else ""
        yield f"Files: commit {facts.commit[:12]}{also}."
    if facts.applied:
        yield f"Last applied: commit {facts.applied[:12]}."


def _to_apply(view: LabView, facts: LabFacts) -> str:
    """What is not applied yet."""
    changes = [_line(change) for change in view.changes]
    if not changes and not view.rows:
        return ""
    if not changes:
        text = f"All {counted(len(view.rows), 'record')}" if len(view.rows) > 1 else "The record"
        verb = "are" if len(view.rows) > 1 else "is"
        return f'<p class="applied">{text} {verb} applied to {escape(facts.server.name)}.</p>'
    is_some = any(row.status == APPLIED for row in view.rows)
    title = "Not applied yet" if is_some else "Nothing is applied yet"
    if not facts.state_is_known:
        title = "Not known to be applied, since the shared state was never fetched"
    kinds = Counter(change[0] for change in changes)
    counts = joined([f"{number:,} {status}" for status, number in kinds.items()])
    rows = "".join(
        f'<li class="{_CLASSES.get(symbol, "held")}"><span class="symbol">{escape(symbol)}</span> '
        f"{escape(title)} <span>{escape(text)}</span> <code>{escape(place)}</code></li>"
        for _, symbol, title, text, place in changes[:_NAMED]
    )
    rest = len(changes) - _NAMED
    more = f"<p>and {counted(rest, 'other record')}: see Status below.</p>" if rest > 0 else ""
    return (
        f'<details class="unapplied"{" open" if len(changes) <= 12 else ""}><summary>'
        f"<h2>{title}: {counted(len(changes), 'record')}</h2> <span>{escape(counts)}</span>"
        f"</summary><ul>{rows}</ul>{more}</details>"
    )


_CLASSES = {"…": "waits", "+": "create", "~": "update", "-": "delete", "=": "adopt", ".": "adopt"}


def _line(change: Change) -> tuple[str, str, str, str, str]:
    """Status, symbol, address, words and place of a record that is not as it was applied."""
    text = reason_words(change)
    if change.action is Action.UPDATE:
        paths = list(dict.fromkeys(field.path for field in change.fields))
        text = f"{text}: {first_few(paths)}" if paths else text
    place = location_text(change.location)
    address = cut(visible(str(change.address)), LONGEST_NAME)
    return status_of(change), symbol_of(change), address, text, place


def _without_script(view: LabView) -> str:
    """Counts and names, for readers whose browser runs no script."""
    parts = ["<p>Turn on JavaScript for the calendar, the search and the filters.</p>"]
    parts += ["<h2>Counts</h2>", _list(one.model.count(one.number) for one in view.models)]
    if view.first is not None:
        parts += _counts_of(view, view.models[view.first])
    parts.append("<h2>Records</h2>")
    if len(view.rows) > _LISTED:
        parts.append(f"<p>The first {_LISTED:,} of {len(view.rows):,}.</p>")
    rows = view.rows[:_LISTED]
    parts.append(
        _list(
            ", ".join(
                part
                for part in (
                    f"{row.address.model}/{row.name}",
                    row.when,
                    "" if row.status == APPLIED else row.status,
                    row.place,
                    row.id,
                )
                if part
            )
            for row in rows
        )
    )
    return "".join(parts)


def _counts_of(view: LabView, one: ModelView) -> Iterator[str]:
    """How many records of a model say the same."""
    members = [
        said
        for row, said in zip(view.rows, view.groups, strict=True)
        if row.address.model == one.model.name
    ]
    for group in [group for group in one.groups if group != STATUS][:6]:
        tally = Counter(text for said in members for text in said.get(group, ()))
        many = one.model.count(2).partition(" ")[2]
        yield f"<h3>{escape(f'{many[0].upper()}{many[1:]} by {group.title}')}</h3>"
        yield _list(f"{text}: {number:,}" for text, number in tally.most_common(20))


def _list(texts: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"
