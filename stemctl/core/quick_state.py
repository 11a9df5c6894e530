"""The text of a state file, read one record after the other.

The plain way, `state_codec.from_json`, makes all of a state at once, and again for its checksum.
Here, a record is text until its turn, and a decoder in C does the work. What it does not take, or
what has another checksum, is read the plain way: that decides, and says what is wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from stemctl.core.formats import NEWEST
from stemctl.core.records import Address
from stemctl.core.state import Entry, State
from stemctl.core.state_wire import EntryWire, StateWire, entry_of, state_of

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_any = msgspec.json.Decoder().decode
_canonical = msgspec.json.Encoder(order="sorted").encode


def quick_state(text: str, shards: Sequence[str] = ()) -> State | None:
    """The state in these texts, if they are sound; None if they have to be read the plain way."""
    try:
        return _sound_state(text, shards)
    except (ValueError, KeyError, TypeError, RecursionError, msgspec.MsgspecError):
        return None


def _sound_state(text: str, shards: Sequence[str]) -> State | None:
    parts = _object(text)
    records = _object(parts.pop("records"))
    if shards:
        parts.pop("shards")
        records = {key: entry for shard in shards for key, entry in _object(shard).items()}
    head = {key: _any(part) for key, part in parts.items()}
    checksum = head.pop("checksum")
    if type(head["format"]) is not int or head["format"] > NEWEST:
        return None
    found, entries = _read(head, records)
    if found != checksum:
        return None
    state = state_of(msgspec.convert({**head, "records": {}}, StateWire))
    return replace(state, records=dict(map(entries.__getitem__, records)))


def _read(
    head: Mapping[str, Any], records: Mapping[str, msgspec.Raw]
) -> tuple[str, dict[str, tuple[Address, Entry]]]:
    """The checksum, as `canonical_json.hash_of` has it, and the entries with their addresses."""
    found = hashlib.sha256()
    entries: dict[str, tuple[Address, Entry]] = {}
    for number, name in enumerate(sorted([*head, "records"])):
        found.update((b"," if number else b"{") + _canonical(name) + b":")
        if name != "records":
            found.update(_canonical(head[name]))
            continue
        between = b"{"
        for key in sorted(records):
            body = _any(records[key])
            found.update(between + _canonical(key) + b":" + _canonical(body))
            wire = msgspec.convert(body, EntryWire)
            entries[key] = Address.parse(key), entry_of(wire)
            between = b","
        found.update(b"}" if records else b"{}")
    found.update(b"}")
    return f"sha256:{found.hexdigest()}", entries
