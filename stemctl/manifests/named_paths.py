"""Paths as people type them, and the files of the repository that they mean.

A path may be absolute, lead through links or `..`, or end in a slash. One that means no manifest is
a finding, so that nothing passes for checked that was never looked at.
"""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.manifests.discovery import CONFIG, ManifestFiles, find_manifests, folders_above
from stemctl.manifests.document import code_span
from stemctl.manifests.entry_paths import scope_of
from stemctl.manifests.file_names import DEFAULTS, SUFFIXES, corrected
from stemctl.manifests.git_ignored import not_ignored
from stemctl.util.plural import joined
from stemctl.util.safe_text import visible
from stemctl.util.suggest import nearest

CODE = "not-a-manifest"


class Named(Struct, frozen=True):
    """The files and folders that paths mean, and a finding for each path that means none."""

    names: frozenset[str]
    """Relative to the root, with `/`. The root itself is an empty name."""
    problems: tuple[Diagnostic, ...] = ()

    def covers(self, file: str) -> bool:
        """Whether a file is named, or in a folder that is."""
        return file in self.names or not self.names.isdisjoint(
            folders_above(posixpath.dirname(file))
        )


def find_named(
    root: Path,
    entries: Sequence[str],
    known: Iterable[str],
    paths: Iterable[str],
    *,
    done: str,
) -> Named:
    """What `paths` mean among the `known` files. `entries` are those of `manifests:`, and `done` is
    what is said not to be done with a path that means none.
    """
    names: set[str] = set()
    problems: list[Diagnostic] = []
    known = tuple(known)
    for path in paths:
        name = name_of(root, known, path)
        if name is not None:
            names.add(name)
        else:
            is_folder = path and _can_be_a_path(path) and os.path.isdir(root / path)
            what = "contains no manifest" if is_folder else "is not a manifest"
            message = f"{code_span(visible(path))} {what} of this repository; not {done}"
            remedy = reason(root, entries, known, path)
            problems.append(Diagnostic(Severity.ERROR, CODE, message, remedy=remedy))
    return Named(frozenset(names), tuple(problems))


def name_of(root: Path, known: Iterable[str], path: str) -> str | None:
    """The name below the root of a file or folder; None if none of the `known` files is there."""
    if not path or not _can_be_a_path(path):
        return None
    name = _below(os.path.abspath(root / path), str(root))
    if name is not None and any(_is_in(name, file) for file in known):
        return name
    target = os.path.realpath(root / path)
    for file in known:
        real = os.path.realpath(root / file)
        if real == target:
            return file
        if real.startswith(os.path.join(target, "")):
            return _below(target, os.path.realpath(root))
    return None


def _below(path: str, root: str) -> str | None:
    """A path relative to the root; None if it is not below it."""
    try:
        name = os.path.relpath(path, root).replace(os.sep, "/")
    except ValueError:  # another drive of Windows
        return None
    if name == ".":
        return ""
    return None if name == ".." or name.startswith("../") else name


def _is_in(name: str, file: str) -> bool:
    return not name or file == name or file.startswith(f"{name}/")


def is_there(root: Path, path: str) -> bool:
    """Whether there is something at a path, be it a broken link."""
    return _can_be_a_path(path) and os.path.lexists(root / path)


def _can_be_a_path(path: str) -> bool:
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:  # a lone surrogate
        return False


def reason(root: Path, entries: Sequence[str], known: Sequence[str], path: str) -> str:
    """Why a path means no manifest, and what to do."""
    if not path.strip():
        return "the path is empty: a shell variable may not be set"
    if not is_there(root, path):
        return _not_there(root, known, path)
    name = _below(os.path.abspath(root / path), str(root))
    if name is None:
        return f"it is outside of {root}: name a file below {CONFIG}, or use `-C DIR`"
    if any(part.startswith(".") for part in name.split("/")):
        return "hidden files and folders are not read"
    if os.path.isdir(root / name):
        return _empty_folder(root, entries, name)
    if not name.endswith(SUFFIXES):
        right = corrected(posixpath.basename(name))
        return f"rename it to {code_span(right)}" if right else "manifests end in `.yaml` or `.yml`"
    if name == CONFIG:
        return "it configures stemctl, and declares no records"
    if posixpath.basename(name) == DEFAULTS:
        return f"it holds folder defaults: name its folder, {posixpath.dirname(name) or '.'}"
    if not scope_of(entries, CONFIG, DEFAULTS).reads(name):
        return f"{_entries(entries)}: move the file there, or add it"
    if not not_ignored(root, [name]):
        return f"git ignores it: `git check-ignore -v {shlex.quote(name)}` shows why"
    return "it cannot be read" if not os.path.isfile(root / name) else "it is not in `manifests:`"


def _not_there(root: Path, known: Sequence[str], path: str) -> str:
    slashes = path.replace("\\", "/")
    if slashes != path and name_of(root, known, slashes) is not None:
        return f"it does not exist: write {code_span(slashes)}"
    here = name_of(root, known, os.path.abspath(path)) if _can_be_a_path(path) else None
    if here:
        return f"paths are relative to {root}: write {code_span(here)}"
    folders = {folder for file in known for folder in folders_above(posixpath.dirname(file))}
    near = nearest(posixpath.normpath(slashes), [*known, *sorted(folders - {""})], most=1)
    guess = f"; did you mean {code_span(near[0])}?" if near else ""
    return f"it does not exist in {root}{guess}"


def _empty_folder(root: Path, entries: Sequence[str], name: str) -> str:
    ignored = find_manifests(root, [name], ignore_gitignore=True).manifests
    scope = scope_of(entries, CONFIG, DEFAULTS)
    if not ignored:
        return "no file in or below it ends in `.yaml` or `.yml`"
    if file := next(filter(scope.reads, ignored), None):
        return f"git ignores its files: `git check-ignore -v {shlex.quote(file)}` shows why"
    return f"{_entries(entries)}: add the folder, or move its files"


def _entries(entries: Sequence[str]) -> str:
    return f"`manifests:` in {CONFIG} names {joined([code_span(entry) for entry in entries])}"


def known_files(found: ManifestFiles, has_config: bool) -> tuple[str, ...]:
    """All files that can be named: also stemctl.yaml, and links that are not followed."""
    return (*found.manifests, *found.defaults, *found.links, *([CONFIG] if has_config else ()))
