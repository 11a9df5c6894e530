"""Every proposed command can be typed as it is, and numbers in prose have separators."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.lab import Lab
from tests.support.paths import PROJECT
from tests.support.typed import check_typed

OUTPUTS = sorted((PROJECT / "tests" / "cases").glob("*/plan.txt"))
_COMMAND = re.compile(r"^(?:Next|    )  (stemctl .*?)(?: {4,}\S.*)?$")


NO_COUNTS = {"mirror.py", "offline.py", "findings_text.py", "marks.py", "run.py"}
"""Modules that put lengths into protocols, names and widths."""


def proposed(text: str) -> list[str]:
    """The commands of stemctl below the last `Next`."""
    found = [_COMMAND.match(line) for line in text.rpartition("\nNext")[2].splitlines()]
    first = _COMMAND.match("Next" + text.rpartition("\nNext")[2].partition("\n")[0])
    return [match[1] for match in [first, *found[1:]] if match]


@pytest.mark.parametrize("path", OUTPUTS, ids=[path.parent.name for path in OUTPUTS])
def test_the_commands_of_a_plan_can_be_typed(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    commands = proposed(text)
    assert bool(commands) == ("\nNext  stemctl" in text)
    for command in commands:
        check_typed(command)


def commands(lab: Lab, *words: str) -> list[str]:
    result = lab.run(*words)
    return [line.replace(f" -C {lab.root}", "") for line in proposed(result.out + result.err)]


def test_the_next_command_is_about_the_same_records(lab: Lab) -> None:
    lab.sessions("{name: a}", "{name: b}", "{name: c d}")
    assert commands(lab, "plan", "session/a") == [
        "stemctl apply session/a",
        "stemctl plan session/a --out plan.json",
    ]
    assert commands(lab, "plan", "c d", "--exclude", "a")[0] == (
        "stemctl apply 'session/c d' --exclude session/a"
    )
    saved = str(lab.root / "my plan.json")
    assert commands(lab, "plan", "--out", saved) == [f"stemctl apply '{saved}'"]
    lab.apply()
    lab.sessions("{name: c d}")
    assert commands(lab, "plan", "session/a") == ["stemctl plan session/a --allow delete=1"]
    assert commands(lab, "apply", "-y", "a") == [
        "stemctl plan session/a",
        "stemctl apply session/a --auto-approve --allow delete=1",
    ]
    lab.sessions("{name: a, description: x}", "{name: c d}")
    both = commands(lab, "plan", "--allow", "revert=3")
    assert "stemctl plan --allow revert=3 --allow delete=1" in both


def test_the_limit_of_a_permission_without_a_number_is_said(lab: Lab) -> None:
    lab.sessions("{name: a}")
    told = "--allow delete covers up to 10 records of one run."
    assert told in lab.run("plan", "--allow", "delete").err
    assert told not in lab.run("plan", "--allow", "delete=10").err
    assert lab.run("plan", "--allow", "delete", "-q").err == ""


def test_counts_in_sentences_have_separators() -> None:
    """`{len(x)}` without `:,` prints 2000 where everything else prints 2,000."""
    found = []
    for path in (PROJECT / "stemctl").rglob("*.py"):
        if path.name in NO_COUNTS:
            continue
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        specs = [node.format_spec for node in nodes if isinstance(node, ast.FormattedValue)]
        widths = {id(inner) for spec in specs if spec for inner in ast.walk(spec)}
        for node in nodes:
            if id(node) in widths:  # a width, as in `{name:<{len(other)}}`
                continue
            if isinstance(node, ast.FormattedValue) and node.format_spec is None:
                value = ast.unparse(node.value)
                if re.match(r"len\(|[a-z_.]*\.total$", value):
                    found.append(f"{path.name}:{node.lineno} {value}")
    assert found == []
