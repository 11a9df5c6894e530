"""Quantities as text and as objects."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.schema.quantities import (
    in_one_spelling,
    is_quantity,
    parse,
    spellings,
    text_of,
    text_pattern,
)

UNITS = ("GHz", "kHz", "Hz", "µm", "% w/v", "dB", "dB SPL", "°", "m²", "µL/min", "kΩ")


@pytest.mark.parametrize(
    "text, value, unit",
    [
        ("20 kHz", 20, "kHz"),
        ("20kHz", 20, "kHz"),
        ("1e3 Hz", 1000, "Hz"),
        ("-0.5 µm", -0.5, "µm"),
        ("3 \u03bcm", 3, "\u00b5m"),  # the Greek letter, which many keyboards write
        ("3 \u00b5m", 3, "\u00b5m"),
        ("5 k\u2126", 5, "k\u03a9"),
        ("2 % w/v", 2, "% w/v"),
        ("60 dB SPL", 60, "dB SPL"),
        ("90°", 90, "°"),
    ],
)
def test_a_text_is_a_quantity(text, value, unit):
    assert parse(text, UNITS) == {"value": value, "unit": unit}
    assert re.search(text_pattern(UNITS), text)


@pytest.mark.parametrize(
    "text",
    [
        *("20", "kHz", "20 KHz", "20  kHz", " 20 kHz", "20 kHz ", "20 kHz\n", "030 Hz", "1e999 Hz"),
        *(
            ".5 Hz",
            "+5 Hz",
            "5. Hz",
            "NaN Hz",
            "30 000 Hz",
            "30,5 Hz",
            "20 kHz Hz",
            "",
            "\u0663 Hz",
        ),
    ],
)
def test_another_text_is_none(text):
    assert parse(text, UNITS) is None
    assert not re.search(text_pattern(UNITS), text)


NUMBERS = st.integers(-(2**53), 2**53) | st.floats(-1e90, 1e90, allow_subnormal=False).filter(
    lambda number: number == 0 or abs(number) > 1e-90
)


@given(NUMBERS, st.sampled_from(UNITS))
def test_what_is_printed_is_read_again(number, unit):
    quantity = {"value": number, "unit": unit}
    text = text_of(quantity)
    if len(text) <= 60:
        assert parse(text, UNITS) == quantity
    assert re.search(text_pattern(UNITS), text)


@given(st.text("0123456789eE+-. kHzµμm%°", max_size=12))
def test_pattern_and_reader_agree(text):
    assert (parse(text, UNITS) is not None) == bool(re.search(text_pattern(UNITS), text))


def test_the_pattern_means_what_it_says_whatever_a_unit_contains():
    assert re.search(text_pattern(["a.b"]), "1 a.b")
    assert not re.search(text_pattern(["a.b"]), "1 axb")


def test_only_a_number_with_a_unit_is_a_quantity():
    assert is_quantity({"value": 1.5, "unit": "s"})
    assert not is_quantity({"value": True, "unit": "s"})
    assert not is_quantity({"value": "1", "unit": "s"})
    assert not is_quantity({"value": 1})
    assert not is_quantity({"value": 1, "unit": "s", "more": 1})


def test_a_unit_has_one_spelling_wherever_it_is():
    there = {"a": [{"value": 1, "unit": "\u03bcm"}], "note": "\u03bcm"}
    assert in_one_spelling(there) == {"a": [{"value": 1, "unit": "\u00b5m"}], "note": "\u03bcm"}
    assert spellings("µL") == ["\u00b5L", "\u03bcL"]
    assert spellings("Hz") == ["Hz"]
