"""New texts of files, and the proof that they say what they should and nothing else."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Address, Repository
from stemctl.core.rewrite import FileChange, Refusal
from stemctl.manifests.cross_file import check_references
from stemctl.manifests.discovery import not_a_manifest
from stemctl.manifests.document import Document
from stemctl.manifests.editor.by_hand import by_hand
from stemctl.manifests.editor.edit import edit_document
from stemctl.manifests.editor.edits import Add, Edit
from stemctl.manifests.editor.splices import CannotEdit
from stemctl.manifests.field_layers import GONE, Gone, elements
from stemctl.manifests.globs import covers
from stemctl.manifests.load import load_repository, with_lines
from stemctl.manifests.sources import SourceFile, Sources
from stemctl.schema.catalog import Catalog
from stemctl.util.json_equality import same_json
from stemctl.util.json_types import Value


def texts(
    sources: Sources, edits: Mapping[str, Sequence[Edit]], about: Mapping[str, Iterable[Address]]
) -> tuple[dict[str, Document], list[FileChange], list[Refusal]]:
    """The files that change, as they are read and as texts, and those that cannot be edited."""
    documents: dict[str, Document] = {}
    changes, refused = [], []
    for file, wanted in edits.items():
        source = sources.file(file)
        text, addresses = source.document.text, tuple(sorted(about.get(file, ())))
        if os.path.lexists(sources.root / file) and _leads_elsewhere(sources.root, file):
            why = "it is a link, or behind one"
            refused.append(Refusal(file, 1, why, by_hand(text, wanted), addresses))
            continue
        try:
            document = _edited(source, wanted)
        except CannotEdit as error:
            line = text.count("\n", 0, error.position) + 1
            refused.append(Refusal(file, line, error.why, by_hand(text, wanted), addresses))
            continue
        mark = codecs.BOM_UTF8 if source.data.startswith(codecs.BOM_UTF8) else b""
        new = mark + document.text.encode()
        if new != source.data:
            is_there = file in sources.read or os.path.lexists(sources.root / file)
            old = source.data if is_there else None
            changes.append(FileChange(file, old, new))
            documents[file] = document
    return documents, changes, refused


def _edited(source: SourceFile, edits: Sequence[Edit]) -> Document:
    """A file with its edits: formatted if the old one is."""
    # A new key goes behind the last one, whose end another edit may take: so afterwards.
    first: list[Edit] = []
    later: list[Edit] = []
    for edit in edits:
        is_later = isinstance(edit, Add) and _is_new_key(source, edit)
        (later if is_later else first).append(edit)
    new = edit_document(source.document, first) if first else source.document
    return edit_document(new, later) if later else new


def _is_new_key(source: SourceFile, edit: Add) -> bool:
    return len(edit.path) == 1 and edit.path[0] not in source.values


def _leads_elsewhere(root: Path, file: str) -> bool:
    """Whether the file, or a folder on the way to it, is a link."""
    return os.path.realpath(root / file) != os.path.join(os.path.realpath(root), file)


def check(
    sources: Sources,
    changes: Sequence[FileChange],
    documents: Mapping[str, Document] = MappingProxyType({}),
) -> tuple[Repository, list[Diagnostic]]:
    """What the files declare with their new texts, and the errors that they then have. `documents`
    are new texts that were read already.
    """
    if not changes:
        return sources.repository, []
    new_texts = {change.file: change.new for change in changes}
    problems = [
        not_a_manifest(sources.root, sources.entries, change.file)
        for change in changes
        if change.old is None
    ]
    repository, findings = load_repository(
        sources.root,
        sources.entries,
        sources.catalog,
        time_zone=sources.time_zone,
        texts={**sources.read, **new_texts},
        documents=documents,
    )
    found = [*findings, *check_references(repository, sources.catalog)]
    new_files = [change.file for change in changes if change.old is None]
    errors = [
        finding
        for finding in found
        if finding.severity is Severity.ERROR and not _comes_to_be(finding, new_files)
    ]
    return repository, [*filter(None, problems), *with_lines(sources.root, errors, new_texts)]


def _comes_to_be(finding: Diagnostic, new_files: Sequence[str]) -> bool:
    """Whether a folder of `manifests:` is not there yet, and gets a file."""
    entry = finding.value
    if finding.code != "no-such-path" or not isinstance(entry, str):
        return False
    return any(covers(entry, file) for file in new_files)


def prove_wanted(
    after: Repository,
    catalog: Catalog,
    wanted: Mapping[Address, Mapping[str, Value | Gone]],
) -> list[Diagnostic]:
    """A finding for each field that would not have the value that was asked for: a value of the
    record alone is proven by the editor, and here that no defaults add to it or hide it.

    Times, quantities and details have other forms in a record than in a file, and are left out.
    """
    problems = []
    for address, fields in wanted.items():
        record = after.records.get(address)
        rules = catalog.models[address.model].fields
        for name, value in fields.items() if record else ():
            rule = rules[name]
            if rule.details or rule.kind in ("instant", "quantity"):
                continue
            found = elements(rule, record.fields.get(name, GONE) if record else GONE)
            asked = {} if value is GONE else elements(rule, value)
            if found.keys() != asked.keys() or (not rule.merges and not same_json(found, asked)):
                problems.append(_not_as_asked(after, address, name))
    return problems


def _not_as_asked(after: Repository, address: Address, name: str) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "not-as-asked",
        f"{address}: {name} would not have the value that was asked for",
        after.records[address].location_of(name),
        "edit the file by hand, and please report this with the file",
        str(address),
        name,
    )


def prove(
    before: Repository, after: Repository, touched: Mapping[Address, frozenset[str]]
) -> list[Diagnostic]:
    """A finding for each field of a record that would change without being asked for.

    What is asked for is proven by the editor, file by file; this is about what follows from it,
    such as defaults that other records use.
    """
    problems = []
    for address, old in before.records.items():
        new = after.records.get(address)
        if new is None:
            continue  # removed or renamed
        free = touched.get(address, frozenset())
        for name in old.fields.keys() | new.fields.keys():
            if name in free or same_json(old.fields.get(name), new.fields.get(name)):
                continue
            message = f"{address}: {name} would change, too"
            problems.append(
                Diagnostic(
                    Severity.ERROR,
                    "not-asked-for",
                    message,
                    old.location_of(name),
                    "edit the file by hand, and please report this with the file",
                    str(address),
                    name,
                )
            )
    return problems
