"""Slips in lists and mappings that are written with brackets and braces."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct, field

from stemctl.manifests.slips.situation import Edit, Repair, Situation, plain_or_quoted
from stemctl.util.late_pattern import late_pattern

_CLOSERS = {"[": "]", "{": "}"}
_QUOTED = late_pattern(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""")
_HASH = late_pattern(r"(?:(?<=[\s\[{,])|^)#")
_KEY_IN_BRACES = late_pattern(r"""\s*(?:"[^"]*"|'[^']*'|[^"'\[\]{},:#]+):\s+""")


class FlowLine(Struct):
    """One line as brackets see it: what is open at its end, and the items between the commas."""

    open: list[tuple[str, int]] = field(default_factory=list)
    items: list[tuple[int, int]] = field(default_factory=list)
    extra: list[int] = field(default_factory=list)
    """Closing brackets that close nothing, or something else."""
    hashes: list[int] = field(default_factory=list)


def flow_line(text: str, start: int = 0) -> FlowLine:
    """Follow the brackets of a line from a column on. `#` is read as text."""
    line, begin, position = FlowLine(), start, start
    while position < len(text):
        character = text[position]
        if character in "\"'" and not text[begin:position].strip():
            quoted = _QUOTED.match(text, position)
            position = quoted.end() if quoted else position + 1
            continue
        if character == "#" and _HASH.match(text, position):
            line.hashes.append(position)
        elif character in "[{":
            line.open.append((character, position))
            begin = position + 1
        elif character in "]}," and line.open:
            _add_item(line, text, begin, position)
            begin = position + 1
        if character in "]}":
            if line.open and _CLOSERS[line.open[-1][0]] == character:
                line.open.pop()
            else:
                line.extra.append(position)
        position += 1
    if line.open:
        _add_item(line, text, begin, len(text))
    return line


def _add_item(line: FlowLine, text: str, begin: int, end: int) -> None:
    """Add an item without the spaces around it, and without its key."""
    key = _KEY_IN_BRACES.match(text, begin, end)
    if key and line.open[-1][0] == "{":
        begin = key.end()
    item = text[begin:end]
    start = begin + len(item) - len(item.lstrip())
    if item.strip():
        line.items.append((start, start + len(item.strip())))


def between_quotes(situation: Situation) -> Iterator[Repair]:
    """`["theta" "sleep"]`: a comma is missing between quoted items."""
    line, column = situation.found
    text = situation.lines[line] if line < len(situation.lines) else ""
    before = text[:column].rstrip()
    quotes = ("'", '"')
    if "]'" in situation.problem and before.endswith(quotes) and text[column:].startswith(quotes):
        edit = Edit(line, len(before), len(before), ",")
        yield Repair("a comma is missing between these items", "add `,` here", (edit,))


def comments(situation: Situation) -> Iterator[Repair]:
    """`[#sleep, theta]`: the rest of the line is a comment, so that nothing closes the bracket."""
    for entry in situation.entries():
        text = situation.lines[entry.line]
        flow = flow_line(text, entry.start)
        edits = []
        for hash_at in flow.hashes:
            for start, end in flow.items:
                if start <= hash_at < end and text[start] not in "\"'":
                    edits.append(Edit(entry.line, start, end, plain_or_quoted(text[start:end])))
        edits = list(dict.fromkeys(edits))
        if edits:
            message = "`#` begins a comment here, so that the bracket before it is not closed"
            yield Repair(message, f"write `{edits[0].text}`", tuple(edits))


def quoted_items(situation: Situation) -> Iterator[Repair]:
    """`{description: Day 1: maze}`, `[*a b]`: text that has to be quoted inside of brackets."""
    line, column = situation.found
    if not situation.has_content(line):
        return
    text = situation.lines[line]
    for start, end in flow_line(text, situation.entry(line).start).items:
        item = text[start:end]
        if start <= column <= end and (": " in item or item[0] in "@`%*&!|>?:-"):
            fixed = plain_or_quoted(item)
            message = "text that contains `: ` must be quoted"
            if ": " not in item:
                message = f"unquoted text cannot begin with {_mark(item[0])}"
            yield Repair(message, f"write `{fixed}`", (Edit(line, start, end, fixed),))


def _mark(character: str) -> str:
    return "a backtick" if character == "`" else f"`{character}`"


def separators(situation: Situation) -> Iterator[Repair]:
    """A comma that is missing, is a semicolon, or has nothing before it."""
    line, column = situation.found
    if "node content" in situation.problem and situation.lines[line][column : column + 1] == ",":
        edit = Edit(line, column, column + 1, "")
        yield Repair(
            "there is nothing between this comma and what is before it", "remove it", (edit,)
        )
        return
    if "or '}'" not in situation.problem and "or ']'" not in situation.problem:
        return
    text = situation.lines[line] if line < len(situation.lines) else ""
    if (semicolon := text.rfind(";", 0, column)) >= 0:
        edit = Edit(line, semicolon, semicolon + 1, ",")
        yield Repair("`;` does not separate items", "write `,`", (edit,))
    yield from _missing_comma(situation, line, column)


def _missing_comma(situation: Situation, line: int, column: int) -> Iterator[Repair]:
    text = situation.lines[line]
    before = text[:column]
    if not before.strip():  # the comma belongs to the end of the line above
        above = [number for number in situation.near if number < line]
        if above:
            end = situation.entry(above[0]).end
            yield Repair("a comma is missing here", "add `,`", (Edit(above[0], end, end, ","),))
        return
    word = re.search(r"""[ \]}]+((?:[\w.-]+|"[^"]*"|'[^']*'))$""", before)
    if text[column : column + 1] == ":" and word:
        message = f"a comma is missing before `{word[1]}`"
        at = word.start()
        while text[at] in "]}":
            at += 1
        is_key = word[1] in situation.names or word[1][0].isalpha() or word[1][0] in "'\""
        if is_key:
            yield Repair(message, "add `,` here", (Edit(line, at, at, ","),))
    elif text[column : column + 1]:
        at = len(before.rstrip())
        message = "a comma is missing between these items"
        yield Repair(message, "add `,` here", (Edit(line, at, at, ","),))


def closing(situation: Situation) -> Iterator[Repair]:
    """A bracket that is not closed, closed by another one, or closed twice."""
    for entry in situation.entries():
        text = situation.lines[entry.line]
        flow = flow_line(text, entry.start)
        if flow.extra and flow.open:
            at = flow.extra[0]
            opener, start = flow.open[-1]
            wanted = _CLOSERS[opener]
            message = f"`{text[at]}` does not close the `{opener}` in column {start + 1}"
            yield Repair(message, f"write `{wanted}`", (Edit(entry.line, at, at + 1, wanted),))
        if flow.extra:
            at = flow.extra[0]
            message = f"this `{text[at]}` closes nothing"
            yield Repair(message, "remove it", (Edit(entry.line, at, at + 1, ""),))
        if flow.open:
            yield from _close_line(entry.line, text, flow)
    yield from _close_lines(situation)


def _close_lines(situation: Situation) -> Iterator[Repair]:
    """Close a bracket of an earlier line at the end of the lines above the problem."""
    row, column = situation.opened
    opener = situation.lines[row][column : column + 1]
    if opener not in _CLOSERS or row >= situation.found[0]:
        return
    for number in situation.near:
        if row < number < situation.found[0]:
            end = len(situation.lines[number].rstrip().rstrip(","))
            closer = _CLOSERS[opener]
            message = f"this `{opener}` is never closed"
            remedy = (
                f"add `{closer}` at the end of line {situation.shown(number)}, or where it belongs"
            )
            yield Repair(message, remedy, (Edit(number, end, end, closer),), (row, column, 1))


def _close_line(line: int, text: str, flow: FlowLine) -> Iterator[Repair]:
    """Close all that is open at the end of a line."""
    end = len(text.rstrip().rstrip(",").rstrip())
    opener, start = flow.open[0]
    closers = "".join(_CLOSERS[opener] for opener, _ in reversed(flow.open))
    fixed = f"{text[start:end]}{closers}"
    opener, _ = flow.open[-1]
    edit = Edit(line, start, len(text.rstrip()), fixed)
    yield Repair(f"this `{opener}` is never closed", f"write `{fixed}`", (edit,))
