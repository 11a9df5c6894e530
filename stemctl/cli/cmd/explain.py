"""explain: describe a model or a field."""

from __future__ import annotations

import click

from stemctl.cli.command import command
from stemctl.cli.model_list import print_models
from stemctl.cli.options import output
from stemctl.cli.screen import Screen
from stemctl.commands.explain import catalog_of
from stemctl.config.config import load_config
from stemctl.render.text.details_text import explain_type, explain_types, type_named
from stemctl.render.text.model_text import explain_field, explain_model, field_of
from stemctl.schema.find_model import find_model


@command(
    examples=(
        ("stemctl explain", "lists the models"),
        ("stemctl explain session", "lists the fields of a model"),
        ("stemctl explain session.date_time", "describes a field, with an example"),
        ("stemctl explain procedure.details.BurrHole", "lists the details of a type"),
    ),
)
@click.argument("target", metavar="[MODEL[.FIELD[.TYPE]]]", required=False)
@output("text", "json")
@click.pass_obj
def explain(screen: Screen, target: str | None, output_format: str) -> int:
    """Describe a model or a field. Without an argument, list the models.

    The fields that a procedure, a log or a device has depend on its type: details.TYPE.
    """
    catalog = catalog_of(screen.root, screen.server)
    if target is None:
        return print_models(screen, catalog, output_format)
    name, _, field = target.partition(".")
    model = find_model(catalog, name)
    # `session.behaviors` are records; `session.behaviors.setup` is a field of theirs.
    while field and (child := catalog.child(model, field.partition(".")[0])):
        model, field = child, field.partition(".")[2]
    field, _, type_name = field.partition(".")
    row = field_of(model, field) if field else None
    if row is not None and type_name and not row.details:
        field_of(model, f"{field}.{type_name}")  # says what there is
    if row is not None and row.details and type_name:
        type_ = type_named(model, row, type_name)
        text, document = explain_type(model, row, type_, screen.style())
    elif row is not None and row.details:
        text, document = explain_types(model, row, screen.style())
    elif row is not None:
        zone = load_config(screen.root).time_zone
        text, document = explain_field(model, row, screen.style(), zone.key if zone else None)
    else:
        text, document = explain_model(model, screen.style(), catalog)
    if output_format == "json":
        screen.document(document)
    else:
        screen.out(text)
    return 0
