"""The page of a repository in a browser: its script runs under the page's own policy, makes few
elements of many records, and does what keys and filters ask.

To press keys, a test adds its own script to a copy of the page that has no policy.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stemctl.render.lab_page import lab_html
from tests.render.test_html import Tree
from tests.render.test_lab_page import facts, view_of

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


def opened(page: str, folder: Path) -> tuple[str, str]:
    """The elements of a page once its script has run, and what the browser said."""
    assert CHROMIUM is not None
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder}/profile", "--enable-logging=stderr"]
    done = subprocess.run(
        [*command, "--dump-dom", path.as_uri()], capture_output=True, text=True, timeout=120
    )
    return done.stdout, "\n".join(re.findall(r".*CONSOLE.*", done.stderr))


def acted(page: str, folder: Path, script: str) -> Any:
    """What an expression in the page gives."""
    added = f"<script>document.title = JSON.stringify((() => {{{script}}})());</script></body>"
    text, said = opened(POLICY.sub("", page).replace("</body>", added), folder)
    assert said == ""
    found = re.search("<title>(.*)</title>", text)
    assert found
    return json.loads(found[1].replace("&amp;", "&"))


def days(number: int) -> list[Mapping[str, Any]]:
    return [
        {
            "name": f"rat{i % 60}_{i}",
            "date_time": f"20{20 + i % 6}-{1 + i // 6 % 12:02}-{1 + i // 72 % 28:02}T09:00:00Z",
            "projects": [f"Project {i % 5}"],
            "tags": ["maze", "sleep"][: i % 3],
        }
        for i in range(number)
    ]


def test_it_runs_under_its_own_policy(tmp_path: Path) -> None:
    text, said = opened(lab_html(view_of(days(30), {3: "a-b"}), facts()), tmp_path)
    assert said == ""
    tree = Tree(re.sub("<script.*?</script>|<noscript>.*?</noscript>", "", text, flags=re.S))
    assert tree.count("svg") == 2
    assert [a["href"] for tag, a in tree.tags if tag == "a"] == [
        "https://stem.example/api/private/stem/session/a-b/"
    ]
    assert sum(a.get("class") == "name" for tag, a in tree.tags if tag == "button") == 30
    assert "sessions by day" in tree.text.lower()


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    name = "</script><img src=x onerror=\"document.title='x'\"><b id=evil>"
    fields = {"name": name, "tags": [name, "__proto__"], "extra_fields": {name: "v"}}
    text, said = opened(lab_html(view_of([fields]), facts(name)), tmp_path)
    assert said == ""
    tree = Tree(re.sub("<script.*?</script>", "", text, flags=re.S))
    assert not {"img", "b"} & {tag for tag, _ in tree.tags}
    assert name in tree.text


def test_ten_thousand_records_are_few_elements(tmp_path: Path) -> None:
    text, said = opened(lab_html(view_of(days(10_000)), facts()), tmp_path)
    assert said == ""
    assert len(re.findall("<[a-z]", text)) < 8_000


def test_keys_filters_and_printing(tmp_path: Path) -> None:
    page = lab_html(view_of(days(300)), facts())
    found = acted(
        page,
        tmp_path,
        """
        const told = () => named("told").textContent, at = () => document.activeElement;
        const down = (key) => new KeyboardEvent("keydown", {key, bubbles: true});
        const press = (key) => at().dispatchEvent(down(key));
        const rows = () => document.querySelectorAll("#records .name").length, seen = {};
        press("/"); seen.slash = at().id;
        field.value = "RAT7_ maze"; search(); seen.search = told();
        press("ArrowDown"); seen.row = at().textContent;
        at().click(); seen.details = document.querySelector(".details dl").textContent;
        press("Escape"); seen.closed = document.querySelector(".details");
        press("Escape"); seen.cleared = told() + field.value;
        document.querySelector('[data-key="count:' + data.counted.indexOf("Project") + ':' +
          data.texts.indexOf("Project 2") + '"]').click();
        seen.filtered = told(); seen.pressed = at().getAttribute("aria-pressed");
        pickDay("2024"); seen.year = told();
        clear(); seen.all = rows();
        const last = document.querySelector('rect[tabindex="0"]');
        last.focus(); press("ArrowLeft"); seen.before = at().dataset.day < last.dataset.day;
        press("Enter"); seen.day = view.day === at().dataset.day; clear();
        dispatchEvent(new Event("beforeprint")); seen.printed = rows();
        return seen;
        """,
    )
    assert found == {
        "slash": "search",
        "search": "5 of 300 sessions",
        "row": found["row"],
        "details": found["details"],
        "closed": None,
        "cleared": "",
        "filtered": "60 of 300 sessions",
        "pressed": found["pressed"],
        "year": "10 of 300 sessions",
        "all": 100,
        "before": True,
        "day": True,
        "printed": 300,
    }
    assert found["row"].startswith("rat7_")
    assert "date_time" in found["details"]


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="poppler is not installed")
def test_a_printed_calendar_has_the_last_sunday_of_a_year(tmp_path: Path) -> None:
    assert CHROMIUM is not None
    fields = {"name": "rat1", "date_time": "2028-12-31T09:00:00Z"}  # in the 54th week
    page, image = tmp_path / "page.html", tmp_path / "page"
    page.write_text(lab_html(view_of([fields]), facts()), encoding="utf-8")
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path}/profile"]
    subprocess.run(
        [*command, f"--print-to-pdf={image}.pdf", page.as_uri()], check=True, timeout=120
    )
    subprocess.run(["pdftoppm", "-singlefile", "-r", "72", f"{image}.pdf", image], check=True)
    head, pixels = re.split(rb"\n255\n", image.with_suffix(".ppm").read_bytes(), maxsplit=1)
    width = int(head.split()[1])
    day = bytes.fromhex("6fb9ad")  # a day with one session
    at = [i // 3 % width for i in range(0, len(pixels), 3) if pixels[i : i + 3] == day]
    assert at
    assert min(at) > 0.85 * width


def test_no_count_is_left_out_without_a_word(tmp_path: Path) -> None:
    records = [
        {
            "name": f"{'old' if i < 3 else 'new'}_{i}",
            "date_time": f"{2010 if i < 3 else 2020 + i % 3}-05-06T09:00:00Z",
            "projects": [f"Project {i % 300}"],
            "tags": [f"tag {n}" for n in range(300 if i == 299 else 1)],
        }
        for i in range(300)
    ]
    found = acted(
        lab_html(view_of(records), facts()),
        tmp_path,
        """
        const seen = {}, card = () => [...document.querySelectorAll(".card")]
          .find((one) => one.querySelector("h3").textContent === "Tags");
        card().querySelector(".more").click();
        seen.values = card().querySelectorAll("li").length;
        seen.rest = card().lastChild.textContent;
        field.value = "new_299"; search();
        seen.cell = [...document.querySelectorAll("#records td")].map((one) => one.textContent)
          .find((one) => one.startsWith("tag 0"));
        clear();
        [...document.querySelectorAll(".count")].find((one) => one.title === "old").click();
        seen.years = [...document.querySelectorAll(".year h3")].map((one) => one.textContent);
        seen.others = document.querySelector('[data-key="years"]').textContent;
        return seen;
        """,
    )
    tags = ", ".join(f"tag {n}" for n in range(8))
    assert found == {
        "values": 200,
        "rest": "and 100 more: search for them",
        "cell": f"{tags}, and 292 more",
        "years": ["20103 sessions on 1 day"],
        "others": "Other years: 2022, 2021, 2020",
    }
