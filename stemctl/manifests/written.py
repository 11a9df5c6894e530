"""Values as text that every reader of YAML reads alike."""

from __future__ import annotations

import datetime
import functools
from typing import Any

import yaml

from stemctl.manifests import scalars
from stemctl.manifests.plain_text import line_of, plain_scalar
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern
from stemctl.util.safe_text import has_unseen, visible

_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_LIKE_A_DATE = late_pattern(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?")
"""What readers of YAML 1.1 take for a date, and more."""

_DATE = late_pattern(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:T(?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


class _Writer(yaml.SafeDumper):
    """Writes quotes wherever a parser might see another type, but for dates: every reader sees the
    same date, and people write them without quotes.
    """

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def analyze_scalar(self, scalar: str) -> Any:
        found = super().analyze_scalar(scalar)
        found.allow_flow_plain |= is_date(scalar)  # the colons of a moment are no keys
        return found


def _text(writer: yaml.SafeDumper, text: str) -> yaml.Node:
    if _LIKE_A_DATE.fullmatch(text) and not is_date(text):
        return writer.represent_scalar("tag:yaml.org,2002:str", text, style="'")
    plain = yaml.SafeDumper.represent_str(writer, text)
    is_text = isinstance(scalars.resolve(text), str) and not scalars.doubt(text)
    if is_text and not has_unseen(text):
        return plain
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Writer.add_representer(str, _text)
_Writer.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag != _TIMESTAMP]
    for first, pairs in yaml.SafeDumper.yaml_implicit_resolvers.items()
}


def is_date(text: str) -> bool:
    """Whether a text is a day or a moment that every reader of YAML accepts without quotes."""
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def flow_text(value: Value) -> str:
    """A value as it is written anywhere in a line, also between brackets."""
    return _flow_string(value) if type(value) is str else scalar_text([value])[1:-1]


@functools.lru_cache(maxsize=4096)
def _flow_string(text: str) -> str:
    """A key, or another short text: most records of a file have the same ones."""
    return scalar_text([text])[1:-1]


def is_exact(value: Value) -> bool:
    """Whether all numbers in a value can be written so that every reader keeps them."""
    if isinstance(value, dict):
        return all(map(is_exact, value.values()))
    if isinstance(value, list):
        return all(map(is_exact, value))
    return not isinstance(value, int) or abs(value) <= scalars.LARGEST_EXACT


def scalar_text(value: Value) -> str:
    """A value in one line. Invisible characters are escaped, in double quotes."""
    if type(value) in (list, dict):
        return line_of(value, _between_brackets)
    plain = plain_scalar(value)
    if plain is not None:
        return plain
    return value if isinstance(value, str) and is_date(value) else _emitted(value)


def _between_brackets(value: Value) -> str:
    if isinstance(value, str) and is_date(value):
        return value
    return _emitted([value])[1:-1]


def _emitted(value: Value) -> str:
    text: str = yaml.dump(
        value,
        Dumper=_Writer,
        default_flow_style=True,
        allow_unicode=True,
        sort_keys=False,
        width=float("inf"),
    )
    return visible(text.removesuffix("\n...\n").strip("\n"))
