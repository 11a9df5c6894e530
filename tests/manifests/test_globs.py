"""Patterns of `manifests:` mean what they mean to `Path.glob`, and have an end."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.manifests.discovery import _files, find_manifests
from stemctl.manifests.globs import InvalidPattern, files_matching, is_pattern
from tests.support.effort import examples

NAMES = st.sampled_from(["a", "b", "ab", ".h", "a.yaml", "b.yml", "[x].yaml", "c.txt"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PARTS = st.sampled_from(
    ["**", "*", "a", "b", "?", "a*", "*b", "*.yaml", "[ab]", "[!a]*", "*.*", ".*", "ab", "[[]x*"]
)
PATTERNS = st.lists(PARTS, min_size=1, max_size=5).map("/".join).filter(is_pattern)


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[str], list[tuple[str, str]]]:
    """Files, and links to what may be there."""
    return draw(st.lists(PATHS, max_size=8)), draw(st.lists(st.tuples(PATHS, PATHS), max_size=3))


def grow(root: Path, files: list[str], links: list[tuple[str, str]]) -> None:
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    for path in files:
        try:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("x")
        except OSError:  # a file where another path has a folder
            continue
    for path, target in links:
        try:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).symlink_to(root / target)
        except OSError:
            continue


def by_glob(root: Path, pattern: str) -> set[str]:
    """What `Path.glob` finds, and what is in the folders among it."""
    found = [one for match in root.glob(pattern) for one in _files(root, match)]
    return {path for path, is_read in found if is_read}


@examples(200)
@given(tree=trees(), pattern=PATTERNS)
def test_as_path_glob_finds_them(
    tmp_path: Path, tree: tuple[list[str], list[tuple[str, str]]], pattern: str
) -> None:
    root = tmp_path / "tree"
    grow(root, *tree)
    found = list(files_matching(root, PurePosixPath(pattern)))
    assert set(found) == by_glob(root, pattern)


def test_each_folder_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern of 13 parts can match 40 folders in more than a billion ways."""
    folder = tmp_path
    for _ in range(40):
        folder = folder / "d"
        folder.mkdir()
    (folder / "a.yaml").write_text("sessions: []\n")
    read, real = [], os.scandir

    def counted(path: str) -> object:
        read.append(path)
        return real(path)

    monkeypatch.setattr(os, "scandir", counted)
    pattern = "/".join(["*", "**"] * 6 + ["*.yaml"])
    assert list(files_matching(tmp_path, PurePosixPath(pattern))) == [f"{'d/' * 40}a.yaml"]
    assert len(read) == len(set(read)) == 41


def test_links_in_circles_have_an_end(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"l{number}").symlink_to(".")
    (tmp_path / "a.yaml").write_text("sessions: []\n")
    (problem,) = find_manifests(tmp_path, ["*/*/*/*/*/*/*/*/*.yaml"]).problems
    assert problem.remedy == "name the folders themselves: the pattern follows too many links"


@pytest.mark.parametrize("entry", ["a\0b", "*\0", "\ud800", "\ud800*"])
def test_what_cannot_be_a_path_is_said(tmp_path: Path, entry: str) -> None:
    (problem,) = find_manifests(tmp_path, [entry]).problems
    assert "is not a path" in problem.message
    assert "\0" not in problem.message


@pytest.mark.parametrize("pattern", ["a**", "**b/c", "*/" * 101 + "x"])
def test_what_is_no_pattern_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(InvalidPattern):
        list(files_matching(tmp_path, PurePosixPath(pattern)))
