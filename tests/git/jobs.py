"""Runs the workflows that `ci init github` writes, as they are written: each job in a fresh clone,
each step by bash.

What the forge itself does is played: checkouts, artifacts, secrets, outputs, permissions, approval.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.git.team import ROOT, Team, git, pip_once

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Step:
    """A step that was run."""

    job: str
    name: str
    code: int
    said: str


@dataclass
class Ran:
    """One run of a workflow."""

    steps: list[Step] = field(default_factory=list)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    summary: str = ""
    tokens: dict[str, set[str]] = field(default_factory=dict)
    """Job to the names of the secrets that it was given."""

    @property
    def failed(self) -> list[Step]:
        return [step for step in self.steps if step.code]

    @property
    def said(self) -> str:
        return "\n".join(
            f"[{step.job}] {step.name}: {step.code}\n{step.said}" for step in self.steps
        )


@dataclass
class Forge:
    """GitHub, as far as the workflows see it. `secrets` are the repository's, `environments` hold
    more of them.
    """

    team: Team
    folder: Path
    secrets: Mapping[str, str]
    environments: Mapping[str, Mapping[str, str]]
    lease: float = 120

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.store.write_text('{"comments": [], "issues": [], "labels": []}', encoding="utf-8")
        tools = self.folder / "bin"
        tools.mkdir()
        shutil.copy(HERE / "gh", tools / "gh")
        (tools / "stemctl").write_text(
            f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -P -m tests.git.quick "$@"\n',
            encoding="utf-8",
        )
        (tools / "python").write_text(pip_once(self.folder), encoding="utf-8")
        for tool in ("stemctl", "python"):
            (tools / tool).chmod(0o755)

    @property
    def store(self) -> Path:
        """What the forge holds: comments, issues, labels."""
        return self.folder / "forge.json"

    @property
    def holds(self) -> Any:
        return json.loads(self.store.read_text(encoding="utf-8"))

    def run(
        self,
        workflow: str,
        ref: str = "main",
        pull_request: Mapping[str, Any] | None = None,
        before: Mapping[str, Callable[[], None]] | None = None,
    ) -> Ran:
        """Run a workflow of the default branch (of the pull request's merge, if there is one) for
        an event. `before` holds what happens elsewhere before a job begins.
        """
        text = git(self.team.remote, "show", f"{ref}:.github/workflows/{workflow}")
        return Workflow(self, yaml.safe_load(text), ref, pull_request or {}, before or {}).run()


@dataclass
class Workflow:
    """One run."""

    forge: Forge
    text: Any
    ref: str
    pull_request: Mapping[str, Any]
    before: Mapping[str, Callable[[], None]]
    ran: Ran = field(default_factory=Ran)
    artifacts: dict[str, Path] = field(default_factory=dict)

    def run(self) -> Ran:
        for name, job in self.text["jobs"].items():
            needs = [job["needs"]] if "needs" in job else []
            broken = any(step.code for step in self.ran.steps if step.job in needs)
            if broken or any(one in self.ran.skipped for one in needs) or not self.is_wanted(job):
                self.ran.skipped.append(name)
            else:
                self.before.get(name, lambda: None)()
                self.job(name, job)
        return self.ran

    def is_wanted(self, job: Any) -> bool:
        condition = job.get("if")
        if condition is None:
            return True
        left, operator, right = re.fullmatch(r"(\S+) (==|!=) (\S+)", condition).groups()  # type: ignore[union-attr]
        values = [
            part.strip("'") if part.startswith("'") else self.value(part, {})
            for part in (left, right)
        ]
        return (values[0] == values[1]) == (operator == "==")

    def job(self, name: str, job: Any) -> None:
        assert job["permissions"] is not None, "a job without permissions of its own has too many"
        folder = self.forge.folder / f"{name}-{len(list(self.forge.folder.iterdir()))}"
        folder.mkdir()
        environment = self.forge.environments.get(job.get("environment", ""), {})
        secrets = {} if self.is_foreign else {**self.forge.secrets, **environment}
        context = {"secrets": secrets, "steps": {}}
        self.ran.tokens[name] = set()
        defaults = job.get("defaults") or self.text.get("defaults") or {}
        assert defaults["run"]["shell"] == "bash", (
            "GitHub's default shell has no pipefail; this one is run with it"
        )
        for step in job["steps"]:
            if "uses" in step:
                self.action(step, folder, job["permissions"])
                continue
            where = folder / defaults.get("run", {}).get("working-directory", ".")
            code, said, outputs = self.bash(name, step, where, context)
            self.ran.steps.append(Step(name, step["name"], code, said))
            context["steps"][step.get("id", "")] = {"outputs": outputs}
            if code:
                return
        wanted = job.get("outputs", {}).items()
        self.ran.outputs[name] = {key: self.filled(value, context) for key, value in wanted}

    @property
    def is_foreign(self) -> bool:
        return bool(self.pull_request) and self.pull_request["head"] != "lab/metadata"

    def bash(
        self, job: str, step: Any, where: Path, context: Any
    ) -> tuple[int, str, dict[str, str]]:
        output, summary = self.forge.folder / "output", self.forge.folder / "summary"
        output.write_text("", encoding="utf-8")
        summary.write_text("", encoding="utf-8")
        given = {key: str(value) for key, value in self.text.get("env", {}).items()}
        for key, value in step.get("env", {}).items():
            given[key] = self.filled(value, context)
            if "secrets." in str(value) and given[key]:
                self.ran.tokens[job].add(value.partition("secrets.")[2].split()[0])
        environ = {
            "PATH": f"{self.forge.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.forge.folder),
            "LANG": "C.UTF-8",
            "GITHUB_ACTIONS": "true",
            "GITHUB_RUN_ID": str(len(list(self.forge.folder.iterdir()))),
            "GITHUB_SERVER_URL": "https://forge.example",
            "GITHUB_REPOSITORY": "lab/metadata",
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "FAKE_FORGE": str(self.forge.store),
            "STEMCTL_TEST_LEASE": str(self.forge.lease),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            **given,
        }
        script = where / ".step.sh"
        script.write_text(step["run"], encoding="utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", ".step.sh"],
            cwd=where,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        script.unlink()
        self.ran.summary += summary.read_text(encoding="utf-8")
        rows = (line.partition("=") for line in output.read_text(encoding="utf-8").splitlines())
        return done.returncode, done.stdout, {key: value for key, _, value in rows}

    def action(self, step: Any, folder: Path, permissions: Mapping[str, str]) -> None:
        name, _, version = step["uses"].partition("@")
        assert re.fullmatch(r"[0-9a-f]{40}", version), "an action that is not pinned"
        options = step.get("with", {})
        match name:
            case "actions/checkout":
                assert permissions.get("contents") in ("read", "write")
                self.check_out(
                    folder,
                    self.filled(options.get("ref", self.ref), {}),
                    options.get("fetch-depth", 1),
                )
            case "actions/upload-artifact":
                self.artifacts[options["name"]] = folder / options["path"]
            case "actions/download-artifact":
                shutil.copy(self.artifacts[options["name"]], folder)
            case _:
                assert name == "actions/setup-python"

    def check_out(self, folder: Path, ref: str, depth: int) -> None:
        git(folder, "init", "-q")
        git(folder, "remote", "add", "origin", f"file://{self.forge.team.remote}")
        git(folder, "fetch", "-q", "--no-tags", f"--depth={depth}", "origin", ref)
        git(folder, "checkout", "-q", "--detach", "FETCH_HEAD")

    def filled(self, text: Any, context: Any) -> str:
        return re.sub(r"\$\{\{ (\S+) \}\}", lambda found: self.value(found[1], context), str(text))

    def value(self, path: str, context: Any) -> str:
        """What an expression means: nothing but names with dots between them."""
        known = {
            "github": {
                "token": "github-token",
                "repository": "lab/metadata",
                "event": {
                    "pull_request": {
                        "number": str(self.pull_request.get("number", "")),
                        "head": {"repo": {"full_name": self.pull_request.get("head", "")}},
                    }
                },
            },
            "needs": {name: {"outputs": outputs} for name, outputs in self.ran.outputs.items()},
            **context,
        }
        found: Any = known
        for word in path.split("."):
            found = found.get(word, "") if isinstance(found, Mapping) else ""
        return str(found)
