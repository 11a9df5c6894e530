"""Records as a manifest: YAML that every parser reads alike, and whose plan on the same server is
empty.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def manifest_text(key: str, records: Sequence[dict[str, Value]]) -> str:
    """A manifest with these records under a list key."""
    if not records:
        return f"{key}: []\n"
    lines = [f"{key}:"]
    for record in records:
        first = "  - "
        for name, value in record.items():
            lines.append(f"{first}{name}: {_value(value)}")
            first = "    "
    return "\n".join(lines) + "\n"


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
