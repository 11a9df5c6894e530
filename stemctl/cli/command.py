"""The classes of commands and groups: both take the options of stemctl too, and understand words
that other programs have taught people to type.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from stemctl.cli import habits, usage
from stemctl.cli.arguments import understood
from stemctl.cli.help import VERSION
from stemctl.cli.screen import Screen

_ALSO_HERE = "Also accepted here: -C, --server, --no-color, -q, -v (see stemctl --help)."

Rows = Sequence[tuple[str, str]]

_F = TypeVar("_F", bound=Callable[..., Any])

_WIDEST = 44
"""Columns of examples whose explanations are beside them; else they are below."""


def _directory(screen: Screen, value: Path | None) -> None:
    screen.directory = value or screen.directory


def _server(screen: Screen, value: str | None) -> None:
    screen.server = screen.server if value is None else value


def _no_color(screen: Screen, value: bool) -> None:
    screen.colour = screen.colour and not value


def _quiet(screen: Screen, value: bool) -> None:
    screen.quiet = screen.quiet or value


def _verbose(screen: Screen, value: int) -> None:
    screen.verbose += value


def _version(screen: Screen, value: bool) -> None:
    if value:
        click.echo(VERSION.rstrip())
        click.get_current_context().exit()


def _on_screen(keep: Callable[[Screen, Any], None]) -> Callable[..., None]:
    def callback(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        if not ctx.resilient_parsing:
            keep(ctx.obj, value)

    return callback


def program_options(*, hidden: bool) -> list[click.Parameter]:
    """The options of stemctl itself. Given before and after the command, the later one wins."""
    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    rows: list[tuple[list[str], Callable[[Screen, Any], None], dict[str, Any]]] = [
        (["--version"], _version, {"is_flag": True, "is_eager": True}),
        (["-C", "directory"], _directory, {"type": folder, "metavar": "DIRECTORY"}),
        (["--server"], _server, {"metavar": "NAME|URL"}),
        (["--no-color"], _no_color, {"is_flag": True}),
        (["-q", "--quiet"], _quiet, {"is_flag": True, "is_eager": True}),
        (["-v", "--verbose"], _verbose, {"count": True}),
    ]
    return [
        Option(names, callback=_on_screen(keep), expose_value=False, hidden=hidden, **settings)
        for names, keep, settings in rows
    ]


class Option(click.Option):
    """An option whose help is a line. click takes help for a docstring, and loads `inspect` with
    its five modules to unindent it: a twentieth of a short command.
    """

    def __init__(self, *args: Any, help: str | None = None, **settings: Any) -> None:
        """An option as click makes it."""
        super().__init__(*args, **settings)
        self.help = help


def option(*names: str, **settings: Any) -> Callable[[_F], _F]:
    """`click.option` with the class of this module."""
    return click.option(*names, cls=Option, **settings)


def _show_help(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


_HELP = Option(
    ["-h", "--help"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_help,
    help="Show this message and exit.",
)
"""Of all commands. click would make one with a help of its kind."""


class Command(click.Command):
    """A command that takes the options of stemctl too. Its help ends with examples, and with the
    exit codes that mean something of their own.
    """

    def __init__(self, *args: Any, examples: Rows = (), exits: Rows = (), **settings: Any) -> None:
        """A command as click makes it, and what all have in common."""
        super().__init__(*args, **{"epilog": _ALSO_HERE, **settings})
        self.examples, self.exits = examples, exits
        self.params += program_options(hidden=True)

    def get_help_option(self, ctx: click.Context) -> click.Option:
        """The option that shows the help."""
        return _HELP

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What follows the options."""
        if self.exits:
            with formatter.section("Exit codes"):
                formatter.write_dl(self.exits)
        if self.examples:
            with formatter.section("Examples"):
                self._write_examples(formatter)
        super().format_epilog(ctx, formatter)

    def _write_examples(self, formatter: click.HelpFormatter) -> None:
        if max(len(typed) for typed, _ in self.examples) <= _WIDEST:
            formatter.write_dl(self.examples, col_max=_WIDEST)
            return
        for typed, does in self.examples:
            formatter.write(f"  {typed}\n      {does}\n")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words that follow the command.

        Raises:
            StemctlError: there are more of them than it takes.
        """
        ctx.allow_extra_args = True
        rest = super().parse_args(ctx, understood(self, ctx, args))
        if rest and not ctx.resilient_parsing:
            raise usage.too_many(ctx, rest)
        return rest


class Group(click.Group):
    """A command that has commands of its own. Without one, it is refused rather than explained."""

    command_class = Command

    def __init__(self, *args: Any, **settings: Any) -> None:
        """A group as click makes it, and what all have in common."""
        settings = {"epilog": _ALSO_HERE, "no_args_is_help": False, **settings}
        super().__init__(*args, **settings)
        if settings["epilog"]:
            self.params += program_options(hidden=True)

    def get_help_option(self, ctx: click.Context) -> click.Option:
        """The option that shows the help."""
        return _HELP

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options before the command."""
        return super().parse_args(ctx, understood(self, ctx, args))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the first word, in any case, or that which other programs call so.

        Raises:
            StemctlError: there is none; it says what to type.
        """
        if not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            words = habits.command_of(self, ctx, args)
            if self.get_command(ctx, words[0]) is None:
                raise usage.unknown_command(self, ctx, words)
            args = words
        return super().resolve_command(ctx, args)


def command(
    name: str | None = None, *, examples: Rows = (), exits: Rows = ()
) -> Callable[[Callable[..., Any]], Command]:
    """`click.command` with the class of this module."""
    return click.command(name, cls=Command, examples=examples, exits=exits)


def group(name: str | None = None) -> Callable[[Callable[..., Any]], Group]:
    """`click.group` with the class of this module."""
    return click.group(name, cls=Group)
