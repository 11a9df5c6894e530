"""What is wrong with a sheet: each problem with its row, its column and its remedy."""

from __future__ import annotations


class CellError(ValueError):
    """A cell that cannot be read: `is not a number`, and what to write."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
