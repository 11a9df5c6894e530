"""The file of faults: what it takes, which requests it means, and how often."""

from __future__ import annotations

import re

import pytest

from stemctl.errors import ConfigError
from stemctl.manifests import reader
from stemctl.sandbox.faults.counts import Counts
from stemctl.sandbox.faults.kinds import KEYS, KINDS
from stemctl.sandbox.faults.script import IncomingRequest, Script, parse
from tests.support.paths import PROJECT

DOCS = (PROJECT / "docs" / "faults.md").read_text(encoding="utf-8")
POST = IncomingRequest("POST", "stem/session/", b'{"name":"x"}')


def script(text: str) -> Script:
    return parse(reader.parse(text.encode(), "f.yaml"), KEYS)


def faults(*entries: str, seed: str = "") -> Script:
    return script(f"{seed}\nfaults:\n" + "".join(f"- {entry}\n" for entry in entries))


def struck(
    counts: Counts, script: Script, requests: int = 8, request: IncomingRequest = POST
) -> str:
    """One letter a request: the status that strikes it, `-` for none."""
    found = [counts.striking(script, request) for _ in range(requests)]
    return "".join(str(fault.status - 500) if fault else "-" for fault in found)


@pytest.mark.parametrize(
    ("entry", "strikes"),
    [
        ("{fault: status, status: 501}", "11111111"),
        ("{fault: status, status: 501, times: 2}", "11------"),
        ("{fault: status, status: 501, times: 0}", "--------"),
        ("{fault: status, status: 501, after: 3}", "---11111"),
        ("{fault: status, status: 501, after: 3, times: 1}", "---1----"),
        ("{fault: status, status: 501, chance: 0}", "--------"),
        ("{fault: status, status: 501, chance: 1}", "11111111"),
        ("{match: {}, fault: status, status: 501}", "11111111"),
        ("{match: {method: GET}, fault: status, status: 501}", "--------"),
    ],
)
def test_how_often_a_fault_strikes(entry: str, strikes: str) -> None:
    assert struck(Counts(), faults(entry)) == strikes


def test_the_first_that_strikes_hides_the_request_from_the_others() -> None:
    entries = [
        "{fault: status, status: 501, after: 1, times: 2}",
        "{fault: status, status: 502, after: 1, times: 2}",
    ]
    # The second sees the first request, and those after the second and third.
    assert struck(Counts(), faults(*entries)) == "-1122---"


def test_requests_that_do_not_match_are_not_counted() -> None:
    counts, one = Counts(), faults("{match: {method: POST}, fault: status, status: 501, after: 1}")
    assert struck(counts, one, request=IncomingRequest("GET", "stem/session/", b"")) == "--------"
    assert struck(counts, one) == "-1111111"


def test_a_fault_that_is_edited_starts_anew_and_the_others_do_not() -> None:
    counts = Counts()
    first, second = (
        "{fault: status, status: 501, times: 1}",
        "{fault: status, status: 502, times: 1}",
    )
    assert struck(counts, faults(first, second)) == "12------"
    assert struck(counts, faults(first, second)) == "--------"
    assert struck(counts, faults(first, second.replace("times: 1", "times: 2"))) == "22------"
    assert struck(counts, faults(first)) == "--------"
    assert struck(counts, faults(first, second)) == "2-------"


def test_chance_is_repeatable_with_a_seed() -> None:
    entry = "{fault: status, status: 501, chance: 0.5}"
    first = struck(Counts(), faults(entry, seed="seed: 7"), 64)
    assert first == struck(Counts(), faults(entry, seed="seed: 7"), 64)
    assert first != struck(Counts(), faults(entry, seed="seed: 8"), 64)
    assert 0 < first.count("1") < 64
    assert struck(Counts(), faults(entry), 64) != struck(Counts(), faults(entry), 64)


def test_chance_and_times() -> None:
    strikes = struck(
        Counts(), faults("{fault: status, status: 501, chance: 0.5, times: 3}", seed="seed: 7"), 64
    )
    assert strikes.count("1") == 3


@pytest.mark.parametrize(
    ("match", "method", "path", "found"),
    [
        ("{path: stem/session/}", "GET", "stem/session/", True),
        ("{path: stem/session}", "GET", "stem/session/", True),
        ("{path: stem/session/}", "GET", "stem/session/7/", False),
        ("{path: stem/session/?*}", "GET", "stem/session/", False),
        ("{path: stem/session/?*}", "GET", "stem/session/7/", True),
        ("{path: stem/session/*}", "GET", "stem/session/", True),
        ("{path: '*/accept'}", "PATCH", "taxonomies/x/7/accept/", True),
        ("{path: 'stem/[s]ession'}", "GET", "stem/session/", False),
        ("{path: '*'}", "GET", None, False),
        ("{method: PATCH}", "GET", "stem/session/", False),
        ('{body: \'"name":"x"\'}', "GET", "stem/session/", True),
        ("{body: ö}", "GET", "stem/session/", True),
        ("{body: y, method: GET}", "GET", "stem/session/", False),
    ],
)
def test_the_requests_that_a_fault_means(
    match: str, method: str, path: str | None, found: bool
) -> None:
    (fault,) = faults(f"{{match: {match}, fault: reset}}").faults
    assert fault.matches(IncomingRequest(method, path, '{"name":"x","d":"ö"}'.encode())) is found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "f.yaml:1:1: this file declares nothing"),
        ("seed: 1", "f.yaml:1:1: faults is missing"),
        ("- a", "f.yaml:1:1: this must be a mapping of seed, faults"),
        ("faults:", "faults must be a list"),
        ("faults: [reset]", "f.yaml:1:10: this must be a mapping"),
        ("faults: []\nsede: 7", "f.yaml:2:1: unknown key `sede`"),
        ("faults: []\nseed: true", "f.yaml:2:7: seed must be a whole number"),
        ("faults:\n- {times: 1}", "f.yaml:2:3: fault is missing"),
        ("faults:\n- fault: [reset]", "f.yaml:2:10: unknown fault"),
        ("faults:\n- fault: rest", "f.yaml:2:10: unknown fault `rest`"),
        ("faults:\n- {fault: reset, tims: 1}", "f.yaml:2:18: unknown key `tims`"),
        ("faults:\n- {fault: reset, seconds: 1}", "f.yaml:2:18: unknown key `seconds`"),
        ("faults:\n- {fault: delay}", "f.yaml:2:3: seconds is missing"),
        (
            "faults:\n- {fault: delay, seconds: -1}",
            "f.yaml:2:27: seconds must be a number of seconds",
        ),
        ("faults:\n- {fault: delay, seconds: '1'}", "seconds must be a number of seconds"),
        ("faults:\n- {fault: status, status: 199}", "status must be a status from 200 to 599"),
        ("faults:\n- {fault: status, status: 500.0}", "status must be"),
        (
            "faults:\n- {fault: status, status: 503, retry_after: 1, retry_after_date: 1}",
            "retry_after is also set",
        ),
        (
            "faults:\n- {fault: status, status: 503, retry_after: 1.5}",
            "retry_after must be a whole number",
        ),
        ("faults:\n- {fault: reset, times: true}", "times must be a number of requests"),
        ("faults:\n- {fault: reset, chance: 1.1}", "chance must be a number from 0 to 1"),
        (
            "faults:\n- {fault: reset, match: POST}",
            "f.yaml:2:25: this must be a mapping of method, path, body",
        ),
        ("faults:\n- {fault: reset, match: {url: x}}", "f.yaml:2:26: unknown key `url`"),
        ("faults:\n- {fault: reset, match: {method: post}}", "method must be one of GET"),
        (
            "faults:\n- {fault: reset, match: {path: /api/private/x}}",
            "path must be a path below /api/PORTAL/",
        ),
        ("faults:\n- {fault: reset, match: {body: ''}}", "body must be text"),
        ("faults:\n- {fault: reset", "f.yaml:2:3: "),
        ("faults: []\nfaults: []", "f.yaml:2:1: duplicate key `faults`"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        script(text)
    assert said in error.value.what


def test_the_documentation_has_every_fault_and_its_examples_are_valid() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (?:([^|]*)) \| ([^|]*) \|$", DOCS, re.MULTILINE)
    keys = {name: (*keys.needs, *keys.takes) for name, keys in KEYS.items()}
    assert {name: about for name, _, about in rows} == {
        name: kind.about for name, kind in KINDS.items()
    }
    assert {name: tuple(re.findall(r"`(\w+)`", said)) for name, said, _ in rows} == keys
    examples = [
        text
        for text in re.findall(r"^```yaml\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
        if "faults:\n" in text
    ]
    assert len(examples) == 2
    for example in examples:
        assert script(example).faults
