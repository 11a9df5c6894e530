"""A model and a name that were typed as two words, as kubectl takes them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stemctl.schema.catalog import Catalog


def as_addresses(words: Sequence[str]) -> list[str]:
    """The words, with a model and a name behind it (`MODEL NAME`, as kubectl takes them) as one
    address: elsewhere a model alone may mean all of its records.
    """
    joined: list[str] = []
    for word in words:
        is_name = not word.startswith("-") and "/" not in word and not _is_model(word)
        if joined and is_name and _is_model(joined[-1]) and not os.path.lexists(word):
            joined[-1] += f"/{word}"
        else:
            joined.append(word)
    return joined


def _is_model(word: str) -> bool:
    return _models().find(word) is not None


def _models() -> Catalog:
    """The models of the newest edition; only loaded where a command cannot be run as typed."""
    from stemctl.schema.catalog import editions, load_catalog

    return load_catalog(editions()[-1])


def with_name(word: str) -> str:
    """A model alone with NAME behind it, and any other word as it is."""
    return f"{word}/NAME" if _is_model(word) else word


def description_of(words: Sequence[str]) -> str:
    """The command that describes MODEL FIELD, or shows MODEL NAME."""
    model = _models().find(words[0]) if len(words) > 1 else None
    is_field = model is not None and words[1].partition(".")[0] in model.fields
    if model is None or is_field:
        return f"explain {shlex.quote('.'.join(words))}"
    return f"show {shlex.quote('/'.join(words))}"
