"""Any words after the commands that edit files: an answer, no crash, and valid files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.edition_2026 import begin
from tests.support.effort import examples
from tests.support.lab import Lab

PIECES = [
    "session/monday",
    "session/*",
    "session/",
    "session",
    "subject/rat12",
    "setup/Maze room",
    "*",
    "?",
    "\\*",
    "monday",
    "tags",
    "extra_fields",
    "name",
    "key",
    "details",
    "users",
    "projects",
    "sex",
    "date_time",
    "birth_date",
    "download_links",
    "datastorage",
    "id",
    "lifecycle",
    ".",
    "..",
    "=",
    "+=",
    "-=",
    "/",
    " ",
    "",
    "[a]",
    "[a, {b: c}]",
    "{a: b}",
    "{a: *x}",
    "&a b",
    "'",
    '"',
    "012",
    "1e999",
    "true",
    "null",
    "~",
    "2024-03-12",
    "2024-03-12T09:00Z",
    "9999-12-31T23:59:59Z",
    "\n",
    "\x1b[31m",
    "\udcff",
    "é",
    "#",
    ": ",
    "- ",
    "%",
    "@",
    "`",
    "!!python/object:x",
    "a" * 3000,
    "\u2028",
    "Theta",
    "M",
    "session/tuesday",
    "--",
    "x",
]
WORDS = st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join), max_size=4)
COMMANDS = st.sampled_from(
    [
        ["set"],
        ["set", "session/monday"],
        ["set", "subject/rat12"],
        ["new"],
        ["new", "session"],
        ["new", "session", "--like", "monday"],
        ["mv"],
        ["mv", "session/monday"],
        ["rm"],
    ]
)


@examples(150)
@given(command=COMMANDS, words=WORDS)
def test_any_words(lab: Lab, command: list[str], words: list[str]) -> None:
    begin(lab)
    for path in (lab.root / "records").rglob("*.yaml"):
        if path.name != "lab.yaml":
            path.unlink()
    result = lab.run(*command, *words)
    assert result.code in (0, 1, 3), result.said
    assert result.code == 0 or result.said.strip()
    assert lab.requests == []
    checked = lab.run("validate")
    assert checked.code == 0, (command, words, checked.out)


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(""))
