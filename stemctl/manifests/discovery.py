"""Which files of a metadata repository are manifests."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Location
from stemctl.manifests.git_ignored import not_ignored
from stemctl.manifests.globs import SUFFIXES, InvalidPattern, files_matching, inside, is_pattern
from stemctl.util.safe_text import cut, visible

DEFAULTS = "_defaults.yaml"
CONFIG = "stemctl.yaml"
_MISNAMED = "_defaults.yml"


@dataclass(frozen=True, slots=True)
class ManifestFiles:
    """Manifests and folder defaults, relative to the root, with `/`; sorted."""

    manifests: tuple[str, ...]
    defaults: tuple[str, ...]
    problems: tuple[Diagnostic, ...]


def find_manifests(
    root: Path, entries: Sequence[str], ignore_gitignore: bool = False
) -> ManifestFiles:
    """The files that `entries` (folders, files or globs below `root`) name.

    Hidden and git-ignored ones are skipped. Links that lead out of `root` are not followed: a pull
    request must not make stemctl print what is elsewhere on the machine. They are errors, since the
    records behind them would look as if they had left the files. Where `ignore_gitignore`, git is
    not asked.
    """
    problems: list[Diagnostic] = []
    paths: set[str] = set()
    links: set[str] = set()
    for entry in entries:
        found, problem = _entry(root, entry)
        paths.update(path for path, is_read in found if is_read)
        links.update(path for path, is_read in found if not is_read)
        if problem:
            problems.append(problem)
    paths.discard(CONFIG)
    asked = sorted(paths | links | set(_defaults_above(root, paths)))
    known = asked if ignore_gitignore else not_ignored(root, asked)
    kept = [path for path in known if path not in links]
    problems += [_not_followed(path) for path in known if path in links]
    manifests = [p for p in kept if posixpath.basename(p) != DEFAULTS]
    defaults = [p for p in kept if posixpath.basename(p) == DEFAULTS]
    problems += [_misnamed(p) for p in manifests if posixpath.basename(p) == _MISNAMED]
    return ManifestFiles(tuple(manifests), tuple(defaults), tuple(problems))


_Paths = set[tuple[str, bool]]
"""Paths relative to the root, and whether they are read: links are not that lead to where nothing
is.
"""


def _entry(root: Path, entry: str) -> tuple[_Paths, Diagnostic | None]:
    if not _can_be_a_path(entry):
        return set(), _problem(
            f"manifests: {visible(entry)} is no path", "name a folder below stemctl.yaml"
        )
    pure = PurePosixPath(entry.replace(os.sep, "/"))
    if pure.is_absolute() or ".." in pure.parts or Path(entry).is_absolute():
        return set(), _problem(
            f"manifests: {entry} is not in this repository", "name a folder below stemctl.yaml"
        )
    if is_pattern(entry):
        try:
            return {(path, True) for path in files_matching(root, pure)}, None
        except InvalidPattern as error:
            return set(), _problem(f"manifests: {cut(entry, 200)} is no pattern", str(error))
    path = root / pure
    found: _Paths = set(_files(root, path))
    if not path.exists():
        return found, _problem(
            f"manifests: {entry} does not exist", "mend the name, or take it out"
        )
    if not found and path.is_file():
        return found, _problem(
            f"manifests: {entry} is no YAML file", "name folders, or files that end in .yaml"
        )
    return found, None


def _can_be_a_path(entry: str) -> bool:
    try:
        return b"\0" not in os.fsencode(entry)
    except UnicodeEncodeError:  # half a character
        return False


def _files(root: Path, path: Path) -> Iterator[tuple[str, bool]]:
    """YAML files at or below `path`, and links that are not followed."""
    relative = "" if path == root else path.relative_to(root).as_posix()
    if relative and (_hidden(relative) or not inside(root, str(path))):
        if not _hidden(relative) and path.exists():
            yield relative, False
        return
    if path.is_file():
        if path.name.endswith(SUFFIXES):
            yield relative, True
        return
    prefix = len(os.path.join(root, ""))
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:
            full = os.path.join(folder, name)
            if os.path.islink(full) and not inside(path, full):
                yield full[prefix:].replace(os.sep, "/"), False
        for name in names:
            if name.endswith(SUFFIXES) and not name.startswith("."):
                full = os.path.join(folder, name)
                yield (
                    full[prefix:].replace(os.sep, "/"),
                    not os.path.islink(full) or inside(root, full),
                )


def _hidden(relative: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(relative).parts)


def _defaults_above(root: Path, paths: Iterable[str]) -> Iterator[str]:
    """Folder defaults that apply to `paths` from folders which no entry names."""
    folders = {
        folder for path in {os.path.dirname(p) for p in paths} for folder in folders_above(path)
    }
    for folder in folders:
        path = f"{folder}/{DEFAULTS}" if folder else DEFAULTS
        full = os.path.join(root, path)
        if os.path.isfile(full) and (not os.path.islink(full) or inside(root, full)):
            yield path


def folders_above(folder: str) -> Iterator[str]:
    """`folder` and those it is in, up to the root (an empty string)."""
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""


def _not_followed(path: str) -> Diagnostic:
    """Without a place: a finding shows the line at its place, and that one is not ours to show."""
    what = f"{visible(path)} is a link to where no manifests are read"
    message = f"{what}, so its records would look as if they had left the files"
    remedy = "put the files here, or take the link out"
    return Diagnostic(Severity.ERROR, "link-not-followed", message, remedy=remedy)


def _misnamed(path: str) -> Diagnostic:
    location = Location(path, 1, 1)
    message, remedy = "these defaults are used by nobody", f"call the file {DEFAULTS}"
    return Diagnostic(Severity.ERROR, "not-defaults", message, location, remedy)


def _problem(message: str, remedy: str) -> Diagnostic:
    return Diagnostic(Severity.ERROR, "no-such-path", message, remedy=remedy)
