"""What was applied shares its values with the files: of many records, most were applied as they are
declared, and each would be in memory twice.
"""

from __future__ import annotations

import msgspec

from stemctl.core.records import Address, Repository
from stemctl.core.state import Share
from stemctl.util.json_types import Fields


def shared_with(repository: Repository) -> Share:
    """Gives the values of the files where they are what was applied."""

    def share(address: Address, applied: Fields) -> tuple[Address, Fields]:
        record = repository.records.get(address)
        if record is None:
            return address, applied
        declared = record.fields
        values = {name: declared[name] for name in applied if name in declared}
        return record.address, values if _same_text(values, applied) else applied

    return share


def _same_text(left: Fields, right: Fields) -> bool:
    """Whether two values are the same JSON, also in the order of keys and the kinds of numbers, so
    that one can be written in place of the other.
    """
    try:
        return left == right and _encode(left) == _encode(right)
    except ValueError:  # half a character, or a number of thousands of digits
        return False


_encode = msgspec.json.Encoder().encode
