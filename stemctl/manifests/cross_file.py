"""Findings that only all files together show: what is declared twice, what could mean two, wishes
that contradict.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Address, Directive, Location, Record, Repository
from stemctl.schema.catalog import Catalog, Field, Model
from stemctl.schema.patterns import FORMATS

Declared = Mapping[Address, Record]
Directives = Mapping[str, Sequence[Directive]]
"""Entries by the list they stand in: moved, forget, deleted."""


def check_unique(records: Iterable[Record], catalog: Catalog) -> Iterator[Diagnostic]:
    """Addresses, ids and unique values that two records share, told at the second of them."""
    addresses: dict[Address, Record] = {}
    ids: dict[str, Record] = {}
    values: dict[tuple[str, str, str], Record] = {}
    for record in records:
        model = catalog.models[record.address.model]
        named_twice = False
        for field in model.managed:
            if not field.unique or not isinstance(record.fields.get(field.name), str):
                continue
            first = values.setdefault((model.name, field.name, normal(field, record)), record)
            if first is not record:
                named_twice = True
                message = f"two{model.count(2)[1:]} have this {field.name}"
                yield _at_field(
                    record, field, "duplicate-name", message, first.location_of(field.name)
                )
        first = addresses.setdefault(record.address, record)
        if first is not record and not named_twice:
            message = f"two{model.count(2)[1:]} have the key {record.address.key}"
            remedy = f"also in {_line(first.location)}; write another key"
            yield _at(record, "key", "duplicate-address", message, remedy, record.address.key)
        if (
            record.id is not None
            and (first := ids.setdefault(record.id.lower(), record)) is not record
        ):
            message = f"{first.address} has this id too"
            remedy = f"also in {_line(first.location)}; an id belongs to one record"
            yield _at(record, "id", "duplicate-id", message, remedy, record.id)
    yield from _alike(values, catalog)


def normal(field: Field, record: Record) -> str:
    """A text of a record as the server stores it."""
    text: str = record.fields[field.name]
    return text.strip() if field.trimmed else text


def _alike(values: Mapping[tuple[str, str, str], Record], catalog: Catalog) -> Iterator[Diagnostic]:
    """Unique values that people take for the same one."""
    folded: dict[tuple[str, str, str], str] = {}
    for (model, name, value), record in values.items():
        key = (model, name, unicodedata.normalize("NFKC", value).casefold())
        other = folded.setdefault(key, value)
        if other == value:
            continue
        field, first = (
            catalog.models[model].fields[name],
            values[model, name, other].location_of(name),
        )
        how = (
            "in case"
            if value.casefold() == other.casefold()
            else "in how its characters are stored"
        )
        message = f"differs from another {name} only {how}"
        yield _at_field(record, field, "name-case", message, first, Severity.WARNING)


def check_references(repository: Repository, catalog: Catalog) -> Iterator[Diagnostic]:
    """References that could mean two declared records: one by its key, another by its unique name.

    What no declared record is called may be live, so that is no finding before the server is asked.
    """
    named = {model.name: _by_name(repository.records, model) for model in catalog.writable}
    for record in repository.records.values():
        for field in catalog.models[record.address.model].references:
            if field.to not in named:
                continue
            for word in _words(record.fields.get(field.name)):
                by_key = repository.records.get(Address(field.to, word))
                by_name = named[field.to].get(word)
                if by_key and by_name and by_key is not by_name and not is_id(word):
                    location = record.location_of(field.name, word)
                    yield Diagnostic(
                        Severity.ERROR,
                        "ambiguous-reference",
                        f"{word} is the key of one {field.to} and the name of another",
                        location,
                        f"{_line(by_key.location)} and {_line(by_name.location)}; give the first one another key",
                        str(record.address),
                        field.name,
                        word,
                        length=len(word),
                    )


def is_id(text: str) -> bool:
    """Whether a reference is an id and not a name."""
    return re.search(FORMATS["uuid"], text) is not None


def _by_name(records: Declared, model: Model) -> dict[str, Record]:
    field = model.fields.get(model.identity or "")
    if field is None:
        return {}
    ours = (
        r
        for r in records.values()
        if r.address.model == model.name and isinstance(r.fields.get(field.name), str)
    )
    return {normal(field, record): record for record in ours}


def _words(value: object) -> list[str]:
    words = value if isinstance(value, list) else [value]
    return [word for word in words if isinstance(word, str)]


def check_directives(
    records: Iterable[Record], directives: Directives, complete: bool = True
) -> Iterator[Diagnostic]:
    """`moved`, `forget` and `deleted` against each other and against what is declared.

    What is not declared is no finding unless the files are `complete`, which they are not if one
    could not be read.
    """
    declared = {record.address: record for record in records}
    yield from _check_moved(declared, directives["moved"], complete)
    forgotten = {wish.subject: wish for wish in directives["forget"]}
    for wish in (*directives["forget"], *directives["deleted"]):
        if record := declared.get(Address.parse(wish.subject)):
            message = f"{wish.subject} is still declared"
            yield _wish(
                wish,
                "contradiction",
                message,
                f"in {_line(record.location)}; take out one of the two",
            )
    for wish in directives["deleted"]:
        if wish.subject in forgotten:
            other = _line(forgotten[wish.subject].location)
            yield _wish(
                wish,
                "contradiction",
                f"{wish.subject} is to be forgotten too",
                f"in {other}; take out one of the two",
            )
        elif re.search(r"[*?]", wish.subject):
            message, remedy = (
                "deleted takes no patterns, * and ? stand for themselves",
                "name each record",
            )
            yield _wish(wish, "no-pattern", message, remedy, Severity.WARNING)


def _check_moved(
    declared: Declared, moved: Sequence[Directive], complete: bool
) -> Iterator[Diagnostic]:
    sources: dict[str, Directive] = {}
    targets: dict[Address, Directive] = {}
    for wish in moved:
        source, target = Address.parse(wish.subject), wish.to
        assert target is not None
        if source.model != target.model:
            yield _wish(
                wish,
                "bad-move",
                f"a {source.model} cannot become a {target.model}",
                "name one model twice",
            )
        elif source == target:
            yield _wish(wish, "bad-move", f"{source} moves to itself", "take the entry out")
        elif (first := sources.setdefault(wish.subject, wish)) is not wish:
            yield _wish(
                wish,
                "bad-move",
                f"{source} moves twice",
                f"also in {_line(first.location)}; keep one",
            )
        elif (first := targets.setdefault(target, wish)) is not wish:
            yield _wish(
                wish,
                "bad-move",
                f"two records move to {target}",
                f"also in {_line(first.location)}; keep one",
            )
        elif source in declared:
            message = f"{source} is still declared"
            yield _wish(
                wish,
                "bad-move",
                message,
                f"in {_line(declared[source].location)}; write its new key there",
            )
    for wish in sources.values():
        yield from _check_end(wish, declared, sources, complete)


def _check_end(
    wish: Directive, declared: Declared, sources: Mapping[str, Directive], complete: bool
) -> Iterator[Diagnostic]:
    """Where a chain of moves leads."""
    passed, target = {wish.subject}, str(wish.to)
    while target in sources and target not in passed:
        passed.add(target)
        target = str(sources[target].to)
    if target in passed:
        yield _wish(
            wish,
            "bad-move",
            f"{wish.subject} moves in a circle",
            "take one entry of the circle out",
        )
    elif complete and Address.parse(target) not in declared:
        yield _wish(wish, "bad-move", f"{target} is not declared", "name a record of these files")


def _line(location: Location) -> str:
    return f"{location.file}:{location.line}"


def _at(record: Record, name: str, code: str, message: str, remedy: str, value: str) -> Diagnostic:
    location = record.location_of(name)
    return Diagnostic(
        Severity.ERROR,
        code,
        message,
        location,
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
    first: Location,
    severity: Severity = Severity.ERROR,
) -> Diagnostic:
    value = record.fields[field.name]
    location, remedy = record.location_of(field.name), f"also in {_line(first)}"
    return Diagnostic(
        severity,
        code,
        message,
        location,
        remedy,
        str(record.address),
        field.name,
        value,
        length=len(value),
    )


def _wish(
    wish: Directive, code: str, message: str, remedy: str, severity: Severity = Severity.ERROR
) -> Diagnostic:
    return Diagnostic(
        severity, code, message, wish.location, remedy, wish.subject, length=len(wish.subject)
    )
