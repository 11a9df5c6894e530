"""fmt: choose files, format them, and write them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml
from msgspec import Struct, field

from stemctl.commands.loading import load
from stemctl.config.config import NAME, Config
from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Location
from stemctl.errors import ConfigError, Untouched
from stemctl.manifests import discovery, file_names, reader
from stemctl.manifests.formatter.item_keys import with_keys_of
from stemctl.manifests.formatter.layout import CannotFormat, Formatted, format_text, same_content
from stemctl.manifests.named_paths import find_named, known_files
from stemctl.schema.catalog import Catalog
from stemctl.util.atomic_file import replace_file

_PROBLEMS = ("no-such-path", "not-defaults", file_names.CODE)
"""The findings of discovery about files that would have to be formatted."""


class Chosen(Struct, frozen=True):
    """The files to format."""

    files: tuple[str, ...]
    problems: tuple[Diagnostic, ...]
    """Paths, and entries of stemctl.yaml, that mean no file."""


class Change(Struct, frozen=True):
    """A file before and after formatting."""

    file: str
    old: str
    new: str


class Formatting(Struct):
    """The files that change, and why others cannot be formatted."""

    changes: list[Change] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)


def choose(config: Config, paths: Sequence[str]) -> Chosen:
    """The manifests, folder defaults and stemctl.yaml of a repository, or those in `paths`.

    Links are left alone: nothing is written through a link. Its target is formatted if it is a
    manifest itself.

    Raises:
        ConfigError: there are no manifests.
    """
    root = config.root
    found = discovery.find_manifests(root, config.manifests)
    names = {*found.manifests, *found.defaults}
    if config.found:
        names.add(NAME)
    if not names:
        raise ConfigError(
            "No manifests found.",
            f"{root} has no {NAME}, and no YAML files in {', '.join(config.manifests)} "
            "that git does not ignore.",
            [("stemctl -C FOLDER fmt", "if your files are in another folder")],
            untouched=Untouched.NOTHING_WRITTEN,
        )
    if not paths:
        problems = tuple(finding for finding in found.problems if finding.code in _PROBLEMS)
        return Chosen(_without_links(root, names), problems)
    known = known_files(found, config.found)
    named = find_named(root, config.manifests, known, paths, done="formatted")
    links = [name for name in sorted(named.names) if os.path.islink(root / name)]
    links = [name for name in links if name in names or name in found.links]
    problems = (*named.problems, *(_is_a_link(root, name) for name in links))
    return Chosen(_without_links(root, filter(named.covers, names)), problems)


def _without_links(root: Path, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in sorted(names) if not os.path.islink(root / name))


def _is_a_link(root: Path, name: str) -> Diagnostic:
    message = f"`{name}` is a link; not formatted"
    remedy = f"format the file that it leads to, {os.path.realpath(root / name)}"
    return Diagnostic(Severity.ERROR, "not-formatted", message, remedy=remedy)


def format_files(root: Path, names: Iterable[str], edition: Catalog | None = None) -> Formatting:
    """Read files and format them, without writing. Files that cannot be formatted do not affect the
    others. With an `edition`, keys are spelled as it has them.
    """
    result = Formatting()
    for name in names:
        outcome = _format_file(root, name, edition)
        if isinstance(outcome, Diagnostic):
            result.problems.append(outcome)
        elif outcome:
            result.changes.append(outcome)
    return result


def left_to_do(config: Config, edition: Catalog) -> list[Diagnostic]:
    """The errors that the files have in an edition, and that only a person can settle."""
    return [f for f in load(config, edition).diagnostics if f.severity is Severity.ERROR]


def _format_file(root: Path, file: str, edition: Catalog | None) -> Change | Diagnostic | None:
    try:
        data = (root / file).read_bytes()
    except OSError as error:
        return _problem(
            file,
            "unreadable",
            f"cannot be read: {error.strerror or error}",
            "check the permissions of the file",
        )
    return format_data(data, file, edition)


def format_data(
    data: bytes, file: str, edition: Catalog | None = None
) -> Change | Diagnostic | None:
    """The content of a file before and after formatting; None if it stays as it is."""
    document = reader.parse(data, file)
    if document.root is None:
        return document.problems[-1]  # the problem at which reading ended
    source = with_keys_of(document.text, file, edition) if edition else document.text
    try:
        formatted = format_text(source)
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
    text = _with_line_ends_of(data, formatted.text)
    new = text.encode()
    if new == data:
        return None
    if formatted.text != source and not _is_safe(source, formatted):
        message = "formatting would change the content: this is a bug in stemctl"
        return _problem(
            file,
            "layout-bug",
            message,
            "the file was not changed; please report this with the file",
        )
    return Change(file, data.decode(), text)


def _with_line_ends_of(data: bytes, text: str) -> str:
    """The text with CRLF if all lines of the file end with it: git may have checked it out so."""
    ends = data.count(b"\r\n")
    is_windows = ends > 0 and ends == data.count(b"\n") == data.count(b"\r")
    return text.replace("\n", "\r\n") if is_windows else text


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
