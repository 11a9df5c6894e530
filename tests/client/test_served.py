"""A server by its URL, over a real socket: tokens, login, doctor, and unreachable servers."""

from __future__ import annotations

import io
import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from stemctl.client import tokens
from tests.support.lab import CONFIG, SEED, Lab
from tests.support.served import serve


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "stemctl.yaml").write_text(CONFIG)
    (folder / "seed.yaml").write_text(SEED)
    with serve(folder) as address:
        yield address


def test_the_whole_job_by_url(lab: Lab, url: str) -> None:
    lab.sessions("{name: by url, description: Over a socket.}")
    done = lab.run("--server", url, "apply", "--auto-approve", token="sandbox-user")
    assert done.code == 0, done.said
    assert done.out.startswith(url.split("//")[1].rstrip("/").replace(":", "_"))
    again = lab.run("--server", url, "plan", "--detailed-exitcode", token="sandbox-user")
    assert again.code == 0
    shown = lab.run("--server", url, "get", "session", "by url", "-o", "json", token="sandbox-user")
    assert shown.json["description"] == "Over a socket."
    assert len(list(lab.root.glob("*.state.json"))) == 1


def test_no_token_and_a_wrong_one(lab: Lab, url: str) -> None:
    lab.sessions("{name: s}")
    for token in (None, "nonsense"):
        result = lab.run("--server", url, "plan", token=token)
        assert result.code == 1
        assert "does not accept the token, or none was sent (401)" in result.err
        assert "login" in result.err


def test_nobody_there(lab: Lab) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lab.sessions("{name: s}")
    result = lab.run("--server", f"http://127.0.0.1:{port}/", "plan", token="x")
    assert result.code == 1
    assert "cannot be reached" in result.err
    document = lab.run(
        "--server", f"http://127.0.0.1:{port}/", "plan", "-o", "json", token="x"
    ).json
    assert "cannot be reached" in document["error"]["what"]


def test_plain_http_is_for_this_machine_alone(lab: Lab) -> None:
    result = lab.run("--server", "http://brainstem.example/", "plan", token="secret-canary")
    assert result.code == 1
    assert "does not use HTTPS" in result.err


def test_a_url_holds_no_secrets(lab: Lab) -> None:
    result = lab.run("--server", "https://user:canary@brainstem.example/", "plan")
    assert result.code == 1
    assert "canary" not in result.said
    assert not list(lab.root.glob("*canary*"))


def test_a_seed_outside_of_the_repository_is_not_read(lab: Lab) -> None:
    lab.write("stemctl.yaml", CONFIG.replace("seed.yaml", "../../../../etc/passwd"))
    lab.sessions("{name: s}")
    result = lab.run("plan")
    assert result.code == 1
    assert "outside this repository" in result.err


def test_login_keeps_the_token_for_its_owner_alone(
    lab: Lab, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_browser(address: str) -> bool:
        threading.Thread(target=agree, args=(address,)).start()
        return True

    def agree(address: str) -> None:
        code = httpx.URL(address).params["code"]
        with httpx.Client() as browser:
            browser.post(address, data={"code": code, "user": "sandbox-user"})

    monkeypatch.setattr("webbrowser.open", open_browser)
    monkeypatch.setattr("sys.stdin", Terminal())
    config = (lab.root / "stemctl.yaml").read_text()
    lab.write("stemctl.yaml", f"{config}  real: {{url: {url}, edition: 2024}}\n")
    result = lab.run("--server", "real", "login")
    assert result.code == 0, result.said
    assert "Commands without --server still use sandbox." in result.err
    assert "default_server: real in stemctl.yaml" in result.err
    path = tokens.token_file("127.0.0.1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().strip() not in result.said
    lab.sessions("{name: logged in}")
    assert lab.run("--server", url, "plan").code == 0
    assert f"from {path}" in " ".join(lab.run("--server", url, "doctor").out.split())
    assert lab.run("--server", url, "logout").code == 0
    assert not path.exists()
    assert lab.run("--server", url, "plan").code == 1


def test_doctor_tells_what_it_sees(lab: Lab, url: str) -> None:
    document = lab.run("--server", url, "doctor", "-o", "json", token="sandbox-user").json
    assert {check["what"]: check["good"] for check in document["checks"]}["session"] is True
    assert lab.run("--server", url, "doctor").code == 1


@pytest.mark.parametrize(
    ("address", "hosts", "found"),
    [
        ("https://www.brainstem.org/", "", True),
        ("http://127.0.0.1:8000/", "", True),
        ("https://evil.example/", "", False),
        ("https://evil.example/", "mirror.example, evil.example", True),
        ("https://www.brainstem.org.evil.example/", "", False),
    ],
)
def test_tokens_of_the_environment_go_to_known_hosts_alone(
    address: str, hosts: str, found: bool
) -> None:
    from stemctl.config.config import Server

    server = Server("s", address)
    environ = {"BRAINSTEM_API_TOKEN": "secret-canary", "STEMCTL_TOKEN_HOSTS": hosts}
    assert (tokens.find_token(server, environ) is not None) is found
    assert (tokens.withheld_variable(server, environ) is None) is found


def test_where_tokens_are_looked_for_in_their_order(tmp_path: Path) -> None:
    from stemctl.config.config import Server

    server = Server("s", "https://www.brainstem.org/")
    official = tmp_path / ".config" / "brainstem" / "token"
    official.parent.mkdir(parents=True)
    official.write_text("of the official client\n")

    def source(**environ: str) -> str:
        token = tokens.find_token(server, environ, tmp_path)
        return token.reveal() if token else ""

    assert source(BRAINSTEM_TOKEN="", BRAINSTEM_API_TOKEN="") == "of the official client"
    tokens.save_token(server.host, "of stemctl")
    assert source() == "of stemctl"
    assert source(BRAINSTEM_API_TOKEN="second") == "second"
    assert source(BRAINSTEM_API_TOKEN="second", BRAINSTEM_TOKEN="first") == "first"
    assert "first" not in repr(tokens.find_token(server, {"BRAINSTEM_TOKEN": "first"}))


def test_a_real_token_is_ignored_by_the_sandbox(lab: Lab) -> None:
    lab.sessions("{name: s}")
    assert lab.run("plan", token="secret-canary").code == 0


def test_no_token_is_ever_written(lab: Lab, url: str) -> None:
    lab.sessions("{name: canary, description: Text.}", "{name: b, name_used_in_storage: x}")
    result = lab.run("--server", url, "-v", "apply", "--auto-approve", token="sandbox-user")
    nowhere = result.said + lab.run("--server", url, "plan", token="secret-canary-token").said
    assert "secret-canary-token" not in nowhere
    for folder, _, names in os.walk(lab.root):
        for name in names:
            assert b"sandbox-user" not in (Path(folder) / name).read_bytes()
