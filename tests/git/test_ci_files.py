"""What `ci init` finds in a repository: its branches, and files that are there already."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.git.team import git
from tests.support.lab import Lab, Result

SOURCE = f"git+https://forge.example/lab/stemctl@{'0' * 40}"


@pytest.fixture
def hosted(lab: Lab) -> Lab:
    """A repository on a branch of its own, which was pushed to a remote."""
    git(lab.root, "init", "-q", "--initial-branch=main")
    lab.write("stemctl.yaml", "servers: {lab: {url: 'https://www.brainstem.org/', edition: 2026}}")
    git(lab.root, "add", "stemctl.yaml")
    git(lab.root, "-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qm", "A start")
    git(lab.root, "init", "-q", "--bare", "--initial-branch=lab", "hosted.git")
    git(lab.root, "remote", "add", "origin", "hosted.git")
    git(lab.root, "push", "-q", "origin", "main")
    git(lab.root, "checkout", "-q", "-b", "add-workflows")
    return lab


def init(lab: Lab) -> Result:
    return lab.run("ci", "init", "github", "--source", SOURCE)


def applies_from(lab: Lab) -> list[str]:
    text = (lab.root / ".github/workflows/stemctl-apply.yml").read_text(encoding="utf-8")
    return re.findall(r"branches: \[(.*)\]", text)


def test_a_branch_of_its_own_is_not_applied_from(hosted: Lab) -> None:
    assert init(hosted).code == 0
    assert applies_from(hosted) == ['"main"']


def test_the_default_branch_of_the_remote_counts_first(hosted: Lab) -> None:
    git(hosted.root, "push", "-q", "origin", "main:lab")
    git(hosted.root, "remote", "set-head", "origin", "lab")
    assert init(hosted).code == 0
    assert applies_from(hosted) == ['"lab"']


def test_without_a_usual_name_it_is_the_current_branch(hosted: Lab) -> None:
    git(hosted.root, "push", "-q", "origin", "main:lab", ":main")
    assert init(hosted).code == 0
    assert applies_from(hosted) == ['"add-workflows"']


def test_a_plus_in_the_name_of_a_branch_is_a_plus(hosted: Lab) -> None:
    git(hosted.root, "push", "-q", "origin", "main:c++", ":main")
    git(hosted.root, "remote", "set-head", "origin", "c++")
    assert init(hosted).code == 0
    text = (hosted.root / ".github/workflows/stemctl-apply.yml").read_text(encoding="utf-8")
    document = yaml.load(text, yaml.BaseLoader)
    assert document["on"]["push"]["branches"] == [r"c\+\+"]
    assert document["jobs"]["plan"]["steps"][0]["with"]["ref"] == "c++"


def test_a_file_that_is_no_text_is_not_changed(hosted: Lab) -> None:
    path = hosted.root / ".github/stemctl.lock"
    path.parent.mkdir()
    path.write_bytes(b"\xff\xfe")
    result = init(hosted)
    assert (result.code, path.read_bytes()) == (1, b"\xff\xfe")
    assert "stemctl.lock already exists with other content" in result.said
