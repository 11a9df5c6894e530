"""A plan that tells apart what the difference to a git commit explains: over real repositories."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stemctl.git import repository
from stemctl.util.canonical_json import hash_of
from tests.support.lab import Lab, Result

WHO = ["-c", "user.name=T", "-c", "user.email=t@t.example", "-c", "protocol.file.allow=always"]


@dataclass
class Repo:
    """A lab in a git repository; `root` is the top of its work tree."""

    lab: Lab
    root: Path

    def git(self, *words: str, data: bytes | None = None) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.root), *WHO, *words],
            input=data,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def commit(self, message: str = "more") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def plan(self, *options: str) -> Any:
        result = self.lab.run("plan", "-o", "json", *options)
        assert result.code == 0, result.said
        return result.json

    def explained(self, *options: str) -> dict[str, bool | None]:
        return {
            c["address"].removeprefix("session/"): c["explained"]
            for c in self.plan(*options)["changes"]
        }

    def refused(self, ref: str) -> Result:
        result = self.lab.run("plan", f"--base={ref}")
        assert result.code == 1
        assert self.lab.requests == []
        return result


@pytest.fixture
def repo(lab: Lab) -> Repo:
    """On branch main, with what is declared there applied."""
    repo = Repo(lab, lab.root)
    lab.sessions(
        *(f"{{name: {name}, description: One.}}" for name in "abcde"),
        "{key: k, name: f}",
        "{name: g}",
    )
    lab.write(
        "records/many/m.yaml", "sessions: [{name: m1}, {name: m2}, {name: m3, tags: [own]}]\n"
    )
    lab.write(
        "records/many/_defaults.yaml",
        "defaults: {sessions: {projects: [Theta Maze Study], tags: [x]}}\n",
    )
    lab.apply()
    repo.git("init", "-q", "-b", "main")
    repo.commit()
    return repo


def branch(repo: Repo) -> None:
    """A branch with one of each. `d` was edited on the server, `b` was merged but not applied."""
    repo.lab.sessions(
        "{name: a, description: One.}",
        "{name: b, description: Merged.}",
        *(f"{{name: {name}, description: One.}}" for name in "cde"),
        "{key: k, name: f}",
        "{name: g}",
    )
    repo.commit("merged")
    repo.git("checkout", "-q", "-b", "topic")
    repo.lab.sessions(
        "{name: a, description: Edited.}",
        "{name: b, description: Merged.}",
        "{name: d, description: One.}",
        "{key: e, name: e2, description: One.}",
        "{key: l, name: f, description: Moved.}",
        "{name: new}",
        "{name: g}",
    )
    repo.lab.write(
        "records/wishes.yaml", "moved: [{from: session/k, to: session/l}]\ndeleted: [session/c]\n"
    )
    repo.commit("topic")
    repo.lab.edit("session", "d", description="Theirs.")


def test_each_change_is_told_apart(repo: Repo) -> None:
    branch(repo)
    plan = repo.plan("--base", "main")
    assert plan["base"] == {"ref": "main", "commit": repo.git("rev-parse", "main")}
    assert {
        c["address"].removeprefix("session/"): (c["action"], c["explained"])
        for c in plan["changes"]
    } == {
        "a": ("update", True),
        "b": ("update", False),
        "c": ("delete", True),
        "d": ("update", False),
        "e": ("update", True),
        "l": ("update", True),
        "new": ("create", True),
    }
    without = repo.plan()
    assert without["base"] is None
    assert {c["explained"] for c in without["changes"]} == {None}
    assert without["digest"] == plan["digest"]
    assert without["summary"] == plan["summary"]


def test_the_screen_has_a_section_for_the_others(repo: Repo) -> None:
    branch(repo)
    out = repo.lab.run("plan", "--base", "main").out
    own, heading, others = out.partition(
        "\nNot from changes since main (merged but not applied yet, or changed on the server)\n"
    )
    assert heading
    assert [word in own for word in ("session/a", "session/new", "session/b", "session/d")] == [
        True,
        True,
        False,
        False,
    ]
    assert "~ session/b" in others
    assert "! session/d" in others
    assert "Of these, 1 to update and 1 held do not come from changes since main.\n" in others
    assert "compared with" not in own  # the name says it all
    assert "Not from" not in repo.lab.run("plan").out


def test_other_forms_have_it_too(repo: Repo) -> None:
    branch(repo)
    repo.git("branch", "<b>&@all", "main")
    markdown = repo.lab.run("plan", "--base", "<b>&@all", "-o", "markdown").out
    head = "<details><summary>Not from changes since <code>&lt;b&gt;&amp;@all</code> (merged"
    own, found, others = markdown.partition(head)
    assert found
    assert "session/a" in own
    assert "session/b" not in own
    assert "~ session/b" in others
    page = repo.lab.run("plan", "--base", "<b>&@all", "-o", "html").out
    assert (
        page.index("session/a")
        < page.index("<h2>Not from changes since &lt;b&gt;&amp;@all")
        < page.index("session/b")
    )


def test_nothing_of_it_from_here(repo: Repo) -> None:
    repo.lab.edit("session", "d", description="Theirs.")
    out = repo.lab.run("plan", "--base", "HEAD").out
    assert "Nothing in this plan comes from changes since HEAD." in out
    assert "Of these, 1 held does not come from changes since HEAD." in out


def test_defaults_explain_all_records_that_they_change(repo: Repo) -> None:
    repo.lab.write(
        "records/many/_defaults.yaml",
        "defaults: {sessions: {projects: [Theta Maze Study], tags: [y]}}\n",
    )
    repo.lab.edit("session", "a", description="Theirs.")
    assert repo.explained("--base", "HEAD") == {"a": False, "m1": True, "m2": True, "m3": True}


def test_what_is_only_written_otherwise_explains_nothing(repo: Repo) -> None:
    path = repo.lab.root / "records/sessions.yaml"
    text = path.read_text()
    path.write_text(text.replace("name: a,", "name: a, tags: [p, q], date_time: 2024-03-12,"))
    repo.lab.apply()
    repo.commit()
    repo.lab.edit("session", "a", description="Theirs.")
    other = "projects: [Theta Maze Study], date_time: 2024-03-12T00:00:00Z, tags: [q, p], name: a,"
    path.write_text("# a line more\n" + text.replace("name: a,", other))
    assert repo.explained("--base", "HEAD") == {"a": False}


def test_wishes_explain_what_they_are_about(repo: Repo) -> None:
    sessions = (repo.lab.root / "records/sessions.yaml").read_text()
    left = [
        line for line in sessions.splitlines() if "name: a," not in line and "name: b," not in line
    ]
    repo.lab.write("records/sessions.yaml", "\n".join(left) + "\n")
    repo.commit("a and b left the files")
    assert repo.explained("--base", "HEAD") == {"a": False, "b": False}
    repo.lab.write("records/wishes.yaml", "forget: ['session/a*']\n")
    assert repo.explained("--base", "HEAD") == {"a": True, "b": False}
    repo.lab.write("records/wishes.yaml", "forget: ['session/?']\n")
    assert repo.explained("--base", "HEAD") == {"a": True, "b": True}
    repo.lab.write("records/wishes.yaml", "deleted: [session/a]\n")
    assert repo.explained("--base", "HEAD") == {"a": True, "b": False}
    repo.commit()
    assert repo.explained("--base", "HEAD~1") == {"a": True, "b": False}
    assert repo.explained("--base", "HEAD") == {"a": False, "b": False}


def test_protection_and_id_belong_to_the_record(repo: Repo) -> None:
    repo.lab.edit("session", "g", tags=["theirs"])
    repo.lab.edit("session", "a", description="Theirs.")
    repo.lab.edit("session", "b", description="Theirs.")
    path = repo.lab.root / "records/sessions.yaml"
    id_ = repo.lab.live("session", "b")["id"]
    text = path.read_text().replace("name: a,", "name: a, lifecycle: {prevent_delete: true},")
    path.write_text(text.replace("name: b,", f"name: b, id: {id_},"))
    assert repo.explained("--base", "HEAD") == {"a": True, "b": True}


def test_the_commit_where_the_branch_left_counts(repo: Repo) -> None:
    """As the list of changed files of a pull request does."""
    left = repo.git("rev-parse", "main")
    repo.git("checkout", "-q", "-b", "topic")
    repo.lab.write("records/new.yaml", "sessions: [{name: new, projects: [Theta Maze Study]}]\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    path = repo.lab.root / "records/sessions.yaml"
    path.write_text(
        path.read_text().replace("{name: a, description: One.}", "{name: a, description: Later.}")
    )
    later = repo.commit()
    repo.git("checkout", "-q", "topic")
    repo.lab.edit("session", "a", description="Theirs.")
    plan = repo.plan("--base", "main")
    assert {c["address"]: c["explained"] for c in plan["changes"]} == {
        "session/a": False,
        "session/new": True,
    }
    assert plan["base"] == {"ref": "main", "commit": left}
    assert (
        f"compared with {left[:12]}, where this branch left main (now {later[:12]})"
        in plan["notes"][-1]["text"]
    )
    unrelated = repo.git("commit-tree", "-m", "x", f"{later}^{{tree}}")
    plan = repo.plan("--base", unrelated)
    assert {c["address"]: c["explained"] for c in plan["changes"]} == {
        "session/a": True,
        "session/new": True,
    }
    assert "git does not know where this branch left it" in plan["notes"][-1]["text"]


def test_any_name_of_a_commit_in_any_state_of_the_repository(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.git("tag", "-a", "-m", "x", "v1")
    repo.lab.write("records/new.yaml", "sessions: [{name: new, projects: [Theta Maze Study]}]\n")
    repo.commit()
    repo.git("checkout", "-q", "--detach")
    monkeypatch.setenv("GIT_DIR", "/nowhere")  # a hook of another repository
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    for ref in ("v1", "main~1", "HEAD^", "v1^{commit}", "main@{1}"):
        assert repo.explained("--base", ref) == {"new": True}, ref
    assert repo.explained("--base", "main") == {"new": False}


def test_nothing_in_the_repository_moves(repo: Repo) -> None:
    branch(repo)
    repo.lab.write(
        "records/new.yaml", "sessions: [{name: untracked, projects: [Theta Maze Study]}]\n"
    )
    repo.git("rm", "-q", "--cached", "records/wishes.yaml")

    def everything() -> dict[str, bytes]:
        files = (
            path
            for path in repo.root.rglob("*")
            if path.is_file() and "sandbox.db" not in path.name
        )
        return {str(path): path.read_bytes() for path in files}

    before = everything()
    assert repo.plan("--base", "main")["changes"]
    assert everything() == before


def test_a_metadata_repository_in_a_subfolder(repo: Repo) -> None:
    top = Repo(repo.lab, repo.root.parent / "top")
    top.root.mkdir()
    (repo.root / ".git").rename(top.root / ".git")
    repo.root.rename(top.root / "meta")
    repo.lab.root = top.root / "meta"
    (top.root / "records").mkdir()
    (top.root / "records" / "other.yaml").write_text("sessions: [{name: other}]\n")
    top.commit("moved below meta/")
    repo.lab.write("records/new.yaml", "sessions: [{name: new, projects: [Theta Maze Study]}]\n")
    repo.lab.edit("session", "a", description="Theirs.")
    assert top.explained("--base", "HEAD") == {"a": False, "new": True}


def clone(repo: Repo, folder: Path) -> Repo:
    """What a CI job has: one commit of one branch."""
    subprocess.run(
        [
            "git",
            *WHO,
            "clone",
            "-q",
            "--depth=1",
            "--branch=topic",
            repo.root.as_uri(),
            str(folder),
        ],
        check=True,
    )
    (repo.root / ".stemctl").rename(folder / ".stemctl")
    repo.lab.root = folder
    return Repo(repo.lab, folder)


def next_words(result: Result) -> list[str]:
    """The first command that is proposed."""
    line = next(line for line in result.err.splitlines() if line.startswith("Next"))
    return shlex.split(line.removeprefix("Next").split("    ")[0])


def test_in_a_shallow_clone_the_remedy_can_be_typed(
    repo: Repo, tmp_path_factory: pytest.TempPathFactory
) -> None:
    branch(repo)
    ci = clone(repo, tmp_path_factory.mktemp("ci") / "clone")
    for ref in (
        "origin/",
        "origin/main~1",
        "",
    ):  # a variable that is not set, and what no remote knows by name
        assert "branch --all" in ci.refused(ref).err
    left = repo.git("rev-parse", "main~1")
    ci.git(*next_words(ci.refused(left))[1:])
    assert ci.plan("--base", left)["base"] == {"ref": left, "commit": left}
    for ref in ("origin/main", "main"):
        result = ci.refused(ref)
        assert f"Commit '{ref}' not found." in result.err
        assert "fetch --depth=1 origin +main:refs/remotes/origin/main" in result.err
    assert "plan --base origin/main" in ci.refused("main").err
    ci.git(*next_words(result)[1:])
    assert "fetch --depth" not in ci.refused("main").err
    plan = ci.plan("--base", "origin/main")
    assert {
        c["address"][-1]: c["explained"] for c in plan["changes"] if c["address"][-1] in "abd"
    } == {
        "a": True,
        "b": False,
        "d": False,
    }
    assert "compared with origin/main itself" in plan["notes"][-1]["text"]


def test_names_that_are_none(repo: Repo) -> None:
    assert "branch --all" in repo.refused("nope").err
    assert "begins with a dash" in repo.refused("--output=/nowhere").err
    for ref in ("", "HEAD:records", "main..topic", "$(touch ran)", "nope\n--x"):
        assert "' not found." in repo.refused(ref).err, ref


def test_without_a_repository_or_git(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.sessions("{name: a}")
    assert f"{lab.root} is not in a git repository." in lab.run("plan", "--base", "main").err
    monkeypatch.setenv("PATH", "")
    assert "git is not installed." in lab.run("plan", "--base", "main").err
    assert lab.run("plan").code == 0


def test_errors_of_then_are_noted(repo: Repo) -> None:
    good = (repo.lab.root / "records/many/m.yaml").read_text()
    config = (repo.lab.root / "stemctl.yaml").read_text()
    repo.lab.write("records/many/m.yaml", good.replace("{name: m1}", "{name: m1, nmae: x}"))
    repo.lab.write("records/broken.yaml", "sessions: [\n")
    repo.lab.write("stemctl.yaml", "manifests: {}\n")
    repo.commit("broken")
    (repo.lab.root / "records/broken.yaml").unlink()
    repo.lab.write("records/many/m.yaml", good)
    repo.lab.write("stemctl.yaml", config)
    for name in ("m1", "m2"):
        repo.lab.edit("session", name, tags=[])
    plan = repo.plan("--base", "HEAD")
    assert {c["address"]: c["explained"] for c in plan["changes"]} == {
        "session/m1": True,
        "session/m2": False,
    }
    said = [note["text"] for note in plan["notes"]]
    assert any(
        "stemctl.yaml:1:12" in text and "The manifests of this commit were used instead" in text
        for text in said
    )
    assert any(
        "have 2 errors: records that cannot be read there count as new" in text for text in said
    )


def test_other_manifests_of_then(repo: Repo) -> None:
    repo.git("mv", "records/sessions.yaml", "elsewhere.yaml")
    text = (repo.lab.root / "stemctl.yaml").read_text()
    repo.lab.write("stemctl.yaml", text.replace("[records]", "[records, elsewhere.yaml]"))
    repo.lab.edit("session", "a", description="Theirs.")
    assert repo.explained("--base", "HEAD") == {"a": False}


def test_where_temporary_files_are_ignored_nothing_of_then_is(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo.root / "tmp").mkdir()
    (repo.root / "tmp/.gitignore").write_text("*\n")
    monkeypatch.setattr("tempfile.tempdir", str(repo.root / "tmp"))
    repo.lab.edit("session", "a", description="Theirs.")
    assert repo.explained("--base", "HEAD") == {"a": False}


def test_no_attribute_or_filter_changes_what_was_committed(repo: Repo) -> None:
    repo.lab.write(".gitattributes", "*.yaml export-ignore filter=evil\n")
    repo.commit()
    repo.git("config", "filter.evil.smudge", "touch ran; cat")
    repo.lab.edit("session", "a", description="Theirs.")
    assert repo.explained("--base", "HEAD") == {"a": False}
    assert not list(repo.root.rglob("ran"))


def test_links_are_followed_inside_alone(repo: Repo) -> None:
    outside = repo.root.parent / "outside.yaml"
    outside.write_text("sessions: [{name: o, projects: [Theta Maze Study]}]\n")
    (repo.root / "records/out.yaml").symlink_to(outside)
    (repo.root / "records/up.yaml").symlink_to("../../outside.yaml")
    (repo.root / "kept").mkdir()
    (repo.root / "kept/s.yaml").write_text(
        "sessions: [{name: linked, projects: [Theta Maze Study]}]\n"
    )
    (repo.root / "records/in.yaml").symlink_to("../kept/s.yaml")
    repo.commit()
    folder = repo.root / ".laid out"
    folder.mkdir()
    repository.export(repo.root, repo.git("rev-parse", "HEAD"), folder)
    assert (folder / "records/in.yaml").read_text().startswith("sessions")
    assert not os.path.lexists(folder / "records/out.yaml")
    assert not os.path.lexists(folder / "records/up.yaml")
    for link in ("out", "up"):
        (repo.root / f"records/{link}.yaml").unlink()
    assert repo.explained("--base", "HEAD") == {"linked": False}


def test_a_crafted_tree_stays_in_its_folder(repo: Repo) -> None:
    blob = repo.git("hash-object", "-w", "--stdin", data=b"sessions: []\n")
    inner = repo.git("mktree", data=f"100644 blob {blob}\tevil.yaml\n".encode())
    rows = f"040000 tree {inner}\t..\n040000 tree {inner}\tfine\n100644 blob {blob}\tok.yaml\n"
    rows += f"160000 commit {'1' * 40}\tsub.yaml\n"
    tree = repo.git("mktree", "--missing", data=rows.encode())
    commit = repo.git("commit-tree", "-m", "x", tree)
    folder = repo.root / ".laid out"
    folder.mkdir()
    repository.export(repo.root, commit, folder)
    found = sorted(p.relative_to(folder.parent).as_posix() for p in folder.rglob("*.yaml"))
    assert found == [".laid out/fine/evil.yaml", ".laid out/ok.yaml"]
    assert not (folder.parent / "evil.yaml").exists()
    assert repo.plan("--base", commit)["changes"] == []


def test_a_kept_plan_remembers_it(repo: Repo) -> None:
    branch(repo)
    assert repo.lab.run("plan", "--base", "main", "--out", "plan.json").code == 0
    assert (
        "~ session/b"
        in repo.lab.run("show", "plan.json").out.partition("Not from changes since main")[2]
    )
    document = json.loads((repo.lab.root / "plan.json").read_text())
    for changes in ([document], document["changes"]):
        for row in changes:
            for name in ("offline", "base", "explained"):
                row.pop(name, None)
    body = {key: value for key, value in document.items() if key != "checksum"}
    (repo.lab.root / "older.json").write_text(json.dumps({**body, "checksum": hash_of(body)}))
    assert "~ session/b" in repo.lab.run("show", "older.json").out
    repo.lab.run("apply", "plan.json")
    assert {sent.method for sent in repo.lab.writes} == {"POST", "PATCH", "DELETE"}


def test_offline_and_base(repo: Repo) -> None:
    branch(repo)
    assert repo.explained("--offline", "--base", "main") == {
        "a": True,
        "b": False,
        "c": True,
        "e": True,
        "l": True,
        "new": True,
    }
    assert repo.lab.requests == []
    assert (
        "Not from changes since main (merged but not applied yet)\n"
        in repo.lab.run("plan", "--offline", "--base", "main").out
    )
