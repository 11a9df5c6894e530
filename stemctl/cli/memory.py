"""drift, resolve, import, state: what stemctl remembers, beside what the server has."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from stemctl.cli.options import output
from stemctl.cli.running import finish
from stemctl.cli.screen import Screen
from stemctl.errors import ConfigError, StateError

if TYPE_CHECKING:
    from stemctl.commands.workspace import Workspace
    from stemctl.core.records import Address
    from stemctl.core.state import Entry, State


@click.command()
@click.option("--detailed-exitcode", is_flag=True, help="2 if anything is not as it was applied.")
@click.option("--max-bytes", type=click.IntRange(1000), help="With -o markdown: at most so long.")
@output("text", "json", "markdown")
@click.pass_obj
def drift(screen: Screen, detailed_exitcode: bool, max_bytes: int | None, form: str) -> int:
    """Show what changed on the server since it was applied; send nothing."""
    from stemctl.commands import connection, plan, validate
    from stemctl.planning.drift import Drift
    from stemctl.render.text.drift_text import drift_document, drift_markdown, drift_text
    from stemctl.render.text.plan_text import where_line

    workspace = screen.open()
    screen.announce(workspace)
    loaded = validate.load(workspace.config, workspace.catalog)

    async def read() -> Drift:
        async with connection.connect(workspace) as link:
            return await plan.drift(workspace, link.reader(), loaded)

    found = finish(read())
    style = screen.style(workspace.catalog)
    screen.summarize(lambda most: drift_markdown(found, style, workspace.target, most))
    if form == "json":
        screen.document(drift_document(found))
    elif form == "markdown":
        screen.out(drift_markdown(found, style, workspace.target, max_bytes))
    else:
        screen.out(where_line(workspace.target, workspace.database))
        screen.out(drift_text(found, style))
    if found.unread:
        return 1
    return 2 if detailed_exitcode and found.records else 0


@click.command()
@click.argument("words", metavar="ADDRESS...", nargs=-1, required=True)
@click.pass_obj
def resolve(screen: Screen, words: tuple[str, ...]) -> int:
    """Settle conflicts: the server's present values become the base, the files' an ordinary edit."""
    from stemctl.commands import connection, plan, validate
    from stemctl.core.plan import Held
    from stemctl.planning import state_edits
    from stemctl.planning.planner import Options
    from stemctl.render.text.plan_text import where_line

    workspace = screen.open()
    loaded = validate.load(workspace.config, workspace.catalog)

    async def read() -> plan.Planned:
        async with connection.connect(workspace) as link:
            return await plan.plan(workspace, link.reader(), loaded, Options(only=words))

    with workspace.writing():
        planned = finish(read())
        state = planned.state
        conflicts = [change for change in planned.plan.changes if change.held is Held.CONFLICT]
        if not conflicts:
            raise StateError(
                f"Nothing is in conflict in {' '.join(words)}.", "Nothing was changed."
            )
        for change in conflicts:
            state = state_edits.resolve_conflict(
                state, change, workspace.catalog.models[change.address.model]
            )
        workspace.store.write(state, workspace.owner, f"resolve {' '.join(words)}")
    number = len(conflicts)
    screen.did = (
        f"Resolved: {number} conflict{'' if number == 1 else 's'}. The base is now what the server holds. "
        "Nothing was sent."
    )
    screen.out(where_line(workspace.target, workspace.database))
    screen.out(screen.did)
    hint = (f"stemctl plan {' '.join(map(shlex.quote, words))}", "what your files change there")
    screen.note("\n".join(screen.style().next([hint])))
    return 0


@click.command("import")
@click.argument("word", metavar="ADDRESS")
@click.argument("id_", metavar="ID")
@click.pass_obj
def import_(screen: Screen, word: str, id_: str) -> int:
    """Bind an address to a live record by its id; the next plan shows what differs."""
    from stemctl.commands import connection
    from stemctl.planning import state_edits
    from stemctl.util.safe_text import visible

    workspace = screen.open()
    address = _address(workspace, word)
    model = workspace.catalog.models[address.model]
    if not model.writable:  # nothing declares it, so the next plan would be to delete it
        raise ConfigError(
            f"Edition {workspace.catalog.edition} does not write {model.many}.",
            "Nothing was changed.",
        )

    async def read() -> dict[str, object]:
        async with connection.connect(workspace) as link:
            return dict(await link.reader().detail(model, id_.lower()))

    with workspace.writing():
        known = workspace.store.read()
        live = finish(read())
        bound = state_edits.bind(known, address, str(live["id"]))
        workspace.store.write(bound, workspace.owner, f"import {address}")
    screen.did = f"{address} is bound to {live['id']}."
    called = live.get(model.identity) if model.identity else None
    name = f', "{visible(called)}"' if isinstance(called, str) else ""
    screen.out(f"{address} is bound to {live['id']}{name}. Nothing was sent.")
    screen.note(
        "\n".join(
            screen.style().next([(f"stemctl plan {shlex.quote(str(address))}", "what differs")])
        )
    )
    return 0


@click.group()
def state() -> None:
    """What stemctl remembers of a server; nothing here sends anything."""


@state.command("list")
@output("text", "json")
@click.pass_obj
def list_(screen: Screen, form: str) -> int:
    """List the addresses and their ids."""
    workspace = screen.open()
    screen.announce(workspace)
    known = workspace.store.read()
    if form == "json":
        screen.document(
            {str(address): entry.id for address, entry in sorted(known.records.items())}
        )
    else:
        rows = [
            (str(address), entry.id or _without_id(entry))
            for address, entry in sorted(known.records.items())
        ]
        screen.out("\n".join(screen.style().columns(rows, indent=0)) or "The state is empty.")
    screen.note(f"{workspace.store.where}, serial {known.serial}")
    return 0


def _without_id(entry: Entry) -> str:
    return f"sent at {entry.pending[-1].at}, no answer" if entry.pending else "only proposed"


@state.command("show")
@click.argument("word", metavar="ADDRESS")
@click.pass_obj
def show_state(screen: Screen, word: str) -> int:
    """Show what was applied to a record and what the server then answered, as JSON."""
    from stemctl.core.state import row

    workspace = screen.open()
    address = _address(workspace, word)
    known = workspace.store.read()
    if address not in known.records:
        raise StateError(
            f"The state does not have {address}.", "", [("stemctl state list", "shows what it has")]
        )
    screen.document({"address": str(address), **row(known.records[address])})
    return 0


@state.command("rm")
@click.argument("words", metavar="ADDRESS...", nargs=-1, required=True)
@click.pass_obj
def remove(screen: Screen, words: tuple[str, ...]) -> int:
    """Forget records; they stay on the server, and are found again by their names."""
    from stemctl.planning import state_edits

    def work(workspace: Workspace, known: State) -> State:
        for word in words:
            known = state_edits.remove(known, _address(workspace, word))
        return known

    return _rewrite(screen, work, f"Forgot {len(words)} record{'' if len(words) == 1 else 's'}.")


@state.command("mv")
@click.argument("old", metavar="ADDRESS")
@click.argument("new", metavar="ADDRESS")
@click.pass_obj
def move(screen: Screen, old: str, new: str) -> int:
    """Give a record another address, as a moved: entry does."""
    from stemctl.planning import state_edits

    def work(workspace: Workspace, known: State) -> State:
        return state_edits.rename(known, _address(workspace, old), _address(workspace, new))

    return _rewrite(screen, work, f"{old} is {new} now.")


@state.command()
@click.option(
    "--to",
    "backend",
    type=click.Choice(["git", "file"]),
    required=True,
    help="Where it is kept from now on.",
)
@click.pass_obj
def migrate(screen: Screen, backend: str) -> int:
    """Move the state between a file and a branch of the git remote; nothing is sent to the server.

    stemctl.yaml says where it is kept, and is changed first: state: {backend: git}, or without it.
    """
    from stemctl.commands.migrate import migrate as move_state

    workspace = screen.open()
    moved = move_state(workspace, backend)
    number = len(moved.state.records)
    records = f"{number} record{'' if number == 1 else 's'}"
    screen.did = f"The state of {workspace.server.name}, {records}, is in {moved.to} now."
    screen.out(screen.did)
    screen.note("\n".join(screen.style().next(moved.hints)))
    return 0


def _rewrite(screen: Screen, work: Callable[[Workspace, State], State], done: str) -> int:
    workspace = screen.open()
    with workspace.writing():
        workspace.store.write(work(workspace, workspace.store.read()), workspace.owner, done)
    screen.did = f"{done} Nothing was sent."
    screen.out(screen.did)
    screen.note(
        "\n".join(screen.style().next([("stemctl plan", "what it means for the next apply")]))
    )
    return 0


def _address(workspace: Workspace, word: str) -> Address:
    """An address as it is typed, its model in any spelling."""
    from stemctl.core.records import Address

    name, _, key = word.partition("/")
    model = workspace.catalog.find(name)
    if model is None or not key:
        raise ConfigError(
            f"{word} is no address.", "Write MODEL/KEY, as stemctl state list prints them."
        )
    return Address(model.name, key)
