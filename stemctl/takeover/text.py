"""The text of a new file, which says exactly what its records are."""

from __future__ import annotations

from collections.abc import Iterator

from stemctl.errors import StemctlError, Untouched
from stemctl.manifests import reader
from stemctl.manifests.editor.new_text import STEP, item, member
from stemctl.takeover.rows import NewFile, Row
from stemctl.util.json_equality import same_json
from stemctl.util.safe_text import visible


def text_of(new: NewFile) -> str:
    """The text of a file.

    Raises:
        StemctlError: it would not be read as it is meant.
    """
    text = "".join(f"{line}\n" for line in _lines(new))
    document = reader.parse(text.encode(), new.file)
    root = document.root
    if root is None or document.problems or not same_json(root.value, new.whole()):
        raise StemctlError(
            f"{new.file} would not be read as it is meant.",
            "This is a bug in stemctl. Please report it with the records of this file.",
            untouched=Untouched.NOTHING_WRITTEN,
        )
    return text


def _lines(new: NewFile) -> Iterator[str]:
    if new.defaults:
        yield "defaults:"
        for key, values in new.defaults.items():
            yield f"{' ' * STEP}{member(STEP, key, values)}"
    for key, rows in new.sections.items():
        yield f"{key}: []" if all(row.is_blank for row in rows) else f"{key}:"
        for row in rows:
            yield from _record(row, STEP, is_top=True)


def _record(row: Row, column: int, is_top: bool) -> Iterator[str]:
    """A record, with its dash at `column`: in one line if it is inside another one, and short. One
    with a single member reads better without braces.
    """
    margin = " " * column
    for remark in row.remarks:
        yield f"{margin}# {visible(remark)}"
    if not is_top and not row.inside and len(row.fields) > 1:
        yield f"{margin}{item(column, row.fields)}"
        return
    lead = f"{margin}- "
    for name, value in row.fields.items():
        yield f"{lead}{member(column + STEP, name, value)}"
        lead = f"{margin}  "
    for key, rows in row.inside.items():
        yield f"{lead}{key}:"
        lead = f"{margin}  "
        for one in rows:
            yield from _record(one, column + 2 * STEP, is_top=False)
