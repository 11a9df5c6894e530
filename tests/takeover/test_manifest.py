"""What new files say of live records."""

import json
import os
import shutil
from pathlib import Path

import pytest

from stemctl.manifests.formatter.layout import format_text
from tests.support.clicked_lab import clicked_lab
from tests.support.edition_2026 import CONFIG
from tests.support.lab import Lab
from tests.support.paths import PROJECT, TESTS
from tests.support.small_lab import LAB
from tests.support.takeover import labs_own, take, texts, world_of

GOLDEN = TESTS / "takeover" / "golden"


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    return Lab(tmp_path, monkeypatch)


def seeded(lab: Lab, seed: dict) -> Lab:
    """A lab of edition 2026 with this seed, and no files."""
    lab.write("stemctl.yaml", CONFIG)
    lab.write("seed.yaml", json.dumps(seed))
    return lab


def compare(name: str, found: dict[str, str]) -> None:
    """Compare files with those of a folder; `STEMCTL_UPDATE=1` writes these."""
    folder = GOLDEN / name
    if os.environ.get("STEMCTL_UPDATE"):
        shutil.rmtree(folder, ignore_errors=True)
        for file, text in found.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8")
    there = sorted(path for path in folder.rglob("*") if path.is_file())
    assert found == {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in there
    }


def nothing_to_say(lab: Lab, found: dict[str, str]) -> None:
    """Files that are formatted and valid."""
    for file, text in found.items():
        assert format_text(text).text == text, file
        lab.write(file, text)
    result = lab.run("validate")
    assert result.code == 0, result.said
    assert "warning" not in result.said


def test_a_lab_with_a_record_of_each_model(lab):
    world = world_of(seeded(lab, LAB))
    found = take(world, labs_own(world))
    assert found.left == []
    compare("each-model", texts(found))
    nothing_to_say(lab, texts(found))


def test_the_rat_lab_as_if_it_had_been_typed(tmp_path, lab):
    folder = tmp_path / "lab"
    shutil.copytree(
        PROJECT / "examples" / "rat-lab", folder, ignore=shutil.ignore_patterns(".stemctl")
    )
    typed = Lab(tmp_path, lab.monkeypatch)
    typed.root = folder
    typed.apply()
    world = world_of(typed)
    found = take(world, labs_own(world))
    shutil.rmtree(folder / "records")
    compare("rat-lab", texts(found))
    nothing_to_say(typed, texts(found))


def test_a_lab_of_25_sessions_reads_as_if_it_had_been_typed(lab):
    world = world_of(seeded(lab, clicked_lab()))
    found = take(world, labs_own(world))
    assert found.left == []
    compare("clicked-lab", texts(found))
    nothing_to_say(lab, texts(found))


def test_a_record_whose_parent_is_not_visible_is_not_called_by_the_id_of_that(lab):
    """A key that is the id of another record would be read as that record."""
    world = world_of(seeded(lab, LAB))
    subjects = world.snapshot.readings.pop("subject")
    ids = {name: ids for name, ids in labs_own(world).items() if name != "subject"}
    found = take(world, ids)
    keys = {row.whole().get("key") for one in found.new for row in one.rows()}
    assert keys.isdisjoint(subjects.records)
