"""The table of commands that completion reads is that of the commands themselves."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import click

from stemctl.cli.completion.command_table import FILE, Command, command_table
from stemctl.cli.main import cli
from stemctl.cli.options import KINDS, Allow


def _row(command: click.Command, ctx: click.Context, name: str | None) -> dict[str, Any]:
    options, arguments = [], []
    for param in command.params:  # click adds its own --help when it is asked for
        if getattr(param, "hidden", False):
            continue
        choices = [str(each) for each in getattr(param.type, "choices", ())]
        if isinstance(param.type, Allow):
            choices = list(KINDS)
        if isinstance(param, click.Option):
            takes = not (param.is_flag or param.count)
            first = re.split(r"(?<=\.)\s|[;:] ", param.help or "")[0]
            options.append(
                {
                    "names": [*param.opts, *param.secondary_opts],
                    "help": first.rstrip("."),
                    "value": _value(param) if takes else "",
                    "choices": choices,
                }
            )
        else:
            many = param.nargs == -1
            arguments.append({"value": _value(param), "many": many, "choices": choices})
    options.append({"names": ["--help"], "help": "Show help", "value": "", "choices": []})
    commands = {}
    if isinstance(command, click.Group):
        commands = {each: command.get_command(ctx, each) for each in command.list_commands(ctx)}
    return {
        "help": command.get_short_help_str(200).rstrip(".") if name else "",
        "options": options,
        "arguments": arguments,
        "commands": {key: _row(each, ctx, key) for key, each in commands.items() if each},
    }


def _value(param: click.Parameter) -> str:
    """What it is called in the help, without what says how often it may be there."""
    word = param.metavar or (isinstance(param.type, click.Path) and "FILE") or param.name or ""
    word = word.upper().removesuffix("...")
    return word[1:-1] if word.startswith("[") and word.endswith("]") else word


def _table() -> dict[str, Any]:
    return _row(cli, click.Context(cli), None)


def _lines(row: Any, depth: int = 0) -> str:
    """JSON with an option on each line, so that changes are easy to read and to merge."""
    if depth > 0 and isinstance(row, dict) and not any(isinstance(v, dict) for v in row.values()):
        rows = [each for value in row.values() if isinstance(value, list) for each in value]
        if not any(isinstance(each, dict) for each in rows):
            return json.dumps(row, ensure_ascii=False)
    if not row or not isinstance(row, dict | list):
        return json.dumps(row, ensure_ascii=False)
    pad = " " * (depth + 1)
    if isinstance(row, dict):
        parts = [f"{json.dumps(key)}: {_lines(value, depth + 1)}" for key, value in row.items()]
        begin, end = "{", "}"
    else:
        parts = [_lines(each, depth + 1) for each in row]
        begin, end = "[", "]"
    return f"{begin}\n{pad}" + f",\n{pad}".join(parts) + f"\n{' ' * depth}{end}"


def test_the_table_is_that_of_the_commands() -> None:
    text = _lines(_table()) + "\n"
    if os.environ.get("STEMCTL_UPDATE"):
        FILE.write_text(text, encoding="utf-8")
        command_table.cache_clear()
    assert json.loads(FILE.read_bytes()) == json.loads(text), (
        "The options of a command changed. Write the table again: "
        "STEMCTL_UPDATE=1 .venv/bin/pytest -n0 tests/cli/test_command_table.py"
    )


def _commands(command: Command) -> Iterator[Command]:
    yield command
    for each in command.commands.values():
        yield from _commands(each)


def test_all_of_it_can_be_read() -> None:
    everything = list(_commands(command_table()))
    assert len(everything) > 20
    assert all(option.names for command in everything for option in command.options)
