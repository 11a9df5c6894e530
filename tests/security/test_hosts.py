"""A token goes to the host that it is for, whatever a repository, an address or an answer says."""

from __future__ import annotations

import contextlib
import pwd
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.client import tokens
from stemctl.config.config import Server, load_config
from stemctl.errors import ConfigError
from stemctl.git import mirror_cache
from tests.security.wire import CANARY, Wire, tapped
from tests.support.effort import examples
from tests.support.lab import Lab

SENT, KEPT, REFUSED = "sent", "kept back", "refused"
ADDRESSES = {
    "https://www.brainstem.org/": SENT,
    "https://www.brainstem.org": SENT,
    "https://WWW.BRAINSTEM.ORG/": SENT,
    "https://www.brainstem.org:443/": SENT,
    "https://www.brainstem.org/some/path/": SENT,
    "https://www.brainstem.org/.some/path../": SENT,
    "http://localhost:8000/": SENT,
    "http://127.0.0.1:8000/": SENT,
    "http://[::1]:8000/": SENT,
    "https://[::1]/": SENT,
    "https://www.brainstem.org./": KEPT,
    "https://brainstem.org/": KEPT,
    "https://wwwxbrainstem.org/": KEPT,
    "https://www.brainstem.org.evil.example/": KEPT,
    "https://evil.example/www.brainstem.org/": KEPT,
    "https://evil.example/@www.brainstem.org/": KEPT,
    "https://www-brainstem.org/": KEPT,
    "https://localhost.evil.example/": KEPT,
    "https://127.0.0.1.evil.example/": KEPT,
    "https://[2001:db8::1]/": KEPT,
    "https://[::ffff:127.0.0.1]/": KEPT,
    "https://2130706433/": KEPT,
    "https://127.1/": KEPT,
    "http://www.brainstem.org/": REFUSED,
    "http://evil.example/": REFUSED,
    "http://127.0.0.2/": REFUSED,
    "http://127.1/": REFUSED,
    "http://2130706433/": REFUSED,
    "http://0/": REFUSED,
    "http://localhost.evil.example/": REFUSED,
    "http://localhost./": REFUSED,
    "http://[::ffff:127.0.0.1]/": REFUSED,
    "https://www.brainstem.org@evil.example/": REFUSED,
    "https://www.brainstem.org:x@evil.example/": REFUSED,
    "https://www.brainstem.org%40evil.example/": REFUSED,
    "https://@evil.example/": REFUSED,
    "https://evil.example\\@www.brainstem.org/": REFUSED,
    "https://evil.example#@www.brainstem.org/": REFUSED,
    "https://evil.example?@www.brainstem.org/": REFUSED,
    "https://www.brainstem.org#.evil.example/": REFUSED,
    "https://www.brainstem.org\\.evil.example/": REFUSED,
    "https://www.brainstem.org%2eevil.example/": REFUSED,
    "https://www.brainstem.org\t.evil.example/": REFUSED,
    "https://www.brain\tstem.org/": REFUSED,
    "https://www.brainstem.org\x00.evil.example/": REFUSED,
    "https://www\u3002brainstem\u3002org/": REFUSED,
    "https://www.bra\u0456nstem.org/": REFUSED,
    "https://www.brainstem.org:99999/": REFUSED,
    "https://www.brainstem.org:4x/": REFUSED,
    "https://[::1/": REFUSED,
    "https:///www.brainstem.org/": REFUSED,
    "https://www.brainstem.org/a/../b/": REFUSED,
    "https://www.brainstem.org/./": REFUSED,
    "https://www.brainstem.org/a/..": REFUSED,
    "https:/www.brainstem.org/": REFUSED,
    "https:www.brainstem.org": REFUSED,
    "ftp://www.brainstem.org/": REFUSED,
    "file:///etc/passwd": REFUSED,
}


@pytest.fixture
def wire(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    monkeypatch.setattr("stemctl.client.retry.backoff", lambda attempt: 0.0)
    lab.sessions("{name: a}")
    with tapped(monkeypatch) as wire:
        yield wire


@pytest.mark.parametrize("in_file", [False, True], ids=["typed", "of the repository"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_token_of_the_environment_goes_to_its_host_alone(
    lab: Lab, wire: Wire, address: str, in_file: bool
) -> None:
    if in_file:
        quoted = address.replace("\\", "\\\\").replace("\t", "\\t").replace("\x00", "\\0")
        lab.write("stemctl.yaml", f'servers:\n  there: {{url: "{quoted}", edition: 2024}}\n')
    elif "://" not in address:
        pytest.skip("no address, so the name of a server that is not there")
    result = lab.run("--server", "there" if in_file else address, "plan", token=CANARY)
    assert "bug" not in result.err, result.err
    if ADDRESSES[address] == REFUSED:
        assert result.code == 1
        assert wire.requests == []
    else:
        assert wire.requests
        assert wire.told == ({urlsplit(address).hostname} if ADDRESSES[address] == SENT else set())
        assert {request.url.host for request in wire.requests} == {urlsplit(address).hostname}
    assert CANARY not in result.said


HOSTS = st.text(st.sampled_from("abw.-_:[]@\\/?#%2e\t 0１。éx"), max_size=14)


@examples(250)
@given(
    scheme=st.sampled_from(["https", "http", "HTTPS"]),
    rest=st.one_of(HOSTS, st.text(max_size=8)),
    end=HOSTS,
)
def test_what_is_checked_is_where_requests_go(lab: Lab, scheme: str, rest: str, end: str) -> None:
    """Two readers of an address must not understand two hosts."""
    for text in (
        f"{scheme}://{rest}",
        f"{scheme}://www.brainstem.org{rest}{end}",
        f"{scheme}://{rest}www.brainstem.org{end}",
    ):
        try:
            server = load_config(lab.root).server(text)
        except ConfigError:
            continue
        url = httpx.URL(f"{server.url}api/private/stem/session/")
        assert url.raw_host.decode().strip("[]") == server.host
        assert url.path.endswith("api/private/stem/session/")
        assert not url.userinfo
        assert url.scheme == "https" or server.host in ("localhost", "127.0.0.1", "::1")


def test_hosts_that_the_user_names_are_told_and_no_others(
    lab: Lab, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.write(
        "stemctl.yaml", "servers:\n  mirror: {url: 'https://mirror.example/', edition: 2024}\n"
    )
    result = lab.run("plan", token=CANARY)
    assert wire.told == set()
    assert wire.requests
    assert "BRAINSTEM_TOKEN is not sent to mirror.example" in lab.run("doctor", token=CANARY).out
    for hosts in (
        "example",
        "mirror.example.org",
        "*.example",
        "*",
        "https://mirror.example/",
        ".mirror.example",
        ",",
    ):
        monkeypatch.setenv("STEMCTL_TOKEN_HOSTS", hosts)
        lab.run("plan", token=CANARY)
        assert wire.told == set(), hosts
    monkeypatch.setenv("STEMCTL_TOKEN_HOSTS", "other.example, Mirror.Example")
    result = lab.run("plan", token=CANARY)
    assert wire.told == {"mirror.example"}
    assert CANARY not in result.said


def test_a_kept_token_goes_to_the_host_it_was_kept_for(lab: Lab, wire: Wire) -> None:
    tokens.save_token("mirror.example", CANARY)
    for address in (
        "https://mirror.example.evil.example/",
        "https://evil.example/mirror.example/",
        "https://evil.example/",
        "https://mirror.example./",
        "https://www.brainstem.org/",
        "http://127.0.0.1:8000/",
    ):
        lab.run("--server", address, "plan")
    assert wire.told == set()
    lab.run("--server", "https://Mirror.example/", "plan")
    assert wire.told == {"mirror.example"}


@pytest.mark.parametrize("host", ["..", ".", "../../x", "a/b", "con", "x" * 300])
def test_token_files_stay_in_their_folder(host: str) -> None:
    folder = tokens.token_file("x").parent
    assert tokens.token_file(host).parent == folder
    server = Server("s", f"https://{host}/")
    with contextlib.suppress(OSError):
        assert tokens.find_token(server, {}) is None
        tokens.save_token(host, CANARY)
    assert not folder.exists() or {
        path.parent for path in folder.parent.rglob("*") if path.is_file()
    } <= {folder}


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whom the system does not know, as CI runs containers."""

    def unknown(number: int) -> None:
        raise KeyError(number)

    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


@pytest.mark.usefixtures("no_home")
def test_without_a_home_no_file_of_the_checkout_is_a_token(lab: Lab, wire: Wire) -> None:
    for name in ("stemctl/tokens/www.brainstem.org", "brainstem/token"):
        path = lab.root / "~" / ".config" / name
        path.parent.mkdir(parents=True)
        path.write_text(CANARY)
    for command in (["plan"], ["logout"], ["login"], ["doctor"]):
        result = lab.run("--server", "https://www.brainstem.org/", *command)
        assert result.code in (0, 1), result.said
        assert "bug" not in result.said
    assert wire.told == set()
    result = lab.run("--server", "https://www.brainstem.org/", "login", "--headless")
    assert "no home folder" in result.said
    assert mirror_cache.of_root(lab.root) is None
    assert (lab.root / "~/.config/stemctl/tokens/www.brainstem.org").read_text() == CANARY


class Recorder:
    """A server on this machine that answers everything in one way, and notes what it was told."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        self.seen: list[tuple[str, str, str | None]] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                recorder.seen.append((self.command, self.path, self.headers.get("Authorization")))
                self.send_response(status)
                for name, value in {**headers, "Content-Length": "2"}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_POST = do_PATCH = do_DELETE = answer

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/"


@contextlib.contextmanager
def recorder(status: int, **headers: str) -> Iterator[Recorder]:
    found = Recorder(status, headers)
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield found
    finally:
        found.server.shutdown()
        found.server.server_close()
        thread.join()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nobody_is_told_anything_after_a_redirect(
    lab: Lab, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two real servers; both are this machine, to which a token may go, and still the second is
    told nothing.
    """
    monkeypatch.setattr("stemctl.client.retry.backoff", lambda attempt: 0.0)
    lab.sessions("{name: a}")
    with (
        recorder(200) as second,
        recorder(status, Location=f"{second.url}api/?t={CANARY}") as first,
    ):
        for command in (
            ["plan"],
            ["apply", "-y"],
            ["get", "session"],
            ["doctor"],
            ["login", "--headless"],
        ):
            result = lab.run("--server", first.url, *command, token=CANARY)
            assert result.code == 1, command
            assert f"answered {status}" in result.err
            assert CANARY not in result.said
        assert {told for method, _, told in first.seen if method == "GET"} == {f"Bearer {CANARY}"}
        assert {told for method, _, told in first.seen if method == "POST"} == {
            None
        }  # a login needs none
        assert second.seen == []


def test_what_a_server_gives_us_is_not_given_back(lab: Lab, wire: Wire) -> None:
    """Cookies of one answer are not in the next request."""
    wire.fault = lambda request: httpx.Response(
        200,
        json={
            key: [] for key in ("sessions", "projects", "sensory_stimulus_types", "datastorages")
        },
        headers=[(b"Set-Cookie", b"a=b; Path=/"), (b"Set-Cookie", b"c=\x9b; Path=/")],
    )
    lab.run(
        "--server", "https://www.brainstem.org/", "doctor", token=CANARY
    )  # one model after the other
    assert len(wire.requests) > 1
    assert not any("cookie" in request.headers for request in wire.requests)


def test_the_public_portal_is_told_nothing(lab: Lab, wire: Wire) -> None:
    lab.run(
        "--server",
        "https://www.brainstem.org/",
        "get",
        "project",
        "--portal",
        "public",
        token=CANARY,
    )
    assert wire.requests
    assert wire.told == set()


def test_a_file_with_passwords_is_not_asked(
    lab: Lab, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """~/.netrc belongs to other programs."""
    (Path.home() / ".netrc").write_text(f"machine evil.example login me password {CANARY}\n")
    monkeypatch.setenv("NETRC", str(Path.home() / ".netrc"))
    lab.run("--server", "https://evil.example/", "plan")
    assert wire.requests
    assert wire.told == set()
