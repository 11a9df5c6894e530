"""Slips at the beginning of a line: its dash, its key, and what is between key and value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from stemctl.manifests.slips.situation import Edit, Repair, Situation, spaces_before
from stemctl.util.characters import named
from stemctl.util.late_pattern import late_pattern

_START = r"^(?P<lead>[ ]*(?:-[ ]+)*)"
_WORD = r"(?P<key>[A-Za-z_]\w*)"
_NO_SPACE_AFTER_COLON = late_pattern(rf"{_START}{_WORD}:(?P<value>[^\s:/].*)$")
_OTHER_COLON = late_pattern(rf"{_START}{_WORD}\s*(?P<mark>[：﹕ː∶])\s*(?P<value>.*)$")
_ASSIGNMENT = late_pattern(rf"{_START}{_WORD}[ ]*(?P<mark>=>|->|:=|==?)[ ]*(?P<value>.*)$")
_NO_SPACE_AFTER_DASH = late_pattern(r"^(?P<lead>[ ]*(?:-[ ]+)*)-(?P<value>[^\s-].*)$")
_OTHER_DASH = late_pattern(r"^(?P<lead>[ ]*)(?P<mark>[–—−‐‑•·*+])[ \u00a0]+(?P<value>.*)$")
_SLASHES = late_pattern(r"^(?P<lead>\s*)//\s*(?P<value>.*)$")

_Fixed = Callable[[re.Match[str]], tuple[int, str, str]]
"""Where a repaired line differs, and what stands there from that column on; and the message."""


def _all_lines(situation: Situation, pattern: re.Pattern[str], fixed: _Fixed) -> Iterator[Repair]:
    """Repair the lines that have a slip: the first of them alone, or all of them."""
    rows = []
    for number in sorted(situation.near):
        if match := pattern.match(situation.lines[number]):
            rows.append((number, match))
    below = situation.next_content(situation.found[0])
    while below < len(situation.lines) and (match := pattern.match(situation.lines[below])):
        rows.append((below, match))
        below = situation.next_content(below)
    edits = []
    messages = []
    for number, match in rows:
        start, text, message = fixed(match)
        edits.append(Edit(number, start, len(situation.lines[number].rstrip()), text))
        messages.append(message)
    for position, edit in enumerate(edits):
        yield Repair(messages[position], f"write `{edit.text}`", (edit,))
    for position, edit in enumerate(edits[:-1]):
        yield Repair(messages[position], f"write `{edit.text}`", tuple(edits[position:]))


def _key_and_value(match: re.Match[str]) -> str:
    return f"{match['key']}: {match['value'].strip()}".rstrip()


def space_after_colon(situation: Situation) -> Iterator[Repair]:
    """`name:rat1`."""

    def fixed(match: re.Match[str]) -> tuple[int, str, str]:
        return match.start("key"), _key_and_value(match), "a space is missing after the colon"

    return _all_lines(situation, _NO_SPACE_AFTER_COLON, fixed)


def other_colon(situation: Situation) -> Iterator[Repair]:
    """A colon that is not the colon of ASCII."""

    def fixed(match: re.Match[str]) -> tuple[int, str, str]:
        message = f"{named(match['mark'])} is not the colon of YAML"
        return match.start("key"), _key_and_value(match), message

    return _all_lines(situation, _OTHER_COLON, fixed)


def assignment(situation: Situation) -> Iterator[Repair]:
    """`name = rat1`."""

    def fixed(match: re.Match[str]) -> tuple[int, str, str]:
        message = f"a colon is missing: `{match['mark']}` is part of the text"
        return match.start("key"), _key_and_value(match), message

    return _all_lines(situation, _ASSIGNMENT, fixed)


def space_after_dash(situation: Situation) -> Iterator[Repair]:
    """`-name: rat1`."""

    def fixed(match: re.Match[str]) -> tuple[int, str, str]:
        text = f"- {match['value'].rstrip()}"
        return match.end("lead"), text, "a space is missing after the dash"

    return _all_lines(situation, _NO_SPACE_AFTER_DASH, fixed)


def other_dash(situation: Situation) -> Iterator[Repair]:
    """A bullet, or a dash that is not the one of ASCII."""

    def fixed(match: re.Match[str]) -> tuple[int, str, str]:
        message = f"{named(match['mark'])} does not begin an item of a list"
        return match.end("lead"), f"- {match['value'].rstrip()}", message

    return _all_lines(situation, _OTHER_DASH, fixed)


def slashes(situation: Situation) -> Iterator[Repair]:
    """`// a comment`."""

    def fixed(match: re.Match[str]) -> tuple[int, str, str]:
        text = f"# {match['value'].rstrip()}"
        return match.end("lead"), text, "`//` does not begin a comment in YAML"

    return _all_lines(situation, _SLASHES, fixed)


_SPACED = late_pattern(rf"{_START}{_WORD}(?P<value>(?:[ ]+.*)?)$")


def missing_colon(situation: Situation) -> Iterator[Repair]:
    """`name rat1`, where `name` is the name of a field."""

    def fixed(match: re.Match[str]) -> tuple[int, str, str]:
        return (
            match.start("key"),
            _key_and_value(match),
            f"a colon is missing after `{match['key']}`",
        )

    for repair in _all_lines(situation, _SPACED, fixed):
        key = repair.edits[0].text.partition(":")[0]
        if key in situation.names or _begins_a_mapping(situation, repair.edits[0].line):
            yield repair


def _begins_a_mapping(situation: Situation, number: int) -> bool:
    """Whether a line is the first of a mapping: deeper than the key above, and a key follows."""
    rows = [row for row in range(number - 1, -1, -1) if situation.has_content(row)]
    below = situation.next_content(number)
    if not rows or below >= len(situation.lines):
        return False
    above, column = situation.entry(rows[0]), spaces_before(situation.lines[number])
    has_block = above.key and not above.value and above.begin < column
    return bool(has_block and situation.entry(below).key) and column == spaces_before(
        situation.lines[below]
    )


def missing_dash(situation: Situation) -> Iterator[Repair]:
    """The first record of a list without its dash: the parser stops at the dash of the second."""
    found = situation.found[0]
    if found >= len(situation.lines) or not situation.lines[found].lstrip().startswith("- "):
        return
    column = spaces_before(situation.lines[found])
    for row, above in pairwise(situation.near[1:]):
        entry, owner = situation.entry(row), situation.entry(above)
        is_first = owner.key and not owner.value and owner.begin <= column
        if entry.key in situation.names and entry.begin == column + 2 and is_first:
            place = (row, entry.begin, len(entry.key))
            message = "an item of a list begins with a dash"
            remedy = f"add `- ` before `{entry.key}`"
            yield Repair(message, remedy, (Edit(row, column, column + 2, "- "),), place)
