"""The documentation is whole: every link leads somewhere, on the forge and on the site, and every
page is in the navigation. Once built, the site needs nothing from the web, and shows what the
forge shows.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from stemctl.schema.catalog import editions
from tests.render.test_lab_in_browser import CHROMIUM, FLAGS
from tests.support.paths import PROJECT

DOCS = PROJECT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
TEXTS = [*PAGES, *sorted(PROJECT.glob("*.md")), *sorted(PROJECT.glob("examples/*/README.md"))]
MARKDOWN = MarkdownIt("commonmark").enable("table")
BLOCKS = ("h1", "h2", "h3", "h4", "li", "pre", "tr", "th", "td", "blockquote", "img")
"""The elements that Markdown's dialects disagree about."""


def tokens(path: Path) -> Iterator[Token]:
    for token in MARKDOWN.parse(path.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def targets(path: Path) -> list[str]:
    """Where the links and pictures of a text lead to, within the project."""
    found = [str(t.attrGet("href") or t.attrGet("src") or "") for t in tokens(path)]
    return [target for target in found if target and not urlsplit(target).scheme]


def anchors(path: Path) -> set[str]:
    """The names of the headings, as forges and the site write them."""
    every = MARKDOWN.parse(path.read_text(encoding="utf-8"))
    titles = [
        "".join(child.content for child in text.children or ())
        for opened, text in pairwise(every)
        if opened.type == "heading_open"
    ]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in targets(path):
        file, _, anchor = target.partition("#")
        there = (path.parent / unquote(file)).resolve() if file else path
        assert there.exists(), target
        assert there.is_relative_to(PROJECT), target
        assert not anchor or anchor in anchors(there), target
        if path in PAGES:
            assert there.is_relative_to(DOCS), f"{target}: the site has only what is in docs/"


def pages_of(navigation: list[Any]) -> Iterator[str]:
    for entry in navigation:
        for value in [entry] if isinstance(entry, str) else entry.values():
            if isinstance(value, str):
                yield value
            else:
                yield from pages_of(value)


def of_models() -> str:
    """The part of the navigation that lists the pages of the models, newest edition first."""
    lines = []
    for edition in sorted(editions(), reverse=True):
        lines.append(f'      {{"Edition {edition}" = [')
        pages = sorted((DOCS / "models" / edition).glob("*.md"))
        lines += [f'        "{page.relative_to(DOCS).as_posix()}",' for page in pages]
        lines.append("      ]},")
    return "\n".join(lines) + "\n"


def test_every_page_is_in_the_navigation_once() -> None:
    path = PROJECT / "zensical.toml"
    text = path.read_text(encoding="utf-8")
    if os.environ.get("STEMCTL_UPDATE"):
        models = r'(?<="models.md"},\n).*?(?=^    \]},$)'
        text = re.sub(models, of_models(), text, flags=re.DOTALL | re.MULTILINE)
        path.write_text(text, encoding="utf-8")
    listed = list(pages_of(tomllib.loads(text)["project"]["nav"]))
    assert sorted(listed) == sorted(page.relative_to(DOCS).as_posix() for page in PAGES)


class Page(HTMLParser):
    """What a built page fetches, where it leads, and the blocks of its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.led: list[str] = []
        self.names: set[str] = set()
        self.blocks: list[str] = []
        self.reading = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        self.names.add(given.get("id", ""))
        if tag == "a" and "href" in given:
            self.led.append(given["href"])
        elif tag != "a":
            self.fetched += [given[key] for key in ("src", "href", "data") if key in given]
        self.reading = self.reading or tag == "article"
        if self.reading and tag in BLOCKS:
            self.blocks.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.reading = self.reading and tag != "article"


@pytest.fixture(scope="module")
def site() -> dict[str, Page]:
    """The site, built as CONTRIBUTING says."""
    pytest.importorskip("zensical")
    command = [str(Path(sys.executable).parent / "zensical"), "build", "--strict"]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    folder = PROJECT / "site"
    return {
        page.relative_to(folder).as_posix(): Page(page.read_text(encoding="utf-8"))
        for page in folder.rglob("*.html")
    }


@pytest.mark.slow
def test_the_site_fetches_nothing_from_the_web(site: dict[str, Page]) -> None:
    for name, page in site.items():
        # The page for a wrong address may be shown at any depth, so its paths begin at the top.
        folder = "" if name == "404.html" else posixpath.dirname(name)
        for address in page.fetched:
            assert not urlsplit(address).scheme, (name, address)
            assert not address.startswith("//"), (name, address)
            file = posixpath.normpath(posixpath.join(folder, address.split("?")[0].lstrip("/")))
            assert (PROJECT / "site" / file).is_file(), (name, address)
    for style in (PROJECT / "site").rglob("*.css"):
        assert not re.search(r"(@import|url\()[\"' ]*(https?:)?//", style.read_text("utf-8"))


@pytest.mark.slow
def test_the_links_of_the_site_lead_somewhere(site: dict[str, Page]) -> None:
    for name in site.keys() - {"404.html"}:
        for address in site[name].led:
            if urlsplit(address).scheme:
                continue
            file, _, anchor = address.partition("#")
            there = posixpath.normpath(posixpath.join(posixpath.dirname(name), file))
            there = there if file else name
            assert there in site, (name, address)
            assert not anchor or unquote(anchor) in site[there].names, (name, address)


@pytest.mark.slow
def test_the_site_shows_what_the_forge_shows(site: dict[str, Page]) -> None:
    """Lists, tables and code: the site's dialect wants blank lines where forges do not."""
    for path in PAGES:
        shown = site[path.relative_to(DOCS).with_suffix(".html").as_posix()].blocks
        forge = Page(f"<article>{MARKDOWN.render(path.read_text(encoding='utf-8'))}</article>")
        assert shown == forge.blocks, path


_SEARCH = """<script>
const every = () => [...document.querySelectorAll("*")].flatMap(
  (element) => element.shadowRoot ? [...element.shadowRoot.querySelectorAll("*")] : []
).concat([...document.querySelectorAll("*")]);
setTimeout(() => document.querySelector(".md-search__button").click(), 1000);
setTimeout(() => {
  const field = every().find((element) => element.matches("input:not([type])," +
    "input[type=text],input[type=search]"));
  field.value = "prevent_delete";
  field.dispatchEvent(new Event("input", {bubbles: true, composed: true}));
}, 3000);
setTimeout(() => {
  const links = every().filter((element) => element.matches("a")).map((link) => link.href);
  document.title = `found ${links.some((link) => link.includes("a-records-own-settings"))}`;
}, 8000);
</script></body>"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_search_works_in_a_folder(site: dict[str, Page], tmp_path: Path) -> None:
    """A page that is opened from a file has no server and no workers."""
    folder = shutil.copytree(PROJECT / "site", tmp_path / "site")
    home = folder / "index.html"
    home.write_text(home.read_text(encoding="utf-8").replace("</body>", _SEARCH), encoding="utf-8")
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path}/profile"]
    done = subprocess.run(
        [*command, "--virtual-time-budget=12000", "--dump-dom", home.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "<title>found true</title>" in done.stdout
