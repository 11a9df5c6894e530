"""Rewrites keys that an edition spells in another case: `URL` in an object becomes `url`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from stemctl.manifests import reader
from stemctl.manifests.document import LINE_END, Document, Node
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.late_pattern import late_pattern

_LINE_ENDS = late_pattern(f"({LINE_END.pattern})")
"""Splits a text into lines, with the end of each between them."""

Rewrite = tuple[int, int, str, str]
"""Line and column (from 0), the key as it is written, and as the edition spells it."""


def with_keys_of(text: str, file: str, catalog: Catalog) -> str:
    """The text with the keys of an edition; the same text if none has to change, or if it cannot
    be read.
    """
    document = reader.parse(text.encode(), file)
    if document.root is None:
        return text
    rewrites = sorted(set(_rewrites(document, catalog)), reverse=True)
    if not rewrites:
        return text
    lines = _LINE_ENDS.split(document.text)
    for row, column, old, new in rewrites:
        line = lines[row := 2 * row]
        if line[column : column + 1] in ("'", '"'):
            column += 1
        if not line.startswith(old, column):  # written with escapes: it is left to the user
            continue
        lines[row] = line[:column] + new + line[column + len(old) :]
    changed = "".join(lines)
    return changed if _differs_in_case_alone(document, changed) else text


def _differs_in_case_alone(old: Document, changed: str) -> bool:
    new = reader.parse(changed.encode(), old.file)
    if old.root is None or new.root is None:
        return False
    before, after = (json.dumps(doc.value, ensure_ascii=False) for doc in (old.root, new.root))
    return before.lower() == after.lower()


def _rewrites(document: Document, catalog: Catalog) -> Iterator[Rewrite]:
    assert document.root is not None
    for key, node in document.root.members.items():
        if key == "defaults":
            for section, defaults in node.members.items():
                yield from _of_record(catalog.by_list_key(section), defaults, catalog)
        elif (model := catalog.by_list_key(key)) is not None:
            for record in node.items:
                yield from _of_record(model, record, catalog)


def _of_record(model: Model | None, record: Node, catalog: Catalog) -> Iterator[Rewrite]:
    """The keys of a record, and of those that are nested in it."""
    for name, node in record.members.items() if model else ():
        assert model is not None
        field = model.fields.get(name)
        child = catalog.child(model, name)
        for item in node.items:
            if child is not None:
                yield from _of_record(child, item, catalog)
            elif field is not None and field.kind == "items" and item.is_mapping:
                yield from _of_item(field, item)


def _of_item(field: Field, item: Node) -> Iterator[Rewrite]:
    """The keys of an object that the field has in another case, if no two of them are alike."""
    known = {name.lower(): name for name in field.members}
    folded = Counter(key.lower() for key in item.keys)
    for key, event in item.keys.items():
        wanted = known.get(key.lower(), key)
        if wanted != key and folded[key.lower()] == 1:
            mark: Any = event.start_mark
            yield mark.line, mark.column, key, wanted
