"""Diagnostics about one manifest, and about one record that is to be created."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Address, Location, Record
from stemctl.manifests import field_context, typed_details
from stemctl.manifests.document import Document, Node, code_span
from stemctl.manifests.record_nodes import record_nodes
from stemctl.manifests.schema_errors import ManifestValidator, SchemaError
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Path, Value


def check_document(
    document: Document, validator: ManifestValidator, catalog: Catalog
) -> tuple[list[Diagnostic], set[Path]]:
    """What is wrong with one file, and the paths of the records in it that cannot be used."""
    root = document.root
    if root is None:
        return [], set()
    unread = document.blanks + document.ambiguous
    paths = _paths(root, unread) if unread else {}
    errors = list(validator.errors(root.value))
    repeated = list(_repeated_items(document, catalog))
    if not errors and not paths and not repeated:
        return [], set()
    findings, broken = _explained(document, catalog, errors, paths)
    for path, finding in repeated:
        broken.add(path)
        findings.append(finding)
    return _first_of_each(findings, set(_covered(document.problems))), broken


def _explained(
    document: Document, catalog: Catalog, errors: list[SchemaError], paths: dict[int, list[Path]]
) -> tuple[list[Diagnostic], set[Path]]:
    """Findings about errors of the schema, and about values that could not be read at `paths`; and
    the paths of the records that have them.
    """
    # Most files are valid, and what explains errors takes longer to load than to check a file.
    from stemctl.manifests.messages import Translator

    root = document.root
    assert root is not None
    translator = Translator(document, catalog)
    explained = {error.path for error in errors if error.keyword == "type"}
    findings = [
        translator.no_value(paths[id(node)][0], node)
        for node in document.blanks
        if id(node) in paths and not _is_explained(paths[id(node)][0], explained)
    ]
    wrong = [path for unread_paths in paths.values() for path in unread_paths]
    wrong += [error.path for error in errors]
    broken = {field_context.record_path(path, catalog) for path in wrong}
    for error in _without_consequences(errors):
        # A value that could not be read has its finding already.
        if id(root.at(error.path)) not in paths:
            findings += translator.findings(error)
    return findings, broken


def _covered(problems: list[Diagnostic]) -> Iterator[Location]:
    """The places that problems of reading mark."""
    for problem in problems:
        if problem.location:
            file, line, column = problem.location
            yield from (Location(file, line, column + step) for step in range(problem.length))


def _is_explained(path: Path, values: set[Path]) -> bool:
    """Whether something else is wrong: `{rat1}`, where a text is meant, or `{name:rat1}`."""
    return ":" in str(path[-1:]) or any(path[:end] in values for end in range(len(path)))


def _without_consequences(errors: list[SchemaError]) -> Iterator[SchemaError]:
    """Without what follows from another error: a number does not have the format of a text."""
    explained = {error.path for error in errors if error.keyword in ("type", "minLength")}
    for error in errors:
        if error.keyword not in ("pattern", "enum") or error.path not in explained:
            yield error


def located(document: Document, catalog: Catalog) -> Iterator[Diagnostic]:
    """The problems and doubts of reading a file, each with its record and field."""
    problems = [*document.problems, *document.doubts]
    if not problems or document.root is None:
        yield from document.problems
        return
    events = _events(document.root, ())
    starts = sorted((document.location(event), path) for event, path in events)
    left_edge = document.location(document.root.event).column
    for problem in problems:
        assert problem.location is not None
        after = bisect.bisect_right(starts, problem.location, key=lambda row: row[0])
        location, path = starts[max(0, after - 1)]
        context = field_context.field_context(path, document, catalog)
        exact = location == problem.location
        # A duplicate key has no node. What was written before it is in the same record.
        inside = exact or problem.location.column > left_edge
        remedy = problem.remedy
        if problem.code == "ambiguous-value" and exact:
            from stemctl.manifests import type_hints  # most files have none

            remedy = type_hints.narrowed(remedy, context)
        yield replace(
            problem,
            remedy=remedy,
            address=context.address if inside else None,
            field=context.field_name if exact else None,
        )


def _events(node: Node, path: Path) -> Iterator[tuple[Any, Path]]:
    """Every key and value: the event that it was read from, and its path."""
    yield node.event, path
    for step, child in node.steps():
        if isinstance(step, str):
            yield node.keys[step], (*path, step)
        yield from _events(child, (*path, step))


def _first_of_each(findings: list[Diagnostic], known: set[Location | None]) -> list[Diagnostic]:
    """Without duplicates, and without findings where reading has failed already."""
    first: dict[tuple[Location | None, str, str], Diagnostic] = {}
    for finding in reversed(findings):
        if finding.location not in known:
            first[finding.location, finding.code, finding.message] = finding
    return list(reversed(first.values()))


def _paths(root: Node, wanted: list[Node]) -> dict[int, list[Path]]:
    """The paths to some nodes, by the identity of the node. Aliases may give a node several."""
    identities = {id(node) for node in wanted}
    found: dict[int, list[Path]] = {}
    to_visit: list[tuple[Path, Node]] = [((), root)]
    while to_visit:
        path, node = to_visit.pop()
        if id(node) in identities:
            found.setdefault(id(node), []).append(path)
        to_visit += [((*path, step), child) for step, child in node.steps()]
    return {identity: sorted(paths, key=str) for identity, paths in found.items()}


def _repeated_items(document: Document, catalog: Catalog) -> Iterator[tuple[Path, Diagnostic]]:
    """Items of one list with the same key: merging the list by this key would lose one of them."""
    for path, node, model in record_nodes(document, catalog):
        for rule in model.with_keys:
            for member in _repeated(node, rule):
                yield path, _repeated_item(document, rule, member)


def _repeated_item(document: Document, rule: Field, member: Node) -> Diagnostic:
    message = f"two `{rule.name}` have the same `{rule.by}`"
    return document.finding(
        member.event, "duplicate-item", message, "keep one of them", value=member.value
    )


def _repeated(record: Node, rule: Field) -> Iterator[Node]:
    """The key of each item of a field that an earlier item has too."""
    if rule.name not in record.members:
        return
    seen: set[str] = set()
    for item in record.members[rule.name].items:
        member = item.members.get(str(rule.by))
        if member and isinstance(member.value, str):
            if member.value in seen:
                yield member
            seen.add(member.value)


def idle_field(document: Document, record: Node, name: str, address: str | None) -> Diagnostic:
    """A set or map of a record, or of defaults, that is written empty to no effect."""
    node = record.members[name]
    written = f"{name}: {'{}' if node.is_mapping else '[]'}"
    return document.finding(
        node.event,
        "clears-nothing",
        f"`{written}` does not remove the elements of the defaults",
        f"to have none, add `lifecycle: {{no_defaults: [{name}]}}`, or remove this line",
        severity=Severity.WARNING,
        address=address,
        field=name,
        value=node.value,
    )


def other_parent(
    document: Document, node: Node, address: Address, parent: Record, catalog: Catalog
) -> Diagnostic | None:
    """The error about a record that names another parent than the one it is written inside."""
    model = catalog.models[address.model]
    name = model.parent or ""
    written = node.members.get(name)
    if written is None or written.value in _names_of(parent, catalog):
        return None
    message = f"this {model.words} is written inside {code_span(str(parent.address))}"
    return document.finding(
        written.event,
        "other-parent",
        message,
        f"remove this line, or move the {model.words} to where it belongs",
        address=str(address),
        field=name,
        value=written.value,
    )


def _names_of(record: Record, catalog: Catalog) -> set[Value]:
    """What a reference to a record may be in a file: its key, its id, or its name."""
    called = record.fields.get(catalog.models[record.address.model].called or "")
    name = called.strip() if isinstance(called, str) else None
    return {record.address.key, record.id, name} - {None}


def only_defaults(document: Document) -> Iterator[Diagnostic]:
    """What a file of folder defaults must not contain."""
    for key, event in document.root.keys.items() if document.root else ():
        if key != "defaults":
            message = "a file of folder defaults can only contain `defaults:`"
            yield document.finding(event, "not-defaults", message, "move this to another file")


def no_pattern(document: Document, node: Node) -> Diagnostic:
    """The error about a pattern where a single record is meant."""
    message = "`deleted` takes no patterns: it names one record"
    remedy = "name each record, and write `\\*` or `\\?` for these characters in a name"
    return document.finding(node.event, "no-pattern", message, remedy, value=node.value)


def bad_pattern(document: Document, node: Node, old: Address, new: Address) -> Diagnostic:
    """The error about an entry of `moved` with a wildcard that is not one `*` on each side."""
    if old.model != new.model:
        message = f"a {old.model} cannot become a {new.model}"
        remedy = "write the same model in `from` and `to`"
        return document.finding(node.event, "bad-move", message, remedy, value=node.value)
    message = "a pattern in `moved` has one `*` in `from` and one in `to`, and no `?`"
    remedy = (
        f"write it as in `{{from: {old.model}/OLD_*, to: {old.model}/NEW_*}}`, "
        "and `\\*` or `\\?` for these characters in a name"
    )
    return document.finding(node.event, "no-pattern", message, remedy, value=node.value)


def missing_fields(
    record: Record, model: Model, live: bool = False, parent: Record | None = None
) -> Iterator[Diagnostic]:
    """The required fields that a record lacks: errors, or notes if it is `live` on the server."""
    for field in model.required:
        if field.name in record.fields:
            continue
        message, remedy = f"`{field.name}` is left to the server", ""
        if not live:
            message = f"a new {model.words} needs `{field.name}`"
            remedy = _how_to_add(field, model)
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
    if model.detailed and not live:
        yield from typed_details.missing(record, model, parent)


def _how_to_add(field: Field, model: Model) -> str:
    value = f"NAME OF A {field.to.upper()}" if field.to else "..."
    if field.kind in ("references", "list", "items"):
        value = f"[{value}]"
    remedy = f"add `{field.name}: {value}` here"
    if field.name == model.called:
        return remedy
    if field.name == model.parent:
        return f"{remedy}, or write the {model.words} inside its {field.to}"
    remedy += ", or under `defaults:` for the whole file"
    if not field.enum:
        return remedy
    from stemctl.manifests import name_hints  # most records lack nothing

    return f"{remedy}; {name_hints.allowed(field, model)}"
