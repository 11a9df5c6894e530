"""set: fields of many records, in the files."""

from __future__ import annotations

import pytest

from tests.support.edition_2026 import begin
from tests.support.lab import Lab

TEXT = """\
# Recordings of spring.
defaults:
  sessions:
    projects: [Theta Maze Study]
    tags: [lab]
sessions:
  - name: rat12_a   # the first
    description: "First day."
    tags:
      - theta   # from the hippocampus
      - sleep
    extra_fields: {room: B115}

  - name: rat12_b
    description: Second day.
"""


@pytest.fixture
def spring(lab: Lab) -> Lab:
    lab.write("records/spring.yaml", TEXT)
    lab.apply()
    return lab


def text(lab: Lab, name: str = "records/spring.yaml") -> str:
    return (lab.root / name).read_text(encoding="utf-8")


def changed(lab: Lab) -> dict[str, dict[str, object]]:
    return {
        change["address"]: {field["path"]: field["after"] for field in change["fields"]}
        for change in lab.plan()["changes"]
    }


def test_a_field_of_one_record(spring: Lab) -> None:
    result = spring.run("set", "session/rat12_a", "description=First day, on the maze.")
    assert result.code == 0, result.said
    assert spring.requests == []
    assert text(spring).replace('"', "") == TEXT.replace('"First day."', "First day, on the maze.")
    assert changed(spring) == {"session/rat12_a": {"description": "First day, on the maze."}}


def test_elements_and_entries_of_all_records_that_match(spring: Lab) -> None:
    words = ("tags+=published, 2024", "tags-=sleep", 'extra_fields.dandiset="000123"')
    result = spring.run("set", "session/rat12_*", *words)
    assert result.code == 0, result.said
    assert "# from the hippocampus" in text(spring)
    spring.apply()
    assert sorted(spring.live("session", "rat12_a")["tags"]) == ["lab", "published, 2024", "theta"]
    assert sorted(spring.live("session", "rat12_b")["tags"]) == ["lab", "published, 2024"]
    again = spring.run("set", "session/rat12_*", *words[:1])
    assert again.code == 0
    assert "already say so" in again.out


def test_what_comes_from_defaults_changes_there_for_all(spring: Lab) -> None:
    assert spring.run("set", "session/*", "tags-=lab", "tags+=maze").code == 0
    assert "    tags: [maze]" in text(spring)
    assert changed(spring).keys() == {"session/rat12_a", "session/rat12_b"}


def test_what_comes_from_defaults_is_taken_from_one_record(spring: Lab) -> None:
    assert spring.run("set", "session/rat12_b", "tags-=lab").code == 0
    assert changed(spring) == {"session/rat12_b": {"tags": []}}, text(spring)


def test_a_field_is_cleared(spring: Lab) -> None:
    assert spring.run("set", "session/rat12_a", "description=", "extra_fields.room=").code == 0
    spring.apply()
    live = spring.live("session", "rat12_a")
    assert live["description"] in ("", None)
    assert "room" not in str(live["extra_fields"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["session/rat12_a", "tagz+=x"], "did you mean `tags`"),
        (["session/rat12_a", "id=x"], "`id` is no field"),
        (["session/rat12_a", "name=other"], "stemctl mv session/rat12_a session/other"),
        (["session/rat12_a", "date_time=12.3.2024"], "2024-03-12"),
        (["session/rat12_a", "date_time=2024-03-12T09:00"], "offset"),
        (["session/rat12_a", "tags-=slep"], "Did you mean `sleep`?"),
        (["session/rat12_a", "description+=x"], "is not a list"),
        (
            ["session/rat12_a", "extra_fields.a=012"],
            "type 'extra_fields.a=\"012\"'; or write `12` or `10`",
        ),
        (["session/rat12_a", "projects="], "is required"),
        (["session/rat12_c", "tags=x"], "session/rat12_a"),
        (["session", "tags=x"], "write session/NAME"),
        (["session/rat12_a"], "FIELD=VALUE is missing"),
        (["tags=x"], "An address is missing"),
        (["session/rat12_a", "tagz+=x", "projects="], "2 words cannot be used"),
    ],
)
def test_words_that_cannot_be_used(spring: Lab, words: list[str], said: str) -> None:
    result = spring.run("set", *words)
    assert result.code == 1
    assert said.casefold() in result.said.casefold(), result.said
    assert "Nothing was written." in result.said or "Nothing was" in result.said
    assert text(spring) == TEXT


def test_a_dry_run_shows_the_difference(spring: Lab) -> None:
    result = spring.run("set", "session/rat12_a", "tags+=x", "--dry-run")
    assert result.code == 0
    assert "+      - x" in result.out
    assert text(spring) == TEXT


def test_a_file_that_cannot_be_edited_stops_all(spring: Lab) -> None:
    spring.write(
        "records/anchors.yaml",
        "sessions:\n  - {name: x, projects: &p [Theta Maze Study], tags: &t [a]}\n"
        "  - {name: y, projects: *p, tags: *t}\n",
    )
    result = spring.run("set", "session/*", "tags+=z")
    assert result.code == 3, result.said
    assert "records/anchors.yaml" in result.said
    assert text(spring) == TEXT


def test_details_by_their_type(lab: Lab) -> None:
    begin(lab)
    lab.write(
        "records/days.yaml",
        "sessions:\n  - name: day\n    projects: [Theta]\n    data_acquisitions:\n"
        "      - {key: probe, type: ExtracellularEphys, details: {sr: 30 kHz}}\n",
    )
    address = "dataacquisition/day/probe"
    result = lab.run("set", address, "details.sr=20 kHz")
    assert result.code == 0, result.said
    assert "details: {sr: 20 kHz}" in text(lab, "records/days.yaml")
    wrong = lab.run("set", address, "details.sr=20 apples", "details.srr=1")
    assert wrong.code == 1
    assert "kHz" in wrong.said
    assert "`sr`" in wrong.said
    assert "follows from its place" in lab.run("set", address, "session=monday").said


def test_times_are_completed(spring: Lab) -> None:
    assert spring.run("set", "session/rat12_a", "date_time=2024-03-13T09:00Z").code == 0
    assert "2024-03-13T09:00:00Z" in text(spring)
