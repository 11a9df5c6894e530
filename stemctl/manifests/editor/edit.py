"""Edits of a text, proven before anything is written."""

from __future__ import annotations

from collections.abc import Sequence

from stemctl.core.diagnostics import Diagnostic
from stemctl.manifests.editor.edits import Edit, edited, gathered
from stemctl.manifests.editor.new_text import member
from stemctl.manifests.editor.places import places
from stemctl.manifests.editor.splices import CannotEdit, Splice, Splicer
from stemctl.manifests.reader import parse
from stemctl.util.json_equality import same_json
from stemctl.util.json_types import Value


def edit_text(text: str, edits: Sequence[Edit]) -> str:
    """The text with all edits made.

    Every character outside of the values that change stays as it is. The text is read again, and
    must have exactly the values that it should.

    Raises:
        CannotEdit: it is written in a way that is not edited, or the proof fails.
    """
    document = parse(text.encode(), "manifest.yaml")
    if document.problems and not (document.root is None and _says_nothing(document.problems)):
        raise CannotEdit("it has errors", 0)
    new = spliced(text, _splices(text, edits))
    wanted = edited(document.root.value if document.root else {}, edits)
    found = parse(new.encode(), "manifest.yaml")
    value: Value = found.root.value if found.root else {}
    if found.problems or not same_json(value, wanted):
        raise CannotEdit("the new text would not say what it should", 0)
    return new


def _says_nothing(problems: Sequence[Diagnostic]) -> bool:
    """Whether nothing is wrong but that the file is empty."""
    return all(problem.code == "empty-file" for problem in problems)


def _splices(text: str, edits: Sequence[Edit]) -> list[Splice]:
    splicer = Splicer(text)
    root, changes = places(text), gathered(edits)
    if root is None or (not root.is_mapping and root.start == root.end):
        new = edited({}, edits)
        lines = "".join(f"{member(0, key, part)}\n" for key, part in new.items())
        gap = "" if not text or text.endswith("\n") else "\n"
        return [Splice(len(text), len(text), gap + lines)]
    splicer.change(root, changes)
    return splicer.splices


def spliced(text: str, splices: Sequence[Splice]) -> str:
    """The text with all splices made; those at one place in their order.

    Raises:
        CannotEdit: two of them overlap.
    """
    parts, position = [], 0
    for splice in sorted(splices, key=lambda one: (one.start, one.end > one.start)):
        if splice.start < position:
            raise CannotEdit("two edits touch the same text", splice.start)
        parts += [text[position : splice.start], splice.text]
        position = splice.end
    return "".join([*parts, text[position:]])
