"""Counts and lists in a sentence."""

from __future__ import annotations

import pytest

from stemctl.util.plural import counted, inflected, joined


@pytest.mark.parametrize(
    "number, text",
    [(0, "0 records"), (1, "1 record"), (2, "2 records"), (12_345, "12,345 records")],
)
def test_a_noun_agrees_with_its_number(number: int, text: str) -> None:
    assert counted(number, "record") == text


def test_an_irregular_plural_is_given() -> None:
    assert counted(1, "entry", "entries") == "1 entry"
    assert counted(3, "entry", "entries") == "3 entries"


def test_a_verb_agrees_too() -> None:
    assert [inflected(number, "is", "are") for number in (0, 1, 2)] == ["are", "is", "are"]


@pytest.mark.parametrize(
    "words, text",
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_words_become_a_list(words: list[str], text: str) -> None:
    assert joined(words) == text


def test_a_list_of_alternatives_says_or() -> None:
    assert joined(["a", "b", "c"], "or") == "a, b or c"
