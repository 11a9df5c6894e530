"""Which files of a metadata repository are manifests."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stemctl.diagnostics import Diagnostic, Severity
from stemctl.manifests.globs import SUFFIXES, NoPattern, files_like, inside, is_pattern
from stemctl.manifests.ignored import not_ignored
from stemctl.records import Place
from stemctl.render.wording import cut, visible

DEFAULTS = "_defaults.yaml"
CONFIG = "stemctl.yaml"
_MISNAMED = "_defaults.yml"


@dataclass(frozen=True, slots=True)
class Found:
    """Manifests and folder defaults, relative to the root, with `/`; sorted."""

    manifests: tuple[str, ...]
    defaults: tuple[str, ...]
    problems: tuple[Diagnostic, ...]


def find(root: Path, entries: Sequence[str], all_tracked: bool = False) -> Found:
    """The files that `entries` (folders, files or globs below `root`) name.

    Hidden and git-ignored ones are skipped, and so are links that lead out of `root`: a pull request must not make
    stemctl print what is elsewhere on the machine. Where `all_tracked`, git is not asked.
    """
    problems: list[Diagnostic] = []
    paths: set[str] = set()
    for entry in entries:
        found, problem = _entry(root, entry)
        paths.update(found)
        if problem:
            problems.append(problem)
    paths.discard(CONFIG)
    kept = sorted(paths | set(_defaults_above(root, paths)))
    kept = kept if all_tracked else not_ignored(root, kept)
    manifests = [p for p in kept if posixpath.basename(p) != DEFAULTS]
    defaults = [p for p in kept if posixpath.basename(p) == DEFAULTS]
    problems += [_misnamed(p) for p in manifests if posixpath.basename(p) == _MISNAMED]
    return Found(tuple(manifests), tuple(defaults), tuple(problems))


def _entry(root: Path, entry: str) -> tuple[set[str], Diagnostic | None]:
    if not _can_be_a_path(entry):
        return set(), _problem(f"manifests: {visible(entry)} is no path", "name a folder below stemctl.yaml")
    pure = PurePosixPath(entry.replace(os.sep, "/"))
    if pure.is_absolute() or ".." in pure.parts or Path(entry).is_absolute():
        return set(), _problem(f"manifests: {entry} is not in this repository", "name a folder below stemctl.yaml")
    if is_pattern(entry):
        try:
            return set(files_like(root, pure)), None
        except NoPattern as error:
            return set(), _problem(f"manifests: {cut(entry, 200)} is no pattern", str(error))
    path = root / pure
    found = set(_files(root, path))
    if not path.exists():
        return found, _problem(f"manifests: {entry} does not exist", "mend the name, or take it out")
    if not found and path.is_file():
        return found, _problem(f"manifests: {entry} is no YAML file", "name folders, or files that end in .yaml")
    return found, None


def _can_be_a_path(entry: str) -> bool:
    try:
        return b"\0" not in os.fsencode(entry)
    except UnicodeEncodeError:  # half a character
        return False


def _files(root: Path, path: Path) -> Iterator[str]:
    """YAML files at or below `path`, relative to the root."""
    if path.is_file():
        relative = path.relative_to(root).as_posix()
        if path.name.endswith(SUFFIXES) and not _hidden(relative) and inside(root, str(path)):
            yield relative
        return
    prefix = len(os.path.join(root, ""))
    if path != root and (_hidden(path.relative_to(root).as_posix()) or not inside(root, str(path))):
        return
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.endswith(SUFFIXES) and not name.startswith("."):
                full = os.path.join(folder, name)
                if not os.path.islink(full) or inside(root, full):
                    yield full[prefix:].replace(os.sep, "/")


def _hidden(relative: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(relative).parts)


def _defaults_above(root: Path, paths: Iterable[str]) -> Iterator[str]:
    """Folder defaults that apply to `paths` from folders which no entry names."""
    folders = {folder for path in {os.path.dirname(p) for p in paths} for folder in folders_above(path)}
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


def _misnamed(path: str) -> Diagnostic:
    place = Place(path, 1, 1)
    message, remedy = "these defaults are used by nobody", f"call the file {DEFAULTS}"
    return Diagnostic(Severity.ERROR, "not-defaults", message, place, remedy)


def _problem(message: str, remedy: str) -> Diagnostic:
    return Diagnostic(Severity.ERROR, "no-such-path", message, remedy=remedy)
