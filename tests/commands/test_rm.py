"""rm: records leave the files, and an entry says what becomes of them on the server."""

from __future__ import annotations

import pytest

from tests.git.team import git
from tests.support.edition_2026 import begin
from tests.support.lab import Lab

TEXT = """\
sessions:
  # The first day.
  - name: a
    projects: [Theta Maze Study]
  # The second day.
  - name: b
    projects: [Theta Maze Study]
"""
DAY = """\
sessions:
  - name: day
    projects: [Theta]
    behaviors:
      - {key: maze, subjects: [rat12], setup: Maze room, behavioralassay: Forced alternation}
"""


@pytest.fixture
def two(lab: Lab) -> Lab:
    lab.write("records/two.yaml", TEXT)
    return lab


@pytest.fixture
def day(lab: Lab) -> Lab:
    begin(lab)
    lab.write("records/day.yaml", DAY)
    lab.apply()
    return lab


def committed(lab: Lab) -> None:
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@lab.example")
    git(lab.root, "init", "--quiet")
    git(lab.root, "add", "records", "stemctl.yaml")
    git(lab.root, *who, "commit", "--quiet", "-m", "two")


def text(lab: Lab, name: str = "records/two.yaml") -> str:
    return (lab.root / name).read_text(encoding="utf-8")


def planned(lab: Lab) -> dict[str, tuple[str, str | None]]:
    return {c["address"]: (c["action"], c["held"]) for c in lab.plan()["changes"]}


def test_a_record_is_deleted_by_the_next_apply(two: Lab) -> None:
    two.apply()
    result = two.run("rm", "session/b")
    assert result.code == 0, result.said
    assert two.requests == []
    assert "deleted: [session/b]" in text(two) or "- session/b" in text(two)
    assert "# The first day." in text(two)
    assert planned(two) == {"session/b": ("delete", None)}
    two.apply()
    assert planned(two) == {}


def test_what_is_removed_already_is_no_error(two: Lab) -> None:
    """A command that was stopped on its way is typed again."""
    two.apply()
    assert two.run("rm", "session/b").code == 0
    before = text(two)
    again = two.run("rm", "session/b")
    assert again.code == 0, again.said
    assert "Nothing was written." in again.said
    assert text(two) == before
    assert two.run("rm", "session/b", "session/a").code == 0
    unknown = two.run("rm", "session/c", "nothing")
    assert unknown.code == 1, unknown.said


def test_a_record_that_was_never_applied_needs_no_entry(two: Lab) -> None:
    assert two.run("rm", "session/b").code == 0
    assert "deleted" not in text(two)
    assert planned(two).keys() == {"session/a"}


def test_what_no_state_knows_may_be_removed_already(two: Lab) -> None:
    """The last commit tells it from a slip, which stays an error."""
    assert two.run("rm", "session/b", "session/c").code == 1
    committed(two)
    assert two.run("rm", "session/b").code == 0
    again = two.run("rm", "session/a", "session/b")
    assert again.code == 0, again.said
    assert "session" not in text(two).replace("sessions: []", "")
    last = two.run("rm", "session/a", "session/b")
    assert last.code == 0, last.said
    assert "Nothing was written." in last.said
    assert two.run("rm", "session/a", "session/c").code == 1


def test_what_a_state_knows_is_not_taken_for_removed(two: Lab) -> None:
    """It needs an entry, which only a record in the files gets."""
    committed(two)
    two.apply()
    two.write("records/two.yaml", TEXT.partition("  # The second")[0])
    assert two.run("rm", "session/b").code == 1


def test_it_stays_on_the_server(two: Lab) -> None:
    two.apply()
    assert two.run("rm", "session/*", "--keep-on-server").code == 0
    assert planned(two) == {"session/a": ("forget", None), "session/b": ("forget", None)}
    two.apply()
    assert two.writes == []


def test_children_go_with_their_parent(day: Lab) -> None:
    result = day.run("rm", "session/day")
    assert result.code == 0, result.said
    assert text(day, "records/day.yaml").count("/day") == 1
    assert planned(day) == {"behavior/day/maze": ("delete", None), "session/day": ("delete", None)}
    day.apply()
    assert planned(day) == {}


def test_a_child_goes_alone(day: Lab) -> None:
    assert day.run("rm", "behavior/day/maze").code == 0
    assert planned(day) == {"behavior/day/maze": ("delete", None)}
    assert "behaviors" not in text(day, "records/day.yaml")


def test_what_others_refer_to_stays(day: Lab) -> None:
    before = text(day, "records/lab.yaml")
    result = day.run("rm", "subject/rat12")
    assert result.code == 1
    assert "records/day.yaml:5" in result.err
    assert "behavior/day/maze has subject/rat12 in subjects" in result.err
    assert text(day, "records/lab.yaml") == before
    assert day.run("rm", "subject/rat12", "session/day").code == 0


def test_what_takes_a_reference_out_of_a_list_is_typed_as_it_is_shown(day: Lab) -> None:
    lists = "".join(
        f"  - {{name: Days {number}, project: Theta, sessions: [day]}}\n" for number in range(5)
    )
    day.write("records/lists.yaml", f"collections:\n{lists}")
    said = day.run("rm", "session/day").err
    assert said.count("'collection/Days ") == 3
    assert "and 2 more" in said
    for number in range(5):
        address = f"collection/Days {number}"
        assert number > 2 or f"set '{address}' sessions-=day" in said
        assert day.run("set", address, "sessions-=day").code == 0
    assert day.run("rm", "session/day").code == 0


def test_no_command_takes_the_last_element_that_a_record_needs(day: Lab) -> None:
    assert "stemctl set" not in day.run("rm", "subject/rat12").err


def test_a_reference_by_name_may_stay_if_the_record_does(day: Lab) -> None:
    assert day.run("rm", "subject/rat12", "--keep-on-server").code == 0
    assert planned(day) == {"subject/rat12": ("forget", None)}


@pytest.mark.parametrize("is_applied", [True, False])
def test_entries_of_moved_go_with_their_record(two: Lab, is_applied: bool) -> None:
    two.apply()
    two.write("records/two.yaml", TEXT.replace("name: b", "name: c"))
    two.write("records/moved.yaml", "moved:\n  - {from: session/b, to: session/c}\n")
    if is_applied:
        two.apply()
    result = two.run("rm", "session/c")
    assert result.code == 0, result.said
    assert planned(two) == {"session/c" if is_applied else "session/b": ("delete", None)}
    assert two.run("validate").code == 0


def test_a_protected_record_stays(two: Lab) -> None:
    protected = TEXT + "    lifecycle: {prevent_delete: true}\n"
    two.write("records/two.yaml", protected)
    result = two.run("rm", "session/b")
    assert result.code == 1
    assert "prevent_delete" in result.err
    assert text(two) == protected


def test_without_a_state_that_can_be_read_there_is_an_entry(two: Lab) -> None:
    two.apply()
    two.write(".stemctl/sandbox.state.json", "{")
    assert two.run("rm", "session/b").code == 0
    assert "session/b" in text(two)


def test_a_name_with_a_wildcard_is_one_record(lab: Lab) -> None:
    lab.sessions("{name: 'a*'}", "{name: ab}")
    lab.apply()
    assert lab.run("rm", "session/a\\*").code == 0
    assert planned(lab) == {"session/a*": ("delete", None)}
