"""What people do with git, in a table: how stemctl answers there, and what is not sent.

Each row begins with a repository of two sessions, `a1` in records/a and `b1` in records/b, that
were applied from a commit which was pushed. Deleting is allowed, so that a record that only seems
to have left would be deleted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.git.team import CONFIG, STATES, Member, Team, git
from tests.support.served import Gate

FILE = ("-c", "protocol.file.allow=always")
NOTHING = "Nothing to do"
ABSENT = "tracked by git, but not read"


@dataclass(frozen=True)
class Row:
    """A situation: what leads to it, and what the three commands say then, each with its exit code.

    A code of None is any: there the first apply has to find it, and other commands may. `sent` are
    the methods of the writes that `apply` makes. What stands in `never` is said by none of them.
    """

    prepare: Callable[[Team, Member], Member | None]
    plan: str
    code: int | None = 0
    validate: str = "No errors in"
    invalid: int | None = 0
    apply: str = ""
    applied: int | None = None
    sent: tuple[str, ...] = ()
    never: str = "Traceback"


def refused(prepare: Callable[[Team, Member], Member | None], *said: str) -> Row:
    """A situation in which some files cannot be read, though nobody took them away."""
    return Row(prepare, "|".join(said), 1, "|".join(said), 1, never="to delete")


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Ann")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ann@lab.example")


@pytest.fixture
def ann(team: Team) -> Member:
    """A clone from which everything was applied."""
    ann = team.clone("ann")
    allow = "policy: {allow: {delete: 5, revert: 5}}\n"
    ann.write("stemctl.yaml", CONFIG.format(url=team.url) + allow)
    ann.write("records/_defaults.yaml", "defaults: {sessions: {tags: [maze]}}\n")
    (ann.root / "records/sessions.yaml").unlink()
    ann.sessions("{name: a1, description: one}", name="records/a/s.yaml")
    ann.sessions("{name: b1, description: one}", name="records/b/s.yaml")
    ann.publish("Two sessions")
    ann.apply()
    return ann


def edit(member: Member, text: str, name: str = "a1", file: str = "records/a/s.yaml") -> None:
    member.sessions(f"{{name: {name}, description: {text}}}", name=file)


# tracked, and not here


def sparse(*options: str) -> Callable[[Team, Member], None]:
    def prepare(team: Team, ann: Member) -> None:
        ann.git("sparse-checkout", "set", *options)
        assert ann.git("status", "--porcelain") == ""

    return prepare


def hidden(flag: str, name: str) -> Callable[[Team, Member], None]:
    def prepare(team: Team, ann: Member) -> None:
        ann.git("update-index", flag, name)
        (ann.root / name).unlink()
        assert ann.git("status", "--porcelain") == ""

    return prepare


def with_rig(team: Team, ann: Member) -> None:
    """A submodule below the manifests, applied."""
    git(team.folder, "init", "-q", "--initial-branch=main", "rig")
    rig = Member(team.folder / "rig", "rig")
    edit(rig, "one", "r1", "s.yaml")
    rig.commit("A rig")
    ann.git(*FILE, "submodule", "add", "-q", str(rig.root), "records/rig")
    ann.publish("With a rig")
    ann.apply()


def submodule_not_checked_out(team: Team, ann: Member) -> Member:
    with_rig(team, ann)
    return team.clone("ben")


def submodule_given_up(team: Team, ann: Member) -> None:
    with_rig(team, ann)
    ann.git("submodule", "deinit", "-q", "-f", "records/rig")


def sparse_inside_a_submodule(team: Team, ann: Member) -> None:
    with_rig(team, ann)
    git(ann.root / "records/rig", "update-index", "--skip-worktree", "s.yaml")
    (ann.root / "records/rig/s.yaml").unlink()


def sparse_behind_a_link(team: Team, ann: Member) -> None:
    ann.git("mv", "records", "data")
    os.symlink("data", ann.root / "records")
    ann.publish("A link")
    assert ann.run("plan").code == 0
    ann.git("sparse-checkout", "set", "--no-cone", "/*", "!/data/b")


def conflict(team: Team, ann: Member) -> None:
    ann.git("checkout", "-q", "-b", "other")
    edit(ann, "theirs")
    ann.commit("Theirs")
    ann.git("checkout", "-q", "main")
    (ann.root / "records/a/s.yaml").unlink()
    ann.commit("Ours")
    ann.git("merge", "-q", "other", check=False)
    (ann.root / "records/a/s.yaml").unlink()  # git leaves theirs there, without marks


NOT_HERE = {
    "sparse checkout, cone": refused(
        sparse("records/a"), f"records/b/s.yaml: {ABSENT}", "sparse-checkout add"
    ),
    "sparse checkout, patterns": refused(
        sparse("--no-cone", "/*", "!/records/b"),
        f"records/b/s.yaml: {ABSENT}",
        "sparse-checkout add records/b",
    ),
    "sparse index": refused(sparse("--sparse-index", "records/a"), f"records/b/s.yaml: {ABSENT}"),
    "sparse, nothing left": refused(
        sparse("--no-cone", "/*", "!/records"),
        "records/_defaults.yaml, records/a/s.yaml, records/b/s.yaml: tracked",
    ),
    "skip-worktree": refused(
        hidden("--skip-worktree", "records/b/s.yaml"),
        "git update-index --no-skip-worktree records/b/s.yaml",
    ),
    "skip-worktree of defaults": refused(
        hidden("--skip-worktree", "records/_defaults.yaml"), f"records/_defaults.yaml: {ABSENT}"
    ),
    "assume-unchanged": refused(
        hidden("--assume-unchanged", "records/b/s.yaml"),
        "git update-index --no-assume-unchanged records/b/s.yaml",
    ),
    "submodule not checked out": refused(
        submodule_not_checked_out, "git submodule update --init records/rig"
    ),
    "submodule given up": refused(submodule_given_up, "git submodule update --init records/rig"),
    "skip-worktree in a submodule": refused(
        sparse_inside_a_submodule, f"records/rig/s.yaml: {ABSENT}"
    ),
    "sparse behind a link": refused(sparse_behind_a_link, f"data/b/s.yaml: {ABSENT}"),
    "conflict": refused(conflict, f"records/a/s.yaml: {ABSENT}", "git add records/a/s.yaml"),
}


# nothing special about it


def as_it_is(team: Team, ann: Member) -> None:
    pass


def deleted(team: Team, ann: Member) -> None:
    (ann.root / "records/b/s.yaml").unlink()


def removed(team: Team, ann: Member) -> None:
    ann.git("rm", "-q", "records/b/s.yaml")
    ann.publish("Without b")


def marked_and_here(team: Team, ann: Member) -> None:
    ann.git("update-index", "--skip-worktree", "records/b/s.yaml")


def sparse_elsewhere(team: Team, ann: Member) -> None:
    ann.write("analysis/deep/a.yaml", "x: 1\n")
    ann.publish("Analysis")
    ann.git("sparse-checkout", "set", "--no-cone", "/*", "!/analysis")


def detached(team: Team, ann: Member) -> None:
    ann.git("checkout", "-q", "--detach")


def shallow(team: Team, ann: Member) -> Member:
    return team.clone("job", "--depth=1", of=f"file://{team.remote}")


def linked_work_tree(team: Team, ann: Member) -> Member:
    ann.git("worktree", "add", "-q", "--detach", str(team.folder / "tree"))
    return Member(team.folder / "tree", "ann")


def reached_by_a_link(team: Team, ann: Member) -> Member:
    os.symlink(ann.root, team.folder / "link")
    return Member(team.folder / "link", "ann")


def folder_that_is_a_link(team: Team, ann: Member) -> None:
    ann.git("mv", "records", "data")
    os.symlink("data", ann.root / "records")
    ann.publish("A link")


PLAIN = {
    "as it is": Row(as_it_is, NOTHING),
    "deleted": Row(deleted, "1 to delete", sent=("DELETE",)),
    "removed": Row(removed, "1 to delete", sent=("DELETE",), never="differs from commit"),
    "skip-worktree, and here": Row(marked_and_here, NOTHING),
    "sparse elsewhere": Row(sparse_elsewhere, NOTHING),
    "detached": Row(detached, NOTHING),
    "shallow": Row(shallow, NOTHING),
    "linked work tree": Row(linked_work_tree, NOTHING),
    "reached by a link": Row(reached_by_a_link, NOTHING),
    "a folder that is a link": Row(folder_that_is_a_link, NOTHING),
    "submodule": Row(with_rig, NOTHING),
}


# not as the commit has it


def modified(team: Team, ann: Member) -> None:
    edit(ann, "two")


def staged(team: Team, ann: Member) -> None:
    edit(ann, "two")
    ann.git("add", "-A")


def untracked(team: Team, ann: Member) -> None:
    edit(ann, "new", "c1", "records/c.yaml")


def ignored(team: Team, ann: Member) -> None:
    ann.write(".gitignore", "draft.yaml\n")
    edit(ann, "two")
    ann.publish("Edited")
    edit(ann, "draft", "draft", "records/draft.yaml")
    ann.write("notes.txt", "not read")


def defaults_modified(team: Team, ann: Member) -> None:
    ann.write("records/_defaults.yaml", "defaults: {sessions: {tags: [maze, sleep]}}\n")


def configuration_modified(team: Team, ann: Member) -> None:
    edit(ann, "two")
    ann.publish("Edited")
    ann.write("stemctl.yaml", (ann.root / "stemctl.yaml").read_text() + "\n")


def edited_unseen(team: Team, ann: Member) -> None:
    ann.git("update-index", "--skip-worktree", "records/a/s.yaml")
    edit(ann, "two")
    assert ann.git("status", "--porcelain") == ""


def submodule_modified(team: Team, ann: Member) -> None:
    with_rig(team, ann)
    edit(ann, "two", "r1", "records/rig/s.yaml")
    ann.write("records/rig/notes.txt", "not read")


def submodule_moved(team: Team, ann: Member) -> None:
    with_rig(team, ann)
    edit(ann, "two", "r1", "records/rig/s.yaml")
    Member(ann.root / "records/rig", "ann").commit("In the rig")


def a_repository_that_is_no_submodule(team: Team, ann: Member) -> None:
    git(ann.root / "records", "init", "-q", "rig")
    rig = Member(ann.root / "records/rig", "rig")
    edit(rig, "one", "r1", "s.yaml")
    rig.commit("A rig")


def executable(team: Team, ann: Member) -> None:
    modified(team, ann)
    ann.publish("Two")
    (ann.root / "records/a/s.yaml").chmod(0o755)


def behind_a_link(team: Team, ann: Member) -> None:
    folder_that_is_a_link(team, ann)
    edit(ann, "two", file="data/a/s.yaml")


PATCHED = ("PATCH",)
DIRTY = {
    "modified": Row(modified, "1 file differs from commit|records/a/s.yaml", sent=PATCHED),
    "staged": Row(staged, "1 file differs from commit|records/a/s.yaml", sent=PATCHED),
    "untracked": Row(untracked, "1 file differs from commit|records/c.yaml", sent=("POST",)),
    "deleted": Row(deleted, "1 file differs from commit|records/b/s.yaml", sent=("DELETE",)),
    "defaults": Row(
        defaults_modified, "1 file differs from commit|records/_defaults.yaml", sent=PATCHED * 2
    ),
    "configuration": Row(
        configuration_modified, "1 file differs from commit|stemctl.yaml", sent=PATCHED
    ),
    "ignored": Row(ignored, "1 to update", sent=PATCHED, never="from commit"),
    "edited unseen": Row(
        edited_unseen, "1 file differs from commit|records/a/s.yaml", sent=PATCHED
    ),
    "in a submodule": Row(
        submodule_modified, "1 file differs from commit|records/rig/s.yaml", sent=PATCHED
    ),
    "submodule at another commit": Row(
        submodule_moved, "1 file differs from commit|records/rig.", sent=PATCHED
    ),
    "in a repository of its own": Row(
        a_repository_that_is_no_submodule,
        "1 file differs from commit|records/rig/s.yaml",
        sent=("POST",),
    ),
    "executable": Row(executable, "1 to update", sent=PATCHED, never="from commit"),
    "behind a link": Row(behind_a_link, "1 file differs from commit|data/a/s.yaml", sent=PATCHED),
}


# the same content in another history


def branched(ann: Member) -> None:
    """Applied from a branch, whose content then goes to main in another way."""
    ann.git("checkout", "-q", "-b", "topic")
    edit(ann, "two")
    ann.commit("Two")
    edit(ann, "three")
    ann.commit("Three")
    ann.apply()


def squashed(team: Team, ann: Member) -> None:
    branched(ann)
    ann.git("checkout", "-q", "main")
    ann.git("merge", "-q", "--squash", "topic")
    ann.publish("Two and three (#1)")


def squashed_onto_more(team: Team, ann: Member) -> None:
    branched(ann)
    ann.git("checkout", "-q", "main")
    edit(ann, "meanwhile", "b1", "records/b/s.yaml")
    ann.commit("Meanwhile")
    ann.git("merge", "-q", "--squash", "topic")
    ann.publish("Two and three (#1)")


def squashed_and_edited(team: Team, ann: Member) -> None:
    squashed(team, ann)
    edit(ann, "four")
    ann.publish("Four")


def squashed_and_reverted(team: Team, ann: Member) -> None:
    squashed(team, ann)
    ann.git("revert", "--no-edit", "HEAD")
    ann.git("push", "-q", "origin", "main")


def squashed_elsewhere(team: Team, ann: Member) -> Member:
    """The branch was pushed, applied, squashed and deleted by someone else: a clone never had its
    commits.
    """
    branched(ann)
    ann.git("push", "-q", "origin", "topic")
    ann.git("checkout", "-q", "main")
    ann.git("merge", "-q", "--squash", "topic")
    ann.publish("Two and three (#1)")
    git(team.remote, "update-ref", "refs/pull/1/head", "topic")
    return team.clone("ben", "--single-branch", of=f"file://{team.remote}")


def squashed_and_shallow(team: Team, ann: Member) -> Member:
    squashed_elsewhere(team, ann)
    return team.clone("job", "--depth=1", of=f"file://{team.remote}")


def rebased(team: Team, ann: Member) -> None:
    branched(ann)
    ann.git("checkout", "-q", "main")
    edit(ann, "meanwhile", "b1", "records/b/s.yaml")
    ann.commit("Meanwhile")
    ann.git("rebase", "-q", "main", "topic")


def amended_words(team: Team, ann: Member) -> None:
    edit(ann, "two")
    ann.commit("Tow")
    ann.apply()
    ann.git("commit", "-q", "--amend", "-m", "Two")


def amended_content(team: Team, ann: Member) -> None:
    edit(ann, "two")
    ann.commit("Two")
    ann.apply()
    edit(ann, "other")
    ann.git("commit", "-q", "-a", "--amend", "-m", "Two")


def never_merged(team: Team, ann: Member) -> None:
    branched(ann)
    ann.git("checkout", "-q", "main")


def nothing_of_ours(team: Team, ann: Member) -> Member:
    """The metadata is in a folder, and the commits that HEAD lacks change nothing there."""
    lab = Member(ann.root / "lab", "ann")
    ann.git("rm", "-q", "-r", "--cached", ".")
    (ann.root / "lab").mkdir()
    for name in ("stemctl.yaml", "records"):
        shutil.move(ann.root / name, lab.root / name)
    ann.write(".gitignore", ".stemctl/\n")
    edit(lab, "two")
    ann.publish("In a folder")
    ann.git("checkout", "-q", "-b", "topic")
    ann.write("analysis.txt", "new")
    ann.commit("Analysis")
    lab.apply()
    ann.git("checkout", "-q", "main")
    return lab


SAME = "but it contains the same changes."
BEHIND = "not in HEAD"
CONTENT = {
    "squashed": Row(squashed, f"{SAME}|{NOTHING}"),
    "squashed onto more": Row(squashed_onto_more, f"{SAME}|1 to update", sent=PATCHED),
    "squashed, then edited": Row(squashed_and_edited, f"{SAME}|1 to update", sent=PATCHED),
    "squashed, then reverted": Row(squashed_and_reverted, f"{SAME}|1 to update", sent=PATCHED),
    "squashed by someone else": Row(squashed_elsewhere, f"{SAME}|{NOTHING}"),
    "squashed, in a shallow clone": Row(squashed_and_shallow, f"{SAME}|{NOTHING}"),
    "rebased": Row(rebased, f"{SAME}|1 to update", sent=PATCHED),
    "amended, its message": Row(amended_words, f"{SAME}|{NOTHING}"),
    "amended, its content": Row(
        amended_content, f"1 commit that was applied is {BEHIND}", 0, applied=1
    ),
    "never merged": Row(never_merged, f"2 commits that were applied are {BEHIND}", 0, applied=1),
    "commits elsewhere": Row(nothing_of_ours, f"{SAME}|{NOTHING}"),
}


# fixed with the other faults of git that cannot answer, and of places


def other_owner(team: Team, ann: Member) -> None:
    """The clone is someone else's, and HEAD is an old commit."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    edit(ann, "new", "c1", "records/c.yaml")
    ann.publish("One more")
    ann.apply()
    ann.git("checkout", "-q", "HEAD^")
    for folder, _, names in os.walk(ann.root):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            os.chown(path, 12345, 12345, follow_symlinks=False)


def ignored_beside_a_submodule(team: Team, ann: Member) -> None:
    ann.write(".gitignore", "draft.yaml\n")
    edit(ann, "draft", "draft", "records/draft.yaml")
    with_rig(team, ann)


def pushes_elsewhere(team: Team, ann: Member) -> None:
    git(team.remote, "update-ref", "-d", f"refs/heads/{STATES}")
    git(team.folder, "init", "-q", "--bare", "fork.git")
    ann.git("remote", "set-url", "--push", "origin", str(team.folder / "fork.git"))
    edit(ann, "new", "c1", "records/c.yaml")
    ann.commit("One more")


def pushes_instead_of(team: Team, ann: Member) -> None:
    git(team.remote, "update-ref", "-d", f"refs/heads/{STATES}")
    git(team.folder, "init", "-q", "--bare", "fork.git")
    ann.git("config", f"url.{team.folder / 'fork.git'}.pushInsteadOf", str(team.remote))
    edit(ann, "new", "c1", "records/c.yaml")
    ann.commit("One more")


FIXED_ELSEWHERE = {
    "owner": Row(other_owner, "", 1, "", 1, never="to delete"),
    "ignored, beside a submodule": Row(
        ignored_beside_a_submodule, f"Read 3 files|{NOTHING}", never="draft"
    ),
    "pushurl": Row(pushes_elsewhere, "", None, "", None, apply="push", applied=1),
    "pushInsteadOf": Row(pushes_instead_of, "", None, "", None, apply="push", applied=1),
}

ROWS = {
    f"{table}: {name}": row
    for table, rows in {
        "not here": NOT_HERE,
        "plain": PLAIN,
        "dirty": DIRTY,
        "content": CONTENT,
        "fixed elsewhere": FIXED_ELSEWHERE,
    }.items()
    for name, row in rows.items()
}


def written(team: Team) -> str:
    """Where the state branch is on the remote."""
    return git(team.remote, "rev-parse", "--verify", "--quiet", STATES, check=False)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if number % 6 else [])
        for number, name in enumerate(ROWS)
    ],
)
def test_what_people_do_with_git(team: Team, gate: Gate, ann: Member, name: str) -> None:
    row = ROWS[name]
    member = row.prepare(team, ann) or ann
    sent, story = len(gate.arrived), written(team)
    for command, code, words in (
        ("validate", row.invalid, row.validate),
        ("plan", row.code, row.plan),
    ):
        found = member.run(command)
        assert code in (None, found.code), found.said
        for said in words.split("|"):
            assert said in found.said
        assert row.never not in found.said
    if name.startswith("not here"):
        assert member.run("drift").code == member.run("show", "session/a1").code == 1
    assert (len(gate.arrived), written(team)) == (sent, story)
    code = row.code if row.applied is None else row.applied
    done = member.run("apply", "--auto-approve")
    assert done.code == code, done.said
    assert row.apply in done.said
    assert row.never not in done.said
    assert [write.split()[0] for write in gate.arrived[sent:]] == list(row.sent)
    if code == 1:
        assert written(team) == story
    elif row.sent:
        assert NOTHING in member.run("plan").out
