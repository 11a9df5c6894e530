"""What would change in files, as git and patch read it."""

from __future__ import annotations

import difflib

from stemctl.render.terminal import TerminalStyle

_STYLES = {"+": "green", "-": "red", "@": "blue"}
_UNENDED = "\n\\ No newline at end of file\n"


def unified_diff(file: str, old: str | None, new: str, style: TerminalStyle) -> str:
    """The difference of one file. `old` is None for a file that is new."""
    name = "/dev/null" if old is None else f"a/{file}"
    lines = difflib.unified_diff(_lines(old or ""), _lines(new), name, f"b/{file}")
    return "".join(_painted(line, number < 2, style) for number, line in enumerate(lines))


def _lines(text: str) -> list[str]:
    """Lines with their ends; where the last one has none, with what says so."""
    *lines, last = text.split("\n")
    return [f"{line}\n" for line in lines] + ([f"{last}{_UNENDED}"] if last else [])


def _painted(line: str, is_header: bool, style: TerminalStyle) -> str:
    colour = "bold" if is_header else _STYLES.get(line[0])
    text, end, rest = line.partition("\n")
    if colour:
        text = style.paint(colour, text)
    return text + end + rest
