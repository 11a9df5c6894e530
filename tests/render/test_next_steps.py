"""What a plan proposes to type: what helps, at most three commands, each as it can be typed."""

from __future__ import annotations

from msgspec.structs import replace

from stemctl.core.plan import Action, Change, FieldChange, Held, Plan, Request, Subset, Target
from stemctl.core.records import Address
from stemctl.render.next_steps import lines_to_write, next_hints, saved_hints, values_to_keep
from stemctl.render.terminal import TerminalStyle

SERVER = Target("lab", "https://lab.example/", "private", "2024")
SENT = Request("PATCH", "stem/session/1/", {})


def change(key: str, action: Action = Action.UPDATE, held: Held | None = None) -> Change:
    request = None if held or action is Action.FORGET else SENT
    return Change(Address("session", key), action, "edited", held, request=request)


def plan(*changes: Change, **more: object) -> Plan:
    return replace(Plan(SERVER, None, 0, tuple(changes)), **more)  # type: ignore[arg-type]


def commands(made: Plan, options: str = "") -> list[str]:
    return [command for command, _ in next_hints(made, options)]


def test_nothing_to_do_proposes_nothing() -> None:
    assert commands(plan()) == []
    assert commands(plan(change("a", held=Held.BLOCKED))) == []


def test_what_is_sent_is_applied_or_kept_with_the_same_options() -> None:
    subset = Subset(("session/*",), ("session/x y",), 1)
    made = plan(change("a"), subset=subset)
    part = "'session/*' --exclude 'session/x y' --allow revert=1"
    assert commands(made, " --allow revert=1") == [
        f"stemctl apply {part}",
        f"stemctl plan {part} --out plan.json",
    ]


def test_what_sends_nothing_is_not_kept() -> None:
    adopted = replace(change("a", Action.ADOPT), request=None)
    assert next_hints(plan(adopted), "") == [("stemctl apply", "starts managing this record")]
    both = next_hints(plan(adopted, change("b", Action.FORGET)), "")
    assert both == [("stemctl apply", "updates the state")]


def test_permissions_are_counted_with_the_fields_that_stay_behind() -> None:
    field = FieldChange("description", "a", "b", "drift", Held.REVERT)
    part = replace(change("a"), fields=(field,))
    made = plan(part, change("b", held=Held.REVERT), change("c", held=Held.DELETE))
    assert commands(made)[2] == "stemctl plan --allow delete=1"
    assert len(commands(made)) == 3
    assert commands(replace(made, offline=True)) == [
        "stemctl plan",
        "stemctl plan --offline --allow delete=1",
        "stemctl plan --offline --allow revert=2",
    ]


def test_conflicts_are_resolved_but_those_of_lost_answers_are_not() -> None:
    conflict = change("it's", held=Held.CONFLICT)
    lost = replace(change("b", held=Held.CONFLICT), pending_since="2024-03-12T14:00:00Z")
    assert commands(plan(conflict)) == ["stemctl resolve --keep files 'session/it'\"'\"'s'"]
    assert commands(plan(lost)) == ["stemctl runs list"]
    assert commands(plan(conflict, lost))[1:] == ["stemctl runs list"]


def test_proposals() -> None:
    pending = replace(change("a", Action.CREATE, Held.PENDING), approval=True)
    differs = replace(pending, fields=(FieldChange("name", "a", "b", "new"),))
    rejected = change("b", Action.CREATE, Held.REJECTED)
    listed, again = "stemctl approvals list", "stemctl apply --resubmit"
    assert commands(plan(pending)) == [listed]
    assert commands(plan(differs)) == commands(plan(rejected)) == [listed, again]
    assert commands(plan(rejected, differs)) == [listed, again]
    assert commands(plan(rejected, change("c"))) == [
        "stemctl apply",
        "stemctl plan --out plan.json",
        again,
    ]
    assert commands(plan(rejected, offline=True)) == ["stemctl plan"]


def test_a_saved_plan_is_applied_if_there_is_work() -> None:
    assert saved_hints(plan(), "plan.json") == []
    assert saved_hints(plan(change("a")), "plan.json")[0][0] == "stemctl apply plan.json"


def test_a_rename_shows_both_entries() -> None:
    new = replace(
        change("new: one", Action.CREATE, Held.RENAME), waits=(Address("session", "old"),)
    )
    made = plan(new, change("old", Action.DELETE, Held.RENAME))
    assert commands(made) == ["stemctl plan"]
    assert lines_to_write(made, TerminalStyle()) == [
        "If it is the same record:",
        "      moved:",
        "        - from: session/old",
        "          to: 'session/new: one'",
        "If it is another record, and the old one should be deleted:",
        "      deleted: [session/old]",
    ]


def test_what_takes_the_servers_values_comes_before_what_overwrites_them() -> None:
    drifted = FieldChange("description", "a", "b", "drift", Held.REVERT)
    both = FieldChange("tags", ["a"], ["b"], "conflict", Held.CONFLICT)
    part = replace(change("a"), fields=(drifted,))
    revert = replace(change("b c", held=Held.REVERT), fields=(drifted,))
    conflict = replace(change("d", held=Held.CONFLICT), fields=(both,))
    gone = change("e", Action.CREATE, Held.REVERT)
    assert commands(plan(part, revert)) == [
        "stemctl apply",
        "stemctl pull session/a 'session/b c'",
        "stemctl plan --allow revert=2",
    ]
    assert commands(plan(conflict)) == [
        "stemctl pull --theirs session/d",
        "stemctl resolve --keep files session/d",
    ]
    assert commands(plan(revert, conflict))[:2] == [
        "stemctl pull 'session/b c'",
        "stemctl pull --theirs session/d",
    ]
    assert commands(plan(gone)) == ["stemctl plan --allow revert=1"]  # there is nothing to pull
    many = [replace(change(name, held=Held.REVERT), fields=(drifted,)) for name in "abcd"]
    assert commands(plan(*many))[0] == "stemctl pull session/a session/b session/c"


def test_short_values_of_the_server_can_be_copied() -> None:
    fields = (
        FieldChange("tags", ["a", "b c"], [], "conflict", Held.CONFLICT),
        FieldChange("extra_fields.room", "B117", "B115", "conflict", Held.CONFLICT),
        FieldChange("description", "x" * 61, "y", "conflict", Held.CONFLICT),
        FieldChange("date_time", None, "z", "conflict", Held.CONFLICT),
    )
    conflict = replace(change("a", held=Held.CONFLICT), fields=fields)
    lines = [line.strip() for line in values_to_keep([conflict], TerminalStyle())]
    assert [line.removeprefix("session/a").strip() for line in lines] == [
        "tags: [a, b c]",
        "extra_fields: {room: B117}",
        "its description as stemctl show session/a prints it",
        "without date_time",
    ]


def test_what_a_line_does_is_below_it_on_a_narrow_terminal() -> None:
    made = plan(*(change(f"rat07_2023-11-0{i}_test", held=Held.DELETE) for i in range(4)))
    wide, narrow = (
        lines_to_write(made, TerminalStyle(width=width, wraps=True)) for width in (300, 80)
    )
    assert len(wide) == 3
    assert narrow[2] == "          deletes them; --allow is not needed"
    assert narrow[4] == "          keeps them on the server, but no longer managed"
