"""The model that a word on the command line means."""

from __future__ import annotations

import shlex

from stemctl.errors import ConfigError
from stemctl.schema.catalog import Catalog
from stemctl.schema.gone import gone_model
from stemctl.schema.models import Model
from stemctl.util.plural import joined
from stemctl.util.suggest import nearest


def find_model(catalog: Catalog, word: str) -> Model:
    """The model with this name.

    Raises:
        ConfigError: there is none; the error names the nearest.
    """
    model = catalog.find(word)
    if model is not None:
        return model
    if "/" in word and catalog.find(word.partition("/")[0]) is not None:
        raise ConfigError(
            f"{word} is a record, not a model.",
            hints=[(f"stemctl show {shlex.quote(word)}", "shows a record")],
        )
    raise ConfigError(
        f"Edition {catalog.edition} has no model {word!r}.",
        _why_no_model(catalog, word),
        [("stemctl explain", "lists the models")] if len(catalog.models) > _MOST_MODELS else [],
    )


_MOST_MODELS = 10
"""Models that an error names; if there are more, `explain` lists them."""


def _why_no_model(catalog: Catalog, word: str) -> str:
    """What became of a model, or which one was meant."""
    if gone := gone_model(catalog, word):
        return f"It no longer exists in BrainSTEM, since {gone.since}. {gone.instead}"
    near = nearest(word, [m.name for m in catalog.models.values()])
    meant = f"Did you mean {joined(near, 'or')}?" if near else ""
    if len(catalog.models) > _MOST_MODELS:
        return meant
    return f"{meant} Known models: {', '.join(catalog.models)}.".lstrip()
