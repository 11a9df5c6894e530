"""One entry of `moved` with a `*` on each side renames many records."""

from __future__ import annotations

from tests.support.edition_2026 import begin
from tests.support.lab import Lab


def named(prefix: str, number: int = 40) -> list[str]:
    return [f"{{name: {prefix}_{day:02}}}" for day in range(number)]


def test_forty_renames_are_forty_patches_of_the_name(lab: Lab) -> None:
    lab.sessions(*named("rat17"), "{name: rat18_00}")
    lab.apply()
    lab.sessions(*named("rat17b"), "{name: rat18_00}")
    lab.write("records/moved.yaml", "moved: [{from: session/rat17_*, to: session/rat17b_*}]\n")
    changes = lab.plan()["changes"]
    assert {change["reason"] for change in changes} == {"renamed"}
    lab.apply()
    assert [sent.method for sent in lab.writes] == ["PATCH"] * 40
    assert all(sent.body.keys() == {"name"} for sent in lab.writes)
    assert lab.plan()["changes"] == []  # the entry may stay
    lab.sessions(*named("rat17b"), "{name: rat18_00}", "{name: rat17_00}")
    assert [c["address"] for c in lab.plan()["changes"]] == ["session/rat17_00"]
    assert lab.plan()["changes"][0]["action"] == "create"


def test_children_come_along(lab: Lab) -> None:
    begin(lab)
    day = "  - {name: NAME, projects: [Theta], behaviors: [{key: maze, subjects: [rat12], "
    day += "setup: Maze room, behavioralassay: Forced alternation}]}\n"
    lab.write("records/days.yaml", "sessions:\n" + "".join(day.replace("NAME", n) for n in "ab"))
    lab.apply()
    new = "".join(day.replace("NAME", f"x-{n}") for n in "ab")
    lab.write(
        "records/days.yaml", "sessions:\n" + new + 'moved: [{from: session/*, to: "session/x-*"}]\n'
    )
    assert {c["address"] for c in lab.plan()["changes"]} == {"session/x-a", "session/x-b"}
    lab.apply()
    assert [sent.method for sent in lab.writes] == ["PATCH"] * 2
    assert lab.plan()["changes"] == []


def test_a_second_rename_before_the_first_was_applied(lab: Lab) -> None:
    lab.sessions(*named("a", 3))
    lab.apply()
    lab.sessions(*named("c", 3))
    for entries in (
        "[{from: session/a_*, to: session/b_*}, {from: session/b_*, to: session/c_*}]",
        "[{from: session/b_*, to: session/c_*}, {from: session/a_*, to: session/b_*}]",
    ):
        lab.write("records/moved.yaml", f"moved: {entries}\n")
        assert {change["reason"] for change in lab.plan()["changes"]} == {"renamed"}
