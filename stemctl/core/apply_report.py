"""The outcome of each change of a run."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Self

from msgspec import Struct, field

from stemctl.core.plan import NOT_HELD, WAITING, Action, Change, Held, Plan
from stemctl.util.json_types import Fields, Value


class Status(enum.StrEnum):
    """The outcome of a change."""

    APPLIED = "applied"
    PROPOSED = "proposed"
    HELD = "held"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class Outcome(Struct, frozen=True, gc=False):
    """The outcome of one change.

    `message` is a sentence for people, `errors` what the server said field by field, `refused` the
    fields that it answered without holding (with what was sent), `observed` what it holds in
    another form than it was declared, `approval` the id of a proposal. `done` says what an earlier
    request of the change did, where a later one did not succeed.
    """

    change: Change
    status: Status
    id: str | None = None
    approval: str | None = None
    message: str = ""
    detail: tuple[str, ...] = ()
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    refused: Mapping[str, Value] = field(default_factory=dict)
    observed: Fields = field(default_factory=dict)
    fatal: bool = False
    """Whether every other change would fail too: the server is gone, or refuses the token."""
    done: str = ""


class Report(Struct, frozen=True):
    """All outcomes of a run, in the order of the plan; `stopped` says why it ended before all was
    begun.
    """

    plan: Plan
    outcomes: tuple[Outcome, ...]
    run: str
    interrupted: bool = False
    stopped: str = ""

    def of(self, *statuses: Status) -> tuple[Outcome, ...]:
        """The outcomes that ended so."""
        return tuple(o for o in self.outcomes if o.status in statuses)

    def done(self, action: Action) -> int:
        """How many changes of an action were carried out as records, not as proposals."""
        return sum(o.status is Status.APPLIED and o.change.action is action for o in self.outcomes)

    def summary(self) -> dict[str, int]:
        """The numbers that every output shows."""
        words = {
            Action.CREATE: "created",
            Action.UPDATE: "updated",
            Action.DELETE: "deleted",
            Action.ADOPT: "adopted",
            Action.FORGET: "forgotten",
        }
        others = (Status.PROPOSED, Status.FAILED, Status.SKIPPED, Status.UNKNOWN, Status.HELD)
        return {
            **{word: self.done(action) for action, word in words.items()},
            **{status.value: len(self.of(status)) for status in others},
        }

    @property
    def exit_code(self) -> int:
        """0 done; 1 nothing was written and something failed; 3 ended in part; 130 interrupted."""
        if self.interrupted:
            return 130
        if self.of(Status.FAILED, Status.UNKNOWN, Status.SKIPPED) or self._unread():
            written = self.of(Status.APPLIED, Status.PROPOSED, Status.UNKNOWN)
            return 3 if written or any(outcome.done for outcome in self.outcomes) else 1
        not_as_written = any(o.refused for o in self.outcomes) or any(
            d.code == NOT_HELD for d in self.plan.diagnostics
        )
        return 3 if not_as_written or self._held_for_user() else 0

    def _held_for_user(self) -> bool:
        """Whether a change or field waits for the user, and not only for a reviewer, or because of
        drift. What blocks a record is itself in the plan.
        """
        gentle = (WAITING | {Held.REVERT}) - {Held.BLOCKED}  # a blocked field waits for no one
        held = any(not c.waits_for_others and c.held is not Held.REVERT for c in self.plan.held())
        return held or any(
            f.held not in gentle for c in self.plan.actionable() for f in c.held_fields
        )

    def _unread(self) -> bool:
        return any(d.code == "incomplete-reading" for d in self.plan.diagnostics)

    @classmethod
    def empty(cls, plan: Plan, run: str) -> Self:
        """The report of a plan with nothing to carry out."""
        return cls(plan, tuple(Outcome(c, Status.HELD) for c in plan.held()), run)
