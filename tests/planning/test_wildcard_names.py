"""Records whose names look like patterns are named alone: on the command line and in the files."""

from __future__ import annotations

import textwrap

import pytest

from tests.support.lab import Lab

ODD = ["m?", "m*", "m[1]", r"m\?", "a, b", "x #1", "it's", '"q"', "- m", "m: n", "{m}", "é “m”"]


@pytest.fixture
def odd(lab: Lab) -> Lab:
    """A record of every odd name, and ones that patterns of those names would match."""
    lines = "".join(f"  - name: '{name.replace(chr(39), chr(39) * 2)}'\n" for name in ODD)
    defaults = "defaults:\n  sessions: {projects: [Theta Maze Study]}\n"
    lab.write("records/odd.yaml", f"{defaults}sessions:\n{lines}")
    lab.sessions("{name: m1}", "{name: m12}", name="records/plain.yaml")
    lab.apply()
    return lab


def addresses(lab: Lab, *arguments: str) -> list[str]:
    return [change["address"] for change in lab.plan(*arguments)["changes"]]


@pytest.mark.parametrize("name", ODD)
def test_an_address_on_the_command_line_means_one_record(odd: Lab, name: str) -> None:
    (odd.root / "records/odd.yaml").unlink()
    (odd.root / "records/plain.yaml").unlink()
    odd.sessions("{name: other}")
    assert addresses(odd, f"session/{name}") == [f"session/{name}"]
    left = addresses(odd, "--exclude", f"session/{name}")
    assert f"session/{name}" not in left
    assert len(left) == len(ODD) + 2


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("directive", ["forget", "deleted"])
def test_the_line_that_is_proposed_means_one_record(odd: Lab, name: str, directive: str) -> None:
    defaults = "defaults:\n  sessions: {projects: [Theta Maze Study]}\n"
    others = "".join(
        f"  - name: '{other.replace(chr(39), chr(39) * 2)}'\n" for other in ODD if other != name
    )
    odd.write("records/odd.yaml", f"{defaults}sessions:\n{others}")
    out = odd.run("plan").out
    (line,) = (text for text in out.splitlines() if text.strip().startswith(f"{directive}: "))
    odd.write("records/decision.yaml", line.strip().partition("    ")[0] + "\n")
    assert odd.run("validate").code == 0, odd.run("validate").out
    plan = odd.plan()
    actions = [(change["address"], change["action"]) for change in plan["changes"]]
    action = "forget" if directive == "forget" else "delete"
    assert actions == [(f"session/{name}", action)]


@pytest.mark.parametrize("name", ODD)
def test_the_move_that_is_proposed_is_taken(odd: Lab, name: str) -> None:
    lines = "".join(
        f"  - name: '{(other if other != name else 'new ' + name).replace(chr(39), chr(39) * 2)}'\n"
        for other in ODD
    )
    defaults = "defaults:\n  sessions: {projects: [Theta Maze Study]}\n"
    odd.write("records/odd.yaml", f"{defaults}sessions:\n{lines}")
    lines_out = odd.run("plan").out.splitlines()
    start = next(number for number, line in enumerate(lines_out) if line.strip() == "moved:")
    odd.write("records/moved.yaml", textwrap.dedent("\n".join(lines_out[start : start + 3])) + "\n")
    assert odd.run("validate").code == 0, odd.run("validate").out
    changes = odd.plan()["changes"]
    assert [(c["address"], c["action"]) for c in changes] == [(f"session/new {name}", "update")]
