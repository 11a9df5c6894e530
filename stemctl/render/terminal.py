"""How a screen looks: width, colours, and the lines and columns that every screen is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from stemctl.errors import Hint
from stemctl.render.model_words import NO_WORDS, ModelWords
from stemctl.render.width import broken, columns_of, padded
from stemctl.util.late_pattern import late_pattern
from stemctl.util.safe_text import cut, harmless

_CODES = {"green": "32", "yellow": "33", "blue": "34", "red": "31", "dim": "2", "bold": "1"}
_PLAIN = str.maketrans({"→": "->", "…": "...", "━": "#", "─": "-", "·": "_"})

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


_VARIABLE = late_pattern(r"[A-Z_]+=\S+ ")
"""A variable that is set for one command."""

_LONGEST_NAME = 60
"""Characters that a name may push the text beside it to the right."""

_SHORTEST = 30
"""Columns in which the meaning of a command is written beside it, rather than below."""

LONGEST_CELL = 160
"""Characters of a name on the screen. Real names are shorter; others must not push everything else
out of sight.
"""

LONGEST_LAST = 300
"""The same for the last cell of a row, which pushes nothing."""

LONGEST_LINE = 500
"""The same for a sentence of its own."""


class TerminalStyle(Struct, frozen=True):
    """What the terminal can show, and how this run is called.

    `program` is how stemctl was started (`stemctl -C lab`), so that a proposed command can be typed
    as it is. `options` are those of plan and apply that belong to a command which goes on from
    here (` --allow delete=3`). `folder` is that of -C, as a shell takes it.
    """

    width: int = 100
    colour: bool = False
    unicode: bool = True
    verbose: int = 0
    program: str = "stemctl"
    folder: str = ""
    options: str = ""
    words: ModelWords = NO_WORDS
    wraps: bool = False
    """Whether it is a terminal that would break long lines in the middle of words: stderr."""
    wraps_answer: bool = False
    """The same for stdout. In a pipe, a sentence stays in its line."""

    def paint(self, style: str, text: str) -> str:
        """The text in a colour or weight, if there are any."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.colour and text else text

    def finish(self, lines: Iterable[str]) -> str:
        """The lines as one text, in characters that the terminal can show."""
        text = "\n".join(lines) + "\n"
        if self.unicode:
            return text
        return "\n".join(_ascii_margin(line).translate(_PLAIN) for line in text.split("\n"))

    def cell(self, text: str) -> str:
        """Text that stays in its line, with every control character shown but stemctl's colours."""
        return harmless(text, self.colour, lines=False)

    def headline(self, symbol: str, title: str, right: str) -> list[str]:
        """A record's line: symbol and address, with `right` at the right edge, on a line of its own
        if it does not fit.
        """
        title, right = cut(self.cell(title), LONGEST_CELL), cut(self.cell(right), LONGEST_CELL)
        margin = self.paint(MARGINS[symbol], symbol)
        left = f"  {margin} {self.paint('bold', title)}"
        if not right:
            return [left]
        space = self.width - 4 - columns_of(title) - columns_of(right)
        if space >= 2:
            return [left + " " * space + self.paint("dim", right)]
        return [left, " " * max(4, self.width - columns_of(right)) + self.paint("dim", right)]

    def titled(self, title: str, right: str) -> list[str]:
        """A line about a record that has no symbol, with `right` at the right edge."""
        title, right = cut(self.cell(title), LONGEST_CELL), cut(self.cell(right), LONGEST_CELL)
        space = max(2, self.width - 2 - columns_of(title) - columns_of(right))
        return [f"  {self.paint('bold', title)}{' ' * space}{self.paint('dim', right)}".rstrip()]

    def sentences(self, texts: Sequence[str]) -> list[str]:
        """Sentences below each other, after an empty line, broken where they do not fit."""
        lines: list[str] = []
        for text in texts:
            lines += broken(text, self.width)
        return ["", *lines] if lines else []

    def prose(self, lines: Iterable[str], indent: int = 0) -> list[str]:
        """Lines of the answer that a terminal would break in the middle of words, broken between
        them; `indent` is that of the lines that follow.
        """
        if not self.wraps_answer:
            return list(lines)
        return [part for line in lines for part in self._parts(line, indent)]

    def broken_lines(self, text: str) -> str:
        """Every line of a text, broken between words where it does not fit; an indented line may be
        code that is copied, and stays whole.
        """
        lines: list[str] = []
        for line in text.split("\n"):
            lines += [line] if line.startswith("  ") else self._parts(line)
        return "\n".join(lines)

    def _parts(self, line: str, indent: int = 0) -> list[str]:
        if columns_of(line) <= self.width:
            return [line]
        first, *others = broken(line, self.width - indent)
        return [first, *(" " * indent + other for other in others)]

    def below(self, texts: Iterable[str], indent: int = 6) -> list[str]:
        """Sentences about a record, below its line, broken where they do not fit."""
        lines: list[str] = []
        for text in texts:
            text = cut(self.cell(text), LONGEST_LINE)
            room = max(30, self.width - indent)
            parts = [text] if len(text) <= room else broken(text, room)
            lines += [" " * indent + _not_a_command(part) for part in parts]
        return lines

    def columns(self, rows: Sequence[tuple[str, ...]], indent: int = 6, gap: int = 4) -> list[str]:
        """Rows of two or more cells, every cell but the last padded to its column."""
        if not rows:
            return []
        rows = [self._cells(row) for row in rows]
        widths = self._aligned(rows, indent, gap)
        lines = []
        for row in rows:
            cells = [
                padded(cell, max(width, columns_of(cell)) + gap)
                for cell, width in zip(row, widths, strict=False)
            ]
            lines.append((" " * indent + "".join(cells) + row[-1]).rstrip())
        return lines

    def _aligned(self, rows: Sequence[tuple[str, ...]], indent: int, gap: int) -> list[int]:
        """The widths of all columns but the last. If the lines get too long for the terminal, the
        longest cells stick out, and the rest is aligned.
        """
        sizes = [[columns_of(cell) for cell in row] for row in rows]
        room = self.width - indent - gap * (len(sizes[0]) - 1)
        columns = list(zip(*([size for size in sizes if sum(size) <= room] or sizes), strict=False))
        distinct = [sorted(set(column)) for column in columns[:-1]]
        room -= max(columns[-1])
        while sum(size[-1] for size in distinct) > room:
            widest = max(distinct, key=lambda size: size[-1] if len(size) > 1 else 0)
            if len(widest) == 1:
                break
            widest.pop()
        return [size[-1] for size in distinct]

    def _cells(self, row: tuple[str, ...]) -> tuple[str, ...]:
        cells = [cut(self.cell(text), LONGEST_CELL) for text in row[:-1]]
        return (*cells, cut(self.cell(row[-1]), LONGEST_LAST))

    def wrapped(self, rows: Sequence[tuple[str, str]], indent: int = 6) -> list[str]:
        """Two columns, of which the second is broken where it does not fit the width, at words if
        it has any.
        """
        cells = []
        longest, most = 0, min(_LONGEST_NAME, max(20, self.width - 40))
        for name, text in rows:
            name = cut(self.cell(name), LONGEST_CELL)
            width = columns_of(name)
            cells.append((name, width, self.cell(text)))
            if longest < width <= most:
                longest = width
        column = indent + longest + 4
        room = max(30, self.width - column)
        lines: list[str] = []
        for name, width, text in cells:
            if width > most:
                lines.append((" " * indent + name).rstrip())
                name, width = "", 0
            first, *others = [text] if columns_of(text) <= room else broken(text, room)
            lines.append(f"{' ' * indent}{name}{' ' * (column - indent - width)}{first}".rstrip())
            lines += [" " * column + _not_a_command(part) for part in others]
        return lines

    def next(self, hints: Sequence[Hint]) -> list[str]:
        """What to type next: each command as it can be typed, and what it does."""
        if not hints:
            return []
        rows = [(self.command(self.cell(command)), self.cell(what)) for command, what in hints]
        column = max(columns_of(command) for command, _ in rows) + 4
        lines = [""]
        for number, (command, what) in enumerate(rows):
            space = " " * (column - columns_of(command))
            start = "Next" if number == 0 else "    "
            first, margin = what, 0
            others: list[str] = []
            if self.wraps and 6 + column + columns_of(what) > self.width:
                beside = self.width - column - 6 >= _SHORTEST
                margin = 6 + (column if beside else 4)
                parts = broken(what, self.width - margin)
                first, others = (parts[0], parts[1:]) if beside else ("", parts)
            lines.append(f"{start}  {self.paint('bold', command)}{space}{first}".rstrip())
            lines += [" " * margin + other for other in others]
        return lines

    def command(self, text: str) -> str:
        """A command with the options that this run was started with; git's with its folder."""
        if text.startswith("git ") and "--global" not in text and self.folder:
            git = f"git -C {self.folder} "
            return git + text.removeprefix("git ").replace("&& git ", f"&& {git}")
        variable, found, rest = text.partition("stemctl")
        if found and (not variable or _VARIABLE.fullmatch(variable)):
            return f"{variable}{self.program}{rest}"
        return text


def _not_a_command(line: str) -> str:
    """A line that the log of a CI job does not take for a command of the job."""
    return f"\\x{ord(line[0]):02x}{line[1:]}" if line.startswith(("::", "##[")) else line


def _ascii_margin(line: str) -> str:
    return "  :" + line[3:] if line.startswith("  …") else line
