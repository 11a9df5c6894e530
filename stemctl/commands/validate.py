"""validate: all findings about the files, without a server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from stemctl.commands.loading import Loaded, load
from stemctl.commands.workspace import Workspace
from stemctl.core.diagnostics import Diagnostic, Severity, in_order
from stemctl.errors import ConfigError
from stemctl.manifests.load import with_lines
from stemctl.manifests.validation import missing_fields
from stemctl.manifests.work_tree import absent_findings
from stemctl.util.plural import counted


def validate(workspace: Workspace, paths: Sequence[str] = ()) -> Loaded:
    """All findings about the files, or about those in `paths` if there are any.

    Records that exist on the server, as far as the state knows, need no required fields.
    """
    config = workspace.config
    _check_paths(config.root, paths)
    loaded = load(config, workspace.catalog)
    missing = with_lines(config.root, _missing_fields(workspace, loaded))
    findings = in_order([*loaded.diagnostics, *missing])
    return replace(loaded, diagnostics=(*below(paths, findings), *_absent_below(paths, loaded)))


def _check_paths(root: Path, paths: Iterable[str]) -> None:
    for path in paths:
        if not (root / path).exists():
            raise ConfigError(
                f"{path} not found.", f"Paths are relative to {root}. Nothing was checked."
            )


def _missing_fields(workspace: Workspace, loaded: Loaded) -> list[Diagnostic]:
    known = workspace.store.last_known().records
    live = {address for address, entry in known.items() if entry.id}
    models = workspace.catalog.models
    findings: list[Diagnostic] = []
    for address, record in loaded.repository.records.items():
        exists = address in live or record.id is not None
        findings += missing_fields(record, models[address.model], exists)
    return findings


def _absent_below(paths: Sequence[str], loaded: Loaded) -> tuple[Diagnostic, ...]:
    """The findings about files that are not checked out, for those in `paths`."""
    absent = loaded.tracked.absent if loaded.tracked and paths else {}
    named = {path: why for path, why in absent.items() if _is_below(paths, path)}
    return tuple(absent_findings(named))


def summary(workspace: Workspace, loaded: Loaded) -> str:
    """The last line of a validation: the number of errors, and what was checked."""
    files = counted(len(loaded.repository.files), "file")
    records = counted(loaded.repository.seen, "record")
    edition = workspace.server.edition
    checked = f"{records} checked against edition {edition}. Nothing was sent."
    errors = [finding for finding in loaded.diagnostics if finding.severity is Severity.ERROR]
    if not errors:
        return f"No errors in {files}, {checked}"
    wrong = {finding.location.file for finding in errors if finding.location}
    return f"{counted(len(errors), 'error')} in {len(wrong)} of {files}, {checked}"


def below(paths: Sequence[str], diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings in these files and folders, or all of them if there are no paths."""
    if not paths:
        return tuple(diagnostics)
    return tuple(
        finding
        for finding in diagnostics
        if finding.location and _is_below(paths, finding.location.file)
    )


def _is_below(paths: Iterable[str], file: str) -> bool:
    for path in paths:
        wanted = Path(path).as_posix().removeprefix("./").rstrip("/")
        if file == wanted or file.startswith(f"{wanted}/"):
            return True
    return False
