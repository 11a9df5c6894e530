"""The glossary has the words of the program, in a sentence or two each."""

from __future__ import annotations

import re

from stemctl.core.plan import PERMISSIONS, Held
from stemctl.schema.config_schema import PORTALS
from tests.support.paths import PROJECT

PAGE = (PROJECT / "docs" / "glossary.md").read_text(encoding="utf-8")
WORDS = {
    word.lower(): " ".join(text.split())
    for word, text in re.findall(r"^- \*\*(.+?)\*\*: (.*?)(?=^- |^#|\Z)", PAGE, re.DOTALL | re.M)
}


def test_each_word_has_a_sentence_or_two() -> None:
    asked = "edition portal adopt held proposal base drift address key state journal lease plan"
    asked += " digest details entry child manifest conflict sandbox run managed"
    assert {*asked.split(), *Held} <= set(WORDS)
    for word, text in WORDS.items():
        assert text.endswith("."), word
        assert 1 <= len(re.findall(r"\.(?= |$)", text)) <= 3, word
        assert len(text) < 260, word


def test_permissions_and_portals_are_those_of_the_program() -> None:
    assert re.findall(r"`(\w+)`", WORDS["permission"]) == [kind.value for kind in PERMISSIONS]
    assert re.findall(r"`(\w+)`", WORDS["portal"]) == [*PORTALS]
