"""Completion in the shells themselves, at a terminal: what is typed, and what a command then gets.

In each shell, `stemctl` is a function that completes as ever, and otherwise prints its arguments.
"""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stemctl.cli.completion.shells import SHELLS, script
from tests.support.lab import Lab

POSIX = """\
stemctl() {
  if [ -n "$_STEMCTL_COMPLETE" ]; then "PYTHON" -m stemctl "$@"
  else printf '<%s>' got "$@"; echo; fi
}
"""
FISH = """\
function stemctl
  if set -q _STEMCTL_COMPLETE; "PYTHON" -m stemctl $argv
  else; printf '<%s>' got $argv; echo; end
end
"""
START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], POSIX),
    "zsh": (["zsh", "-f", "-i"], f"autoload -Uz compinit && compinit -u -D\n{POSIX}"),
    "fish": (["fish", "--no-config", "-i"], FISH),
}
LONGEST = 60
"""Seconds that an answer may take on a machine that is busy."""


class Shell:
    """A shell at a terminal."""

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        command, functions = START[name]
        setup = root / "setup"
        setup.write_text(functions.replace("PYTHON", sys.executable) + script(name))
        self.seen = ""
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(root)
            settings = {
                "TERM": "xterm" if name == "fish" else "dumb",
                "PS1": "$ ",
                "PROMPT": "$ ",
                "LC_ALL": "C.UTF-8",
            }
            os.execvpe(command[0], command, {**os.environ, **settings})
        self.type(f"source {setup}; echo rea''dy\n")
        self.wait("ready")

    def type(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def wait(self, text: str) -> str:
        """What was printed, once `text` is in it."""
        end = time.monotonic() + LONGEST
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self.terminal], [], [], 0.2)[0]:
                self.seen += os.read(self.terminal, 65536).decode(errors="replace")
        return self.seen

    def got(self, keys: str) -> str:
        """The arguments that a command gets after these keys."""
        self.seen = ""
        self.type(f"{keys}\n")
        self.wait("<got>")
        self.wait(">\r\n")
        return self.seen.rpartition("<got>")[2].partition("\r")[0]

    def end(self) -> None:
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.terminal)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Shell]:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    lab.sessions(
        "{name: rat12 maze}",
        '{name: "bird:a"}',
        '{name: "it\'s $(touch hacked) `touch hacked` \\"x\\" !y;*?#~ {a,b} \\\\ é"}',
        "{name: same one}",
        "{name: same two}",
    )
    lab.write("other/file.yaml", "")
    started = Shell(request.param, lab.root)
    yield started
    started.end()


@pytest.mark.slow
def test_completion_at_a_terminal(shell: Shell, lab: Lab) -> None:
    assert shell.got("stemctl pla\tsession/rat\t") == "<plan><session/rat12 maze>"
    assert shell.got("stemctl plan session/bi\t") == "<plan><session/bird:a>"
    assert shell.got("stemctl plan session/bird:\t") == "<plan><session/bird:a>"
    assert shell.got("stemctl plan 'session/rat\t") == "<plan><session/rat12 maze>"
    assert shell.got('stemctl plan "session/rat\t') == "<plan><session/rat12 maze>"
    assert shell.got("stemctl plan session/rat12\\ m\t") == "<plan><session/rat12 maze>"
    assert shell.got("stemctl plan session/sa\ttw\t") == "<plan><session/same two>"
    assert shell.got("stemctl get session --format=js\t") == "<get><session><--format=json>"
    assert (
        shell.got("stemctl get session --filter des\tx")
        == "<get><session><--filter><description=x>"
    )
    assert shell.got("stemctl get session --so\t-des\t") == "<get><session><--sort><-description>"
    assert shell.got("stemctl fmt oth\tfi\t").replace("//", "/") == "<fmt><other/file.yaml>"
    odd = 'it\'s $(touch hacked) `touch hacked` "x" !y;*?#~ {a,b} \\ é'
    assert shell.got("stemctl plan session/it\t") == f"<plan><session/{odd}>"
    assert not (lab.root / "hacked").exists()


@pytest.mark.slow
def test_what_may_follow_is_listed(shell: Shell) -> None:
    """bash lists at the second key, zsh and fish at the first: a second one would choose."""
    shell.seen = ""
    shell.type("stemctl plan session/" + ("\t\t" if shell.name == "bash" else "\t"))
    for text in ("bird:a", "rat12", "same"):
        shell.wait(text)
    assert "Traceback" not in shell.seen
