"""The hooks of `.pre-commit-hooks.yaml`, run by pre-commit itself.

Run as hooks of the repository that they are tried in: installing them, as users do, would ask a
package registry.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.paths import PROJECT

REPOSITORY = PROJECT
HOOKS = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))

pytest.importorskip("pre_commit", reason="pre-commit is not installed")


class Project:
    """A git repository with the hooks in it."""

    def __init__(self, root: Path, metadata: str, **override: dict[str, object]) -> None:
        self.root = root
        self.records = root / metadata / "records"
        shutil.copytree(REPOSITORY / "examples" / "lab", root / metadata, dirs_exist_ok=True)
        hooks = [_local(hook | override.get(hook["id"], {})) for hook in HOOKS]
        config = {"repos": [{"repo": "local", "hooks": hooks}]}
        (root / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-qm", "first")
        self.run("-m", "pre_commit", "install")

    def git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run("git", "-c", "user.name=a", "-c", "user.email=a@b.example", *arguments)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run(sys.executable, *arguments)

    def commit(self) -> subprocess.CompletedProcess[str]:
        self.git("add", "-A")
        return self.git("commit", "-m", "next")

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("GIT_")
        }
        environment |= {"PRE_COMMIT_HOME": str(self.root / ".git" / "hooks-cache")}
        environment["PYTHONPATH"] = os.pathsep.join(
            [str(REPOSITORY), environment.get("PYTHONPATH", "")]
        )
        return subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )


def _local(hook: dict[str, object]) -> dict[str, object]:
    """The hook with the program of this environment in place of an installed one."""
    program, _, rest = str(hook["entry"]).partition(" ")
    assert program == "stemctl"
    return hook | {"language": "system", "entry": f"{sys.executable} -m stemctl {rest}"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, ".")


def test_sound_files_pass(project: Project) -> None:
    result = project.run("-m", "pre_commit", "run", "--all-files")
    assert result.returncode == 0, result.stdout
    assert result.stdout.count("Passed") == len(HOOKS)


def test_a_wrong_file_is_not_committed(project: Project) -> None:
    (project.records / "wrong.yaml").write_text("sessions:\n  - {name: x\n")
    result = project.commit()
    assert result.returncode == 1
    assert "records/wrong.yaml:2:5: error: this `{` is never closed [syntax]" in result.stderr
    assert project.git("log", "--format=%s").stdout == "first\n"


@pytest.mark.slow
def test_an_ugly_file_is_laid_out_and_committed_the_second_time(project: Project) -> None:
    """Files that are no manifests stay as they are."""
    (project.records / "ugly.yaml").write_text(
        "sessions:\n-   {key: x,name:  rat14, id: 5f7f1d0e-8a80-4d8e-9d3c-3f1b6c0f1a11}\n"
    )
    (project.root / "other.yaml").write_text("on:   [ push ]\n")
    result = project.commit()
    assert result.returncode == 1
    assert "formatted records/ugly.yaml\n1 of " in result.stderr
    assert (project.root / "other.yaml").read_text() == "on:   [ push ]\n"
    assert project.commit().returncode == 0


def test_a_change_that_breaks_another_file_is_not_committed(project: Project) -> None:
    twin = (project.records / "sessions" / "2024" / "rat13.yaml").read_text()
    (project.records / "twin.yaml").write_text(twin)
    result = project.commit()
    assert result.returncode == 1
    assert "rat13.yaml" in result.stderr


@pytest.fixture
def with_defaults(project: Project) -> Project:
    """A record that needs the defaults of its folder is committed."""
    (project.records / "new").mkdir()
    defaults = "defaults:\n  sessions:\n    projects: [Theta Maze Study]\n"
    (project.records / "new/_defaults.yaml").write_text(defaults)
    (project.records / "new/rat99.yaml").write_text("sessions:\n  - name: rat99\n")
    assert project.commit().returncode == 0
    return project


def test_a_commit_that_only_deletes_files_is_checked(with_defaults: Project) -> None:
    (with_defaults.records / "new/_defaults.yaml").unlink()
    result = with_defaults.commit()
    assert result.returncode == 1
    assert "a new session needs `projects`" in result.stderr


def test_a_commit_without_a_yaml_file_is_checked(with_defaults: Project) -> None:
    """As one that moves manifests out of sight."""
    with (with_defaults.root / ".gitignore").open("a") as file:
        file.write("records/new/_defaults.yaml\n")
    with_defaults.git("rm", "-q", "--cached", "records/new/_defaults.yaml")
    assert with_defaults.commit().returncode == 1


@pytest.mark.slow
def test_the_metadata_may_be_a_folder_of_the_repository(tmp_path: Path) -> None:
    """As docs/start.md says."""
    entries = {
        "stemctl-validate": {"entry": "stemctl -C lab validate"},
        "stemctl-fmt": {"entry": "stemctl -C lab fmt"},
    }
    project = Project(tmp_path, "lab", **entries)
    assert project.run("-m", "pre_commit", "run", "--all-files").returncode == 0
    (project.records / "wrong.yaml").write_text("sessions:\n  - {name: x\n")
    result = project.commit()
    assert result.returncode == 1
    assert result.stderr.count(
        "records/wrong.yaml:2:5: error: this `{` is never closed [syntax]"
    ) == len(HOOKS)
