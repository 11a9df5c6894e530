"""Times without an offset, in a lab that has a time zone."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.config.config import load_config
from stemctl.config.time_zones import time_zone
from stemctl.core.diagnostics import Diagnostic
from stemctl.core.records import Repository
from stemctl.errors import ConfigError
from stemctl.manifests.load import load_repository
from stemctl.manifests.local_times import add_offsets
from stemctl.manifests.reader import parse
from stemctl.schema.catalog import load_catalog
from tests.support.lab import CONFIG, Lab

CATALOG = load_catalog("2024")
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]


def load(
    folder: Path, text: str, zone: ZoneInfo | None = BERLIN
) -> tuple[Repository, tuple[Diagnostic, ...]]:
    (folder / "a.yaml").write_text(text, encoding="utf-8")
    return load_repository(folder, ["."], CATALOG, time_zone=zone)


def moments(repository: Repository) -> list[object]:
    return [record.fields.get("date_time") for record in repository.records.values()]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-03-12T14:00:00", "2024-03-12T14:00:00+01:00"),
        ("2024-07-12T14:00:00.123456789", "2024-07-12T14:00:00.123456789+02:00"),
        ("2024-03-12T14:00:00Z", "2024-03-12T14:00:00Z"),
        ("2024-03-12T14:00:00-05:00", "2024-03-12T14:00:00-05:00"),
        ("2024-03-12", "2024-03-12"),
        ("2024-03-31T01:59:59", "2024-03-31T01:59:59+01:00"),
        ("2024-03-31T03:00:00", "2024-03-31T03:00:00+02:00"),
        ("9999-12-31T23:59:59", "9999-12-31T23:59:59+01:00"),
    ],
)
def test_a_time_gets_the_offset_of_its_day(tmp_path: Path, written: str, read: str) -> None:
    repository, findings = load(tmp_path, f"sessions: [{{name: a, date_time: '{written}'}}]\n")
    assert [f for f in findings if f.code != "unlikely-date"] == []
    assert moments(repository) == [read]


@pytest.mark.parametrize(
    ("written", "message", "remedy"),
    [
        (
            "2024-03-31T02:30:00.5",
            "clocks were set forward in Europe/Berlin, so this time does not exist",
            "write `2024-03-31T01:30:00.5+01:00` or `2024-03-31T03:30:00.5+02:00`",
        ),
        (
            "2024-10-27T02:30:00",
            "clocks were set back in Europe/Berlin, so this time exists twice",
            "write `2024-10-27T02:30:00+02:00` for the first, "
            "`2024-10-27T02:30:00+01:00` for the second",
        ),
        (
            "1880-01-01T00:00:00",
            "the offset of Europe/Berlin was 0:53:28 then, which has no short form",
            "write it in UTC: `1879-12-31T23:06:32Z`",
        ),
        (
            "1893-04-01T00:03:00",
            "clocks were set forward in Europe/Berlin, so this time does not exist",
            "write `1893-03-31T23:03:00Z` or `1893-04-01T00:09:32+01:00`",
        ),
    ],
)
def test_a_time_that_is_not_one_moment_is_an_error(
    tmp_path: Path, written: str, message: str, remedy: str
) -> None:
    repository, (finding,) = load(
        tmp_path, f"sessions:\n  - {{name: a, date_time: {written}}}\n  - {{name: b}}\n"
    )
    assert (finding.code, str(finding.location)) == ("bad-time", "a.yaml:2:26")
    assert (finding.message, finding.remedy) == (message, remedy)
    assert finding.length == len(written)
    assert [address.key for address in repository.records] == ["b"]


def test_defaults_too(tmp_path: Path) -> None:
    repository, findings = load(
        tmp_path,
        "defaults: {sessions: {date_time: 2024-03-12T14:00:00}}\nsessions: [{name: a}]\n",
    )
    assert (findings, moments(repository)) == ((), ["2024-03-12T14:00:00+01:00"])
    _, findings = load(
        tmp_path,
        "defaults: {sessions: {date_time: 2024-03-31T02:30:00}}\nsessions: [{name: a}]\n",
    )
    assert [(f.code, str(f.location)) for f in findings] == [("bad-time", "a.yaml:1:34")]


def test_an_alias_of_a_time_stays_text_where_text_is_meant(tmp_path: Path) -> None:
    repository, findings = load(
        tmp_path, "sessions: [{name: &t '2024-03-12T14:00:00', date_time: *t, description: *t}]\n"
    )
    assert findings == ()
    (record,) = repository.records.values()
    assert record.fields == {
        "name": "2024-03-12T14:00:00",
        "date_time": "2024-03-12T14:00:00+01:00",
        "description": "2024-03-12T14:00:00",
    }


@pytest.mark.parametrize("text", ["2024-02-30T14:00:00", "2024-03-12T24:00:00", "[]", "{a: 1}", ""])
def test_other_values_are_left_to_the_schema(tmp_path: Path, text: str) -> None:
    _, findings = load(tmp_path, f"sessions:\n  - name: a\n    date_time: {text}\n  - text\n  -\n")
    assert findings
    assert "bad-time" not in {finding.code for finding in findings}


def test_without_a_zone_a_time_needs_its_offset(tmp_path: Path) -> None:
    _, (finding,) = load(tmp_path, "sessions: [{name: a, date_time: 2024-03-12T14:00:00}]\n", None)
    assert finding.code == "bad-format"
    assert finding.remedy.endswith("or set a `time_zone:` in stemctl.yaml")


def test_with_a_zone_no_remedy_has_an_offset(tmp_path: Path) -> None:
    _, (finding,) = load(tmp_path, "sessions: [{name: a, date_time: 2024-03-12 14:00}]\n")
    assert finding.remedy == "write `2024-03-12T14:00:00`"
    assert load(tmp_path, "sessions: [{name: a, date_time: 2024-03-12T14:00:00}]\n")[1] == ()


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2037, 12, 31)),
)
def test_the_reading_is_the_moment_that_clocks_there_showed(
    name: str, local: datetime.datetime
) -> None:
    """Both ways: from a moment to what clocks showed, and from there to the same moment."""
    zone = ZoneInfo(name)
    local = local.replace(microsecond=0)
    document = parse(
        f"sessions: [{{name: a, date_time: '{local.isoformat()}'}}]".encode(), "a.yaml"
    )
    problems = [finding for _, finding in add_offsets(document, CATALOG, zone)]
    assert document.root is not None
    read = document.root.at(("sessions", 0, "date_time")).value
    written = re.findall("`([^`]+)`", problems[0].remedy) if problems else [read]
    for text in written:
        moment = datetime.datetime.fromisoformat(text)
        shown = moment.astimezone(zone)
        is_gap = bool(problems) and "forward" in problems[0].message
        assert (shown.replace(tzinfo=None) == local) is not is_gap
        assert text.endswith("Z") or shown.utcoffset() == moment.utcoffset()


def test_what_is_sent_has_the_offset_and_the_next_plan_is_empty(lab: Lab) -> None:
    lab.write("stemctl.yaml", f"time_zone: Europe/Berlin\n{CONFIG}")
    lab.sessions("{name: a, date_time: 2024-03-12T14:00:00}")
    assert "2024-03-12T14:00:00+01:00" in lab.run("plan").out
    lab.apply()
    (sent,) = lab.writes
    assert sent.body["date_time"] == "2024-03-12T14:00:00+01:00"
    assert lab.live("session", "a")["date_time"] == "2024-03-12T13:00:00Z"
    assert lab.plan()["changes"] == []
    applied = lab.state["records"]["session/a"]["applied"]
    assert applied["date_time"] == "2024-03-12T14:00:00+01:00"


def test_explain_and_the_schema_of_editors_name_the_zone(lab: Lab) -> None:
    assert "unless stemctl.yaml has a time_zone" in lab.run("explain", "session.date_time").out
    lab.write("stemctl.yaml", f"time_zone: Asia/Kolkata\n{CONFIG}")
    explained = lab.run("explain", "session.date_time").out
    assert "it is read in Asia/Kolkata" in explained
    assert lab.run("init").code == 0
    schema = json.loads((lab.root / ".stemctl-schema.json").read_text(encoding="utf-8"))
    described = schema["$defs"]["session"]["properties"]["date_time"]["description"]
    assert described.endswith("A time without an offset is read in Asia/Kolkata.")
    validator = jsonschema.Draft202012Validator(schema)
    for text, valid in [("2024-03-12T14:00:00", True), ("2024-03-12T14:00", False)]:
        data = {"sessions": [{"name": "a", "date_time": text}]}
        assert validator.is_valid(data) is valid


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("Europe/berlin", "Did you mean Europe/Berlin?"),
        ("../../etc/passwd", "Write a name such as Europe/Berlin."),
        ("+01:00", "Write a name such as Europe/Berlin."),
        ("posixrules", "Write a name such as Europe/Berlin."),
    ],
)
def test_an_unknown_zone_is_reported_with_its_place(tmp_path: Path, name: str, remedy: str) -> None:
    (tmp_path / "stemctl.yaml").write_text(f"manifests: [a]\ntime_zone: {name}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert caught.value.what == f"stemctl.yaml:2:12: unknown time zone {name!r}."
    assert caught.value.why == remedy


def test_a_zone_is_a_zone_on_every_system() -> None:
    assert time_zone("UTC").key == "UTC"
    with pytest.raises(ConfigError, match="unknown time zone 'localtime'"):
        time_zone("localtime")
