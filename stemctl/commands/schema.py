"""The generated schemas as files: written, or compared with what the tables give."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import yaml

from stemctl.core.plan_wire import plan_schema
from stemctl.errors import TableError
from stemctl.schema.catalog import editions, load_catalog
from stemctl.schema.manifest_schema import generated


def build_schemas(folder: Path, check: bool) -> Iterator[str]:
    """Write what differs, or with `check` only find it; gives the names below `folder`, each when
    it is written.

    Raises:
        TableError: a field table does not satisfy table.schema.json.
    """
    check_tables(folder)
    wanted = generated(load_catalog(edition) for edition in editions())
    wanted["plan.schema.json"] = json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n"
    for name, text in wanted.items():
        path = folder / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        yield name
    stale = {p.relative_to(folder).as_posix() for p in folder.glob("*/*.schema.json")} - set(wanted)
    for name in sorted(stale):
        if not check:
            (folder / name).unlink()
        yield name


def check_tables(folder: Path) -> None:
    """Hold every field table against table.schema.json.

    Raises:
        TableError: the first that does not satisfy it.
    """
    validator = jsonschema.Draft202012Validator(
        json.loads((folder / "table.schema.json").read_text(encoding="utf-8"))
    )
    for path in sorted((folder / "tables").glob("*/*/*.yaml")):
        wrong = jsonschema.exceptions.best_match(
            validator.iter_errors(yaml.safe_load(path.read_bytes()))
        )
        if wrong is not None:
            under = ".".join(map(str, wrong.absolute_path))
            raise TableError(
                f"{path.relative_to(folder)}: {wrong.message}.",
                f"It stands under {under or 'the top'}.",
            )
