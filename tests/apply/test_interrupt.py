"""Real processes that are interrupted or killed in the middle of an apply."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lab import Lab
from tests.support.served import Gate, serve_behind


@contextlib.contextmanager
def applying(lab: Lab, url: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """`stemctl apply`, two requests at a time, or another command, as a process of its own."""
    where = ["-C", str(lab.root), "--server", url]
    command = [
        sys.executable,
        "-m",
        "stemctl",
        *where,
        *(words or ("apply", "-y", "--parallelism", "2")),
    ]
    environ = {**os.environ, "BRAINSTEM_TOKEN": "sandbox-user"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def state(lab: Lab) -> dict[str, object]:
    (path,) = lab.root.glob("127*.state.json")
    return dict(json.loads(path.read_text())["records"])


def live_names(lab: Lab) -> list[str]:
    return sorted(
        record["name"] for record in lab.api("GET", "stem/session/?limit=100")["sessions"]
    )


def interrupt(process: subprocess.Popen[str]) -> None:
    """Send Ctrl-C, and wait until it is understood."""
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "Stopping: waiting" not in process.stderr.readline():
        assert process.poll() is None


def test_the_first_interrupt_waits_for_what_is_in_flight(lab: Lab) -> None:
    lab.sessions(*(f"{{name: s{i}}}" for i in range(6)))
    gate = Gate()
    with serve_behind(gate, lab.root) as url:
        with applying(lab, url) as process:
            gate.wait_for(2)
            interrupt(process)
            gate.opened.set()
            code, out, err = finish(process)
            assert code == 130, out + err
            assert "Interrupted: 2 created" in out
            assert "4 skipped" in out
        assert len(state(lab)) == len(gate.arrived) == 2
        assert not any("doubts" in entry for entry in state(lab).values())
        assert not list((lab.root / ".stemctl").glob("127*.journal"))
        with applying(lab, url) as process:
            code, out, err = finish(process)
            assert code == 0, out + err
        assert len(gate.arrived) == 6
    assert live_names(lab) == [f"s{i}" for i in range(6)]


@pytest.mark.parametrize(
    "how",
    [
        "killed",
        *(
            pytest.param(how, marks=pytest.mark.slow)
            for how in ("interrupted twice", "cancelled by CI")
        ),
    ],
)
def test_nothing_is_lost_or_doubled_when_it_dies(lab: Lab, how: str) -> None:
    lab.sessions(*(f"{{name: s{i}}}" for i in range(4)))
    gate = Gate()
    with serve_behind(gate, lab.root) as url:
        with applying(lab, url) as process:
            gate.wait_for(2)
            if how == "killed":
                process.kill()
            else:
                interrupt(process)
                process.send_signal(signal.SIGTERM if how == "cancelled by CI" else signal.SIGINT)
            code, _, _ = finish(process)
            assert code in (-signal.SIGKILL, 130)
        assert not list(lab.root.glob("127*.state.json"))  # only the journal knows
        gate.opened.set()
        gate.wait_for(2, "done")  # what was in flight is carried out without its sender
        with applying(lab, url, "plan") as process:
            code, out, err = finish(process)
            assert code == 0, out + err
            assert "broke off: 0 done, 2 sent without an answer, 2 not started" in err
            assert out.count("on the server, as sent") == 2
        with applying(lab, url) as process:
            code, out, err = finish(process)
            assert code == 0, out + err
        assert len(state(lab)) == 4
    assert live_names(lab) == [f"s{i}" for i in range(4)]


def test_two_applies_at_once_exclude_each_other(lab: Lab) -> None:
    lab.sessions("{name: s1}", "{name: s2}", "{name: s3}")
    gate = Gate()
    with serve_behind(gate, lab.root) as url, applying(lab, url) as first:
        gate.wait_for(1)
        with applying(lab, url) as second:
            code, out, err = finish(second)
            assert code == 1, out
            assert "Another stemctl process is writing to 127.0.0.1" in err
            assert f"process {first.pid}, since 20" in err
        gate.opened.set()
        code, out, err = finish(first)
        assert code == 0, out + err
    assert live_names(lab) == ["s1", "s2", "s3"]


def test_state_file_is_never_half_written(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.sessions("{name: a}")
    lab.apply()
    before = lab.state
    lab.sessions("{name: a}", "{name: b}")
    replace = os.replace

    def fail(source: Path, target: Path) -> None:
        if str(target).endswith(".state.json"):
            raise OSError("disk gone")
        replace(source, target)

    monkeypatch.setattr("os.replace", fail)
    result = lab.run("apply", "--auto-approve")
    assert result.code == 3
    assert "1 created" in result.out
    assert "State saved" not in result.out
    assert "cannot be written: disk gone" in result.err
    monkeypatch.setattr("os.replace", replace)
    assert lab.state == before
    assert lab.plan()["summary"]["unchanged"] == 2
    lab.apply()
    assert lab.writes == []
    assert list(lab.state["records"]) == ["session/a", "session/b"]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (
            lambda text: text.replace('"room"', '"roam"').replace("a tag", "b tag"),
            "does not match its checksum",
        ),
        (
            lambda text: text.replace('"format": 1', '"format": 99'),
            "has format 99, this stemctl reads up to 3",
        ),
        (lambda text: "<<<<<<< HEAD\n" + text, "is not a state file"),
        (lambda text: text[: len(text) // 2], "is not a state file"),
        (lambda text: "[]", "is not a state file"),
    ],
)
def test_a_damaged_state_is_refused(lab: Lab, damage, words: str) -> None:  # type: ignore[no-untyped-def]
    lab.sessions("{name: a, tags: [a tag]}")
    lab.apply()
    path: Path = lab.root / ".stemctl" / "sandbox.state.json"
    path.write_text(damage(path.read_text()))
    result = lab.run("apply", "--auto-approve")
    assert result.code == 1
    assert words in result.err
    assert lab.writes == []


def test_a_state_of_another_server_is_refused(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.write("stemctl.yaml", "servers:\n  here: {url: 'http://127.0.0.1:1/', edition: 2024}\n")
    text = (
        '{"format": 1, "lineage": null, "serial": 0, "url": "http://127.0.0.1:2/", '
        '"portal": "private", "edition": "2024", "names": {}, "records": {}}'
    )
    from stemctl.util.canonical_json import hash_of

    lab.write("here.state.json", text[:-1] + f', "checksum": "{hash_of(json.loads(text))}"}}')
    result = lab.run("plan")
    assert result.code == 1
    assert "belongs to another server" in result.err
    assert "http://127.0.0.1:2/" in result.err
