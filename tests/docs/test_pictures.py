"""The pictures of the documentation show what stemctl prints today, and load nothing."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.docs import pictures
from tests.support.paths import PROJECT

RENEW = "Run `python -m tests.docs.pictures`, and look at the pictures."


def size(png: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_each_picture_is_made_by_the_script_and_shown() -> None:
    made = {f"{name}.svg" for name in pictures.TERMINALS}
    made |= {f"{name}{theme}.png" for name in pictures.PAGES for theme in ("", "-dark")}
    assert {path.name for path in pictures.FOLDER.iterdir()} == made
    pages = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
    text = "\n".join(path.read_text(encoding="utf-8") for path in pages)
    assert set(re.findall(r"pictures/([\w.-]+)", text)) == made


@pytest.mark.parametrize("name", pictures.TERMINALS)
def test_a_picture_of_a_terminal_is_plain(name: str) -> None:
    """It shows on a forge: no script, no link, nothing from elsewhere."""
    text = (pictures.FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    tags = {element.tag.partition("}")[2] for element in ElementTree.fromstring(text).iter()}
    assert tags == {"svg", "style", "defs", "clipPath", "rect", "circle", "g", "text"}
    assert re.findall(r"url\((?!#)|@import|@font-face|href|\bon\w+=", text) == []
    assert len(text) < 40_000


@pytest.mark.slow
@pytest.mark.parametrize("name", pictures.TERMINALS)
def test_a_picture_of_a_terminal_is_current(tmp_path: Path, name: str) -> None:
    shown = pictures.svg(name, pictures.TERMINALS[name](pictures.Lab(tmp_path)))
    assert (pictures.FOLDER / f"{name}.svg").read_text(encoding="utf-8") == shown, RENEW


@pytest.mark.slow
@pytest.mark.parametrize("name", pictures.PAGES)
def test_the_picture_of_a_page_is_current(tmp_path: Path, name: str) -> None:
    page = pictures.page(name, tmp_path)
    for theme in ("", "-dark"):
        png = (pictures.FOLDER / f"{name}{theme}.png").read_bytes()
        assert pictures.hash_of_picture(png) == pictures.page_hash(page), RENEW
        if pictures.CHROMIUM:
            again = pictures.photograph(page, pictures.PAGES[name].size, dark=bool(theme))
            assert size(again) == size(png) == pictures.PAGES[name].size
            assert pictures.hash_of_picture(again) == pictures.page_hash(page)
