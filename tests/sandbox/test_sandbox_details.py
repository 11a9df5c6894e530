"""The sandbox takes details only if they match the schema of their type, and with their type."""

from __future__ import annotations

from typing import Any

import pytest

from stemctl.sandbox.detail_checks import check_details, unpaired
from stemctl.schema.catalog import load_catalog

CATALOG = load_catalog("2026")
ACQUISITION = CATALOG.models["dataacquisition"]
LOG_ENTRY = CATALOG.models["subjectlogentry"]


@pytest.mark.parametrize(
    "details, problem",
    [
        ({"sr": 20000}, "sr must be a number with a unit: Hz, GHz, MHz, kHz."),
        ({"sr": "20 kHz"}, "sr must be a number with a unit: Hz, GHz, MHz, kHz."),
        ({"sr": {"value": 1, "unit": "s"}}, "sr must be a number with a unit: Hz, GHz, MHz, kHz."),
        ({"lsb": 1}, "lsb is not a field of Audio."),
        ({"nChannels": 0}, "nChannels must be a whole number, at least 1."),
        ([], "must be an object."),
    ],
)
def test_details_match_their_type_exactly(details: Any, problem: str) -> None:
    assert check_details(ACQUISITION, {"type": "Audio", "details": details}) == {
        "details": [problem]
    }


def test_a_type_adds_its_defaults() -> None:
    found: dict[str, Any] = {"type": "Audio", "details": {"nChannels": 1}}
    assert check_details(ACQUISITION, found) == {}
    assert found["details"] == {"nChannels": 1, "bitDepth": 8}


def test_the_type_of_an_entry_is_that_of_its_log() -> None:
    entry: dict[str, Any] = {"details": {}}
    assert check_details(LOG_ENTRY, entry, {"type": "Weighing"}) == {
        "details": ["weight is required."]
    }


def test_pairs_are_sent_together() -> None:
    assert unpaired(ACQUISITION, {"type": "Audio"}) == {
        "details": ["This field is required together with type."]
    }
    assert unpaired(ACQUISITION, {"details": {}}) == {
        "type": ["This field is required together with details."]
    }
    assert unpaired(ACQUISITION, {"notes": "x"}) == {}
