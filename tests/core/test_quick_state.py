"""A state that is read quickly is what it would be the plain way, and nothing wrong is taken."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from stemctl.core.quick_state import quick_state
from stemctl.core.records import Address
from stemctl.core.state import Entry, PendingRequest, Proposed, State, Uncommitted
from stemctl.core.state_codec import LARGE, from_json, to_json, to_shards
from stemctl.errors import StateError
from stemctl.util.canonical_json import canonical_pieces, hash_of_pieces

PENDING = PendingRequest("2024-03-12T10:00:00+00:00", "POST", {"name": "ä"}, {"name": "ä"})
PROPOSED = Proposed("9", {"n": 1})
STATE = State(
    "https://x.example/",
    "private",
    "2024",
    lineage="8b0f",
    serial=7,
    run="2024-03-12T10:00:00Z",
    commit="0" * 40,
    uncommitted=Uncommitted("r", "ana", ("a.yaml",)),
    folder="lab",
    names={"project": {"P": "1"}},
    records={
        Address("session", "b"): Entry("2", {"name": "b", "extra_fields": {"n": [1, 2.5, None]}}),
        Address("session", "a/c"): Entry(
            "1", {"name": "\u2028\x7f\ue000😀"}, {"name": "x"}, run="r"
        ),
        Address("session", "a"): Entry(
            None, {}, approval=Proposed("9", {"n": 1}), pending=(PENDING,)
        ),
        Address("session", "Z"): Entry("3/2024-03-12T10:00:00Z", prevent_delete=True),
    },
)
ODD = [
    *("null", "true", "1", "-0", "-0.0", "1.0", "1e5", "1e16", "1e-7", "1e22", "1E400", "NaN"),
    *("123456789012345678901234567890", "0.1", "5e-324", '""', '"a"', '"a/b"', '"\\ud800"', "[]"),
    *(
        '"\\ud83d\\ude00"',
        '"\\u0000\\u001f"',
        "{}",
        '[{"k": 1}]',
        '{"k": 1, "k": 2}',
        '{"b": 1, "a": 2}',
    ),
]


def plainly(text: str) -> State | None:
    """The state as a small one is read, without a shortcut; None if it is refused."""
    assert len(text) < LARGE
    try:
        return from_json(text, "lab.state.json")
    except StateError:
        return None


def texts() -> Iterator[str]:
    """The text of a state with odd values everywhere, with and without a checksum that fits."""
    body = json.loads("".join(to_json(STATE)))
    places = [(body, key) for key in [*body, "new"]]
    places += [(body["records"], key) for key in [*body["records"], "new/key", "x"]]
    for entry in body["records"].values():
        places += [(entry, key) for key in [*entry, "new", "doubts", "observed", "run"]]
        places += [(entry["applied"], key) for key in [*entry["applied"], "new"]]
    for (parent, key), odd in itertools.product(places, ODD):
        missing = object()
        before = parent.get(key, missing)
        parent[key] = "@here@"
        text = json.dumps(body).replace('"@here@"', odd)
        yield text
        yield _with_checksum(text)
        if before is missing:
            del parent[key]
        else:
            parent[key] = before


def _with_checksum(text: str) -> str:
    try:
        body: dict[str, Any] = json.loads(text)
        body.pop("checksum", None)
        checksum = hash_of_pieces(canonical_pieces(body))
    except (TypeError, ValueError):
        return text
    return f'{text[:-1]}, "checksum": "{checksum}"}}'


def test_what_is_read_quickly_is_what_is_there() -> None:
    read = 0
    for text in texts():
        found = quick_state(text)
        if found is not None:
            read += 1
            assert repr(found) == repr(plainly(text)), text
    assert read > 300


def test_what_stemctl_wrote_is_read_quickly() -> None:
    found = quick_state("".join(to_json(STATE)))
    assert found is not None
    assert list(found.records) == sorted(STATE.records)
    assert found == STATE


def test_shards_are_read_quickly() -> None:
    text, shards = to_shards(STATE)
    found = quick_state(text, list(shards.values()))
    assert found is not None
    assert sorted(found.records.items()) == sorted(STATE.records.items())
    assert quick_state(text, list(shards.values())[1:]) is None
