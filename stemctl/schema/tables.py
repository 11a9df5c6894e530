"""The field tables of an edition, as data.

They are YAML for people. Reading forty of them would take longer than all that most commands do, so
`stemctl schema build` writes them into one file of JSON, which is read as long as it fits them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import yaml

from stemctl.errors import TableError

BUILT = "tables.json"
"""The file below `schemas/EDITION/` that has all tables of the edition."""

GONE = "gone.yaml"
"""The file beside the tables that names models which the edition lacks."""

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Table = dict[str, Any]

_decode = msgspec.json.Decoder().decode
_NO_JSON = (ValueError, RecursionError, msgspec.MsgspecError)
"""What it raises: bytes that are not UTF-8 are no `DecodeError`."""


def read_tables(folder: Path, built: Path) -> list[Table]:
    """The tables in `folder`, from the `built` file if it was made of these.

    Raises:
        TableError: a table is not YAML.
    """
    try:
        document = _decode(built.read_bytes())
    except (OSError, *_NO_JSON):
        return _parsed(folder)
    fits = isinstance(document, dict) and document.get("sizes") == _sizes(folder)
    return list(document["tables"]) if fits else _parsed(folder)


def read_table(path: Path) -> Table:
    """One file of tables.

    Raises:
        TableError: it is not YAML.
    """
    try:
        table: Table = yaml.load(path.read_bytes(), _LOADER)
    except (OSError, yaml.YAMLError) as error:
        raise TableError(f"{path} is not a field table.", str(error)) from error
    return table


def read_details(folder: Path, group: str) -> Table:
    """The types of a group of details, from the file that was built of its table if it fits.

    Raises:
        TableError: there is no such group, or its table is not YAML.
    """
    path = folder / f"{group}.yaml"
    try:
        document = _decode((folder / f"{group}.json").read_bytes())
        if isinstance(document, dict) and document.get("size") == path.stat().st_size:
            return dict(document["table"])
    except (OSError, *_NO_JSON):
        pass
    return read_table(path)


def read_gone(folder: Path) -> dict[str, Table]:
    """What is known of models that the edition of a folder lacks, by name; read for messages only.

    Raises:
        TableError: the file is not YAML.
    """
    path = folder / GONE
    return read_table(path) if path.is_file() else {}


def read_apps(tables: Path) -> dict[str, str]:
    """The titles of the groups of models, in their order.

    Raises:
        TableError: the file is not YAML.
    """
    path = tables / "apps.yaml"
    return read_table(path) if path.is_file() else {}


def built_details(path: Path) -> str:
    """The text of the built file for the table of a group of details.

    Raises:
        TableError: the table is not YAML.
    """
    document = {"size": path.stat().st_size, "table": read_table(path)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def built_text(folder: Path) -> str:
    """The text of the built file for the tables in `folder`.

    Raises:
        TableError: a table is not YAML.
    """
    document = {"sizes": dict(sorted(_sizes(folder).items())), "tables": _parsed(folder)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def _paths(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.yaml"))


def _sizes(folder: Path) -> dict[str, int]:
    """What tells whether a table came, went or changed: times differ between checkouts."""
    # Of every start, so without `_paths`: a pattern and paths take as long as the tables.
    return {
        f"{app.name}/{file.name}": file.stat().st_size
        for app in os.scandir(folder)
        if app.is_dir()
        for file in os.scandir(app)
        if file.name.endswith(".yaml")
    }


def _parsed(folder: Path) -> list[Table]:
    return [read_table(path) for path in _paths(folder)]
