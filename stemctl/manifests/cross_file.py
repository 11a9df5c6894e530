"""Diagnostics that need all files: ambiguous references, and contradicting directives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from stemctl.core.address_patterns import is_pattern, literal, matches
from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Address, Directive, Location, Record, Repository
from stemctl.manifests.declared_names import DeclaredNames
from stemctl.manifests.document import code_span
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.look_alike import twin_of
from stemctl.util.plural import counted, inflected

Declared = Mapping[Address, Record]
Directives = Mapping[str, Sequence[Directive]]
"""Entries by the list they are in: moved, forget, deleted."""


def check_references(repository: Repository, catalog: Catalog) -> Iterator[Diagnostic]:
    """References with two meanings: the key of one declared record, the name of another.

    A name that no declared record has may belong to a live one, so it is not reported here.
    """
    names = DeclaredNames(repository.records.values(), catalog)
    for record in repository.records.values():
        model = catalog.models[record.address.model]
        for field in model.references:
            if record.parent and field.name == model.parent:
                continue  # its place in the file says which record this is
            for word in _words(record.fields.get(field.name)):
                candidates = names.candidates(field.to or "", word)
                if len(candidates) > 1:
                    to = catalog.models[candidates[0].address.model]
                    yield _ambiguous_reference(record, field, word, candidates, to)


def _ambiguous_reference(
    record: Record, field: Field, word: str, candidates: Sequence[Record], to: Model
) -> Diagnostic:
    first, second = candidates[:2]
    where = _line(first.location), _line(second.location)
    if first.address.key == word:
        message = f"{code_span(word)} is the key of one {field.to} and the name of another"
        remedy = f"change the key in {where[0]}; the name is in {where[1]}"
    else:
        message = f"{to.count(len(candidates))} have the {to.called} {code_span(word)}"
        keys = code_span(first.address.key), code_span(second.address.key)
        remedy = f"write the key: {keys[0]} is in {where[0]}, {keys[1]} in {where[1]}"
    return Diagnostic(
        Severity.ERROR,
        "ambiguous-reference",
        message,
        record.location_of(field.name, word),
        remedy,
        str(record.address),
        field.name,
        word,
        length=len(word),
    )


def _words(value: object) -> list[str]:
    words = value if isinstance(value, list) else [value]
    return [word for word in words if isinstance(word, str)]


def check_directives(
    records: Iterable[Record],
    directives: Directives,
    complete: bool,
    single: Sequence[Directive],
) -> Iterator[Diagnostic]:
    """`moved`, `forget` and `deleted` against each other and against the declared records.

    Unless the files are `complete`, a record that is not declared may be in a file that could not
    be read, and is not reported. `single` are the entries of `moved` that name one record as they
    are written; `directives` has those that a pattern stands for, too.
    """
    declared = {record.address: record for record in records}
    yield from _check_moved(declared, directives["moved"], complete, single)
    moved = {Address.parse(entry.subject): entry.location for entry in directives["moved"]}
    locations = {address: record.location for address, record in declared.items()}
    for directive in directives["forget"]:
        by_pattern = is_pattern(directive.subject)
        named = _matched(directive, {**moved, **locations})
        yield from _contradictions(directive, named, locations, moved, by_pattern=by_pattern)
    for directive in directives["deleted"]:
        named = [Address.parse(directive.subject)]
        yield from _contradictions(directive, named, locations, moved)
        yield from _also_forgotten(directive, directives["forget"])


def _matched(directive: Directive, addresses: Iterable[Address]) -> list[Address]:
    """The addresses that an entry of `forget` names, or matches."""
    if is_pattern(directive.subject):
        return sorted(address for address in addresses if matches(directive.subject, address))
    return [Address.parse(literal(directive.subject))]


def _also_forgotten(directive: Directive, forget: Iterable[Directive]) -> Iterator[Diagnostic]:
    address = Address.parse(directive.subject)
    for other in forget:
        if matches(other.subject, address):
            message = f"{code_span(directive.subject)} is also listed under `forget`"
            if is_pattern(other.subject):
                message += f", by the pattern {code_span(other.subject)}"
            remedy = f"listed in {_line(other.location)}: remove one of the two"
            yield _at_directive(directive, "contradiction", message, remedy)
            return


def _contradictions(
    directive: Directive,
    named: Sequence[Address],
    declared: Mapping[Address, Location],
    moved: Mapping[Address, Location],
    *,
    by_pattern: bool = False,
) -> Iterator[Diagnostic]:
    """Errors if records that a directive names are declared, or moved to another address.

    A pattern is about records that left the files. That it matches others is a warning: they stay
    managed.
    """
    facts = (
        ("still declared", "declared in", declared),
        ("also listed under `moved`", "listed in", moved),
    )
    for what, where, others in facts:
        found = [address for address in named if address in others]
        if not found:
            continue
        message = code_span(str(found[0]))
        if len(found) > 1:
            message += f" and {counted(len(found) - 1, 'other')}"
        message += f" {inflected(len(found), 'is', 'are')} {what}"
        if by_pattern:
            message += f", and {inflected(len(found), 'matches', 'match')} this pattern"
        remedy = f"{where} {_line(others[found[0]])}: remove one of the two"
        is_loose = by_pattern and others is declared
        severity = Severity.WARNING if is_loose else Severity.ERROR
        yield _at_directive(directive, "contradiction", message, remedy, severity)


def _check_moved(
    declared: Declared, moved: Sequence[Directive], complete: bool, single: Sequence[Directive]
) -> Iterator[Diagnostic]:
    sources: dict[str, Directive] = {}
    targets: dict[Address, Directive] = {}
    for directive in single:
        wrong = _bad_move(directive, declared, sources, targets)
        if wrong:
            yield _at_directive(directive, "bad-move", *wrong)
    written = {directive.subject for directive in single}
    by_pattern = {entry.subject: entry for entry in moved if entry.subject not in written}
    steps = {**by_pattern, **sources}
    for directive in sources.values():
        wrong = _bad_end(directive, declared, steps, complete)
        if wrong:
            yield _at_directive(directive, "bad-move", *wrong)


def _bad_move(
    directive: Directive,
    declared: Declared,
    sources: dict[str, Directive],
    targets: dict[Address, Directive],
) -> tuple[str, str] | None:
    """What is wrong with one move, and the remedy. Notes the source and target of a sound one."""
    source, target = Address.parse(directive.subject), directive.to
    assert target is not None
    if source.model != target.model:
        message = f"a {source.model} cannot become a {target.model}"
        return message, "write the same model in `from` and `to`"
    if source == target:
        return f"{code_span(str(source))} is moved to itself", "remove this entry"
    first = sources.setdefault(directive.subject, directive)
    if first is not directive:
        message = f"{code_span(str(source))} is moved twice"
        return message, f"also in {_line(first.location)}: keep one of them"
    first = targets.setdefault(target, directive)
    if first is not directive:
        message = f"two records are moved to {code_span(str(target))}"
        return message, f"also in {_line(first.location)}: keep one of them"
    if source in declared:
        where = _line(declared[source].location)
        message = f"{code_span(str(source))} is still declared"
        return message, f"declared in {where}: write its new key there"
    return None


def _bad_end(
    directive: Directive, declared: Declared, sources: Mapping[str, Directive], complete: bool
) -> tuple[str, str] | None:
    """What is wrong with the end of a chain of moves, and the remedy."""
    passed, target = {directive.subject}, str(directive.to)
    while target in sources and target not in passed:
        passed.add(target)
        target = str(sources[target].to)
    if target in passed:
        message = f"{code_span(directive.subject)} is moved in a circle"
        return message, "remove one entry of the circle"
    if complete and Address.parse(target) not in declared:
        remedy = twin_of(target, [str(address) for address in declared])
        return f"{code_span(target)} is not declared", (
            remedy or "write the address of a declared record"
        )
    return None


def _line(location: Location) -> str:
    return f"{location.file}:{location.line}"


def _at_directive(
    directive: Directive,
    code: str,
    message: str,
    remedy: str,
    severity: Severity = Severity.ERROR,
) -> Diagnostic:
    length = len(directive.subject)
    return Diagnostic(
        severity, code, message, directive.location, remedy, directive.subject, length=length
    )
