"""ci: workflows for a forge."""

from __future__ import annotations

import click

from stemctl.cli.screen import Screen
from stemctl.errors import ConfigError


@click.group()
def ci() -> None:
    """Workflows that check, plan and apply what is merged."""


@ci.command()
@click.argument("forge", type=click.Choice(["github", "gitlab"]))
@click.pass_obj
def init(screen: Screen, forge: str) -> int:
    """Write the workflows of FORGE for the server that --server names, or the only one that is no sandbox.

    A file that is there already is not touched.
    """
    from stemctl.ci import write_workflows
    from stemctl.render.ci_text import advice

    if screen.server is None:
        screen.server = _real_server(screen)
    space = screen.open()
    written = write_workflows(space, forge, space.server.name)
    for name in written.written:
        screen.out(f"wrote {name}")
    for name in written.unchanged:
        screen.out(f"{name} is there already, as it would be written")
    for name in written.kept:
        screen.out(f"{name} is there already, and was not touched; rm it to get a new one")
    screen.note("\n".join(advice(forge, space.server.backend == "git", written.branch, written.environment)))
    return 1 if written.kept else 0


def _real_server(screen: Screen) -> str | None:
    """The server that CI is meant for: the only one that is no sandbox.

    Raises:
        ConfigError: there is none, or there are several.
    """
    from stemctl.config import load_config

    config = load_config(screen.root)
    names = [server.name for server in config.servers.values() if not server.is_sandbox]
    if len(names) == 1:
        return names[0]
    if names:
        raise ConfigError(
            f"There are {len(names)} servers: {', '.join(names)}.",
            "A workflow is for one. Nothing was written.",
            [(f"stemctl --server {name} ci init", f"for {name}") for name in names[:2]],
        )
    raise ConfigError(
        "There is no server but the sandbox.",
        "What CI applies to a sandbox would be gone with its job. Nothing was written.\n"
        "Add one to stemctl.yaml:\n"
        "  brainstem: {url: https://www.brainstem.org/, portal: private, edition: 2024, state: {backend: git}}",
    )
