"""Diagnostics that need all files: duplicates, ambiguous references, contradicting directives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from stemctl.core.address_patterns import is_pattern, literal, matches
from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Address, Directive, Location, Record, Repository
from stemctl.manifests.document import code_span
from stemctl.schema.catalog import Catalog, Field, Model
from stemctl.util.json_types import is_uuid
from stemctl.util.look_alike import difference, folded, twin_of
from stemctl.util.plural import counted, inflected

Declared = Mapping[Address, Record]
Directives = Mapping[str, Sequence[Directive]]
"""Entries by the list they are in: moved, forget, deleted."""

_Values = dict[tuple[str, str, str], Record]
"""Model, field and value to the first record with it."""


def check_unique(records: Iterable[Record], catalog: Catalog) -> Iterator[Diagnostic]:
    """Addresses, ids and unique values that two records share, reported at the second of them."""
    addresses: dict[Address, Record] = {}
    ids: dict[str, Record] = {}
    values: _Values = {}
    for record in records:
        model = catalog.models[record.address.model]
        same_names = list(_duplicate_values(record, model, values))
        yield from same_names
        first = addresses.setdefault(record.address, record)
        if first is not record and not same_names:
            yield _duplicate_address(record, model, first)
        if record.id is not None:
            first = ids.setdefault(record.id.lower(), record)
            if first is not record:
                yield _duplicate_id(record, first)
    yield from _alike(values, catalog)


def _duplicate_values(record: Record, model: Model, values: _Values) -> Iterator[Diagnostic]:
    for field in model.managed:
        if not field.unique or not isinstance(record.fields.get(field.name), str):
            continue
        first = values.setdefault((model.name, field.name, normal(field, record)), record)
        if first is not record:
            message = f"{_two(model)} have the same {field.name}"
            other = first.location_of(field.name)
            yield _at_field(record, field, "duplicate-name", message, first=other)


def _duplicate_address(record: Record, model: Model, first: Record) -> Diagnostic:
    key = record.address.key
    message = f"{_two(model)} have the key {code_span(key)}"
    remedy = f"also in {_line(first.location)}: change one of the keys"
    return _at(record, "key", "duplicate-address", message, remedy, value=key)


def _duplicate_id(record: Record, first: Record) -> Diagnostic:
    message = f"{code_span(str(first.address))} has the same id"
    remedy = f"also in {_line(first.location)}: an id belongs to one record"
    return _at(record, "id", "duplicate-id", message, remedy, value=str(record.id))


def _two(model: Model) -> str:
    """`two sessions`."""
    return f"two {model.count(2).partition(' ')[2]}"


def normal(field: Field, record: Record) -> str:
    """A text of a record as the server stores it."""
    text: str = record.fields[field.name]
    return text.strip() if field.trimmed else text


def _alike(values: _Values, catalog: Catalog) -> Iterator[Diagnostic]:
    """Unique values that look the same to people."""
    first: dict[tuple[str, str, str], str] = {}
    for (model, name, value), record in values.items():
        key = (model, name, folded(value))
        other = first.setdefault(key, value)
        if other == value:
            continue
        differs = "in case"
        if value.casefold() != other.casefold():
            differs = f"in its Unicode form: {difference(value, other)}"
        yield _at_field(
            record,
            catalog.models[model].fields[name],
            "name-case",
            f"differs from another {name} only {differs}",
            first=values[model, name, other].location_of(name),
            severity=Severity.WARNING,
        )


def check_references(repository: Repository, catalog: Catalog) -> Iterator[Diagnostic]:
    """References with two meanings: the key of one declared record, the name of another.

    A name that no declared record has may belong to a live one, so it is not reported here.
    """
    named = {model.name: _by_name(repository.records, model) for model in catalog.writable}
    for record in repository.records.values():
        for field in catalog.models[record.address.model].references:
            if field.to not in named:
                continue
            for word in _words(record.fields.get(field.name)):
                by_key = repository.records.get(Address(field.to, word))
                by_name = named[field.to].get(word)
                if by_key and by_name and by_key is not by_name and not is_uuid(word):
                    yield _ambiguous_reference(record, field, word, (by_key, by_name))


def _ambiguous_reference(
    record: Record, field: Field, word: str, candidates: tuple[Record, Record]
) -> Diagnostic:
    by_key, by_name = candidates
    return Diagnostic(
        Severity.ERROR,
        "ambiguous-reference",
        f"{code_span(word)} is the key of one {field.to} and the name of another",
        record.location_of(field.name, word),
        f"change the key in {_line(by_key.location)}; the name is in {_line(by_name.location)}",
        str(record.address),
        field.name,
        word,
        length=len(word),
    )


def _by_name(records: Declared, model: Model) -> dict[str, Record]:
    """The declared records of a model by their unique name."""
    field = model.fields.get(model.identity or "")
    found: dict[str, Record] = {}
    if field is None:
        return found
    for record in records.values():
        if record.address.model == model.name and isinstance(record.fields.get(field.name), str):
            found[normal(field, record)] = record
    return found


def _words(value: object) -> list[str]:
    words = value if isinstance(value, list) else [value]
    return [word for word in words if isinstance(word, str)]


def check_directives(
    records: Iterable[Record], directives: Directives, complete: bool = True
) -> Iterator[Diagnostic]:
    """`moved`, `forget` and `deleted` against each other and against the declared records.

    Unless the files are `complete`, a record that is not declared may be in a file that could not
    be read, and is not reported.
    """
    declared = {record.address: record for record in records}
    yield from _check_moved(declared, directives["moved"], complete)
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
    declared: Declared, moved: Sequence[Directive], complete: bool
) -> Iterator[Diagnostic]:
    sources: dict[str, Directive] = {}
    targets: dict[Address, Directive] = {}
    for directive in moved:
        wrong = _bad_move(directive, declared, sources, targets)
        if wrong:
            yield _at_directive(directive, "bad-move", *wrong)
    for directive in sources.values():
        wrong = _bad_end(directive, declared, sources, complete)
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


def _at(
    record: Record, name: str, code: str, message: str, remedy: str, *, value: str
) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        code,
        message,
        record.location_of(name),
        remedy,
        str(record.address),
        name,
        value,
        length=len(value),
    )


def _at_field(
    record: Record,
    field: Field,
    code: str,
    message: str,
    *,
    first: Location,
    severity: Severity = Severity.ERROR,
) -> Diagnostic:
    value = record.fields[field.name]
    return Diagnostic(
        severity,
        code,
        message,
        record.location_of(field.name),
        f"also in {_line(first)}",
        str(record.address),
        field.name,
        value,
        length=len(value),
    )


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
