"""Warnings about what is valid, but probably not meant. See also `tests/slips/suspicions.txt`."""

import datetime
from zoneinfo import ZoneInfo

import pytest

from stemctl.core.diagnostics import Severity
from stemctl.manifests.load import load_repository
from stemctl.schema.catalog import load_catalog
from tests.support.paths import PROJECT

TODAY = datetime.date(2026, 2, 3)


@pytest.mark.parametrize(
    ("day", "warns"),
    [
        ("1899-12-31", True),
        ("1900-01-01", False),
        ("2026-02-03", False),
        ("2027-02-04", False),
        ("2027-02-05", True),
        ("2027-02-05T00:00:00Z", True),
        ("9999-12-31", True),
    ],
)
def test_a_day_is_compared_with_today(tmp_path, day, warns):
    (tmp_path / "a.yaml").write_text(f"sessions:\n  - {{name: a, date_time: {day}}}\n")
    _, findings = load_repository(tmp_path, ["."], load_catalog("2024"), today=TODAY)
    assert [finding.code for finding in findings] == (["unlikely-date"] if warns else [])


def test_a_day_in_defaults_is_compared_too(tmp_path):
    text = "defaults: {sessions: {date_time: 2204-01-01}}\nsessions: [{name: a}]\n"
    (tmp_path / "a.yaml").write_text(text)
    _, [finding] = load_repository(tmp_path, ["."], load_catalog("2024"), today=TODAY)
    assert finding.code == "unlikely-date"
    assert finding.location == ("a.yaml", 1, 34)


def test_the_end_of_a_validity_may_be_years_ahead(tmp_path):
    text = "licenses: [{name: a, valid_from: 2099-01-01, valid_until: 2103-12-31}]\n"
    (tmp_path / "a.yaml").write_text(text)
    _, [finding] = load_repository(tmp_path, ["."], load_catalog("2026"), today=TODAY)
    assert (finding.code, str(finding.location)) == ("unlikely-date", "a.yaml:1:34")


def test_a_warning_does_not_end_a_command(lab):
    lab.write("records/s.yaml", "sessions:\n  - name: rat #2\n    projects: [Theta Maze Study]\n")
    result = lab.run("validate")
    assert result.code == 0
    assert "the value is only `rat`" in result.out
    assert "the value is only `rat`" in lab.run("plan").said


@pytest.mark.parametrize(
    ("folder", "edition"), [("lab", "2024"), ("ci", "2024"), ("rat-lab", "2026")]
)
def test_the_examples_have_no_warnings(folder, edition):
    root, zone = PROJECT / "examples" / folder, ZoneInfo("Europe/Copenhagen")
    catalog = load_catalog(edition)
    _, findings = load_repository(root, ["records"], catalog, True, time_zone=zone, today=TODAY)
    assert [finding for finding in findings if finding.severity is Severity.WARNING] == []
