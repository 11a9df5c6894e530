"""ci init: write workflows into a metadata repository."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, field

from stemctl import __version__
from stemctl.commands.ci_forms import WORKFLOW_FOLDERS, Form, filled, source_values
from stemctl.commands.install_source import find_source, parse_source
from stemctl.commands.workspace import Workspace
from stemctl.config.config import NAME, load_config
from stemctl.errors import ConfigError, Untouched
from stemctl.git.errors import unanswered
from stemctl.git.process import GitFailure, NoRepository, user_git
from stemctl.schema.catalog import editions
from stemctl.util.atomic_file import replace_file
from stemctl.util.late_pattern import late_pattern

_PLAIN = late_pattern(r"[\w./][\w./@+ -]*")
"""Names that YAML, a shell or a forge cannot take for anything else."""


class Result(Struct, frozen=True):
    """What became of each workflow: paths below the root of the git repository."""

    branch: str
    environment: str
    folder: str
    """The folder of the metadata below the root, with a trailing /; empty if it is the root."""
    source: str
    """What the jobs install."""
    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Files that exist with other content, and were not changed."""


def choose_server(root: Path, form: Form) -> str:
    """The server that CI is for: the default one, or the only one that is not a sandbox.

    Raises:
        ConfigError: there is none, or there are several.
    """
    config = load_config(root)
    if not config.found:
        raise ConfigError(
            f"{NAME} not found in {root}.",
            "",
            [("stemctl init", "creates it")],
            untouched=Untouched.NOTHING_WRITTEN,
        )
    names = [server.name for server in config.servers.values() if not server.is_sandbox]
    if config.default_server in names:
        return str(config.default_server)
    if len(names) == 1:
        return names[0]
    if names:
        raise ConfigError(
            f"There are {len(names):,} servers: {', '.join(names)}.",
            "A workflow applies to one server. Choose it.",
            [
                (f"stemctl --server {name} ci init {form.words}", f"for {name}")
                for name in names[:2]
            ],
            untouched=Untouched.NOTHING_WRITTEN,
        )
    # the files were checked against the edition of the sandbox
    edition = next((server.edition for server in config.servers.values()), editions()[-1])
    raise ConfigError(
        "The only server is the sandbox.",
        "A sandbox in CI is deleted at the end of its job. Add a server to stemctl.yaml:\n"
        "  servers:\n"
        "    brainstem: {url: https://www.brainstem.org/, portal: private, "
        f"edition: {edition}, state: {{backend: git}}}}",
        untouched=Untouched.NOTHING_WRITTEN,
    )


def write_workflows(workspace: Workspace, form: Form, source: str | None) -> Result:
    """Write the workflows of a form. Existing files are not changed.

    Args:
        workspace: the metadata and the server that the jobs are for.
        form: for which forge, and which files.
        source: where jobs get stemctl; None for where this one came from.

    Raises:
        ConfigError: this is not a git repository, a name cannot be used in a workflow, or jobs
            cannot get this stemctl.
    """
    top, folder = _find_repository(workspace)
    target = WORKFLOW_FOLDERS[form.forge]
    if not (top / target).resolve().is_relative_to(top.resolve()):
        raise ConfigError(
            f"{target} is a link to a place outside the repository.",
            untouched=Untouched.NOTHING_WRITTEN,
        )
    name, branch = workspace.server.name, default_branch(workspace)
    metadata = folder.rstrip("/") or "."
    for what, word in (("folder", metadata), ("branch", branch), ("environment", name)):
        _check_name(what, word)
    found = parse_source(source) if source else find_source(form.words, workspace.environ)
    values = {
        "VERSION": __version__,
        "SERVER": f" --server {name}" if name != workspace.config.default_server else "",
        "NAME": name,
        "FOLDER": metadata,
        "BRANCH": branch,
        "BRANCHES": branch.replace("+", r"\\+"),  # there, + says how often a letter may come
        "ENVIRONMENT": name,
        **source_values(form, found, _remote(workspace)),
    }
    result = Result(branch, name, folder, found.requirement)
    for path, template in form.templates().items():
        _write(top, path, filled(template, values), result)
    return result


def _remote(workspace: Workspace) -> str:
    """The address of the metadata repository; empty if it has none yet."""
    git = user_git(workspace.config.root, workspace.environ)
    try:
        return git.text("remote", "get-url", workspace.server.remote)
    except GitFailure:
        return ""


def _find_repository(workspace: Workspace) -> tuple[Path, str]:
    """The root of the git repository, and the folder of the metadata below it."""
    root = workspace.config.root
    git = user_git(root, workspace.environ)
    try:
        top = Path(os.fsdecode(git.run("rev-parse", "--show-toplevel")).removesuffix("\n"))
        return top, git.text("rev-parse", "--show-prefix")
    except NoRepository as error:
        raise ConfigError(
            f"{root} is not in a git repository.",
            "Workflows run when a git repository is pushed.",
            [("git init", "creates a repository")],
            untouched=Untouched.NOTHING_WRITTEN,
        ) from error
    except GitFailure as error:
        raise unanswered(error.output, root) from error


def _write(top: Path, name: str, text: str, result: Result) -> None:
    path = top / name
    if path.is_symlink() or path.exists():
        same = path.is_file() and path.read_bytes() == text.encode()
        (result.unchanged if same else result.kept).append(name)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text)
    except OSError as error:
        raise _not_written(name, error, result.written) from error
    result.written.append(name)


def _not_written(name: str, error: OSError, written: Sequence[str]) -> ConfigError:
    before = f"Already done: wrote {', '.join(written)}." if written else ""
    failed = ConfigError(
        f"{name} cannot be written: {error.strerror or error}.",
        before,
        untouched=None if written else Untouched.NOTHING_WRITTEN,
    )
    failed.exit_code = 3 if written else 1
    return failed


def _check_name(what: str, name: str) -> None:
    """Refuse names that could be taken for more than a name where a workflow uses them."""
    if not _PLAIN.fullmatch(name):
        raise ConfigError(
            f"The {what} {name!r} cannot be used in a workflow.",
            "A part of it could be read as a command. Use letters, digits, spaces and "
            ". / _ @ + -, and begin with a letter, a digit, or . / _",
            untouched=Untouched.NOTHING_WRITTEN,
        )


def default_branch(workspace: Workspace) -> str:
    """The branch to merge into: the default branch of the remote, or what it is called there as a
    rule, or else the current one. `git push` alone does not record the first; and the workflows
    are often written on a branch of their own.
    """
    git = user_git(workspace.config.root, workspace.environ)
    remote = f"refs/remotes/{workspace.server.remote}/"
    for ref in (f"{remote}HEAD", "HEAD"):
        answer = git.query_or_stop("symbolic-ref", "--quiet", ref)
        if answer is not None:
            branch = answer.decode(errors="replace").rstrip("\n")
            return branch.removeprefix(remote).removeprefix("refs/heads/")
        for usual in ("main", "master"):
            if git.query_or_stop("rev-parse", "--quiet", "--verify", f"{remote}{usual}"):
                return usual
    return "main"
