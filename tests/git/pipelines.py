"""Runs the jobs that `ci init gitlab` writes, as they are written: each by bash, in a clone as a
runner makes it.

What GitLab decides is played: which jobs a pipeline has, in which order, which variables each sees,
artifacts.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.git.gitlab import JOB, GitLab, Project
from tests.git.team import ROOT, git, pip_log

KEYWORDS = {"include", "stages", "default", "variables", "workflow"}
STAGES = [".pre", "build", "test", "deploy", ".post"]


@dataclass(frozen=True)
class Variable:
    """A variable of a project, and which jobs see it."""

    value: str
    scope: str = "*"
    protected: bool = False


@dataclass(frozen=True)
class MergeRequest:
    """A merge request: its number, where it comes from, and where it goes to."""

    iid: int
    source: Project
    branch: str
    target: Project


@dataclass
class Job:
    """A job that was run."""

    name: str
    code: int
    said: str
    environ: Mapping[str, str]
    artifacts: Path
    left: bytes
    """All that it left behind, in its folder and its home."""
    resource_group: str
    environment: str


@dataclass
class Pipeline:
    """One run: the jobs by name, and those that did not come to it."""

    jobs: dict[str, Job] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    @property
    def failed(self) -> list[str]:
        return [job.name for job in self.jobs.values() if job.code]

    @property
    def said(self) -> str:
        return "\n".join(f"[{job.name}] {job.code}\n{job.said}" for job in self.jobs.values())


@dataclass
class Runner:
    """The machine that jobs run on, in folders that nobody used before."""

    folder: Path
    gitlab: GitLab
    variables: Mapping[int, Mapping[str, Variable]]
    """Of each project, by its number."""
    lease: float = 120
    number: int = 0
    before: Callable[[str], None] = lambda name: None
    """What happens before the job of that name."""
    _last: Path | None = None

    def __post_init__(self) -> None:
        tools = self.folder / "bin"
        tools.mkdir(parents=True)
        stemctl = f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -P -m tests.git.quick "$@"\n'
        python = pip_log(self.installed)
        for name, text in {"stemctl": stemctl, "python": python}.items():
            (tools / name).write_text(text, encoding="utf-8")
            (tools / name).chmod(0o755)

    @property
    def installed(self) -> Path:
        """A line for each time that pip was run."""
        return self.folder / "bin" / "pip.log"

    def run(
        self,
        project: Project,
        source: str = "push",
        request: MergeRequest | None = None,
        commit: str = "",
        merged: bool = False,
    ) -> Pipeline:
        """Run a pipeline of a project, of its branch main or of a merge request; `commit` is one
        that is not its last.

        With `merged`, it is a merged results pipeline: the commit is the merge.
        """
        self.number += 1
        remote = request.source.remote if request else project.remote
        commit = commit or git(remote, "rev-parse", request.branch if request else "main")
        known = self.predefined(project, source, commit, request, merged)
        jobs = configuration(remote, commit, urlsplit(self.gitlab.url).netloc)
        public = {
            name: one.value for name, one in self.variables[project.id].items() if one.scope == "*"
        }
        wanted = {name: job for name, job in jobs.items() if is_wanted(job, {**public, **known})}
        pipeline = Pipeline()
        for name in in_order(wanted):
            needs = wanted[name].get("needs", [])
            if any(one in pipeline.skipped or pipeline.jobs[one].code for one in needs):
                pipeline.skipped.append(name)
            else:
                before = [pipeline.jobs[one] for one in needs]
                self.before(name)
                pipeline.jobs[name] = self.job(name, wanted[name], project, known, before)
        return pipeline

    def predefined(
        self, project: Project, source: str, commit: str, request: MergeRequest | None, merged: bool
    ) -> dict[str, str]:
        known = {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_API_V4_URL": f"{self.gitlab.url}/api/v4",
            "CI_COMMIT_SHA": commit,
            "CI_DEFAULT_BRANCH": "main",
            "CI_PIPELINE_ID": str(self.number),
            "CI_PIPELINE_SOURCE": source,
            "CI_PROJECT_ID": str(project.id),
            "CI_PROJECT_URL": f"{self.gitlab.url}/{project.path}",
        }
        if request is None:
            return {**known, "CI_COMMIT_BRANCH": "main", "CI_COMMIT_REF_PROTECTED": "true"}
        there = git(request.target.remote, "rev-parse", "main")
        git(request.source.remote, "fetch", "-q", str(request.target.remote), "main")
        # What the source of a merge request has is in the repository of its target too.
        git(request.target.remote, "fetch", "-q", str(request.source.remote), commit)
        return {
            **known,
            "CI_MERGE_REQUEST_IID": str(request.iid),
            "CI_MERGE_REQUEST_PROJECT_ID": str(request.target.id),
            "CI_MERGE_REQUEST_PROJECT_URL": f"{self.gitlab.url}/{request.target.path}",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": str(request.source.id),
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": git(
                request.source.remote, "merge-base", request.branch, there
            ),
            "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": there if merged else "",
        }

    def visible(
        self, project: Project, known: Mapping[str, str], environment: str
    ) -> dict[str, str]:
        """The variables of a project that a job sees."""
        protected = "CI_COMMIT_REF_PROTECTED" in known
        return {
            name: one.value
            for name, one in self.variables[project.id].items()
            if fnmatch.fnmatchcase(environment, one.scope) and (protected or not one.protected)
        }

    def job(
        self, name: str, job: Any, project: Project, known: Mapping[str, str], before: list[Job]
    ) -> Job:
        number = len(list(self.folder.iterdir()))
        work = self.folder / f"{number}-{name}"
        home, clone, kept = (work / part for part in ("home", "builds", "artifacts"))
        for folder in (home, clone, kept):
            folder.mkdir(parents=True)
        own = {key: filled(value, known) for key, value in job.get("variables", {}).items()}
        environment = filled(job.get("environment", {}).get("name", ""), known)
        environ = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_SYSTEM": os.devnull,
            "STEMCTL_TEST_LEASE": str(self.lease),
            **own,
            **dotenv(before),
            **self.visible(project, known, environment),
            **known,
            "CI_JOB_ID": str(number),
            "CI_JOB_URL": f"{self.gitlab.url}/{project.path}/-/jobs/{number}",
            "CI_PROJECT_DIR": str(clone),
        }
        if own.get("GIT_STRATEGY") != "none":
            self.check_out(clone, project, environ)
            self._last = clone
        elif self._last:  # a runner leaves there what an earlier job had checked out
            shutil.copytree(self._last, clone, dirs_exist_ok=True)
        for one in before:
            shutil.copytree(
                one.artifacts, clone, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".env")
            )
        script = work / "script.sh"
        script.write_text(
            "\n".join(["set -eo pipefail", *job["before_script"], *job["script"]]), encoding="utf-8"
        )
        done = subprocess.run(
            ["bash", str(script)],
            cwd=clone,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            keep(job.get("artifacts", {}), clone, kept)
        left = b"".join(path.read_bytes() for path in work.rglob("*") if path.is_file())
        group = filled(job.get("resource_group", ""), known)
        return Job(name, done.returncode, done.stdout, environ, kept, left, group, environment)

    def check_out(self, clone: Path, project: Project, environ: Mapping[str, str]) -> None:
        """As the runner does it: a shallow clone without a branch, whose remote has the token of
        the job in its URL.
        """
        scheme, _, host = self.gitlab.url.partition("://")
        commit = environ["CI_COMMIT_SHA"]
        git(clone, "init", "-q")
        url = f"{scheme}://gitlab-ci-token:{JOB}-{project.id}@{host}/{project.path}.git"
        git(clone, "remote", "add", "origin", url)
        git(
            clone,
            "fetch",
            "-q",
            "--no-tags",
            f"--depth={environ.get('GIT_DEPTH', '20')}",
            "origin",
            commit,
        )
        git(clone, "checkout", "-q", "--detach", commit)


def configuration(remote: Path, commit: str, host: str = "") -> dict[str, Any]:
    """The jobs of .gitlab-ci.yml at a commit and of what it includes, with what they extend. Our
    own components are at lab/stemctl on this host.
    """
    found = with_includes(remote, commit, ".gitlab-ci.yml", host)
    assert set(found) & KEYWORDS <= {"include", "stages"}, "this would change the jobs of others"
    names = [name for name in found if name not in KEYWORDS and not name.startswith(".")]
    jobs = {name: extended(found, name) for name in names}
    stages = [".pre", *found["stages"], ".post"] if "stages" in found else STAGES
    assert all(job.get("stage", "test") in stages for job in jobs.values()), (
        "a stage that is not there"
    )
    return jobs


def with_includes(remote: Path, commit: str, path: str, host: str) -> dict[str, Any]:
    main = yaml.safe_load(git(remote, "show", f"{commit}:{path}"))
    found: dict[str, Any] = {}
    for one in main.get("include", []):
        if "component" in one:
            found = merged_over(found, component(one["component"], one.get("inputs", {}), host))
        else:
            local = one["local"].lstrip("/")
            found = merged_over(found, with_includes(remote, commit, local, host))
    return merged_over(found, main)


def component(address: str, inputs: Mapping[str, str], host: str) -> dict[str, Any]:
    """The jobs of a component of ours, with its inputs in their places."""
    place = re.fullmatch(r"([^/]+)/lab/stemctl/([\w-]+)@[0-9a-f]{40}", address)
    assert place, address
    assert place[1] == host, "GitLab takes components from itself alone"
    text = (ROOT / "templates" / f"{place[2]}.yml").read_text(encoding="utf-8")
    header, body = yaml.safe_load_all(text)
    specified = header["spec"]["inputs"]
    assert inputs.keys() <= specified.keys(), "an input that the component does not have"
    values = {}
    for name, one in specified.items():
        values[name] = inputs.get(name, one.get("default"))
        assert values[name], f"{name} has no value"
        assert re.search(one["regex"], values[name]), f"{name} does not match its pattern"
    found = interpolated(body, values)
    assert isinstance(found, dict)
    return found


def interpolated(node: Any, values: Mapping[str, str]) -> Any:
    """The inputs in all texts and keys, behind the parser of YAML."""
    if isinstance(node, dict):
        return {interpolated(key, values): interpolated(one, values) for key, one in node.items()}
    if isinstance(node, list):
        return [interpolated(one, values) for one in node]
    if isinstance(node, str):
        return re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda found: values[found[1]], node)
    return node


def extended(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    job = dict(found[name])
    base = job.pop("extends", None)
    return merged_over(extended(found, base), job) if base else job


def merged_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged, all else is replaced."""
    result = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged_over(result[key], value) if both else value
    return result


def is_wanted(job: Any, known: Mapping[str, str]) -> bool:
    return any(holds(rule["if"], known) for rule in job["rules"])


def holds(condition: str, known: Mapping[str, str]) -> bool:
    """Whether a condition of a rule holds: comparisons with && between them, which is all that the
    template has.
    """

    def value(word: str) -> str | None:
        return word[1:-1] if word.startswith('"') else known.get(word.removeprefix("$"))

    results = []
    for part in condition.split(" && "):
        words = re.fullmatch(r'(\$\w+) (==|!=) (\$\w+|"[^"]*")', part)
        assert words, f"this stand-in does not know {part}"
        results.append((value(words[1]) == value(words[3])) == (words[2] == "=="))
    return all(results)


def in_order(jobs: Mapping[str, Any]) -> list[str]:
    """The jobs, each after those that it needs; GitLab makes no pipeline where one is needed that
    is not in it.
    """
    done: list[str] = []
    while len(done) < len(jobs):
        ready = [
            n
            for n, job in jobs.items()
            if n not in done and all(one in done for one in job.get("needs", []))
        ]
        assert ready, f"jobs that are needed, and not there: {jobs.keys() - set(done)}"
        done += ready
    return done


def filled(text: str, known: Mapping[str, str]) -> str:
    return re.sub(r"\$(\w+)", lambda found: known.get(found[1], ""), text)


def keep(artifacts: Any, clone: Path, kept: Path) -> None:
    """Put aside what later jobs get; a file that is not there is no artifact."""
    for name in artifacts.get("paths", []):
        if (clone / name).exists():
            shutil.copy(clone / name, kept / name)
    if report := artifacts.get("reports", {}).get("dotenv"):
        shutil.copy(clone / report, kept / ".env")


def dotenv(before: list[Job]) -> dict[str, str]:
    files = [job.artifacts / ".env" for job in before if (job.artifacts / ".env").exists()]
    rows = [
        line.partition("=")
        for file in files
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    return {key: value for key, _, value in rows}
