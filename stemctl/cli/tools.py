"""init, explain, schema, sandbox: what needs no server of somebody else's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stemctl.cli.options import output
from stemctl.cli.screen import Screen
from stemctl.errors import ConfigError

if TYPE_CHECKING:
    from stemctl.commands.workspace import Workspace


@click.command()
@click.pass_obj
def init(screen: Screen) -> int:
    """Write stemctl.yaml and a first manifest, with a sandbox to try it on, and what editors
    complete with.

    In a repository that has a stemctl.yaml, only what editors need is written, or refreshed after
    an update of stemctl.
    """
    from stemctl.commands.init import Done, editor_files, first_files, settings_to_add
    from stemctl.config.editor import SETTINGS

    for files in (first_files(screen.root), editor_files(screen.root, screen.server)):
        for name, what in files:
            line = f"{what} {name}"
            screen.did += "" if what is Done.KEPT else f"{'; ' if screen.did else ''}{line}"
            screen.out(line)
    missing = settings_to_add(screen.root)
    if missing:
        screen.note(
            f"\nYour editor settings were not touched. For VS Code, add to {SETTINGS}:\n{missing.rstrip()}"
        )
    screen.note("\n".join(screen.style().next([("stemctl plan", "shows what the files would do")])))
    return 0


@click.command()
@click.argument("subject", metavar="MODEL[.FIELD]")
@output("text", "json")
@click.pass_obj
def explain(screen: Screen, subject: str, form: str) -> int:
    """Say what a model or a field takes."""
    from stemctl.client.query import find_model
    from stemctl.config.config import load_config
    from stemctl.render.text.model_text import explain_field, explain_model, field_of
    from stemctl.schema.catalog import editions, load_catalog

    config = load_config(screen.root)
    edition = (
        config.server(screen.server).edition if config.found or screen.server else editions()[0]
    )
    word, _, name = subject.partition(".")
    model = find_model(load_catalog(edition), word)
    text, document = explain_field(model, field_of(model, name)) if name else explain_model(model)
    if form == "json":
        screen.document(document)
    else:
        screen.out(text)
    return 0


@click.group()
def schema() -> None:
    """Build and show the JSON Schemas."""


@schema.command()
@click.option(
    "--check", is_flag=True, help="Write nothing; fail if a file is not what the tables give."
)
@click.pass_obj
def build(screen: Screen, check: bool) -> int:
    """Write the schemas of all editions from the field tables."""
    from stemctl.commands.schema import build_schemas
    from stemctl.schema.catalog import schemas_dir

    changed = False
    for name in build_schemas(schemas_dir(), check):
        changed = True
        screen.did = "" if check else "schemas were written."
        screen.out(f"{'is out of date' if check else 'wrote'}: schemas/{name}")
    if check and changed:
        hint = ("stemctl schema build", "writes them; commit the result")
        raise ConfigError("The schemas are not what the tables give.", hints=[hint])
    if not changed:
        screen.out("The schemas are what the tables give.")
    return 0


@schema.command("show")
@click.argument("name", default="manifest")
@click.option("--edition", help="An edition; the server's if it is not named.")
@click.pass_obj
def show_schema(screen: Screen, name: str, edition: str | None) -> int:
    """Print a schema: manifest, config, plan, table, or a model."""
    from stemctl.schema.catalog import editions, schemas_dir

    folder = schemas_dir()
    locations = [
        folder / (edition or editions()[0]) / f"{name}.schema.json",
        folder / f"{name}.schema.json",
    ]
    path = next((p for p in locations if p.is_file()), None)
    if path is None:
        known = sorted(
            p.name.removesuffix(".schema.json")
            for f in {p.parent for p in locations}
            for p in f.glob("*.json")
        )
        raise ConfigError(f"There is no schema {name!r}.", f"There are {', '.join(known)}.")
    screen.out(path.read_text(encoding="utf-8"))
    return 0


@click.group()
def sandbox() -> None:
    """A BrainSTEM of your own, on this machine.

    The server "sandbox" lives inside stemctl and needs no starting; its database is
    .stemctl/sandbox.db.
    """


@sandbox.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="0 takes a free one.",
)
@click.option(
    "--faults",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Faults that strike; docs/faults.md.",
)
@click.pass_obj
def serve(screen: Screen, port: int, faults: Path | None) -> int:
    """Serve the sandbox to other programs, at 127.0.0.1."""
    import contextlib

    from stemctl.commands.connection import open_sandbox
    from stemctl.sandbox.faults.kinds import KEYS
    from stemctl.sandbox.faults.script import read_script
    from stemctl.sandbox.serve import serve as serve_app
    from stemctl.sandbox.users import USERS

    workspace = _sandbox_space(screen)
    script = screen.root / faults if faults else None
    if script:
        read_script(script, KEYS)  # what is wrong with it is said now rather than to a client

    with contextlib.closing(open_sandbox(workspace)) as database:
        tokens = ", ".join(USERS)
        serve_app(
            database,
            port,
            lambda url: screen.out(f"The sandbox is at {url}\nTokens: {tokens}. Ctrl-C stops it."),
            script,
        )
    return 0


@sandbox.command()
@click.pass_obj
def reset(screen: Screen) -> int:
    """Throw the sandbox away, and what stemctl remembers of it."""
    workspace = _sandbox_space(screen)
    with workspace.store.lock.hold("sandbox reset"):  # also where what is remembered cannot be read
        gone = [
            *sorted(workspace.store.local.make().glob("sandbox.db*")),
            *workspace.store.files(),
        ]
        for number, path in enumerate(gone, 1):
            path.unlink()
            screen.did = f"removed {', '.join(removed.name for removed in gone[:number])}."
    screen.out(
        "The sandbox is thrown away; the next command makes a new one."
        if gone
        else "There was no sandbox."
    )
    return 0


@sandbox.command()
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.pass_obj
def seed(screen: Screen, file: Path | None) -> int:
    """Add records to the sandbox: those of FILE, else what the manifests refer to and it lacks."""
    import contextlib

    from stemctl.commands import connection, plan

    workspace = _sandbox_space(screen)
    with contextlib.closing(connection.open_sandbox(workspace)) as database:
        named = connection.read_seed(file.resolve().parent, file.name) if file else None
        added = database.seed(named if named is not None else plan.referred_to(workspace))
    screen.did = f"Added {added} record{'' if added == 1 else 's'} to the sandbox." if added else ""
    screen.out(screen.did or "Added 0 records to the sandbox.")
    return 0


def _sandbox_space(screen: Screen) -> Workspace:
    """The workspace with its sandbox, also where another server is the default."""
    from stemctl.commands.workspace import open_workspace
    from stemctl.config.config import load_config

    config = load_config(screen.root)
    named = next(
        (server.name for server in config.servers.values() if server.is_sandbox), "sandbox"
    )
    workspace = open_workspace(screen.root, screen.server or named)
    if not workspace.server.is_sandbox:
        raise ConfigError(
            f"{workspace.server.name} is not a sandbox.", f"It is {workspace.server.url}."
        )
    return workspace
