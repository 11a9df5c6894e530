"""fmt: which files are laid out, what becomes of each, and writing it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from stemctl.config.config import NAME, Config
from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Location
from stemctl.errors import ConfigError
from stemctl.manifests import discovery, reader
from stemctl.manifests.formatter.layout import CannotFormat, Formatted, format_text, same_content
from stemctl.util.atomic_file import replace_file


@dataclass(frozen=True, slots=True)
class Chosen:
    """Files to lay out, named paths that hold none, and entries of stemctl.yaml that name nothing."""

    files: tuple[str, ...]
    others: tuple[str, ...]
    problems: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """The text of a file, and what it becomes."""

    file: str
    old: str
    new: str


@dataclass(slots=True)
class Layout:
    """What there is to do: files that change, and what is wrong with those that are left alone."""

    changes: list[Change] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)


def choose(config: Config, paths: Sequence[str]) -> Chosen:
    """The manifests, folder defaults and stemctl.yaml of a repository; those at or below `paths`,
    if any are named.

    Links are left alone: nothing is written through one, and what it leads to is laid out where it
    is a manifest.

    Raises:
        ConfigError: a path does not exist, or there is no manifest at all.
    """
    root = config.root
    for path in paths:
        if not os.path.lexists(root / path):
            raise ConfigError(
                f"There is no {path}.", f"Paths are relative to {root}. Nothing was written."
            )
    found = discovery.find_manifests(root, config.manifests)
    names = sorted({*found.manifests, *found.defaults, *([NAME] if config.found else [])})
    if not names:
        why = f"In {root} there is no {NAME}, and no YAML file in {', '.join(config.manifests)}. Nothing was written."
        raise ConfigError(
            "No manifest found.",
            why,
            [("stemctl -C FOLDER fmt", "if your files are somewhere else")],
        )
    ours = [name for name in names if not os.path.islink(root / name)]
    problems = tuple(problem for problem in found.problems if problem.code == "no-such-path")
    if not paths:
        return Chosen(tuple(ours), (), problems)
    wanted = {path: os.path.relpath(root / path, root).replace(os.sep, "/") for path in paths}
    named = {"" if name == "." else name for name in wanted.values()}
    chosen = [file for file in ours if not named.isdisjoint(_up_from(file))]
    covered = {name or "." for file in chosen for name in _up_from(file)}
    return Chosen(
        tuple(chosen), tuple(path for path, name in wanted.items() if name not in covered), problems
    )


def _up_from(file: str) -> Iterator[str]:
    """The file, and the folders that it is in."""
    yield file
    yield from discovery.folders_above(os.path.dirname(file))


def lay_out_files(root: Path, names: Iterable[str]) -> Layout:
    """Read files and lay them out; nothing is written. One that cannot be laid out does not keep
    others from it.
    """
    result = Layout()
    for name in names:
        outcome = _lay_out_file(root, name)
        if isinstance(outcome, Diagnostic):
            result.problems.append(outcome)
        elif outcome:
            result.changes.append(outcome)
    return result


def _lay_out_file(root: Path, file: str) -> Change | Diagnostic | None:
    try:
        data = (root / file).read_bytes()
    except OSError as error:
        return _problem(
            file,
            "unreadable",
            f"cannot be read: {error.strerror or error}",
            "see to its permissions",
        )
    document = reader.parse(data, file)
    if document.root is None:
        return document.problems[-1]  # the one at which reading ended
    try:
        laid = format_text(document.text)
    except CannotFormat as unclear:
        line, column = unclear.mark.line + 1, unclear.mark.column + 1
        return _problem(
            file, "no-layout", unclear.message, unclear.remedy, line, column, document.line(line)
        )
    new = laid.text.encode()
    if new == data:
        return None
    if laid.text != document.text and not _is_safe(document.text, laid):
        message = "its layout would change more than the layout: a bug in stemctl"
        return _problem(
            file, "layout-bug", message, "the file was left alone; please send it to the makers"
        )
    return Change(file, data.decode(), laid.text)


def _is_safe(old: str, laid: Formatted) -> bool:
    """Whether the new text says what the old one said, has all its comments, and is laid out."""
    try:
        return same_content(old, laid.text) and format_text(laid.text) == laid
    except (yaml.YAMLError, CannotFormat):
        return False


def write(root: Path, changes: Iterable[Change]) -> Layout:
    """Write files anew, each at once and with the mode it had: those that were written, and what
    kept others.
    """
    result = Layout()
    for change in changes:
        path = root / change.file
        try:
            replace_file(path, change.new, path.stat().st_mode & 0o7777)
            result.changes.append(change)
        except OSError as error:
            message = f"cannot be written: {error.strerror or error}"
            result.problems.append(
                _problem(change.file, "unwritable", message, "see to the permissions of its folder")
            )
    return result


def _problem(
    file: str, code: str, message: str, remedy: str, line: int = 1, column: int = 1, text: str = ""
) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR, code, message, Location(file, line, column), remedy, line=text
    )
