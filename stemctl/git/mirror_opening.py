"""Opening a repository of stemctl's own, which reaches a remote as the user's repository does."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from stemctl.errors import ConfigError
from stemctl.git import mirror_cache, push_url, transport
from stemctl.git.errors import quoted, unanswered
from stemctl.git.mirror import Mirror, make
from stemctl.git.process import Git, GitFailure, NoRepository, clean, user_git
from stemctl.util.redact import remember


def open_own(kind: str, root: Path, remote: str, environ: Mapping[str, str]) -> Mirror:
    """The own repository of a kind (`cache.STATES` or `HISTORY`), made if it is not there, for a
    remote of the repository that `root` is in.

    Raises:
        ConfigError: `root` is in no git repository, or it has no such remote.
        StateError: there is no git on this machine.
    """
    user = user_git(root, environ)
    try:
        top = Path(os.fsdecode(user.run("rev-parse", "--show-toplevel")).removesuffix("\n"))
        remotes = user.text("remote").splitlines()
        theirs = transport.read_settings(user.run("config", "--list", "-z", "--includes"))
        apart = push_url.find(user, remote, theirs) if remote in remotes else None
    except NoRepository as error:
        raise ConfigError(
            f"{root} is not in a git repository.",
            f"The state of this server is kept in git.{quoted(error.said, 1)}",
            [("git init && git remote add origin URL", "makes one")],
        ) from error
    except GitFailure as error:
        raise unanswered(error.said, root) from error
    if remote not in remotes:
        known = f"There is {', '.join(remotes)}." if remotes else "There is none at all."
        raise ConfigError(
            f"This git repository has no remote {remote!r}.",
            f"stemctl.yaml keeps the state on a branch of it. {known}",
            [(f"git remote add {remote} URL", "adds it")],
        )
    urls = [value for key, value in theirs if key == f"remote.{remote}.url"]
    path = mirror_cache.folder_for(root, top, remote, urls) / kind
    return Mirror(path, _reaching(path, top, remote, environ, theirs), remote, apart)


def _reaching(
    path: Path,
    top: Path,
    remote: str,
    environ: Mapping[str, str],
    theirs: Sequence[transport.Setting],
) -> Git:
    """A git for the repository at `path` that reaches a remote as the user's does."""
    for secret in transport.secrets(theirs):
        remember(secret)
    plain = Git((f"--git-dir={path}",), top, transport.unconfigured(clean(environ)))
    try:
        if not (path / "HEAD").exists():
            make(path, plain)
        ours = transport.read_settings(plain.run("config", "--list", "-z", "--includes"))
    except GitFailure:
        ours = []  # whoever uses it first will find it damaged
    return replace(
        plain,
        environ=transport.configured(plain.environ, transport.transport(theirs, ours, remote)),
    )
