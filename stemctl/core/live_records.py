"""The live records of a reading, most of them as the JSON text that the server sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from stemctl.util.json_types import Fields

_decode = msgspec.json.Decoder().decode


class LiveRecords(Mapping[str, Fields]):
    """Records by id. A text becomes a record each time someone looks at it: of many records, most
    are looked at once, and as a dictionary each takes five times as much memory.

    The texts were checked and decoded before, by the same decoder.
    """

    def __init__(self, records: Mapping[str, Fields | bytes]) -> None:
        self._records = records

    def __getitem__(self, id_: str) -> Fields:
        found = self._records[id_]
        if isinstance(found, bytes):
            decoded: Fields = _decode(found)
            return decoded
        return found

    def __contains__(self, id_: object) -> bool:
        return id_ in self._records

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def having(self, more: Mapping[str, Fields]) -> LiveRecords:
        """These and other records."""
        return LiveRecords({**self._records, **more})
