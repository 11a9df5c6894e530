"""How many columns of a terminal a text takes: none for an accent, two for a Chinese character."""

from __future__ import annotations


def columns_of(text: str) -> int:
    """The columns that a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # a tenth of the time that most commands take to start

    return cell_len(text)


def padded(text: str, columns: int) -> str:
    """The text, with spaces up to so many columns."""
    return text + " " * (columns - columns_of(text))


def beginning(text: str, columns: int) -> str:
    """As much of the beginning of a text as fits into so many columns."""
    if text.isascii():
        return text[: max(0, columns)]
    taken = 0
    for position, character in enumerate(text):
        taken += columns_of(character)
        if taken > columns:
            return text[:position]
    return text


def ending(text: str, columns: int) -> str:
    """As much of the end of a text as fits into so many columns."""
    return beginning(text[::-1], columns)[::-1]
