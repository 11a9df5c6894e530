"""The page of a plan: it can be read without a script and by a screen reader, names what is risky
first, and holds every record.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from msgspec.structs import replace

from stemctl.core.plan import Action, FieldChange, Held, Plan
from stemctl.render.html import Made, asset, plan_html
from stemctl.render.plan_sentences import WHAT_TO_DO, WHY_HELD, consequences
from stemctl.render.terminal import TerminalStyle
from tests.render.plans import PLANS
from tests.render.test_folding import WORDS, one, plan
from tests.support.effort import examples

MADE = Made("lab <b>", "2024-03-12 at 09:00 UTC", "mara@lab-7")
STYLE = TerminalStyle(words=WORDS)
VOID = {"meta", "input", "br", "wbr"}


class Tree(HTMLParser):
    """The elements of a page, checked to be nested well."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.text += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


@examples(30)
@given(PLANS)
def test_any_plan_is_a_sound_page(made: Plan) -> None:
    tree = Tree(plan_html(made, STYLE, MADE))
    assert [tree.count(tag) for tag in ("header", "main", "footer", "h1", "script")] == [1] * 5
    assert tree.headings[0] == 1
    assert all(b - a <= 1 for a, b in zip(tree.headings, tree.headings[1:], strict=False))
    for tag, attributes in tree.tags:
        assert not {"src", "href", "style"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
        if tag == "input":
            assert attributes["aria-label"]
        if tag == "th":
            assert attributes["scope"] == "row"
    assert made.digest in tree.text


def test_every_record_is_in_the_page_though_folded() -> None:
    changes = [one(i, Action.CREATE) for i in range(2000)]
    changes += [one(i, Action.UPDATE) for i in range(2000, 3000)]
    text = plan_html(plan(*changes), STYLE, MADE)
    assert all(f">{change.address}<" in text for change in changes)
    assert text.count("<details") - text.count("<details open") > 3000
    assert text.count(' open><summary><span class="symbol">') == 7


def test_the_page_says_what_happens_and_who_made_it() -> None:
    conflict = FieldChange("name", "theirs", "ours", "conflict", Held.CONFLICT, base="old")
    replaced = FieldChange("name", "theirs", "ours", "edited", Held.REPLACE)
    made = plan(
        *(one(i, Action.CREATE) for i in range(12)),
        *(one(i, Action.DELETE) for i in range(20, 23)),
        replace(one(30, Action.UPDATE, Held.CONFLICT), fields=(conflict,)),
        replace(one(31, Action.ADOPT), fields=(replaced,)),
    )
    tree = Tree(plan_html(replace(made, unchanged=98, commit="a" * 40), STYLE, MADE))
    for text in (
        "Plan for lab <b>",
        "Page made on 2024-03-12 at 09:00 UTC by mara@lab-7.",
        "Planned from commit aaaaaaaaaaaa, for lab (https://lab.example/).",
        "If you approve this plan",
        "3 sessions are deleted for good; a deleted id never comes back.",
        "12 sessions are created.",
        "1 session is managed by these files from now on.",
        "1 field of these records keeps its value on the server.",
        "1 change is not sent: changed both in your files and on the server (1).",
        "Nothing else is touched: 98 other records are unchanged.",
        "when last applied",
        "in your files",
        "on the server now",
        "The server has a value that stemctl did not write. It stays on the server.",
    ):
        assert text in tree.text
    order = ["Deletes and overwrites: 4", "Held, waiting", "Creates: 12"]
    places = [tree.text.index(text) for text in order]
    assert places == sorted(places)


def test_a_replaced_value_is_among_what_destroys() -> None:
    field = FieldChange("description", "theirs", "ours", "adopted")
    made = plan(replace(one(1, Action.ADOPT), fields=(field,)), one(2, Action.ADOPT))
    sentences = consequences(made, WORDS)
    assert "What others did on the server is undone or replaced in 1 session." in sentences
    assert "1 session is managed by these files from now on." in sentences
    assert "Deletes and overwrites: 1" in Tree(plan_html(made, STYLE, MADE)).text


def test_every_reason_has_words() -> None:
    assert set(WHY_HELD) == set(WHAT_TO_DO) == set(Held)
    nothing = plan(one(1, Action.CREATE, Held.BLOCKED))
    assert consequences(nothing, WORDS)[0] == "Nothing is sent to the server."


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_have_contrast(theme: str) -> None:
    css = asset("plan.css")
    start = css.index(":root {" if theme == "light" else ':root[data-theme="dark"] {')
    block = css[start : css.index("}", start)]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", block))
    pairs = [
        (fg, bg) for fg in ("fg", "dim", "add", "del", "edit", "adopt") for bg in ("bg", "card")
    ]
    for fg, bg in [*pairs, ("add", "add-bg"), ("del", "del-bg")]:
        light, dark = sorted(map(luminance, (colours[fg], colours[bg])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (fg, bg)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
