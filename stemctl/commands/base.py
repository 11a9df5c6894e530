"""The files as they were at another commit, read by the loader that reads those of the work tree."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stemctl.config.config import Config, load_config
from stemctl.core.diagnostics import Severity
from stemctl.core.plan import Base, Note
from stemctl.core.records import Repository
from stemctl.errors import ConfigError
from stemctl.git import repository
from stemctl.manifests.load import load_repository
from stemctl.schema.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Before:
    """What was declared then, at which commit, and what is to be known about the comparison."""

    base: Base
    repository: Repository
    notes: tuple[Note, ...]


def read_before(config: Config, catalog: Catalog, ref: str) -> Before:
    """The records at the commit where this branch left `ref`, or at `ref` itself if git cannot tell
    that one.

    Raises:
        ConfigError: git knows no such commit.
    """
    named = repository.commit_of(config.root, ref)
    left = repository.merge_base(config.root, named)
    commit = left or named
    notes = [Note(None, which) for which in _which(ref, named, left)]
    with tempfile.TemporaryDirectory(prefix="stemctl-") as name:
        folder = Path(name).resolve()
        repository.export(config.root, commit, folder)
        manifests = config.manifests
        try:
            manifests = load_config(folder).manifests
        except ConfigError as error:
            notes.append(
                Note(None, f"at {commit[:12]}, {error.what} The manifests of now were looked for")
            )
        declared, found = load_repository(folder, manifests, catalog, ignore_gitignore=True)
    errors = sum(d.severity is Severity.ERROR and d.location is not None for d in found)
    if errors:
        words = f"{errors} error{'s' if errors > 1 else ''}, and what could not be read there counts as new"
        notes.append(Note(None, f"the files at {commit[:12]} have {words}"))
    return Before(Base(ref, commit), declared, tuple(notes))


def _which(ref: str, named: str, left: str | None) -> Iterator[str]:
    """What was compared with, where that is not what the name suggests."""
    if left is None:
        yield f"compared with {ref} itself, {named[:12]}: git does not know where this branch left it"
    elif left != named:
        yield f"compared with {left[:12]}, where this branch left {ref} (now {named[:12]})"
