"""A git that fails: at any of its calls, without an answer, too late; and a repository of our own
that is damaged.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from stemctl.git import process, push
from tests.git.team import Team
from tests.state.test_leases import on_server, sessions, short_leases
from tests.support.effort import step

__all__ = ["short_leases"]
DONE = "lab: 1 created [skip ci]"


class Wrapper:
    """A git on the PATH that fails at the call with a number: `before` it is done, `after` that, or
    it `hangs`.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        folder.mkdir()
        script = folder / "git"
        script.write_text(
            f"""#!/bin/sh
echo "$*" >> {folder}/calls
if [ "$(wc -l < {folder}/calls)" = "$(cat {folder}/number)" ]; then
  case $(cat {folder}/how) in
    before) kill -9 $$ ;;
    after) {shutil.which("git")} "$@" > /dev/null; kill -9 $$ ;;
    hangs) sleep 60 ;;
  esac
fi
exec {shutil.which("git")} "$@"
""",
            encoding="utf-8",
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
        self.fail(0, "")

    def fail(self, number: int, how: str) -> None:
        for name, text in (("number", f"{number}\n"), ("how", how), ("calls", "")):
            (self._folder / name).write_text(text)

    def calls(self) -> int:
        return len((self._folder / "calls").read_text().splitlines())


@pytest.fixture
def wrapper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wrapper:
    return Wrapper(tmp_path / "bin", monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["before", "after", "hangs"])
def test_git_fails_at_any_call(
    team: Team, wrapper: Wrapper, how: str, short_leases: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "PATIENCE", 0.5)
    monkeypatch.setattr(push, "_PATIENCE", 0.5)
    ann, ben = team.clone("ann"), team.clone("ben")
    names = ["whole"]
    ann.sessions(*sessions(*names))
    wrapper.fail(0, "")
    ann.apply()
    calls, codes = wrapper.calls(), []
    for number in range({"before": 1, "after": 5, "hangs": 7}[how], calls + 1, step(8)):
        names.append(f"n{number:02}")
        for member in (ann, ben):
            member.sessions(*sessions(*names))
        wrapper.fail(number, how)
        result = ann.run("apply", "--auto-approve")
        assert result.code in (0, 1, 3), result.said
        assert "bug" not in result.err, result.err
        codes.append(result.code)
        wrapper.fail(0, "")
        if number % 2:
            ben.apply()
        ann.apply()
        assert on_server(team, ann) == sorted(names)
        assert "Nothing to do" in ben.run("plan").out
        assert "lab.claim.json" not in team.files()
    assert 0 in codes
