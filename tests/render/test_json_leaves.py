"""A field of JSON shows the leaves that differ: every one of them, and no other."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.core.plan import Action, Change, FieldChange, Held
from stemctl.core.records import Address
from stemctl.render.change_view import view_change
from stemctl.render.field_view import LEAVES_SHOWN, field_rows
from stemctl.render.json_leaves import differing_leaves
from stemctl.render.model_words import ModelWords
from stemctl.render.spans import plain
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.plan_text import change_lines
from stemctl.util.json_equality import same_json
from tests.support.effort import examples

ADDED, REMOVED = "added", "removed"


def found(before: Any, after: Any) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for leaf in differing_leaves("s", before, after):
        assert not (leaf.added and leaf.removed)
        if leaf.added:
            rows.append((leaf.path, ADDED, leaf.after))
        elif leaf.removed:
            rows.append((leaf.path, REMOVED, leaf.before))
        else:
            rows.append((leaf.path, leaf.before, leaf.after))
    return rows


@pytest.mark.parametrize(
    "before, after, rows",
    [
        ({"legs": [1, 2]}, {"legs": [1, 3]}, [("s.legs[1]", 2, 3)]),
        ({"a": True}, {"a": 1}, [("s.a", True, 1)]),
        ({"a": True}, {"a": False}, [("s.a", True, False)]),
        ([True, 1, 0], [1, True, False],
         [("s[0]", True, 1), ("s[1]", 1, True), ("s[2]", 0, False)]),
        ({"a": [True, 1], "b": 1}, {"a": [1, True], "b": 1.0},
         [("s.a[0]", True, 1), ("s.a[1]", 1, True)]),
        ({"a": 1, "b": [2.0]}, {"a": 1.0, "b": [2]}, []),
        ({"a": 1}, {"b": 1}, [("s.a", REMOVED, 1), ("s.b", ADDED, 1)]),
        ({"a": None}, {}, [("s.a", REMOVED, None)]),
        ({}, {"a": None}, [("s.a", ADDED, None)]),
        ([1, 2, 3], [0, 1, 2, 3], [("s[0]", ADDED, 0)]),
        ([1, 2, 3], [1, 3], [("s[1]", REMOVED, 2)]),
        ([1, 2], [2, 1], [("s[0]", 1, 2), ("s[1]", 2, 1)]),
        ({"a": {"x": 1}}, {"a": [1]}, [("s.a", {"x": 1}, [1])]),
        ({"a": []}, {"a": {}}, [("s.a", [], {})]),
        ({"a": "1"}, {"a": 1}, [("s.a", "1", 1)]),
        ({"a": ""}, {"a": None}, [("s.a", "", None)]),
        ({"Größe é": 1, "鼠": 1}, {"Größe é": 2, "鼠": 2},
         [('s["Größe é"]', 1, 2), ("s.鼠", 1, 2)]),
        ({"a.b": {"c": 1}}, {"a.b": {"c": 2}}, [('s["a.b"].c', 1, 2)]),
        ({"": 1, "1": 1, '"]': 1}, {"": 2, "1": 2, '"]': 2},
         [('s[""]', 1, 2), ('s["\\"]"]', 1, 2), ("s.1", 1, 2)]),
        ({"__class__": 1, "_x": [1]}, {"__class__": 2, "_x": [2]},
         [("s.__class__", 1, 2), ("s._x[0]", 1, 2)]),
        ({"\x1b[31m": 1}, {"\x1b[31m": 2}, [('s["\\u001b[31m"]', 1, 2)]),
        ({"x\u202ey": 1}, {"x\u202ey": 2}, [('s["x\\u202ey"]', 1, 2)]),
        ({"l": [0] * 12}, {"l": [0] * 9 + [1, 2, 3]},
         [("s.l[9]", 0, 1), ("s.l[10]", 0, 2), ("s.l[11]", 0, 3)]),
        ({"a": 10**30}, {"a": 10**30 + 1}, [("s.a", 10**30, 10**30 + 1)]),
    ],
)  # fmt: skip
def test_each_leaf_that_differs(before: Any, after: Any, rows: list[tuple[Any, ...]]) -> None:
    assert found(before, after) == rows
    for (_, left, right), (path, was, now) in zip(found(before, after), rows, strict=True):
        assert (type(left), type(right)) == (type(was), type(now)), path


@pytest.mark.parametrize(
    "before, after", [(None, {"a": 1}), ("x", [1]), ({"a": 1}, None), (1, 2), ([], "[]")]
)
def test_whole_values_have_no_leaves(before: Any, after: Any) -> None:
    assert differing_leaves("s", before, after) == []


def test_what_would_take_long_is_shown_whole() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = {"a": deep}
    assert differing_leaves("s", {"a": 1}, deep) == []
    assert differing_leaves("s", [*range(5000)], [*range(1, 5001)]) == []
    nested: Any = 1
    for _ in range(40):
        nested = {"a": nested}
    other = copy.deepcopy(nested)
    inner = other
    for _ in range(39):
        inner = inner["a"]
    inner["a"] = 2
    assert found(nested, other) == [("s" + ".a" * 40, 1, 2)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.sampled_from([1.0, 0.5, "", "1", "a"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b.c", "__d", "0", "é"]), inner, max_size=4)
    ),
    max_leaves=12,
)
CONTAINERS = JSON.filter(lambda value: isinstance(value, dict | list))


@examples(100)
@given(CONTAINERS, CONTAINERS)
def test_values_differ_where_leaves_do(before: Any, after: Any) -> None:
    leaves = differing_leaves("s", before, after)
    assert bool(leaves) == (not same_json(before, after))
    assert len({leaf.path for leaf in leaves if not leaf.removed}) == len(
        [leaf for leaf in leaves if not leaf.removed]
    )


def change(before: Any, after: Any, held: Held | None = None) -> Change:
    field = FieldChange("settings", before, after, "edited", held)
    return Change(Address("rig", "frame"), Action.UPDATE, "edited", held, fields=(field,))


WORDS = ModelWords(json_fields=frozenset({"rig.settings"}))


def rows(changed: Change, words: ModelWords = WORDS) -> list[tuple[str, str]]:
    return [(row.name, plain(row.spans)) for row in field_rows(changed, words.json_fields)]


def test_the_first_twenty_and_how_many_more() -> None:
    before, after = {f"k{i:02}": i for i in range(25)}, {f"k{i:02}": -i - 1 for i in range(25)}
    shown = rows(change(before, after))
    assert len(shown) == LEAVES_SHOWN + 1 == 21
    assert shown[0] == ("settings.k00", "0 → -1")
    assert shown[-1] == ("settings", "5 more differences")
    assert rows(change({**before, "k24": -25}, after))[-1] == ("settings", "4 more differences")
    almost = {f"k{i:02}": i for i in range(20)}
    assert len(rows(change(almost, dict.fromkeys(almost, -1)))) == 20


def test_only_a_field_of_json_is_taken_apart() -> None:
    changed = change([{"a": 1}], [{"a": 2}])
    assert rows(changed) == [("settings[0].a", "1 → 2")]
    assert rows(changed, ModelWords()) == [
        ("settings", "apply adds 2 and removes 1, no longer in the file")
    ]


@pytest.mark.parametrize(
    "held, shown",
    [
        (None, "apply removes it (was \"b c\")"),
        (Held.REVERT, 'server has "b c"; if allowed, apply removes it'),
        (Held.REPLACE, 'server: "b c"; files: nothing'),
        (Held.PENDING, 'proposed: "b c"; files: nothing'),
        (Held.CONFLICT, "files have nothing; waits for the conflict above"),
    ],
)  # fmt: skip
def test_what_is_held_is_shown_by_leaves_too(held: Held | None, shown: str) -> None:
    assert rows(change({"a": "b c", "x": 1}, {"x": 1}, held))[-1] == ("settings.a", shown)


def test_hostile_text_is_made_visible() -> None:
    evil = "\x1b[2J\u202e\n```</details>"
    view = view_change(change({evil: evil, "x": 1}, {evil: [evil], "x": {evil: 1}}), WORDS)
    text = "\n".join(change_lines(view, TerminalStyle()))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("\\x1b[2J\\u202e") >= 3


def test_deepdiff_is_loaded_for_a_json_field_alone() -> None:
    code = (
        "import sys; import stemctl.render.markdown, stemctl.render.html, stemctl.render.github;"
        "assert 'deepdiff' not in sys.modules and 'rich' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
