"""Columns of a terminal, and what is aligned by them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich import cells

from stemctl.render import width
from stemctl.render.terminal import TerminalStyle
from stemctl.render.width import beginning, columns_of, ending, padded
from tests.support.effort import examples

MIXED = st.text(st.sampled_from("ab é鼠日e\u0301🐀…"), max_size=20)


@pytest.mark.parametrize(
    "text, columns", [("", 0), ("abc", 3), ("é", 1), ("e\u0301", 1), ("日本", 4), ("鼠x…", 4)]
)
def test_columns(text: str, columns: int) -> None:
    assert columns_of(text) == columns
    assert padded(text, 8) == text + " " * (8 - columns)


@examples(50)
@given(MIXED, st.integers(0, 30))
def test_a_part_fits_and_is_as_long_as_can_be(text: str, columns: int) -> None:
    first, last = beginning(text, columns), ending(text, columns)
    assert text.startswith(first)
    assert text.endswith(last)
    assert columns_of(first) <= columns
    assert columns_of(last) <= columns
    if first != text:
        assert columns_of(text[: len(first) + 1]) > columns


def test_columns_and_right_edges_are_aligned_for_wide_characters() -> None:
    style = TerminalStyle(width=40)
    rows = style.columns([("session/日本", "new"), ("session/rat12", "new")], indent=2)
    assert {columns_of(row) for row in rows} == {columns_of(rows[0])}
    (line,) = style.headline("+", "session/日本", "records/a.yaml:1")
    assert columns_of(line) == 40
    wrapped = style.wrapped([("日本", "a"), ("tags", "b")], indent=0)
    assert [columns_of(line) for line in wrapped] == [9, 9]


def test_a_long_text_is_measured_once_not_for_each_of_its_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, measured = cells.cell_len, [0]

    def counting(text: str) -> int:
        measured[0] += len(text)
        return real(text)

    monkeypatch.setattr(cells, "cell_len", counting)
    lines = width.broken("鼠" * 4000, 80)
    assert "".join(lines) == "鼠" * 4000
    assert {len(line) for line in lines} == {40}
    assert 4000 <= measured[0] < 4 * 4000
