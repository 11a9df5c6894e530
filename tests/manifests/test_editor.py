"""Edits of files: whatever a file looks like, an edit is exact or it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import assume, event, given
from hypothesis import strategies as st

from stemctl.manifests.editor.edit import edit_text
from stemctl.manifests.editor.edits import Add, Edit, Put, Take
from stemctl.manifests.editor.splices import CannotEdit
from stemctl.manifests.formatter.layout import CannotFormat, format_text
from stemctl.manifests.reader import parse
from tests.support.ugly import Ugly, ugly

NEW = st.sampled_from(
    [
        "plain",
        "# no comment",
        "two\nlines",
        "",
        " spaces ",
        "no",
        "2024-03-12",
        "a: b",
        12,
        0.5,
        True,
        None,
        [],
        {},
        ["a", "b, c"],
        {"a": 1, "b": ["x"]},
        {"name": "rat", "children": [{"key": "a", "details": {"sr": 1}}]},
        [{"a": 1}, {"b": {"c": {"d": 1}}}],
        "x" * 120,
        ["y" * 60, "z" * 60],
    ]
)


def paths(
    value: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield path, value
    steps = value.items() if isinstance(value, dict) else ()
    steps = enumerate(value) if isinstance(value, list) else steps
    for step, part in steps:
        yield from paths(part, (*path, step))


@st.composite
def edits(draw: Any, data: Any) -> list[Edit]:
    """Some edits, none inside of what another one replaces."""
    found: list[Edit] = []
    touched: list[tuple[str | int, ...]] = []
    places = list(paths(data))
    for _ in range(draw(st.integers(1, 4))):
        path, value = draw(st.sampled_from(places))
        kind = draw(st.sampled_from(["put", "take", "add", "new"]))
        if kind == "add" and isinstance(value, list):
            edit: Edit = Add(path, draw(NEW))
        elif kind == "new" and isinstance(value, dict):
            edit = Put((*path, f"new{len(found)}"), draw(NEW))
        elif path and kind == "put":
            edit = Put(path, draw(NEW))
        elif path and kind == "take":
            edit = Take(path)
        else:
            continue
        if any(_overlap(edit.path, other) for other in touched):
            continue
        touched.append(edit.path)
        found.append(edit)
    return found


def _overlap(one: tuple[str | int, ...], other: tuple[str | int, ...]) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


@given(st.data(), ugly())
def test_an_edit_is_exact_or_refused(drawn: Any, made: Ugly) -> None:
    document = parse(made.data, "f.yaml")
    assume(not document.problems and document.root is not None)
    assert document.root is not None
    text = document.text
    wanted = drawn.draw(edits(document.root.value))
    assume(wanted)
    try:
        new = edit_text(text, wanted)
    except CannotEdit as refused:
        event(f"refused: {refused.why}")
        return
    event("edited")
    before, after = comments(text), comments(new)
    if not any(_takes(document.root.value, edit) for edit in wanted):
        assert after == before
    left = iter(before)
    assert all(comment in left for comment in after)


def _takes(value: Any, edit: Edit) -> bool:
    """Whether an edit takes something out, and perhaps a comment about it."""
    if isinstance(edit, Put):
        old = dict(paths(value)).get(edit.path)
        return isinstance(old, (dict, list)) and bool(old)
    return isinstance(edit, Take)


def comments(text: str) -> list[str]:
    """The comments of a text, as the formatter finds them."""
    try:
        return list(format_text(text.removeprefix("\ufeff")).comments)
    except CannotFormat:
        return []
