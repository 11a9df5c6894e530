import datetime
import json
import re
from urllib.parse import urlsplit

import jsonschema
import pytest
import regress
from check_jsonschema.formats.implementations.rfc3339 import validate as is_date_time
from hypothesis import example, given
from hypothesis import strategies as st

from stemctl.schema.patterns import DATE, FORMATS, INSTANT, KEY, portable
from tests.support.effort import examples
from tests.support.paths import PROJECT

CHECKER = jsonschema.Draft202012Validator.FORMAT_CHECKER
ALL = {
    **FORMATS,
    "date": DATE,
    "instant": INSTANT,
    "key": KEY,
    "name": portable("^[A-Za-z][A-Za-z0-9_]*$"),
}


@pytest.mark.parametrize("name", FORMATS)
@given(st.data())
def test_a_pattern_takes_no_more_than_its_format(name, data):
    text = data.draw(st.from_regex(re.compile(FORMATS[name], re.ASCII)))
    if re.search(FORMATS[name], text):
        assert CHECKER.conforms(text, name)
        assert name in CHECKER.checkers or name == "uri"


@given(st.from_regex(re.compile(FORMATS["uri"], re.ASCII)))
def test_an_address_has_a_scheme_and_a_host(text):
    if re.search(FORMATS["uri"], text):
        parts = urlsplit(text)
        assert parts.scheme
        assert parts.netloc


DAYS = st.dates().map(datetime.date.isoformat)
NEARLY_DAYS = st.from_regex("[0-9]{4}-[01][0-9]-[0-3][0-9]", fullmatch=True)


@given(DAYS | NEARLY_DAYS)
@example("2024-02-29")
@example("2023-02-29")
@example("1900-02-29")
@example("2000-02-29")
@example("0000-01-01")
def test_days_are_those_of_the_calendar(text):
    try:
        datetime.date.fromisoformat(text)
        real = True
    except ValueError:
        real = False
    assert bool(re.search(DATE, text)) == bool(re.search(INSTANT, text)) == real


TIMES = st.from_regex(
    r"T[0-2][0-9]:[0-6][0-9](:[0-6][0-9](\.[0-9]{1,3})?)?(Z|[+-][0-2][0-9]:[0-6][0-9])?",
    fullmatch=True,
)


@given(DAYS, TIMES)
def test_times_are_those_of_rfc_3339(day, time):
    beyond = day in ("0001-01-01", "9999-12-31") and not time.endswith("Z")
    assert bool(re.search(INSTANT, day + time)) == is_date_time(day + time) or beyond


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-12 09:00:00Z",
        "2024-03-12t09:00:00z",
        "2024-03-12T09:00:00,5Z",
        "2024-03-12T23:59:60Z",
    ],
)
def test_spellings_that_validators_do_not_agree_on_are_not_taken(text):
    assert not re.search(INSTANT, text)


NEAR = st.one_of(
    st.text(max_size=12),
    st.text("a \n\t\u00a0\u2028\ufeff\x1b/:.%@-0T", max_size=12),
    *(st.from_regex(re.compile(pattern, re.ASCII)) for pattern in ALL.values()),
)


@pytest.mark.parametrize("name", ALL)
@examples(50)
@given(text=NEAR)
@example(text="a\n")
@example(text="\ufeffa")
@example(text="\x85a")
@example(text="\x1c")
def test_python_and_ecmascript_read_a_pattern_alike(name, text):
    assert bool(re.search(ALL[name], text)) == bool(regress.Regex(ALL[name], "u").find(text))


@pytest.mark.parametrize("name", ALL)
def test_a_long_text_takes_no_long_time(name):
    for text in (
        "a" * 200_000 + "\n",
        " " * 200_000,
        "https://" + "a/" * 100_000 + " ",
        "a://" + "%20" * 60_000 + "@",
    ):
        re.search(ALL[name], text)


@pytest.mark.parametrize(
    "text, valid",
    [
        ("https://dandiarchive.org/dandiset/123456", True),
        ("ftp://a.org/b%20c?d=e/f?g#h", True),
        ("http://user:secret@localhost:8000", True),
        ("dandiarchive.org", False),
        ("mailto:a@b.org", False),
        ("https://", False),
        ("https://a.org/b c", False),
        ("https://a.org/%zz", False),
        ("https://a.org\n", False),
    ],
)
def test_addresses_on_the_web(text, valid):
    assert bool(re.search(FORMATS["uri"], text)) is valid


@pytest.mark.parametrize("end", ["", "\n", "x", "\nx"])
@pytest.mark.parametrize(
    "pattern, text",
    [
        ("^a$", "a"),
        ("^$|^a$", ""),
        ("^$|^a$", "a"),
        ("^(a$|b$)", "b"),
        ("^[$a]$", "$"),
        ("^\\$$", "$"),
        ("^[]$a]$", "$"),
    ],
)
def test_an_end_is_the_end(pattern, text, end):
    assert (re.search(portable(pattern), text + end) is not None) == (end == "")
    if "[]" not in pattern:  # to ECMAScript a class without characters
        assert (regress.Regex(portable(pattern)).find(text + end) is not None) == (end == "")


@pytest.mark.parametrize("pattern", ["^\\d$", "^\\w$", "^[\\d.]$", "^[^\\w]$", "^\\\\w$"])
@given(st.characters(exclude_categories=["Cs"]))
def test_digits_and_letters_are_those_of_ecmascript(pattern, character):
    python, other = (
        re.search(portable(pattern), character),
        regress.Regex(pattern, flags="u").find(character),
    )
    assert (python is not None) == (other is not None)


def patterns_in(schema):
    if isinstance(schema, dict):
        found = schema.get("pattern")
        yield from [found] if isinstance(found, str) else []
    for inner in (
        schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    ):
        yield from patterns_in(inner)


def test_no_schema_has_an_end_that_python_reads_differently():
    schemas = [*(PROJECT / "schemas").rglob("*.schema.json")]
    found = {
        text
        for path in schemas
        for text in patterns_in(json.loads(path.read_text(encoding="utf-8")))
    }
    assert len(found) > 5
    for text in found:
        assert portable(text.replace("$(?!\\n)", "$")) == text
