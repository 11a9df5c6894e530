"""Paths and names in a syntax with its own quoting, as readers of that syntax take them."""

from __future__ import annotations

import re
import shlex

import pytest

from stemctl.core.saved_plan import BadPlan
from stemctl.git.errors import ways_to_trust
from stemctl.render.text.ci_text import advice
from tests.support.lab import Lab


def owned_paths(lines: list[str]) -> list[str]:
    """The paths of CODEOWNERS rules: they end at a space, unless it has a backslash."""
    rules = [line.strip() for line in lines if line.rstrip().endswith("@lab/admins")]
    patterns = [re.split(r"(?<!\\) ", rule)[0] for rule in rules]
    return [pattern.replace("\\ ", " ") for pattern in patterns]


@pytest.mark.parametrize("folder", ["", "lab/", "lab meta/", "a b/c  d/"])
def test_the_rules_of_code_owners_name_the_configuration(folder: str) -> None:
    lines = advice("github", True, "main", "brainstem", folder, source="stemctl")
    assert owned_paths(lines) == [f"/{folder}stemctl.yaml", "/.github/"]
    gitlab = "\n".join(advice("gitlab", True, "main", "brainstem", folder, source="stemctl"))
    assert f"give /{folder}stemctl.yaml,".replace(" ", "\\ ").replace("give\\ ", "give ") in gitlab


@pytest.mark.parametrize("path", ["/srv/lab meta", "/srv/it's", "/srv/$HOME", "/srv/lab"])
def test_the_command_that_trusts_a_folder_names_that_folder(path: str) -> None:
    # As git prints it, in quotes where a shell needs them.
    output = f"\tgit config --global --add safe.directory {shlex.quote(path)}\n"
    ((command, _),) = ways_to_trust(output)
    assert shlex.split(command)[-1] == path


@pytest.mark.parametrize("name", ["my plan.json", "a;b.json", "$x.json"])
def test_the_command_that_saves_a_plan_names_that_file(lab: Lab, name: str) -> None:
    (lab.root / name).write_text("{}")
    result = lab.run("apply", name)
    assert result.code == BadPlan.exit_code
    assert f"--out {shlex.quote(name)}" in result.err
