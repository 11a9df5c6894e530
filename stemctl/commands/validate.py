"""validate: all findings about the files, without a server."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from stemctl.commands.loading import Loaded, load
from stemctl.commands.workspace import Workspace
from stemctl.core.diagnostics import Diagnostic, Severity, in_order
from stemctl.manifests import named_paths
from stemctl.manifests.discovery import CONFIG, find_manifests, folders_above, not_followed
from stemctl.manifests.load import with_lines
from stemctl.manifests.validation import missing_fields
from stemctl.manifests.work_tree import absent_findings
from stemctl.util.plural import counted


class Checked(Struct, frozen=True):
    """The findings, and the files that they are about."""

    loaded: Loaded
    files: tuple[str, ...]
    related: frozenset[str] = frozenset()
    """Folder defaults of these files, whose findings are theirs as well."""
    everything: bool = True
    """Whether no paths were given."""

    @property
    def records(self) -> int:
        """The number of records in the files, also those with errors."""
        seen = self.loaded.repository.seen
        return sum(seen.get(file, 0) for file in self.files)

    def about(self, findings: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
        """The findings in these files; all of them if no paths were given."""
        files = {*self.files, *self.related}
        for finding in findings:
            if self.everything or (finding.location and finding.location.file in files):
                yield finding


def validate(workspace: Workspace, paths: Sequence[str] = ()) -> Checked:
    """All findings about the files, or about those in `paths` if there are any.

    Records that exist on the server, as far as the state knows, need no required fields.
    """
    loaded = load(workspace.config, workspace.catalog)
    workspace.refuse_foreign_files()
    missing = with_lines(workspace.config.root, _missing_fields(workspace, loaded))
    findings = in_order([*loaded.diagnostics, *missing])
    if not paths:
        return Checked(replace(loaded, diagnostics=findings), loaded.repository.files)
    checked, problems = _named(workspace, loaded, paths)
    kept = (*checked.about(findings), *problems)
    return replace(checked, loaded=replace(loaded, diagnostics=kept))


def _named(
    workspace: Workspace, loaded: Loaded, paths: Sequence[str]
) -> tuple[Checked, tuple[Diagnostic, ...]]:
    """The files that `paths` name, and what is wrong with the paths themselves."""
    config = workspace.config
    found = find_manifests(config.root, config.manifests)
    absent = loaded.tracked.absent if loaded.tracked else {}
    known = (*named_paths.known_files(found, config.found), *absent)
    named = named_paths.find_named(config.root, config.manifests, known, paths, done="checked")
    files = [file for file in found.manifests if named.covers(file)]
    files += [file for file in (*found.defaults, CONFIG) if file in named.names]
    problems = [not_followed(link) for link in found.links if named.covers(link)]
    problems += absent_findings({path: why for path, why in absent.items() if named.covers(path)})
    related = frozenset(_related(named, files, found.defaults))
    checked = Checked(loaded, tuple(dict.fromkeys(files)), related, everything=False)
    return checked, (*named.problems, *problems)


def _related(
    named: named_paths.Named, files: Iterable[str], defaults: Sequence[str]
) -> Iterator[str]:
    """The folder defaults that are named, or apply to one of the files."""
    yield from (file for file in defaults if named.covers(file))
    by_folder = {posixpath.dirname(file): file for file in defaults}
    for folder in {posixpath.dirname(file) for file in files}:
        nearest = next((above for above in folders_above(folder) if above in by_folder), None)
        if nearest is not None:
            yield by_folder[nearest]


def _missing_fields(workspace: Workspace, loaded: Loaded) -> list[Diagnostic]:
    models = workspace.catalog.models
    findings: list[Diagnostic] = []
    for address, record in loaded.repository.records.items():
        model, parent = models[address.model], loaded.repository.around(record)
        missing = [*missing_fields(record, model, record.id is not None, parent)]
        # The state is read only if something is missing.
        if missing and record.id is None and workspace.is_known(address):
            missing = [*missing_fields(record, model, True, parent)]
        findings += missing
    return findings


def summary(workspace: Workspace, checked: Checked) -> str:
    """The last line of a validation: the number of errors, and what was checked."""
    errors = [d for d in checked.loaded.diagnostics if d.severity is Severity.ERROR]
    wrong = {finding.location.file for finding in errors if finding.location}
    # Folder defaults are not counted, unless something is wrong with them.
    number = len({*checked.files, *wrong})
    if not number:
        return f"{counted(len(errors), 'error')}. No file was checked. Nothing was sent."
    files, records = counted(number, "file"), counted(checked.records, "record")
    what = f"{records} checked against edition {workspace.server.edition}. Nothing was sent."
    if not errors:
        return f"No errors in {files}, {what}"
    return f"{counted(len(errors), 'error')} in {len(wrong):,} of {files}, {what}"
