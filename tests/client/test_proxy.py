"""Which requests go through a proxy, what a proxy sees of them, and what its failures say."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stemctl.client.proxy import find_proxy
from stemctl.errors import ConfigError
from tests.security.wire import CANARY
from tests.support.lab import Lab
from tests.support.served import serve

pytestmark = pytest.mark.slow

THERE = "https://www.brainstem.org/"
CONFIG = f"manifests: [records]\nservers:\n  there: {{url: '{THERE}', edition: 2024}}\n"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


@dataclass
class Seen:
    """What a proxy was asked for, with its headers, and where it is."""

    url: str
    lines: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextlib.contextmanager
def proxy(answer: int = 403, tunnel_to: int = 0, echoes: bool = False) -> Iterator[Seen]:
    """A proxy on loopback that notes what it is asked for. It answers with a status, and perhaps
    repeats its login there, or makes a tunnel to a port.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            seen.lines.append(self.requestline)
            seen.headers.append(dict(self.headers))
            if not tunnel_to:
                self.send_response(answer, self.headers["Proxy-Authorization"] if echoes else None)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.end_headers()
            with socket.create_connection(("127.0.0.1", tunnel_to)) as there:
                back = threading.Thread(target=_pump, args=(there, self.connection))
                back.start()
                _pump(self.connection, there)
                back.join()

        do_GET = do_POST = do_PATCH = do_DELETE = do_CONNECT

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    seen = Seen(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def there(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab whose server is the real one, by name alone."""
    lab.write("stemctl.yaml", CONFIG)
    lab.sessions("{name: a}")
    monkeypatch.setenv("BRAINSTEM_TOKEN", CANARY)
    return lab


def test_this_machine_is_reached_directly(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.sessions("{name: a}")
    with proxy() as seen, serve(lab.root) as url:
        for name in VARIABLES:
            monkeypatch.setenv(name, seen.url)
        for address in (url, url.replace("127.0.0.1", "localhost")):
            result = lab.run("--server", address, "plan", token="sandbox-user")
            assert result.code == 0, result.said
        assert seen.lines == []


def test_a_real_server_is_reached_through_it_and_the_proxy_does_not_see_the_token(
    there: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    words = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=www.brainstem.org",
    ]
    words += [
        "-addext",
        "subjectAltName=DNS:www.brainstem.org",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run(["openssl", *words], check=True, capture_output=True)
    told: list[str] = []

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.append(self.headers["Authorization"])
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with proxy(tunnel_to=server.server_port) as seen:
            monkeypatch.setenv("HTTPS_PROXY", seen.url.replace("//", "//me:secret-of-mine@"))
            untrusted = there.run("plan")
            assert (untrusted.code, told) == (1, [])
            assert (
                f"The connection to www.brainstem.org through the proxy {seen.url} is not trusted."
                in untrusted.said
            )
            assert "SSL_CERT_FILE" in untrusted.said
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            there.run("plan")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert set(told) == {f"Bearer {CANARY}"}
    assert {line.split()[0] for line in seen.lines} == {"CONNECT"}
    assert all("Authorization" not in headers for headers in seen.headers)
    basic = base64.b64encode(b"me:secret-of-mine").decode()
    assert all(headers["Proxy-Authorization"] == f"Basic {basic}" for headers in seen.headers)


@pytest.mark.parametrize(
    "words", [["plan"], ["apply", "-y"], ["doctor"], ["login", "--headless"], ["get", "session"]]
)
@pytest.mark.parametrize("status", [407, 403, 502])
def test_a_proxy_that_does_not_let_us_through_is_named(
    there: Lab, monkeypatch: pytest.MonkeyPatch, words: list[str], status: int
) -> None:
    with proxy(status) as seen:
        monkeypatch.setenv("HTTPS_PROXY", seen.url.replace("//", "//me:secret-of-mine@"))
        result = there.run(*words)
    assert result.code == 1, result.said
    assert f"The proxy {seen.url} " in result.said
    assert str(status) in result.said
    assert "HTTPS_PROXY" in result.said
    assert "NO_PROXY=www.brainstem.org" in result.said
    assert "secret-of-mine" not in result.said
    if status == 407:
        assert "USER:PASSWORD@" in result.said
    if status < 500 and words[0] in ("doctor", "login", "get"):
        assert len(seen.lines) == 1  # a proxy may lock an account after a few tries


def test_a_proxy_that_repeats_its_login(there: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(403, echoes=True) as seen:
        monkeypatch.setenv("HTTPS_PROXY", seen.url.replace("//", "//me:secret%2Dof-mine@"))
        result = there.run("get", "session")
    assert "cannot reach www.brainstem.org: 403 Basic" in result.said
    assert base64.b64encode(b"me:secret-of-mine").decode() not in result.said


def test_a_proxy_that_is_not_there(there: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setenv("all_proxy", address)
        result = there.run("plan")
    assert result.code == 1
    assert f"The proxy {address} cannot be reached." in result.said
    assert "all_proxy" in result.said


UNUSABLE = [
    "http://",
    "http://:3128",
    "http://proxy:port",
    "http://proxy:99999",
    "http://proxy:0",
    "http://[::1",
    "http://pro xy:1",
    "http://proxy\n:1",
    "http://me:secret-of-mine@",
    "http://me:secret-of-mine@pro xy",
    "htp://me:secret-of-mine@proxy:1",
    "socks4://me:secret-of-mine@proxy",
    "ftp://proxy",
    "://proxy",
    "http:/proxy",
    "\udcff",
    "http://me:secret\udcff-of-mine@proxy:1",
    "http://prôxy:1",
    "proxy:3128:1",
]


@pytest.mark.parametrize("text", UNUSABLE)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_what_is_no_proxy_is_said_with_its_variable(
    there: Lab, monkeypatch: pytest.MonkeyPatch, variable: str, text: str
) -> None:
    monkeypatch.setenv(variable, text)
    for words in (["plan"], ["doctor"], ["login", "--headless"]):
        result = there.run(*words)
        assert (result.code, variable in result.err, "-of-mine" in result.said) == (
            1,
            True,
            False,
        ), result.said
    assert there.run("plan", "-o", "json").json["exit_code"] == 1


def test_socks_without_its_package(there: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for text in ("socks5://proxy:1080", "SOCKS5H://proxy"):
        monkeypatch.setenv("ALL_PROXY", text)
        result = there.run("plan")
        assert (result.code, "pip install socksio" in result.err, "ALL_PROXY" in result.err) == (
            1,
            True,
            True,
        )


def test_certificates_that_are_none(there: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    there.write("no.pem", "nothing")
    monkeypatch.setenv("SSL_CERT_FILE", str(there.root / "no.pem"))
    result = there.run("plan")
    assert (result.code, "SSL_CERT_FILE" in result.err) == (1, True), result.said


@pytest.mark.parametrize(
    "url, environ, address",
    [
        ("https://a.example/", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://a.example/", {"HTTPS_PROXY": "p:1"}, "http://p:1"),
        ("https://a.example/", {"HTTPS_PROXY": " https://p:1/ "}, "https://p:1"),
        ("https://a.example/", {"https_proxy": "low:1", "HTTPS_PROXY": "up:1"}, "http://low:1"),
        ("https://a.example/", {"https_proxy": "", "HTTPS_PROXY": "up:1"}, None),
        ("https://a.example/", {"https_proxy": "", "ALL_PROXY": "all:1"}, "http://all:1"),
        ("https://a.example/", {"ALL_PROXY": "all:1", "HTTPS_PROXY": "up:1"}, "http://up:1"),
        ("https://a.example/", {"HTTP_PROXY": "p:1"}, None),
        ("http://localhost:8000/", {"HTTP_PROXY": "p:1", "ALL_PROXY": "p:1"}, None),
        ("https://a.example/", {"HTTPS_PROXY": "http://u:p#1@p:1"}, "http://u:p%231@p:1"),
        ("https://a.example/", {"HTTPS_PROXY": "http://u:a@b%40c@p:1"}, "http://u:a%40b%40c@p:1"),
        (
            "https://a.example/",
            {"HTTPS_PROXY": "http://[2001:db8::1]:3128"},
            "http://[2001:db8::1]:3128",
        ),
    ],
)
def test_which_variable_counts(url: str, environ: dict[str, str], address: str | None) -> None:
    found = find_proxy(url, environ)
    assert (found.address if found else None) == address
    assert found is None or "u:" not in repr(found)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "localhost",
            "LOCALHOST",
            "localhost.",
            "x.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "127.1",
            "2130706433",
        ),
        *("[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "0.0.0.0", "0x7f000001"),
    ],
)
def test_this_machine_in_any_spelling_needs_no_proxy(host: str) -> None:
    assert find_proxy(f"https://{host}/", {"HTTPS_PROXY": "http://p:1"}) is None


@pytest.mark.parametrize(
    "url, exceptions, direct",
    [
        ("https://a.lab.example/", "a.lab.example", True),
        ("https://A.Lab.Example/", "LAB.example", True),
        ("https://a.lab.example/", ".lab.example", True),
        ("https://lab.example/", ".lab.example", True),
        ("https://a.lab.example/", "*.lab.example", True),
        ("https://a.lab.example/", "x, y ,lab.example,z", True),
        ("https://a.lab.example/", "x y lab.example", True),
        ("https://a.lab.example/", "*", True),
        ("https://a.lab.example./", "a.lab.example", True),
        ("https://a.lab.example/", "https://a.lab.example/", True),
        ("https://a.lab.example/", "xlab.example", False),
        ("https://xlab.example/", "lab.example", False),
        ("https://a.lab.example/", "lab", False),
        ("https://a.lab.example/", "", False),
        ("https://a.lab.example/", ",. ,", False),
        ("https://a.lab.example/", "::1,[::1]", False),
        ("https://a.lab.example/", "a.lab.example:443", True),
        ("https://a.lab.example:8443/", "a.lab.example:8443", True),
        ("https://a.lab.example:8443/", "a.lab.example:443", False),
        ("https://a.lab.example/", "a.lab.example:x", False),
        ("https://10.1.2.3/", "10.0.0.0/8", True),
        ("https://10.1.2.3/", "10.1.2.3/8", True),
        ("https://11.1.2.3/", "10.0.0.0/8", False),
        ("https://10.1.2.3/", "10.1.2.3", True),
        ("https://10.1.2.3/", "2.3", False),
        ("https://10.1.2.3/", "10.0.0.0/99", False),
        ("https://[2001:db8::1]/", "2001:db8::1", True),
        ("https://[2001:db8::1]/", "[2001:DB8:0::1]", True),
        ("https://[2001:db8::1]:8443/", "[2001:db8::1]:8443", True),
        ("https://[2001:db8::1]/", "2001:db8::/32", True),
        ("https://[2001:db8::1]/", "[", False),
    ],
)
def test_the_exceptions(url: str, exceptions: str, direct: bool) -> None:
    found = find_proxy(url, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": exceptions})
    assert (found is None) == direct


def test_a_proxy_is_refused_by_name_and_not_by_its_password() -> None:
    with pytest.raises(ConfigError) as raised:
        find_proxy(THERE, {"HTTPS_PROXY": "gopher://me:short@p:1"})
    assert "short" not in f"{raised.value.what} {raised.value.why}"
    assert "HTTPS_PROXY" in raised.value.what


def test_no_variable_of_the_environment_is_left_to_httpx(
    there: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where this module says "directly", httpx must not think otherwise."""
    with proxy() as seen:
        for name in VARIABLES:
            monkeypatch.setenv(name, seen.url)
        monkeypatch.setenv("NO_PROXY", "::1,[::1],www.brainstem.org")
        monkeypatch.setattr(socket, "getaddrinfo", _nowhere)
        result = there.run("plan")
    assert (result.code, seen.lines) == (1, [])
    assert "\n       Name or service not known. Check the address" in result.err
    assert os.environ["HTTPS_PROXY"] == seen.url


def _nowhere(*words: object, **more: object) -> None:
    raise socket.gaierror(-2, "Name or service not known")
