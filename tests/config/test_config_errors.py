"""What is wrong with stemctl.yaml, and what to write instead.

`STEMCTL_UPDATE=1 pytest -n0 tests/config` writes the screens of `tests/slips/config` anew.
"""

import os
import re
from pathlib import Path

import pytest

from stemctl.config.config import NAME, load_config
from stemctl.errors import StemctlError
from tests.support.paths import TESTS
from tests.support.slips import Slip, read_slips, write_slips

FILE = TESTS / "slips" / "config" / "stemctl.txt"
SLIPS = read_slips(FILE)


def error_of(folder: Path, data: bytes) -> StemctlError:
    """The error of a stemctl.yaml with this content."""
    (folder / NAME).write_bytes(data)
    with pytest.raises(StemctlError) as caught:
        load_config(folder).server(None)
    return caught.value


def what_is_wrong(folder: Path) -> str:
    """The first sentence of the error of a folder; empty if there is none."""
    try:
        load_config(folder).server(None)
    except StemctlError as error:
        return error.what
    return ""


def test_every_error_says_where_it_is_and_what_to_write(tmp_path):
    screens = {}
    for slip in SLIPS:
        error = error_of(tmp_path, slip.data)
        screens[slip.name] = f"{error.what}\n{error.why}\n".replace(str(tmp_path), "FOLDER")
    if os.environ.get("STEMCTL_UPDATE"):
        write_slips(FILE, screens)
        return
    for slip in SLIPS:
        assert screens[slip.name] == slip.screen, slip.name


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.name)
def test_no_error_is_in_the_words_of_a_schema(slip: Slip):
    first, *remedies = slip.screen.splitlines()
    assert re.match(r"stemctl\.yaml:\d+:\d+: ", first)
    assert re.search(
        r"[Ww]rite|[Aa]dd|[Uu]se|[Rr]emove|[Kk]eep|[Bb]egin|Did you mean|Put", " ".join(remedies)
    )
    assert not re.search(r"is not of type|does not match|required property|non-empty", slip.screen)


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.name)
def test_what_an_error_says_to_write_makes_it_go_away(slip: Slip, tmp_path):
    error = error_of(tmp_path, slip.data)
    match = re.match(r"Write `([^`]*)`\.$|Add `([^`]*)`", error.why.splitlines()[0])
    if not match or "..." in match[0]:
        return
    place = re.match(r"stemctl\.yaml:(\d+):(\d+): ", error.what)
    assert place
    lines = slip.data.decode().split("\n")
    row, column = int(place[1]) - 1, int(place[2]) - 1
    line = lines[row]
    if match[2]:  # added to the mapping that begins here
        separator = ", " if line[column + 1] != "}" else ""
        lines[row] = f"{line[: column + 1]}{match[2]}{separator}{line[column + 1 :]}"
    else:
        lines[row] = line[:column] + match[1] + line[column + _length(line[column:]) :]
    (tmp_path / NAME).write_text("\n".join(lines))
    assert what_is_wrong(tmp_path) != error.what, lines[row]


def _length(text: str) -> int:
    """How long the value or the key is that a text begins with."""
    quoted = re.match(r'"[^"]*"', text)
    if quoted:
        return quoted.end()
    if text[0] in "[{":
        depth = 0
        for position, character in enumerate(text):
            depth += (character in "[{") - (character in "]}")
            if not depth:
                return position + 1
    found = re.match(r"(?:[^,}\]:]|:(?=[^\s]))*", text)
    assert found
    return found.end()


@pytest.mark.parametrize(
    "name",
    [
        "stemctl.yml",
        ".stemctl.yaml",
        "Stemctl.yml",
        "STEMCTL.YML",
        "stemctl.yaml.txt",
        "stemctl.json",
        "stemctl.yaml~",
        "stemctl",
        "stemctrl.yaml",
        "stem-ctl.yaml",
    ],
)
def test_a_file_of_a_similar_name_is_mentioned(name, tmp_path):
    (tmp_path / name).write_text("manifests: [records]\n")
    with pytest.raises(StemctlError) as caught:
        load_config(tmp_path).server(None)
    assert caught.value.what == "stemctl.yaml not found."
    assert caught.value.why == f"There is {name} in {tmp_path}: rename it to stemctl.yaml."


def test_other_files_are_not_mentioned(tmp_path):
    names = ("sandbox-seed.yaml", "lab.state.json", ".stemctl-schema.json", "steps.yaml")
    for name in names:
        (tmp_path / name).write_text("x: 1\n")
    with pytest.raises(StemctlError) as caught:
        load_config(tmp_path).server(None)
    assert not any(name in caught.value.why for name in names)
