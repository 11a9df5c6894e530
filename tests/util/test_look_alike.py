"""Texts that look the same, and what is said of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.util.look_alike import difference, look_alike
from tests.support.lab import Lab

PAIRS = {
    ("Cafe\u0301", "Caf\u00e9"): "e + U+0301 (COMBINING ACUTE ACCENT) here, U+00E9 (",
    ("rat\u00a012", "rat 12"): "U+00A0 (NO-BREAK SPACE) here, U+0020 (SPACE) there",
    ("r\u0430t", "rat"): "U+0430 (CYRILLIC SMALL LETTER A) here, a there",
    ("rat\u200b", "rat"): "U+200B (ZERO WIDTH SPACE) here, nothing there",
    ("rat\u2013a", "rat-a"): "U+2013 (EN DASH) here, U+002D (HYPHEN-MINUS) there",
    ("it\u2019s", "it's"): "U+2019 (RIGHT SINGLE QUOTATION MARK) here, U+0027 (APOSTROPHE) there",
    ("rat  12", "rat 12"): "U+0020 (SPACE) here, nothing there",
    ("Rat", "rat"): "upper and lower case",
    ("\uff11", "1"): "U+FF11 (FULLWIDTH DIGIT ONE) here, 1 there",
}


@pytest.mark.parametrize(("pair", "words"), PAIRS.items(), ids=list(PAIRS.values()))
def test_what_they_differ_in(pair: tuple[str, str], words: str) -> None:
    assert look_alike(*pair)
    assert difference(*pair).startswith(words)


@given(st.text("ae\u0301\u00e9 -\u2013", max_size=6), st.text("ae\u0301\u00e9 -\u2013", max_size=6))
def test_every_difference_has_words(left: str, right: str) -> None:
    if look_alike(left, right):
        assert look_alike(right, left)
        assert difference(left, right)
        assert difference(left, right) != "nothing here, nothing there"


def test_other_texts_do_not_look_alike() -> None:
    assert not look_alike("rat12", "rat13")
    assert not look_alike("a", "a")


def test_it_is_said_wherever_a_name_is_not_found(lab: Lab) -> None:
    lab.write(
        "records/a.yaml",
        'sessions:\n  - {name: "Cafe\\u0301", projects: ["Theta\\u00a0Maze Study"]}\n'
        'moved:\n  - {from: session/x, to: "session/Caf\\u00e9"}\n',
    )
    assert "e + U+0301" in lab.run("validate").out
    lab.write(
        "records/a.yaml",
        'sessions:\n  - {name: "Cafe\\u0301", projects: ["Theta\\u00a0Maze Study"]}\n',
    )
    assert "U+00A0 (NO-BREAK SPACE) here, U+0020 (SPACE) there" in lab.run("plan").out
    assert "e + U+0301" in lab.run("plan", "session/Caf\u00e9").err


def test_a_plan_says_what_an_edit_changes_that_looks_the_same(lab: Lab) -> None:
    lab.sessions('{name: a, description: "Caf\\u00e9"}')
    lab.apply()
    lab.sessions('{name: a, description: "Cafe\\u0301"}')
    shown = " ".join(lab.run("plan").out.split())
    assert "ACUTE) before, e + U+0301 (COMBINING ACUTE ACCENT) after" in shown
