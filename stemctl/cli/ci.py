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
    """Write the workflows of FORGE for the server that --server names, or the only one that is no
    sandbox.

    A file that is there already is not touched.
    """
    from stemctl.commands.ci import write_workflows
    from stemctl.render.text.ci_text import advice

    if screen.server is None:
        screen.server = _real_server(screen, forge)
    workspace = screen.open()
    written = write_workflows(workspace, forge, workspace.server.name)
    screen.did = f"wrote {', '.join(written.written)}." if written.written else ""
    for name in written.written:
        screen.out(f"wrote {name}")
    for name in written.unchanged:
        screen.out(f"{name} is there already, as it would be written")
    for name in written.kept:
        screen.out(
            f"{name} is there already, and was not touched (is it for another server?); rm it to get a new one"
        )
    if written.written or not written.kept:
        shared = workspace.server.backend == "git"
        screen.note(
            "\n".join(advice(forge, shared, written.branch, written.environment, written.folder))
        )
    return 1 if written.kept else 0


def _real_server(screen: Screen, forge: str) -> str | None:
    """The server that CI is meant for: the default one, or the only one that is no sandbox.

    Raises:
        ConfigError: there is none, or there are several.
    """
    from stemctl.config.config import load_config

    config = load_config(screen.root)
    if not config.found:
        raise ConfigError(
            f"There is no stemctl.yaml in {screen.root}.",
            "Nothing was written.",
            [("stemctl init", "")],
        )
    names = [server.name for server in config.servers.values() if not server.is_sandbox]
    if config.default_server in names or len(names) == 1:
        return config.default_server if config.default_server in names else names[0]
    if names:
        raise ConfigError(
            f"There are {len(names)} servers: {', '.join(names)}.",
            "A workflow is for one. Nothing was written.",
            [(f"stemctl --server {name} ci init {forge}", f"for {name}") for name in names[:2]],
        )
    raise ConfigError(
        "There is no server but the sandbox.",
        "What CI applies to a sandbox would be gone with its job. Nothing was written.\n"
        "Add one to stemctl.yaml:\n"
        "  servers:\n"
        "    brainstem: {url: https://www.brainstem.org/, portal: private, edition: 2024, state: {backend: git}}",
    )
