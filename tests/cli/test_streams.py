"""Standard streams that are closed, full, or left by their reader: real processes, as a shell
starts them.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.git.team import SOURCE
from tests.support.lab import Lab

pytestmark = pytest.mark.slow

CLOSED = ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"]
NULL = {"<&-": "</dev/null", ">&-": ">/dev/null", "2>&-": "2>/dev/null"}
needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")


def shell(lab: Lab, redirect: str, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """`python -m stemctl`, with the redirections of a shell."""
    command = shlex.join([sys.executable, "-m", "stemctl", "-C", str(lab.root), *words])
    if words[:1] in (("--help",), ("--version",)):
        command = shlex.join([sys.executable, "-m", "stemctl", *words])
    return subprocess.run(
        ["sh", "-c", f"exec {command} {redirect}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **environ},
    )


def as_null(redirect: str) -> str:
    return " ".join(NULL[part] for part in redirect.split())


@pytest.mark.parametrize(
    "redirect, words",
    [
        *((redirect, ["plan", "-o", "json"]) for redirect in CLOSED),
        *(
            (CLOSED[-1], words)
            for words in (["--help"], ["plan", "--help"], ["apply"], ["nonsense"])
        ),
    ],
)
def test_a_closed_stream_is_the_null_device(lab: Lab, redirect: str, words: list[str]) -> None:
    lab.sessions("{name: a}")
    lab.run("plan")  # a sandbox that is there, so that both runs see the same
    closed, null = shell(lab, redirect, *words), shell(lab, as_null(redirect), *words)
    assert (closed.returncode, closed.stdout, closed.stderr) == (
        null.returncode,
        null.stdout,
        null.stderr,
    )
    assert closed.returncode in (0, 1)


@pytest.mark.parametrize("redirect", CLOSED[-2:])
def test_no_file_gets_the_number_of_a_closed_stream(lab: Lab, redirect: str) -> None:
    """Else a line for the screen would end up in the state, the journal or the database."""
    subprocess.run(["git", "init", "-q", str(lab.root)], check=True)
    lab.sessions("{name: a}", "{name: b}")
    done = shell(lab, redirect, "apply", "--auto-approve")
    assert done.returncode == 0, done.stderr
    assert len(lab.state["records"]) == 2
    assert not (lab.root / ".stemctl/sandbox.journal").exists()
    assert lab.plan()["changes"] == []


def test_children_find_all_streams_open(lab: Lab) -> None:
    code = (
        "import sys; sys.argv = ['stemctl', '--version']\n"
        "from stemctl.cli import start; start()\n"
        "import subprocess\n"
        "command = ['sh', '-c', 'cat <&0 && echo x && echo y >&2']\n"
        "raise SystemExit(subprocess.run(command).returncode)"
    )
    command = shlex.join([sys.executable, "-c", code])
    assert subprocess.run(["sh", "-c", f"exec {command} <&- >&- 2>&-"], check=False).returncode == 0


@needs_full
@pytest.mark.parametrize("form", ["json", "github"])
def test_a_full_disk_after_an_apply_is_no_failure_of_the_apply(lab: Lab, form: str) -> None:
    lab.sessions(*(f"{{name: s{i}}}" for i in range(60)))
    done = shell(lab, ">/dev/full", "apply", "--auto-approve", "-o", form)
    assert done.returncode == 3
    assert "The output cannot be written: No space left on device." in done.stderr
    assert "60 created" in done.stderr
    assert len(lab.state["records"]) == 60
    assert lab.plan()["changes"] == []


@needs_full
@pytest.mark.parametrize(
    "words", [["plan"], ["plan", "-o", "json"], ["apply", "--auto-approve"], ["validate"]]
)
def test_a_full_disk_before_anything_is_written_ends_the_run(lab: Lab, words: list[str]) -> None:
    """Nothing is sent that was to be shown first and could not be."""
    lab.sessions("{name: a}")
    done = shell(lab, ">/dev/full", *words)
    assert (done.returncode, "No space left on device" in done.stderr) == (1, True)
    assert lab.api("GET", "stem/session/")["sessions"] == []


@needs_full
@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["plan", "--help"], ["plan", "-o", "nonsense"]]
)
def test_a_full_disk_without_a_run(lab: Lab, words: list[str]) -> None:
    done = shell(lab, ">/dev/full", *words)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


@needs_full
def test_stderr_that_takes_nothing_ends_nothing(lab: Lab) -> None:
    """A pause is told in the middle of a run, by a callback."""
    lab.write(
        "faults.yaml",
        "faults:\n  - match: {method: POST}\n"
        "    fault: status\n    status: 429\n    retry_after: 1\n    times: 2\n",
    )
    config = (
        (lab.root / "stemctl.yaml")
        .read_text()
        .replace("seed.yaml}", "seed.yaml, faults: faults.yaml}")
    )
    lab.write("stemctl.yaml", config)
    lab.sessions("{name: a}", "{name: b}", "{name: c}")
    done = shell(lab, "2>/dev/full", "apply", "--auto-approve")
    assert done.returncode == 0
    assert "3 created" in done.stdout
    assert len(lab.state["records"]) == 3


@needs_full
def test_no_question_is_asked_unseen(lab: Lab) -> None:
    lab.sessions("{name: a}")
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "stemctl", "-C", str(lab.root), "apply"]
    os.write(ours, b"yes\n")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command, stdin=theirs, stdout=subprocess.PIPE, stderr=full, check=False, timeout=60
        )
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 1
    assert lab.api("GET", "stem/session/")["sessions"] == []


def conflict(lab: Lab) -> None:
    lab.sessions("{name: a, description: one}")
    lab.apply()
    lab.edit("session", "a", description="two")
    lab.sessions("{name: a, description: three}")


def applied(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.apply()


def unbound(lab: Lab) -> None:
    lab.api(
        "POST",
        "stem/session/",
        {"name": "a", "projects": [lab.live("project", "Theta Maze Study")["id"]], "tags": []},
    )


def bare(lab: Lab) -> None:
    (lab.root / "stemctl.yaml").unlink()


def ugly(lab: Lab) -> None:
    lab.write("records/sessions.yaml", "sessions:   []\n")


def forge(lab: Lab) -> None:
    subprocess.run(["git", "init", "-q", str(lab.root)], check=True)
    lab.write("stemctl.yaml", "servers:\n  real: {url: 'https://x.example/', edition: 2024}\n")


def proposed(lab: Lab) -> None:
    lab.write(
        "records/stimulus.yaml",
        "sensory_stimulus_types:\n  - {name: Air puff, description: Brief}\n",
    )
    lab.apply()


WRITERS = {
    "resolve": (conflict, ["resolve", "session/a"], ".stemctl/sandbox.state.json"),
    "import": (unbound, ["import", "session/z", "ID"], ".stemctl/sandbox.state.json"),
    "state rm": (applied, ["state", "rm", "session/a"], ".stemctl/sandbox.state.json"),
    "state mv": (applied, ["state", "mv", "session/a", "session/b"], ".stemctl/sandbox.state.json"),
    "approvals accept": (proposed, ["approvals", "accept", "sensorystimulustype/Air puff"], ""),
    "init": (bare, ["init"], "stemctl.yaml"),
    "fmt": (ugly, ["fmt"], "records/sessions.yaml"),
    "ci init": (
        forge,
        ["ci", "init", "github", "--source", SOURCE],
        ".github/workflows/stemctl-check.yml",
    ),
    "sandbox reset": (applied, ["sandbox", "reset"], ".stemctl/sandbox.db"),
}
"""What a command needs, its words, and a file that it writes or removes."""


@needs_full
@pytest.mark.parametrize("name", WRITERS)
def test_what_was_written_is_never_exit_code_1(lab: Lab, name: str) -> None:
    prepare, words, file = WRITERS[name]
    prepare(lab)
    id_ = lab.live("session", "a")["id"] if "ID" in words else ""
    path = lab.root / file
    before = path.read_text() if path.is_file() and path.suffix != ".db" else path.is_file()
    full = shell(
        lab,
        ">/dev/full",
        *(id_ if w == "ID" else w for w in words),
        BRAINSTEM_TOKEN="sandbox-admin",
    )
    assert full.returncode == 3, full.stderr
    assert "The output cannot be written" in full.stderr
    assert "Already done: " in full.stderr
    assert (
        path.read_text() if path.is_file() and path.suffix != ".db" else path.is_file()
    ) != before or not file


def test_a_failure_after_the_first_of_several_files(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full after the first workflow, and after the first file of a new repository."""
    replace, full = os.replace, ["stemctl-check.yml", ".stemctl-schema.json"]

    def until_full(old: Path, new: Path) -> None:
        if new.name in full:
            raise OSError(28, "No space left on device", str(new))
        replace(old, new)

    forge(lab)
    monkeypatch.setattr(os, "replace", until_full)
    first = lab.run("ci", "init", "github", "--source", SOURCE)
    assert first.code == 3
    assert (
        "Already done: wrote .github/stemctl.lock, .github/workflows/stemctl-apply.yml" in first.err
    )
    assert not (lab.root / ".github/workflows/stemctl-check.yml").exists()
    (lab.root / "stemctl.yaml").unlink()
    second = lab.run("init")
    assert second.code == 3
    assert "stemctl.yaml" in second.err.partition("Already done: ")[2]


def test_the_error_document_says_3_as_the_process_does(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*words: object) -> object:
        raise OSError(5, "Input/output error")

    lab.sessions("{name: a}")
    monkeypatch.setattr("stemctl.cli.cmd.apply.report_document", broken)
    result = lab.run("apply", "--auto-approve", "-o", "json")
    assert (result.code, result.json["exit_code"]) == (3, 3)
    assert "1 created" in result.json["error"]["why"]
    assert json.loads(result.out)["error"]["what"] == "Input/output error."
