"""completion: print the script that completes words in a shell."""

from __future__ import annotations

import click

from stemctl.cli.command import command
from stemctl.cli.completion.shells import SHELLS, script
from stemctl.cli.options import OneOf
from stemctl.cli.screen import Screen


@command(
    examples=(
        ('eval "$(stemctl completion bash)"', "in ~/.bashrc"),
        ('eval "$(stemctl completion zsh)"', "in ~/.zshrc"),
        ("stemctl completion fish > ~/.config/fish/completions/stemctl.fish", "once"),
    ),
)
@click.argument("shell", type=OneOf(SHELLS))
@click.pass_obj
def completion(screen: Screen, shell: str) -> int:
    """Print the script that completes words in your shell.

    Run it when the shell starts; in fish, save it once. It completes commands, options, models,
    fields, addresses in your files, choices, and names in the state. It asks no server.
    """
    screen.out(script(shell).rstrip("\n"))
    return 0
