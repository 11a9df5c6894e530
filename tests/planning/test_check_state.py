"""A state of many records is checked in one go, as strictly as record by record."""

from __future__ import annotations

import json

import pytest

from stemctl.core.records import Address
from stemctl.core.state import Entry, State
from stemctl.errors import StateError
from stemctl.planning import reducer
from stemctl.planning.reducer import check_state
from tests.client.test_quick_lists import CATALOG, FIELDS, VALUES


def is_sound(model: str, name: str, text: str) -> bool:
    fields = {name: json.loads(text)}
    entries = {Address(model, "a"): Entry("1", fields), Address(model, "b"): Entry("1", {}, fields)}
    for records in ({address: entry} for address, entry in entries.items()):
        state = State("https://x.example/", "private", "2024", records=records)
        try:
            check_state(state, CATALOG, "lab.state.json")
        except StateError:
            return False
    return True


@pytest.mark.parametrize("kind", [*FIELDS, "id"])
def test_what_is_taken_in_one_go_is_sound(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = CATALOG.models["session"].fields.values()
    name = next((row.name for row in rows if row.kind == kind), "unknown")
    for text in VALUES:
        try:
            plain = is_sound("session", name, text)
        except (ValueError, RecursionError):
            continue
        with monkeypatch.context() as patch:
            patch.setattr(reducer, "_MANY", 0)
            assert is_sound("session", name, text) == plain
