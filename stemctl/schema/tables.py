"""The field tables of an edition, as data.

They are YAML for people. Reading forty of them would take longer than all that most commands do, so
`stemctl schema build` writes them into one file of JSON, which is read as long as it fits them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from stemctl.errors import TableError

BUILT = "tables.json"
"""The file below `schemas/EDITION/` that has all tables of the edition."""

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Table = dict[str, Any]


def read_tables(folder: Path, built: Path) -> list[Table]:
    """The tables in `folder`, from the `built` file if it was made of these.

    Raises:
        TableError: a table is not YAML.
    """
    try:
        document = json.loads(built.read_bytes())
    except (OSError, ValueError):
        return _parsed(folder)
    fits = isinstance(document, dict) and document.get("sizes") == _sizes(folder)
    return list(document["tables"]) if fits else _parsed(folder)


def built_text(folder: Path) -> str:
    """The text of the built file for the tables in `folder`.

    Raises:
        TableError: a table is not YAML.
    """
    document = {"sizes": _sizes(folder), "tables": _parsed(folder)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def _paths(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.yaml"))


def _sizes(folder: Path) -> dict[str, int]:
    """What tells whether a table came, went or changed: times differ between checkouts."""
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in _paths(folder)}


def _parsed(folder: Path) -> list[Table]:
    tables = []
    for path in _paths(folder):
        try:
            tables.append(yaml.load(path.read_bytes(), _LOADER))
        except yaml.YAMLError as error:
            raise TableError(f"{path} is not a field table.", str(error)) from error
    return tables
