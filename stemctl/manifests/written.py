"""Values as text that every reader of YAML reads alike."""

from __future__ import annotations

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


def flow_text(value: Value) -> str:
    """A value as it is written anywhere in a line, also between brackets."""
    return scalar_text([value])[1:-1]


def is_exact(value: Value) -> bool:
    """Whether all numbers in a value can be written so that every reader keeps them."""
    if isinstance(value, dict):
        return all(map(is_exact, value.values()))
    if isinstance(value, list):
        return all(map(is_exact, value))
    return not isinstance(value, int) or abs(value) <= scalars.LARGEST_EXACT


def scalar_text(value: Value) -> str:
    """A value in one line. Invisible characters are escaped, in double quotes."""
    text: str = yaml.dump(
        value,
        Dumper=_Writer,
        default_flow_style=True,
        allow_unicode=True,
        sort_keys=False,
        width=float("inf"),
    )
    return visible(text.removesuffix("\n...\n").strip("\n"))
