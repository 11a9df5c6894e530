"""What a finding says to type, typed: the finding must be gone.

Every golden file with something wrong is read, and each remedy that can be typed as it stands is
applied at the place that the finding marks. Then nothing may be wrong at that place.
"""

import re
import shutil
from pathlib import Path

import pytest

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.manifests.document import LINE_END
from stemctl.manifests.reader import parse
from tests.support.paths import TESTS
from tests.support.slips import findings_of, read_slips

FOLDERS = sorted(path for path in (TESTS / "invalid").iterdir() if path.is_dir())
SLIPS = [slip for file in sorted((TESTS / "slips").glob("*.txt")) for slip in read_slips(file)]

_WRITE = re.compile(r"write `(.+?)`(?:$|,? (?:for|to|or|without) |, )")
_WHOLE = re.compile(r"write `(.+)`")
_PLACEHOLDER = re.compile(r"\b(?:NAME|VALUE|MODEL|KEY|DOMAIN|HOST|PATH|URL)\b|\.\.\.")


def typed(finding: Diagnostic) -> str | None:
    """What the remedy says to write, if it can be typed as it stands; empty if it removes."""
    if finding.remedy in ("remove it", "remove this line") or finding.remedy.startswith(
        "remove the `"
    ):
        return ""
    if match := re.fullmatch(r"add `(.)` here", finding.remedy):
        return match[1]
    match = _WHOLE.fullmatch(finding.remedy) if finding.code == "syntax" else None
    match = match or _WRITE.match(finding.remedy)
    placeholder = match and _PLACEHOLDER.search(match[1]) and finding.code != "syntax"
    return match[1] if match and not placeholder else None


def applied(text: str, finding: Diagnostic, new: str) -> str:
    """The text of a file after the remedy was typed."""
    assert finding.location
    ends = [0, *(match.end() for match in LINE_END.finditer(text))]
    start = ends[finding.location.line - 1] + finding.location.column - 1
    end = start if finding.remedy.startswith("add ") else start + finding.length
    if finding.code == "no-value" and text[start:end].strip():  # the value of this key
        colon = text.index(":", end)
        return f"{text[: colon + 1]} {new}{text[colon + 1 :]}"
    if text[start] in "[{" and finding.code != "syntax" and finding.length == 1:
        end = _closing(text, start)
    return text[:start] + new + text[end:]


def _closing(text: str, start: int) -> int:
    """Where the brackets end that begin here."""
    depth = 0
    for position in range(start, len(text)):
        depth += (text[position] in "[{") - (text[position] in "]}")
        if not depth:
            return position + 1
    raise AssertionError("the brackets are not closed")


def unhelped(folder: Path) -> list[str]:
    """The findings whose remedies do not help."""
    failures = []
    for finding in findings_of(folder):
        new = typed(finding)
        if new is None or finding.location is None or finding.severity is Severity.NOTE:
            continue
        file = folder / finding.location.file
        before = file.read_bytes()
        text = applied(before.decode(), finding, new)
        file.write_bytes(text.encode())
        place = finding.location
        left = [
            other
            for other in findings_of(folder)
            if other.location == place and other.code == finding.code
        ]
        file.write_bytes(before)
        failures += [f"{finding.message}: {finding.remedy}\n  {o.message}\n{text}" for o in left]
    return failures


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_remedy_helps_in_a_golden_folder(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    assert not unhelped(tmp_path / "copy")


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.name)
def test_a_remedy_helps_against_a_slip(slip, tmp_path):
    (tmp_path / "f.yaml").write_bytes(slip.data)
    assert not unhelped(tmp_path)


def test_most_remedies_can_be_typed(tmp_path):
    """So that the tests above do not pass because nothing is typed."""
    count = 0
    for slip in SLIPS:
        (tmp_path / "f.yaml").write_bytes(slip.data)
        count += sum(typed(finding) is not None for finding in findings_of(tmp_path))
    assert count > 180


@pytest.mark.parametrize(
    "field, text, meant",
    [
        ("tags", "maze, sleep", ["maze", "sleep"]),
        ("tags", "maze; sleep", ["maze", "sleep"]),
        ("tags", "'[maze, sleep]'", ["maze", "sleep"]),
        ("tags", "maze, 12, true", ["maze", "12", "true"]),
        ("tags", "12", ["12"]),
        ("tags", "{maze, sleep}", ["maze", "sleep"]),
        ("tags", "[maze, [sleep]]", ["maze", "sleep"]),
        ("tags", "[#1, maze]", ["#1", "maze"]),
        ("tags", "[rat #1, maze]", ["rat #1", "maze"]),
        ("tags", '["maze" "sleep"]', ["maze", "sleep"]),
        ("tags", "[maze, day: one]", ["maze", "day: one"]),
        ("tags", "[maze", ["maze"]),
        ("tags", "[maze}", ["maze"]),
        ("description", "Day 1: maze", "Day 1: maze"),
        ("description", "'it's a maze'", "it's a maze"),
        ("description", '"C:\\data\\rat"', "C:\\data\\rat"),
        ("description", "@home", "@home"),
        ("description", "[draft] maze", "[draft] maze"),
        ("description", "[maze]", "maze"),
        ("description", "007", "007"),
        ("description", "12", "12"),
        ("extra_fields", "room=B115", {"room": "B115"}),
        ("extra_fields", "'{room: B115}'", {"room": "B115"}),
        ("extra_fields", "[{name: room, value: B115}]", {"room": "B115"}),
        ("extra_fields", "[{room: B115}, {cage: 4}]", {"room": "B115", "cage": 4}),
        ("extra_fields", "{weight: 22,5}", {"weight": 22.5}),
        ("extra_fields", "{room:B115}", {"room": "B115"}),
        ("extra_fields", "{room: 007}", {"room": "007"}),
        ("date_time", "12.03.2024", "2024-03-12"),
        ("date_time", "2024-03-12 14:00 CET", "2024-03-12T14:00:00+01:00"),
        ("lifecycle", "{prevent_delete: True}", {"prevent_delete": True}),
        ("lifecycle", "{prevent_delete: yes}", {"prevent_delete": True}),
    ],
)
def test_what_is_typed_is_what_was_meant(field, text, meant, tmp_path):
    file = tmp_path / "f.yaml"
    content = f"sessions:\n  - name: rat1\n    projects: [P]\n    {field}: {text}\n"
    for _ in range(3):  # each remedy may uncover the next fault
        file.write_text(content, encoding="utf-8")
        found = [finding for finding in findings_of(tmp_path) if typed(finding) is not None]
        if not found:
            break
        content = applied(content, found[0], typed(found[0]))
    assert not findings_of(tmp_path)
    assert parse(content.encode(), "f.yaml").root.value["sessions"][0][field] == meant
