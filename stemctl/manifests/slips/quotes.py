"""Slips with quotes, and text that has to be quoted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stemctl.manifests.slips.brackets import flow_line
from stemctl.manifests.slips.situation import (
    Edit,
    Entry,
    Repair,
    Situation,
    plain_or_quoted,
    spaces_before,
)
from stemctl.util.late_pattern import late_pattern

_CURLY = "“”„‟«»‘’‚‛"
_CLOSED = late_pattern(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""")
_WORD_BEFORE_COLON = late_pattern(r"([A-Za-z_]\w*):(?: |$)")


def escapes(situation: Situation) -> Iterator[Repair]:
    r"""`"C:\data"`: a backslash in double quotes begins an escape sequence."""
    if "Unicode" in situation.problem:  # an escape sequence was meant
        return
    for entry in situation.entries():
        text = situation.lines[entry.line]
        for start, end in _values(text, entry):
            value = text[start:end]
            if value[:1] == '"' and "\\" in value and value[-1] == '"' and len(value) > 1:
                fixed = "'{}'".format(value[1:-1].replace("'", "''"))
                fixed = fixed.replace("\\\\", "\\")
                message = "`\\` begins an escape sequence in double quotes"
                yield Repair(message, f"write `{fixed}`", (Edit(entry.line, start, end, fixed),))


def curly(situation: Situation) -> Iterator[Repair]:
    """“Day 1: maze”: quotes of a word processor are part of the text."""
    for entry in situation.entries():
        text = situation.lines[entry.line]
        for start, end in _values(text, entry):
            value = text[start:end]
            if len(value) > 1 and (value[0] in _CURLY or value[-1] in _CURLY):
                bad = value[0] if value[0] in _CURLY else value[-1]
                fixed = plain_or_quoted(value.strip(f"{_CURLY}\"'"))
                message = f"`{bad}` is not a quote in YAML"
                yield Repair(message, f"write `{fixed}`", (Edit(entry.line, start, end, fixed),))


def after_closing(situation: Situation) -> Iterator[Repair]:
    """Something follows a closing quote or bracket: a comma, a semicolon, more text or a key."""
    for entry in situation.entries():
        value = entry.value
        end = _end_of_first(value)
        if not end:
            continue
        line, at, rest = entry.line, entry.start + end, value[end:].strip()
        if rest in (",", ";"):
            at = situation.lines[line].index(rest, at)
            message = f"there must be no `{rest}` at the end of this line"
            yield Repair(message, f"remove the `{rest}`", _without_marks(situation, line, at))
        elif rest == ":" or (rest and value[end - 2 : end - 1] == ":" and value[0] in "'\""):
            inner = value[1 : end - 1].rstrip(":").rstrip()
            fixed = f"{value[0]}{inner}{value[0]}:"
            edit = Edit(line, entry.start, at, fixed)
            yield Repair("the colon must be after the quotes", f"write `{fixed}`", (edit,))


def _without_marks(situation: Situation, line: int, at: int) -> tuple[Edit, ...]:
    """Remove the mark at the end of this line and of those below, until one has none."""
    edits = [Edit(line, at, at + 1, "")]
    mark = situation.lines[line][at]
    below = situation.next_content(line)
    while below < len(situation.lines) and situation.entry(below).value.endswith(mark):
        end = situation.entry(below).end
        edits.append(Edit(below, end - 1, end, ""))
        below = situation.next_content(below)
    return tuple(edits)


def _end_of_first(value: str) -> int:
    """Where the quoted text or the brackets end that a value begins with; 0 if they do not."""
    if value[:1] in ("'", '"'):
        match = _CLOSED.match(value)
        return match.end() if match else 0
    if value[:1] in ("[", "{"):
        for end in range(2, len(value) + 1):
            flow = flow_line(value[:end])
            if not flow.open:
                return end
    return 0


def two_keys(situation: Situation) -> Iterator[Repair]:
    """`name: rat1 tags: [a]`: the second key needs a line of its own."""
    for entry in situation.entries():
        for match in _WORD_BEFORE_COLON.finditer(entry.value):
            before = entry.value[: match.start()].rstrip()
            ends = before.endswith(("]", "}", '"', "'", ","))
            if not entry.key or not (match[1] in situation.names or ends):
                continue
            if flow_line(before).open or (before[:1] in ("'", '"') and not _CLOSED.match(before)):
                continue
            kept = before.rstrip(",;").rstrip()
            start, end = entry.start + len(kept), entry.start + match.start()
            message = f"`{match[1]}` must begin on its own line"
            instead = f", without the `{before[-1]}`" if kept != before else ""
            remedy = f"begin a new line before `{match[1]}:`{instead}"
            place = (entry.line, end, len(match[1]))
            for column in _columns_below(situation, entry):
                edit = Edit(entry.line, start, end, "\n" + " " * column)
                yield Repair(message, remedy, (edit,), place)


def _columns_below(situation: Situation, entry: Entry) -> Iterator[int]:
    """Where a new line may begin: below the key, or as the next line does."""
    yield entry.begin
    below = situation.next_content(entry.line)
    if below < len(situation.lines):
        yield spaces_before(situation.lines[below])


def stray_marks(situation: Situation) -> Iterator[Repair]:
    """`sessions: =` or `sessions:,`, with the list of sessions below it."""
    for number in situation.near:
        text = situation.lines[number].rstrip()
        match = re.match(r"\s*(?:- +)*([A-Za-z_]\w*):( *[^\w\s|>\[{#]{1,3})$", text)
        if match:
            edit = Edit(number, match.start(2), match.end(2), "")
            message = f"`{match[1]}` has a value here, and more on the lines below"
            yield Repair(message, f"remove `{match[2].strip()}`", (edit,))


def closing(situation: Situation) -> Iterator[Repair]:
    """A quote that is not closed, or that another quote closes."""
    for entry in situation.entries():
        text = situation.lines[entry.line]
        for start, end in _values(text, entry):
            value = text[start:end]
            quote = value[:1]
            if quote not in ("'", '"') or _CLOSED.fullmatch(value):
                continue
            if value.count(quote) > 1 and not value.endswith(("'", '"')):
                continue
            inner = value[1:]
            if len(inner) > 1 and inner[-1] in f"'\"{_CURLY}":
                inner = inner[:-1]
            fixed = f"{quote}{inner}{quote}"
            if _CLOSED.fullmatch(fixed):
                edit = Edit(entry.line, start, end, fixed)
                yield Repair("this quote is never closed", f"write `{fixed}`", (edit,))


def inside(situation: Situation) -> Iterator[Repair]:
    """A quote inside of quotes, or quotes around a part of the text."""
    for entry in situation.entries():
        text = situation.lines[entry.line]
        for start, end in _values(text, entry):
            value = text[start:end]
            quote = value[:1]
            if quote not in ("'", '"') or value.count(quote) < 2 or _CLOSED.fullmatch(value):
                continue
            whole = value[-1] == quote and value.count(quote) > 2
            inner = value[1:-1] if whole else value
            message = f"the text goes on after its closing `{quote}`"
            fixed = plain_or_quoted(inner)
            edit = Edit(entry.line, start, end, fixed)
            yield Repair(message, f"write `{fixed}`", (edit,))


_SPECIAL = {
    "@": "`@`",
    "`": "a backtick",
    "%": "`%`",
    "*": "`*`",
    "&": "`&`",
    "!": "`!`",
    "|": "`|`",
    ">": "`>`",
    "-": "`- `",
    "?": "`?`",
    "[": "`[`",
    "{": "`{`",
    ":": "`:`",
    ",": "`,`",
    "#": "`#`",
}


def must_be_quoted(situation: Situation) -> Iterator[Repair]:
    """Text that begins with a mark of YAML, or contains `: `."""
    for entry in situation.entries():
        value = entry.value
        if not value or value[0] in "'\"":
            continue
        has_colon = ": " in value or value.endswith(":")
        if value[0] in _SPECIAL:
            message = f"unquoted text cannot begin with {_SPECIAL[value[0]]}"
        elif has_colon and entry.key:
            message = "text that contains `: ` must be quoted"
            if ": " not in value:
                message = "text that ends with `:` must be quoted"
        else:
            continue
        fixed = plain_or_quoted(value)
        if value.startswith("& ") and not entry.key:
            below = situation.next_content(entry.line)
            if below < len(situation.lines) and situation.entry(below).key:
                message, fixed = "the name of an anchor must follow `&`", f"&{value[1:].strip()}"
        edit = Edit(entry.line, entry.start, entry.end, fixed)
        yield Repair(message, f"write `{fixed}`", (edit,))


def _values(text: str, entry: Entry) -> Iterator[tuple[int, int]]:
    """The value of a line, or the items in its brackets."""
    if entry.value[:1] in ("[", "{"):
        yield from flow_line(text, entry.start).items
    elif entry.value:
        yield entry.start, entry.end
