"""The page of the commands says what they are, and what is typed in it is understood."""

from __future__ import annotations

import ast
import os
import re
import shlex
from collections.abc import Iterator

import click
import pytest

from stemctl.cli.command import Command
from stemctl.cli.main import cli
from tests.docs.commands_page import VARIABLES, all_commands, commands_page, context_of
from tests.support.paths import PROJECT

PAGE = PROJECT / "docs" / "commands.md"
_SINGLE = [
    (path, command) for path, command in all_commands() if not isinstance(command, click.Group)
]
_EXAMPLES = [
    typed for _, command in _SINGLE if isinstance(command, Command) for typed, _ in command.examples
]


def test_the_page_is_that_of_the_commands() -> None:
    text = commands_page()
    if os.environ.get("STEMCTL_UPDATE"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text, (
        "The commands changed. Write the page again: "
        "STEMCTL_UPDATE=1 .venv/bin/pytest -n0 tests/docs/test_commands_page.py"
    )


@pytest.mark.parametrize("typed", _EXAMPLES)
def test_every_example_is_understood(typed: str) -> None:
    line = re.sub(r'^eval "\$\((.*)\)"$', r"\1", typed)
    program, *words = shlex.split(line.partition(" > ")[0])
    assert program == "stemctl"
    command: click.Command = cli
    context = context_of("", cli)
    while isinstance(command, click.Group):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, name
        command = found
    command.make_context(command.name, words, parent=context)


def test_every_command_has_an_example_of_its_own() -> None:
    for path, command in _SINGLE:
        assert isinstance(command, Command)
        assert 1 <= len(command.examples) <= 5, path
        for typed, _ in command.examples:
            assert f"stemctl {path}" in typed


def test_help_fits_a_terminal_of_80_columns() -> None:
    for path, command in all_commands():
        context = context_of(path, command)
        wide = [line for line in command.get_help(context).splitlines() if len(line) > 80]
        assert not wide, path


def _words_in_capitals() -> Iterator[str]:
    """Text in the code that can be the name of a variable of the environment."""
    for path in (PROJECT / "stemctl").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "environ" in text or "VARIABLE" in text:
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found = re.fullmatch(r"[A-Z]+(_[A-Z]+)+|[a-z]+_proxy", node.value)
                    yield from [found[0].upper()] if found else []


def test_the_page_has_every_variable_that_the_code_reads() -> None:
    read = {word for word in _words_in_capitals() if not word.startswith("GIT_")}
    told = {name for name, _ in VARIABLES}
    assert read - {"LC_ALL"} == told  # LC_ALL is set for git, not read
