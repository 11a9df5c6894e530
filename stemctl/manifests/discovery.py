"""Which files of a metadata repository are manifests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence, Set
from pathlib import Path, PurePosixPath

from msgspec import Struct
from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.manifests import file_names
from stemctl.manifests.document import code_span
from stemctl.manifests.file_names import DEFAULTS, SUFFIXES, corrected
from stemctl.manifests.git_ignored import not_ignored
from stemctl.manifests.globs import InvalidPattern, files_matching, inside, is_pattern, matches
from stemctl.util.safe_text import cut, visible

CONFIG = "stemctl.yaml"


class ManifestFiles(Struct, frozen=True):
    """Manifests and folder defaults, relative to the root, with `/`; sorted. `links` lead out of
    the root and are not followed.
    """

    manifests: tuple[str, ...]
    defaults: tuple[str, ...]
    problems: tuple[Diagnostic, ...]
    links: tuple[str, ...] = ()

    def with_files(self, files: Iterable[str]) -> ManifestFiles:
        """These files, and further ones that are to be written."""
        new = [file for file in files if file not in self.manifests and file not in self.defaults]
        if not new:
            return self
        manifests = sorted({*self.manifests, *(f for f in new if not _is_defaults(f))})
        defaults = sorted({*self.defaults, *(f for f in new if _is_defaults(f))})
        return replace(self, manifests=tuple(manifests), defaults=tuple(defaults))


def _is_defaults(path: str) -> bool:
    return path.rpartition("/")[2] == DEFAULTS


def not_a_manifest(root: Path, entries: Sequence[str], file: str) -> Diagnostic | None:
    """Why a file that is to be written would not be read as a manifest; None if it would."""
    pure = PurePosixPath(file)
    if pure.is_absolute() or ".." in pure.parts or "\0" in file:
        message = f"{code_span(visible(file))} is outside this repository"
        return _unread(message, _NAME_A_FOLDER)
    if _hidden(file) or not file.endswith(SUFFIXES) or not any(_names(e, pure) for e in entries):
        message = f"{code_span(visible(file))} would not be read as a manifest"
        wanted = ", ".join(f"{entry}/*.yaml" for entry in entries if not is_pattern(entry))
        return _unread(message, f"choose a name that `manifests` covers: {wanted or entries[0]}")
    if not not_ignored(root, [file]):
        message = f"{code_span(visible(file))} would be ignored by git"
        return _unread(message, "choose another name, or change .gitignore")
    return None


def _names(entry: str, file: PurePosixPath) -> bool:
    """Whether an entry of `manifests` covers a file."""
    pure = PurePosixPath(entry.replace(os.sep, "/"))
    if is_pattern(entry):
        return matches(pure, file)
    return file == pure or file.is_relative_to(pure)


def _unread(message: str, remedy: str) -> Diagnostic:
    return Diagnostic(Severity.ERROR, "no-manifest", message, remedy=remedy)


def find_manifests(
    root: Path,
    entries: Sequence[str],
    ignore_gitignore: bool = False,
    tracked: Set[str] = frozenset(),
) -> ManifestFiles:
    """The files that `entries` name: folders, files or globs below `root`.

    Hidden and git-ignored files are skipped. Links that lead out of `root` are not followed: a pull
    request must not make stemctl print files from elsewhere on the machine. Such links are errors,
    since the records behind them would look deleted, and so are files like `a.YAML`. With
    `ignore_gitignore`, git is not asked; it is not asked about `tracked` files, which it never
    ignores.
    """
    problems: list[Diagnostic] = []
    paths: set[str] = set()
    links: set[str] = set()
    for entry in entries:
        found, problem = _entry(root, entry)
        for path, is_read in found:
            (paths if is_read else links).add(path)
        if problem:
            problems.append(problem)
    paths.discard(CONFIG)
    asked = sorted(paths | links | set(_defaults_above(root, paths)))
    known = asked if ignore_gitignore else not_ignored(root, asked, tracked)
    outside = tuple(path for path in known if path in links)
    kept = [path for path in known if path not in links]
    problems += [not_followed(path) for path in outside]
    problems += filter(None, (file_names.finding(root, path) for path in kept))
    kept = [path for path in kept if path.endswith(SUFFIXES)]
    manifests = [path for path in kept if not _is_defaults(path)]
    defaults = [path for path in kept if _is_defaults(path)]
    return ManifestFiles(tuple(manifests), tuple(defaults), tuple(problems), outside)


_Paths = set[tuple[str, bool]]
"""Paths relative to the root, and whether they are read: links that lead out of it are not."""


def _entry(root: Path, entry: str) -> tuple[_Paths, Diagnostic | None]:
    if not _can_be_a_path(entry):
        return set(), _problem(f"{code_span(visible(entry))} is not a path", _NAME_A_FOLDER)
    pure = PurePosixPath(entry.replace(os.sep, "/"))
    if pure.is_absolute() or ".." in pure.parts or Path(entry).is_absolute():
        return set(), _problem(f"{code_span(entry)} is outside this repository", _NAME_A_FOLDER)
    if is_pattern(entry):
        try:
            return {(path, True) for path in files_matching(root, pure)}, None
        except InvalidPattern as error:
            message = f"{code_span(cut(entry, 200))} is not a valid pattern"
            return set(), _problem(message, str(error))
    path = root / pure
    found: _Paths = set(_files(root, path))
    if not path.exists():
        missing = _problem(
            f"{code_span(entry)} does not exist", "fix the name, or remove the entry"
        )
        return found, replace(missing, value=pure.as_posix())
    if not found and path.is_file():
        return found, _problem(
            f"{code_span(entry)} is not a YAML file", "name a folder, or a file that ends in .yaml"
        )
    return found, None


_NAME_A_FOLDER = "name a folder below stemctl.yaml"


def _can_be_a_path(entry: str) -> bool:
    try:
        return b"\0" not in os.fsencode(entry)
    except UnicodeEncodeError:  # a lone surrogate
        return False


def _files(root: Path, path: Path) -> Iterator[tuple[str, bool]]:
    """YAML files at or below `path`, and links that are not followed."""
    relative = "" if path == root else path.relative_to(root).as_posix()
    if relative and (_hidden(relative) or not inside(root, str(path))):
        if not _hidden(relative) and path.exists():
            yield relative, False
        return
    if path.is_file():
        if _is_manifest(path.name):
            yield relative, True
        return
    to_visit = [(str(path), relative)]
    while to_visit:
        folder, below = to_visit.pop()
        for entry in _entries(folder):
            name = entry.name
            where = f"{below}/{name}" if below else name
            if _is_folder(entry):
                if not (entry.is_symlink() or _is_junction(entry)):
                    to_visit.append((entry.path, where))
                elif entry.is_symlink() and not inside(path, entry.path):
                    yield where, False
            elif _is_manifest(name):
                yield where, not entry.is_symlink() or inside(root, entry.path)


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    """What is in a folder and not hidden; nothing if it cannot be read. The system says what is a
    folder or a link together with its name.
    """
    try:
        with os.scandir(folder) as entries:
            yield from (entry for entry in entries if not entry.name.startswith("."))
    except OSError:
        return


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _is_junction(entry: os.DirEntry[str]) -> bool:
    """A link between folders as Windows has them; Python knows them since 3.12."""
    return bool(getattr(entry, "is_junction", bool)())


def _is_manifest(name: str) -> bool:
    """Whether a file is a manifest by its name, or was meant to be one."""
    return name.endswith(SUFFIXES) or corrected(name) is not None


def _hidden(relative: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(relative).parts)


def _defaults_above(root: Path, paths: Iterable[str]) -> Iterator[str]:
    """Folder defaults that apply to `paths` from folders which no entry names."""
    nearest = {path.rpartition("/")[0] for path in paths}
    folders = {above for folder in nearest for above in folders_above(folder)}
    for folder in folders:
        path = f"{folder}/{DEFAULTS}" if folder else DEFAULTS
        full = os.path.join(root, path)
        if os.path.isfile(full) and (not os.path.islink(full) or inside(root, full)):
            yield path


def folders_above(folder: str) -> Iterator[str]:
    """`folder` and the folders above it, up to the root (an empty string)."""
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""


def not_followed(path: str) -> Diagnostic:
    """The error about a link.

    It has no location, since the line at a location is shown, and this file must not be.
    """
    what = f"{code_span(visible(path))} is a link that leads outside of the manifests"
    message = f"{what}: it is not followed, and its records would look deleted"
    remedy = "move the files here, or remove the link"
    return Diagnostic(Severity.ERROR, "link-not-followed", message, remedy=remedy)


def _problem(message: str, remedy: str) -> Diagnostic:
    return Diagnostic(Severity.ERROR, "no-such-path", f"`manifests`: {message}", remedy=remedy)
