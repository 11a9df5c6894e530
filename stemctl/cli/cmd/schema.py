"""schema: build and print the JSON Schemas."""

from __future__ import annotations

import itertools

import click

from stemctl.cli.command import group, option
from stemctl.cli.screen import Screen
from stemctl.commands.explain import catalog_of
from stemctl.commands.schema import build_pages, build_schemas, find_schema
from stemctl.errors import ConfigError
from stemctl.schema.catalog import schemas_dir


@group()
def schema() -> None:
    """Build and print the JSON Schemas."""


@schema.command(
    examples=(("stemctl schema build --check", "checks that the committed schemas are current"),),
    exits=(("1", "with --check, a schema is out of date"),),
)
@option("--check", is_flag=True, help="Write nothing, and exit with 1 if a schema is out of date.")
@click.pass_obj
def build(screen: Screen, check: bool) -> int:
    """Generate the schemas of all editions, and the pages of the models, from the field tables."""
    changed = False
    names = (f"schemas/{name}" for name in build_schemas(schemas_dir(), check))
    for name in itertools.chain(names, build_pages(schemas_dir(), check)):
        changed = True
        screen.did = "" if check else "schemas were written."
        screen.out(f"{'out of date' if check else 'wrote'}: {name}")
    if check and changed:
        hint = ("stemctl schema build", "updates them; commit the result")
        raise ConfigError("The schemas are out of date.", hints=[hint])
    if not changed:
        screen.out("The schemas of stemctl are up to date.")
    return 0


@schema.command(
    examples=(
        ("stemctl schema show", "prints the schema of a manifest"),
        ("stemctl schema show session --edition 2026", "prints that of a model"),
    ),
)
@click.argument("name", default="manifest")
@option("--edition", help="Print the schema of this edition; by default, that of your server.")
@click.pass_obj
def show(screen: Screen, name: str, edition: str | None) -> int:
    """Print a JSON Schema.

    NAME is manifest (the default), config, plan, table, or a model.
    """
    edition = edition or catalog_of(screen.root, screen.server).edition
    screen.out(find_schema(schemas_dir(), name, edition).read_text(encoding="utf-8"))
    return 0
