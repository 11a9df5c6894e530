"""How many columns of a terminal a text takes: none for an accent, two for a Chinese character."""

from __future__ import annotations

from stemctl.util.late_pattern import late_pattern

_WORD = late_pattern(r" *[^ ]+")


def _is_plain(text: str) -> bool:
    """Whether each character takes a column, which `…` does: we write it ourselves."""
    return text.isascii() or text.replace("…", ".").isascii()


def columns_of(text: str) -> int:
    """The columns that a text takes."""
    if _is_plain(text):
        return len(text)
    from rich.cells import cell_len  # a tenth of the time that most commands take to start

    return cell_len(text)


def padded(text: str, columns: int) -> str:
    """The text, with spaces up to so many columns."""
    return text + " " * (columns - columns_of(text))


def beginning(text: str, columns: int) -> str:
    """As much of the beginning of a text as fits into so many columns."""
    if _is_plain(text):
        return text[: max(0, columns)]
    from rich.cells import cell_len  # once, not for each character

    taken = 0
    for position, character in enumerate(text):
        taken += 1 if character.isascii() else cell_len(character)
        if taken > columns:
            return text[:position]
    return text


def ending(text: str, columns: int) -> str:
    """As much of the end of a text as fits into so many columns."""
    return beginning(text[::-1], columns)[::-1]


def shortened(text: str, columns: int) -> str:
    """The text in so many columns, with `…` where it was cut."""
    if columns_of(text) <= columns:
        return text
    return beginning(text, columns - 1).rstrip() + "…"


_LONGEST_WORD = 500


def broken(text: str, columns: int) -> list[str]:
    """The text in lines of so many columns, broken between words.

    Words that are longer stay whole, since a name, a path or a URL is copied from the screen. Only
    those of wide characters are broken, as Chinese and Japanese are written without spaces, and
    those of more than 500 columns.
    """
    lines: list[str] = []
    line = ""
    for word in _WORD.findall(text):
        if not line or columns_of(line) + columns_of(word) <= columns:
            line += word
        else:
            lines.append(line)
            line = word.lstrip(" ")
        if columns > 1 and " " not in line:
            *full, line = _cut(line, columns)
            lines += full
    return [*lines, line]


def _cut(word: str, columns: int) -> list[str]:
    """A word in pieces of so many columns, if it takes more than it may."""
    pieces: list[str] = []
    while True:
        # Only as much as fits is measured, since the rest of a long word would be again and again.
        fits = beginning(word, _room(word, columns))
        if len(fits) == len(word):
            return [*pieces, word]
        pieces.append(word[:columns] if word.isascii() else fits)
        word = word[len(pieces[-1]) :]


def _room(word: str, columns: int) -> int:
    """The columns that a word may take."""
    return max(columns, _LONGEST_WORD) if word.isascii() else columns
