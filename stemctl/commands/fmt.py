"""fmt: choose files, format them, and write them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from stemctl.config.config import NAME, Config
from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Location
from stemctl.errors import ConfigError, Untouched
from stemctl.manifests import discovery, reader
from stemctl.manifests.formatter.layout import CannotFormat, Formatted, format_text, same_content
from stemctl.util.atomic_file import replace_file


@dataclass(frozen=True, slots=True)
class Chosen:
    """The files to format."""

    files: tuple[str, ...]
    others: tuple[str, ...]
    """Paths that were given, but hold no such files."""
    problems: tuple[Diagnostic, ...]
    """Entries of stemctl.yaml that match no file."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file before and after formatting."""

    file: str
    old: str
    new: str


@dataclass(slots=True)
class Formatting:
    """The files that change, and why others cannot be formatted."""

    changes: list[Change] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)


def choose(config: Config, paths: Sequence[str]) -> Chosen:
    """The manifests, folder defaults and stemctl.yaml of a repository, or those in `paths`.

    Links are left alone: nothing is written through a link. Its target is formatted if it is a
    manifest itself.

    Raises:
        ConfigError: a path does not exist, or there are no manifests.
    """
    root = config.root
    _check_paths(root, paths)
    found = discovery.find_manifests(root, config.manifests)
    names = {*found.manifests, *found.defaults}
    if config.found:
        names.add(NAME)
    if not names:
        raise ConfigError(
            "No manifests found.",
            f"{root} has no {NAME}, and no YAML files in {', '.join(config.manifests)}.",
            [("stemctl -C FOLDER fmt", "if your files are in another folder")],
            untouched=Untouched.NOTHING_WRITTEN,
        )
    files = [name for name in sorted(names) if not os.path.islink(root / name)]
    problems = tuple(problem for problem in found.problems if problem.code == "no-such-path")
    if not paths:
        return Chosen(tuple(files), (), problems)
    wanted = {path: os.path.relpath(root / path, root).replace(os.sep, "/") for path in paths}
    folders = {"" if name == "." else name for name in wanted.values()}
    chosen = [file for file in files if not folders.isdisjoint(_with_parents(file))]
    covered = {name or "." for file in chosen for name in _with_parents(file)}
    others = tuple(path for path, name in wanted.items() if name not in covered)
    return Chosen(tuple(chosen), others, problems)


def _check_paths(root: Path, paths: Iterable[str]) -> None:
    for path in paths:
        if not os.path.lexists(root / path):
            raise ConfigError(
                f"{path} not found.",
                f"Paths are relative to {root}.",
                untouched=Untouched.NOTHING_WRITTEN,
            )


def _with_parents(file: str) -> Iterator[str]:
    """The file, and the folders that contain it."""
    yield file
    yield from discovery.folders_above(os.path.dirname(file))


def format_files(root: Path, names: Iterable[str]) -> Formatting:
    """Read files and format them, without writing. Files that cannot be formatted do not affect the
    others.
    """
    result = Formatting()
    for name in names:
        outcome = _format_file(root, name)
        if isinstance(outcome, Diagnostic):
            result.problems.append(outcome)
        elif outcome:
            result.changes.append(outcome)
    return result


def _format_file(root: Path, file: str) -> Change | Diagnostic | None:
    try:
        data = (root / file).read_bytes()
    except OSError as error:
        return _problem(
            file,
            "unreadable",
            f"cannot be read: {error.strerror or error}",
            "check the permissions of the file",
        )
    document = reader.parse(data, file)
    if document.root is None:
        return document.problems[-1]  # the problem at which reading ended
    try:
        formatted = format_text(document.text)
    except CannotFormat as error:
        line, column = error.mark.line + 1, error.mark.column + 1
        return _problem(
            file,
            "no-layout",
            error.message,
            error.remedy,
            location=Location(file, line, column),
            line=document.line(line),
        )
    new = formatted.text.encode()
    if new == data:
        return None
    if formatted.text != document.text and not _is_safe(document.text, formatted):
        message = "formatting would change the content: this is a bug in stemctl"
        return _problem(
            file,
            "layout-bug",
            message,
            "the file was not changed; please report this with the file",
        )
    return Change(file, data.decode(), formatted.text)


def _is_safe(old: str, formatted: Formatted) -> bool:
    """Whether the new text has the content and the comments of the old one, and is formatted."""
    try:
        return same_content(old, formatted.text) and format_text(formatted.text) == formatted
    except (yaml.YAMLError, CannotFormat):
        return False


def write(root: Path, changes: Iterable[Change]) -> Formatting:
    """Write the files atomically, with their old mode: those that were written, and why others
    were not.
    """
    result = Formatting()
    for change in changes:
        path = root / change.file
        try:
            replace_file(path, change.new, path.stat().st_mode & 0o7777)
            result.changes.append(change)
        except OSError as error:
            message = f"cannot be written: {error.strerror or error}"
            result.problems.append(
                _problem(change.file, "unwritable", message, "check the permissions of its folder")
            )
    return result


def _problem(
    file: str,
    code: str,
    message: str,
    remedy: str,
    location: Location | None = None,
    line: str = "",
) -> Diagnostic:
    where = location or Location(file, 1, 1)
    return Diagnostic(Severity.ERROR, code, message, where, remedy, line=line)
