"""Edits as lines to type, for a file that is not edited."""

from __future__ import annotations

from collections.abc import Sequence

from stemctl.manifests.document import Node
from stemctl.manifests.editor.edits import Add, Edit, Put, Take
from stemctl.manifests.editor.new_text import in_line
from stemctl.manifests.reader import parse
from stemctl.manifests.written import flow_text
from stemctl.util.json_types import Path, Value
from stemctl.util.safe_text import cut

_LONG = 200
"""Characters of a value that is written out."""


def by_hand(text: str, edits: Sequence[Edit]) -> tuple[str, ...]:
    """A line for each edit: `12: tags: [a, b]`, `12: add notes: new`, `12: remove sex`.

    The number is that of the line where it is to be made: where the value is, or what it is in.
    """
    root = parse(text.encode(), "manifest.yaml").root
    return tuple(_line(root, edit) for edit in edits)


def _line(root: Node | None, edit: Edit) -> str:
    number, is_there = _place(root, edit.path)
    return f"{number}: {_what(edit, is_there)}"


def _what(edit: Edit, is_there: bool) -> str:
    name = _name(edit.path)
    match edit:
        case Take():
            return f"remove {name}"
        case Add():
            return f"add to {name}: {_text(edit.value)}"
        case Put() if isinstance(edit.path[-1], int):
            return f"{name} becomes {_text(edit.value)}"
    line = f"{name}: {_text(edit.value)}"
    return line if is_there else f"add {line}"


def _text(value: Value) -> str:
    return cut(in_line(value), _LONG)


def _name(path: Path) -> str:
    """The last key of a path; of an item, its list and its number."""
    step = path[-1]
    if isinstance(step, str):
        return flow_text(step)
    around = next((name for name in reversed(path) if isinstance(name, str)), "")
    return f"item {step + 1} of {flow_text(around)}" if around else f"item {step + 1}"


def _place(root: Node | None, path: Path) -> tuple[int, bool]:
    """The line of a value, or of what it would be in, and whether it is there."""
    node, line = root, 1
    for step in path:
        if node is None:
            return line, False
        if isinstance(step, str) and step in node.members:
            line = node.keys[step].start_mark.line + 1
            node = node.members[step]
        elif isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            line = node.event.start_mark.line + 1
        else:
            return line, False
    return line, True
