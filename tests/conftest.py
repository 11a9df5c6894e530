"""What every test stands on: a home of its own, no tokens, no network but loopback, and a lab to
work in.
"""

from __future__ import annotations

import os
import random
import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.git.team import Team, make_team, serve_folder
from tests.support.effort import given_seed, load_profile, time_is_up
from tests.support.lab import Lab
from tests.support.served import Gate, serve_behind

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def pytest_configure(config: pytest.Config) -> None:
    load_profile(config)


@pytest.hookimpl(trylast=True)  # when Hypothesis has marked its tests
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    seed = given_seed(config)
    if seed is not None:  # so that each test has its turn, however short the time
        random.Random(seed).shuffle(items)
    cases: Counter[str] = Counter()
    for item in items:
        test = item.nodeid.partition("[")[0]
        cases[test] += 1
        item.stash[_COUNTS] = _counts(item, cases[test])


_COUNTS = pytest.StashKey[bool]()


def _counts(item: pytest.Item, case: int) -> bool:
    """Whether a case of a test counts for coverage: the first five, and no random examples.

    To trace a test doubles its time, and the others reach hardly a line more. Only in
    `tests/manifests` each case is another mistake, with lines of its own.
    """
    if item.get_closest_marker("hypothesis"):
        return False
    return case <= 5 or item.nodeid.startswith("tests/manifests/")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    if item.stash[_COUNTS]:
        yield
        return
    # The marker of pytest-cov does nothing in the processes of pytest-xdist: each has two tracers,
    # and while one of them is off, the other one is on.
    mine, of_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        sys.settrace(mine)
        threading.settrace(of_threads)


def pytest_runtest_setup() -> None:
    if time_is_up():
        pytest.skip("the time is up")


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees the user's home, tokens or terminal."""
    home = tmp_path_factory.mktemp("home")
    for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    for name in (
        "BRAINSTEM_TOKEN",
        "BRAINSTEM_API_TOKEN",
        "BRAINSTEM_URL",
        "STEMCTL_TOKEN_HOSTS",
        "NO_COLOR",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "GITHUB_ACTIONS", "CI_JOB_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
        "ssl_cert_file",
        "ssl_cert_dir",
        "requests_ca_bundle",
        "curl_ca_bundle",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(home.parent))
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anywhere else is a mistake in the test."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if (
            self.family != socket.AF_UNIX
            and isinstance(address, tuple)
            and address[0] not in _LOOPBACK
        ):
            raise AssertionError(f"a test tried to connect to {address}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def lab(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """An empty metadata repository with a sandbox of its own."""
    return Lab(tmp_path, monkeypatch)  # type: ignore[arg-type]


@pytest.fixture
def gate() -> Gate:
    """Holds writes back that arrive at the server, until it is opened. It is open unless a test
    closes it.
    """
    found = Gate()
    found.opened.set()
    return found


@pytest.fixture
def team(tmp_path: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    monkeypatch.setenv("BRAINSTEM_TOKEN", "sandbox-user")
    with serve_behind(gate, serve_folder(tmp_path / "server")) as url:
        yield make_team(tmp_path, url)
