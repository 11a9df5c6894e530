"""Manifests as careful people write them, each in a style of its own, from a seed."""

from __future__ import annotations

import random
from typing import Any

from stemctl.manifests.formatter.layout import format_text
from stemctl.manifests.written import flow_text

WORDS = ["rat12", "open field", "maze", "it's new", "a: b", "no", "12", "x#y", "Zürich 🐀", "P1"]
DATES = ["2024-03-12", "2024-03-12T09:00:00Z", "2024-03-13T14:30:00+01:00"]
SECTIONS = ["subjects", "sessions", "projects"]
FIELDS = ["name", "description", "date_time", "sex", "weight", "tags", "projects", "extra_fields"]
CHILDREN = ["behaviors", "data_storage"]


class Style:
    """The habits of one author."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.loose = rng.random() < 0.25
        self.quote = rng.choice(["", "", "", "'", '"'])
        self.blank = rng.random() < 0.5
        self.flow_records = rng.random() < 0.2
        self.flow_lists = rng.random()
        self.comments = rng.choice([0, 0.1, 0.3])
        self.formatted = rng.random() < 0.5
        self.numbers = iter(range(10_000))

    def chance(self, of: float) -> bool:
        return self.rng.random() < of

    def comment(self) -> str:
        return f"# <{next(self.numbers)}> {self.rng.choice(WORDS)}"

    def behind(self) -> str:
        return f"  {self.comment()}" if self.chance(self.comments / 2) else ""

    def above(self, column: int) -> list[str]:
        if not self.chance(self.comments):
            return []
        lines = [" " * column + self.comment() for _ in range(self.rng.randint(1, 2))]
        return [*lines, ""] if self.chance(0.2) else lines

    def scalar(self, value: Any) -> str:
        if self.quote and isinstance(value, str) and "'" not in value:
            return f"{self.quote}{value}{self.quote}"
        return flow_text(value)


def value(rng: random.Random, depth: int = 2) -> Any:
    """A value of a field."""
    kinds = ["word", "word", "number", "date", "list", "text"]
    match rng.choice([*kinds, *(["map", "maps", "empty"] if depth else [])]):
        case "word":
            return rng.choice(WORDS)
        case "number":
            return rng.choice([1, 0.5, -3, True])
        case "date":
            return rng.choice(DATES)
        case "list":
            return rng.sample(WORDS, rng.randint(1, 4))
        case "text":
            return rng.choice(["one\n\ntwo: # no\n", "first\nsecond", "x " * 60])
        case "map":
            return {f"k{n}": value(rng, depth - 1) for n in range(rng.randint(1, 3))}
        case "maps":
            return [{"name": f"e{n}", "n": n} for n in range(rng.randint(1, 3))]
        case _:
            return rng.choice([[], {}, None, ""])


def record(rng: random.Random, number: int) -> dict[str, Any]:
    fields = {"name": f"{rng.choice(WORDS)} {number}"}
    for name in FIELDS[1:]:
        if rng.random() < 0.4:
            fields[name] = value(rng)
    return fields


def manifest(seed: int) -> str:
    """The text of a manifest."""
    rng = random.Random(seed)
    style = Style(rng)
    lines = [style.comment()] if style.chance(0.2) else []
    lines += [""] if lines and style.chance(0.7) else []
    if style.chance(0.2):
        lines += ["defaults:", *member(style, "sessions", {"tags": ["a", "b"], "sex": "M"}, 2)]
    for section in rng.sample(SECTIONS, rng.randint(1, 3)):
        lines += [""] if style.chance(0.5) and lines else []
        lines += [*style.above(0), *section_lines(style, section)]
    text = "\n".join(lines) + "\n"
    if style.formatted:
        text = format_text(text).text
    if style.chance(0.1):
        text = text.rstrip("\n")
    if style.chance(0.1):
        text = "---\n" + text
    if style.chance(0.1):
        text = text.replace("\n", "\r\n")
    return "\ufeff" + text if style.chance(0.05) else text


def section_lines(style: Style, section: str) -> list[str]:
    count = style.rng.choice([0, 1, 2, 3, 5])
    if not count:
        return [f"{section}: []"]
    column = 0 if style.loose else 2
    lines = [f"{section}:{style.behind()}"]
    for number in range(count):
        lines += [""] if number and style.blank else []
        lines += style.above(column)
        new = record(style.rng, number)
        if style.flow_records:
            lines.append(f"{' ' * column}- {flow_text(new)}{style.behind()}")
            continue
        if style.chance(0.3):
            new[style.rng.choice(CHILDREN)] = [record(style.rng, n) for n in range(2)]
        lines += item(style, new, column)
    return lines


def item(style: Style, fields: dict[str, Any], column: int) -> list[str]:
    lines: list[str] = []
    for name, part in fields.items():
        lines += member(style, name, part, column + 2)
    first = next(n for n, line in enumerate(lines) if line.strip() and line.strip()[0] != "#")
    lines[first] = f"{' ' * column}- {lines[first].lstrip()}"
    return lines


def member(style: Style, name: str, part: Any, column: int) -> list[str]:
    margin = " " * column
    head = f"{margin}{name}:"
    above = style.above(column) if name != "name" else []
    inner = column if style.loose else column + 2
    if isinstance(part, list) and part and isinstance(part[0], dict):
        lines = [line for one in part for line in item(style, one, inner)]
        return [*above, head + style.behind(), *lines]
    if isinstance(part, list) and part and not style.chance(style.flow_lists):
        if style.chance(0.3):
            rows = [f"{margin}    {style.scalar(one)},{style.behind()}" for one in part]
            return [*above, f"{head} [{style.behind()}", *rows, f"{margin}  ]{style.behind()}"]
        rows = [f"{' ' * inner}- {style.scalar(one)}{style.behind()}" for one in part]
        return [*above, head + style.behind(), *rows]
    if isinstance(part, dict) and part and style.chance(0.6):
        lines = [line for key, one in part.items() for line in member(style, key, one, column + 2)]
        return [*above, head + style.behind(), *lines]
    if isinstance(part, str) and part.endswith("\n") and "\n" in part.strip("\n"):
        rows = [f"{margin}  {line}" if line else "" for line in part.strip("\n").split("\n")]
        return [*above, f"{head} |{style.behind()}", *rows]
    text = style.scalar(part) if isinstance(part, str) and "\n" not in part else flow_text(part)
    blank = part is None and style.chance(0.5)
    return [*above, f"{head}{'' if blank else f' {text}'}{style.behind()}"]
