"""What was applied shares its values with the files: of many records, most were applied as they are
declared, and each would be in memory twice.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from stemctl.core.records import Address, Repository
from stemctl.core.state import Entry, State
from stemctl.util.json_types import Fields


def with_shared_fields(state: State, repository: Repository) -> State:
    """The same state, with the values of the files where they are what was applied."""
    return replace(
        state, records=dict(_shared(*known, repository) for known in state.records.items())
    )


def _shared(address: Address, entry: Entry, repository: Repository) -> tuple[Address, Entry]:
    record = repository.records.get(address)
    if record is None:
        return address, entry
    values, applied = record.fields, entry.applied
    if list(values) != list(applied):
        values = {name: values[name] for name in applied if name in values}
    if not _same_text(values, applied):
        return record.address, entry
    return record.address, replace(entry, applied=values)


def _same_text(left: Fields, right: Fields) -> bool:
    """Whether two values are the same JSON, also in the order of keys and the kinds of numbers, so
    that one can be written in place of the other.
    """
    try:
        return left == right and _encode(left) == _encode(right)
    except ValueError:  # half a character, or a number of thousands of digits
        return False


_encode = msgspec.json.Encoder().encode
