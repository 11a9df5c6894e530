"""Where the jobs of `ci init` get stemctl: what an installer recorded, and what a user names."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from stemctl.commands import install_source
from stemctl.commands.install_source import (
    FileSource,
    GitSource,
    parse_source,
    read_direct_url,
)
from stemctl.errors import ConfigError
from tests.git.team import Member, git
from tests.support.lab import Lab

COMMIT, HASH = "5" * 40, "b" * 64
HOSTED = "https://forge.example/lab/stemctl.git"
SECRET = "s3cret-of-ann"


def recorded(url: str, **more: Any) -> str:
    return json.dumps({"url": url, **more})


def git_record(url: str, **more: Any) -> str:
    return recorded(url, vcs_info={"vcs": "git", "commit_id": COMMIT}, **more)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (git_record(HOSTED), GitSource(HOSTED, COMMIT)),
        (
            git_record(HOSTED, subdirectory="tools/stemctl"),
            GitSource(HOSTED, COMMIT, "tools/stemctl"),
        ),
        (
            git_record(f"https://ann:{SECRET}@forge.example/lab/stemctl.git"),
            GitSource(HOSTED, COMMIT),
        ),
        (git_record("ssh://git@forge.example/lab/stemctl.git"), GitSource(HOSTED, COMMIT)),
        (
            recorded("https://h.example/s.whl", archive_info={"hashes": {"sha256": HASH}}),
            FileSource("https://h.example/s.whl", HASH),
        ),
        (  # as older versions of pip wrote it; the query may be a secret, and is not part of it
            recorded(
                f"https://h.example/s.whl?t={SECRET}", archive_info={"hash": f"sha256={HASH}"}
            ),
            FileSource("https://h.example/s.whl", HASH),
        ),
    ],
)
def test_what_an_installer_recorded(text: str, source: object) -> None:
    assert read_direct_url(text, os.environ) == source


@pytest.mark.parametrize(
    "text",
    [
        git_record("file:///home/ann/stemctl"),
        git_record("http://forge.example/lab/stemctl"),
        git_record("https://forge.example/$(id)"),
        git_record("https://forge.example/lab", subdirectory="a b"),
        git_record("https://forge.example/${{ x }}"),
        recorded(HOSTED, vcs_info={"vcs": "hg", "commit_id": COMMIT}),
        recorded(HOSTED, vcs_info={"vcs": "git", "commit_id": "main"}),
        recorded("file:///tmp/s.whl", archive_info={"hashes": {"sha256": HASH}}),
        recorded("https://h.example/s.whl", archive_info={}),
        recorded("https://h.example/s.whl", archive_info={"hashes": {"sha256": "$(id)"}}),
        recorded("file:///nowhere", dir_info={"editable": True}),
        "",
        "[]",
        "{}",
        recorded(HOSTED),
        '{"url": 3, "dir_info": {}}',
        '{"url": "https://[", "dir_info": {}}',
    ],
)
def test_what_no_job_can_get_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        read_direct_url(text, os.environ)


@pytest.mark.parametrize(
    ("text", "requirement"),
    [
        (f"git+{HOSTED}@{COMMIT}", f"stemctl @ git+{HOSTED}@{COMMIT}"),
        (f"stemctl @ git+{HOSTED}@{COMMIT}", f"stemctl @ git+{HOSTED}@{COMMIT}"),
        (
            f"git+{HOSTED}@{COMMIT}#subdirectory=tools",
            f"stemctl @ git+{HOSTED}@{COMMIT}#subdirectory=tools",
        ),
        (
            f"git+ssh://git@forge.example/lab/stemctl.git@{COMMIT}",
            f"stemctl @ git+{HOSTED}@{COMMIT}",
        ),
        (f"git+file:///srv/stemctl@{COMMIT}", f"git+file:///srv/stemctl@{COMMIT}"),
        (
            f"https://h.example/s.whl#sha256={HASH}",
            f"stemctl @ https://h.example/s.whl#sha256={HASH}",
        ),
        ("stemctl==0.2.0", "stemctl==0.2.0"),
    ],
)
def test_a_source_that_is_named(text: str, requirement: str) -> None:
    assert parse_source(text).requirement == requirement


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stemctl",
        "stemctl>=1",
        "other==1.0",
        f"git+{HOSTED}@main",
        f"git+{HOSTED}",
        f"git+{HOSTED}@{COMMIT}#egg=x",
        f"git+http://forge.example/lab/stemctl@{COMMIT}",
        f"git+https:///lab/stemctl@{COMMIT}",
        f"git+https://ann:{SECRET}@forge.example/lab/stemctl@{COMMIT}",
        f"git+https://{SECRET}@forge.example/lab/stemctl@{COMMIT}",
        f'git+https://forge.example/"; id; "@{COMMIT}',
        f"git+https://forge.example/$(id)@{COMMIT}",
        f"git+ext::sh -c id@{COMMIT}",
        "https://h.example/s.whl",
        f"https://h.example/s.whl?token={SECRET}#sha256={HASH}",
        "https://h.example/s.whl#sha256=1",
        f"./s.whl#sha256={HASH}",
    ],
)
def test_what_is_no_source_is_refused_and_not_quoted_with_its_password(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_source(text)
    assert SECRET not in f"{caught.value.what} {caught.value.why} {caught.value.hints}"


@pytest.mark.parametrize(
    ("name", "what", "hint"),
    [
        ("v0.1.0", "`v0.1.0` is not a commit.", f"git ls-remote {HOSTED} v0.1.0"),
        ("main", "`main` is not a commit.", f"git ls-remote {HOSTED} main"),
        (COMMIT[:8], "is not a whole commit.", ""),
        ("$(id)", "The source has no commit.", ""),
        ("--upload-pack=x", "The source has no commit.", ""),
    ],
)
def test_a_name_in_place_of_a_commit(name: str, what: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_source(f"git+{HOSTED}@{name}")
    assert what in caught.value.what
    assert [command for command, _ in caught.value.hints] == ([hint] if hint else [])


@pytest.fixture
def own(tmp_path: Path) -> Member:
    """A clone of a repository of stemctl, whose remote looks as if it was elsewhere."""
    git(tmp_path, "init", "-q", "--bare", "--initial-branch=main", "hosted.git")
    git(tmp_path, "clone", "-q", "hosted.git", "own")
    member = Member(tmp_path / "own", "maintainer")
    member.write("tools/pyproject.toml", "")
    member.publish("A start")
    member.git("fetch", "-q", "origin")
    member.git("remote", "set-url", "origin", "git@forge.example:lab/stemctl.git")
    return member


def from_folder(folder: Path) -> Any:
    text = recorded(folder.as_uri(), dir_info={"editable": True})
    return read_direct_url(text, os.environ)


def test_a_folder_is_named_by_its_commit(own: Member) -> None:
    commit = own.git("rev-parse", "HEAD")
    assert from_folder(own.root) == GitSource(HOSTED, commit)
    assert from_folder(own.root / "tools") == GitSource(HOSTED, commit, "tools")


def test_a_folder_with_changes_is_refused(own: Member) -> None:
    own.write("tools/new.py", "")
    with pytest.raises(ConfigError, match="changes that are not committed"):
        from_folder(own.root)


def test_a_commit_that_is_not_pushed_is_refused(own: Member) -> None:
    own.write("tools/new.py", "")
    own.commit("Mine alone")
    with pytest.raises(ConfigError, match="is on no remote"):
        from_folder(own.root)


def test_a_remote_on_this_machine_is_refused(own: Member, tmp_path: Path) -> None:
    own.git("remote", "set-url", "origin", str(tmp_path / "hosted.git"))
    with pytest.raises(ConfigError, match="on this machine too"):
        from_folder(own.root)


def in_git(lab: Lab, forge: str) -> str:
    """The text of the first workflow after ci init, from where this stemctl came."""
    git(lab.root, "init", "-q", "--initial-branch=main")
    (lab.root / "stemctl.yaml").write_text(
        "servers: {lab: {url: 'https://www.brainstem.org/', edition: 2026}}\n"
    )
    result = lab.run("ci", "init", forge)
    assert result.code == 0, result.said
    return (lab.root / ".github/workflows/stemctl-apply.yml").read_text()


def test_without_an_option_it_is_where_this_one_came_from(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install_source, "_direct_url", lambda: git_record(HOSTED))
    assert f'  STEMCTL: "stemctl @ git+{HOSTED}@{COMMIT}"\n' in in_git(lab, "github")


def test_a_name_alone_is_no_source_until_you_say_so(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install_source, "_direct_url", lambda: None)
    monkeypatch.setattr(install_source, "__version__", "9.8.7")
    git(lab.root, "init", "-q", "--initial-branch=main")
    lab.write("stemctl.yaml", "servers: {lab: {url: 'https://www.brainstem.org/', edition: 2026}}")
    refused = lab.run("ci", "init", "github")
    assert refused.code == 1
    assert re.search("ci init github --source stemctl==9.8.7 +takes it from pypi.org", refused.err)
    assert not (lab.root / ".github").exists()
    assert lab.run("ci", "init", "github", "--source", "stemctl==9.8.7").code == 0
    text = (lab.root / ".github/workflows/stemctl-apply.yml").read_text()
    assert '  STEMCTL: "stemctl==9.8.7"\n' in text


def test_what_is_refused_says_what_to_type_and_writes_nothing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = git_record("file:///home/ann/stemctl")
    monkeypatch.setattr(install_source, "_direct_url", lambda: record)
    git(lab.root, "init", "-q", "--initial-branch=main")
    words = ("ci", "init", "github", "--short", "--pull")
    result = lab.run("--server", "https://www.brainstem.org/", *words)
    assert result.code == 1
    assert "ci init github --pull --short --source git+https://HOST/REPO@COMMIT" in result.err
    assert "Nothing was written." in result.err
    assert not (lab.root / ".github").exists()
