"""Edits of records: each value goes where it is written, and nothing else changes."""

from __future__ import annotations

import sys
from collections import Counter
from types import FrameType
from typing import Any

import pytest

from stemctl.commands.rewrite import sources_of, write
from stemctl.config.config import load_config
from stemctl.core.records import Address
from stemctl.core.rewrite import Rewrite
from stemctl.manifests import edited_files
from stemctl.manifests.draft import Draft
from stemctl.manifests.field_edits import FieldEdits
from stemctl.schema.catalog import load_catalog
from tests.support.edition_2026 import begin
from tests.support.lab import Lab

FILE = "records/lab.yaml"
FOLDER = "records/_defaults.yaml"
TEXT = """\
# The lab.
defaults:
  sessions:
    projects: [Theta]   # all of them
    tags: [raw]

sessions:
  # First.
  - name: monday
    description: One.

  - name: tuesday
    tags: [good]  # by eye
    behaviors:
      - {key: late, notes: Late.}
"""


@pytest.fixture
def lab(lab: Lab) -> Lab:
    begin(lab)
    lab.write(FILE, TEXT)
    return lab


def draft_of(lab: Lab) -> Draft:
    config = load_config(lab.root)
    return Draft(sources_of(config, load_catalog("2026")))


def written(lab: Lab, rewrite: Rewrite) -> str:
    assert rewrite.problems == ()
    assert rewrite.refused == ()
    done = write(load_config(lab.root), rewrite)
    assert done.left == {}
    return (lab.root / FILE).read_text()


MONDAY, TUESDAY = Address("session", "monday"), Address("session", "tuesday")


def test_a_value_changes_where_it_is_written(lab: Lab) -> None:
    draft = draft_of(lab)
    draft.set(MONDAY, "description", "Two.")
    assert written(lab, draft.finish()) == TEXT.replace("One.", "Two.")


def test_a_value_of_defaults_changes_there_if_all_change_alike(lab: Lab) -> None:
    draft = draft_of(lab)
    for address in (MONDAY, TUESDAY):
        draft.set(address, "projects", ["Beta"])
    assert written(lab, draft.finish()) == TEXT.replace("projects: [Theta]", "projects: [Beta]")


def test_the_defaults_stay_if_one_record_alone_changes(lab: Lab) -> None:
    draft = draft_of(lab)
    draft.set(MONDAY, "date_time", "2024-03-12T09:00:00Z")
    draft.set(MONDAY, "tags", ["raw", "odd"])
    text = written(lab, draft.finish())
    assert "    tags: [raw]\n" in text
    assert text.index("description: One.") < text.index("date_time: ") < text.index("tags: [odd]")


def test_an_element_of_defaults_goes_for_one_record_by_no_defaults(lab: Lab) -> None:
    draft = draft_of(lab)
    draft.set(TUESDAY, "tags", ["good"])
    text = written(lab, draft.finish())
    assert "no_defaults: [tags]" in text
    after = draft_of(lab).sources.repository.records
    assert after[TUESDAY].fields["tags"] == ["good"]
    assert after[MONDAY].fields["tags"] == ["raw"]


def test_elements_of_two_fields_go_for_one_record(lab: Lab) -> None:
    draft = draft_of(lab)
    draft.set(TUESDAY, "tags", ["good"])
    draft.set(TUESDAY, "projects", ["Delta"])
    assert "no_defaults: [tags, projects]" in written(lab, draft.finish())
    after = draft_of(lab).sources.repository.records[TUESDAY].fields
    assert (after["tags"], after["projects"]) == (["good"], ["Delta"])


def test_an_element_of_defaults_goes_there_if_all_lose_it(lab: Lab) -> None:
    draft = draft_of(lab)
    draft.set(MONDAY, "tags", ["fine"])
    draft.set(TUESDAY, "tags", ["good", "fine"])
    text = written(lab, draft.finish())
    assert "    tags: [fine]\n" in text
    assert "no_defaults" not in text
    assert "tags: [good]  # by eye" in text


def test_a_value_of_folder_defaults_is_shared_by_all_files(lab: Lab) -> None:
    lab.write(FOLDER, "defaults:\n  sessions: {description: Same.}\n")
    lab.write("records/more.yaml", "sessions:\n  - {name: friday, projects: [Theta]}\n")
    draft = draft_of(lab)
    draft.set(TUESDAY, "description", "Other.")
    text = written(lab, draft.finish())
    assert "Same." in (lab.root / FOLDER).read_text()
    assert "description: Other." in text
    draft = draft_of(lab)
    draft.set(Address("session", "friday"), "description", "New.")
    written(lab, draft.finish())
    assert (lab.root / FOLDER).read_text() == "defaults:\n  sessions: {description: New.}\n"


@pytest.mark.parametrize("tags", [[], ["new"], ["raw", "new"]])
def test_an_element_that_folder_defaults_have_as_well_goes_for_all(
    lab: Lab, tags: list[str]
) -> None:
    lab.write(FOLDER, "defaults:\n  sessions: {tags: [raw, kept]}\n")
    lab.write("records/more.yaml", "sessions:\n  - {name: friday, projects: [Theta]}\n")
    draft = draft_of(lab)
    for address in (MONDAY, TUESDAY):
        draft.set(address, "tags", tags)
    written(lab, draft.finish())
    after = draft_of(lab).sources.repository.records
    assert [after[one].fields.get("tags", []) for one in (MONDAY, TUESDAY)] == [tags, tags]
    assert after[Address("session", "friday")].fields["tags"] == ["raw", "kept"]


def test_a_default_that_hides_another_one_goes_for_all(lab: Lab) -> None:
    lab.write(FOLDER, "defaults:\n  sessions: {date_time: 2024-03-12}\n")
    lab.write(FILE, TEXT.replace("tags: [raw]", "date_time: 2024-03-13"))
    draft = draft_of(lab)
    for address in (MONDAY, TUESDAY):
        draft.unset(address, "date_time")
    written(lab, draft.finish())
    after = draft_of(lab).sources.repository.records
    assert all("date_time" not in after[one].fields for one in (MONDAY, TUESDAY))


def test_what_nobody_asked_for_is_refused(lab: Lab) -> None:
    """Two records of one name share their defaults by accident of a bug: the proof sees it."""
    draft = draft_of(lab)
    draft.set(MONDAY, "projects", ["Beta"])
    draft.set(TUESDAY, "projects", ["Beta"])
    rewrite = draft.finish()
    del draft._fields[TUESDAY]
    repository, _ = edited_files.check(draft.sources, rewrite.files)
    found = edited_files.prove(draft.sources.repository, repository, draft._touched())
    assert [finding.address for finding in found] == ["session/tuesday"]


def test_what_was_asked_for_is_proven(lab: Lab) -> None:
    """Defaults that add an element, or a value that they hide: the proof sees both."""
    draft = draft_of(lab)
    after, catalog = draft.sources.repository, draft.sources.catalog
    wanted: dict[Address, dict[str, Any]] = {TUESDAY: {"tags": ["good"], "projects": ["Beta"]}}
    found = edited_files.prove_wanted(after, catalog, wanted)
    assert [finding.field for finding in found] == ["tags", "projects"]
    wanted = {TUESDAY: {"tags": ["good", "raw"], "projects": ["Theta"]}}
    assert edited_files.prove_wanted(after, catalog, wanted) == []


def test_an_edit_that_defaults_undo_is_refused(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a fault in the edits, such as a `no_defaults` that gets lost, nothing is written."""
    monkeypatch.setattr(FieldEdits, "_without_defaults", lambda self, address, name: None)
    draft = draft_of(lab)
    draft.set(TUESDAY, "tags", ["good"])
    rewrite = draft.finish()
    assert [problem.code for problem in rewrite.problems] == ["not-as-asked"]
    assert write(load_config(lab.root), rewrite).files == []


def test_children_and_directives_are_added_and_records_taken(lab: Lab) -> None:
    draft = draft_of(lab)
    draft.add_record("behavior", {"key": "early", "notes": "Early."}, parent=TUESDAY)
    draft.add_record("session", {"name": "friday"}, FILE)
    draft.remove_record(MONDAY)
    draft.add_directive("deleted", "session/monday", FILE)
    rewrite = draft.finish()
    text = written(lab, rewrite)
    assert text.endswith("deleted: [session/monday]\n") or "deleted:\n  - session/monday" in text
    records = draft_of(lab).sources.repository.records
    assert set(records) == {
        TUESDAY,
        Address("session", "friday"),
        Address("behavior", "tuesday/late"),
        Address("behavior", "tuesday/early"),
    }
    assert {(str(r.address), r.done) for r in rewrite.records} == {
        ("behavior/tuesday/early", "added"),
        ("session/friday", "added"),
        ("session/monday", "removed"),
    }


def test_a_file_that_would_not_be_read_is_refused(lab: Lab) -> None:
    for name in ("elsewhere/a.yaml", "records/.a.yaml", "../a.yaml", "records/a.txt"):
        draft = draft_of(lab)
        draft.add_record("session", {"name": "friday", "projects": ["Theta"]}, name)
        assert [p.code for p in draft.finish().problems] == ["no-manifest"], name


def test_a_file_that_changed_meanwhile_is_left(lab: Lab) -> None:
    draft = draft_of(lab)
    draft.set(MONDAY, "description", "Two.")
    rewrite = draft.finish()
    lab.write(FILE, TEXT + "# later\n")
    done = write(load_config(lab.root), rewrite)
    assert done.left == {FILE: "changed while this command ran"}
    assert (lab.root / FILE).read_text() == TEXT + "# later\n"


def test_a_link_is_neither_edited_nor_replaced(lab: Lab) -> None:
    (lab.root / "records/real").mkdir()
    (lab.root / FILE).rename(lab.root / "records/real/lab.yaml")
    (lab.root / FILE).symlink_to("real/lab.yaml")
    (lab.root / "stemctl.yaml").write_text(
        (lab.root / "stemctl.yaml").read_text().replace("[records]", "[records/lab.yaml]")
    )
    draft = draft_of(lab)
    draft.set(MONDAY, "description", "Two.")
    (refusal,) = draft.finish().refused
    assert refusal.why == "it is a link, or behind one"


def test_the_effort_grows_with_the_number_of_edits(lab: Lab) -> None:
    few, many = (calls_of_a_draft(lab, number) for number in (15, 60))
    grown = {name for name, count in many.items() if count > 5 * max(few[name], 15)}
    assert grown == set()


def calls_of_a_draft(lab: Lab, number: int) -> Counter[str]:
    """How often each function is called to add so many records and to change as many."""
    lines = "".join(f"  - {{name: old {n}, description: One.}}\n" for n in range(number))
    lab.write("records/old.yaml", f"subjects:\n{lines}")
    draft = draft_of(lab)
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            calls[f"{frame.f_globals.get('__name__')}.{frame.f_code.co_name}"] += 1

    sys.setprofile(count)
    try:
        for n in range(number):
            draft.set(Address("subject", f"old {n}"), "description", f"Number {n}.")
            draft.add_record("subject", {"name": f"new {n}", "sex": "M"}, "records/new.yaml")
            draft.add_directive("forget", f"subject/gone {n}", FILE)
        assert draft.finish().refused == ()
    finally:
        sys.setprofile(None)
    return calls
