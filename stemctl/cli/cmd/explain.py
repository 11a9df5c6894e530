"""explain: describe a model or a field."""

from __future__ import annotations

import click

from stemctl.cli.options import output
from stemctl.cli.screen import Screen
from stemctl.client.query import find_model
from stemctl.config.config import load_config
from stemctl.render.text.model_text import explain_field, explain_model, field_of
from stemctl.schema.catalog import editions, load_catalog


@click.command()
@click.argument("target", metavar="MODEL[.FIELD]")
@output("text", "json")
@click.pass_obj
def explain(screen: Screen, target: str, output_format: str) -> int:
    """Describe a model or a field."""
    name, _, field = target.partition(".")
    model = find_model(load_catalog(_edition(screen)), name)
    if field:
        text, document = explain_field(model, field_of(model, field))
    else:
        text, document = explain_model(model)
    if output_format == "json":
        screen.document(document)
    else:
        screen.out(text)
    return 0


def _edition(screen: Screen) -> str:
    """The edition of the server; without a configuration, the newest."""
    config = load_config(screen.root)
    if config.found or screen.server:
        return config.server(screen.server).edition
    return editions()[0]
