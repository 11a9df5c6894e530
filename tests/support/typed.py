"""Whether a command that stemctl proposes can be typed as it is."""

from __future__ import annotations

import shlex

import click

from stemctl.cli.main import cli
from stemctl.cli.screen import Screen


def check_typed(text: str) -> None:
    """Read a command line of stemctl as the program does, without running it.

    Raises:
        StemctlError: it is no command line of stemctl.
        click.UsageError: the same.
    """
    words = shlex.split(text.replace("=N", "=1"))
    assert words[0] == "stemctl", text
    words = words[1:]
    for number, word in enumerate(words[:-1]):
        if word == "-C":
            words[number + 1] = "."
    context = cli.make_context("stemctl", words, obj=Screen())
    while isinstance(context.command, click.Group):
        rest = [*_protected(context), *context.args]
        if not rest:
            raise click.UsageError(f"no command: {text}")
        name, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        assert name == rest or name, text
        context = command.make_context(str(name), rest, parent=context)


def _protected(context: click.Context) -> list[str]:
    """The word that names the command of a group, which click keeps apart."""
    return list(getattr(context, "_protected_args", None) or getattr(context, "protected_args", ()))
