"""What a first-time user ran into; each has a clear answer."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.lab import Lab, run_in_process


def stemctl(lab: Lab, *arguments: str, **options: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "stemctl", "-C", str(lab.root), *arguments]
    return subprocess.Popen(command, **options)  # type: ignore[call-overload, no-any-return]


def test_no_command_shows_the_help(lab: Lab) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "stemctl"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "Commands:" in result.stdout


def test_a_group_without_a_command_is_a_short_error(lab: Lab) -> None:
    result = lab.run("state")
    assert result.code == 1
    assert result.err.startswith("Error: stemctl state needs a command: list, ")
    assert "\n       Usage: stemctl state [OPTIONS]" in result.err
    assert "state --help    lists the options and commands" in result.err


def test_a_plan_is_kept_over_an_older_plan_and_over_nothing_else(lab: Lab) -> None:
    lab.sessions("{name: a}")
    text = (lab.root / "records" / "sessions.yaml").read_text()
    result = lab.run("plan", "--out", "records/sessions.yaml")
    assert result.code == 1
    assert "is not a plan" in result.err
    assert (lab.root / "records" / "sessions.yaml").read_text() == text
    assert lab.run("plan", "--out", "nowhere/plan.json").code == 1
    assert [lab.run("plan", "--out", "plan.json").code for _ in range(2)] == [0, 0]


def test_a_reader_that_leaves_does_not_end_an_apply(lab: Lab) -> None:
    lab.sessions(*(f"{{name: s{i}, description: Number {i}.}}" for i in range(300)))
    process = stemctl(lab, "apply", "-y", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(200)
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    assert (process.wait(60), err) == (0, b"")
    assert len(lab.state["records"]) == 300
    process.stderr.close()


def test_a_path_that_is_not_there_is_no_success(lab: Lab) -> None:
    lab.sessions("{name: a}")
    assert lab.run("validate", "records/sessions.yaml").code == 0
    result = lab.run("validate", "records/typo.yaml")
    assert result.code == 1
    assert "`records/typo.yaml` is not a manifest of this repository; not checked" in result.out


def test_a_folder_that_is_not_there(lab: Lab) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "stemctl", "-C", str(lab.root / "typo"), "init"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "does not exist" in result.stderr
    assert not (lab.root / "typo").exists()


def test_an_empty_folder_has_no_manifests(lab: Lab) -> None:
    (lab.root / "stemctl.yaml").unlink()
    result = lab.run("--server", "sandbox", "plan")
    assert result.code == 1
    assert "No manifests found" in result.err
    assert not (lab.root / ".stemctl").exists()


def test_a_word_that_should_be_a_plan(lab: Lab) -> None:
    lab.sessions("{name: a}")
    assert "File nope.json not found" in lab.run("apply", "nope.json").err
    lab.write("other.json", "{}")
    assert "other.json is not a plan" in lab.run("apply", "other.json").err


def test_a_full_disk_is_no_bug(lab: Lab) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("a device of Linux")
    lab.sessions("{name: a}")
    with open("/dev/full", "w") as full:
        process = stemctl(lab, "plan", stdout=full, stderr=subprocess.PIPE)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"No space left" in err


def test_the_next_command_keeps_what_was_allowed(lab: Lab) -> None:
    lab.sessions("{name: a}", "{name: b}")
    lab.apply()
    lab.sessions("{name: b}")
    out = lab.run("plan", "--allow", "delete=1").out
    assert "apply --allow delete=1 " in out
    assert "plan --allow delete=1 --out plan.json" in out


def test_one_interrupt_ends_the_question(lab: Lab) -> None:
    """At a real terminal, where Python's event loop would otherwise swallow the first Ctrl-C."""
    lab.sessions("{name: a}")
    ours, theirs = pty.openpty()
    process = stemctl(
        lab, "apply", stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    seen = b""
    while b"is accepted" not in seen:
        seen += os.read(ours, 4096)
    time.sleep(0.2)  # the question stands; its answer is being waited for
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    os.close(ours)
    assert lab.api("GET", "stem/session/")["sessions"] == []


def test_drift_of_nothing_says_so(lab: Lab) -> None:
    lab.sessions("{name: a}")
    assert "Nothing was applied from here yet" in lab.run("drift").out


def test_a_damaged_state_of_the_sandbox_is_not_in_git(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.apply()
    (lab.root / ".stemctl" / "sandbox.state.json").write_text("garbage")
    err = lab.run("plan").err
    assert "rm .stemctl/sandbox.state.json" in err
    assert "git" not in err.replace("a merge by git", "")


def test_the_beginning_of_an_approvals_id_is_enough(lab: Lab) -> None:
    lab.write(
        "records/s.yaml", "sensory_stimulus_types:\n  - {name: Air puff, description: Puff}\n"
    )
    lab.apply()
    (document,) = lab.run("approvals", "list", "-o", "json").json
    short = document["approval"]["id"][:8]
    assert lab.run("approvals", "accept", short, token="sandbox-admin").code == 0


def test_an_empty_address_does_not_mean_everything(lab: Lab) -> None:
    """It is what a shell makes of a variable that is not set."""
    lab.sessions("{name: a}")
    for words in (("plan", ""), ("apply", "-y", " "), ("plan", "--exclude", "")):
        result = lab.run(*words)
        assert (result.code, lab.requests) == (1, []), words
        assert "An address is empty." in result.said


def test_an_apply_that_cannot_ask_proposes_the_same_selection(lab: Lab) -> None:
    lab.sessions("{name: a}", name="records/a.yaml")
    lab.sessions("{name: b}", name="records/b.yaml")
    options = ["--exclude", "session/b", "--allow", "delete=2", "--parallelism", "1"]
    result = lab.run("apply", "records/a.yaml", *options)
    assert result.code == 1
    assert (
        "apply records/a.yaml --exclude session/b --allow delete=2 --parallelism 1 --auto-approve"
        in result.err
    )
    assert "plan records/a.yaml --exclude session/b --allow delete=2   " in result.err


def test_a_removed_current_folder_is_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    for command in ("plan", "validate", "explain"):
        result = run_in_process(command)
        assert result.code == 1
        assert "The current folder no longer exists." in result.err
