"""A claim: who writes to a server at this moment, until when, and which plan. A value; `branch/`
keeps it in git.

A claim holds the plan of its run, so that any machine can settle a run that died:
each of its requests may have been sent, and the server shows which ones were.
"""

from __future__ import annotations

import datetime
import json
import uuid

from msgspec import Struct
from msgspec.structs import replace

from stemctl.core.formats import too_new
from stemctl.core.plan import METHODS
from stemctl.core.run import Intent, Run, first_lines, read_run
from stemctl.errors import StateError, Untouched

FORMAT = 1

DURATION = datetime.timedelta(seconds=120)
"""How long a lease lasts after its last renewal."""

RENEWED_EVERY = 30.0
"""Seconds between two renewals."""

MARGIN = datetime.timedelta(seconds=20)
"""An owner sends nothing in the last seconds of its lease, so that requests in flight arrive before
others check.
"""

SKEW = datetime.timedelta(seconds=300)
"""How far the clocks of two machines may differ. A lease that ended longer ago has expired; with a
more recent end, wait.
"""

_LONGEST = datetime.timedelta(hours=1)
"""No real lease is this long: an edited lease must not block all other runs."""


class Lease(Struct, frozen=True):
    """Who writes, since when and until when (UTC, by the owner's clock), from which commit, how
    many changes.

    `nonce` is unique to this lease. Two jobs that take a lease at the same moment must not make the
    same commit, because both pushes would then succeed.
    """

    run: str
    owner: str
    commit: str | None
    changes: int
    renewed: datetime.datetime
    until: datetime.datetime
    nonce: str = ""

    def has_ended(self, now: datetime.datetime, watched: datetime.timedelta) -> bool:
        """Whether its owner sends nothing more: its end is long past, or we saw no renewal for a
        whole lease.

        `watched` is how long this very claim has been looked at; it needs no clock but our own.
        """
        return now > self.until + SKEW or watched > self.until - self.renewed


def lease_of(run: Run, now: datetime.datetime) -> Lease:
    """The claim that a run begins with."""
    return Lease(
        run.id,
        run.who,
        run.plan.commit,
        len(run.plan.actionable()),
        now,
        now + DURATION,
        uuid.uuid4().hex,
    )


def renewed(lease: Lease, now: datetime.datetime) -> Lease:
    """The same claim with a lease that begins now."""
    return replace(lease, renewed=now, until=now + DURATION)


def lease_json(lease: Lease) -> str:
    """The text of a claim's file."""
    body = {
        "format": FORMAT,
        "run": lease.run,
        "owner": lease.owner,
        "commit": lease.commit,
        "changes": lease.changes,
        "renewed": lease.renewed.isoformat(timespec="milliseconds"),
        "until": lease.until.isoformat(timespec="milliseconds"),
        "nonce": lease.nonce,
    }
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def read_lease(text: str, where: str) -> Lease:
    """Read a claim's file.

    Raises:
        StateError: it is damaged, or of a newer stemctl.
    """
    try:
        body = json.loads(text)
        if body["format"] > FORMAT:
            raise too_new(f"The lease on {where}", body["format"], FORMAT, Untouched.NOTHING_SENT)
        commit = None if body["commit"] is None else str(body["commit"])
        begun, until = _moment(body["renewed"]), _moment(body["until"])
        if not datetime.timedelta() < until - begun < _LONGEST:
            raise ValueError("no lease")
        nonce = str(body.get("nonce", ""))
        return Lease(
            str(body["run"]), str(body["owner"]), commit, int(body["changes"]), begun, until, nonce
        )
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise StateError(
            f"The lease on {where} cannot be read.",
            f"It was edited, or is damaged.\n{_UNDO}",
            untouched=Untouched.NOTHING_SENT,
        ) from error


def _moment(text: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    _ = (
        moment.astimezone(datetime.UTC) + 2 * SKEW
    )  # raises OverflowError if the time is out of range
    return moment


_UNDO = "Undo the commit that damaged it: git log of that branch shows who made it."


def plan_lines(run: Run) -> str:
    """The plan of a claim, as the first lines of a journal."""
    return "".join(first_lines(run))


def may_send(ago: datetime.timedelta) -> bool:
    """Whether an owner may send something, so long after it last had its claim renewed."""
    return ago <= DURATION - MARGIN


def run_of(lease: Lease, content: bytes, where: str, now: datetime.datetime) -> Run:
    """The run of a lease whose owner is gone: each of its requests may have been sent, before its
    margin began.

    Raises:
        StateError: its plan is damaged, or of a newer stemctl.
    """
    try:
        run = read_run(content, where)
    except StateError as error:
        raise StateError(
            error.what,
            f"It says what the run that holds the lease may have sent.\n{_UNDO}",
            untouched=Untouched.NOTHING_SENT,
        ) from error
    last = (min(now, lease.until + SKEW) - MARGIN).astimezone(datetime.UTC)
    at = last.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    intents = {
        change.address: Intent(at, METHODS[change.action], change.request.body or {})
        for change in run.plan.actionable()
        if change.request is not None
    }
    return replace(run, intents=intents, lease=lease.until)
