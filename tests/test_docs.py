"""README and program say the same."""

from __future__ import annotations

import re
from pathlib import Path

import click

from stemctl.cli.main import COMMANDS, cli
from tests.lab import Lab

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_every_command_is_in_the_readme_and_has_help() -> None:
    context = click.Context(cli)
    for name, (_, text) in COMMANDS.items():
        assert re.search(rf"`[^`]*\b{name}\b", README), name
        command = cli.get_command(context, name)
        assert command is not None
        assert command.help
        assert text.endswith(".")


def test_every_option_of_the_readme_exists() -> None:
    context = click.Context(cli)
    options = {opt for parameter in cli.params for opt in parameter.opts}
    commands = [cli.get_command(context, name) for name in COMMANDS]
    while commands:
        command = commands.pop()
        assert command is not None
        if isinstance(command, click.Group):
            commands += command.commands.values()
        options |= {opt for parameter in command.params for opt in parameter.opts}
    ours = README.split("## Commands")[1].split("## Tokens")[0]
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", ours)) <= options


def test_help_of_every_command_fits_and_exits_0(lab: Lab) -> None:
    for name in COMMANDS:
        result = lab.run(name, "--help")
        assert result.code == 0
        assert "Usage: stemctl" in result.out
