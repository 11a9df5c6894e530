"""README, pages and program say the same."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from stemctl.cli.help import HELP
from stemctl.cli.main import COMMANDS, cli
from stemctl.commands.schema import build_pages
from stemctl.schema.catalog import editions, load_catalog, schemas_dir
from tests.docs.terminal import environ, typed
from tests.docs.test_guide import masked, steps
from tests.support.lab import Lab
from tests.support.paths import PROJECT

README = (PROJECT / "README.md").read_text(encoding="utf-8")
PAGE = {
    path.stem: path.read_text(encoding="utf-8") for path in sorted((PROJECT / "docs").glob("*.md"))
}


def test_every_command_is_in_its_page_and_has_help() -> None:
    context = click.Context(cli)
    for name in COMMANDS:
        assert re.search(rf"`[^`]*\b{name}\b", PAGE["commands"]), name
        command = cli.get_command(context, name)
        assert command is not None
        assert command.help


def test_the_help_tells_of_every_command_and_option_in_lines_that_fit() -> None:
    options, commands = HELP.partition("Options:\n")[2].split("\nCommands:\n")
    assert [line.split()[0] for line in commands.splitlines()] == list(COMMANDS)
    told = [line[2:20].split() for line in options.splitlines()]
    known = [
        sorted(p.opts, key=len)
        for p in cli.get_params(click.Context(cli, help_option_names=["-h", "--help"]))
    ]
    for words in told:
        names = [word.rstrip(",") for word in words if word.startswith("-")]
        assert names in known, names
        known.remove(names)
    assert known == []
    assert all(len(line) <= 78 for line in HELP.splitlines())
    assert all(line.endswith(".") for line in HELP.splitlines() if line.startswith("  "))


def test_help_and_version_load_no_library() -> None:
    for word, said in (("--help", "Usage: stemctl"), ("--version", "stemctl ")):
        code = (
            f"import sys; sys.argv[1:] = [{word!r}]\n"
            "from stemctl.cli import start; start()\n"
            "print(*sys.modules)"
        )
        told = subprocess.run(
            [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
        ).stdout
        assert told.startswith(said)
        assert "stemctl.cli.help" in told.split()
        assert "click" not in told.split()


def options_of_all_commands() -> set[str]:
    context = click.Context(cli)
    options = {opt for parameter in cli.params for opt in parameter.opts}
    commands = [cli.get_command(context, name) for name in COMMANDS]
    while commands:
        command = commands.pop()
        assert command is not None
        if isinstance(command, click.Group):
            commands += command.commands.values()
        options |= {opt for parameter in command.params for opt in parameter.opts}
    return options


def test_every_option_of_the_pages_exists() -> None:
    options = options_of_all_commands() | {"--help", "--version"}
    for text in (PAGE["commands"], PAGE["manifests"], PAGE["plan"], PAGE["state"]):
        without_git = re.sub(r"\bgit [a-z].*", "", text)
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", without_git)) <= options
    ours = re.findall(r"stemctl [^`\n]*", README + PAGE["start"])
    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(ours)))
    assert told <= options
    assert len(told) > 5


def test_every_command_of_the_readme_exists() -> None:
    code = "\n".join(re.findall(r"^```\w*\n.*?^```$|`[^`\n]+`", README, re.DOTALL | re.MULTILINE))
    ours = re.findall(r"(?:`|^\$ |^|/bin/)stemctl (?:-q |-C \S+ )*([a-z]+)", code, re.MULTILINE)
    assert {"init", "plan", "apply", "set", "load", "ci"} <= set(ours) <= set(COMMANDS)


def test_help_of_every_command_fits_and_exits_0(lab: Lab) -> None:
    for name in COMMANDS:
        result = lab.run(name, "--help")
        assert result.code == 0
        assert "Usage: stemctl" in result.out


def test_the_page_of_the_models_is_that_of_the_tables() -> None:
    """Each model of each edition has a row, and is said to be written only if it is."""
    section = README.partition("## What is supported")[2].partition("\n## ")[0]
    assert all(f"**Edition {edition}**" in section for edition in editions())
    assert "](docs/models.md)" in section
    assert list(build_pages(schemas_dir(), check=True)) == []
    for edition in editions():
        part = PAGE["models"].partition(f"## Edition {edition}\n")[2].partition("\n## ")[0]
        row = (
            r"^\| \[`(\w+)`\]\(models/[0-9]+/\w+\.md\) \| (?:`(\w+)`)? ?"
            r"\| ([\w ()]+) \| ([\w ]+) \|"
        )
        rows = re.findall(row, part, re.MULTILINE)
        models = load_catalog(edition).models
        assert {name for name, _, _, _ in rows} == set(models)
        for name, key, can, deleted_by in rows:
            model = models[name]
            assert key == (model.section if model.writable else "")
            assert can.startswith("propose") == (model.approval is not None)
            assert (can == "read") is not model.writable
            assert (deleted_by == "no one") is ("delete" not in model.operations)


@pytest.mark.slow
def test_the_five_minutes_of_the_readme(tmp_path: Path) -> None:
    """Typed at a terminal, by a user who has nothing: what the README shows is what comes out."""
    (tmp_path / ".gitconfig").write_text("[user]\n  name = Ann\n  email = ann@lab.example\n")
    folder, env = tmp_path, environ(HOME=str(tmp_path), NO_COLOR="1")
    commands = list(steps(README.partition("## Five minutes")[2].partition("\n## ")[0]))
    assert len(commands) > 4
    for command, code, expected in commands:
        answers = re.findall(r'Only "yes" is accepted: (yes)', expected)
        got, said = typed(
            f"{command}\ncode=$?; pwd > {tmp_path}/pwd; exit $code", folder, env, answers=answers
        )
        assert got == code, f"{command}\n{said}"
        assert masked(said) == masked(expected), f"{command}\n{said}"
        folder = Path((tmp_path / "pwd").read_text(encoding="utf-8").strip())
    kept = subprocess.run(
        ["git", "ls-files"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    assert "records/first.yaml" in kept.split()
    assert ".stemctl/" not in kept


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 200
