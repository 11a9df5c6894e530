"""Finds the slip behind a syntax error: the first repair with which the parser gets further."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator

import yaml
from msgspec import Struct
from msgspec.structs import replace
from yaml.events import (
    CollectionEndEvent,
    CollectionStartEvent,
    MappingStartEvent,
    NodeEvent,
    StreamEndEvent,
)

from stemctl.manifests.slips import brackets, indentation, keys, marks, quotes
from stemctl.manifests.slips.situation import Edit, Repair, Situation, spaces_before
from stemctl.manifests.yaml_parser import Parser

_MOST_PARSED = 4_000_000
"""Characters that are parsed to find a slip, over all repairs that are tried."""
_MOST_TRIED = 400
_AROUND = 60
"""Lines above and below the place where the parser stopped, of a file that is longer."""

_SLIPS: tuple[Callable[[Situation], Iterator[Repair]], ...] = (
    marks.tools,
    marks.tabs,
    marks.odd_characters,
    brackets.comments,
    brackets.between_quotes,
    keys.other_colon,
    keys.space_after_colon,
    keys.space_after_dash,
    keys.other_dash,
    keys.slashes,
    quotes.escapes,
    quotes.curly,
    quotes.after_closing,
    quotes.two_keys,
    quotes.closing,
    quotes.inside,
    keys.assignment,
    keys.missing_colon,
    keys.missing_dash,
    brackets.closing,
    brackets.separators,
    brackets.quoted_items,
    quotes.must_be_quoted,
    quotes.stray_marks,
    indentation.continued_text,
    indentation.quoted_text,
)
"""From the special to the general."""


def find_slip(situation: Situation) -> Repair | None:
    """The slip because of which the parser stopped, if there is a repair that helps."""
    if alien := marks.other_language(situation.lines):
        return alien
    excerpt = _excerpt(situation)
    if excerpt.left_out and _judged(excerpt, ()).blamed[0] == excerpt.found[0]:
        repair = _find(excerpt)
        if repair and repair.marked[0] > 0:
            return _moved_down(repair, excerpt.left_out)
    return _find(situation)


def _excerpt(situation: Situation) -> Situation:
    """The record where the parser stopped and those around it, below the name of their list.

    A short file is left as it is.
    """
    lines, found = situation.lines, situation.found[0]
    first = found - _AROUND
    if first <= 0 or found >= len(lines):
        return situation
    records = [row for row in range(first, found) if lines[row].lstrip().startswith("- ")]
    begin = min(records, key=lambda row: (spaces_before(lines[row]), row), default=0)
    header = next((row for row in range(begin, -1, -1) if lines[row][:1].isalpha()), 0)
    if header + 1 >= begin:
        return situation
    skipped = begin - 1
    opened = situation.opened if situation.opened[0] >= begin else situation.found
    return replace(
        situation,
        lines=[lines[header], *lines[begin : found + _AROUND]],
        found=(found - skipped, situation.found[1]),
        opened=(opened[0] - skipped, opened[1]),
        left_out=skipped,
    )


def _moved_down(repair: Repair, rows: int) -> Repair:
    """A repair of an excerpt, as one of the whole file."""
    row, column, length = repair.marked
    edits = tuple(replace(edit, line=edit.line + rows) for edit in repair.edits)
    return replace(repair, edits=edits, place=(row + rows, column, length))


def _find(situation: Situation) -> Repair | None:
    size = sum(map(len, situation.lines)) or 1
    tries = min(_MOST_TRIED, _MOST_PARSED // size)
    if not tries:
        return None
    before = _judged(situation, ())
    repairs = itertools.chain.from_iterable(find(situation) for find in _SLIPS)
    for repair in itertools.islice(repairs, tries):
        if _helps(repair, before, _judged(situation, repair.edits)):
            return repair
    return _best_aligned(situation, before, tries)


def _best_aligned(situation: Situation, before: Verdict, tries: int) -> Repair | None:
    """Of the repairs of the indentation, the one that gives the most sensible file."""
    best: tuple[tuple[int, ...], Repair] | None = None
    for repair in itertools.islice(indentation.misaligned(situation), tries):
        after = _judged(situation, repair.edits)
        if not _helps(repair, before, after):
            continue
        rank = (-after.blamed[0], after.strange)
        if best is None or rank < best[0]:
            best = rank, repair
    return best[1] if best else None


def _helps(repair: Repair, before: Verdict, after: Verdict) -> bool:
    """Whether the parser gets beyond the line where it stopped, and the line that is repaired."""
    return after.blamed > max(before.blamed, (repair.edits[0].line + 1,))


def _judged(situation: Situation, edits: Iterable[Edit]) -> Verdict:
    return judge("\n".join(repaired(situation.lines, edits)), situation.names, situation.sections)


def repaired(lines: list[str], edits: Iterable[Edit]) -> list[str]:
    """The lines with all edits made."""
    result = list(lines)
    for edit in sorted(edits, key=lambda edit: (edit.line, -edit.start)):
        text = result[edit.line]
        result[edit.line] = text[: edit.start] + edit.text + text[edit.end :]
    return result


class Verdict(Struct):
    """Line and column of the first error of a text, and how many keys are not where they belong."""

    blamed: tuple[int, ...]
    strange: int = 0


_NO_ERROR = (1 << 60,)


def judge(text: str, names: frozenset[str], sections: frozenset[str]) -> Verdict:
    """Parse a text, and count the sections and the fields of records whose names are unknown."""
    verdict = Verdict(_NO_ERROR)
    next_event = Parser(text).get_event
    open_at: list[bool | None] = []  # for each mapping whether a key is next; None for a list
    try:
        while type(event := next_event()) is not StreamEndEvent:
            if isinstance(event, CollectionEndEvent):
                open_at.pop()
                continue
            if not isinstance(event, NodeEvent):
                continue
            if open_at and open_at[-1] is not None:
                known = {1: sections, 3: names - sections}.get(len(open_at))
                if open_at[-1] and known is not None:
                    verdict.strange += getattr(event, "value", None) not in known
                open_at[-1] = not open_at[-1]
            if isinstance(event, CollectionStartEvent):
                open_at.append(True if type(event) is MappingStartEvent else None)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        assert mark is not None  # parsers mark every problem
        if error.context_mark and not text[mark.index :].strip():
            mark = error.context_mark  # what is never closed is to blame where it begins
        verdict.blamed = (mark.line, mark.column)
    except yaml.YAMLError:
        verdict.blamed = (0, 0)
    return verdict
