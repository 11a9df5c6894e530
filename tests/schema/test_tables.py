"""The file that was built of the tables counts only while it is sound, and of these tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stemctl.schema import catalog
from stemctl.schema.tables import BUILT, built_text, read_details, read_table, read_tables

SCHEMAS = catalog.schemas_dir()
TABLES = SCHEMAS / "tables" / "2024"

NO_JSON = [b"", b"{", b'{"sizes": "\xff"}', b"\xef\xbb\xbf{}", b"[" * 100_000, b"[]", b"{}"]


def test_what_was_built_is_what_the_tables_say() -> None:
    assert json.loads(built_text(TABLES))["tables"] == read_tables(TABLES, SCHEMAS / "no file")
    assert read_tables(TABLES, SCHEMAS / "2024" / BUILT) == read_tables(TABLES, SCHEMAS / "none")


@pytest.mark.parametrize("content", NO_JSON)
def test_a_damaged_file_is_not_used(content: bytes, tmp_path: Path) -> None:
    built = tmp_path / BUILT
    built.write_bytes(content)
    assert read_tables(TABLES, built) == read_tables(TABLES, tmp_path / "none")


def test_tables_of_other_sizes_are_read_themselves(tmp_path: Path) -> None:
    document = json.loads(built_text(TABLES))
    document["sizes"].popitem()
    document["tables"] = []
    (tmp_path / BUILT).write_text(json.dumps(document), encoding="utf-8")
    assert read_tables(TABLES, tmp_path / BUILT)


@pytest.mark.parametrize("content", NO_JSON)
def test_damaged_details_are_not_used(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "rigs.yaml").write_text("types: {}\n", encoding="utf-8")
    (tmp_path / "rigs.json").write_bytes(content)
    assert read_details(tmp_path, "rigs") == read_table(tmp_path / "rigs.yaml") == {"types": {}}
