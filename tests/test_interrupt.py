"""Real processes that are interrupted or killed in the middle of an apply."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.served import serve_slowly


def start(lab: Lab, url: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "stemctl",
        "-C",
        str(lab.root),
        "--server",
        url,
        "apply",
        "-y",
        "--parallelism",
        "2",
    ]
    environ = {**os.environ, "BRAINSTEM_TOKEN": "sandbox-user"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environ)


def wait_for(arrived: list[str], number: int) -> None:
    while len(arrived) < number:
        time.sleep(0.01)


def state(lab: Lab) -> dict[str, object]:
    (path,) = lab.root.glob("127*.state.json")
    return dict(json.loads(path.read_text())["records"])


def live_names(lab: Lab) -> list[str]:
    return [record["name"] for record in lab.api("GET", "stem/session/?limit=100")["sessions"]]


def test_the_first_interrupt_waits_for_what_is_in_flight(lab: Lab) -> None:
    lab.sessions(*(f"{{name: s{i}}}" for i in range(12)))
    with serve_slowly(lab.root, 0.4) as (url, arrived):
        process = start(lab, url)
        wait_for(arrived, 3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130, out + err
        assert "No new requests" in err
        done = len(arrived)
        assert 3 <= done <= 5
        assert f"Interrupted: {done} created" in out
        assert f"{12 - done} skipped" in out
        assert len(state(lab)) == done
        again = start(lab, url)
        out, err = again.communicate(timeout=60)
        assert again.returncode == 0, out + err
        assert len(arrived) == 12
    assert sorted(live_names(lab)) == sorted(f"s{i}" for i in range(12))


@pytest.mark.parametrize("signals", [[signal.SIGKILL], [signal.SIGINT, signal.SIGINT]], ids=["killed", "twice"])
def test_nothing_is_lost_or_doubled_when_it_dies(lab: Lab, signals: list[signal.Signals]) -> None:
    lab.sessions(*(f"{{name: s{i}}}" for i in range(6)))
    with serve_slowly(lab.root, 0.4) as (url, arrived):
        process = start(lab, url)
        wait_for(arrived, 3)
        for number in signals:
            process.send_signal(number)
            time.sleep(0.1)
        process.communicate(timeout=60)
        assert process.returncode in (-signal.SIGKILL, 130)
        time.sleep(1)  # what was in flight arrives without its sender
        again = start(lab, url)
        out, err = again.communicate(timeout=60)
        assert again.returncode == 0, out + err
        assert len(state(lab)) == 6
    assert sorted(live_names(lab)) == sorted(f"s{i}" for i in range(6))


def test_two_applies_at_once_exclude_each_other(lab: Lab) -> None:
    lab.sessions("{name: s1}", "{name: s2}", "{name: s3}")
    with serve_slowly(lab.root, 0.7) as (url, arrived):
        first = start(lab, url)
        wait_for(arrived, 1)
        second = start(lab, url)
        out, err = second.communicate(timeout=60)
        assert second.returncode == 1, out
        assert "Another stemctl is applying" in err
        first.communicate(timeout=60)
        assert first.returncode == 0
    assert len(live_names(lab)) == 3


def test_state_file_is_never_half_written(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.sessions("{name: a}")
    lab.apply()
    before = lab.state
    lab.sessions("{name: a}", "{name: b}")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk gone")))
    assert lab.run("apply", "--auto-approve").code == 70
    monkeypatch.undo()
    assert lab.state == before


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text.replace('"room"', '"roam"').replace("a tag", "b tag"), "does not match its checksum"),
        (lambda text: text.replace('"format": 1', '"format": 99'), "has format 99, this stemctl reads up to 1"),
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
        '{"format": 1, "lineage": null, "serial": 0, "url": "http://127.0.0.1:2/", "portal": "private", '
        '"edition": "2024", "names": {}, "records": {}}'
    )
    from stemctl.state import _checksum

    lab.write("here.state.json", text[:-1] + f', "checksum": "{_checksum(json.loads(text))}"}}')
    result = lab.run("plan")
    assert result.code == 1
    assert "belongs to another server" in result.err
    assert "http://127.0.0.1:2/" in result.err
