"""What the commits of a state branch say, so that `git log` tells who did what, and why."""

from __future__ import annotations

import re
from collections import Counter

from stemctl.core.lease import Lease
from stemctl.core.run import Run
from stemctl.core.state import State
from stemctl.render.text.outcome_text import outcome_row
from stemctl.render.text.uncommitted_text import and_changes
from stemctl.util.late_pattern import late_pattern
from stemctl.util.plural import counted
from stemctl.util.safe_text import cut, visible

CLAIM = "Claim of "
"""How the subject of a commit begins that takes, renews or gives back a lease, and tells of no run.
The history of a state branch is searched for it.
"""

_LINES = 50
_RUN = late_pattern(r"^Run: (\S+)$", re.MULTILINE)
_TOLD_FIRST = ("failed", "unknown", "sent without an answer")
_QUIET = "[skip ci]"
"""No CI job should run for this branch."""

BEGINNING = f"Initialise stemctl state {_QUIET}\n"

README = """\
# The state of stemctl

This branch is written by stemctl, one commit for each run: what was applied to a server, \
by whom, from which commit.
`git log --first-parent` tells the story. Nothing here is to be edited or merged, and nothing \
here is a secret of a
server; but all metadata that was applied is here, in clear.

- `NAME.state.json`: what was applied to the server NAME, and what it answered \
(`NAME.state/`: where that is large)
- `NAME.run.jsonl`: the last run, with the records as they were before it
- `NAME.claim.json`, `NAME.plan.jsonl`: only while a run is on: who writes, until when, and what
"""


def lease_message(server: str, lease: Lease, renewed: bool) -> str:
    """A commit that takes or renews a lease."""
    what = "renewed" if renewed else counted(lease.changes, "change")
    return f"{CLAIM}{server} for run {lease.run}: {what} {_QUIET}\n\nBy {visible(lease.owner)}.\n"


def release_message(server: str, run: str) -> str:
    """A commit that gives a lease back after nothing was sent."""
    return f"{CLAIM}{server} for run {run}: given back, nothing was sent {_QUIET}\n"


def state_message(server: str, state: State, who: str, what: str) -> str:
    """A commit that changes the state without a run: import, resolve, state rm."""
    return f"{server}: {what}, serial {state.serial} {_QUIET}\n\nBy {visible(who)}.\n"


def run_message(server: str, run: Run, since: str | None, job: str | None) -> str:
    """The commit of a run: who, from which commit, which plan, and the outcome of each change."""
    rows = [outcome_row(outcome) for outcome in run.outcomes.values()]
    rows += [
        (f"! {visible(str(change.address))}", "sent without an answer", "")
        for change in run.unanswered()
    ]
    counts = Counter(word for _, word, _ in rows)
    numbers = ", ".join(f"{number:,} {word}" for word, number in counts.items())
    told = sorted(rows, key=lambda row: row[1] not in _TOLD_FIRST)[:_LINES]
    body = [cut(" ".join(row).rstrip(), 200) for row in told]
    if len(rows) > len(told):
        body.append(f"and {len(rows) - len(told):,} more")
    lines = [f"{server}: {numbers or 'nothing sent'} {_QUIET}", "", *_facts(run, since, job)]
    if body:
        lines += ["", *body]
    return "\n".join(lines) + "\n"


def run_of(message: str) -> str | None:
    """The run that the message of a commit is of, by its text below the subject."""
    found = _RUN.search(message)
    return found[1] if found else None


def _facts(run: Run, since: str | None, job: str | None) -> list[str]:
    server = run.plan.server
    facts = {
        "Run": run.id,
        "Who": visible(run.who),
        "CI": visible(job or ""),
        "Server": visible(f"{server.url} portal {server.portal} edition {server.edition}"),
        "Commit": visible((run.plan.commit or "none") + and_changes(run.plan.uncommitted)),
        "Since": since if since and since != run.plan.commit else "",
        "Digest": run.plan.digest,
        "Ended": run.ended or "broke off",
    }
    return [f"{word}: {fact}" for word, fact in facts.items() if fact]
