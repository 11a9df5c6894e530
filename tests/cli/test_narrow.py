"""Outputs in terminals of 60, 80 and 120 columns, with long and with wide text."""

from __future__ import annotations

import re

import pytest

from stemctl.render.terminal import TerminalStyle
from stemctl.render.width import broken, columns_of
from tests.support.lab import Lab

LONG = "rat12_2024-03-12_maze_with_a_name_that_fills_most_of_the_line_of_a_terminal"
TEXT = "First day on the maze, with 中文字符中文字符中文字符 in it, and a tail of ordinary words."
WIDE = (
    "第一天在迷宫里，强迫交替，使用神经像素探针记录海马体的活动，并且持续了很长时间没有任何中断。"
)
RECORDS = [
    f"{{name: b, description: '{TEXT}', tags: [theta-maze, sleep, another-long-tag]}}",
    f"{{name: {LONG}, description: '{WIDE}', extra_fields: {{room: B115, temperature: 22}}}}",
    "{name: 鼠十二号_迷宫, date_time: 2024-03-12T14:00:00Z}",
    "{name: A}",
]
COMMANDS = [
    ["get", "session"],
    ["get", "session", "b"],
    ["get", "project"],
    ["get"],
    ["explain", "session"],
    ["explain", "session.date_time"],
    ["show", "b"],
    ["show", LONG],
    ["doctor"],
]
COPIED = re.compile(rf"{LONG}|sandbox: \(\.stemctl/sandbox\.db\)|records/")


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_lines_fit_and_no_word_is_cut(
    lab: Lab, words: list[str], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.sessions(*RECORDS)
    lab.apply()
    monkeypatch.setenv("COLUMNS", str(width))
    lines = lab.run(*words).out.splitlines()
    assert lines
    for line in lines:
        assert columns_of(line) <= width or COPIED.search(line), line
    words_shown = " ".join(lines).split()
    for word in ("alternation", "ordinary", "midnight", "administrator"):
        assert not any(word.startswith(part) for part in words_shown if 4 < len(part) < len(word))


def test_records_are_listed_by_name_unless_another_order_is_asked_for(lab: Lab) -> None:
    lab.sessions("{name: b}", "{name: C}", "{name: a}")
    lab.apply()

    def names(*words: str) -> list[str]:
        return [record["name"] for record in lab.run("get", "session", *words, "-o", "json").json]

    assert names() == ["a", "b", "C"]
    assert names("--sort", "-name") == ["b", "a", "C"]
    assert [line[:1] for line in lab.run("get", "session").out.splitlines()[1:]] == ["a", "b", "C"]


def test_columns_that_do_not_fit_are_named(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.sessions(*RECORDS)
    lab.apply()
    monkeypatch.setenv("COLUMNS", "60")
    assert "Too wide to show: " in lab.run("get", "session").out
    monkeypatch.setenv("COLUMNS", "200")
    assert "Too wide to show: " not in lab.run("get", "session").out


def test_what_is_copied_from_a_table_is_never_cut(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    types = [f"A surface of {'very ' * number}fine sand" for number in range(9)]
    entries = "".join(f"  - {{name: {name}, description: '{TEXT}'}}\n" for name in types)
    lab.write("records/types.yaml", f"sensory_stimulus_types:\n{entries}")
    names = [f"{number}{'_maze' * number}" for number in range(1, 12)]
    lab.sessions(*(f"{{name: {name}, date_time: 2024-05-13T10:30:00Z}}" for name in names))
    assert lab.run("apply", "-y").code in (0, 3)
    for width in (60, 80, 100, 200):
        monkeypatch.setenv("COLUMNS", str(width))
        proposals = lab.run("approvals", "list").out
        assert all(f"sensorystimulustype/{name} " in proposals for name in types), width
        assert "approval " in proposals or "Too wide to show: approval" in proposals
        sessions = lab.run("get", "session").out
        assert all(f"\n{name} " in sessions for name in names), width
        assert sessions.count("2024-05-13T10:30:00Z") == len(names), width


def test_text_is_broken_between_words_and_nothing_is_lost() -> None:
    for text in (TEXT, WIDE, f"{LONG} {LONG}", "a  b   c", "", " "):
        for columns in (1, 7, 20, 60):
            parts = broken(text, columns)
            assert "".join("".join(parts).split()) == "".join(text.split())
            long_words = [part for part in parts if columns_of(part) > columns]
            assert all(part.isascii() and " " not in part for part in long_words) or columns == 1


def test_a_long_cell_does_not_push_the_others(lab: Lab) -> None:
    style = TerminalStyle(width=60)
    rows = style.columns([("a", "1"), ("b" * 70, "2"), ("ccc", "3")], indent=0)
    assert rows == ["a      1", "b" * 70 + "    2", "ccc    3"]


def test_hints_and_errors_are_broken_at_a_terminal_only() -> None:
    hint = ("stemctl plan " + "session/x " * 6, "shows what the next apply would change there")
    assert len(TerminalStyle(width=60).next([hint])) == 2
    for width in (60, 80, 100):
        lines = TerminalStyle(width=width, wraps=True).next([hint])[1:]
        assert all(len(line) <= max(width, len(f"Next  {hint[0]}")) for line in lines)
        assert " ".join(" ".join(lines).split()) == f"Next {hint[0]}{hint[1]}"
