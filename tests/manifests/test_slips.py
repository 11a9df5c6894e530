"""Common slips in YAML, and what stemctl says about each.

The files of `tests/slips` hold small manifests with one thing wrong, and the screen that explains
it. `STEMCTL_UPDATE=1 pytest -n0 tests/manifests/test_slips.py` writes the screens anew; read the
difference before you commit it.
"""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.manifests import node_builder
from stemctl.manifests.reader import parse
from stemctl.manifests.slips import repair
from stemctl.manifests.yaml_parser import PythonParser
from tests.support.paths import TESTS
from tests.support.slips import read_slips, screen_of, write_slips

FILES = sorted((TESTS / "slips").glob("*.txt"))
SLIPS = [slip for file in FILES for slip in read_slips(file)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_slip_is_explained(file, tmp_path):
    slips = read_slips(file)
    screens = {slip.name: screen_of(tmp_path, slip.data) for slip in slips}
    if os.environ.get("STEMCTL_UPDATE"):
        write_slips(file, screens)
        return
    for slip in slips:
        assert screens[slip.name] == slip.screen, slip.name


@pytest.mark.parametrize("records", [10, 500, 10_000])
def test_a_slip_is_found_in_a_long_file_too(records):
    def record(number: int) -> str:
        return f"  - name: rat{number}\n    projects: [P]\n    description: A day\n"

    before = "".join(record(number) for number in range(records))
    after = "".join(record(number) for number in range(records, 2 * records))
    slip = "  - name: bad\n     projects: [P]\n     description: First day\n    tags: [a]\n"
    document = parse(f"sessions:\n{before}{slip}{after}".encode(), "f.yaml")
    [problem] = document.problems
    line = 3 * records + 3
    assert problem.location == ("f.yaml", line, 6)
    assert problem.remedy == f"remove 1 space before it and line {line + 1}"
    assert problem.line == "     projects: [P]"


def test_a_slip_in_a_list_of_many_records_is_found():
    records = "".join(f"  - name: rat{number}\n    projects: [P]\n" for number in range(10_000))
    document = parse(f"sessions:\n{records}   tags: [a]\n".encode(), "f.yaml")
    [problem] = document.problems
    assert problem.location == ("f.yaml", 20_002, 4)
    assert problem.remedy == "add 1 space before it"


@given(st.sampled_from([slip for slip in SLIPS if "[syntax]" in slip.screen]), st.data())
def test_any_cut_of_a_slip_is_explained_at_a_place_that_exists(slip, data):
    text = slip.data.decode("utf-8", "replace")
    cut = data.draw(st.integers(0, len(text)))
    document = parse((text[:cut] + text[cut + 1 :]).encode(), "f.yaml")
    for problem in document.problems:
        assert problem.location
        assert problem.line == document.line(problem.location.line) or problem.code == "encoding"
        assert 1 <= problem.location.column <= len(problem.line) + 1
        assert problem.remedy


LINES = """\
defaults:
  sessions:
    projects: [Theta Maze Study]
    extra_fields: {room: B115, temperature: 22}

sessions:
  - name: rat12_2024-03-12_presleep
    date_time: 2024-03-12T09:00:00Z
    description: Baseline sleep before the first day on the maze.
    tags: [neuropixels, sleep]

  - name: rat12_2024-03-12_maze
    description: "First day on the maze: forced alternation."
    tags:
      - neuropixels
      - theta-maze
    extra_fields:
      room: B117
      temperature: 21.5

  - name: rat12_2024-03-13_maze
    description: |
      Second day.
      Camera off from minute 31.
    download_links:
      - {Repository: DANDI, URL: "https://dandiarchive.org/1"}

forget:
  - session/rat07
""".splitlines()


def slips_in(line):
    """A line with each of the slips that a person may make in it."""
    for spaces in (1, 2):
        yield " " * spaces + line
        if line.startswith(" " * spaces):
            yield line[spaces:]
    yield "\t" + line.lstrip()
    for wrong, right in ((":", ": "), (" ", ": "), (" = ", ": "), ("-", "- "), ("  ", "- ")):
        if right in line:
            yield line.replace(right, wrong, 1)
    for mark in "[]{}\",'":
        if mark in line:
            yield line.replace(mark, "", 1)
    before, colon, value = line.partition(": ")
    for mark in ('"', "'", "[", "]", "{", "}", ": ", "@", ", ", " #"):
        yield line + mark
        if colon:
            yield f"{before}{colon}{mark}{value}"


def test_a_slip_is_reported_in_its_own_line():
    """Nearly always: if two lines differ, either of them may be the wrong one."""
    elsewhere, count = [], 0
    for row, line in enumerate(LINES):
        for slip in slips_in(line) if line else ():
            text = "\n".join([*LINES[:row], slip, *LINES[row + 1 :]])
            problems = [p for p in parse(text.encode(), "f.yaml").problems if p.code == "syntax"]
            count += bool(problems)
            if problems and problems[0].location.line != row + 1:
                elsewhere.append(f"{slip} => {problems[0].location} {problems[0].message}")
    assert count > 350
    assert len(elsewhere) <= count * 0.025, "\n".join(elsewhere)


@pytest.mark.parametrize("end", ["", " ", "\n"])
def test_a_file_may_end_anywhere(end):
    """The parser may stop in a line behind the last one, also after a file without a line end."""
    for slip in SLIPS:
        for length in range(0, len(slip.data), 31):
            problems = parse(slip.data[:length] + end.encode(), "f.yaml").problems
            assert all(problem.location for problem in problems), slip.name


@pytest.mark.parametrize("file", ["indentation", "syntax"])
def test_the_parser_in_python_finds_the_same_slips(file, tmp_path, monkeypatch):
    monkeypatch.setattr(node_builder, "Parser", PythonParser)
    monkeypatch.setattr(repair, "Parser", PythonParser)
    for slip in read_slips(TESTS / "slips" / f"{file}.txt"):
        if slip.name not in ("a tab after a colon", "a tab before a comment"):  # it refuses these
            assert screen_of(tmp_path, slip.data) == slip.screen, slip.name
