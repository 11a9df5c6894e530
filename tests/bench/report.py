"""Figures as a table that reads in a terminal and in Markdown alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.bench.measure import Figure
from tests.bench.served import Asked


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be reached: `value` at least, or at most where `at_most`."""

    value: float
    got: float
    words: str
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.got <= self.value if self.at_most else self.got >= self.value

    @property
    def shown(self) -> str:
        """What was reached."""
        return f"{self.got:,.0f}" if self.got >= 100 else f"{self.got:.2f}"


@dataclass(frozen=True, slots=True)
class Row:
    """One piece of work: what stemctl needs, what another program needs, and what nobody can do
    without.

    `limits` are seconds, each with a name. `asked` is what the server counted in one run. `records`
    is given for work that is measured at several sizes: rows of the same `work` with different
    numbers of them are one growth. `smaller` is the size before, measured in turn with this one.
    """

    work: str
    ours: Figure
    beside: str = ""
    other: Figure | None = None
    limits: Sequence[tuple[str, float]] = ()
    asked: Asked | None = None
    goals: Sequence[Goal] = ()
    records: int | None = None
    smaller: tuple[int, Figure] | None = None

    @property
    def ratio(self) -> float | None:
        """How many times faster than the other."""
        return self.other.wall / self.ours.wall if self.other else None


def table(rows: Sequence[Row]) -> str:
    """All rows."""
    head = [
        "work",
        "stemctl",
        "beside",
        "",
        "faster",
        "cannot be faster than",
        "peak",
        "beside",
        "requests",
        "at once",
    ]
    return _aligned([head, *(_cells(row) for row in rows)])


def _cells(row: Row) -> list[str]:
    return [
        _work(row),
        _time(row.ours),
        row.beside,
        _time(row.other) if row.other else "",
        f"{row.ratio:.1f} ×" if row.ratio else "",
        ", ".join(f"{seconds(value)} {name}" for name, value in row.limits),
        _peak(row.ours),
        _peak(row.other) if row.other else "",
        f"{row.asked.requests:,}" if row.asked else "",
        str(row.asked.at_once) if row.asked else "",
    ]


def _work(row: Row) -> str:
    return row.work if row.records is None else f"{row.work}, {row.records:,}"


def line(row: Row) -> str:
    """A row as it is told while the next one is measured."""
    return ", ".join(cell for cell in _cells(row) if cell)


def goals(rows: Sequence[Row]) -> str:
    """What was to be reached, and by how much it was."""
    found = [(row, goal) for row in rows for goal in row.goals]
    head = ["work", "goal", "measured", "met"]
    return _aligned(
        [
            head,
            *(
                [_work(row), goal.words, goal.shown, "yes" if goal.met else "no"]
                for row, goal in found
            ),
        ]
    )


GROWTH = 1.1
"""The most by which the time for one record may grow, from the fewest to the most records."""

MEMORY = {"validate": 450, "plan": 450, "apply": 500}
"""MB at the peak with 100,000 records, by the first word of the work."""


def with_growth(rows: Sequence[Row]) -> list[Row]:
    """The rows, those of the largest size with goals for the time per record and the memory.

    Where the size before was measured in turn with the largest one, the time is also told without
    that of one record: else starting up makes few records look slow, and growth small.
    """
    found = []
    for row in rows:
        alike = {
            other.records: other.ours.wall
            for other in rows
            if other.work == row.work and other.records
        }
        sizes = sorted(alike)
        if len(sizes) > 2 and row.records == sizes[-1]:
            row = replace(row, goals=[*row.goals, *_growth(row, alike, sizes), *_memory(row)])
        found.append(row)
    return found


def _growth(row: Row, walls: Mapping[int, float], sizes: Sequence[int]) -> Iterator[Goal]:
    one, few, most = sizes[0], sizes[1], sizes[-1]
    grown = (walls[most] / most) / (walls[few] / few)
    yield Goal(
        GROWTH, grown, f"time for a record, against {few:,}: at most {GROWTH} ×", at_most=True
    )
    if row.smaller is not None:
        before, figure = row.smaller
        grown = ((walls[most] - walls[one]) / most) / ((figure.wall - walls[one]) / before)
        yield Goal(GROWTH, grown, f"the same without starting up, against {before:,}", at_most=True)


def _memory(row: Row) -> Iterator[Goal]:
    most = MEMORY.get(row.work.replace(",", " ").split()[0])
    if most and row.records and row.records >= 100_000:
        words = f"MB at the peak: below {most}"
        yield Goal(most, row.ours.peak / 1e6, words, at_most=True)


def _aligned(cells: Sequence[Sequence[str]]) -> str:
    """Cells as a Markdown table whose columns stand below each other."""
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _peak(figure: Figure) -> str:
    return f"{figure.peak / 1e6:,.0f} MB"


def _time(figure: Figure) -> str:
    return seconds(figure.wall)


def seconds(value: float) -> str:
    """A time in the unit that reads best."""
    return f"{value * 1000:,.0f} ms" if value < 1 else f"{value:,.1f} s"
