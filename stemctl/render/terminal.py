"""How a screen looks: width, colours, and the lines and columns that every screen is made of."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from stemctl.errors import Hint
from stemctl.util.safe_text import cut, harmless

_CODES = {"green": "32", "yellow": "33", "blue": "34", "red": "31", "dim": "2", "bold": "1"}
_PLAIN = str.maketrans({"→": "->", "…": "...", "━": "#", "─": "-"})

MARGINS = {
    "+": "green",
    "~": "yellow",
    "…": "yellow",
    "=": "blue",
    ".": "blue",
    "-": "red",
    "!": "red",
}
"""The symbols of the margin and their colours."""


_LONGEST_NAME = 60
"""Characters that a name may push the text beside it to the right."""

LONGEST_CELL = 160
"""Characters of a name on the screen. Sound ones are shorter; others must not push everything else
out of sight.
"""

LONGEST_LAST = 300
"""The same for the last cell of a row, which pushes nothing."""

LONGEST_LINE = 500
"""The same for a sentence of its own."""


@dataclass(frozen=True, slots=True)
class TerminalStyle:
    """What the terminal can show, and how this run is called.

    `program` is how stemctl was started (`stemctl -C lab`), so that a proposed command can be typed
    as it stands. `options` are those of plan and apply that belong to a command which goes on from
    here (` --allow delete=3`). `folder` is that of -C, as a shell takes it. `nouns` maps a model to
    its words, singular and plural.
    """

    width: int = 100
    colour: bool = False
    unicode: bool = True
    verbose: int = 0
    program: str = "stemctl"
    folder: str = ""
    options: str = ""
    nouns: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def paint(self, style: str, text: str) -> str:
        """The text in a colour or weight, if there are any."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.colour and text else text

    def finish(self, lines: Iterable[str]) -> str:
        """The lines as one text, in characters that the terminal has."""
        text = "\n".join(lines) + "\n"
        if self.unicode:
            return text
        return "\n".join(_ascii_margin(line).translate(_PLAIN) for line in text.split("\n"))

    def cell(self, text: str) -> str:
        """Text that stays in its line and obeys nobody: but for our own colours, every control
        character is shown.
        """
        return harmless(text, self.colour, lines=False)

    def headline(self, symbol: str, title: str, right: str) -> list[str]:
        """A record's line: symbol and address, with `right` at the right edge, on its own line if need be."""
        title, right = cut(self.cell(title), LONGEST_CELL), cut(self.cell(right), LONGEST_CELL)
        margin = self.paint(MARGINS[symbol], symbol)
        left = f"  {margin} {self.paint('bold', title)}"
        space = self.width - 4 - len(title) - len(right)
        if not right:
            return [left]
        if space >= 2:
            return [left + " " * space + self.paint("dim", right)]
        return [left, " " * max(4, self.width - len(right)) + self.paint("dim", right)]

    def sentences(self, texts: Sequence[str]) -> list[str]:
        """Sentences below each other, after an empty line, broken where they do not fit."""
        lines = [
            part
            for text in texts
            for part in textwrap.wrap(text, self.width, break_on_hyphens=False)
        ]
        return ["", *lines] if lines else []

    def columns(self, rows: Sequence[tuple[str, ...]], indent: int = 6, gap: int = 4) -> list[str]:
        """Rows of two or more cells, every cell but the last padded to its column."""
        if not rows:
            return []
        rows = [
            (
                *(cut(self.cell(text), LONGEST_CELL) for text in row[:-1]),
                cut(self.cell(row[-1]), LONGEST_LAST),
            )
            for row in rows
        ]
        widths = [max(len(row[i]) for row in rows) + gap for i in range(len(rows[0]) - 1)]
        return [
            " " * indent + "".join(c.ljust(w) for c, w in zip(row, widths, strict=False)) + row[-1]
            for row in rows
        ]

    def wrapped(self, rows: Sequence[tuple[str, str]], indent: int = 6) -> list[str]:
        """Two columns, of which the second is broken where it does not fit the width, at words if
        it has any.
        """
        rows = [(cut(self.cell(name), LONGEST_CELL), self.cell(text)) for name, text in rows]
        column = (
            indent
            + max((len(name) for name, _ in rows if len(name) <= _LONGEST_NAME), default=0)
            + 4
        )
        lines: list[str] = []
        for name, text in rows:
            if len(name) > _LONGEST_NAME:
                lines.append(" " * indent + name)
                name = ""
            room = max(30, self.width - column)
            parts = (
                [text] if len(text) <= room else textwrap.wrap(text, room, break_on_hyphens=False)
            )
            lines.append((" " * indent + name).ljust(column) + (parts[0] if parts else ""))
            lines += [" " * column + part for part in parts[1:]]
        return [line.rstrip() for line in lines]

    def count(self, model: str, number: int) -> str:
        """`14 sessions`."""
        one, many = self.nouns.get(model, (model, model))
        return f"{number:,} {one if number == 1 else many}"

    def next(self, hints: Sequence[Hint]) -> list[str]:
        """What to type next: each command as it stands, and what it does."""
        if not hints:
            return []
        hints = [(self.cell(command), self.cell(what)) for command, what in hints]
        commands = [self.command(command) for command, _ in hints]
        width = max(map(len, commands)) + 4
        rows = [
            self.paint("bold", command) + " " * (width - len(command)) + what
            for command, (_, what) in zip(commands, hints, strict=True)
        ]
        return [
            "",
            *(f"{'Next' if i == 0 else '    '}  {row}".rstrip() for i, row in enumerate(rows)),
        ]

    def command(self, text: str) -> str:
        """A command with the options that this run was started with; git's with its folder."""
        if text.startswith("git ") and "--global" not in text and self.folder:
            return f"git -C {self.folder} {text.removeprefix('git ').replace('&& git ', f'&& git -C {self.folder} ')}"
        return self.program + text[len("stemctl") :] if text.startswith("stemctl") else text


def _ascii_margin(line: str) -> str:
    return "  :" + line[3:] if line.startswith("  …") else line
