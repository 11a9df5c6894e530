"""A repository that tries, with all that can be committed, to have its reader run a command or tell
a secret.

Each trick leaves a mark in the folder `ran` if it works. `outside` is a folder beside the checkout,
with a secret.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.git.team import Member, git, hostile_modules

SECRET = "a secret beside the checkout"
ODD_NAMES = [
    b"-rf",
    b"--upload-pack=x.yaml",
    b"a\nb.yaml",
    b"\xff.yaml",
    b"$(touch x).yaml",
    b"\x1b[31m.yaml",
]
KEYS = (
    "core.fsmonitor",
    "core.pager",
    "core.sshCommand",
    "core.editor",
    "core.gitProxy",
    "diff.external",
    "gpg.program",
)
REMOTE_KEYS = ("uploadpack", "receivepack")


@dataclass(frozen=True)
class Traps:
    """Where the marks go, and what must not be seen or touched."""

    ran: Path
    outside: Path

    def command(self, name: str) -> str:
        """A shell command that leaves a mark, with its environment in it, and fails."""
        return f"env > {self.ran}/{name}; false"

    def sprung(self) -> list[str]:
        """The tricks that worked."""
        return sorted(path.name for path in self.ran.iterdir())


def lay(folder: Path) -> Traps:
    """Traps with nothing in them yet."""
    traps = Traps(folder / "ran", folder / "outside")
    for path in (traps.ran, traps.outside):
        path.mkdir()
    (traps.outside / "secret.yaml").write_text(
        f"sessions:\n  - {{name: {SECRET}, projects: [Theta Maze Study]}}\n"
    )
    (traps.outside / "_defaults.yaml").write_text(
        f"defaults:\n  sessions: {{description: {SECRET}}}\n"
    )
    return traps


def bare(folder: Path, traps: Traps, mark: str) -> None:
    """The files of a bare repository, each of which can be committed, with a command wherever one
    can be named.
    """
    subprocess.run(["git", "init", "-q", "--bare", "--template=", folder], check=True)
    for key in KEYS:
        git(folder, "config", key, traps.command(f"{mark}-{key}"))
    for key in REMOTE_KEYS:
        git(folder, "config", f"remote.origin.{key}", traps.command(f"{mark}-{key}"))
    git(folder, "config", "remote.origin.url", f"ext::sh -c touch% {traps.ran}/{mark}-ext")
    git(folder, "config", "protocol.ext.allow", "always")
    git(folder, "config", "core.hooksPath", "hooks")
    git(folder, "config", "core.worktree", str(traps.outside))
    git(folder, "config", "core.bare", "false")
    for name in (
        "pre-push",
        "reference-transaction",
        "post-checkout",
        "post-index-change",
        "pre-auto-gc",
    ):
        script(folder / "hooks" / name, f"#!/bin/sh\n{traps.command(f'{mark}-hook-{name}')}\n")
    for name in ("objects", "refs/heads"):
        (folder / name).mkdir(exist_ok=True, parents=True)
        (folder / name / "keep").write_text("")
    (folder / "objects/info").mkdir(exist_ok=True)
    (folder / "objects/info/alternates").write_text(f"{traps.outside}\n")


def script(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    path.chmod(0o755)


def own_repositories(member: Member, traps: Traps) -> None:
    """Below .stemctl, where earlier versions had repositories of their own."""
    for name in ("git", "history"):
        bare(member.root / ".stemctl" / name, traps, f"stemctl-{name}")
        git(member.root / ".stemctl" / name, "config", "--unset", "core.worktree")
        git(
            member.root / ".stemctl" / name,
            "config",
            "remote.origin.url",
            str(traps.ran.parent / "remote.git"),
        )


def own_files(member: Member, traps: Traps) -> None:
    """A journal, a run, locks and a sandbox of somebody else's."""
    for name in (
        "lab.journal",
        "sandbox.journal",
        "lab.owner.json",
        "lab.lock",
        "sandbox.db",
        "sandbox.state.json",
    ):
        member.write(f".stemctl/{name}", "{}\n")
    member.write(".stemctl/runs/lab/2024-03-22T140311Z.jsonl", "{}\n")
    member.write(".stemctl/.gitignore", "")


def own_links(member: Member, traps: Traps) -> None:
    """Where the record of a run would land elsewhere."""
    (member.root / ".stemctl/runs").mkdir(parents=True, exist_ok=True)
    (member.root / ".stemctl/runs/sandbox").symlink_to(traps.outside)
    if not (member.root / ".stemctl/runs/lab").exists():
        (member.root / ".stemctl/runs/lab").symlink_to(traps.outside)


def git_files(member: Member, traps: Traps) -> None:
    """What git reads out of a checkout."""
    command = traps.command("driver")
    member.write(
        ".gitattributes", "* filter=evil diff=evil merge=evil\n*.yaml export-subst ident\n"
    )
    member.write(".gitconfig", f'[filter "evil"]\n\tclean = {command}\n\tsmudge = {command}\n')
    member.write(
        ".gitmodules",
        '[submodule "records/sub"]\n\tpath = records/sub\n'
        f"\turl = ext::sh -c touch% {traps.ran}/submodule\n"
        f"\tupdate = !{traps.command('update')}\n\tfetchRecurseSubmodules = true\n\tignore = none\n"
        '[submodule "-u./x"]\n\tpath = -u\n\turl = -u./x\n',
    )
    member.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},records/sub")
    for name in ("pre-commit", "post-checkout", "pre-push"):
        script(member.root / "hooks" / name, f"#!/bin/sh\n{traps.command(f'hooks-{name}')}\n")
    bare(member.root / "records/inner", traps, "records-inner")
    bare(member.root / "records/inner.git", traps, "records-inner-git")
    bare(member.root / "x", traps, "top")
    for path in (member.root / "x").iterdir():
        if path.name != "hooks":
            path.rename(member.root / path.name)


def names_and_links(member: Member, traps: Traps) -> None:
    """Names that are options, commands or no text, and links that lead out."""
    for name in ODD_NAMES:
        (Path(os.fsdecode(os.path.join(os.fsencode(member.root / "records"), name)))).write_text(
            "sessions: []\n"
        )
    for path, target in {
        "records/out": traps.outside,
        "records/out.yaml": traps.outside / "secret.yaml",
        "records/_defaults.yaml": traps.outside / "_defaults.yaml",
        "lab.state.json.new": traps.outside / "state",
        "plan.json": traps.outside / "plan",
        "report.html": traps.outside / "report.html",
        ".github": traps.outside,
        ".stemctl-schema.json": traps.outside / "schema",
        ".vscode": traps.outside,
    }.items():
        (member.root / path).symlink_to(target)
    hostile_modules(member, traps.ran / "module")
    for name in ("git", "sh", "xdg-open"):
        script(member.root / name, f"#!/bin/sh\n{traps.command(f'program-{name}')}\n")


def subfolder(member: Member, traps: Traps) -> None:
    """A metadata folder below the top which looks like a repository itself: git finds it before the
    checkout's own.
    """
    lab = member.root / "lab"
    (lab / "records").mkdir(parents=True)
    (lab / "stemctl.yaml").write_bytes((member.root / "stemctl.yaml").read_bytes())
    (lab / "records/a.yaml").write_bytes((member.root / "records/sessions.yaml").read_bytes())
    bare(member.root / "parts", traps, "parts")
    (lab / "HEAD").write_text("ref: refs/heads/main\n")
    (lab / "commondir").write_text("../parts\n")
    (lab / "config").write_bytes((member.root / "parts/config").read_bytes())


Trick = Callable[[Member, Traps], None]

OWN: tuple[Trick, ...] = (own_repositories, own_files, own_links)


def publish(member: Member, traps: Traps, *tricks: Trick) -> None:
    """Commit tricks and push them, as somebody does whose pull request is looked at."""
    for trick in tricks:
        trick(member, traps)
    member.git("add", "-f", "-A")
    author = ("-c", "user.name=eve", "-c", "user.email=eve@x")
    member.git(*author, "commit", "-q", "-m", "Harmless")
    member.git("push", "-q", "origin", "HEAD:main")
