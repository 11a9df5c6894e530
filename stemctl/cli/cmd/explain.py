"""explain: describe a model or a field."""

from __future__ import annotations

import click

from stemctl.cli.command import command
from stemctl.cli.model_list import print_models
from stemctl.cli.options import output
from stemctl.cli.screen import Screen
from stemctl.client.query import find_model
from stemctl.commands.explain import catalog_of
from stemctl.config.config import load_config
from stemctl.render.text.model_text import explain_field, explain_model, field_of


@command()
@click.argument("target", metavar="[MODEL[.FIELD]]", required=False)
@output("text", "json")
@click.pass_obj
def explain(screen: Screen, target: str | None, output_format: str) -> int:
    """Describe a model or a field. Without an argument, list the models."""
    catalog = catalog_of(screen.root, screen.server)
    if target is None:
        return print_models(screen, catalog, output_format)
    name, _, field = target.partition(".")
    model = find_model(catalog, name)
    # `session.behaviors` are records; `session.behaviors.setup` is a field of theirs.
    while field and (child := catalog.child(model, field.partition(".")[0])):
        model, field = child, field.partition(".")[2]
    if field:
        zone = load_config(screen.root).time_zone
        text, document = explain_field(
            model, field_of(model, field), screen.style(), zone.key if zone else None
        )
    else:
        text, document = explain_model(model, screen.style(), catalog)
    if output_format == "json":
        screen.document(document)
    else:
        screen.out(text)
    return 0
