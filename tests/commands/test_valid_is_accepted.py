"""What validate accepts, the server accepts and keeps: the next plan is empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from stemctl.core.diagnostics import Severity
from stemctl.manifests import reader
from stemctl.manifests.schema_errors import validator_of
from stemctl.manifests.validation import check_document
from stemctl.render.manifest_yaml import manifest_text
from stemctl.schema.catalog import load_catalog
from tests.commands.test_export import ODD_TEXTS
from tests.support.lab import Lab

CATALOG = load_catalog("2024")
DAYS = ("0001-01-01", "0001-01-02", "2024-02-29", "9999-12-31")
TIMES = [
    f"{day}T{time}{offset}"
    for day in DAYS
    for time in ("00:00:00", "23:59:59")
    for offset in ("Z", "-23:59", "+14:00")
]
URLS = ["https://x.y/a?b#c", "ftp://x.y", "s3://b/c", "HTTPS://x.y", "http://localhost:8000", "x"]
TEXTS = [*ODD_TEXTS, "x" * 100, "y" * 101, "\u3000", "\ufeff", "a\u200b", "\x7f", "\x01"]
NUMBERS = [2**53, 2**53 + 1, 1e-7, 5e-324, 1e300, -0.0, True, None]


def sessions() -> Iterator[dict[str, Any]]:
    """A session for each odd value of each field, and for each odd name."""
    values: dict[str, list[Any]] = {
        "name": TEXTS,
        "description": TEXTS,
        "date_time": [*TIMES, *DAYS, *TEXTS],
        "tags": [[text, "a"] for text in TEXTS],
        "extra_fields": [
            *({"a": value} for value in (*TEXTS, *NUMBERS)),
            *({text: 1} for text in TEXTS),
        ],
        "download_links": [
            *([{"Repository": text, "URL": URLS[0]}] for text in TEXTS),
            *([{"Repository": "a", "URL": url}] for url in (*URLS, *TEXTS)),
        ],
    }
    for field, cases in values.items():
        for number, value in enumerate(cases):
            yield {"name": f"{field} {number}", "projects": ["Theta Maze Study"], field: value}


def stimuli() -> Iterator[dict[str, Any]]:
    """The same for the texts of a model whose description is required."""
    for number, text in enumerate(TEXTS):
        yield {"name": f"description {number}", "description": text}
        yield {"name": text, "description": "a"}


def valid(list_key: str, records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The records that validate accepts one by one, each name once."""
    validator, names = validator_of(CATALOG), set()
    for record in records:
        try:
            data = manifest_text(list_key, [record]).encode()
        except UnicodeEncodeError:
            continue
        document = reader.parse(data, "a.yaml")
        if document.root is None or document.problems:
            continue
        findings, _ = check_document(document, validator, CATALOG)
        errors = [finding for finding in findings if finding.severity is Severity.ERROR]
        if not errors and record["name"].strip() not in names:
            names.add(record["name"].strip())
            yield record


def test_valid_records_are_accepted_and_kept(lab: Lab) -> None:
    for key, records in (("sessions", sessions()), ("sensory_stimulus_types", stimuli())):
        chosen = list(valid(key, list(records)))
        assert len(chosen) > 50
        (lab.root / "records").mkdir(exist_ok=True)
        (lab.root / f"records/{key}.yaml").write_bytes(manifest_text(key, chosen).encode())
    checked = lab.run("validate")
    assert checked.code == 0, checked.out
    applied = lab.run("apply", "--auto-approve")
    assert applied.code == 0, applied.said
    again = lab.plan()
    assert [change for change in again["changes"] if change["held"] != "pending"] == []
    assert again["notes"] == []


@pytest.mark.parametrize("escape", ["\\0", "\\x00", "\\u0000"])
@pytest.mark.parametrize(
    "line",
    [
        'description: "a{}b"',
        'tags: ["{}"]',
        'extra_fields: {{a: "{}"}}',
        'extra_fields: {{"a{}": 1}}',
        'date_time: "{}"',
        'key: "{}"',
    ],
)
def test_nul_is_refused_everywhere(lab: Lab, line: str, escape: str) -> None:
    lab.write(
        "records/a.yaml",
        f"sessions:\n  - name: a\n    projects: [Theta Maze Study]\n    {line.format(escape)}\n",
    )
    result = lab.run("validate")
    assert result.code == 1
    assert "records/a.yaml:4:" in result.out
