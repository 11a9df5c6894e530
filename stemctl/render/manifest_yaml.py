"""Records as a manifest: YAML that every parser reads alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stemctl.manifests.written import scalar_text
from stemctl.util.json_types import Value


def manifest_text(key: str, records: Sequence[dict[str, Value]]) -> str:
    """A manifest with these records under a list key, a field in each line."""
    lines = [f"{key}:" if records else f"{key}: []"]
    for record in records:
        lines += _record_lines(record)
    return "\n".join(lines) + "\n"


def _record_lines(record: dict[str, Value]) -> Iterator[str]:
    first = "  - "
    for name, value in record.items():
        yield f"{first}{name}: {scalar_text(value)}"
        first = "    "
