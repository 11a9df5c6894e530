"""`.ci/release`, run for real: in a repository of its own, with tags signed by keys made here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import PROJECT

CHANGELOG = """# Changelog

## Unreleased

## 1.2.0 - 2026-12-01

### Added

- Rats.

## 1.1.0 - 2026-11-01

- Mice.
"""
pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs ssh-keygen")


class Upstream:
    """A repository with a version 1.2.0 on its main branch, and one maintainer who may sign."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        (self.root / ".ci").mkdir(parents=True)
        (self.root / "stemctl").mkdir()
        shutil.copy(PROJECT / ".ci" / "release", self.root / ".ci" / "release")
        self.git("init", "-q", "-b", "main")
        for name in ("maintainer", "stranger"):
            key = ("-t", "ed25519", "-N", "", "-q", "-C", name, "-f", str(folder / name))
            subprocess.run(["ssh-keygen", *key], check=True)
        public = (folder / "maintainer.pub").read_text()
        (self.root / ".ci" / "signers").write_text(f'm@example namespaces="git" {public}')
        self.write()
        self.commit("Version 1.2.0")

    def git(self, *args: str) -> str:
        who = ("-c", "user.name=m", "-c", "user.email=m@example")
        ran = subprocess.run(
            ["git", *who, *args], cwd=self.root, capture_output=True, text=True, check=True
        )
        return ran.stdout.strip()

    def write(self, version: str = "1.2.0", changelog: str = CHANGELOG) -> None:
        (self.root / "stemctl" / "__init__.py").write_text(f'__version__ = "{version}"\n')
        (self.root / "CHANGELOG.md").write_text(changelog)

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def sign(self, tag: str = "v1.2.0", by: str = "maintainer") -> None:
        key = f"user.signingkey={self.root.parent / by}"
        self.git("-c", "gpg.format=ssh", "-c", key, "tag", "-s", "-m", tag, tag)

    def release(self, *args: str) -> tuple[int, str]:
        """The exit code of the script, and what it said."""
        ran = subprocess.run(
            [sys.executable, str(self.root / ".ci" / "release"), *args],
            capture_output=True,
            text=True,
            check=False,
        )
        return ran.returncode, ran.stdout + ran.stderr

    def refused(self, words: str, tag: str = "v1.2.0") -> None:
        code, said = self.release("check", tag)
        assert (code, words in said) == (1, True), said


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream(tmp_path)


def test_a_signed_tag_of_the_newest_version_passes(upstream: Upstream) -> None:
    upstream.sign()
    commit = upstream.git("rev-parse", "HEAD")
    upstream.write("1.3.0.dev0")
    upstream.commit("On we go")
    assert upstream.release("check", "v1.2.0") == (0, f"{commit}\n")
    assert upstream.release("notes", "v1.2.0") == (0, "### Added\n\n- Rats.\n")


def test_who_signed_counts(upstream: Upstream) -> None:
    upstream.git("tag", "v1.2.0")
    upstream.refused("not a signed tag")
    upstream.git("tag", "-d", "v1.2.0")
    upstream.git("tag", "-m", "by hand", "v1.2.0")
    upstream.refused("not signed with an SSH key")
    upstream.git("tag", "-d", "v1.2.0")
    upstream.sign(by="stranger")
    upstream.refused("No principal matched")


def test_a_tag_cannot_bring_its_own_signers(upstream: Upstream) -> None:
    public = (upstream.root.parent / "stranger.pub").read_text()
    upstream.git("checkout", "-q", "--detach")
    (upstream.root / ".ci" / "signers").write_text(f'm@example namespaces="git" {public}')
    upstream.commit("My key")
    upstream.sign(by="stranger")
    upstream.git("checkout", "-q", "main")
    upstream.refused("No principal matched")


def test_only_what_is_on_the_main_branch_is_released(upstream: Upstream) -> None:
    upstream.git("checkout", "-q", "--detach")
    (upstream.root / "more").write_text("not reviewed")
    upstream.commit("Not reviewed")
    upstream.sign()
    upstream.git("checkout", "-q", "main")
    upstream.refused("not on the main branch")


def test_an_old_signature_under_another_name_is_refused(upstream: Upstream) -> None:
    upstream.sign("v1.1.0")
    upstream.git("update-ref", "refs/tags/v1.2.0", upstream.git("rev-parse", "v1.1.0"))
    upstream.refused("has another name")


def test_tag_version_and_changelog_agree(upstream: Upstream) -> None:
    upstream.sign("v1.3.0")
    upstream.refused("whose __version__ is 1.2.0", "v1.3.0")
    upstream.refused("is not a version", "1.2.0")


@pytest.mark.parametrize(
    ("changelog", "words"),
    [
        (CHANGELOG.replace("## Unreleased\n", "## Unreleased\n\n- Cats.\n"), 'is "Unreleased"'),
        (CHANGELOG.replace("1.2.0 - 2026-12-01", "1.2.0"), 'is "1.2.0", not'),
        (CHANGELOG.replace("1.2.0 -", "1.2.1 -"), 'is "1.2.1 - 2026-12-01", not'),
        (CHANGELOG.replace("### Added\n\n- Rats.\n\n", ""), "says nothing about 1.2.0"),
        ("# Changelog\n", "has no section"),
    ],
)
def test_what_the_changelog_must_say(upstream: Upstream, changelog: str, words: str) -> None:
    upstream.write(changelog=changelog)
    upstream.commit("Another changelog")
    upstream.sign()
    upstream.refused(words)
