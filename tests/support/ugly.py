"""YAML as people and programs write it: any indentation, comments everywhere, every way of writing
a value.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import strategies as st

_WORDS = st.sampled_from(
    [
        "a",
        "maze",
        "rat 12",
        "it's",
        "x#y",
        "Zürich 🐀",
        "http://a.b/c?d",
        "a - b",
        "012",
        "-1",
        "k:v",
    ]
)
_BLANKS = st.sampled_from(["", " ", "   "])
_GAP = st.sampled_from([" ", "   ", "      "])
_ANCHORS = st.sampled_from(["", "", "", "&here ", "!!str "])


class Ugly(NamedTuple):
    """The content of a file, and its comments in the order of the lines."""

    data: bytes
    comments: list[str]


class Writer:
    """Writes values with choices that `draw` makes, with literal and folded texts among them or
    without.
    """

    def __init__(self, draw: Any, texts: bool) -> None:
        self.draw = draw
        self.texts = texts
        self.made: list[str] = []

    def comment(self) -> str:
        number = f"<{len(self.made)}>"  # so that each is found again
        self.made.append(self.draw(st.sampled_from(["#", "# "])) + f"{number} {self.draw(_WORDS)}")
        return self.made[-1]

    def line_end(self) -> str:
        """What may stand behind the content of a line."""
        if self.draw(st.integers(0, 3)) == 0:
            return self.draw(_GAP) + self.comment()
        return self.draw(_BLANKS)

    def between(self) -> list[str]:
        """Empty lines and comments of their own, in any column."""
        kinds = self.draw(st.lists(st.sampled_from(["empty", "comment"]), max_size=2))
        return [
            " " * self.draw(st.integers(0, 9)) + (self.comment() if kind == "comment" else "")
            for kind in kinds
        ]

    def scalar(self, indent: int, flow: bool = False) -> str:
        """A scalar in any style, which may go on in further lines."""
        word = self.draw(_WORDS)
        further = f"\n{' ' * (indent + 1)}" if self.draw(st.integers(0, 5)) == 0 else " "
        empty = "\n" if further != " " and self.draw(st.booleans()) else ""
        match self.draw(st.sampled_from(["plain", "single", "double"])):
            case "single":
                return "'" + word.replace("'", "''") + empty + further + "end'"
            case "double":
                escape = self.draw(st.sampled_from(["", "\\", "\\ ", "  "]))
                return f'"{word}{escape}{empty}{further}end"'
            case _:
                return word.replace("#", "") if flow else f"{word}{empty}{further}end"

    def flow(self, indent: int, depth: int) -> str:
        """A collection in brackets, on one line or several."""
        is_list = self.draw(st.booleans())
        items = []
        for number in range(self.draw(st.integers(0, 3))):
            nested = depth > 0 and self.draw(st.integers(0, 2)) == 0
            value = self.flow(indent, depth - 1) if nested else self.scalar(indent, flow=True)
            colon = self.draw(st.sampled_from([": ", " : ", ":  "]))
            items.append(value if is_list else f"k{number}{colon}{value}")
        parts = ["[" if is_list else "{"]
        for number, item in enumerate(items):
            parts += [
                self.flow_break(indent),
                item,
                self.flow_break(indent),
                "," if number + 1 < len(items) or self.draw(st.integers(0, 4)) == 0 else "",
            ]
        return "".join([*parts, self.flow_break(indent), "]" if is_list else "}"])

    def flow_break(self, indent: int) -> str:
        if self.draw(st.integers(0, 4)):
            return self.draw(_BLANKS)
        lines = [self.line_end(), *self.between(), " " * (indent + self.draw(st.integers(1, 5)))]
        return "\n".join(lines)

    def block_text(self, parent: int) -> list[str]:
        """A literal or folded text below a collection at column `parent`."""
        deeper = self.draw(st.integers(1, 5))
        margin = " " * (max(parent, 0) + deeper)
        lines = self.draw(
            st.lists(
                st.sampled_from(["text ", "  more", "", "# none", "\tx", "    ", "- a: b"]),
                max_size=4,
            )
        )
        is_told = (
            self.draw(st.booleans())
            or not lines
            or not lines[0].strip(" ")
            or lines[0].startswith(" ")
        )
        how = [str(deeper) if is_told else "", self.draw(st.sampled_from(["", "-", "+"]))]
        if self.draw(st.booleans()):
            how.reverse()
        header = self.draw(st.sampled_from("|>")) + "".join(how) + self.line_end()
        return [header, *(margin + line if line else "" for line in lines)]

    def value(self, parent: int, depth: int) -> tuple[str, list[str]]:
        """What follows a key or dash: the rest of its line, and further lines."""
        anchor = self.draw(_ANCHORS)
        kinds = [
            "scalar",
            "scalar",
            "blank",
            *(["text"] if self.texts else []),
            *(["flow", "map", "list"] if depth else []),
        ]
        kind = self.draw(st.sampled_from(kinds))
        if kind == "blank":
            return self.line_end(), []
        if kind == "text":
            header, *lines = self.block_text(parent)
            return anchor + header, lines
        if kind in ("scalar", "flow"):
            text = self.scalar(parent + 1) if kind == "scalar" else self.flow(parent + 1, 2)
            anchor = "" if anchor.startswith("!") and kind == "flow" else anchor
            if self.draw(st.integers(0, 5)) == 0:
                return self.line_end(), [
                    *self.between(),
                    " " * (parent + 3) + anchor + text + self.line_end(),
                ]
            return anchor + text + self.line_end(), []
        anchor = "" if anchor.startswith("!") else anchor
        column = parent + self.draw(st.integers(1, 4))
        return anchor + self.line_end(), [
            *self.between(),
            *self.block(column, depth - 1, kind == "list"),
        ]

    def block(self, column: int, depth: int, is_list: bool) -> list[str]:
        """A block collection at a column; a list may start at the column of its key."""
        lines: list[str] = []
        for number in range(self.draw(st.integers(1, 3))):
            lines += self.list_item(column, depth) if is_list else self.entry(column, depth, number)
            lines += self.between()
        return lines

    def entry(self, column: int, depth: int, number: int) -> list[str]:
        if depth and self.draw(st.integers(0, 3)) == 0:
            head = f"{' ' * column}k{number}:{self.line_end()}"
            return [head, *self.between(), *self.block(column, depth - 1, is_list=True)]
        rest, further = self.value(column, depth)
        key = self.draw(
            st.sampled_from(["k{}", "'k{}'", '"k{}" ', "? k{}\n" + " " * column])
        ).format(number)
        return [f"{' ' * column}{key}:{self.draw(_GAP)}{rest}", *further]

    def list_item(self, column: int, depth: int) -> list[str]:
        gap = self.draw(st.integers(1, 3))
        if depth and self.draw(st.booleans()):
            inner = column + 1 + gap
            first, *further = self.block(inner, depth - 1, self.draw(st.booleans()))
            return [" " * column + "-" + " " * gap + first[inner:], *further]
        rest, further = self.value(column, depth)
        return [f"{' ' * column}-{' ' * gap}{rest}", *further]


@st.composite
def ugly(draw: Any, texts: bool = True) -> Ugly:
    """A file, or nearly one: what does not parse is for the caller to leave out."""
    writer = Writer(draw, texts)
    start = draw(st.sampled_from(["", "", "\ufeff", "---\n", "---  \n"]))
    lines = [
        *writer.between(),
        *writer.block(draw(st.sampled_from([0, 0, 2])), 4, is_list=draw(st.integers(0, 4)) == 0),
    ]
    text = start + "\n".join(lines) + draw(st.sampled_from(["\n", "", "\n\n\n", "\n  ", "\n...\n"]))
    text = text.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n", "\r"])))
    comments = sorted((comment for comment in writer.made if comment in text), key=text.index)
    return Ugly(text.encode(), comments)
