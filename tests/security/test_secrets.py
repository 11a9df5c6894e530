"""A token is sent to its server only: no output, no file and no exception contains it."""

from __future__ import annotations

import io
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import httpx
import pytest

from stemctl.cli.main import cli
from stemctl.cli.screen import Screen
from stemctl.client import device_login, tokens
from stemctl.commands import workspace
from stemctl.errors import StemctlError
from tests.git.team import SOURCE
from tests.security.wire import ADDRESS, CANARY, CONFIG, Fault, Wire, files_with, tapped
from tests.support.lab import Lab

ID = "1c77ae53-6f83-4398-bfe5-6eb95ff00610"
COMMANDS: dict[str, list[list[str]]] = {
    "init": [[]],
    "fmt": [["--check"]],
    "validate": [[], ["--online"], ["--online", "-o", "json"]],
    "plan": [
        [],
        ["-o", "json"],
        ["-o", "html"],
        ["-o", "markdown"],
        ["-o", "github"],
        ["--out", "plan.json"],
    ],
    "apply": [
        ["-y"],
        ["-y", "-o", "json", "--allow", "delete"],
        ["-y", "-o", "github"],
        ["plan.json"],
    ],
    "show": [["plan.json"], ["session/a"], ["session/a", "-o", "json"]],
    "report": [[], ["--out", "-"]],
    "drift": [[], ["-o", "json"], ["-o", "markdown"]],
    "resolve": [["session/a"]],
    "get": [
        ["session"],
        ["session", "a"],
        ["session", ID, "-o", "json"],
        ["session", "-o", "yaml"],
    ],
    "approvals list": [[], ["-o", "json"]],
    "approvals show": [["sensorystimulustype/Air puff"]],
    "approvals accept": [["sensorystimulustype/Air puff"]],
    "approvals reject": [["sensorystimulustype/Air puff", "-o", "json"]],
    "completion": [["bash"]],
    "import": [["session/b", ID]],
    "new": [["session", "--like", "session/a", "name=z", "--dry-run"]],
    "set": [["session/a", "description=x", "--dry-run"]],
    "mv": [["session/a", "session/z", "--dry-run"]],
    "rm": [["session/a", "--dry-run"]],
    "load": [["sheet.csv", "--as", "session", "--dry-run"]],
    "pull": [["--all"], ["--all", "--dry-run", "-o", "json"]],
    "state list": [[]],
    "state show": [["session/a"]],
    "state rm": [["session/b"]],
    "state mv": [["session/a", "session/z"]],
    "state migrate": [["--to", "git"]],
    "runs list": [[], ["-o", "json"]],
    "runs prune": [["--keep", "1"]],
    "runs show": [["2"], ["2", "-o", "json"], ["2", "-o", "yaml"]],
    "explain": [["session"]],
    "schema build": [["--check"]],
    "schema show": [[]],
    "ci init": [["github", "--source", SOURCE], ["gitlab", "--source", SOURCE]],
    "login": [["--headless"]],
    "doctor": [[], ["-o", "json"]],
    "sandbox reset": [[]],
    "sandbox seed": [[]],
    "logout": [[]],  # the last, as it removes the token
}
ENDLESS = {"sandbox serve"}
"""Runs until it is stopped, and talks to no server; its tests are elsewhere."""


def leaves(command: click.Command, path: str = "") -> Iterator[str]:
    """Every command that does something."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from leaves(inner, f"{path} {name}".strip())
    else:
        yield path


def test_every_command_is_tried() -> None:
    assert set(leaves(cli)) == set(COMMANDS) | ENDLESS


def raising(make: Callable[[str], Exception]) -> Fault:
    """A fault below HTTP that quotes the header, as some do."""

    def fault(request: httpx.Request) -> None:
        raise make(request.headers.get("Authorization", ""))

    return fault


def answering(
    make: Callable[[str], httpx.Response], methods: str = "GET POST PATCH DELETE"
) -> Fault:
    """An answer that quotes the header."""

    def fault(request: httpx.Request) -> httpx.Response | None:
        return (
            make(request.headers.get("Authorization", CANARY))
            if request.method in methods.split()
            else None
        )

    return fault


FAULTS: dict[str, Fault] = {
    "none": lambda request: None,
    "refused": raising(lambda sent: httpx.ConnectError("All connection attempts failed")),
    "timeout": raising(lambda sent: httpx.ReadTimeout(f"no answer to {sent}")),
    "reset": raising(lambda sent: httpx.ReadError(f"reset after {sent!r}")),
    "illegal header": raising(
        lambda sent: httpx.LocalProtocolError(f"Illegal header value {sent.encode()!r}")
    ),
    "401": answering(lambda sent: httpx.Response(401, json={"detail": f"Invalid token: {sent}"})),
    "401 with the token as a key": answering(
        lambda sent: httpx.Response(401, json={sent: {sent: [sent]}})
    ),
    "403": answering(
        lambda sent: httpx.Response(403, json={"detail": f"Nothing for {sent}", "name": [sent]})
    ),
    "404": answering(lambda sent: httpx.Response(404, text=f"no such thing, {sent}")),
    "429": answering(lambda sent: httpx.Response(429, text=sent, headers={"Retry-After": "0"})),
    "500 as a page": answering(
        lambda sent: httpx.Response(500, html=f"<title>{sent}</title><p>{sent}")
    ),
    "500 as text": answering(
        lambda sent: httpx.Response(500, text=f"Request headers: {{'Authorization': '{sent}'}}")
    ),
    "302": answering(
        lambda sent: httpx.Response(
            302, headers={"Location": f"https://x.example/?a={quote(sent, '')}"}
        )
    ),
    "301 as it is": answering(
        lambda sent: httpx.Response(301, headers={"Location": f"https://x.example/{sent}"})
    ),
    "a page": answering(lambda sent: httpx.Response(200, html=f"<title>Hello {sent}</title>")),
    "cut off": answering(lambda sent: httpx.Response(200, text=f'{{"{sent}": "{sent}')),
    "no object": answering(lambda sent: httpx.Response(200, json=[sent])),
    "another envelope": answering(
        lambda sent: httpx.Response(200, json={sent: sent, "error": sent})
    ),
    "writes refused": answering(
        lambda sent: httpx.Response(400, json={"name": [f"not {sent}"]}), "POST PATCH DELETE"
    ),
    "writes lost": answering(lambda sent: httpx.Response(502, text=sent), "POST PATCH DELETE"),
    "a bug": raising(lambda sent: RuntimeError(sent, {"Authorization": sent}, [sent.encode()])),
}


@pytest.fixture
def wire(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Wire]:
    """A lab with something of everything to do on a server behind the wire; trace files are in its
    folder too.
    """
    monkeypatch.setattr("stemctl.client.retry.backoff", lambda attempt: 0.0)
    monkeypatch.setattr("stemctl.client.device_login.WINDOW", 0.0)
    (tmp_path / "traces").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "traces"))
    lab.write("stemctl.yaml", CONFIG)
    lab.write(
        "records/s.yaml", "sensory_stimulus_types:\n  - {name: Air puff, description: Puff}\n"
    )
    lab.sessions("{name: a, description: One.}", "{name: b}", "{name: left}")
    with tapped(monkeypatch) as wire:
        assert lab.run("apply", "-y", token=CANARY).code == 0
        lab.sessions("{name: a, description: Two.}", "{name: b}", "{name: new}")
        yield wire


@pytest.fixture
def raised(monkeypatch: pytest.MonkeyPatch) -> list[StemctlError]:
    """Every error that reached the user."""
    errors: list[StemctlError] = []
    failed = Screen.failed

    def noted(self: Screen, error: StemctlError) -> int:
        errors.append(error)
        return failed(self, error)

    monkeypatch.setattr(Screen, "failed", noted)
    return errors


QUICK = {("none", False), ("401", True)}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        pytest.param(*case, marks=[] if case in QUICK else pytest.mark.slow)
        for case in [
            *((name, False) for name in FAULTS),
            *((name, True) for name in ("none", "401", "a bug")),
        ]
    ],
)
def test_no_output_file_or_error_names_the_token(
    lab: Lab, wire: Wire, raised: list[StemctlError], name: str, kept: bool
) -> None:
    own = tokens.save_token("127.0.0.1", CANARY) if kept else None
    assert lab.run("plan", "--out", "plan.json", token=None if kept else CANARY).code == 0
    wire.fault = FAULTS[name]
    wire.requests.clear()
    for command, variants in COMMANDS.items():
        for options in variants:
            result = lab.run(*command.split(), *options, token=None if kept else CANARY)
            for text in (CANARY, quote(CANARY, safe="")):
                assert text not in result.said, (command, options)
            assert (result.code == 70) <= (name == "a bug"), (command, result.said)
    assert wire.told == {"127.0.0.1"}
    assert [str(path) for path in files_with(CANARY, lab.root, Path.home()) if path != own] == []
    for error in raised:
        shown = [
            str(error),
            repr(error),
            *error.args,
            error.what,
            error.why,
            *(w for hint in error.hints for w in hint),
        ]
        assert CANARY not in "\n".join(map(str, shown)), name
    assert bool(list(Path(tempfile.gettempdir()).glob("stemctl-trace-*"))) is (name == "a bug")


def test_a_bug_before_anything_was_sent_names_no_token_either(
    lab: Lab, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any) -> None:
        raise RuntimeError(f"cannot go on with {dict(os.environ)}")

    monkeypatch.setattr("stemctl.commands.plan.loading", broken)
    assert lab.run("plan", token=CANARY).code == 70
    (trace,) = Path(tempfile.gettempdir()).glob("stemctl-trace-*")
    assert "cannot go on with" in trace.read_text()
    assert CANARY not in trace.read_text()
    assert stat.S_IMODE(trace.stat().st_mode) == 0o600


def test_the_world_around_a_run_names_no_token(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAINSTEM_TOKEN", CANARY)
    assert CANARY not in repr(workspace.open_workspace(lab.root))


def test_what_is_masked_says_so(lab: Lab, wire: Wire) -> None:
    wire.fault = FAULTS["401"]
    assert "Invalid token: Bearer (the token)" in lab.run("get", "session", token=CANARY).err
    assert "Invalid token: Bearer (the token)" in str(
        lab.run("get", "session", "-o", "json", token=CANARY).json
    )


def test_a_token_that_got_into_a_file_is_not_shown_from_there(lab: Lab, wire: Wire) -> None:
    lab.sessions(f"{{name: a, description: {CANARY}, tags: [{CANARY}]}}")
    for form in ("text", "json", "html", "markdown"):
        out = lab.run("plan", "-o", form, token=CANARY).out
        assert "(the token)" in out
        assert CANARY not in out
    lab.sessions(f"{{name: a, {CANARY}: 1}}")
    assert CANARY not in lab.run("validate", token=CANARY).said


def test_text_of_the_user_is_never_masked(lab: Lab, wire: Wire) -> None:
    """A token of the sandbox is no secret, and a short word is none either."""
    lab.sessions("{name: sandbox-user, description: a secret}")
    for token in ("sandbox-user", "secret"):
        out = lab.run("--server", "sandbox", "plan", token=token).out
        assert "session/sandbox-user" in out
        assert "a secret" in out


BEGUN = {"verification_uri": ADDRESS, "user_code": "AB", "device_code": "d"}


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of a login, which take no time here."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("stemctl.client.device_login.WINDOW", 900.0)
    monkeypatch.setattr(device_login.finish_login, "__defaults__", (sleep,))
    return pauses


def test_the_same_token_again_is_kept_as_it_is(lab: Lab, wire: Wire, slept: list[float]) -> None:
    """A service that gives each account one token answers a second login with what we have."""
    path = tokens.save_token("127.0.0.1", CANARY)
    answers = iter([BEGUN, {"status": "success", "token": CANARY}])
    wire.fault = lambda request: httpx.Response(200, json=next(answers))
    result = lab.run("login", "--headless")
    assert result.code == 0, result.said
    assert path.read_text() == CANARY + "\n"
    assert CANARY not in result.said


@pytest.mark.parametrize(
    "answer", [{"status": "done", "token": CANARY}, {"token": CANARY}, {"error": CANARY}]
)
def test_a_login_that_is_not_understood_shows_no_token(
    lab: Lab, wire: Wire, slept: list[float], answer: dict[str, str]
) -> None:
    answers = iter([BEGUN, answer])
    wire.fault = lambda request: httpx.Response(200, json=next(answers))
    result = lab.run("login", "--headless", token=CANARY if "error" in answer else None)
    assert result.code == 1
    assert "The login was not completed" in result.err
    assert CANARY not in result.said


class AtATerminal(io.StringIO):
    """Somebody at a terminal, without whom no login opens a page."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "--new-window",
        "https://",
        "http://x\x1b[31m",
        "/x",
        "a b",
        None,
        5,
    ],
)
def test_a_login_opens_pages_alone(
    lab: Lab, wire: Wire, monkeypatch: pytest.MonkeyPatch, uri: Any
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    monkeypatch.setattr("sys.stdin", AtATerminal())
    wire.fault = lambda request: httpx.Response(
        200, json={**BEGUN, "verification_uri_complete": uri}
    )
    result = lab.run("login")
    assert result.code == 1
    assert "is not as documented" in result.err
    assert opened == []


@pytest.mark.parametrize("interval", [-5, 0, 1e-9, 1e300, "nan", "inf", "-inf"])
def test_a_login_asks_neither_without_end_nor_too_often(
    lab: Lab, wire: Wire, slept: list[float], interval: Any
) -> None:
    begun = {**BEGUN, "interval": interval, "expires_in": "nan"}

    def fault(request: httpx.Request) -> httpx.Response:
        assert len(wire.requests) < 2_000
        return httpx.Response(
            200, json={"status": "authorization_pending"} if "token" in request.url.path else begun
        )

    wire.fault = fault
    wire.requests.clear()
    assert "took too long" in lab.run("login", "--headless").err
    assert all(1 <= seconds <= 60 for seconds in slept)


@pytest.mark.parametrize(
    "text", ["two\nlines", "é-accented", "with\x00nul", "tab\tinside", "bell\x07-and-more"]
)
@pytest.mark.parametrize("kept", [False, True])
def test_what_can_be_no_token_is_not_sent(lab: Lab, wire: Wire, text: str, kept: bool) -> None:
    """The connection would refuse it, and quote it."""
    if kept:
        tokens.save_token("127.0.0.1", text)
    elif "\x00" in text:
        pytest.skip("no environment holds that")
    wire.requests.clear()
    result = lab.run("plan", token=None if kept else text)
    assert result.code == 1
    assert "is not valid" in result.err
    assert text not in result.said
    assert wire.requests == []


def test_a_token_file_that_is_no_text(lab: Lab, wire: Wire) -> None:
    path = tokens.save_token("127.0.0.1", "x")
    path.write_bytes(b"\xff\xfe\x00")
    assert "is not valid" in lab.run("plan").err


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_a_token_file_is_its_owners_from_the_first_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, int]] = []
    real = os.open

    def watched(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        handle = real(path, flags, mode, **more)
        if flags & os.O_CREAT:
            found = os.fstat(handle)
            made.append((stat.S_IMODE(found.st_mode), found.st_size))
        return handle

    monkeypatch.setattr(os, "open", watched)
    before = os.umask(0)
    try:
        path = tokens.save_token("www.brainstem.org", CANARY)
        assert made == [(0o600, 0)]
        again = tokens.save_token("www.brainstem.org", "another")
    finally:
        os.umask(before)
    assert (again, path.read_text()) == (path, "another\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [
        stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)
    ] == [0o700, 0o700]
    assert [p.name for p in path.parent.iterdir()] == ["www.brainstem.org"]


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_a_folder_that_others_may_enter_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tokens.token_file("x").parent
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    tokens.save_token("x", CANARY)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_doctor_tells_of_a_token_that_others_may_read(lab: Lab, wire: Wire) -> None:
    path = tokens.save_token("127.0.0.1", CANARY)
    assert "chmod 600" not in lab.run("doctor").out
    path.chmod(0o644)
    result = lab.run("doctor")
    told = " ".join(result.out.split())
    assert f"other users of this machine can read it: chmod 600 {path}" in told
    assert result.code == 0
