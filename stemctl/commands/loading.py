"""Reading the manifests of a repository and checking them, without a server."""

from __future__ import annotations

import shlex

from msgspec import Struct

from stemctl.config.config import NAME, Config
from stemctl.core.diagnostics import Diagnostic, InvalidFiles, Severity, in_order
from stemctl.core.records import Repository
from stemctl.errors import ConfigError, Untouched
from stemctl.manifests import work_tree
from stemctl.manifests.cross_file import check_references
from stemctl.manifests.discovery import find_manifests
from stemctl.manifests.git_ignored import not_ignored
from stemctl.manifests.load import loading_repository, with_lines
from stemctl.manifests.work_tree import CODE, Tracked, absent_findings
from stemctl.schema.catalog import Catalog
from stemctl.util.plural import counted, first_few
from stemctl.util.steps import Steps, at_once


class Loaded(Struct, frozen=True):
    """The manifests as read, the findings about them, and what git knows of the files."""

    repository: Repository
    diagnostics: tuple[Diagnostic, ...]
    tracked: Tracked | None = None


def loading(
    config: Config,
    catalog: Catalog,
    may_be_empty: bool = False,
    kept: dict[str, bytes] | None = None,
) -> Steps[Loaded]:
    """Read and check the manifests. `kept` gets the content of the files.

    Raises:
        ConfigError: there are no manifests, which never means that everything is to be deleted. A
            command that fills a repository says that it `may_be_empty`.
    """
    tracked = work_tree.inspect(config.root, config.manifests)
    repository, findings = yield from loading_repository(
        config.root,
        config.manifests,
        catalog,
        time_zone=config.time_zone,
        kept=kept,
        tracked=tracked.plain,
    )
    nothing_declared = not repository.files and not tracked.absent
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if nothing_declared and all(finding.code == "no-such-path" for finding in errors):
        everything = find_manifests(config.root, config.manifests, ignore_gitignore=True)
        if not may_be_empty or everything.manifests:
            raise _no_manifests(config)
        return Loaded(repository, (), tracked)
    findings = tuple(f for f in findings if not _is_only_absent(f, tracked))
    problems = [*findings, *check_references(repository, catalog), *absent_findings(tracked.absent)]
    return Loaded(repository, with_lines(config.root, in_order(problems)), tracked)


load = at_once(loading)


def _is_only_absent(finding: Diagnostic, tracked: Tracked) -> bool:
    """Whether an entry of `manifests:` does not exist since its files are not checked out."""
    entry = finding.value
    if finding.code != "no-such-path" or not isinstance(entry, str):
        return False
    return any(path == entry or path.startswith(f"{entry}/") for path in tracked.absent)


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
    hints = [
        ("git status", "shows whether files were moved, and which branch this is"),
        ("stemctl -C FOLDER plan", "if your files are in another folder"),
    ]
    what_is_there = "there are none"
    everything = find_manifests(config.root, config.manifests, ignore_gitignore=True)
    ignored = sorted({*everything.manifests, *everything.defaults})
    if everything.manifests and len(not_ignored(config.root, ignored)) < len(ignored):
        number = counted(len(everything.manifests), "file")
        what_is_there = f"git ignores the {number} there: {first_few(everything.manifests)}"
        file = shlex.quote(everything.manifests[0])
        hints = [(f"git check-ignore -v {file}", "shows the line to remove from .gitignore")]
    elif ignored:
        what_is_there = f"there are only folder defaults: {first_few(ignored)}"
    return ConfigError(
        "No manifests found.",
        f"{source} looks for YAML files in {folders}, and {what_is_there}.\n"
        "Missing files never delete records on the server.",
        hints,
        untouched=Untouched.NOTHING_SENT,
    )
