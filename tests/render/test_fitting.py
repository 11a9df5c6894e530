"""A Markdown text within any limit: well formed, honest about what it leaves out, risky things
first.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stemctl.core.plan import Action, Held, Plan, Subset
from stemctl.render.fitting import Item, fitted, section
from stemctl.render.markdown import plan_markdown
from stemctl.render.terminal import TerminalStyle
from tests.render.plans import PLANS, outside
from tests.render.test_folding import WORDS, one, plan
from tests.support.effort import examples

LEAST = 1000
"""The smallest `--max-bytes`."""

_COUNTED = re.compile(r"<summary>(?P<name>[^<:]+).*: (?P<number>[\d,]+)</summary>")
_MISSING = re.compile(r"\n(?P<number>[\d,]+) more do(es)? not fit here( \((?P<names>[^)]*)\))?")


def inside(text: str) -> list[str]:
    """What is in each fence."""
    blocks, fence = [], ""
    for line in text.splitlines():
        ticks = re.match("`{3,}", line)
        if not fence and ticks:
            fence = ticks[0]
            blocks.append("")
        elif line == fence:
            fence = ""
        elif fence:
            blocks[-1] += f"{line}\n"
    return blocks


def well_formed(text: str) -> None:
    """Fences and folds are balanced and none is empty."""
    lines = outside(text)
    assert "" not in map(str.strip, inside(text))
    depth = 0
    for line in lines:
        depth += line.startswith("<details") - line.startswith("</details>")
        assert depth in (0, 1)
    assert depth == 0
    assert not re.search(r"(?<![\d,])0 (more|records)", "\n".join(lines))


@examples(100)
@given(PLANS, st.integers(LEAST, 9000))
def test_a_plan_within_any_limit_is_well_formed_and_honest(made: Plan, most: int) -> None:
    assume(all(note.text.strip() for note in made.notes))  # as every note that stemctl makes
    whole, part = (plan_markdown(made, TerminalStyle(), limit) for limit in (None, most))
    assert len(part.encode()) <= most
    well_formed(whole)
    well_formed(part)
    head = whole.partition("\n<details")[0]
    assert part.startswith(head.rstrip("\n"))
    assert ("not fit here" in "\n".join(outside(part))) == (len(whole.encode()) > most)


@pytest.mark.parametrize("most", range(LEAST, 12_000, 97))
def test_every_record_is_named_or_counted_and_the_risky_ones_are_named_first(most: int) -> None:
    deletes = [one(i, Action.DELETE) for i in range(20)]
    held = [one(i, Action.UPDATE, Held.CONFLICT) for i in range(20, 40)]
    updates = [one(i, Action.UPDATE) for i in range(40, 80)]
    creates = [one(i, Action.CREATE) for i in range(80, 2080)]
    made = plan(*deletes, *held, *updates, *creates)
    text = plan_markdown(made, TerminalStyle(words=WORDS), most)
    well_formed(text)
    assert len(text.encode()) <= most
    assert "Apply would" in text
    assert "Plan: 2,000 to create, 40 to update, 20 to delete, 20 held" in text
    named = [str(c.address) in text for c in (*deletes, *held, *updates)]
    assert named == sorted(named, reverse=True)
    folds = 2000 if "2,000 sessions" in text else 0
    missing = _MISSING.search(text)
    left_out = int(missing["number"].replace(",", "")) if missing else 0
    assert sum(named) + folds + left_out == 2080
    if missing and missing["names"]:
        numbers = [int(n.replace(",", "")) for n in re.findall(r": ([\d,]+)", missing["names"])]
        assert sum(numbers) == left_out


def test_what_is_cut_is_counted_apart_from_what_is_missing() -> None:
    items = [Item(f"{'x' * 50} {i}\n{'y' * 500}", short=f"{'x' * 50} {i}") for i in range(10)]
    sections = [section("Updates", items, opened=True)]
    text = fitted("Head\n", sections, 2000, "`plan` shows all")
    assert text.endswith("\nThe details of 8 do not fit here; `plan` shows all.\n")
    text = fitted("Head\n", sections, 500, "`plan` shows all")
    assert text.endswith(
        "\n4 more do not fit here (Updates: 4), nor do the details of 6; `plan` shows all.\n"
    )
    text = fitted("Head\n", [section("Updates", items[:1], opened=True)], 130)
    assert text == "Head\n\n1 more does not fit here (Updates: 1).\n"


def test_a_selection_of_everything_leaves_nothing_out() -> None:
    made = plan(one(1, Action.CREATE))
    subset = Subset((".",), (), 0)
    text = plan_markdown(Plan(made.server, None, 0, made.changes, subset=subset), TerminalStyle())
    assert "left out" not in text
    assert "partial" not in text
