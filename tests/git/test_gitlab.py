"""The jobs of `ci init gitlab`, run as they are written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.git.gitlab import BOT, MEMBER, GitLab, Project, serving
from tests.git.pipelines import MergeRequest, Pipeline, Runner, Variable, configuration, is_wanted
from tests.git.team import SOURCE, STATES, Member, Team, git, hostile_modules, on_the_server
from tests.support.served import Gate

RAT1 = "{name: rat1, date_time: 2024-03-12T09:00:00Z, description: first}"
RAT2 = "{name: rat2, date_time: 2024-03-13T09:00:00Z, description: second}"
INCLUDE = "include: [{local: .gitlab/stemctl.yml}]\n"

READ, WRITE, PUSH, NOTES = "sandbox-reader", "sandbox-user", "glpat-push", "glpat-notes"
VARIABLES = {
    "BRAINSTEM_READ_TOKEN": Variable(READ, "stemctl/read"),
    "BRAINSTEM_TOKEN": Variable(WRITE, "lab", protected=True),
    "STEMCTL_PUSH_TOKEN": Variable(PUSH, "lab", protected=True),
    "STEMCTL_GITLAB_TOKEN": Variable(NOTES, "stemctl/notes"),
}


@dataclass
class Hosted:
    """The team's repository on GitLab, and a fork of it."""

    team: Team
    gitlab: GitLab
    runner: Runner
    home: Project
    fork: Project
    source: str

    def propose(
        self, *sessions: str, branch: str = "topic", project: Project | None = None
    ) -> MergeRequest:
        """Push a branch with these sessions, for a merge request; again for each further push."""
        project = project or self.home
        folder = self.team.folder / f"{project.id}-{branch}"
        there = folder.exists()
        member = (
            Member(folder, "ann") if there else self.team.clone(folder.name, of=str(project.remote))
        )
        member.sessions(*sessions)
        member.commit(f"On {branch}")
        member.git("push", "-q", "origin", f"HEAD:{branch}")
        return MergeRequest(3, project, branch, self.home)

    def check(self, request: MergeRequest, project: Project | None = None) -> Pipeline:
        """The pipeline of a merge request."""
        return passed(self.runner.run(project or request.source, "merge_request_event", request))

    def merge(self, *sessions: str) -> str:
        """Have these sessions on main."""
        member = Member(self.team.folder / "founder", "founder")
        member.sessions(*sessions)
        return member.publish("Merged")

    @property
    def bodies(self) -> list[str]:
        """Our notes on the merge request."""
        return [note["body"] for note in self.home.notes.get(3, []) if note["author"]["id"] == BOT]


both_forms = pytest.mark.parametrize("short", [False, True], ids=["full", "short"])


@pytest.fixture
def short() -> bool:
    return False


def stemctl_project(folder: Path) -> Project:
    """A repository that has of stemctl what the jobs of the component look for."""
    git(folder, "init", "-q", "--initial-branch=main", "stemctl")
    own = Member(folder / "stemctl", "maintainer")
    own.write("stemctl/commands/templates/ci/stemctl.lock", "# as released\n")
    own.commit("A release")
    return Project(3, "lab/stemctl", own.root / ".git", public=True)


@pytest.fixture
def hosted(team: Team, short: bool) -> Iterator[Hosted]:
    founder = Member(team.folder / "founder", "founder")
    own = stemctl_project(team.folder)
    fork = Project(2, "mara/metadata", team.folder / "fork.git")
    home = Project(1, "lab/metadata", team.remote)
    gitlab = GitLab([home, fork, own], {NOTES: "api", PUSH: "write_repository"})
    with serving(gitlab):
        source, form = SOURCE, []
        if short:
            founder.git("remote", "set-url", "--push", "origin", str(team.remote))
            founder.git("remote", "set-url", "origin", f"{gitlab.url}/lab/metadata.git")
            commit = git(own.remote, "rev-parse", "main")
            source, form = f"git+{gitlab.url}/lab/stemctl.git@{commit}", ["--short"]
        result = founder.run("ci", "init", "gitlab", *form, "--source", source)
        assert result.code == 0, result.said
        founder.git("remote", "set-url", "origin", str(team.remote))
        founder.write(".gitlab-ci.yml", INCLUDE)
        founder.publish("CI")
        git(team.folder, "clone", "-q", "--bare", str(team.remote), "fork.git")
        runner = Runner(team.folder / "jobs", gitlab, {1: VARIABLES, 2: {}})
        yield Hosted(team, gitlab, runner, home, fork, source)


def passed(pipeline: Pipeline) -> Pipeline:
    assert not pipeline.failed, pipeline.said
    return pipeline


def tokens(pipeline: Pipeline) -> dict[str, set[str]]:
    """The tokens that each job was given."""
    ours = {name: set(VARIABLES) & job.environ.keys() for name, job in pipeline.jobs.items()}
    return {name.removeprefix("stemctl-"): found for name, found in ours.items()}


@pytest.mark.slow
def test_a_merge_request_has_one_note_that_is_renewed(hosted: Hosted, gate: Gate) -> None:
    request = hosted.propose(RAT1, RAT2)
    pipeline = hosted.check(request)
    assert tokens(pipeline) == {
        "validate": set(),
        "plan": {"BRAINSTEM_READ_TOKEN"},
        "note": {"STEMCTL_GITLAB_TOKEN"},
    }
    (body,) = hosted.bodies
    mark = body.splitlines()[0]
    assert mark.startswith("<!-- stemctl plan")
    assert "rat2" in body
    others = [
        {"id": n, "author": {"id": MEMBER}, "body": f"{mark}\nquoted"} for n in range(200, 320)
    ]
    hosted.home.notes[3] = [*others, *hosted.home.notes[3]]
    hosted.propose(RAT1, RAT2.replace("rat2", "rat3"))
    hosted.check(request)
    (body,) = hosted.bodies
    assert "rat3" in body
    assert "rat2" not in body
    assert gate.arrived == []


@pytest.mark.slow
@pytest.mark.parametrize(("broken", "notes"), [("GET notes", 1), ("POST notes", 0)])
def test_a_request_that_fails_is_a_failure_and_no_second_note(
    hosted: Hosted, broken: str, notes: int
) -> None:
    request = hosted.propose(RAT1, RAT2)
    if notes:
        hosted.check(request)
    hosted.gitlab.broken.add(broken)
    pipeline = hosted.runner.run(hosted.home, "merge_request_event", request)
    assert pipeline.failed == ["stemctl-note"]
    assert "502" in pipeline.said
    assert len(hosted.bodies) == notes


@pytest.mark.slow
def test_nothing_of_a_merge_request_is_run(hosted: Hosted, tmp_path: Path) -> None:
    request = hosted.propose(
        RAT1, '{name: rat2, date_time: 2024-03-13T09:00:00Z, description: "a\\n```\\n/close\\n"}'
    )
    member = Member(hosted.team.folder / "1-topic", "ann")
    hostile_modules(member, tmp_path / "ran")
    member.commit("Modules")
    member.git("push", "-q", "origin", "HEAD:topic", "HEAD:main")

    def command(name: str) -> None:
        """As if the plan had a command of GitLab in it."""
        for path in hosted.runner.folder.glob("*-stemctl-plan/artifacts/stemctl-plan.md"):
            path.write_text(f"{path.read_text()}\n/close\n")

    hosted.runner.before = command
    hosted.check(request)
    passed(hosted.runner.run(hosted.home))
    passed(hosted.runner.run(hosted.home, "schedule"))
    assert not (tmp_path / "ran").exists()
    (body,) = hosted.bodies
    assert "/close" in body
    assert not any(line.startswith("/") for line in body.splitlines())


@pytest.mark.slow
def test_without_a_token_for_notes_the_plan_is_an_artifact(hosted: Hosted) -> None:
    read = {"BRAINSTEM_READ_TOKEN": VARIABLES["BRAINSTEM_READ_TOKEN"]}
    hosted.runner.variables = {
        1: {**read, "GIT_DEPTH": Variable("1")}
    }  # the base is fetched all the same
    pipeline = hosted.check(hosted.propose(RAT1, RAT2))
    assert "There is no STEMCTL_GITLAB_TOKEN" in pipeline.jobs["stemctl-note"].said
    assert "rat2" in (pipeline.jobs["stemctl-plan"].artifacts / "stemctl-plan.md").read_text()
    assert hosted.gitlab.asked == []


@pytest.mark.slow
def test_a_merged_results_pipeline_tells_what_the_merge_request_changes(hosted: Hosted) -> None:
    request = hosted.propose(RAT1, RAT2)
    hosted.merge(RAT1.replace("first", "merged meanwhile"))
    merge = hosted.team.clone("merge")
    merge.git("fetch", "-q", "origin", "topic")
    who = ("-c", "user.name=GitLab", "-c", "user.email=gitlab@lab.example")
    merge.git(*who, "merge", "-q", "--no-ff", "-X", "ours", "-m", "Merge", "FETCH_HEAD")
    merge.git("push", "-q", "origin", "HEAD:merge")
    commit = merge.git("rev-parse", "HEAD")
    plan = passed(
        hosted.runner.run(hosted.home, "merge_request_event", request, commit, merged=True)
    )
    there = git(hosted.home.remote, "rev-parse", "main")
    assert there[:12] in plan.jobs["stemctl-plan"].said + hosted.bodies[0]


@pytest.mark.slow
@pytest.mark.parametrize("runs_in", ["fork", "home"])
def test_a_merge_request_of_a_fork_sees_no_token_and_is_planned_from_the_state(
    hosted: Hosted, gate: Gate, runs_in: str
) -> None:
    passed(hosted.runner.run(hosted.home))
    sent = len(gate.arrived)
    hosted.home.public = True
    request = hosted.propose(RAT1.replace("first", "from a fork"), project=hosted.fork)
    pipeline = hosted.check(request, hosted.fork if runs_in == "fork" else hosted.home)
    assert pipeline.jobs.keys() == {"stemctl-validate", "stemctl-plan"}
    plan = (pipeline.jobs["stemctl-plan"].artifacts / "stemctl-plan.md").read_text()
    assert "**Offline" in plan
    assert "update 1 record" in plan  # the state is that of the project: the fork has none
    assert hosted.bodies == []
    assert len(gate.arrived) == sent


@pytest.mark.slow
@both_forms
def test_what_is_merged_is_planned_and_applied(hosted: Hosted, gate: Gate) -> None:
    hosted.merge(RAT1, RAT2)
    pipeline = passed(hosted.runner.run(hosted.home))
    assert tokens(pipeline) == {
        "validate": set(),
        "apply-plan": {"BRAINSTEM_READ_TOKEN"},
        "apply": {"BRAINSTEM_TOKEN", "STEMCTL_PUSH_TOKEN"},
    }
    jobs = pipeline.jobs
    assert jobs["stemctl-apply"].environment == "lab"
    assert {jobs[f"stemctl-{name}"].resource_group for name in ("apply-plan", "apply")} == {
        "stemctl-apply"
    }
    assert len(gate.done) == 2
    assert len(hosted.runner.installed.read_text().splitlines()) == 6  # two for each of the jobs
    assert hosted.team.story()[0] == "lab: 2 created [skip ci]"
    told = git(hosted.team.remote, "log", "-1", "--format=%B", STATES)
    assert f"Who: GitLab CI, job {jobs['stemctl-apply'].environ['CI_JOB_ID']}" in told
    assert f"CI: {jobs['stemctl-apply'].environ['CI_JOB_URL']}" in told
    for job in jobs.values():
        assert not any(value.encode() in job.left for value in (PUSH, WRITE)), (
            f"{job.name} leaves a token behind"
        )
    assert (
        passed(hosted.runner.run(hosted.home, "web"))
        .jobs["stemctl-apply"]
        .said.endswith("nothing to apply.\n")
    )
    assert len(gate.done) == 2


@pytest.mark.slow
def test_a_pipeline_that_had_to_wait_brings_in_what_was_merged_meanwhile(
    hosted: Hosted, gate: Gate
) -> None:
    old = git(hosted.team.remote, "rev-parse", "main")
    new = hosted.merge(RAT1, RAT2)
    passed(hosted.runner.run(hosted.home, commit=old))
    assert f"Commit: {new}" in git(hosted.team.remote, "log", "-1", "--format=%B", STATES)
    assert len(gate.done) == 2


@pytest.mark.slow
def test_a_plan_that_was_overtaken_is_refused(hosted: Hosted, gate: Gate) -> None:
    def overtake(name: str) -> None:
        if name == "stemctl-apply":
            hosted.team.clone("ann").apply()

    hosted.runner.before = overtake
    pipeline = hosted.runner.run(hosted.home)
    assert pipeline.failed == ["stemctl-apply"]
    assert "digest" in pipeline.jobs["stemctl-apply"].said
    assert len(gate.done) == 1  # ann's


@pytest.mark.slow
def test_a_token_that_may_not_push_is_refused_before_anything_is_sent(
    hosted: Hosted, gate: Gate
) -> None:
    hosted.gitlab.tokens = {NOTES: "api"}
    pipeline = hosted.runner.run(hosted.home)
    assert pipeline.failed == ["stemctl-apply"]
    assert PUSH not in pipeline.said
    assert gate.arrived == []


@pytest.mark.slow
def test_every_night_one_issue_tells_what_differs(hosted: Hosted, gate: Gate) -> None:
    def night() -> list[str]:
        pipeline = passed(hosted.runner.run(hosted.home, "schedule"))
        assert tokens(pipeline) == {
            "nightly": {"BRAINSTEM_READ_TOKEN"},
            "issue": {"STEMCTL_GITLAB_TOKEN"},
        }
        return [issue["state"] for issue in hosted.home.issues]

    passed(hosted.runner.run(hosted.home))
    sent = len(gate.arrived)
    assert night() == []
    on_the_server(hosted.team, "rat1", description="edited in the browser")
    assert night() == ["opened"]
    assert "edited in the browser" in hosted.home.issues[0]["description"]
    on_the_server(hosted.team, "rat1", description="edited again")
    assert night() == ["opened"]
    assert "edited again" in hosted.home.issues[0]["description"]
    on_the_server(hosted.team, "rat1", description="first")
    assert night() == ["closed"]
    assert hosted.home.issues[0]["notes"] == [
        "Everything that is merged is applied, and the server is as it was left."
    ]
    assert len(gate.arrived) == sent + 3  # the colleague's


HOOK = """\
#!/bin/sh
env | grep '^GIT_PUSH_OPTION_[0-9]' | sort >> {0}
"""


@pytest.mark.slow
def test_every_night_one_merge_request_has_what_changed(hosted: Hosted) -> None:
    founder = Member(hosted.team.folder / "founder", "founder")
    assert founder.run("ci", "init", "gitlab", "--pull", "--source", SOURCE).code == 0
    both = "include: [{local: .gitlab/stemctl.yml}, {local: .gitlab/stemctl-pull.yml}]\n"
    founder.write(".gitlab-ci.yml", both)
    founder.publish("A job that pulls")
    told = hosted.team.folder / "options"
    git(hosted.home.remote, "config", "receive.advertisePushOptions", "true")
    hook = hosted.home.remote / "hooks" / "post-receive"
    hook.write_text(HOOK.format(told))
    hook.chmod(0o755)
    passed(hosted.runner.run(hosted.home))
    assert isinstance(hosted.runner.variables, dict)
    hosted.runner.variables[1] = {
        **VARIABLES,
        "BRAINSTEM_READ_TOKEN": Variable(READ, "stemctl/*"),
        "STEMCTL_PUSH_TOKEN": Variable(PUSH, "stemctl/pull", protected=True),
    }
    on_the_server(hosted.team, "rat1", description="changed in the browser")
    for description in ("changed in the browser", "changed once more"):
        on_the_server(hosted.team, "rat1", description=description)
        for _ in range(2):  # the second finds the same
            pipeline = passed(hosted.runner.run(hosted.home, "schedule"))
        assert tokens(pipeline)["pull"] == {"BRAINSTEM_READ_TOKEN", "STEMCTL_PUSH_TOKEN"}
        text = git(hosted.home.remote, "show", "stemctl-pull:records/sessions.yaml")
        assert description in text
        assert git(hosted.home.remote, "diff", "--name-only", "main", "stemctl-pull") == (
            "records/sessions.yaml"
        )
    options = told.read_text()
    assert options.count("merge_request.create") == 2
    assert options.count("merge_request.target=main") == 2


@pytest.mark.parametrize("short", [True], ids=["short"])
def test_the_jobs_of_both_forms_differ_in_how_they_install(hosted: Hosted) -> None:
    founder = Member(hosted.team.folder / "founder", "founder")
    founder.write(".gitlab-ci.yml", INCLUDE.replace("]", ", {local: .gitlab/stemctl-pull.yml}]"))
    forms = []
    for words in (["--short", "--source", hosted.source], ["--source", SOURCE]):
        shutil.rmtree(founder.root / ".gitlab")
        founder.git("remote", "set-url", "origin", f"{hosted.gitlab.url}/lab/metadata.git")
        result = founder.run("ci", "init", "gitlab", "--pull", *words)
        assert result.code == 0, result.said
        founder.git("remote", "set-url", "origin", str(hosted.team.remote))
        commit = founder.publish("Jobs")
        host = hosted.gitlab.url.removeprefix("http://")
        text = json.dumps(configuration(hosted.team.remote, commit, host))
        # `git` cuts the last newline of a file
        jobs = json.loads(text.replace(' --server \\"lab\\"', "").replace('\\n"', '"'))
        assert "stemctl-pull" in jobs
        forms.append({name: {**job, "before_script": ...} for name, job in jobs.items()})
    assert forms[0] == forms[1]


def test_pipelines_of_other_branches_have_none_of_these_jobs(hosted: Hosted) -> None:
    jobs = configuration(hosted.team.remote, "main")
    branch = {
        "CI_PIPELINE_SOURCE": "push",
        "CI_COMMIT_BRANCH": "topic",
        "CI_DEFAULT_BRANCH": "main",
    }
    assert not any(is_wanted(job, branch) for job in jobs.values())
    assert jobs["stemctl-apply"]["interruptible"] is False


def test_stages_of_the_user_need_one_line(hosted: Hosted) -> None:
    founder = Member(hosted.team.folder / "founder", "founder")
    founder.write(".gitlab-ci.yml", f"{INCLUDE}stages: [look, go]\n.stemctl: {{stage: look}}\n")
    founder.publish("Stages")
    assert {job["stage"] for job in configuration(hosted.team.remote, "main").values()} == {"look"}


@pytest.mark.parametrize("folder", ["a$(id)", 'a"b', "a: b", "${{ x }}", "-x"])
def test_a_folder_that_a_shell_could_obey_is_refused(team: Team, folder: str) -> None:
    founder = Member(team.folder / "founder" / folder, "founder")
    founder.write("stemctl.yaml", (team.folder / "founder/stemctl.yaml").read_text())
    result = founder.run("ci", "init", "gitlab", "--source", SOURCE)
    assert result.code == 1
    assert "cannot be used in a workflow" in result.err
    assert not (team.folder / "founder/.gitlab").exists()


@pytest.mark.slow
def test_a_repository_in_a_folder(hosted: Hosted, gate: Gate) -> None:
    founder = Member(hosted.team.folder / "founder", "founder")
    founder.git("rm", "-q", "-r", "--cached", ".")
    (founder.root / "deep er").mkdir()
    for name in ("stemctl.yaml", "records"):
        (founder.root / name).rename(founder.root / "deep er" / name)
    (founder.root / ".gitlab/stemctl.yml").unlink()
    result = Member(founder.root / "deep er", "founder").run(
        "ci", "init", "gitlab", "--source", SOURCE
    )
    assert result.out.startswith("wrote .gitlab/stemctl.yml\n")
    founder.publish("Elsewhere")
    passed(hosted.runner.run(hosted.home))
    passed(hosted.runner.run(hosted.home, "schedule"))
    assert len(gate.done) == 1
