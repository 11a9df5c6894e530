"""A model that nobody ever heard of, known by its table alone."""

from __future__ import annotations

import atexit
import functools
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml

from stemctl.commands.schema import build_schemas
from stemctl.schema import catalog


def add_table(table: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a model known for this test, with the schemas that follow from its table."""
    schemas = _schemas_with(yaml.safe_dump(table, sort_keys=False))
    monkeypatch.setattr(catalog, "schemas_dir", lambda: schemas)


@functools.cache  # it takes a second, and no test changes what is there
def _schemas_with(table: str) -> Path:
    """A folder of schemas with one more table."""
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    schemas = Path(folder.name) / "schemas"
    shutil.copytree(catalog.schemas_dir(), schemas)
    path = schemas / "tables" / "2024" / "gadgets" / "rig.yaml"
    path.parent.mkdir()
    path.write_text(table, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog, "schemas_dir", lambda: schemas)
        assert sorted(build_schemas(schemas, check=True)) == [
            "2024/manifest.schema.json",
            "2024/rig.schema.json",
            "2024/tables.json",
        ]
    return schemas
