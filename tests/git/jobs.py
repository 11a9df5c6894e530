"""Runs the workflows that `ci init github` writes, as they are written: each job in a fresh clone,
each step by bash.

What the forge itself does is played: checkouts, artifacts, secrets, outputs, permissions, approval,
and our own action, whose steps are run as they are written too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from tests.git import serving
from tests.git.expressions import filled, holds
from tests.git.team import ROOT, Team, git, pip_log

HERE = Path(__file__).parent
ACTION = "lab/stemctl"
"""Where the workflows find our own action."""


@dataclass(frozen=True)
class Step:
    """A step that was run."""

    job: str
    name: str
    code: int
    said: str


@dataclass(frozen=True)
class Place:
    """Where a step runs: its job, the folder of the checkout, and what holds for the job."""

    job: str
    folder: Path
    permissions: Mapping[str, str]
    defaults: Mapping[str, str]


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
    more of them. `web` serves the repository, which is private.
    """

    team: Team
    web: serving.Forge
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
        (tools / "python").write_text(pip_log(self.installed), encoding="utf-8")
        for tool in ("stemctl", "python"):
            (tools / tool).chmod(0o755)

    @property
    def store(self) -> Path:
        """What the forge holds: comments, issues, labels."""
        return self.folder / "forge.json"

    @property
    def installed(self) -> Path:
        """A line for each time that pip was run."""
        return self.folder / "pip.log"

    @property
    def holds(self) -> Any:
        return json.loads(self.store.read_text(encoding="utf-8"))

    def run(
        self,
        workflow: str,
        ref: str = "main",
        pull_request: Mapping[str, Any] | None = None,
        before: Mapping[str, Callable[[], None]] | None = None,
        queued_on: str = "",
    ) -> Ran:
        """Run a workflow of the default branch (of the pull request's merge, if there is one) for
        an event. `before` holds what happens elsewhere before a job begins; `queued_on` is the
        commit below an entry of a merge queue.
        """
        text = git(self.team.remote, "show", f"{ref}:.github/workflows/{workflow}")
        event = {"pull_request": pull_request or {}, "merge_group": {"base_sha": queued_on}}
        return Workflow(self, yaml.safe_load(text), ref, event, before or {}).run()


@dataclass
class Workflow:
    """One run."""

    forge: Forge
    text: Any
    ref: str
    event: Mapping[str, Any]
    before: Mapping[str, Callable[[], None]]
    ran: Ran = field(default_factory=Ran)
    artifacts: dict[str, Path] = field(default_factory=dict)

    def run(self) -> Ran:
        for name, job in self.text["jobs"].items():
            needs = [job["needs"]] if "needs" in job else []
            broken = any(step.code for step in self.ran.steps if step.job in needs)
            wanted = "if" not in job or holds(job["if"], self.context({}))
            if broken or any(one in self.ran.skipped for one in needs) or not wanted:
                self.ran.skipped.append(name)
            else:
                self.before.get(name, lambda: None)()
                self.job(name, job)
        return self.ran

    def job(self, name: str, job: Any) -> None:
        assert job["permissions"] is not None, "a job without permissions of its own has too many"
        folder = self.forge.folder / f"{name}-{len(list(self.forge.folder.iterdir()))}"
        folder.mkdir()
        environment = self.forge.environments.get(job.get("environment", ""), {})
        secrets = {} if self.is_foreign else {**self.forge.secrets, **environment}
        context = self.context({"secrets": secrets, "steps": {}})
        self.ran.tokens[name] = set()
        self.forge.web.reader = job["permissions"].get("contents") != "write"
        defaults = (job.get("defaults") or self.text.get("defaults") or {}).get("run", {})
        place = Place(name, folder, job["permissions"], defaults)
        if self.steps(job["steps"], place, context):
            wanted = job.get("outputs", {}).items()
            self.ran.outputs[name] = {key: filled(value, context) for key, value in wanted}

    def steps(self, steps: Sequence[Any], place: Place, context: Mapping[str, Any]) -> bool:
        """Run the steps of a job or of an action; whether all went well."""
        for step in steps:
            if "if" in step and not holds(step["if"], context):
                continue
            if step.get("uses", "").startswith(ACTION):
                if not self.composite(step, place, context):
                    return False
            elif "uses" in step:
                self.action(step, place, context)
            else:
                code, said, outputs = self.bash(step, place, context)
                self.ran.steps.append(Step(place.job, step["name"], code, said))
                context["steps"][step.get("id", "")] = {"outputs": outputs}
                if code:
                    return False
        return True

    def composite(self, step: Any, place: Place, context: Mapping[str, Any]) -> bool:
        """Run our own action, which sees its inputs, and no secret."""
        assert re.fullmatch(f"{ACTION}@[0-9a-f]{{40}}", step["uses"]), "not pinned"
        action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
        given = {key: filled(value, context) for key, value in step["with"].items()}
        self.note_tokens(place.job, step["with"], context)
        assert given.keys() <= action["inputs"].keys()
        defaults = {key: one.get("default", "") for key, one in action["inputs"].items()}
        inner = self.context({"inputs": {**defaults, **given}, "steps": {}})
        well = self.steps(action["runs"]["steps"], replace(place, defaults={}), inner)
        outputs = {key: filled(one["value"], inner) for key, one in action["outputs"].items()}
        context["steps"][step.get("id", "")] = {"outputs": outputs}
        return well

    def note_tokens(self, job: str, values: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        for value in map(str, values.values()):
            if "secrets." in value and filled(value, context):
                self.ran.tokens[job].add(value.partition("secrets.")[2].split()[0])

    @property
    def is_foreign(self) -> bool:
        return self.event["pull_request"].get("head", "lab/metadata") != "lab/metadata"

    def bash(
        self, step: Any, place: Place, context: Mapping[str, Any]
    ) -> tuple[int, str, dict[str, str]]:
        assert step.get("shell", place.defaults.get("shell")) == "bash", (
            "GitHub's default shell has no pipefail; this one is run with it"
        )
        assert "${{" not in step["run"], "a value in a script can be a command"
        output, summary = self.forge.folder / "output", self.forge.folder / "summary"
        output.write_text("", encoding="utf-8")
        summary.write_text("", encoding="utf-8")
        given = {key: str(value) for key, value in self.text.get("env", {}).items()}
        given |= {key: filled(value, context) for key, value in step.get("env", {}).items()}
        self.note_tokens(place.job, step.get("env", {}), context)
        environ = {
            "PATH": f"{self.forge.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.forge.folder),
            "LANG": "C.UTF-8",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_WORKSPACE": str(place.folder),
            "GITHUB_RUN_ID": str(len(list(self.forge.folder.iterdir()))),
            "GITHUB_SERVER_URL": self.forge.web.url.rstrip("/"),
            "GITHUB_REPOSITORY": "lab/metadata",
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "FAKE_FORGE": str(self.forge.store),
            "STEMCTL_TEST_LEASE": str(self.forge.lease),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            **given,
        }
        where = filled(
            step.get("working-directory", place.defaults.get("working-directory", ".")), context
        )
        script = place.folder / where / ".step.sh"
        script.write_text(step["run"], encoding="utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", ".step.sh"],
            cwd=script.parent,
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
        said = re.sub("^::add-mask::.*\n", "", done.stdout, flags=re.MULTILINE)
        return done.returncode, said, {key: value for key, _, value in rows}

    def action(self, step: Any, place: Place, context: Mapping[str, Any]) -> None:
        name, _, version = step["uses"].partition("@")
        assert re.fullmatch(r"[0-9a-f]{40}", version), "an action that is not pinned"
        options = {key: filled(value, context) for key, value in step.get("with", {}).items()}
        match name:
            case "actions/checkout":
                assert place.permissions.get("contents") in ("read", "write")
                assert options["persist-credentials"] == "False", "later steps can read the token"
                ref, depth = options.get("ref") or self.ref, options.get("fetch-depth", "1")
                self.check_out(place.folder, ref, depth)
            case "actions/upload-artifact":
                self.artifacts[options["name"]] = place.folder / options["path"]
            case "actions/download-artifact":
                shutil.copy(self.artifacts[options["name"]], place.folder)
            case _:
                assert name == "actions/setup-python"

    def check_out(self, folder: Path, ref: str, depth: str) -> None:
        git(folder, "init", "-q")
        git(folder, "remote", "add", "origin", self.forge.web.url_of("remote.git"))
        login = f"http.extraheader=Authorization: Basic {serving.BASIC}"
        git(folder, "-c", login, "fetch", "-q", "--no-tags", f"--depth={depth}", "origin", ref)
        git(folder, "checkout", "-q", "--detach", "FETCH_HEAD")

    def context(self, more: Mapping[str, Any]) -> dict[str, Any]:
        """What expressions know."""
        request = self.event["pull_request"]
        return {
            "github": {
                "token": serving.PASSWORD,
                "repository": "lab/metadata",
                "event": {
                    "pull_request": {
                        "number": str(request.get("number", "")),
                        "head": {"repo": {"full_name": request.get("head", "")}},
                    },
                    "merge_group": self.event["merge_group"],
                },
            },
            "needs": {name: {"outputs": outputs} for name, outputs in self.ran.outputs.items()},
            **more,
        }
