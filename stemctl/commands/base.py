"""The records as they were declared at another commit, read like those of the work tree."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from stemctl.config.config import Config, load_config
from stemctl.core.diagnostics import Severity
from stemctl.core.plan import Base, Note
from stemctl.core.records import Repository
from stemctl.errors import ConfigError
from stemctl.git import repository
from stemctl.manifests.load import load_repository
from stemctl.schema.catalog import Catalog
from stemctl.util.plural import counted


class Before(Struct, frozen=True):
    """What was declared at a commit, and notes on the comparison with it."""

    base: Base
    repository: Repository
    notes: tuple[Note, ...]


def read_before(config: Config, catalog: Catalog, ref: str) -> Before:
    """The records at the commit where this branch left `ref`, or at `ref` if git cannot tell.

    Raises:
        ConfigError: there is no such commit.
    """
    named = repository.commit_of(config.root, ref)
    left = repository.merge_base(config.root, named)
    commit = left or named
    notes = [Note(None, text) for text in _which(ref, named, left)]
    with tempfile.TemporaryDirectory(prefix="stemctl-") as name:
        folder = Path(name).resolve()
        repository.export(config.root, commit, folder)
        then = config
        try:
            then = load_config(folder)
        except ConfigError as error:
            text = f"at {commit[:12]}, {error.what} The manifests of this commit were used instead"
            notes.append(Note(None, text))
        declared, diagnostics = load_repository(
            folder, then.manifests, catalog, ignore_gitignore=True, time_zone=then.time_zone
        )
    errors = sum(
        diagnostic.severity is Severity.ERROR and diagnostic.location is not None
        for diagnostic in diagnostics
    )
    if errors:
        text = f"the files at {commit[:12]} have {counted(errors, 'error')}"
        notes.append(Note(None, f"{text}: records that cannot be read there count as new"))
    return Before(Base(ref, commit), declared, tuple(notes))


def _which(ref: str, named: str, left: str | None) -> Iterator[str]:
    """Which commit was compared with, if the name suggests another one."""
    if left is None:
        yield (
            f"compared with {ref} itself, {named[:12]}: git does not know where this branch left it"
        )
    elif left != named:
        yield f"compared with {left[:12]}, where this branch left {ref} (now {named[:12]})"
