"""The layout of a text: golden files, and what holds for every text.

`STEMCTL_UPDATE=1 pytest tests/unit/test_layout.py` writes `layout/*/after.yaml` anew; read the
difference.
"""

import json
import os

import pytest
from hypothesis import assume, given

from stemctl.manifests import reader
from stemctl.manifests.formatter import layout
from stemctl.manifests.formatter.layout import CannotFormat, format_text, same_content
from stemctl.manifests.yaml_parser import PythonParser
from tests.support.effort import examples
from tests.support.paths import TESTS
from tests.support.ugly import Ugly, ugly

GOLDEN = sorted(path for path in (TESTS / "layout").iterdir())
OURS = sorted(
    file
    for folder in ("valid", "cases", "invalid", "../examples", "../schemas")
    for file in (TESTS / folder).rglob("*.yaml")
)


def values(text):
    return reader.parse(text.encode(), "a.yaml").root.value


@pytest.mark.parametrize("folder", GOLDEN, ids=lambda folder: folder.name)
def test_golden(folder):
    document = reader.parse((folder / "before.yaml").read_bytes(), "before.yaml")
    laid = format_text(document.text)
    after = folder / "after.yaml"
    if os.environ.get("STEMCTL_UPDATE"):
        after.write_bytes(laid.text.encode())
    assert laid.text.encode() == after.read_bytes()
    assert format_text(laid.text) == laid
    assert values(laid.text) == document.root.value


@pytest.mark.parametrize("file", OURS, ids=lambda file: str(file.relative_to(TESTS)))
def test_no_file_of_ours_says_anything_else(file):
    document = reader.parse(file.read_bytes(), file.name)
    if document.root is None or not (document.root.is_mapping or document.root.is_list):
        return
    laid = format_text(document.text)
    assert values(laid.text) == document.root.value
    assert same_content(document.text, laid.text)
    assert format_text(laid.text) == laid


@examples(25)
@given(ugly())
def test_values_and_comments_stay_and_a_second_run_changes_nothing(text: Ugly):
    document = reader.parse(text.data, "a.yaml")
    assume(document.root is not None)
    laid = format_text(document.text)
    assert values(laid.text) == document.root.value
    assert same_content(document.text, laid.text)
    content = json.dumps(document.root.value, ensure_ascii=False)
    comments = [
        comment for comment in text.comments if comment not in content
    ]  # a text may have swallowed one
    assert list(laid.comments) == comments
    assert sorted(comments, key=laid.text.index) == comments
    assert format_text(laid.text) == laid


@examples(25)
@given(ugly(texts=False))
def test_a_laid_out_text_is_tidy(text: Ugly):
    document = reader.parse(text.data, "a.yaml")
    assume(document.root is not None)
    laid = format_text(document.text).text
    lines = laid.split("\n")
    assert lines[0]
    assert lines[-2]
    assert lines[-1] == ""
    assert not {"\r", "\t", "\ufeff"} & set(laid)
    for line in lines:
        assert line == line.rstrip() or line.endswith("\\ ")
        assert (len(line) - len(line.lstrip(" "))) % 2 == 0


def test_the_parser_without_the_c_library_comes_to_the_same(monkeypatch):
    texts = [
        reader.parse((folder / "before.yaml").read_bytes(), "a.yaml").text for folder in GOLDEN
    ]
    laid = [format_text(text) for text in texts]
    monkeypatch.setattr(layout, "Parser", PythonParser)
    assert [format_text(text) for text in texts] == laid


@pytest.mark.parametrize(
    "text", ["# a comment\n%YAML 1.1\n---\na: 1\n", "\n --- text\n", "\n'text'\n"]
)
def test_what_has_no_layout_is_told_with_its_place(text):
    with pytest.raises(CannotFormat) as unclear:
        format_text(text)
    assert unclear.value.mark.line == 1


@pytest.mark.parametrize(
    "old, new",
    [
        ("a: 1", "a: '1'"),
        ("a: |\n  x\n", "a: >\n  x\n"),
        ("a: [b]", "a:\n- b"),
        ("a: 1\na: 2", "a: 2"),
    ],
)
def test_another_spelling_is_not_the_same_content(old, new):
    assert same_content(old, old)
    assert not same_content(old, new)


@pytest.mark.parametrize(
    "text", ["a: &x b\n*x : 1\n", "a: [!!str , b]\n", "a: {b: , c: }\n", "a: {&x : 1}\n"]
)
def test_a_space_that_some_reader_needs_stays(text):
    assert format_text(text).text == text
