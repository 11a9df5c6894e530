"""What a wrong command line is told: what is wrong with it, and what to type."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import click

from stemctl.cli.habits import canonical, choices, commands_like, meant
from stemctl.cli.option_habits import ARTICLES, EXTRA, NEEDED
from stemctl.errors import Hint, StemctlError
from stemctl.util.plural import inflected, joined
from stemctl.util.suggest import nearest


def path_of(ctx: click.Context) -> str:
    """The words of a command after `stemctl`: `state list`; empty for stemctl itself."""
    return ctx.command_path.partition(" ")[2]


def usage_error(error: click.UsageError) -> StemctlError:
    """An error of click in our words."""
    ctx = error.ctx
    if ctx is None:
        return StemctlError(_sentence(error.format_message()))
    match error:
        case click.NoSuchOption():
            return no_such_option(ctx, error.option_name)
        case click.MissingParameter():
            return _missing(ctx, error.param)
        case click.BadParameter() if isinstance(error.param and error.param.type, click.IntRange):
            return _no_number(ctx, error.param)
        case click.BadParameter():
            return _wrong(ctx, f"{_name(error.param)}: {_sentence(error.message)}")
    if isinstance(ctx.command, click.Group):
        commands = joined(ctx.command.list_commands(ctx), "or")
        return _wrong(ctx, f"{ctx.command_path} needs a command: {commands}.")
    return _wrong(ctx, _sentence(error.format_message()))


def no_such_option(ctx: click.Context, name: str) -> StemctlError:
    """An option that the command does not have, and those that look like it."""
    near = options_near(ctx, name)
    guess = f" Did you mean {joined(near, 'or')}?" if near else ""
    if ctx.parent is None:
        guess += " Options of a command are written after it."
    return _wrong(ctx, f"{ctx.command_path} has no option {name}.{guess}")


def options_near(ctx: click.Context, name: str) -> list[str]:
    """The long options of a command that look like one that it does not have."""
    known = [
        spelling
        for option in ctx.command.get_params(ctx)
        if isinstance(option, click.Option)
        for spelling in option.opts
        if spelling.startswith("--")
    ]
    return nearest(canonical(name), known)


def _missing(ctx: click.Context, param: click.Parameter | None) -> StemctlError:
    if isinstance(param, click.Option):
        value = _metavar(param)
        return _wrong(ctx, f"{ctx.command_path} needs the option {param.opts[0]} {value}.")
    wanted = ARTICLES.get(_metavar(param), "an argument")
    return _wrong(ctx, f"{ctx.command_path} needs {wanted}.", NEEDED.get(path_of(ctx), ()))


def _no_number(ctx: click.Context, param: click.Parameter | None) -> StemctlError:
    """A number that is none, or too small, or too large."""
    limits = param.type if param else None
    assert isinstance(limits, click.IntRange)
    most = "" if limits.max is None else f" and at most {limits.max}"
    return _wrong(ctx, f"{_name(param)} takes a whole number of at least {limits.min}{most}.")


def needs_value(ctx: click.Context, name: str) -> StemctlError:
    """An option stands at the end, without its value."""
    option = next((each for each in ctx.command.params if name in each.opts), None)
    return _wrong(ctx, f"{name} needs a value: {name} {_metavar(option)}.")


def no_value(ctx: click.Context, name: str) -> StemctlError:
    """An option that is only on or off was given something else."""
    return _wrong(ctx, f"{name} takes no value.")


def too_many(ctx: click.Context, rest: Sequence[str]) -> StemctlError:
    """A command was given more words than it takes."""
    words = " ".join(f"`{word}`" for word in rest)
    advice = EXTRA.get(path_of(ctx))
    if advice is not None:
        names = {each.name for each in ctx.command.params if isinstance(each, click.Argument)}
        given = [value for name, value in ctx.params.items() if name in names and value]
        return advice.error(path_of(ctx), words, [*given, *rest])
    takes = any(isinstance(each, click.Argument) for each in ctx.command.params)
    number = "more arguments" if takes else "arguments"
    return _wrong(ctx, f"{ctx.command_path} takes no {number}, but you typed {words}.")


def unknown_command(group: click.Group, ctx: click.Context, args: Sequence[str]) -> StemctlError:
    """The first word is no command of a group."""
    word = args[0]
    names = group.list_commands(ctx)
    near = nearest(word, [*names, *commands_like(path_of(ctx))])
    near = list(dict.fromkeys(meant(path_of(ctx), name) for name in near))
    guess = f"Did you mean {joined(near, 'or')}?" if near else ""
    rest = shlex.join(args[1:])
    path = ctx.command_path
    hints: list[Hint] = [(f"{path} {near[0]} {rest}".rstrip(), "")] if near else []
    if "/" in word and not path_of(ctx):
        hints += [(f"{path} {name} {shlex.quote(word)}", does) for name, does in _OF_RECORDS]
    hints.append((f"{path} --help", "lists the commands"))
    return StemctlError(f"{path} has no command `{word}`.", guess, hints)


_OF_RECORDS = (
    ("show", "shows a record, and where its values come from"),
    ("plan", "plans for a record, or for those in a file"),
)


def _wrong(ctx: click.Context, what: str, hints: Sequence[Hint] = ()) -> StemctlError:
    is_group = isinstance(ctx.command, click.Group)
    lists = inflected(2 if is_group else 1, "lists the options", "lists the options and commands")
    usage = " ".join(ctx.get_usage().split())
    return StemctlError(what, usage, [*hints, (f"{ctx.command_path} --help", lists)])


def _name(param: click.Parameter | None) -> str:
    if isinstance(param, click.Option):
        return max(param.opts, key=len)
    return (param.metavar or param.name or "").strip("[].") if param else "argument"


def _metavar(param: click.Parameter | None) -> str:
    if param is None:
        return "VALUE"
    if isinstance(param.type, click.Choice):
        return "|".join(choices(param.type))
    if isinstance(param, click.Argument):
        return (param.metavar or param.name or "").strip("[].").upper()
    return param.metavar or param.type.name.upper()


def _sentence(text: str) -> str:
    text = " ".join(text.split()).rstrip(".")
    return text if text.endswith("?") else f"{text}."
