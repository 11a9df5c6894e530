"""The commands with their options, as data.

It is kept as a file since to load a command takes longer than a person likes to wait for a word. A
test compares it with the commands; `STEMCTL_UPDATE=1 pytest tests/cli/test_command_table.py` writes
it again.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from stemctl.util.json_types import Value

FILE = Path(__file__).with_name("commands.json")


class Option(Struct, frozen=True):
    """An option: all its spellings, what its value is (empty: it takes none), and its choices."""

    names: tuple[str, ...]
    help: str
    value: str = ""
    choices: tuple[str, ...] = ()


class Argument(Struct, frozen=True):
    """A word that is no option: what it is, its choices, and whether there may be many of it."""

    value: str
    many: bool = False
    choices: tuple[str, ...] = ()


class Command(Struct, frozen=True):
    """A command, or a group of commands."""

    help: str
    options: tuple[Option, ...] = ()
    arguments: tuple[Argument, ...] = ()
    commands: Mapping[str, Command] = field(default_factory=dict)


@functools.cache
def command_table() -> Command:
    """stemctl itself, with all its commands."""
    return _command(json.loads(FILE.read_bytes()))


def _command(row: dict[str, Value]) -> Command:
    return Command(
        row["help"],
        tuple(
            Option(tuple(each["names"]), each["help"], each["value"], tuple(each["choices"]))
            for each in row["options"]
        ),
        tuple(
            Argument(each["value"], each["many"], tuple(each["choices"]))
            for each in row["arguments"]
        ),
        {name: _command(each) for name, each in row["commands"].items()},
    )
