"""Records as a manifest: YAML that every parser reads alike, and whose plan on the same server is
empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import yaml

from stemctl.manifests import scalars
from stemctl.util.json_types import Value
from stemctl.util.safe_text import has_unseen, visible


class _Writer(yaml.SafeDumper):
    """Writes quotes wherever a parser might see another type."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(writer: yaml.SafeDumper, text: str) -> yaml.Node:
    plain = yaml.SafeDumper.represent_str(writer, text)
    is_text = isinstance(scalars.resolve(text), str) and not scalars.doubt(text)
    if is_text and not has_unseen(text):
        return plain
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Writer.add_representer(str, _text)


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
            yield f"{first}{name}: {_value(value)}"
        first = f"{margin}  "


def flow_text(value: Value) -> str:
    """A value as it is written anywhere in a line, also between brackets."""
    return _value([value])[1:-1]


def is_exact(value: Value) -> bool:
    """Whether all numbers in a value can be written so that every reader keeps them."""
    if isinstance(value, dict):
        return all(map(is_exact, value.values()))
    if isinstance(value, list):
        return all(map(is_exact, value))
    return not isinstance(value, int) or abs(value) <= scalars.LARGEST_EXACT


def _value(value: Value) -> str:
    """A value in one line. Invisible characters are escaped, in double quotes (see `_text`)."""
    text: str = yaml.dump(
        value,
        Dumper=_Writer,
        default_flow_style=True,
        allow_unicode=True,
        sort_keys=False,
        width=float("inf"),
    )
    return visible(text.removesuffix("\n...\n").strip("\n"))
