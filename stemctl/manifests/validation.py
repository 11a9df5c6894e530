"""Findings about one manifest, and about one record that has to be created."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Location, Record
from stemctl.manifests.document import Document, Node
from stemctl.manifests.field_context import field_context
from stemctl.manifests.messages import Translator
from stemctl.manifests.schema_errors import ManifestValidator
from stemctl.schema.catalog import Catalog, Model
from stemctl.util.json_types import Path


def check_document(
    document: Document, validator: ManifestValidator, catalog: Catalog
) -> tuple[list[Diagnostic], set[Path]]:
    """What is wrong with one file, and which of its records (list key and position) cannot be used."""
    root = document.root
    if root is None:
        return [], set()
    unread = document.blanks + document.ambiguous
    paths = _paths(root, unread) if unread else {}
    translator = Translator(document, catalog)
    findings = [
        translator.no_value(paths[id(node)][0], node)
        for node in document.blanks
        if id(node) in paths
    ]
    broken = {path[:2] for many in paths.values() for path in many}
    errors = list(validator.errors(root.value))
    explained = {error.path for error in errors if error.keyword in ("type", "minLength")}
    for error in errors:
        broken.add(error.path[:2])
        # What a schema says about a value that could not be read helps nobody, nor which form a
        # number lacks.
        follows = error.keyword in ("pattern", "enum") and error.path in explained
        if id(root.at(error.path)) not in paths and not follows:
            findings += translator.findings(error)
    for path, finding in _repeated_items(root, document, catalog):
        broken.add(path)
        findings.append(finding)
    return _first_of_each(findings, {problem.location for problem in document.problems}), broken


def located(document: Document, catalog: Catalog) -> Iterator[Diagnostic]:
    """The problems of reading a file, each with the record and the field that it stands in."""
    if not document.problems or document.root is None:
        yield from document.problems
        return
    written = sorted(
        (document.location(event), path) for event, path in _written(document.root, ())
    )
    for problem in document.problems:
        assert problem.location is not None
        location, path = written[
            max(0, bisect.bisect_right(written, problem.location, key=lambda row: row[0]) - 1)
        ]
        context = field_context(path, document, catalog)
        exact = location == problem.location
        # A key that was left out, being a second one, has no node; what stands before it is in the
        # same record.
        inside = exact or problem.location.column > document.location(document.root.event).column
        yield replace(
            problem,
            address=context.address if inside else None,
            field=context.field_name if exact else None,
        )


def _written(node: Node, path: Path) -> Iterator[tuple[Any, Path]]:
    """Every key and value, as the event it was read from, and the way to it."""
    yield node.event, path
    for step, child in node.steps():
        if isinstance(step, str):
            yield node.keys[step], (*path, step)
        yield from _written(child, (*path, step))


def _first_of_each(findings: list[Diagnostic], known: set[Location | None]) -> list[Diagnostic]:
    """Without what a second rule says in the same words, or about a place where reading already failed."""
    first = {
        (f.location, f.code, f.message): f for f in reversed(findings) if f.location not in known
    }
    return list(reversed(first.values()))


def _paths(root: Node, wanted: list[Node]) -> dict[int, list[Path]]:
    """The paths to some nodes, by the identity of the node; several if aliases lead to it."""
    identities = {id(node) for node in wanted}
    found: dict[int, list[Path]] = {}
    ways: list[tuple[Path, Node]] = [((), root)]
    while ways:
        path, node = ways.pop()
        if id(node) in identities:
            found.setdefault(id(node), []).append(path)
        ways += [((*path, step), child) for step, child in node.steps()]
    return {identity: sorted(paths, key=str) for identity, paths in found.items()}


def _repeated_items(
    root: Node, document: Document, catalog: Catalog
) -> Iterator[tuple[Path, Diagnostic]]:
    """Items of one list that share what tells items apart: merged by it, one of them would be lost."""
    for key, section in root.members.items():
        model = catalog.by_list_key(key)
        rules = [f for f in model.managed if f.by] if model else []
        for position, node in enumerate(section.items):
            for rule in rules:
                if rule.name in node.members:
                    for member in _repeated(node.members[rule.name].items, str(rule.by)):
                        message = f"two {rule.name} have this {rule.by}"
                        found = document.finding(
                            member.event, "duplicate-item", message, "keep one", value=member.value
                        )
                        yield (key, position), found


def _repeated(items: list[Node], by: str) -> Iterator[Node]:
    """The member `by` of each item that an earlier one has too."""
    seen: set[str] = set()
    for item in items:
        member = item.members.get(by)
        if member and isinstance(member.value, str):
            if member.value in seen:
                yield member
            seen.add(member.value)


def only_defaults(document: Document) -> Iterator[Diagnostic]:
    """A file of folder defaults holds nothing else."""
    for key, event in document.root.keys.items() if document.root else ():
        if key != "defaults":
            message, remedy = (
                "a file of folder defaults holds defaults: alone",
                "move it to a file of another name",
            )
            yield document.finding(event, "not-defaults", message, remedy)


def missing_fields(record: Record, model: Model, live: bool = False) -> Iterator[Diagnostic]:
    """What a record lacks to be created; no more than a note if it is `live`, since the server has it."""
    for field in model.managed:
        if not field.required or field.name in record.fields:
            continue
        message = f"{field.name} {'are' if field.kind in _MANY else 'is'} left to the server"
        remedy = ""
        if not live:
            message = f"a new {model.words} needs {field.name}"
            shared = (
                "" if field.name == model.identity else ", or under defaults for the whole file"
            )
            remedy = f"add   {field.name}: {_placeholder(field.to, field.kind)}   here{shared}"
        yield Diagnostic(
            Severity.NOTE if live else Severity.ERROR,
            "missing-field",
            message,
            record.location,
            remedy,
            str(record.address),
            field.name,
            rule=f"required: {field.name}",
        )


_MANY = {"references", "list", "items"}


def _placeholder(to: str | None, kind: str) -> str:
    what = f"NAME OF A {to.upper()}" if to else "..."
    return f"[{what}]" if kind in _MANY else what
