"""Characters that must not be where they are: tabs, spaces of other kinds, and marks of tools."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stemctl.manifests.slips.situation import Edit, Repair, Situation
from stemctl.util.characters import named
from stemctl.util.late_pattern import late_pattern

INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_ODD = late_pattern(f"[{SPACES}{INVISIBLE}]+")
_BEGINNING = late_pattern(
    rf"^[ \t{SPACES}{INVISIBLE}]*(?:-[ {SPACES}{INVISIBLE}]+)*"
    rf"(?:[A-Za-z_{INVISIBLE}][\w{INVISIBLE}]*:[ {SPACES}{INVISIBLE}]+)?"
)
_CONFLICT = late_pattern(r"(<{7}|={7}|>{7}|\|{7})(?: |$)")
_MARKUP = late_pattern(r"\s*<(?:!DOCTYPE|!--|\?xml|html\b|head\b|body\b)", re.IGNORECASE)


def odd_characters(situation: Situation) -> Iterator[Repair]:
    """A space that is none to YAML, or an invisible character, where a line begins."""
    for number in situation.near:
        beginning = _BEGINNING.match(situation.lines[number])
        assert beginning is not None  # an empty beginning matches too
        odd = list(_ODD.finditer(beginning[0]))
        if not odd:
            continue
        edits = []
        for match in odd:
            spaces = "".join(" " for character in match[0] if character.isspace())
            edits.append(Edit(number, match.start(), match.end(), spaces))
        is_space = bool(edits[0].text)
        message = f"{named(odd[0][0][0])} is not a space in YAML"
        remedy = "write a space" if len(odd[0][0]) == 1 else f"write {len(odd[0][0])} spaces"
        if not is_space:
            message = f"the invisible character {named(odd[0][0][0])} is not allowed here"
            remedy = "remove it"
        yield Repair(message, remedy, tuple(edits))


def tabs(situation: Situation) -> Iterator[Repair]:
    """A tab in the indentation, or after a dash."""
    number = situation.found[0]
    text = situation.lines[number] if number < len(situation.lines) else ""
    for match in re.finditer(r"^[ ]*(\t[ \t]*)|(?<=-)(\t[ \t]*)", text):
        group = 1 if match[1] else 2
        place = (number, match.start(group), match.end(group) - match.start(group))
        rows = [row for row in range(len(situation.lines)) if "\t" in situation.lines[row]]
        rows.sort(key=lambda row: row != number)
        for width in (2, 4, 8) if group == 1 else (1, 3, 7):
            edits = [_expanded(situation.lines[row], row, width) for row in rows]
            remedy = f"write {len(edits[0].text)} spaces" if group == 1 else "write a space"
            yield Repair("a tab is not allowed here", remedy, tuple(edits), place)


def _expanded(text: str, number: int, width: int) -> Edit:
    """A line whose tabs before its text are spaces."""
    beginning = re.match(r"[ \t]*(?:-[ \t]+)*", text)
    assert beginning is not None  # an empty beginning matches too
    return Edit(number, 0, beginning.end(), beginning[0].replace("\t", " " * width))


def tools(situation: Situation) -> Iterator[Repair]:
    """What git and Markdown leave in a file."""
    for number in sorted(situation.near):
        text = situation.lines[number]
        if _CONFLICT.match(text):
            message = "this line is a conflict mark of git"
            remedy = "remove it, and check that the lines around it are what you want"
            yield Repair(message, remedy, (Edit(number, 0, len(text), ""),))
        if text.startswith("```"):
            fences = [row for row, line in enumerate(situation.lines) if line.startswith("```")]
            edits = [Edit(row, 0, len(situation.lines[row]), "") for row in fences]
            message = "this line belongs to Markdown, not to YAML"
            yield Repair(message, "remove it", tuple(edits))
        if re.match(r"%[A-Z]+ ", text):
            message = "a directive of YAML is not needed here"
            yield Repair(message, "remove this line", (Edit(number, 0, len(text), ""),))
    yield from _end_of_document(situation)


def _end_of_document(situation: Situation) -> Iterator[Repair]:
    for number in range(min(situation.found[0], len(situation.lines) - 1), -1, -1):
        text = situation.lines[number].rstrip()
        if text == "...":
            edit = Edit(number, 0, len(text), "")
            yield Repair("`...` ends the document", "remove this line", (edit,))


def other_language(lines: list[str]) -> Repair | None:
    """A file that is no YAML at all; it cannot be repaired."""
    first = next((row for row, line in enumerate(lines) if line.strip()), 0)
    text = lines[first] if lines else ""
    kind = ""
    if _MARKUP.match(text):
        kind = "HTML or XML"
    elif re.match(r"\s*\|.*\|\s*$", text):
        kind = "a table of Markdown"
    elif re.match(r'\s*"[^"]*"(?:[,;\t]"[^"]*")+\s*$', text):
        kind = "CSV"
    elif any(re.match(r"\+ *[-\w]", line) for line in lines) and any(
        re.match(r"- +- |-[ ]{2,}\w|@@ ", line) for line in lines
    ):
        kind = "a diff"
    if not kind:
        return None
    remedy = "begin the file with the name of a list, such as `sessions:`"
    place = (first, 0, len(text.rstrip()))
    return Repair(f"this is {kind}, not YAML", remedy, (), place)
