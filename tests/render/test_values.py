"""Values in one line."""

from __future__ import annotations

import pytest

from stemctl.render.values import shown
from stemctl.util.json_types import Value

KHZ: Value = {"value": 30, "unit": "kHz"}


@pytest.mark.parametrize(
    "value, text",
    [
        (KHZ, "30 kHz"),
        ({"sr": KHZ, "nChannels": 64}, "sr: 30 kHz, nChannels: 64"),
        ([KHZ, {"value": 2.5, "unit": "mW"}], "30 kHz, 2.5 mW"),
        ([{"rate": KHZ, "name": "a"}], "30 kHz a"),
        ({"value": "30", "unit": "kHz"}, 'value: "30", unit: kHz'),
        ({"value": 30, "unit": "kHz", "name": "a"}, "value: 30, unit: kHz, name: a"),
    ],
)
def test_a_number_with_a_unit_reads_as_people_write_it(value: Value, text: str) -> None:
    assert shown(value) == text
