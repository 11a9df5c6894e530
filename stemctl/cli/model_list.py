"""The list of models, printed by commands that were given none."""

from __future__ import annotations

from stemctl.cli.screen import Screen
from stemctl.render.text.model_text import models_document, models_text
from stemctl.schema.catalog import Catalog


def print_models(screen: Screen, catalog: Catalog, output_format: str) -> int:
    """Print the models of an edition, and what to type to see more of one."""
    if output_format == "json":
        screen.document(models_document(catalog))
        return 0
    screen.out(models_text(catalog, screen.style(catalog)))
    screen.suggest(
        ("stemctl explain MODEL", "describes the fields of a model"),
        ("stemctl get MODEL", "shows the records on the server"),
    )
    return 0
