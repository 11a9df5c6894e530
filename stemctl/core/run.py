"""A run: one execution of apply, as its journal tells it. Lines of JSON, written one by one and
read back.

The first line says who and when, the second holds the whole plan; then, before each write, its
intent (what is sent, and the record as it was), and after it the outcome, or what it did if more
requests of the same change follow; at last, when the run ended, and its numbers. A run without its
last line broke off: an intent without an outcome was sent, or was about to be sent, and its outcome
is unknown.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from stemctl import __version__
from stemctl.core import documents, plan_codec
from stemctl.core.apply_report import Outcome, Status
from stemctl.core.formats import NEWEST, format_of, too_new
from stemctl.core.plan import Change, Plan
from stemctl.core.plan_checks import contradiction
from stemctl.core.records import Address
from stemctl.errors import StateError, Untouched
from stemctl.util.canonical_json import canonical_pieces, hash_of_pieces
from stemctl.util.json_types import Fields, Value, is_record_id
from stemctl.util.late_pattern import late_pattern

_RUN_ID = late_pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(-\d+)?", re.ASCII)


class Intent(Struct, frozen=True, gc=False):
    """A write that is about to be sent: when (UTC, ISO 8601), what, and the record as it was (None:
    there was none). `method` says what it does to the record, also where an action does it.
    """

    at: str
    method: str
    body: Fields
    before: Fields | None = None


class Part(Struct, frozen=True):
    """What the first `requests` of a change did, where more follow: the outcome if it were all.

    `answered` is the intent of the last of them.
    """

    requests: int
    outcome: Outcome
    answered: Intent | None


class Run(Struct, frozen=True):
    """One execution of apply. `lineage` is the one that the state has from this run on.

    `intents` holds the last one of each address, `outcomes` those that are known, in the order in
    which they came, `parts` what was done of the changes that take several requests. Of a run that
    only its claim tells of, `lease` is when that ends; each of its writes may have been sent. Once
    another run has checked its outcome, `settled` names that run. `folder` is where its files are
    in their git repository, where the state is kept on a branch.
    """

    id: str
    who: str
    plan: Plan
    lineage: str
    intents: Mapping[Address, Intent] = field(default_factory=dict)
    outcomes: Mapping[Address, Outcome] = field(default_factory=dict)
    ended: str | None = None
    lease: datetime.datetime | None = None
    settled: str = ""
    folder: str | None = None
    parts: Mapping[Address, Part] = field(default_factory=dict)

    def open_intent(self, address: Address) -> Intent | None:
        """The last request for an address, unless its answer is known."""
        intent, part = self.intents.get(address), self.parts.get(address)
        return None if part is not None and part.answered is intent else intent

    def unanswered(self) -> list[Change]:
        """The changes that were sent, or about to be, without an outcome."""
        return [
            c
            for c in self.plan.actionable()
            if self.open_intent(c.address) and c.address not in self.outcomes
        ]

    def not_begun(self) -> int:
        """How many changes were never begun."""
        return sum(
            c.address not in self.intents and c.address not in self.outcomes
            for c in self.plan.actionable()
        )

    def count(self, *statuses: Status) -> int:
        """How many changes ended so."""
        return sum(outcome.status in statuses for outcome in self.outcomes.values())

    def numbers(self) -> dict[str, int]:
        """How many changes ended in which way, with those that have no answer or were not begun."""
        if self.settled:
            return {"settled from its claim": len(self.plan.actionable())}
        if self.lease is not None:
            return {"claimed": len(self.plan.actionable())}
        found = {status.value: self.count(status) for status in Status}
        found |= {"without an answer": len(self.unanswered()), "not begun": self.not_begun()}
        return {word: number for word, number in found.items() if number}


class Brief(Struct, frozen=True):
    """What a list says of a run: `ended` is None if it is on (`is_on`), or broke off."""

    id: str
    who: str
    commit: str | None
    ended: str | None
    numbers: Mapping[str, int]
    is_on: bool = False
    uncommitted: tuple[str, ...] = ()


def in_brief(run: Run) -> Brief:
    """A run as a list shows it."""
    return Brief(
        run.id, run.who, run.plan.commit, run.ended, run.numbers(), uncommitted=run.plan.uncommitted
    )


def first_lines(run: Run) -> Iterator[str]:
    """Everything that is known before the first write, in pieces."""
    later: dict[str, Any] = (
        {"uncommitted": list(run.plan.uncommitted)} if run.plan.uncommitted else {}
    )
    if run.folder is not None:
        later["folder"] = run.folder
    head = {
        "format": max(format_of(later), plan_codec.plan_format(run.plan)),
        "stemctl": __version__,
        "run": run.id,
        "who": run.who,
        "commit": run.plan.commit,
        "lineage": run.lineage,
        **later,
    }
    yield _line(head)
    yield '{"plan":'
    yield from plan_codec.plan_json(run.plan)
    yield "}\n"


def intent_line(address: Address, intent: Intent) -> str:
    """The line before a write."""
    sent = {"at": intent.at, "method": intent.method, "body": intent.body, "before": intent.before}
    return _line({"intent": str(address), **sent})


def outcome_line(outcome: Outcome) -> str:
    """The line after it."""
    return _line({"outcome": str(outcome.change.address), **documents.outcome_document(outcome)})


def part_line(part: Part) -> str:
    """The line after a write that more of the same change follow."""
    address = str(part.outcome.change.address)
    return _line(
        {"part": address, "requests": part.requests, **documents.outcome_document(part.outcome)}
    )


def end_line(run: Run) -> str:
    """The last line."""
    return _line({"ended": run.ended, "settled": run.settled, "numbers": run.numbers()})


def _line(body: Mapping[str, Any]) -> str:
    return _COMPACT.encode(body) + "\n"


_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def read_run(content: bytes, where: str) -> Run:
    """The run that a journal tells of.

    A last line that was not written to its end is left out: a write begins only after its whole
    line is on disk.

    Raises:
        StateError: the journal is damaged elsewhere, or of a newer stemctl.
    """
    bodies: list[dict[str, Any]] = []
    try:
        for line in content.split(b"\n")[:-1]:
            bodies.append(json.loads(line))
        return _run(bodies, where)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise StateError(
            f"{where}:{len(bodies) + 1} is not a line of a journal.",
            "It says what an interrupted run has sent. It was edited, or the disk failed.",
            [
                (
                    f"rm {where}",
                    "goes on without it: what was created is found by its name, "
                    "the rest is not remembered",
                )
            ],
            Untouched.NOTHING_SENT,
        ) from error


def read_brief(first: bytes, last: bytes) -> Brief | None:
    """The run of a journal by its first and last line; None if it has to be read whole, since it
    did not end.
    """
    try:
        head, end = json.loads(first), json.loads(last)
        uncommitted = tuple(map(str, head.get("uncommitted", ())))
        return Brief(
            head["run"],
            head["who"],
            head["commit"],
            end["ended"],
            dict(end["numbers"]),
            False,
            uncommitted,
        )
    except (ValueError, KeyError, TypeError):
        return None


def _run(bodies: list[dict[str, Any]], where: str) -> Run:
    head = bodies[0]
    if head["format"] > NEWEST:
        raise too_new(where, head["format"], NEWEST, Untouched.NOTHING_CHANGED)
    document = bodies[1]["plan"]
    body = {key: value for key, value in document.items() if key != "checksum"}
    if document["checksum"] != hash_of_pieces(canonical_pieces(body)):
        raise ValueError("the plan was edited")
    plan = plan_codec.plan_of(document)
    if wrong := contradiction(plan):
        raise ValueError(wrong)
    changes = {change.address: change for change in plan.changes}
    intents, parts = _writes(bodies, changes)
    rows = [(changes[Address.parse(b["outcome"])], b) for b in bodies if "outcome" in b]
    outcomes = {change.address: _outcome(change, b) for change, b in rows}
    if not intents.keys() <= changes.keys():
        raise ValueError("an intent that is not in the plan")
    if not _RUN_ID.fullmatch(head["run"]):
        raise ValueError("not the id of a run")
    ended = next((str(b["ended"]) for b in bodies if "ended" in b), None)
    settled = next((str(b["settled"]) for b in bodies if b.get("settled")), "")
    folder = None if head.get("folder") is None else str(head["folder"])
    who, lineage = str(head["who"]), str(head["lineage"])
    return Run(
        head["run"],
        who,
        plan,
        lineage,
        intents,
        outcomes,
        ended,
        settled=settled,
        folder=folder,
        parts=parts,
    )


def _writes(
    bodies: Iterable[Mapping[str, Any]], changes: Mapping[Address, Change]
) -> tuple[dict[Address, Intent], dict[Address, Part]]:
    """The last intent of each address, and what was done of each change in parts."""
    intents: dict[Address, Intent] = {}
    parts: dict[Address, Part] = {}
    for body in bodies:
        if "intent" in body:
            intents[Address.parse(body["intent"])] = _intent(body)
        elif "part" in body:
            change = changes[Address.parse(body["part"])]
            requests = int(body["requests"])
            if not 0 < requests < len(change.requests):
                raise ValueError("more requests than the plan has")
            done = intents.get(change.address)
            parts[change.address] = Part(requests, _outcome(change, body), done)
    return intents, parts


def _intent(body: Mapping[str, Any]) -> Intent:
    if datetime.datetime.fromisoformat(body["at"]).tzinfo is None:
        raise ValueError("a time without a zone")
    before = body["before"]
    return Intent(
        body["at"],
        str(body["method"]),
        dict(body["body"]),
        None if before is None else dict(before),
    )


def _id(value: Value) -> str | None:
    if value is not None and not is_record_id(value):
        raise ValueError(f"not an id: {value!r}")
    return None if value is None else str(value)


def _outcome(change: Change, body: Mapping[str, Any]) -> Outcome:
    return Outcome(
        change,
        Status(body["status"]),
        _id(body["id"]),
        _id(body["approval"]),
        str(body["message"]),
        tuple(map(str, body["detail"])),
        {name: list(map(str, texts)) for name, texts in body["errors"].items()},
        dict(body["refused"]),
        dict(body["observed"]),
        done=str(body.get("done", "")),
    )
