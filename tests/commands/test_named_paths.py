"""Paths on the command line: what they mean, and what is said of those that mean no manifest."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.support.lab import Lab

WRONG = "sessions: [\n"


@pytest.fixture
def tree(lab: Lab) -> Lab:
    """A repository with one sound manifest, and files of every kind that is none."""
    subprocess.run(["git", "init", "-q"], cwd=lab.root, check=True)
    lab.sessions("{name: a}", name="records/a.yaml")
    lab.write(".gitignore", "ignored*\n")
    for name in (
        "draft.yaml",
        "records/ignored.yaml",
        "records/.hidden.yaml",
        "ignored/b.yaml",
        "drafts/b.yaml",
        "../outside.yaml",
    ):
        lab.write(name, WRONG)
    lab.write("records/data.json", "{")
    (lab.root / "empty").mkdir()
    lab.run("fmt")
    return lab


NONE = {
    "draft.yaml": "`manifests:` in stemctl.yaml names `records`: move the file there, or add it",
    "records/ignored.yaml": "git ignores it: `git check-ignore -v records/ignored.yaml` shows why",
    "records/.hidden.yaml": "hidden files and folders are not read",
    "records/data.json": "manifests end in `.yaml` or `.yml`",
    "empty": "no file in or below it ends in `.yaml` or `.yml`",
    "drafts": "`manifests:` in stemctl.yaml names `records`: add the folder, or move its files",
    "../outside.yaml": "name a file below stemctl.yaml, or use `-C DIR`",
    "recrods/a.yaml": "did you mean `records/a.yaml`?",
    "records\\a.yaml": "it does not exist: write `records/a.yaml`",
    "": "the path is empty: a shell variable may not be set",
    "records/*.yml": "it does not exist",
    "a\0b": "it does not exist",
}


@pytest.mark.parametrize("path", NONE)
@pytest.mark.parametrize("command", [["validate"], ["fmt"], ["fmt", "--check"], ["fmt", "--diff"]])
def test_a_path_that_means_no_manifest_is_named(tree: Lab, command: list[str], path: str) -> None:
    result = tree.run(*command, path)
    assert result.code == 1
    assert "[not-a-manifest]" in result.said
    assert NONE[path] in result.said
    assert "No errors" not in result.said
    assert "already formatted" not in result.said


def test_what_is_named_beside_it_is_checked_and_counted(tree: Lab) -> None:
    result = tree.run("validate", "draft.yaml", "records/a.yaml")
    assert result.code == 1
    assert result.out.count("error:") == 1
    assert "1 error in 0 of 1 file, 1 record checked" in result.out
    assert "No file was checked." in tree.run("validate", "draft.yaml").out
    document = tree.run("validate", "-o", "json", "draft.yaml").json
    assert (document["files"], document["records"], document["errors"]) == (0, 0, 1)


def test_a_path_from_the_working_directory_is_explained(
    tree: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree.root.parent)
    typed = f"{tree.root.name}/records/a.yaml"
    assert f"paths are relative to {tree.root}: write `records/a.yaml`" in (
        tree.run("validate", typed).out
    )


SPELLINGS = [
    "records/a.yaml",
    "./records/a.yaml",
    "records/../records//a.yaml",
    "records/",
    "records/sub/..",
    ".",
    "{root}",
    "{root}/",
    "{root}/records/a.yaml",
    "{root}/x/../records",
    "{link}/records/a.yaml",
    "{link}",
    "inner/a.yaml",
]


@pytest.mark.skipif(os.name != "posix", reason="links")
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_all_commands_take_the_same_spellings(
    tree: Lab, spelling: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    link = tmp_path_factory.mktemp("links") / "link"
    link.symlink_to(tree.root)
    (tree.root / "inner").symlink_to("records")
    tree.sessions("{name: b}", name="records/sub/b.yaml")
    tree.run("fmt")
    path = spelling.format(root=tree.root, link=link)
    everything = not path.endswith("a.yaml")
    checked = tree.run("validate", path)
    assert checked.code == 0, checked.said
    assert ("2 files, 2 records" if everything else "1 file, 1 record") in checked.out
    assert tree.run("fmt", "--check", path).code == 0
    planned = {change["address"] for change in tree.plan(path)["changes"]}
    left = {change["address"] for change in tree.plan("--exclude", path)["changes"]}
    assert planned == {"session/a"} | ({"session/b"} if everything else set())
    assert left == {"session/a", "session/b"} - planned


def test_errors_below_the_named_folder_are_found(tree: Lab) -> None:
    tree.write("records/sub/wrong.yaml", WRONG)
    for path in (".", "records", "records/sub", str(tree.root)):
        assert "records/sub/wrong.yaml:1:11" in tree.run("validate", path).out
    assert tree.run("validate", "records/a.yaml").code == 0


def test_the_defaults_of_a_named_file_are_part_of_it(tree: Lab) -> None:
    tree.write("records/_defaults.yaml", "defaults:\n  sessions: {tagz: [a]}\n")
    result = tree.run("validate", "records/a.yaml")
    assert result.code == 1
    assert "records/_defaults.yaml:2:14" in result.out
    assert tree.run("validate", "records/_defaults.yaml").code == 1


def test_what_reading_the_server_finds_is_about_every_file(tree: Lab) -> None:
    tree.apply()
    tree.totals = "none"
    whole, named = (tree.run("validate", "--online", *paths) for paths in ([], ["records"]))
    assert (whole.code, whole.out) == (named.code, named.out)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("draft.yaml", "draft.yaml is not a manifest of this repository."),
        ("empty", "empty contains no manifest of this repository."),
        ("records/ignored.yaml", "Git ignores it"),
        ("records/_defaults.yaml", "name its folder, records."),
        ("records/forgotten.yaml", "records/forgotten.yaml declares no record."),
        ("stemctl.yaml", "It configures stemctl, and declares no records."),
    ],
)
def test_a_plan_of_such_a_path_says_the_same(tree: Lab, path: str, words: str) -> None:
    tree.write("records/_defaults.yaml", "defaults:\n  sessions: {tags: [a]}\n")
    tree.write("records/forgotten.yaml", "forget: [session/x]\n")
    result = tree.run("plan", path)
    assert result.code == 1
    assert words in result.err
    assert tree.requests == []


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_a_link_is_not_formatted_and_says_so(tree: Lab) -> None:
    (tree.root / "records/link.yaml").symlink_to(tree.root / "draft.yaml")
    result = tree.run("fmt", "records/link.yaml")
    assert result.code == 1
    assert "`records/link.yaml` is a link; not formatted" in result.out


def test_files_that_git_ignores_are_not_said_to_be_missing(lab: Lab) -> None:
    subprocess.run(["git", "init", "-q"], cwd=lab.root, check=True)
    lab.sessions("{name: a}", name="records/a b.yaml")
    lab.write(".gitignore", "records/\n")
    for command in (["validate"], ["plan"], ["apply", "--auto-approve"]):
        result = lab.run(*command)
        assert result.code == 1
        assert "git ignores the 1 file there: records/a b.yaml." in result.err
        assert "check-ignore -v 'records/a b.yaml'" in result.err
    lab.write(".gitignore", "")
    (lab.root / "records/a b.yaml").unlink()
    lab.write("records/_defaults.yaml", "defaults:\n  sessions: {tags: [a]}\n")
    assert "there are only folder defaults: records/_defaults.yaml" in lab.run("validate").err
    (lab.root / "records/_defaults.yaml").rename(lab.root / "records/a.yaml.bak")
    result = lab.run("validate")
    assert (result.code, result.out) == (1, "")
    assert "and there are none." in result.err
