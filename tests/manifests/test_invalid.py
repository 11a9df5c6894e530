"""Every folder of `invalid/` is a set of files with something wrong, and the screen that says so.

Folders and files whose names begin with `2026-` are for that edition, all others for 2024.

`STEMCTL_UPDATE=1 pytest -n0 tests/manifests/test_invalid.py` writes the screens anew; read the
difference before it is committed.
"""

import os

import pytest

from stemctl.manifests.load import load_repository
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.findings_text import findings_text
from stemctl.schema.catalog import load_catalog
from tests.support.paths import TESTS
from tests.support.slips import findings_of

INVALID = sorted(path for path in (TESTS / "invalid").iterdir() if path.is_dir())
VALID = sorted((TESTS / "valid").glob("*.yaml"))


@pytest.mark.parametrize("folder", INVALID, ids=lambda folder: folder.name)
def test_a_wrong_file_is_explained(folder):
    screen = findings_text(findings_of(folder), TerminalStyle(width=100))
    expected = folder / "expected.txt"
    if os.environ.get("STEMCTL_UPDATE"):
        expected.write_text(screen, encoding="utf-8")
    assert screen == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", INVALID, ids=lambda folder: folder.name)
def test_every_finding_is_complete(folder):
    for finding in findings_of(folder):
        assert finding.location
        assert finding.code
        assert finding.message
        assert finding.remedy, f"{finding.message}: what to type?"


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_a_right_file_has_no_findings_of_its_own(file):
    edition = "2026" if file.name.startswith("2026-") else "2024"
    _, found = load_repository(file.parent, [file.name], load_catalog(edition))
    assert not found
