"""new: records that are like others, with what must differ asked for."""

from __future__ import annotations

import io

import pytest

from tests.support.edition_2026 import begin
from tests.support.lab import Lab, Result

DAYS = """\
# Recordings.
defaults:
  sessions: {projects: [Theta]}
  behaviors: {setup: Maze room, behavioralassay: Forced alternation, subjects: [rat12]}
sessions:
  - name: rat12_2024-03-12   # the first day
    date_time: 2024-03-12T09:00:00Z
    tags: [theta]
    behaviors:
      - {key: maze, notes: Ran well.}
    data_acquisitions:
      - {key: probe-a, type: ExtracellularEphys, details: {sr: 30 kHz}}
      - {key: probe-b, type: ExtracellularEphys, details: {sr: 20 kHz}}
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def day(lab: Lab) -> Lab:
    begin(lab)
    lab.write("records/days.yaml", DAYS)
    lab.apply()
    return lab


def typed(lab: Lab, monkeypatch: pytest.MonkeyPatch, answers: str, *words: str) -> Result:
    monkeypatch.setattr("sys.stdin", Terminal(answers))
    return lab.run(*words)


def text(lab: Lab, name: str = "records/days.yaml") -> str:
    return (lab.root / name).read_text(encoding="utf-8")


def planned(lab: Lab) -> dict[str, str]:
    return {c["address"]: c["action"] for c in lab.plan()["changes"]}


LIKE = ("new", "session", "--like", "session/rat12_2024-03-12")
NEXT = ("name=rat12_2024-03-13", "date_time=2024-03-13T09:30Z")


def test_a_record_like_another_has_its_children(day: Lab) -> None:
    result = day.run(*LIKE, *NEXT)
    assert result.code == 0, result.said
    assert day.requests == []
    assert text(day).startswith(DAYS)
    assert planned(day) == {
        "session/rat12_2024-03-13": "create",
        "behavior/rat12_2024-03-13/maze": "create",
        "dataacquisition/rat12_2024-03-13/probe-a": "create",
        "dataacquisition/rat12_2024-03-13/probe-b": "create",
    }
    day.apply()
    assert day.plan()["changes"] == []
    assert "date_time: 2024-03-13T09:30:00Z" in text(day)


def test_fields_may_differ(day: Lab) -> None:
    assert day.run(*LIKE, *NEXT, "tags+=ripples", "description=Second.").code == 0
    new = text(day)[len(DAYS) :]
    assert "theta" in new
    assert "ripples" in new
    assert new.index("description") < new.index("behaviors")
    assert day.run(*LIKE, "name=x", "date_time=", "tags=").code == 0
    new = text(day).partition("name: x")[2]
    assert "tags" not in new
    assert "date_time" not in new


def test_what_must_differ_is_listed_at_once(day: Lab) -> None:
    result = day.run(*LIKE)
    assert result.code == 1
    assert "needs 2 more values" in result.err
    assert "there it is 2024-03-12T09:00:00Z" in result.err
    assert "name=NAME date_time=DATE" in result.err
    assert text(day) == DAYS


def test_a_date_is_proposed_as_the_clock_of_the_lab_shows_it(day: Lab) -> None:
    assert f"{NEXT[0]} date_time=2024-03-13T09:00:00Z" in day.run(*LIKE, NEXT[0]).err
    config = (day.root / "stemctl.yaml").read_text(encoding="utf-8")
    day.write("stemctl.yaml", config + "time_zone: Europe/Berlin\n")
    assert f"{NEXT[0]} date_time=2024-03-13T10:00:00 " in day.run(*LIKE, NEXT[0]).err
    assert day.run(*LIKE, NEXT[0], "date_time=2024-03-13T10:00:00").code == 0


@pytest.mark.parametrize("word", ["name=NAME", "date_time=DATE", "projects=PROJECTS"])
def test_what_stands_for_a_value_is_refused(day: Lab, word: str) -> None:
    words = {one.partition("=")[0]: one for one in (*NEXT, word)}
    result = day.run(*LIKE, *words.values())
    assert result.code == 1
    assert f"`{word}` says where your value goes" in result.err
    assert text(day) == DAYS


def test_what_must_differ_is_asked_for(day: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = "rat12_2024-03-12\nrat12_2024-03-13\n12.3.\n2024-03-13T10:00Z\n"
    result = typed(day, monkeypatch, answers, *LIKE)
    assert result.code == 0, result.said
    assert "session/rat12_2024-03-12 is declared already." in result.err
    assert "date_time (there: 2024-03-12T09:00:00Z)" in result.err
    assert "2024-03-13T10:00:00Z" in text(day)


def test_a_recording_day_takes_less_than_a_minute(
    day: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five sessions, each with a behavior and two data acquisitions. The first command is typed in
    full, later ones are recalled with the arrow key; Enter takes the moment that the name says.
    """
    command = "new session --like rat12_2024-03-12"
    keys = len("stemctl ") + len(command) + 1
    for number, part in enumerate("abcde"):
        name = f"rat12_2024-03-13_{part}"
        assert typed(day, monkeypatch, f"{name}\n\n", *command.split()).code == 0
        keys += len(name) + 2 + (2 if number else 0)
    assert keys < 60 * 4  # a slow typist
    assert list(planned(day).values()) == ["create"] * 20
    assert text(day).count("2024-03-13T09:00:00Z") == 5
    assert day.run("validate").code == 0


def test_dates_of_children_move_along(lab: Lab) -> None:
    begin(lab)
    lab.write(
        "records/rats.yaml",
        """\
        subjects:
          - name: rat1
            projects: [Theta]
            strain: Long Evans
            sex: M
            birth_date: 2024-03-01
            procedures:
              - key: a
                type: BurrHole
                coordinates_system: CCF_XYZ_Absolute
                date_time: 2024-03-01T08:00:00Z
              - key: b
                type: BurrHole
                coordinates_system: CCF_XYZ_Absolute
                date_time: 2024-06-01
        """,
    )
    words = ("new", "subject", "--like", "rat1", "name=rat2", "birth_date=2024-04-03")
    assert lab.run(*words).code == 0
    new = text(lab, "records/rats.yaml").partition("name: rat2")[2]
    assert "2024-04-03T08:00:00Z" in new
    assert "2024-06-01" in new


def test_a_child_like_another(day: Lab) -> None:
    like = ("new", "dataacquisition", "--like", "dataacquisition/rat12_2024-03-12/probe-b")
    assert "key=KEY" in day.run(*like).err
    assert day.run(*like, "key=probe-c", "details.sr=25 kHz").code == 0
    assert "{key: probe-c, type: ExtracellularEphys, details: {sr: 25 kHz}}" in text(day)
    assert day.run(*like, "session=monday").code == 0
    assert planned(day) == {
        "dataacquisition/rat12_2024-03-12/probe-c": "create",
        "dataacquisition/monday/probe-b": "create",
    }


def test_in_another_file_it_says_what_its_defaults_said(day: Lab) -> None:
    assert day.run(*LIKE, *NEXT, "--into", "records/april.yaml").code == 0
    new = text(day, "records/april.yaml")
    assert "projects: [Theta]" in new
    assert "setup: Maze room" in new
    assert "name: rat12_2024-03-13" in new
    shown = [c for c in day.plan()["changes"] if c["address"].startswith("behavior")]
    assert len(shown) == 1
    assert day.run("validate").code == 0


def test_without_another_record(day: Lab) -> None:
    bare = day.run("new", "subject")
    assert bare.code == 1
    assert "name=NAME projects=PROJECTS strain=STRAIN sex=SEX" in bare.err
    words = ("name=rat13", "projects=Theta", "strain=Long Evans", "sex=F")
    result = day.run("new", "subject", *words)
    assert result.code == 0, result.said
    assert planned(day) == {"subject/rat13": "create"}
    assert day.run("new", "session", "name=s", "projects=Theta", "date_time=2024-05-02").code == 0
    assert "name: s" in text(day, "records/sessions/2024-05.yaml")


def test_inside_a_parent_that_is_named(day: Lab) -> None:
    log = ("new", "subjectlog", "subject=rat12", "key=weight", "type=Weighing")
    result = day.run(*log)
    assert result.code == 0, result.said
    entry = ("new", "subjectlogentry", "subjectlog=rat12/weight", "date_time=2024-03-12T08:00Z")
    result = day.run(*entry, "details.weight=300 g")
    assert result.code == 0, result.said
    assert "subjectlogentry/rat12/weight/2024-03-12T08:00:00Z" in planned(day)


def test_measurements_and_ids_are_not_copied(day: Lab) -> None:
    day.run("new", "subjectlog", "subject=rat12", "key=weight", "type=Weighing")
    entry = ("new", "subjectlogentry", "subjectlog=rat12/weight", "date_time=2024-03-12T08:00Z")
    assert day.run(*entry, "details.weight=300 g").code == 0
    written = text(day, "records/lab.yaml")
    id_ = "5c0f3c52-7a0e-4b7b-9d6e-0f5a1b6c2d48"
    day.write("records/lab.yaml", written.replace("{name: rat12,", f"{{name: rat12, id: {id_},"))
    assert day.run("new", "subject", "--like", "rat12", "name=rat14").code == 0
    new = text(day, "records/lab.yaml").partition("name: rat14")[2]
    assert "weight" in new
    assert "300 g" not in new
    assert id_ not in new
    assert day.run("mv", "subjectlogentry/rat12/weight/*", "subjectlogentry/x/*").code == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nosuch",), "There is no model nosuch"),
        (("sesion",), "Did you mean session?"),
        (("session/x",), "name=NAME"),
        (("session", "x"), "`x` is no FIELD=VALUE"),
        (("session", "--like", "subject/rat12"), "is no session"),
        (("session", "nam=x"), "did you mean `name`"),
        (("session", "name=monday", "projects=Theta"), "declared already"),
        (("session", "name=x", "projects=Theta", "--into", "stemctl.yaml"), "is no manifest"),
        (("session", "name=x", "projects=Theta", "--into", "other/x.yaml"), "other/x.yaml"),
        (("session", "name=x", "projects=Theta", "id=1"), "`id` is no field"),
        (("subject", "name=x", "projects=Theta", "strain=Long Evans", "sex=Q"), "choices"),
    ],
)
def test_what_cannot_be_made(day: Lab, words: tuple[str, ...], said: str) -> None:
    result = day.run("new", *words)
    assert result.code == 1
    assert said.casefold() in result.said.casefold(), result.said
    assert not day.run("plan", "--detailed-exitcode").code
