import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.manifests.date_hints import date_remedy
from stemctl.schema.patterns import INSTANT

OR_ZONE = "or set a `time_zone:` in stemctl.yaml"


@pytest.mark.parametrize(
    "text, expected",
    [
        (
            "2024-03-12 14:00",
            "write `2024-03-12T14:00:00+01:00` for Europe/Copenhagen, "
            f"`2024-03-12T14:00:00Z` for UTC, {OR_ZONE}",
        ),
        (
            "2024-07-12T00:30:00.25",
            "write `2024-07-12T00:30:00.25+02:00` for Europe/Copenhagen, "
            f"`2024-07-12T00:30:00.25Z` for UTC, {OR_ZONE}",
        ),
        ("2024-03-31 02:30", f"write `2024-03-31T02:30:00Z` for UTC, {OR_ZONE}"),
        ("2024-03-12T14:00Z", "write `2024-03-12T14:00:00Z`"),
        ("2024-03-12T14:00:00 UTC", "write `2024-03-12T14:00:00Z`"),
        ("2024-03-12t14:00:00z", "write `2024-03-12T14:00:00Z`"),
        ("2024-03-12 9:05:00 +0530", "write `2024-03-12T09:05:00+05:30`"),
        ("2024-03-12T14:00:00-08", "write `2024-03-12T14:00:00-08:00`"),
        ("2024/3/1", "write `2024-03-01`"),
        ("20240312", "write `2024-03-12`"),
        ("2024-02-30", "February 2024 has 29 days"),
        ("2023-02-29 10:00", "February 2023 has 28 days"),
        ("2024-13-01", "there is no month 13"),
        ("0000-01-01", "there is no year 0000"),
        ("2024-03-12T24:00:00Z", "hours go up to 23, minutes and seconds to 59"),
        ("2024-03-12T23:59:60Z", "hours go up to 23, minutes and seconds to 59"),
        ("0001-01-01 00:30", f"write `0001-01-01T00:30:00Z` for UTC, {OR_ZONE}"),
    ],
)
def test_what_to_write_for_a_time(text, expected):
    assert date_remedy(text, with_time=True) == expected


def test_both_readings_are_proposed_where_day_and_month_could_be_either():
    both = "write `2024-12-03` for 3 December 2024, `2024-03-12` for 12 March 2024"
    assert date_remedy("03/12/2024", with_time=True) == both
    assert date_remedy("12.03.2024", with_time=True) == "write `2024-03-12` for 12 March 2024"


@pytest.mark.parametrize("text", ["yesterday", "", "2024", "12/2024", "1.2.3.2024"])
def test_nothing_is_guessed_where_it_could_be_wrong(text):
    assert date_remedy(text, with_time=True).startswith("write a day as `2024-03-12`, a time as ")
    assert date_remedy(text, with_time=False) == "write a day as `2024-03-12`"


def test_a_day_is_all_that_a_date_keeps():
    assert date_remedy("2024-03-12T09:00:00Z", with_time=False) == "write `2024-03-12`"


@given(
    st.datetimes(),
    st.sampled_from(["", "Z", "z", " UTC", "+0100", "-08", "+05:30"]),
    st.sampled_from(" T,"),
)
def test_what_is_proposed_is_valid(moment, offset, between):
    text = f"{moment:%Y-%m-%d}{between}{moment:%H:%M}{offset}".rjust(16, "0")
    for proposed in re.findall(r"`(\d{4}-\S+?)`", date_remedy(text, with_time=True)):
        assert re.search(INSTANT, proposed), proposed


@given(
    st.text("0123456789-/.:,TZ +apmhMar", max_size=30)
    | st.from_regex(
        r"\A\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}[T ,]\d{1,2}[:.h]?\d\d ?([ap]m)?"
        r"(Z|CET|[+-]\d{1,4}|[+-]\d\d:\d\d)?\Z"
    )
)
def test_whatever_is_written_what_is_proposed_is_valid(text):
    for with_time in (True, False):
        for proposed in re.findall(r"`(\d{4}-\S+?)`", date_remedy(text, with_time)):
            assert re.search(INSTANT, proposed), proposed
