"""What the commits of a state branch say: a reader of `git log` learns who did what, and why. Pure."""

from __future__ import annotations

from collections import Counter

from stemctl.core.lease import Lease
from stemctl.core.run import Run
from stemctl.core.state import State
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.report_text import outcome_row
from stemctl.render.text.uncommitted_text import and_changes
from stemctl.util.safe_text import cut, visible

CLAIM = "Claim of "
"""How the subject of a commit begins that holds or renews a claim, and tells no story."""

_LINES = 50
_TOLD_FIRST = ("failed", "unknown", "sent without an answer")
_QUIET = "[skip ci]"
"""No CI job has anything to do with what is on this branch."""

BEGINNING = f"The memory of stemctl begins {_QUIET}\n"

README = """\
# The state of stemctl

This branch is written by stemctl, one commit for each run: what was applied to a server, by whom, from which commit.
`git log --first-parent` tells the story. Nothing here is to be edited or merged, and nothing here is a secret of a
server; but all metadata that was applied is here, in clear.

- `NAME.state.json`: what was applied to the server NAME, and what it answered (`NAME.state/`: where that is large)
- `NAME.run.jsonl`: the last run, with the records as they were before it
- `NAME.claim.json`, `NAME.plan.jsonl`: only while a run is on: who writes, until when, and what
"""


def lease_message(server: str, lease: Lease, renewed: bool) -> str:
    """A commit that holds a claim."""
    what = "renewed" if renewed else f"{lease.changes:,} change{'' if lease.changes == 1 else 's'}"
    return f"{CLAIM}{server} for run {lease.run}: {what} {_QUIET}\n\nBy {visible(lease.owner)}.\n"


def release_message(server: str, run: str) -> str:
    """A commit that gives a claim back, where nothing was sent."""
    return f"{CLAIM}{server} for run {run}: given back, nothing was sent {_QUIET}\n"


def state_message(server: str, state: State, who: str, what: str) -> str:
    """A commit that changes the state without a run: import, resolve, state rm."""
    return f"{server}: {what}, serial {state.serial} {_QUIET}\n\nBy {visible(who)}.\n"


def run_message(server: str, run: Run, since: str | None, job: str | None) -> str:
    """The commit of a run: who, from which commit, which plan, and what became of each change."""
    style = TerminalStyle(width=100, colour=False, unicode=True)
    rows = [outcome_row(outcome, style) for outcome in run.outcomes.values()]
    rows += [
        (f"! {visible(str(change.address))}", "sent without an answer", "")
        for change in run.unanswered()
    ]
    counts = Counter(word for _, word, _ in rows)
    numbers = ", ".join(f"{number:,} {word}" for word, number in counts.items()) or "nothing sent"
    facts = {
        "Run": run.id,
        "Who": visible(run.who),
        "CI": visible(job) if job else "",
        "Server": visible(
            f"{run.plan.server.url} portal {run.plan.server.portal} edition {run.plan.server.edition}"
        ),
        "Commit": visible((run.plan.commit or "none") + and_changes(run.plan.uncommitted)),
        "Since": since if since and since != run.plan.commit else "",
        "Digest": run.plan.digest,
        "Ended": run.ended or "broke off",
    }
    lines = [f"{word}: {fact}" for word, fact in facts.items() if fact]
    told = sorted(rows, key=lambda row: row[1] not in _TOLD_FIRST)[:_LINES]
    more = [f"and {len(rows) - len(told):,} more"] if len(rows) > len(told) else []
    body = [cut(" ".join(row).rstrip(), 200) for row in told] + more
    return (
        "\n".join([f"{server}: {numbers} {_QUIET}", "", *lines, *([""] if body else []), *body])
        + "\n"
    )
