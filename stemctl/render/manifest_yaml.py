"""Records as a manifest: YAML that every parser reads alike, and whose plan on the same server is
empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from stemctl.manifests.written import scalar_text
from stemctl.util.json_types import Value
from stemctl.util.safe_text import visible


def manifest_text(
    key: str, records: Sequence[dict[str, Value]], inside: Collection[str] = ()
) -> str:
    """A manifest with these records under a list key; `inside` are the keys of lists of records
    that records may contain.
    """
    return commented_manifest(key, [(record, ()) for record in records], inside)


def commented_manifest(
    key: str,
    rows: Sequence[tuple[dict[str, Value] | None, Sequence[str]]],
    inside: Collection[str] = (),
) -> str:
    """A manifest with records, each below remarks about it. A record may be left out."""
    lines = [f"{key}:" if any(record for record, _ in rows) else f"{key}: []"]
    for record, remarks in rows:
        lines += [f"  # {visible(remark)}" for remark in remarks]
        lines += _record_lines(record or {}, inside, "  ")
    return "\n".join(lines) + "\n"


def _record_lines(record: dict[str, Value], inside: Collection[str], margin: str) -> Iterator[str]:
    """The lines of one record, a field in each, and those of the records inside it."""
    first = f"{margin}- "
    for name, value in record.items():
        if name in inside and value and all(isinstance(one, dict) for one in value):
            yield f"{first}{name}:"
            for one in value:
                yield from _record_lines(one, inside, f"{margin}    ")
        else:
            yield f"{first}{name}: {scalar_text(value)}"
        first = f"{margin}  "
