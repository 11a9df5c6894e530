"""The page of a repository is sound HTML whatever the records say, and its script gets the data as
it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stemctl.core.plan import Action, Change, FieldChange, Plan, Target
from stemctl.core.records import Address, Location, Record, Repository
from stemctl.core.state import Entry, State
from stemctl.render.html import asset
from stemctl.render.lab_data import lab_json
from stemctl.render.lab_page import LabFacts, lab_html
from stemctl.render.lab_view import LabView, view_lab
from stemctl.schema.catalog import load_catalog
from stemctl.util.safe_text import has_unseen
from tests.render.test_html import Tree
from tests.support.effort import examples

SERVER = Target("lab", "https://stem.example/", "private", "2026")
NASTY = st.sampled_from(
    ["</script><img src=x onerror=alert(1)>", "<!--", "]]>", "\u202eabc\u2066", "a\u2028b",
     "__proto__", "</noscript><b>", "'\"&amp;", "constructor", "\x1b[31m", "\x00"]
)  # fmt: skip
WORDS = NASTY | st.text(min_size=1, max_size=12)
DAYS = st.sampled_from(["2024-03-12T09:00:00+01:00", "2024-02-29T00:00:00Z", "0001-01-01", "soon"])
FIELDS = st.fixed_dictionaries(
    {"name": WORDS},
    optional={
        "projects": st.lists(WORDS, max_size=3),
        "tags": st.lists(WORDS, max_size=3),
        "date_time": DAYS,
        "description": WORDS,
        "extra_fields": st.dictionaries(WORDS, WORDS | st.integers() | st.booleans(), max_size=3),
    },
)


def view_of(
    fields: list[Mapping[str, Any]], ids: Mapping[int, str] = {}, changes: tuple[Change, ...] = ()
) -> LabView:
    records = {
        Address("session", str(i)): Record(
            Address("session", str(i)), each, Location(f"records/{i}<b>.yaml", i + 1, 1)
        )
        for i, each in enumerate(fields)
    }
    state = State(
        SERVER.url,
        SERVER.portal,
        SERVER.edition,
        records={Address("session", str(i)): Entry(id_) for i, id_ in ids.items()},
    )
    plan = Plan(SERVER, None, 0, changes)
    return view_lab(Repository(records), state, plan, load_catalog("2026"))


def facts(name: str = "lab") -> LabFacts:
    return LabFacts(name, 1, SERVER, "a" * 40, uncommitted=True, applied=None)


def edited(key: str, value: str) -> Change:
    """An update of a record with this key, of a field of this name."""
    place = Location(f"records/{key}.yaml", 1, 1)
    change = FieldChange(f"extra_fields.{value}", value, f"{value}!", "edited", location=place)
    return Change(
        Address("session", key), Action.UPDATE, "edited", fields=(change,), location=place
    )


PLAIN = Tree(lab_html(view_of([{"name": "a"}], {}, (edited("0", "b"),)), facts()))
NO_DATA = {"li", "ul", "h3", "h2", "p"}
"""Elements of which there is one for each record or count."""


@examples(60)
@given(st.lists(FIELDS, max_size=5), WORDS, st.lists(WORDS, max_size=3))
def test_no_element_comes_from_data(
    fields: list[Mapping[str, Any]], name: str, ids: list[str]
) -> None:
    changes = (edited("0", name), *(edited(id_, name) for id_ in ids))
    page = lab_html(view_of(fields, dict(enumerate(ids)), changes), facts(name))
    tree = Tree(page)
    known = {tag for tag, _ in PLAIN.tags}
    assert {tag for tag, _ in tree.tags} - NO_DATA == known - NO_DATA
    attributes = {(tag, *item) for tag, found in PLAIN.tags for item in found.items()}
    assert {(tag, *item) for tag, found in tree.tags for item in found.items()} <= attributes
    assert tree.count("script") == 2
    assert not has_unseen(page.replace("\n", ""))


@examples(60)
@given(st.lists(FIELDS, max_size=5))
def test_the_script_gets_what_the_records_say(fields: list[Mapping[str, Any]]) -> None:
    view = view_of(fields)
    text = lab_json(view, SERVER)
    assert not set("<>&\u2028\u2029") & set(text)
    document = json.loads(text)
    texts = document["texts"]
    for row, each in zip(document["records"], view.rows, strict=True):
        assert texts[row[1]] == each.name
        assert [texts[i] for i in row[6]] == [part for pair in each.fields for part in pair]
        for group, values in zip(row[7][::2], row[7][1::2], strict=True):
            assert document["counted"][group]
            assert all(texts[i] is not None for i in values)


def test_the_scripts_never_make_elements_from_text() -> None:
    for name in ("lab_page.js", "lab_calendar.js", "lab_table.js"):
        script = asset(name)
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function|srcdoc|fetch|XMLHttp"
            r"|setAttribute\(\"(style|on|href)",
            script,
        )
        assert "</" not in script


def test_what_is_inside_counts_for_what_is_around_it() -> None:
    day, animal = Address("session", "d"), Address("subject", "rat12")
    inner, surgery = Address("behavior", "d/1"), Address("procedure", "rat12/probe")
    place = Location("records/a.yaml", 1, 1)
    records = [
        Record(animal, {"name": "rat12", "strain": "Long Evans"}, place),
        Record(surgery, {"subject": "rat12", "type": "SiliconProbeImplant"}, place, parent=animal),
        Record(day, {"name": "d", "date_time": "2024-03-12", "projects": ["P"]}, place),
        Record(inner, {"session": "d", "subjects": ["rat12"], "setup": "S"}, place, parent=day),
    ]
    repository = Repository({record.address: record for record in records})
    state = State(SERVER.url, SERVER.portal, SERVER.edition)
    view = view_lab(repository, state, Plan(SERVER, None, 0, ()), load_catalog("2026"))
    said = {
        row.address: {group.title: texts for group, texts in groups.items()}
        for row, groups in zip(view.rows, view.groups, strict=True)
    }
    assert said[day]["Subject"] == ("rat12",)
    assert said[inner]["Project"] == ("P",)
    assert "Session" not in said[day]
    assert said[surgery]["Strain"] == ("Long Evans",)
    assert view.first is not None
    first = view.models[view.first]
    assert (first.model.name, first.by and first.by.title) == ("session", "Subject")
