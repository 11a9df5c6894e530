"""init --from: from a lab that was clicked in to files whose plan is empty, in one command."""

from __future__ import annotations

import contextlib
import io
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from stemctl.commands import connection, workspace
from stemctl.sandbox.api import create_app
from tests.support.edition_2026 import CONFIG
from tests.support.lab import Lab
from tests.support.served import serve_app
from tests.support.small_lab import LAB

TOKEN = "sandbox-user"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a small lab that was clicked in."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "stemctl.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "seed.yaml").write_text(json.dumps(LAB), encoding="utf-8")
    space = workspace.open_workspace(folder, "sandbox")
    with (
        contextlib.closing(connection.open_sandbox(space)) as database,
        serve_app(create_app(database)) as address,
    ):
        yield address


@pytest.fixture
def empty(lab: Lab) -> Lab:
    for name in ("stemctl.yaml", "seed.yaml"):
        (lab.root / name).unlink()
    return lab


@pytest.fixture
def seeded(lab: Lab) -> Lab:
    """A folder with a stemctl.yaml, whose sandbox has a small lab."""
    lab.write("stemctl.yaml", CONFIG)
    lab.write("seed.yaml", json.dumps(LAB))
    return lab


def texts(lab: Lab) -> dict[str, bytes]:
    """The manifests and stemctl.yaml."""
    paths = [lab.root / "stemctl.yaml", *(lab.root / "records").rglob("*.yaml")]
    return {path.relative_to(lab.root).as_posix(): path.read_bytes() for path in paths}


def test_one_command_leads_to_an_empty_plan(empty: Lab, url: str) -> None:
    result = empty.run("init", "--from", url, token=TOKEN)
    assert result.code == 0, result.said
    assert "Nothing to do" in result.out
    assert "wrote stemctl.yaml" in result.out
    assert empty.run("plan", "--detailed-exitcode", token=TOKEN).code == 0
    assert empty.run("validate").code == 0
    assert empty.run("fmt", "--check").code == 0
    assert "edition: 2026" in (empty.root / "stemctl.yaml").read_text()


def test_the_same_command_again_changes_nothing(empty: Lab, url: str) -> None:
    assert empty.run("init", "--from", url, token=TOKEN).code == 0
    before = texts(empty)
    result = empty.run("init", "--from", url.rstrip("/"), token=TOKEN)
    assert result.code == 0, result.said
    assert "kept stemctl.yaml" in result.out
    assert texts(empty) == before


def test_it_logs_in_if_there_is_no_token(
    empty: Lab, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def agree(address: str) -> None:
        code = httpx.URL(address).params["code"]
        with httpx.Client() as browser:
            browser.post(address, data={"code": code, "user": TOKEN})

    def open_browser(address: str) -> bool:
        threading.Thread(target=agree, args=(address,)).start()
        return True

    monkeypatch.setattr("webbrowser.open", open_browser)
    monkeypatch.setattr("sys.stdin", Terminal())
    result = empty.run("init", "--from", url)
    assert result.code == 0, result.said
    assert "Logged in to 127.0.0.1" in result.out
    assert empty.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("words", [["init", "--from"], ["login", "--server"]])
def test_nobody_is_waited_for_without_a_terminal(
    empty: Lab, url: str, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("stemctl.client.device_login.begin_login", opened.append)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    if words[0] == "login":
        empty.write("stemctl.yaml", CONFIG)
    result = empty.run(*words, url)
    assert (result.code != 0, opened) == (True, []), result.said
    assert "set BRAINSTEM_TOKEN" in result.err
    assert "login --headless" in result.err


def test_the_sandbox_works_without_an_account(empty: Lab) -> None:
    result = empty.run("init", "--from", "sandbox:")
    assert result.code == 0, result.said
    assert list(texts(empty)) == ["stemctl.yaml", "records/projects.yaml"]
    assert not empty.writes


def test_a_stemctl_yaml_that_is_there_is_kept(seeded: Lab) -> None:
    before = (seeded.root / "stemctl.yaml").read_bytes()
    result = seeded.run("init", "--from", "sandbox:")
    assert result.code == 0, result.said
    assert (seeded.root / "stemctl.yaml").read_bytes() == before
    assert len(texts(seeded)) > 5


def test_one_that_does_not_name_the_server_is_kept_and_the_line_is_printed(seeded: Lab) -> None:
    before = (seeded.root / "stemctl.yaml").read_bytes()
    result = seeded.run("init", "--from", "www.brainstem.org")
    assert result.code == 1
    line = "brainstem: {url: https://www.brainstem.org/, portal: private, edition: 2026}"
    assert line in result.err
    assert (seeded.root / "stemctl.yaml").read_bytes() == before
    assert not (seeded.root / "records").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "http://brainstem.example/"], "does not use HTTPS"),
        (["--from", "https://x.example/", "--edition", "1999"], "There is no edition '1999'"),
        (["--from", "nonsense!"], "not valid"),
        (["--from", "sandbox:", "--server", "sandbox"], "Leave out --server"),
        (["--edition", "2026"], "--edition belongs to --from"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(
    empty: Lab, arguments: list[str], said: str
) -> None:
    result = empty.run("init", *arguments)
    assert result.code == 1, result.said
    assert said in result.err
    assert list(empty.root.iterdir()) == []


def test_an_empty_server_is_fine(lab: Lab) -> None:
    lab.write("stemctl.yaml", CONFIG)
    lab.write("seed.yaml", "species:\n  - {name: Rat}\n")
    result = lab.run("init", "--from", "sandbox:")
    assert result.code == 0, result.said
    assert "nothing to take over yet" in result.err


class Stop:
    """Interrupts the command when it replaces a file for the nth time."""

    def __init__(self, number: int) -> None:
        self.left = number
        self._replace = os.replace

    def __call__(self, source: Any, target: Any, **more: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        self._replace(source, target, **more)


def test_after_any_stop_the_same_command_goes_on(
    seeded: Lab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert seeded.run("init", "--from", "sandbox:").code == 0
    wanted, number, stopped = texts(seeded), 0, 0
    while True:
        number += 1
        lab = Lab(Path(tmp_path_factory.mktemp("stopped")), seeded.monkeypatch)
        lab.write("stemctl.yaml", CONFIG)
        lab.write("seed.yaml", json.dumps(LAB))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "replace", Stop(number))
            result = lab.run("init", "--from", "sandbox:")
        if result.code == 0:
            break
        stopped += 1
        again = lab.run("init", "--from", "sandbox:")
        assert again.code == 0, f"after stop {number}: {again.said}"
        assert texts(lab).keys() == wanted.keys()
        assert lab.run("plan", "--detailed-exitcode").code == 0
    assert stopped > len(wanted)
