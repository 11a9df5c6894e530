"""Workflows for a forge: templates of the package, filled in for one metadata repository."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stemctl import __version__
from stemctl.commands.workspace import Workspace
from stemctl.errors import ConfigError
from stemctl.git.errors import unanswered
from stemctl.git.process import GitFailure, NoRepository, user_git
from stemctl.util.atomic_file import replace_file

TEMPLATES = Path(__file__).resolve().parent / "templates" / "ci"
PLACES = {"github": ".github/workflows", "gitlab": ".gitlab"}
"""Where a forge looks for workflows, below the root of the git repository."""

_PLAIN = re.compile(r"[\w./][\w./@+ -]*")
"""What may stand in a workflow: nothing that YAML, a shell or a forge would take for more than a
name.
"""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of each workflow: paths below the root of the git repository."""

    top: Path
    written: Sequence[str]
    unchanged: Sequence[str]
    kept: Sequence[str]
    """Those that are there with another content, and were not touched."""
    branch: str
    environment: str
    folder: str
    """That of the metadata below the root, with a / at its end; empty if they are one."""


def write_workflows(workspace: Workspace, forge: str, server: str) -> Written:
    """Write the workflows of a forge. A file that is there is not touched.

    Raises:
        ConfigError: this is no git repository, or a name in it cannot stand in a workflow.
    """
    git = user_git(workspace.config.root, workspace.environ)
    try:
        top = Path(os.fsdecode(git.run("rev-parse", "--show-toplevel")).removesuffix("\n"))
        folder = git.text("rev-parse", "--show-prefix")
    except NoRepository as error:
        raise ConfigError(
            f"{workspace.config.root} is in no git repository.",
            "Workflows run where one is pushed to. Nothing was written.",
            [("git init", "makes one")],
        ) from error
    except GitFailure as error:
        raise unanswered(error.output, workspace.config.root) from error
    branch, environment = default_branch(workspace), workspace.server.name
    words = {
        "VERSION": __version__,
        "SERVER": f" --server {server}" if server != workspace.config.default_server else "",
        "FOLDER": folder.rstrip("/") or ".",
        "BRANCH": branch,
        "ENVIRONMENT": environment,
    }
    if not (top / PLACES[forge]).resolve().is_relative_to(top.resolve()):
        raise ConfigError(
            f"{PLACES[forge]} is a link that leads out of the repository.", "Nothing was written."
        )
    for what in ("FOLDER", "BRANCH", "ENVIRONMENT"):
        _check_name(what.lower(), words[what])
    written, unchanged, kept = list[str](), list[str](), list[str]()
    for template in sorted((TEMPLATES / forge).iterdir()):
        text = template.read_text(encoding="utf-8")
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        path = top / PLACES[forge] / template.name
        name = path.relative_to(top).as_posix()
        if path.is_symlink() or path.exists():
            (
                unchanged if path.is_file() and path.read_text(encoding="utf-8") == text else kept
            ).append(name)
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, text)
        except OSError as error:
            raise _broke_off(name, error, written) from error
        written.append(name)
    return Written(top, written, unchanged, kept, branch, environment, folder)


def _broke_off(name: str, error: OSError, written: Sequence[str]) -> ConfigError:
    before = f"Done before: wrote {', '.join(written)}." if written else "Nothing was written."
    failed = ConfigError(f"{name} cannot be written: {error.strerror or error}.", before)
    failed.exit_code = 3 if written else 1
    return failed


def _check_name(what: str, name: str) -> None:
    """Refuse what could mean more than a name where it is written into."""
    if not _PLAIN.fullmatch(name):
        raise ConfigError(
            f"The {what} {name!r} cannot stand in a workflow.",
            "A part of it could be taken for a command. Nothing was written.\n"
            "A name of letters, digits, spaces and . / _ @ + - can, if it begins with none of the last three.",
        )


def default_branch(workspace: Workspace) -> str:
    """The branch that is merged into: the remote's, as far as it is known, else the one that is
    checked out.
    """
    git = user_git(workspace.config.root, workspace.environ)
    head = f"refs/remotes/{workspace.server.remote}/HEAD"
    for words in (("symbolic-ref", "--quiet", head), ("symbolic-ref", "--quiet", "HEAD")):
        answer = git.query_or_stop(*words)
        if answer is None:
            continue
        found = answer.decode(errors="replace").rstrip("\n")
        return found.removeprefix(head.removesuffix("HEAD")).removeprefix("refs/heads/")
    return "main"
