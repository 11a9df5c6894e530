"""docs/plan.md explains everything for which a plan holds a change."""

from __future__ import annotations

import re

from stemctl.core.plan import PERMISSIONS, Held
from stemctl.render.change_view import SYMBOLS
from tests.support.paths import PROJECT

PAGE = (PROJECT / "docs" / "plan.md").read_text(encoding="utf-8")


def part(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_each_reason_has_a_row_and_a_screen() -> None:
    assert set(re.findall(r"^\| \[`(\w+)`\]\(#\1\) \|", part("What is held"), re.M)) == set(Held)
    screens = "\n".join(re.findall(r"^```console\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
    for kind in Held:
        assert f"\n### {kind}\n" in PAGE
        assert re.search(rf"held: {kind}\b| {kind}  ", screens), kind


def test_permissions_are_told_apart() -> None:
    titles = re.findall(r"^### (\w+)$", part("Permissions"), re.MULTILINE)
    assert titles == [str(kind) for kind in PERMISSIONS]


def test_each_symbol_is_explained() -> None:
    rows = set(re.findall(r"^\| `(.)` \|", part("How to read a plan"), re.MULTILINE))
    assert rows == {*SYMBOLS.values(), "…", "!"}


def test_exit_codes_are_those_of_the_commands() -> None:
    commands = (PROJECT / "docs" / "commands.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| \d+ \| .*\|$", re.MULTILINE)
    assert row.findall(part("Exit codes"))
    assert set(row.findall(part("Exit codes"))) <= set(row.findall(commands))
