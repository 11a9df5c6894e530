"""Other readers of YAML see the data that stemctl sees, or stemctl says where they do not."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
import ruamel.yaml
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stemctl.manifests.reader import parse
from tests.support.effort import examples

WORDS = [
    "no",
    "Off",
    "y",
    "N",
    "yes",
    "on",
    "12:30",
    "1:20.5",
    "09:15",
    "190:20:30",
    "1:60",
    ":1",
    "a:b",
    "2024-03-12",
    "2024-03-12T14:00:00Z",
    "012",
    "0o14",
    "1_000",
    "=",
    "<<",
    "~",
    ".",
    ".inf",
    "null",
    "true",
    "1",
    "-1.5",
    "1.5e+3",
    "1e3",
    "é",
    "a#b",
    "a'b",
    "+1",
    "1.",
    ".5",
    "-0",
    "1.2.3",
    "e1",
    "1-2",
    "[]",
    "{}",
    "'no'",
    '"no"',
    "'1'",
    '"\\t"',
    "http://x.y/z?a=b#c",
    "?a",
    "-a",
    "/a",
    "@a",
    "%a",
    "`a",
    "!!str",
    "!a",
    "*x",
    "&x",
]
SCALARS = st.one_of(
    st.sampled_from([*WORDS, "&x a", "a b", "[a, b]", "{a: 1}", "{?a: b}", '"a b"', "|-\n   a"]),
    st.text("0123456789.:-+_eEoxnNyY?<=~", min_size=1, max_size=6),
)
LINES = st.one_of(
    st.tuples(st.sampled_from("abcd"), SCALARS).map(": ".join),
    st.tuples(SCALARS, SCALARS).map(": ".join),
    st.tuples(SCALARS, SCALARS).map(lambda pair: f"l: [{pair[0]}, {pair[1]}]"),
    st.tuples(SCALARS, SCALARS).map(lambda pair: f"m: {{{pair[0]}: {pair[1]}}}"),
)
DOCUMENTS = st.lists(LINES, min_size=1, max_size=3).map(lambda lines: "\n".join(lines) + "\n")

READERS = {
    "YAML 1.1, libyaml": lambda text: yaml.load(text, yaml.CSafeLoader),
    "YAML 1.1": yaml.safe_load,
    "YAML 1.2": lambda text: ruamel.yaml.YAML(typ="safe", pure=True).load(text),
}


def as_text(value: Any) -> Any:
    """Dates as text: that they are read as dates is no other data."""
    if isinstance(value, dict):
        return {as_text(key): as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return "a date" if isinstance(value, datetime.date) else value


def dates_as_text(value: Any) -> Any:
    """The same for what stemctl reads: texts that another reader takes for dates."""
    if isinstance(value, dict):
        return {dates_as_text(key): dates_as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [dates_as_text(item) for item in value]
    if isinstance(value, str) and value.startswith("2024-03-12"):
        return "a date"
    return value


def alike(left: Any, right: Any) -> bool:
    """Equal, and of the same types."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(alike(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(alike, left, right))
    return bool(left == right)


@pytest.mark.filterwarnings("ignore::ruamel.yaml.error.ReusedAnchorWarning")
@examples(500)
@given(DOCUMENTS)
def test_readers_of_python_see_the_same(text: str) -> None:
    document = parse(text.encode(), "a.yaml")
    if document.root is None or document.problems or document.doubts or document.blanks:
        return
    for reader, read in READERS.items():
        try:
            other = read(text)
        except (yaml.YAMLError, ruamel.yaml.YAMLError, ValueError):
            continue  # it sees no other data, and says so
        assert alike(dates_as_text(document.root.value), dates_as_text(as_text(other))), reader


@pytest.mark.parametrize(
    "text",
    ["no", "Off", "y", "N", "12:30", "1:20.5", ".", "-1:20", "190:20:30"],
)
def test_what_old_readers_take_for_something_else_is_a_warning(text: str) -> None:
    for source in (f"a: {text}\n", f"{text}: a\n", f"a: [{text}]\n", f"a: {{{text}: b}}\n"):
        document = parse(source.encode(), "a.yaml")
        assert not document.problems
        (doubt,) = document.doubts
        assert doubt.severity.value == "warning"
        assert doubt.remedy == f'write `"{text}"`'
        quoted = parse(source.replace(text, f'"{text}"').encode(), "a.yaml")
        assert quoted.root is not None
        assert document.root is not None
        assert quoted.root.value == document.root.value
        assert not quoted.doubts


@pytest.mark.parametrize(
    "text", ["2024-03-12", "2024-03-12T14:00:00Z", "14:61", "nope", "a:b", "1"]
)
def test_dates_and_other_texts_are_no_doubt(text: str) -> None:
    assert not parse(f"a: {text}\n".encode(), "a.yaml").doubts


@pytest.mark.parametrize(
    "text", ["a: <<\n", "{?a: 1}\n", "a: &b:c d\n", "a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n"]
)
def test_what_readers_take_apart_differently_is_an_error(text: str) -> None:
    assert parse(text.encode(), "a.yaml").problems
