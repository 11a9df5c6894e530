"""Many changes of one kind are shown as one; none is lost, and what is risky is listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from msgspec.structs import replace

from stemctl.core.apply_report import Outcome, Report, Status
from stemctl.core.plan import Action, Change, FieldChange, Held, Note, Plan, Request, Target
from stemctl.core.records import Address, Location
from stemctl.planning.drift import Drift, Drifted, Moved
from stemctl.render.change_view import view_change
from stemctl.render.folding import FOLD_ABOVE, LISTED_FIRST, LISTED_UP_TO
from stemctl.render.markdown import plan_markdown
from stemctl.render.model_words import ModelWords
from stemctl.render.plan_view import view_plan
from stemctl.render.report_markdown import report_markdown
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.drift_text import drift_text
from stemctl.render.text.plan_text import plan_text
from stemctl.render.text.report_text import report_text
from stemctl.util.json_types import Value
from tests.render.plans import PLANS
from tests.support.effort import examples

WORDS = ModelWords({"session": ("session", "sessions")})
STYLE = TerminalStyle(width=80, words=WORDS)
SENT = Request("POST", "stem/session/", {})


def plan(*changes: Change, notes: tuple[Note, ...] = ()) -> Plan:
    target = Target("lab", "https://lab.example/", "private", "2024")
    return Plan(target, None, 0, changes, notes=notes)


def one(number: int, action: Action, held: Held | None = None, **fields: Value) -> Change:
    before, after = ("gone", None) if action is Action.DELETE else (None, "new")
    values = {"description": f"Day {number}", **fields}
    return Change(
        Address("session", f"s{number:05}"),
        action,
        "new" if action is Action.CREATE else "edited",
        held,
        location=Location(f"records/{number % 40}.yaml", number + 1, 1),
        request=None if held or action is Action.FORGET else SENT,
        fields=tuple(
            FieldChange(name, before and value, after and value, "edited", held)
            for name, value in values.items()
        ),
    )


KINDS: dict[str, Callable[[int], Change]] = {
    "create": lambda i: one(i, Action.CREATE),
    "create of many shapes": lambda i: one(i, Action.CREATE, **{f"f{i % 7}": i, f"g{i % 5}": i}),
    "proposal": lambda i: replace(one(i, Action.CREATE), approval=True),
    "created again": lambda i: replace(one(i, Action.CREATE), reason="gone_from_server"),
    "adopt": lambda i: replace(one(i, Action.ADOPT), fields=()),
    "adopt and fill": lambda i: one(i, Action.ADOPT),
    "update": lambda i: one(i, Action.UPDATE),
    "the same update": lambda i: one(i, Action.UPDATE, description="Same"),
    "delete": lambda i: one(i, Action.DELETE),
    "forget": lambda i: one(i, Action.FORGET),
    **{f"held: {held}": lambda i, held=held: one(i, Action.UPDATE, held) for held in Held},  # type: ignore[misc]
}


@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_changes_take_less_than_a_hundred_lines(kind: str) -> None:
    made = plan(*map(KINDS[kind], range(2_000)))
    text = plan_text(made, STYLE)
    assert text.count("\n") < 100
    assert "-v lists them" in " ".join(text.split())
    assert all(len(line) <= 80 for line in text.partition("\nNext")[0].splitlines())
    assert plan_markdown(made, STYLE).count("\n") < 100
    everything = plan_text(made, replace(STYLE, verbose=1))
    assert all(str(change.address) in everything for change in made.changes)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [1, FOLD_ABOVE, FOLD_ABOVE + 1, LISTED_UP_TO, LISTED_UP_TO + 1])
def test_what_is_folded_says_how_many_there_are(kind: str, number: int) -> None:
    view = view_plan(plan(*map(KINDS[kind], range(number))), WORDS, folds=True)
    assert sum(change.records for change in view.changes) == number
    folded = [change for change in view.changes if change.members]
    for change in folded:
        assert change.title.startswith(f"{change.records} ")
        assert change.examples.startswith("session/s0")
    free = ("create", "create of many shapes", "proposal", "adopt", "forget", "the same update")
    if kind not in free:
        assert len(folded) == (number > LISTED_UP_TO)
        assert len(view.changes) == (number if number <= LISTED_UP_TO else LISTED_FIRST + 1)
    elif kind != "create of many shapes":
        assert len(folded) == (number > FOLD_ABOVE)


@examples(50)
@given(PLANS)
def test_every_change_is_shown_once(made: Plan) -> None:
    view = view_plan(made, WORDS, folds=True)
    shown = Counter(
        repr(member)
        for change in view.changes
        for member in (change.members or [change._replace(examples="")])
    )
    single = [view_change(change, WORDS) for change in made.changes]
    expected = Counter(
        repr(change) if shown[repr(change)] else repr(view)
        for change, view in zip(made.changes, single, strict=True)
    )
    assert shown == expected
    assert sum(note.records for note in view.notes) == len(made.notes)


def test_a_fold_says_what_is_equal_and_what_differs() -> None:
    changes = [
        one(
            i,
            Action.CREATE,
            name=f"s{i}",
            date_time=f"2024-03-{1 + i:02}T09:00:00Z",
            end=f"2024-03-{1 + i:02}T09:00:00+0{i % 3}:00",
            weight=300 + i,
            kind="sleep" if i % 3 else "maze",
            projects=["Theta"],
            tags=["theta", "sleep" if i % 3 else "run"],
            extra_fields={"room": "B115", "cage": i, **({"lamp": "off"} if i < 2 else {})},
        )
        for i in range(12)
    ]
    (change,) = view_plan(plan(*changes), WORDS, folds=True).changes
    assert {row.name: "".join(map(str, row.spans)) for row in change.fields} == {
        "description": "12 different",
        "name": "12 different",
        "date_time": "2024-03-01T09:00:00Z … 2024-03-12T09:00:00Z",
        "end": "2024-03-01 … 2024-03-12",
        "weight": "300 … 311",
        "kind": "sleep (8), maze (4)",
        "projects": "Theta",
        "tags": "theta in all, sleep in 8, run in 4",
        "extra_fields.room": "B115",
        "extra_fields.cage": "0 … 11",
        "extra_fields.lamp": "in 2 of 12: off",
    }
    assert change.location == "12 files"
    assert change.files == "records/0.yaml, records/1.yaml, records/10.yaml and 9 more"
    assert change.examples == "session/s00000, session/s00001, session/s00002 and 9 more"


def test_other_reasons_actions_and_models_are_folded_apart() -> None:
    other = replace(one(99, Action.CREATE), address=Address("project", "p"))
    made = plan(
        *(one(i, Action.UPDATE, Held.DELETE) for i in range(60)),
        *(one(i, Action.UPDATE, Held.CASCADE) for i in range(60, 63)),
        *(one(i, Action.CREATE) for i in range(70, 80)),
        *(replace(one(i, Action.CREATE), approval=True) for i in range(80, 90)),
        other,
    )
    titles = [(c.title, c.why) for c in view_plan(made, WORDS, folds=True).changes]
    assert titles[5:] == [
        ("55 more sessions", "edited, held: delete"),
        *((f"session/s000{i}", "edited, held: cascade") for i in (60, 61, 62)),
        ("10 sessions", "new"),
        ("10 sessions", "new, proposal"),
        ("project/p", "new"),
    ]


def test_a_risky_change_among_many_is_not_hidden() -> None:
    field = FieldChange("description", "a", "b", "edited", Held.REPLACE)
    risky = replace(one(50, Action.ADOPT), fields=(field,))
    adopted = [replace(one(i, Action.ADOPT), fields=()) for i in range(100) if i != 50]
    views = view_plan(plan(*adopted, risky), WORDS, folds=True).changes
    assert [view.title for view in views] == ["99 sessions, no difference", "session/s00050"]


def test_notes_of_many_records_are_one() -> None:
    notes = tuple(
        Note(Address("session", f"s{i}"), "left", Location("a.yaml", i + 1, 1)) for i in range(3000)
    )
    others = tuple(Note(Address("session", f"o{i}"), f"was {i}") for i in range(3000))
    text = plan_text(plan(notes=notes + others), STYLE)
    assert "  3,000 sessions " in text
    assert "  2,995 more sessions" in text
    assert text.count("\n") < 50


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("status", [Status.FAILED, Status.UNKNOWN])
def test_failures_of_one_kind_are_one(status: Status, same: bool) -> None:
    changes = [one(i, Action.CREATE) for i in range(2000)]
    outcomes = tuple(
        Outcome(c, status, message=f"{c.address.key if same else i} is taken")
        for i, c in enumerate(changes)
    )
    report = Report(plan(*changes), outcomes, "2024-03-12T09:00:00Z")
    for text in (report_text(report, STYLE, 1.0, "x"), report_markdown(report, STYLE, 1.0, 10**5)):
        assert "stemctl runs show 2024-03-12T09:00:00Z lists them" in " ".join(text.split())
        assert ("! 2,000 sessions" if same else "! 1,995 more sessions") in text
    assert report_text(report, STYLE, 1.0, "x").count("\n") < 50
    everything = report_text(report, replace(STYLE, verbose=1), 1.0, "x")
    assert all(str(change.address) in everything for change in changes)


def test_what_was_held_is_counted_after_an_apply() -> None:
    changes = [one(i, Action.UPDATE, Held.REVERT) for i in range(2000)]
    changes += [one(i, Action.UPDATE, Held.DELETE) for i in range(2000, 2003)]
    report = Report.empty(plan(*changes), "")
    text = report_text(report, STYLE, 1.0, None)
    assert "! 1,995 more sessions" in text
    assert all(f"session/s0200{i}" in text for i in range(3))
    assert text.count("\n") < 50


def test_refusals_of_one_kind_are_one() -> None:
    changes = [one(i, Action.UPDATE) for i in range(100)]
    outcomes = tuple(
        Outcome(c, Status.APPLIED, refused={"tags": ["a"]}, observed={"tags": []}) for c in changes
    )
    text = report_text(Report(plan(*changes), outcomes, "r"), STYLE, 1.0, "x")
    assert "! 100 sessions" in text
    assert text.count("sent a; the server holds []") == 1


def test_drift_of_many_records_is_counted() -> None:
    moved = (Moved("description", "a", "b"),)
    records = tuple(
        Drifted(Address("session", f"s{i:04}"), f"{i}", moved, Location("a.yaml", i + 1, 1))
        for i in range(3000)
    )
    drift = Drift(records, 3000, {}, {})
    text = drift_text(drift, STYLE)
    assert "2,995 more sessions" in text
    assert "session/s0004" in text
    assert text.count("\n") < 50
    everything = drift_text(drift, replace(STYLE, verbose=1))
    assert all(str(record.address) in everything for record in records)
