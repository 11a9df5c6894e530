"""Differences of texts are shown so that they can be read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stemctl.core.plan import Action, FieldChange, Held
from stemctl.render.change_view import view_change
from stemctl.render.model_words import NO_WORDS
from stemctl.render.spans import Span, plain
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.plan_text import field_lines
from stemctl.render.text_diff import difference
from tests.render.test_folding import one
from tests.support.effort import examples

LONG = "Recorded from CA1 with two probes while the rat ran on the linear track for forty minutes."


def lines(
    before: str, after: str, held: Held | None = None, verbose: int = 0, width: int = 100
) -> str:
    change = one(1, Action.UPDATE, held)
    reason = "conflict" if held is Held.CONFLICT else "edited"
    field = FieldChange("description", before, after, reason, held, base="")
    view = view_change(replace(change, fields=(field,)), NO_WORDS)
    return "\n".join(field_lines(view, TerminalStyle(width=width, verbose=verbose)))


@pytest.mark.parametrize(
    "before, after, shown",
    [
        ("ten", "twelve", "ten → twelve"),
        (
            LONG,
            LONG.replace("two", "four"),
            "Recorded from CA1 with [-two-]{+four+} probes while the …",
        ),
        (LONG, f"{LONG} Then it slept.", "… for forty minutes. {+Then it slept.+}"),
        (
            LONG,
            "Sleep in the home cage after the task, with the lights off and the door closed.",
            f"{LONG} → Sleep in the home cage after the task, with the lights off and the door "
            "closed.",
        ),
        ("a b", "a  b", "a·b → a··b (only spaces differ; · is a space)"),
        ("a b", "a\nb", "a·b → a\\nb (only spaces differ; · is a space)"),
        (
            LONG,
            LONG.replace("rat ran", "rat  ran"),
            "…robes·while·the·rat·ran·on·the·linear·tr… → "
            "…robes·while·the·rat··ran·on·the·linear·t… (only spaces differ; · is a space)",
        ),
        (LONG, "", f'{LONG} → "" (cleared)'),
        ("", LONG, f'"" → {LONG}'),
    ],
)
def test_a_difference_is_as_short_as_it_can_be_read(before: str, after: str, shown: str) -> None:
    assert plain(difference(before, after)) == shown


WORDS = st.lists(
    st.sampled_from(["the", "of", "a", "rat", "ran", "in", "maze", "box", "day", "on"]), max_size=40
)


@examples(200)
@given(WORDS, WORDS)
def test_no_word_is_lost_and_marks_are_for_texts_that_share_much(
    left: list[str], right: list[str]
) -> None:
    before, after = " ".join(["start", *left]), " ".join(["start", *right])
    parts = difference(before, after)
    marks = [part for part in parts if isinstance(part, Span) and part.mark in ("gone", "come")]
    if not marks:
        return
    changed = sum(len(span.text.split()) for span in marks if span.mark == "gone")
    added = sum(len(span.text.split()) for span in marks if span.mark == "come")
    one_place = len({id(span) for span in marks}) <= 2
    longer = max(len(before.split()), len(after.split()))
    assert one_place or 2 * (len(before.split()) - changed) >= longer
    assert len(before.split()) - changed == len(after.split()) - added


def test_texts_of_several_lines_are_shown_by_line() -> None:
    before = "Day one.\nTwo probes in CA1.\nLights on.\nNothing else.\nEnd.\n"
    after = before.replace("Two", "Three").replace("Lights on.\n", "")
    assert lines(before, after).split("\n") == [
        "      description    2 lines of 5 changed",
        "                     | Day one.",
        "                     | [-Two probes in CA1.-]",
        "                     | [-Lights on.-]",
        "                     | {+Three probes in CA1.+}",
        "                     … 2 lines unchanged",
    ]
    assert "| [-Two-]{+Three+} probes in CA1." in lines(before, before.replace("Two", "Three"))


def test_other_texts_of_several_lines_are_old_and_new() -> None:
    assert lines("One.\nTwo.", "Sleep in the home cage.\nNo task.").split("\n") == [
        "      description",
        "        before",
        "                     | One.",
        "                     | Two.",
        "        after",
        "                     | Sleep in the home cage.",
        "                     | No task.",
    ]


@pytest.mark.parametrize("held", [None, Held.REVERT, Held.REPLACE, Held.CONFLICT])
def test_long_texts_are_cut_and_counted_but_not_with_v(held: Held | None) -> None:
    before = "\n".join(f"Line {i} of the old text" for i in range(200))
    after = "\n".join(f"Other words in {i}" for i in range(300))
    text = lines(before, after, held)
    assert text.count("\n") < 60
    assert "more lines; -v shows all" in text
    assert "Other words in 299" in lines(before, after, held, verbose=1)
    words = lines(" ".join("x" * 3000), " ".join("y" * 4000), held)
    counts = re.findall(r"\(([\d,]+) characters\)", " ".join(words.split()))
    assert [count[0] for count in counts] in (["6", "8"], ["5", "7"], ["5", "8"], ["7", "5"])
    assert words.count("\n") < 30


@pytest.mark.parametrize("start", ["::error::x", "::stop-commands::x", "##[error]x"])
def test_no_line_of_a_text_is_a_command_for_a_ci_job(start: str) -> None:
    for text in (f"One.\n{start}", f"{'x' * 70} {start} y"):
        shown = lines("old", text, width=100) + lines(text, "new", Held.REVERT, width=100)
        assert not any(line.strip().startswith(start) for line in shown.split("\n"))
