"""What the jobs of `ci init` install, with pip in empty environments, as the workflows say it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from stemctl import __version__
from stemctl.commands.ci_forms import LOCK
from stemctl.commands.install_source import FileSource, GitSource, read_direct_url
from tests.git.team import Member, git
from tests.support.lab import run_in_process
from tests.support.paths import PROJECT

PARTS = ("stemctl", "schemas", "pyproject.toml", "README.md", "LICENSE", "action.yml", ".ci")
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Machine:
    """An empty environment of Python, as a job has it."""

    folder: Path

    def run(self, script: str, **environ: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            env={**os.environ, "PATH": path, "HOME": str(self.folder), **environ},
            capture_output=True,
            text=True,
            check=False,
        )

    def direct_url(self) -> str:
        (found,) = self.folder.glob("lib/*/site-packages/stemctl-*.dist-info/direct_url.json")
        return found.read_text()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Member:
    """A repository with what the wheel is made of, at a commit."""
    member = Member(tmp_path_factory.mktemp("own"), "maintainer")
    git(member.root, "init", "-q", "--initial-branch=main")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in PARTS:
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, member.root / name, ignore=ignored)
        else:
            shutil.copy(PROJECT / name, member.root / name)
    member.commit("As it is")
    return member


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine with all that the lock has, which the tests below share."""
    machine = machine_at(tmp_path_factory.mktemp("machine"))
    lock = PROJECT / "stemctl/commands/templates/ci" / LOCK
    done = machine.run(
        f"python -I -m pip install --quiet --require-hashes --only-binary :all: -r {lock}"
    )
    if done.returncode and "No matching distribution found" in done.stderr:
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    return machine


def machine_at(folder: Path) -> Machine:
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return Machine(folder)


def workspace(folder: Path, source: str) -> Path:
    """A repository with workflows that install that."""
    git(folder, "init", "-q", "--initial-branch=main", "lab")
    config = "servers: {lab: {url: 'https://www.brainstem.org/', edition: 2026}}\n"
    (folder / "lab/stemctl.yaml").write_text(config)
    result = run_in_process("-C", str(folder / "lab"), "ci", "init", "github", "--source", source)
    assert result.code == 0, result.said
    return folder / "lab"


def install(machine: Machine, lab: Path) -> subprocess.CompletedProcess[str]:
    """The step of a workflow that installs stemctl."""
    workflow = yaml.safe_load((lab / ".github/workflows/stemctl-apply.yml").read_text())
    steps = workflow["jobs"]["plan"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("name") == "Install stemctl"]
    return machine.run(script, GITHUB_WORKSPACE=str(lab), **workflow["env"])


def test_a_commit_is_installed_and_knows_where_it_came_from(
    tmp_path: Path, own: Member, installed: Machine
) -> None:
    commit = own.git("rev-parse", "HEAD")
    lab = workspace(tmp_path, f"git+file://{own.root}@{commit}")
    done = install(installed, lab)
    assert done.returncode == 0, done.stderr
    assert installed.run("stemctl --version").stdout.split()[-1] == __version__
    hosted = installed.direct_url().replace(f"file://{own.root}", "https://forge.example/stemctl")
    assert read_direct_url(hosted, {}) == GitSource("https://forge.example/stemctl", commit)


def test_the_action_installs_its_own_checkout(own: Member, installed: Machine) -> None:
    action = yaml.safe_load((own.root / "action.yml").read_text())
    (script,) = [
        step["run"] for step in action["runs"]["steps"] if step.get("name") == "Install stemctl"
    ]
    done = installed.run(script, GITHUB_ACTION_PATH=str(own.root))
    assert done.returncode == 0, done.stderr
    assert installed.run("stemctl --version").stdout.split()[-1] == __version__
    assert json.loads(installed.direct_url())["url"] == own.root.as_uri()


@pytest.mark.parametrize("right", [True, False])
def test_a_file_is_installed_by_its_hash(
    tmp_path: Path, own: Member, installed: Machine, right: bool
) -> None:
    build = "python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir"
    done = installed.run(f"{build} {tmp_path} {own.root}; sha256sum {tmp_path}/*.whl")
    assert done.returncode == 0, done.stderr
    (wheel,), sha256 = tmp_path.glob("*.whl"), done.stdout.split()[0]
    source = FileSource(wheel.as_uri(), sha256 if right else "0" * 64)
    installed.run("python -m pip uninstall --quiet --yes stemctl")
    script = (PROJECT / "stemctl/commands/templates/ci/steps/install.sh").read_text().splitlines()
    done = installed.run(script[-1], STEMCTL=source.requirement)
    assert (done.returncode == 0) == right, done.stderr
    assert (installed.run("stemctl --version").returncode == 0) == right
    if right:
        hosted = installed.direct_url().replace("file://", "https://forge.example")
        assert read_direct_url(hosted, {}) == FileSource(f"https://forge.example{wheel}", sha256)


def test_a_package_with_another_hash_stops_the_job(
    tmp_path: Path, own: Member, installed: Machine
) -> None:
    lab = workspace(tmp_path, f"git+file://{own.root}@{own.git('rev-parse', 'HEAD')}")
    lock = lab / ".github" / LOCK
    name, _, rest = lock.read_text().partition("idna==")
    first, _, others = rest.partition("\n\n") if "\n\n" in rest else rest.partition("\nj")
    wrong = re.sub("sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", first)
    lock.write_text(f"{name}idna=={wrong}\nj{others}")
    machine = machine_at(tmp_path / "machine")
    done = install(machine, lab)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert not list(machine.folder.glob("lib/*/site-packages/idna*"))
    assert not (machine.folder / "bin/stemctl").exists()
