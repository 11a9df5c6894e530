"""A server with a certificate of its own, over real TLS on this machine."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from tests.support.lab import Lab
from tests.support.paths import PROJECT


@dataclass(frozen=True)
class Server:
    url: str
    certificate: Path
    asked: list[str]
    protocols: set[str | None]


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Answers every request with 401, as proof that it was asked."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "own.pem", folder / "key.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    words += ["-subj", "/CN=localhost"]
    words += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    words += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *words], check=True, capture_output=True)
    asked: list[str] = []
    protocols: set[str | None] = set()

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            protocols.add(self.connection.selected_alpn_protocol())
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    found = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2", "http/1.1"])
    found.socket = context.wrap_socket(
        found.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    yield Server(f"https://localhost:{found.server_port}/", certificate, asked, protocols)
    found.shutdown()
    found.server_close()
    thread.join()


def test_a_certificate_that_is_not_trusted_says_what_to_set(lab: Lab, server: Server) -> None:
    result = lab.run("--server", server.url, "get", "session")
    assert (result.code, server.asked) == (1, [])
    assert f"The certificate of {server.url} is not trusted." in result.err
    assert "set SSL_CERT_FILE or REQUESTS_CA_BUNDLE to a file with them." in result.err
    assert "Nothing was sent." in result.err


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_variable_names_the_certificate(
    lab: Lab, server: Server, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(server.certificate))
    result = lab.run("--server", server.url, "get", "session")
    assert server.asked
    assert "(401)" in result.err
    assert server.protocols == {"http/1.1"}  # h11 knows no other


@pytest.mark.parametrize("name", ["SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"])
def test_a_variable_names_a_folder(
    lab: Lab, server: Server, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["openssl", "x509", "-hash", "-noout", "-in", str(server.certificate)]
    digest = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    (server.certificate.parent / f"{digest}.0").symlink_to(server.certificate)
    monkeypatch.setenv(name, str(server.certificate.parent))
    lab.run("--server", server.url, "get", "session")
    assert server.asked


def test_the_first_variable_wins_and_one_that_cannot_be_read_is_named(
    lab: Lab, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(lab.root / "missing.pem"))
    result = lab.run("--server", server.url, "get", "session")
    assert result.code == 1
    assert "The certificates in REQUESTS_CA_BUNDLE cannot be read." in result.err
    assert "missing.pem: No such file or directory." in result.err
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    lab.run("--server", server.url, "get", "session")
    assert server.asked


def test_the_workflow_listens_to_merge_queues() -> None:
    path = PROJECT / "stemctl/commands/templates/ci/full/github/stemctl-check.yml"
    text = path.read_text(encoding="utf-8").replace("\non:", "\nevents:")
    assert set(yaml.safe_load(text)["events"]) == {"pull_request", "merge_group"}
