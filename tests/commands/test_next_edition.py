"""From edition 2024 to 2026: `edition: 2026` is the whole step, fmt changes what it can, and the
state goes along.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.manifests import reader
from stemctl.manifests.formatter.item_keys import with_keys_of
from stemctl.schema.catalog import load_catalog
from tests.support.effort import examples
from tests.support.lab import CONFIG, Lab

NEWER = CONFIG.replace("seed: seed.yaml", "seed: seed.yaml, edition: 2026")

SESSIONS = """\
# Our links; the second one is shared.
defaults:
  sessions:
    projects: [Theta Maze Study]
    download_links: &links
      - Repository: DANDI   # first
        "URL": https://dandiarchive.org/1
sessions:
  - name: a
    tags: [x]
  - name: b
    download_links:
      - {URL: 'https://zenodo.org/2', Repository: Zenodo}   # URL, Repository
  - name: c
    name_used_in_storage: c01
    extra_fields: {URL: kept, Repository: kept}
"""
STIMULI = "sensory_stimulus_types:\n  - {name: Auditory, description: Auditory cue}\n"


@pytest.fixture
def applied(lab: Lab) -> Lab:
    """A lab of 2024 that was applied, and is to go on with 2026."""
    lab.write("records/sessions.yaml", SESSIONS)
    lab.write("records/stimuli.yaml", STIMULI)
    lab.run("fmt")
    # The server of 2024 does not show the name in storage again, which an apply reports.
    assert lab.run("apply", "--auto-approve").code == 3
    return lab


def test_the_whole_way(applied: Lab) -> None:
    before = applied.state
    applied.write("stemctl.yaml", NEWER)

    result = applied.run("plan")
    assert result.code == 1
    for place in ("sessions.yaml:6:9", "sessions.yaml:15:5", "stimuli.yaml:1:1"):
        assert f"records/{place}" in result.out
    assert applied.writes == []

    result = applied.run("fmt", "--edition", "2026")
    assert result.code == 3, result.said
    assert "2 lines have to be changed by you for edition 2026." in result.out
    assert "name_used_in_storage" in result.out
    assert "since 2024-12-22" in result.out
    assert "`url`" not in result.out

    text = (applied.root / "records/sessions.yaml").read_text()
    assert "- repository: DANDI   # first" in text
    assert '"url": https://dandiarchive.org/1' in text
    assert "{url: 'https://zenodo.org/2', repository: Zenodo}   # URL, Repository" in text
    assert "extra_fields: {URL: kept, Repository: kept}" in text
    applied.write("records/sessions.yaml", text.replace("    name_used_in_storage: c01\n", ""))
    (applied.root / "records/stimuli.yaml").unlink()
    result = applied.run("fmt", "--edition", "2026")
    assert result.code == 0, result.said
    assert "The files fit edition 2026." in result.out

    (link,) = applied.live("session", "a")["download_links"]
    assert link == {"repository": "DANDI", "url": "https://dandiarchive.org/1"}
    plan = applied.plan()
    assert plan["changes"] == []
    assert plan["unchanged"] == 3
    texts = [note["text"] for note in plan["notes"]]
    assert any("1 record of the state is left alone" in text for text in texts), texts
    applied.apply()
    assert applied.writes == []
    gone = "sensorystimulustype/Auditory"
    assert applied.state["records"][gone] == before["records"][gone]
    assert applied.run("plan", "--detailed-exitcode").code == 0
    assert applied.run("drift", "--detailed-exitcode").code == 0


def test_it_goes_on_with_what_is_new(applied: Lab) -> None:
    """A field that becomes writable, and a model of 2026, beside the records of 2024."""
    applied.run("fmt", "--edition", "2026")
    (applied.root / "records/stimuli.yaml").unlink()
    text = (applied.root / "records/sessions.yaml").read_text()
    text = text.replace("    name_used_in_storage: c01\n", "    datastorage: [Server]\n")
    applied.write("records/sessions.yaml", text)
    applied.write("records/more.yaml", "datastorages:\n  - {name: Server}\n")
    applied.write("stemctl.yaml", NEWER)
    plan = applied.plan()
    actions = {change["address"]: change["action"] for change in plan["changes"]}
    assert actions == {"datastorage/Server": "create", "session/c": "update"}
    applied.apply()
    assert applied.run("plan", "--detailed-exitcode").code == 0


def test_and_back(applied: Lab) -> None:
    """The keys of the older edition, and the state of the newer one, work the other way as well."""
    text = (applied.root / "records/sessions.yaml").read_text()
    result = applied.run("fmt", "--edition", "2026")
    assert "Also write edition: 2026 in stemctl.yaml, for sandbox." in result.err
    assert applied.run("fmt", "--edition", "2024").code == 0
    assert (applied.root / "records/sessions.yaml").read_text() == text
    assert applied.run("plan", "--detailed-exitcode").code == 0


def test_check_and_diff_write_nothing(applied: Lab) -> None:
    text = (applied.root / "records/sessions.yaml").read_text()
    for option in ("--check", "--diff"):
        result = applied.run("fmt", "--edition", "2026", option)
        assert result.code == 1
        assert "sessions.yaml" in result.out
    assert (applied.root / "records/sessions.yaml").read_text() == text


def test_a_record_of_a_gone_model_can_be_looked_up_and_dropped(applied: Lab) -> None:
    applied.write("stemctl.yaml", NEWER)
    gone = "sensorystimulustype/Auditory"
    (applied.root / "records/stimuli.yaml").unlink()
    result = applied.run("show", gone)
    assert result.code == 1
    assert "stemctl" in result.err
    assert "state show sensorystimulustype/Auditory" in result.err
    assert applied.run("state", "show", gone).code == 0
    assert applied.run("state", "rm", gone).code == 0
    assert "left alone" not in applied.run("plan").out


def test_an_edition_that_is_not_there(applied: Lab) -> None:
    result = applied.run("fmt", "--edition", "2031")
    assert result.code == 1
    assert "2024, 2026" in result.err


_keys = st.sampled_from(["URL", "url", "Url", "Repository", "'URL'", '"Repository"', "other"])
_item = st.lists(_keys, max_size=4, unique_by=lambda key: key.strip("'\""))


@given(st.lists(_item, max_size=4), st.booleans(), st.sampled_from(["\n", "\r\n"]))
@examples(200)
def test_only_the_case_of_keys_changes(items: list[list[str]], flow: bool, end: str) -> None:
    catalog = load_catalog("2026")
    lines = ["# URL: Repository", "sessions:", "  - name: URL", "    download_links:"]
    for item in items:
        pairs = [f"{key}: 'URL: x'" for key in item] or ["URL: x"]
        if flow:
            lines.append("      - {" + ", ".join(pairs) + "}  # URL")
        else:
            lines += [f"      {'- ' if not i else '  '}{pair}" for i, pair in enumerate(pairs)]
    text = end.join([*lines, ""])
    changed = with_keys_of(text, "a.yaml", catalog)
    assert changed.lower() == text.lower()
    assert with_keys_of(changed, "a.yaml", catalog) == changed
    before, after = (reader.parse(each.encode(), "a.yaml").root for each in (text, changed))
    assert (before is None) == (after is None)
    if after is not None and items:
        for item in after.value["sessions"][0]["download_links"]:
            folded = [key.lower() for key in item]
            twice = {key for key in folded if folded.count(key) > 1}
            assert all(key == key.lower() for key in item if key.lower() not in twice)


def test_a_file_that_cannot_be_read_stays_as_it_is(applied: Lab, tmp_path: Path) -> None:
    applied.write("records/broken.yaml", "sessions: [\n")
    assert applied.run("fmt", "--edition", "2026").code == 3
    assert (applied.root / "records/broken.yaml").read_text() == "sessions: [\n"
