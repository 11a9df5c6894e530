"""What a sheet left open: columns that were not read, and records that it no longer has."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from stemctl.core.records import Address
from stemctl.util.json_types import Value
from stemctl.util.plural import counted, first_few, inflected
from stemctl.util.safe_text import visible


def load_text(left: Mapping[str, str], missing: Sequence[Address]) -> str:
    """Columns that were left with the reasons, and records of the files that are not in the sheet,
    with the command that takes one out.
    """
    lines = [f"Column `{visible(name)}` was left: {why}." for name, why in left.items()]
    if missing:
        verb = inflected(len(missing), "is", "are")
        names = first_few([visible(address.key) for address in missing])
        lines.append(
            f"{counted(len(missing), 'record')} of these files {verb} not in the sheet, and "
            f"{inflected(len(missing), 'stays', 'stay')}: {names}."
        )
        address = shlex.quote(visible(str(missing[0])))
        lines.append(f"To take out a record, type `stemctl rm {address}`.")
    return "\n".join(lines)


def load_json(left: Mapping[str, str], missing: Sequence[Address]) -> dict[str, Value]:
    """The same as data."""
    return {
        "left_columns": dict(left),
        "not_in_sheet": [str(address) for address in missing],
    }
