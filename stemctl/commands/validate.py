"""The manifests of a workspace, read and checked: no server is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stemctl.commands.workspace import Workspace
from stemctl.config.config import NAME, Config
from stemctl.core.diagnostics import Diagnostic, Severity, in_order
from stemctl.core.records import Repository
from stemctl.errors import ConfigError
from stemctl.manifests import work_tree
from stemctl.manifests.cross_file import check_references
from stemctl.manifests.load import load_repository, with_lines
from stemctl.manifests.validation import missing_fields
from stemctl.manifests.work_tree import Tracked, absent_findings
from stemctl.schema.catalog import Catalog
from stemctl.util.plural import counted


@dataclass(frozen=True, slots=True)
class Loaded:
    """The manifests as read, what is wrong with them, and what git knows of them."""

    repository: Repository
    diagnostics: tuple[Diagnostic, ...]
    tracked: Tracked | None = None


def load(config: Config, catalog: Catalog) -> Loaded:
    """Read and check the manifests.

    Raises:
        ConfigError: there is none at all, which is never a wish to delete everything.
    """
    tracked = work_tree.inspect(config.root, config.manifests)
    repository, found = load_repository(config.root, config.manifests, catalog)
    if (
        not repository.files
        and not tracked.absent
        and all(finding.code == "no-such-path" for finding in found)
    ):
        raise no_manifest(config)
    problems = [*found, *check_references(repository, catalog), *absent_findings(tracked.absent)]
    return Loaded(repository, with_lines(config.root, in_order(problems)), tracked)


def no_manifest(config: Config) -> ConfigError:
    """Nothing declared is not the same as nothing to do."""
    where = NAME if config.found else "Without a stemctl.yaml, stemctl"
    names = ", ".join(config.manifests)
    return ConfigError(
        "No manifest found.",
        f"{where} looks in {names}, and no YAML file is in or below it.\n"
        "Nothing was compared or sent, and missing files are never a wish to delete.",
        [
            ("git status", "were they moved, or is this another branch?"),
            ("stemctl -C FOLDER plan", "if your files are somewhere else"),
        ],
    )


def validate(workspace: Workspace, paths: Sequence[str] = ()) -> Loaded:
    """All findings of the files alone; those in `paths`, if any are named. What is live, as far as
    the state knows, needs no required fields.
    """
    config, catalog = workspace.config, workspace.catalog
    for path in paths:
        if not (config.root / path).exists():
            raise ConfigError(
                f"There is no {path}.", f"Paths are relative to {config.root}. Nothing was checked."
            )
    loaded = load(config, catalog)
    live = {address for address, entry in workspace.store.last_known().records.items() if entry.id}
    missing = [
        finding
        for address, record in loaded.repository.records.items()
        for finding in missing_fields(
            record, catalog.models[address.model], address in live or record.id is not None
        )
    ]
    found = in_order([*loaded.diagnostics, *with_lines(config.root, missing)])
    return replace(loaded, diagnostics=(*below(paths, found), *_absent_below(paths, loaded)))


def _absent_below(paths: Sequence[str], loaded: Loaded) -> tuple[Diagnostic, ...]:
    """The findings about files that are not here, where paths are named: about those in them."""
    absent = loaded.tracked.absent if loaded.tracked and paths else {}
    return tuple(
        absent_findings({path: why for path, why in absent.items() if _is_below(paths, path)})
    )


def verdict(workspace: Workspace, loaded: Loaded) -> str:
    """The last line of a validation: the findings counted, and what was checked."""
    files, records = len(loaded.repository.files), loaded.repository.seen
    checked = f"{counted(records, 'record')} checked against edition {workspace.server.edition}. Nothing was sent."
    errors = [d for d in loaded.diagnostics if d.severity is Severity.ERROR]
    if not errors:
        return f"No errors in {counted(files, 'file')}, {checked}"
    locations = {d.location.file for d in errors if d.location}
    return f"{counted(len(errors), 'error')} in {len(locations)} of {counted(files, 'file')}, {checked}"


def below(paths: Sequence[str], diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings in the named files and folders; all of them if none is named."""
    return tuple(
        d for d in diagnostics if not paths or (d.location and _is_below(paths, d.location.file))
    )


def _is_below(paths: Iterable[str], file: str) -> bool:
    wanted = (Path(path).as_posix().removeprefix("./").rstrip("/") for path in paths)
    return any(file == w or file.startswith(f"{w}/") for w in wanted)
