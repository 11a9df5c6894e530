"""Whatever is set is what the files say afterwards, and nothing else changes."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stemctl.commands.rewrite import write
from stemctl.commands.set import set_fields, told_apart
from stemctl.commands.workspace import open_workspace
from stemctl.core.records import Address
from stemctl.manifests.load import load_repository
from stemctl.schema.catalog import load_catalog
from tests.support.effort import examples
from tests.support.lab import CONFIG
from tests.support.strategies import value_of

MODEL = load_catalog("2024").models["session"]
FIELDS = [row for row in MODEL.managed if row.shown and not (row.unique or row.to)]
FILE = """\
# The lab.
defaults:
  sessions:
    projects: [Theta]
    tags: [lab, "two words"]
    extra_fields: {room: B115}
sessions:
  - name: a  # first
    description: One.
    tags: [own]

  - name: b
    key: "b"
    extra_fields:
      cage: 3   # upstairs
  - {name: c}
"""


def words_for(name: str, value: Any) -> list[str]:
    """The words that give a field this value."""
    if value is None or value == "":
        return [f"{name}="]
    if isinstance(value, dict):
        entries = [
            f"{name}.{key}={json.dumps(one, ensure_ascii=False)}" for key, one in value.items()
        ]
        return [f"{name}=", *entries]
    return [f"{name}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"]


@examples(30)
@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True),
    st.sampled_from(FIELDS).flatmap(lambda row: st.tuples(st.just(row), value_of(row, {}))),
)
def test_a_record_then_has_exactly_that_value(keys: list[str], wanted: tuple[Any, Any]) -> None:
    row, value = wanted
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "records").mkdir()
        (root / "stemctl.yaml").write_text(CONFIG)
        (root / "records/lab.yaml").write_text(FILE)
        workspace = open_workspace(root)
        before, _ = load_repository(root, ["records"], workspace.catalog)
        addresses = [f"session/{key}" for key in keys]
        rewrite = set_fields(workspace, told_apart([*addresses, *words_for(row.name, value)]))
        assert rewrite.refused == rewrite.problems == ()
        assert not write(workspace.config, rewrite).left
        after, findings = load_repository(root, ["records"], workspace.catalog)
        assert [f for f in findings if f.severity == "error"] == []
        assert before.records.keys() == after.records.keys()
        for address, record in after.records.items():
            expected = dict(before.records[address].fields)
            if address.key in keys:
                expected[row.name] = row.empty if value is None else value
            assert plain(record.fields) == plain(expected), address
        text = (root / "records/lab.yaml").read_text()
        assert all(f"# {comment}" in text for comment in ("The lab.", "first"))
        assert after.records[Address("session", "a")].location.line <= 8


def plain(fields: Any) -> Any:
    """Values in one order, since lists are sets here."""
    return {
        name: sorted(map(json.dumps, value)) if isinstance(value, list) else value
        for name, value in fields.items()
    }
