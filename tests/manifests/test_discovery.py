import os
import subprocess

import pytest

from stemctl.manifests.discovery import find_manifests, folders_above


@pytest.fixture
def tree(tmp_path):
    def write(*paths):
        for path in paths:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text("sessions: []\n", encoding="utf-8")
        return tmp_path

    return write


def git(root, *arguments):
    subprocess.run(["git", "-C", root, *arguments], check=True, capture_output=True)


def test_yaml_files_of_folders_files_and_globs_sorted(tree):
    root = tree(
        "records/b.yaml",
        "records/a/c.yml",
        "records/a.txt",
        "one.yaml",
        "labs/x/r/1.yaml",
        "labs/y/r/2.yaml",
    )
    assert find_manifests(root, ["records", "one.yaml", "labs/*/r"]).manifests == (
        "labs/x/r/1.yaml",
        "labs/y/r/2.yaml",
        "one.yaml",
        "records/a/c.yml",
        "records/b.yaml",
    )


def test_a_file_that_two_entries_name_is_read_once(tree):
    root = tree("records/a.yaml")
    assert find_manifests(
        root, ["records", "records/a.yaml", "**/*.yaml", "./records/"]
    ).manifests == ("records/a.yaml",)


def test_hidden_files_and_the_configuration_are_no_manifests(tree):
    root = tree(
        "stemctl.yaml", ".hidden.yaml", ".venv/a.yaml", "a/.b/c.yaml", "records/stemctl.yaml"
    )
    assert find_manifests(root, ["."]).manifests == ("records/stemctl.yaml",)
    assert find_manifests(root, [".venv", ".venv/a.yaml"]).manifests == ()


def test_what_git_ignores_is_skipped(tree):
    root = tree("records/a.yaml", "records/tmp/b.yaml", "records/ü.yaml", "kept.yaml")
    git(root, "init")
    (root / ".gitignore").write_text("tmp/\nü.yaml\nkept.yaml\n", encoding="utf-8")
    git(root, "add", "-f", "kept.yaml")
    assert find_manifests(root, ["."]).manifests == ("kept.yaml", "records/a.yaml")


def test_a_hook_of_another_repository_does_not_confuse_git(tree, monkeypatch):
    root = tree("a.yaml", "b.yaml")
    git(root, "init")
    (root / ".gitignore").write_text("b.yaml\n", encoding="utf-8")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert find_manifests(root, ["."]).manifests == ("a.yaml",)


def test_without_git_nothing_is_ignored(tree, monkeypatch):
    root = tree("a.yaml")
    (root / ".gitignore").write_text("a.yaml\n", encoding="utf-8")
    assert find_manifests(root, ["."]).manifests == ("a.yaml",)
    monkeypatch.setenv("PATH", "")
    assert find_manifests(root, ["."]).manifests == ("a.yaml",)


def test_links_that_lead_out_are_not_followed(tree, tmp_path_factory):
    root = tree("records/a.yaml")
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.yaml").write_text("token: x\n", encoding="utf-8")
    os.symlink(outside / "secret.yaml", root / "records" / "link.yaml")
    os.symlink(outside, root / "records" / "folder")
    os.symlink(outside, root / "linked")
    os.symlink(outside / "secret.yaml", root / "_defaults.yaml")
    os.symlink(root / "records" / "a.yaml", root / "records" / "inside.yaml")
    found = find_manifests(root, ["records", "linked", "records/link.yaml"])
    assert found.manifests == ("records/a.yaml", "records/inside.yaml")
    assert found.defaults == ()
    assert {(p.code, p.message.partition(" is a link")[0]) for p in found.problems} == {
        ("link-not-followed", "`linked`"),
        ("link-not-followed", "`records/folder`"),
        ("link-not-followed", "`records/link.yaml`"),
    }


@pytest.mark.parametrize("entry", ["/etc", "../elsewhere", "records/../../elsewhere"])
def test_entries_outside_the_repository_are_refused(tree, entry):
    found = find_manifests(tree("records/a.yaml"), [entry])
    assert found.manifests == ()
    assert [p.code for p in found.problems] == ["no-such-path"]


def test_an_entry_that_is_not_there_is_an_error_and_an_empty_one_is_not(tree):
    root = tree("records/a.yaml")
    (root / "empty").mkdir()
    (problem,) = find_manifests(root, ["records", "empty", "recrods", "nothing/*"]).problems
    assert problem.message == "`manifests`: `recrods` does not exist"


def test_folder_defaults_are_found_up_to_the_root(tree):
    root = tree(
        "_defaults.yaml",
        "labs/_defaults.yaml",
        "labs/x/a.yaml",
        "labs/x/y/_defaults.yaml",
        "other/_defaults.yaml",
    )
    found = find_manifests(root, ["labs/x"])
    assert found.manifests == ("labs/x/a.yaml",)
    assert found.defaults == ("_defaults.yaml", "labs/_defaults.yaml", "labs/x/y/_defaults.yaml")


def test_folders_above():
    assert list(folders_above("a/b")) == ["a/b", "a", ""]
    assert list(folders_above("")) == [""]


def test_entries_that_can_never_be_manifests_are_told(tree):
    root = tree("a.txt", "labs/_defaults.yml")
    found = find_manifests(root, ["a.txt", "x**y", "labs"])
    messages = [problem.message for problem in found.problems]
    assert messages[0] == "`manifests`: `a.txt` is not a YAML file"
    assert messages[-1] == "`_defaults.yml` is not used"
