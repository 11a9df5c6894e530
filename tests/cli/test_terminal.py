"""At a terminal: what is asked, and what an answer does."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from tests.support.lab import Lab, Result


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def answer(lab: Lab, monkeypatch: pytest.MonkeyPatch, *answers: str) -> Result:
    monkeypatch.setattr("sys.stdin", Terminal("".join(f"{a}\n" for a in answers)))
    return lab.run("apply")


def test_yes_goes_on_and_nothing_else_does(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.sessions("{name: s}", "{name: t}")
    for other in ("y", "no", "", "YES!"):
        assert answer(lab, monkeypatch, other).code == 1
        assert lab.writes == []
    result = answer(lab, monkeypatch, "yes")
    assert result.code == 0
    assert 'Send these 2 changes to sandbox (2 create)? Only "yes" is accepted' in result.err
    assert len(lab.writes) == 2


def test_nothing_to_do_asks_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.sessions("{name: s}")
    lab.apply()
    result = answer(lab, monkeypatch)
    assert result.code == 0
    assert "?" not in result.err


def test_a_permission_is_its_number(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.sessions("{name: s}", "{name: t}", "{name: u}")
    lab.apply()
    lab.sessions("{name: u}")
    refused = answer(lab, monkeypatch, "1")
    assert refused.code == 3
    assert (
        "This deletes 2 records on sandbox. A record that is created again gets a new id."
        in refused.err
    )
    assert lab.writes == []
    done = answer(lab, monkeypatch, "2", "yes")
    assert done.code == 0
    assert [s.method for s in lab.writes] == ["DELETE", "DELETE"]


def test_the_end_of_input_is_no_answer(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.sessions("{name: s}")
    assert answer(lab, monkeypatch).code == 130
    assert lab.writes == []


def test_an_administrator_may_work_through_the_portal_super(lab: Lab) -> None:
    config = (
        (lab.root / "stemctl.yaml")
        .read_text()
        .replace('url: "sandbox:"', 'url: "sandbox:", portal: super')
    )
    lab.write("stemctl.yaml", config)
    lab.sessions("{name: s}")
    result = lab.run("apply", "--auto-approve", token="sandbox-admin")
    assert result.code == 0, result.said
    assert all(s.path.startswith("super/") for s in lab.requests)
    assert lab.run("plan", token="sandbox-user").code == 1


def test_the_public_portal_shows_what_is_public(lab: Lab) -> None:
    lab.sessions("{name: hidden}")
    lab.apply()
    assert "hidden" not in lab.run("get", "session", "--portal", "public").out
    assert "Auditory" in lab.run("get", "sensory_stimulus_types", "--portal", "public").out


def test_get_filters_sorts_and_includes(lab: Lab) -> None:
    lab.sessions("{name: rat1_a, tags: [x]}", "{name: rat1_b}", "{name: rat2_a}")
    lab.apply()
    named = lab.run(
        "get", "session", "--filter", "name.startswith=rat1_", "--sort", "-name", "-o", "json"
    ).json
    assert [fields["name"] for fields in named] == ["rat1_b", "rat1_a"]
    one = lab.run("get", "session", "rat2_a")
    assert ["projects", "Theta", "Maze", "Study"] in [line.split() for line in one.out.splitlines()]
    lab.run("get", "session", "--include", "projects")
    assert "include%5B%5D=projects.%2A" in lab.requests[0].query
    by_id = lab.run("get", "session", lab.live("session", "rat2_a")["id"], "-o", "json").json
    assert by_id["name"] == "rat2_a"
    for wrong in (
        ["--filter", "name"],
        ["--filter", "name.near=x"],
        ["--sort", "nam"],
        ["--include", "name"],
    ):
        assert lab.run("get", "session", *wrong).code == 1


def at_a_terminal(lab: Lab, *words: str) -> list[str]:
    """The lines that a terminal of 80 columns shows of a command."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "stemctl", "-C", str(lab.root), *words],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1"},
    )
    os.close(theirs)
    read = b""
    while True:
        try:
            piece = os.read(ours, 1024)
        except OSError:  # the end, on Linux
            break
        if not piece:
            break
        read += piece
    os.close(ours)
    process.wait()
    return read.decode().replace("\r", "").split("\n")


def test_sentences_are_broken_between_words_at_a_terminal_alone(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.write("records/types.yaml", "sensory_stimulus_types: [{name: Air puff, description: P.}]\n")
    shown = [*at_a_terminal(lab, "plan"), *at_a_terminal(lab, "apply", "-y")]
    shown += at_a_terminal(lab, "approvals", "list")
    lab.sessions("{name: a, extra_fields: {weight-g and more words in it: 1}, projects: [Nothing]}")
    shown += at_a_terminal(lab, "validate")
    lab.sessions("{name: a}")
    text = "\n".join(shown)
    assert "On the server: 2 projects" in " ".join(text.split())
    assert "error:" in text
    assert "administrator decides. You have" in " ".join(text.split())
    for line in shown:
        is_row = line.startswith(("Next  ", "      stemctl ", "  + "))  # sticks out, to be copied
        assert len(line) <= 80 or is_row, line
    piped = lab.run("plan").out
    assert any("Read " in line and "On the server: " in line for line in piped.split("\n"))
