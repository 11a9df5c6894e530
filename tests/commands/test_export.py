"""What `get -o yaml` and `runs show -o yaml` write validates, and plans to nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.commands.export import Live, export
from stemctl.core.diagnostics import Severity
from stemctl.manifests.load import load_repository
from stemctl.manifests.validation import missing_fields
from stemctl.schema.catalog import load_catalog
from stemctl.util.json_equality import same_json
from tests.support.effort import examples
from tests.support.lab import Lab

CATALOG = load_catalog("2024")
SESSION = CATALOG.models["session"]
STIMULUS = CATALOG.models["sensorystimulustype"]
ID = "01234567-89ab-cdef-0123-456789abcd{:02}"

ODD_TEXTS = [
    *(
        "no",
        "Off",
        "y",
        "~",
        "=",
        "<<",
        "null",
        "True",
        "12:30",
        "012",
        "0o14",
        "1_000",
        "1e3",
        ".",
    ),
    *(
        "2024-03-12",
        "",
        " ",
        "  a ",
        "a\rb",
        "a\nb",
        "a\n\n b\n",
        "\t",
        "a\u2028b",
        "a\x85b",
        "\x00",
    ),
    *("\x1b[31m", "\ufeff", "\ud800", "a: b", "a #b", "#a", "- a", "[", "{a: b}", "*a", "&a", "!a"),
    *("%a", "@a", "`", "'", '"', "\\", "e\u0301", "\u00e9", "\u00a0", "x" * 700, "a, b", "?", "|"),
]
TEXTS = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=8))
NUMBERS = st.one_of(
    st.sampled_from([2**53, 2**53 + 1, -(2**64), 10**400, -0.0, 1e-7, 5e-324, 1e300, 1.5, 0]),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
)
ENTRIES = st.dictionaries(st.one_of(st.sampled_from(["a", "no", "B_1"]), TEXTS), TEXTS | NUMBERS)
LINK = st.fixed_dictionaries(
    {"Repository": TEXTS, "URL": st.one_of(TEXTS, st.sampled_from(["https://x.y/a", "x y"]))}
)
SESSIONS = st.fixed_dictionaries(
    {"name": st.one_of(TEXTS, st.sampled_from(["a", "b", "a "]))},
    optional={
        "projects": st.lists(TEXTS, max_size=2),
        "description": TEXTS,
        "date_time": st.one_of(TEXTS, st.sampled_from(["2024-03-12", "0001-01-01T00:00:00Z"])),
        "tags": st.lists(TEXTS, max_size=3),
        "extra_fields": ENTRIES,
        "download_links": st.lists(LINK, max_size=2),
        "name_used_in_storage": TEXTS,
    },
)


@examples(150)
@given(records=st.lists(SESSIONS, max_size=3))
def test_every_live_record_is_written_or_named(
    records: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    live = [Live(record, ID.format(number)) for number, record in enumerate(records)]
    text = export(CATALOG, SESSION, live).text
    root = tmp_path_factory.mktemp("lab")
    (root / "a.yaml").write_bytes(text.encode())
    repository, findings = load_repository(root, ["a.yaml"], CATALOG)
    wrong = [finding for finding in findings if finding.severity is Severity.ERROR]
    wrong += [
        finding
        for record in repository.records.values()
        for finding in missing_fields(record, SESSION, record.id is not None)
        if finding.severity is Severity.ERROR
    ]
    assert not wrong, text
    for record in repository.records.values():
        given_ = _original(record.fields, record.id, live)
        assert given_ is not None, text
        for name, value in record.fields.items():
            assert _is_part(value, given_.record[name])
        for name in given_.record.keys() - record.fields.keys():
            assert f"left out: {name}" in text or f"  # {name} is empty" in text
    assert len(repository.records) + text.count("left out: record ") == len(records)


def _original(fields: Any, id_: str | None, live: list[Live]) -> Live | None:
    for one in live:
        if id_ == one.id or (id_ is None and one.record.get("name") == fields.get("name")):
            return one
    return None


def _is_part(value: Any, whole: Any) -> bool:
    if isinstance(value, dict):
        return all(same_json(item, whole[name]) for name, item in value.items())
    if isinstance(value, list):
        return all(any(same_json(item, other) for other in whole) for item in value)
    return same_json(value, whole)


HOSTILE: dict[str, Any] = {
    "description": "a\u2028b\r\n c\x1b[31m ",
    "tags": ["no", "12:30", "a, b", "", " x", "\u00e9", "e\u0301", "~"],
    "extra_fields": {"serial": 2**80, "off": 4, "small": 1e-7, "zero": -0.0, "when": "2024-03-12"},
    "download_links": [{"Repository": "no", "URL": "https://x.y/a?b=%20#c"}],
}


def test_what_get_writes_validates_and_plans_to_nothing(lab: Lab) -> None:
    (project,) = (
        p for p in lab.api("GET", "stem/project/")["projects"] if p["name"] == "Theta Maze Study"
    )
    for name in ("big", "no", "it's: #1", "e\u0301"):
        body = {"name": name, "projects": [project["id"]], "tags": []}
        lab.api("POST", "stem/session/", body)

    def hostile(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method != "GET" or "session" not in request.url.path:
            return response
        document = response.json()
        for record in document.get("sessions", [document.get("session")]):
            record.update(HOSTILE)
        return httpx.Response(response.status_code, json=document)

    lab.after = hostile
    result = lab.run("get", "session", "-o", "yaml")
    assert result.code == 0, result.said
    assert "extra_fields.serial: `1208925819614629174706176` cannot be stored" in result.out
    assert "values or records cannot be written to a manifest" in result.err
    lab.write("records/a.yaml", result.out)
    checked = lab.run("validate")
    assert checked.code == 0, checked.out
    assert "ambiguous-value" not in checked.out
    plan = lab.plan()
    assert [change["action"] for change in plan["changes"]] == ["adopt"] * 4
    assert all(change["request"] is None for change in plan["changes"]), json.dumps(plan, indent=1)


def test_a_record_without_a_required_text_is_bound_by_its_id(lab: Lab, tmp_path: Path) -> None:
    live = [Live({"name": "Air puff"}, ID.format(1))]
    text = export(CATALOG, STIMULUS, live).text
    assert text == (
        "sensory_stimulus_types:\n"
        "  # description is empty on the server, so the id is written\n"
        f"  - id: {ID.format(1)}\n"
        "    name: Air puff\n"
    )
    lab.write("records/a.yaml", text)
    assert lab.run("validate").code == 0, lab.run("validate").out
