"""A claim: who writes to a server at this moment, until when, and which plan. A value; `branch/` keeps it in git.

A claim holds the plan of its run, so that anybody can settle a run that died, on whichever machine: each of its
requests may have been sent, and the server shows which ones were.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, replace

from stemctl.errors import StateError
from stemctl.runs import Intent, Run, first_lines, read_run

FORMAT = 1

LEASE = datetime.timedelta(seconds=120)
"""How long a claim holds from its last renewal on."""

RENEWED_EVERY = 30.0
"""Seconds between two renewals."""

MARGIN = datetime.timedelta(seconds=20)
"""So long before the end of its lease an owner sends nothing more: what is under way arrives before others look."""

SKEW = datetime.timedelta(seconds=300)
"""By so much the clocks of two machines may differ; an older end is believed, a younger one is waited for."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who writes, since when and until when (UTC, by the owner's clock), from which commit, how many changes."""

    run: str
    owner: str
    commit: str | None
    changes: int
    renewed: datetime.datetime
    until: datetime.datetime

    def has_ended(self, now: datetime.datetime, watched: datetime.timedelta) -> bool:
        """Whether its owner sends nothing more: its end is long past, or we saw no renewal for a whole lease.

        `watched` is how long this very claim has been looked at; it needs no clock but our own.
        """
        return now > self.until + SKEW or watched > self.until - self.renewed


def claim_of(run: Run, now: datetime.datetime) -> Claim:
    """The claim that a run begins with."""
    return Claim(run.id, run.who, run.plan.commit, len(run.plan.going()), now, now + LEASE)


def renewed(claim: Claim, now: datetime.datetime) -> Claim:
    """The same claim with a lease that begins now."""
    return replace(claim, renewed=now, until=now + LEASE)


def claim_json(claim: Claim) -> str:
    """The text of a claim's file."""
    body = {
        "format": FORMAT,
        "run": claim.run,
        "owner": claim.owner,
        "commit": claim.commit,
        "changes": claim.changes,
        "renewed": claim.renewed.isoformat(timespec="milliseconds"),
        "until": claim.until.isoformat(timespec="milliseconds"),
    }
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def read_claim(text: str, where: str) -> Claim:
    """Read a claim's file.

    Raises:
        StateError: it is damaged, or of a newer stemctl.
    """
    try:
        body = json.loads(text)
        if body["format"] > FORMAT:
            raise StateError(
                f"The claim on {where} has format {body['format']}, this stemctl reads up to {FORMAT}.",
                "A newer stemctl is writing, or was. Nothing was sent.",
                [("pip install --upgrade stemctl", "gets one that reads it")],
            )
        times = [datetime.datetime.fromisoformat(body[name]) for name in ("renewed", "until")]
        if any(moment.tzinfo is None for moment in times):
            raise ValueError("a time without a zone")
        commit = None if body["commit"] is None else str(body["commit"])
        return Claim(str(body["run"]), str(body["owner"]), commit, int(body["changes"]), *times)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateError(
            f"The claim on {where} cannot be read.", "It was edited, or is damaged. Nothing was sent."
        ) from error


def plan_lines(run: Run) -> str:
    """The plan of a claim, as the first lines of a journal."""
    return first_lines(run)


def may_send(ago: datetime.timedelta) -> bool:
    """Whether an owner may send something, so long after it last had its claim renewed."""
    return ago <= LEASE - MARGIN


def run_of(claim: Claim, content: bytes, where: str, now: datetime.datetime) -> Run:
    """The run of a claim whose owner is gone: each of its requests may have been sent, before its margin began.

    Raises:
        StateError: its plan is damaged, or of a newer stemctl.
    """
    run = read_run(content, where)
    at = (now - MARGIN).astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    intents = {
        change.address: Intent(at, change.request.method, change.request.body or {})
        for change in run.plan.going()
        if change.request is not None
    }
    return replace(run, intents=intents, lease=claim.until)
