"""Many changes as one: what they have in common, in what they differ, some of them, and how to see
all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence

from msgspec.structs import replace

from stemctl.core.plan import Action, Change, FieldChange
from stemctl.core.records import Location
from stemctl.render.change_view import (
    ChangeView,
    details_of,
    group_of,
    holds_of,
    is_brief,
    location_text,
    reason_words,
    symbol_of,
)
from stemctl.render.field_view import FieldRow, field_rows
from stemctl.render.folding import Fold
from stemctl.render.model_words import ModelWords
from stemctl.render.spans import Spans, spans
from stemctl.render.values import LONG, shown, value_key
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern
from stemctl.util.plural import counted, first_few
from stemctl.util.safe_text import visible

EXAMPLES = 3
"""Records and files that are named."""

_FEW_VALUES = 3
"""Different values that are named, if they are short."""

_MOST_ENTRIES = 12
"""Entries of a map that have rows of their own."""

_DATE = late_pattern(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?")
_TIME = late_pattern(r"\d{4}-\d\d-\d\d([T ][\d:.]+([zZ]|[-+]\d\d:?\d\d)?)?")
"""A time of any zone; of these, the first and the last day are shown."""


def view_fold(fold: Fold, words: ModelWords) -> ChangeView:
    """Changes of one kind as one."""
    changes = fold.changes
    first = changes[0]
    brief = is_brief(first) or first.action is Action.DELETE
    return ChangeView(
        symbol=symbol_of(first),
        title=_title(fold, words),
        action=first.action,
        group=group_of(first),
        why=reason_words(first),
        held=str(first.held or ""),
        location=_location(changes),
        details=_details(changes),
        fields=() if brief else tuple(_rows(changes, words)),
        is_brief=brief,
        examples=first_few([visible(str(change.address)) for change in changes], EXAMPLES),
        files=_files(changes),
        members=tuple(changes),
        holds=holds_of(first),
    )


def _title(fold: Fold, words: ModelWords) -> str:
    first = fold.changes[0]
    title = words.count(first.address.model, len(fold.changes), fold.is_rest)
    return title if fold.is_rest else title + _what_is_equal(first)


def _what_is_equal(change: Change) -> str:
    if change.action is Action.UPDATE:
        return ", the same edit in each"
    if change.action is Action.ADOPT:
        return ", the same difference in each" if change.fields else ", no difference"
    return ""


def _location(changes: Sequence[Change]) -> str:
    """The line of the edit where all share it, as that of a default; else the file, or how many."""
    edits = {field.location for change in changes for field in change.fields}
    if len(edits) == 1 and (location := edits.pop()):
        return location_text(location)
    return common_file(change.location for change in changes)


def common_file(locations: Iterable[Location | None]) -> str:
    """The file of all locations, or how many files there are."""
    files = _names_of_files(locations)
    if len(files) > 1:
        return counted(len(files), "file")
    return "".join(files)


def _files(changes: Sequence[Change]) -> str:
    """The files that declare the changes, where there are several."""
    files = _names_of_files(change.location for change in changes)
    return first_few(files, EXAMPLES) if len(files) > 1 else ""


def _names_of_files(locations: Iterable[Location | None]) -> list[str]:
    return sorted({visible(location.file) for location in locations if location})


def _details(changes: Sequence[Change]) -> tuple[str, ...]:
    """What is to be said of all."""
    waits = dict.fromkeys(visible(str(address)) for change in changes for address in change.waits)
    if waits and changes[0].held:
        return (f"waits for {first_few(list(waits), EXAMPLES)}",)
    common = dict.fromkeys(details_of(changes[0]))
    for change in changes:
        if not common:
            break
        found = details_of(change)
        common = {text: None for text in common if text in found}
    return tuple(common)


def _rows(changes: Sequence[Change], words: ModelWords) -> Iterator[FieldRow]:
    """A row for each field: the value or the edit that all share, or how they differ."""
    found: dict[str, list[tuple[Change, FieldChange]]] = {}
    for change in changes:
        for field in change.fields:
            found.setdefault(field.path, []).append((change, field))
    for path, pairs in found.items():
        some = "" if len(pairs) == len(changes) else f"in {len(pairs):,} of {len(changes):,}: "
        if changes[0].action is Action.CREATE and not changes[0].held:
            rows = _values(path, [field.after for _, field in pairs], some)
        else:
            rows = _edits(path, pairs, words, some)
        yield from rows


def _edits(
    path: str, pairs: Sequence[tuple[Change, FieldChange]], words: ModelWords, some: str
) -> Iterator[FieldRow]:
    edits = {value_key([field.before, field.after, field.base]) for _, field in pairs}
    change, field = pairs[0]
    if len(edits) == 1:
        first, *others = field_rows(replace(change, fields=(field,)), words.json_fields)
        yield FieldRow(first.name, _after(some, first.spans))
        yield from others
        return
    yield FieldRow(visible(path), spans(f"{some}{len(edits):,} different edits"))


def _values(path: str, values: Sequence[Value], some: str) -> Iterator[FieldRow]:
    if all(isinstance(value, dict) and value for value in values):
        entries: dict[str, list[Value]] = {}
        for value in values:
            for key, inner in value.items():
                entries.setdefault(str(key), []).append(inner)
        if len(entries) <= _MOST_ENTRIES:
            for key, inner in entries.items():
                part = some
                if len(inner) < len(values):
                    part = f"{some}in {len(inner):,} of {len(values):,}: "
                yield FieldRow(visible(f"{path}.{key}"), _after(part, _alike(inner)))
            return
    yield FieldRow(visible(path), _after(some, _alike(values)))


def _after(some: str, parts: Spans) -> Spans:
    return spans(some, *parts) if some else parts


def _alike(values: Sequence[Value]) -> Spans:
    """The value that all share, or how they differ."""
    found: dict[Hashable, Value] = {}
    counts: Counter[Hashable] = Counter()
    for value in values:
        key = value_key(value)
        found.setdefault(key, value)
        counts[key] += 1
    if len(found) == 1:
        return spans(shown(values[0]))
    if all(isinstance(value, list) for value in values):
        return spans(_elements(values) or f"{len(found):,} different")
    few = ", ".join(f"{shown(found[key])} ({number:,})" for key, number in counts.most_common(4))
    if len(found) <= _FEW_VALUES and len(few) <= LONG:
        return spans(few)
    return spans(_range(list(found.values())) or f"{len(found):,} different")


def _range(values: list[Value]) -> str:
    """From the least to the most, if the values have an order that readers know."""
    if all(isinstance(value, str) and _DATE.fullmatch(value) for value in values):
        return f"{min(values)} … {max(values)}"
    if all(isinstance(value, str) and _TIME.fullmatch(value) for value in values):
        return f"{min(values)[:10]} … {max(values)[:10]}"
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return f"{shown(min(values))} … {shown(max(values))}"
    return ""


def _elements(lists: Sequence[list[Value]]) -> str:
    """In how many lists the elements are that most of them have."""
    items: dict[Hashable, Value] = {}
    counts: Counter[Hashable] = Counter()
    for one in lists:
        own = {value_key(item): item for item in one}
        items.update(own)
        counts.update(own.keys())
    words = []
    for key, number in counts.most_common(_FEW_VALUES):
        where = "all" if number == len(lists) else f"{number:,}"
        words.append(f"{shown([items[key]])} in {where}")
    if len(counts) > _FEW_VALUES:
        words.append(f"{len(counts) - _FEW_VALUES:,} more")
    return ", ".join(words)
