"""Reading the manifests of a repository and checking them, without a server."""

from __future__ import annotations

from dataclasses import dataclass

from stemctl.config.config import NAME, Config
from stemctl.core.diagnostics import Diagnostic, InvalidFiles, in_order
from stemctl.core.records import Repository
from stemctl.errors import ConfigError, Untouched
from stemctl.manifests import work_tree
from stemctl.manifests.cross_file import check_references
from stemctl.manifests.load import load_repository, with_lines
from stemctl.manifests.work_tree import CODE, Tracked, absent_findings
from stemctl.schema.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Loaded:
    """The manifests as read, the findings about them, and what git knows of the files."""

    repository: Repository
    diagnostics: tuple[Diagnostic, ...]
    tracked: Tracked | None = None


def load(config: Config, catalog: Catalog) -> Loaded:
    """Read and check the manifests.

    Raises:
        ConfigError: there are no manifests, which never means that everything is to be deleted.
    """
    tracked = work_tree.inspect(config.root, config.manifests)
    repository, findings = load_repository(config.root, config.manifests, catalog)
    nothing_declared = not repository.files and not tracked.absent
    if nothing_declared and all(finding.code == "no-such-path" for finding in findings):
        raise _no_manifests(config)
    problems = [*findings, *check_references(repository, catalog), *absent_findings(tracked.absent)]
    return Loaded(repository, with_lines(config.root, in_order(problems)), tracked)


def require_all_files(loaded: Loaded) -> None:
    """Refuse to go on where git tracks files that are not checked out. Other errors do not matter
    to commands that only show something.

    Raises:
        InvalidFiles: with the files.
    """
    absent = tuple(finding for finding in loaded.diagnostics if finding.code == CODE)
    if absent:
        raise InvalidFiles(absent, f"Some files are not checked out. {Untouched.NOTHING_READ}")


def _no_manifests(config: Config) -> ConfigError:
    folders = ", ".join(config.manifests)
    source = NAME if config.found else f"Without a {NAME}, stemctl"
    return ConfigError(
        "No manifests found.",
        f"{source} looks for YAML files in {folders}, and there are none.\n"
        "Missing files never delete records on the server.",
        [
            ("git status", "shows whether files were moved, and which branch this is"),
            ("stemctl -C FOLDER plan", "if your files are in another folder"),
        ],
        untouched=Untouched.NOTHING_SENT,
    )
