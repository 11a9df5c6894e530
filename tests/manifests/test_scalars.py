import json
import math
import re

import pytest
import ruamel.yaml
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stemctl.manifests.scalars import (
    NO_PLAIN_FIRST,
    NO_PLAIN_WORDS,
    AmbiguousScalar,
    doubt,
    resolve,
)
from tests.support.effort import examples


@pytest.mark.parametrize(
    "text, value",
    [
        ("rat12", "rat12"),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("0.5", 0.5),
        ("-22.25", -22.25),
        ("1.5e+3", 1500.0),
        ("true", True),
        ("false", False),
        ("null", None),
        ("9007199254740992", 2**53),
    ],
)
def test_what_all_readers_agree_on(text, value):
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "yes",
        "on",
        "off",
        "y",
        "2024-03-12",
        "2024-03-12T09:00:00Z",
        "12:30:45",
        "1:2",
        "1.2.3",
        "-",
        "0x",
        "e3",
    ],
)
def test_what_looks_like_a_date_a_time_or_an_answer_is_text(text):
    assert resolve(text) == text


@pytest.mark.parametrize(
    "text, otherwise",
    [
        ("012", "`12` or `10` for a number"),
        ("-012", "`-12` or `-10` for a number"),
        ("01", "`1` for a number"),
        ("09", "`9` for a number"),
        ("0x1f", "`31` for a number"),
        ("-0x1F", "`-31` for a number"),
        ("0o17", "`15` for a number"),
        ("0b101", "`5` for a number"),
        ("1_000", "`1000` for a number"),
        ("+5", "`5` for a number"),
        (".5", "`0.5` for a number"),
        ("5.", "`5` for a number"),
        ("1e3", "`1000` for a number"),
        ("2.5e-7", None),
        ("2.5e7", "`25000000` for a number"),
        ("1e-7", "`1.0e-07` for a number"),
        ("True", "`true` for a boolean"),
        ("FALSE", "`false` for a boolean"),
        ("~", "`null` for no value"),
        ("NULL", "`null` for no value"),
    ],
)
def test_a_word_that_readers_disagree_on_says_how_to_settle_it(text, otherwise):
    found = resolve(text)
    if otherwise is None:
        assert found == float(text)
        return
    assert found == AmbiguousScalar(
        f"`{text}` is ambiguous in YAML: quote it", f'write `"{text}"` for text, {otherwise}'
    )


@pytest.mark.parametrize(
    "text", ["9007199254740993", "-9007199254740993", "1" + "0" * 5000, "1.0e+999", "1.0e-999"]
)
def test_a_number_that_some_reader_would_change_is_refused(text):
    assert isinstance(resolve(text), AmbiguousScalar)
    assert len(resolve(text).remedy) < 100


@pytest.mark.parametrize("text", [".inf", "-.Inf", ".nan", "="])
def test_no_number_is_offered_where_there_is_none(text):
    assert "for a number" not in resolve(text).remedy


def as_yaml_1_1(text):
    try:
        return yaml.safe_load(text)
    except (ValueError, yaml.YAMLError):
        return "not read"


def as_yaml_1_2(text):
    try:
        return ruamel.yaml.YAML(typ="safe", pure=True).load(text)
    except (ValueError, ruamel.yaml.YAMLError):
        return "not read"


def as_json(text):
    try:
        return json.loads(text, parse_constant=lambda name: name)
    except ValueError:
        return text


WORDS = st.one_of(
    st.from_regex(r"[-+]?[0-9_]{0,4}\.?[0-9_]{0,3}([eE][-+]?[0-9]{1,2})?", fullmatch=True),
    st.from_regex(r"[-+]?0[xXobB]?[0-9a-fA-F_]{0,4}", fullmatch=True),
    st.sampled_from(["true", "True", "TRUE", "false", "False", "null", "Null", "NULL", "~"]),
    st.sampled_from([".inf", "-.INF", ".nan", "nan", "inf"]),
    st.text("0123456789+-._eExob", min_size=1, max_size=6),
)


def same(left, right):
    return type(left) is type(right) and (left == right or (left != left and right != right))


@examples(400)
@given(WORDS.filter(lambda text: text and not re.fullmatch(r"-+|\.\.\.|---.*|- .*", text)))
def test_a_word_is_taken_only_if_all_readers_agree(text):
    value = resolve(text)
    readings = [as_yaml_1_1(text), as_yaml_1_2(text), as_json(text)]
    agreed = all(same(reading, readings[0]) for reading in readings)
    if isinstance(value, AmbiguousScalar):
        exact = (
            isinstance(readings[0], (int, float))
            and math.isfinite(readings[0])
            and abs(readings[0]) <= 2**53
        )
        assert not (agreed and exact), "all readers agree, and it is no number that gets lost"
    else:
        assert agreed
        assert same(value, readings[0])


@given(WORDS)
def test_what_a_remedy_proposes_is_taken(text):
    found = resolve(text)
    if not isinstance(found, AmbiguousScalar):
        return
    proposed = re.findall(r"(?:, | or )`(\S+)`(?= or | for a number)", found.remedy)
    for number in proposed:
        assert isinstance(resolve(number), (int, float)), number


WORDS = [
    "true",
    "Null",
    "~",
    "=",
    "<<",
    "yes",
    "N",
    "off",
    "-",
    ".",
    "+1",
    "0x1",
    "1:30",
    "nan",
    "",
]


@given(st.sampled_from(WORDS) | st.text(max_size=8) | st.text("yYnNoOtTfF~=<.+-0e1_:x", max_size=5))
@examples(300)
def test_a_text_that_needs_no_closer_look_is_what_it_looks_like(text):
    if text[:1] not in NO_PLAIN_FIRST and text not in NO_PLAIN_WORDS:
        assert resolve(text) == text
        assert not doubt(text)
