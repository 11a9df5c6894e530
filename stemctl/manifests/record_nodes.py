"""The records of a file in the order of its lines, those inside other records included."""

from __future__ import annotations

from collections.abc import Iterator

from stemctl.manifests.document import Document, Node
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Path


def record_nodes(document: Document, catalog: Catalog) -> Iterator[tuple[Path, Node, Model]]:
    """Each record with its path and model. They may have errors: some are no mappings."""
    root = document.root
    for key, section in root.members.items() if root else ():
        model = catalog.by_list_key(key)
        if model:
            yield from _records(section, model, catalog, (key,))


def default_nodes(document: Document, catalog: Catalog) -> Iterator[tuple[Path, Node, Model]]:
    """The defaults of each model, as records."""
    defaults = document.root.members.get("defaults") if document.root else None
    for key, node in defaults.members.items() if defaults else ():
        model = catalog.by_list_key(key)
        if model:
            yield ("defaults", key), node, model


def _records(
    section: Node, model: Model, catalog: Catalog, path: Path
) -> Iterator[tuple[Path, Node, Model]]:
    children = catalog.children(model)
    for position, node in enumerate(section.items):
        yield (*path, position), node, model
        for child in children:
            inner = node.members.get(child.section)
            if inner is not None:
                yield from _records(inner, child, catalog, (*path, position, child.section))
