"""A state that shares its values with the files: of many records, most were applied as they are
declared, and each would be in memory twice.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from stemctl.core.records import Address, Repository
from stemctl.core.state import Entry, State
from stemctl.util.json_types import Fields


def share_fields(state: State, repository: Repository) -> State:
    """The same state, with the values of the files where they are the same."""
    records: dict[Address, Entry] = {}
    for address, entry in state.records.items():
        record = repository.records.get(address)
        if record is not None and _same_text(record.fields, entry.applied):
            records[record.address] = replace(entry, applied=record.fields)
        else:
            records[address] = entry
    return replace(state, records=records)


def _same_text(left: Fields, right: Fields) -> bool:
    """Whether two values are the same JSON, also in the order of keys and the kinds of numbers, so
    that one can be written in place of the other.
    """
    try:
        return left == right and _encode(left) == _encode(right)
    except ValueError:  # half a character, or a number of thousands of digits
        return False


_encode = msgspec.json.Encoder().encode
