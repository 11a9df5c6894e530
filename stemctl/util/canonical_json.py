"""Canonical JSON, which is one text for one value, and its hash.

A plan of many records is hashed and written in pieces, so that its text is never in memory as a
whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from stemctl.util.json_types import Value


def hash_of(value: Value) -> str:
    """`sha256:` and the hash of the canonical JSON of a value."""
    return hash_of_pieces([_ENCODER.encode(value)])


def hash_of_pieces(pieces: Iterable[str]) -> str:
    """The same for a text that comes in pieces."""
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece.encode(errors="surrogatepass"))
    return f"sha256:{found.hexdigest()}"


def canonical_pieces(
    body: dict[str, Value], default: Callable[[Any], Value] = str
) -> Iterator[str]:
    """The canonical JSON of an object, each element of its lists and objects as a piece.

    An iterator in it counts as a list; `default` makes values of what is none. The last piece is
    the bracket that closes the object.
    """

    text = _encoder(default).encode
    for number, key in enumerate(sorted(body)):
        yield f"{',' if number else '{'}{text(key)}:"
        value = body[key]
        if isinstance(value, list | tuple | Iterator):
            yield from _row("[", map(text, value), "]")
        elif isinstance(value, dict):
            yield from _row(
                "{", (f"{text(name)}:{text(value[name])}" for name in sorted(value)), "}"
            )
        else:
            yield text(value)
    yield "}" if body else "{}"


def _row(opening: str, elements: Iterable[str], closing: str) -> Iterator[str]:
    yield opening
    for position, element in enumerate(elements):
        yield f",{element}" if position else element
    yield closing


def _encoder(default: Callable[[Any], Value]) -> json.JSONEncoder:
    return json.JSONEncoder(
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
        default=default,
        check_circular=False,  # what was read from YAML or JSON cannot hold itself
    )


_ENCODER = _encoder(str)
