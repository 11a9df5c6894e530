"""Writing what a draft made of files: each at once, and only where it still is as it was read."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct, field

from stemctl.commands.loading import load, require_all_files
from stemctl.config.config import Config
from stemctl.core.diagnostics import InvalidFiles, has_errors
from stemctl.core.rewrite import FileChange, Rewrite
from stemctl.errors import Untouched
from stemctl.manifests.sources import Sources
from stemctl.schema.catalog import Catalog
from stemctl.util.atomic_file import replace_file


class Written(Struct):
    """The files that were written, and why others were not."""

    files: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)


def sources_of(config: Config, catalog: Catalog, may_be_empty: bool = False) -> Sources:
    """The manifests of a repository, to edit them; a new one may have none if it `may_be_empty`.

    Raises:
        ConfigError: there are none.
        InvalidFiles: they have errors; what is wrong could not be told from what is edited.
    """
    read: dict[str, bytes] = {}
    loaded = load(config, catalog, may_be_empty, read)
    require_all_files(loaded)
    if has_errors(loaded.diagnostics):
        summary = f"The files have errors. {Untouched.NOTHING_WRITTEN}"
        raise InvalidFiles(loaded.diagnostics, summary, [("stemctl validate", "checks them again")])
    return Sources(
        config.root, config.manifests, catalog, loaded.repository, config.time_zone, read
    )


def write(config: Config, rewrite: Rewrite) -> Written:
    """Write the files. If `rewrite` has problems, none is written."""
    written = Written()
    if rewrite.problems:
        return written
    for change in rewrite.files:
        try:
            _write(config.root, change, written)
        except OSError as error:
            written.left[change.file] = f"cannot be written: {error.strerror or error}"
    return written


def _write(root: Path, change: FileChange, written: Written) -> None:
    path = root / change.file
    if change.old is None:
        _make_folders(root, path.parent)
    if os.path.realpath(path) != os.path.join(os.path.realpath(root), change.file):
        written.left[change.file] = "is a link, or behind one"
    elif not _is_as_read(path, change.old):
        written.left[change.file] = "changed while this command ran"
    else:
        mode = None if change.old is None else path.stat().st_mode & 0o7777
        replace_file(path, change.new.decode(), mode)
        written.files.append(change.file)


def _is_as_read(path: Path, old: bytes | None) -> bool:
    if old is None:
        return not os.path.lexists(path)
    return path.read_bytes() == old


def _make_folders(root: Path, folder: Path) -> None:
    """Make the folders of a new file, one by one, unless one of them is a link."""
    missing = []
    while folder != root and not os.path.lexists(folder):
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir()
