"""Values as text: every reader of YAML sees the value, and dates are plain."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
import ruamel.yaml
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stemctl.manifests.reader import parse
from stemctl.manifests.written import flow_text, scalar_text


@pytest.mark.parametrize(
    "date",
    [
        "2024-03-12",
        "2024-03-12T09:00:00Z",
        "2024-03-12T09:00Z",
        "2024-03-12T09:00:00",
        "2024-03-12T09:00:00.25+01:00",
    ],
)
def test_dates_are_plain_everywhere(date: str) -> None:
    assert scalar_text(date) == date
    assert flow_text(date) == date
    assert flow_text([date, {"at": date}]) == f"[{date}, {{at: {date}}}]"


@pytest.mark.parametrize(
    "text", ["2024-02-30", "2024-3-1", "0000-01-01", "2024-03-12 09:00:00", "2024-03-12T24:00:00Z"]
)
def test_what_only_looks_like_a_date_is_quoted(text: str) -> None:
    assert scalar_text(text) == flow_text(text) == f"'{text}'"


TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
    st.text("0123456789-:T Z.+", min_size=1, max_size=25),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.from_regex(
        r"[0-2][09][0-9]{2}-[0-3][0-9]-[0-3][0-9]T[0-2][0-9](:[0-6][0-9]){1,2}(Z|\+[0-9]{2}:00)?",
        fullmatch=True,
    ),
)
KEYS = st.sampled_from(["a", "2024-03-12", "b c", "no", "12", "x: y", "#"])
VALUES = st.recursive(
    TEXTS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner))
)

READERS = [
    yaml.safe_load,
    lambda text: yaml.load(text, yaml.CSafeLoader),
    lambda text: ruamel.yaml.YAML(typ="safe", pure=True).load(text),
]


def without_dates(value: Any) -> Any:
    """The value without what a reader took for a date, which loses its spelling."""
    if isinstance(value, dict):
        return [[without_dates(key), without_dates(part)] for key, part in value.items()]
    if isinstance(value, list):
        return [without_dates(part) for part in value]
    if isinstance(value, datetime.date):
        return "a date"
    is_date = isinstance(value, str) and scalar_text(value)[0] in "0123456789"
    return "a date" if is_date else value


@given(VALUES)
def test_every_reader_sees_the_value(value: Any) -> None:
    text = f"k: {flow_text(value)}\n"
    document = parse(text.encode(), "f.yaml")
    assert not document.problems
    assert document.root is not None
    assert document.root.value == {"k": value}
    for read in READERS:
        assert without_dates(read(text)["k"]) == without_dates(value)
