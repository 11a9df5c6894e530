"""The page of a repository: from files and state alone, in a file that is nobody else's."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.git.team import Team
from tests.support.lab import Lab, run_in_process
from tests.support.paths import PROJECT
from tests.support.served import Gate


def page(lab: Lab) -> str:
    return (lab.root / "report.html").read_text(encoding="utf-8")


def data(text: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found
    return json.loads(found[1])


def records(text: str) -> dict[str, dict[str, Any]]:
    """The records of the page by name, as its script sees them."""
    document = data(text)
    texts, counted = document["texts"], document["counted"]
    return {
        texts[row[1]]: {
            "place": texts[row[3]],
            "id": texts[row[4]],
            "when": texts[row[5]],
            "fields": {texts[a]: texts[b] for a, b in zip(row[6][::2], row[6][1::2], strict=True)},
            "counted": {
                counted[a]: [texts[one] for one in b]
                for a, b in zip(row[7][::2], row[7][1::2], strict=True)
            },
            "changes": [texts[one] for one in row[8]],
        }
        for row in document["records"]
    }


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked of any server."""
    monkeypatch.setattr(socket.socket, "connect", _refuse)


def _refuse(*arguments: object) -> None:
    raise AssertionError("a connection")


@pytest.mark.usefixtures("deaf")
def test_it_is_made_from_files_and_state_alone(lab: Lab) -> None:
    dated = "{name: s2, date_time: '2024-03-12T09:00:00Z'}"
    lab.sessions("{name: s1, tags: [a]}", dated)
    lab.apply()
    lab.sessions("{name: s1, tags: [b]}", dated, "{name: s3}")
    result = lab.run("report")
    assert (result.code, lab.requests) == (0, [])
    assert result.out == "Wrote report.html: a page of 3 records.\n"
    found = records(page(lab))
    assert [found[name]["counted"]["Status"] for name in found] == [
        ["to update"],
        ["applied"],
        ["to create"],
    ]
    assert found["s1"]["changes"] == ["tags: a → b"]
    assert found["s2"]["when"] == "2024-03-12 09:00"
    assert found["s2"]["id"] == lab.state["records"]["session/s2"]["id"]
    assert found["s3"]["id"] == ""
    assert found["s2"]["place"] == "records/sessions.yaml:6"
    assert "Not applied yet: 2 records" in page(lab)


def test_what_left_the_files_is_not_applied_yet(lab: Lab) -> None:
    lab.sessions("{name: s1}", "{name: s2}")
    lab.apply()
    lab.sessions("{name: s1}")
    assert lab.run("report").code == 0
    assert "session/s2" in page(lab)
    assert list(records(page(lab))) == ["s1"]


def test_the_same_files_make_the_same_bytes(lab: Lab) -> None:
    lab.sessions("{name: s1, tags: [a, b]}")
    lab.apply()
    assert lab.run("report", "--out", "-").out == lab.run("report", "--out", "-").out
    assert not (lab.root / "report.html").exists()


def test_only_its_own_page_is_overwritten(lab: Lab) -> None:
    lab.sessions("{name: s1}")
    assert lab.run("report").code == lab.run("report").code == 0
    lab.write("mine.html", "<html>")
    refused = lab.run("report", "--out", "mine.html")
    assert refused.code == 1
    assert "not overwrite" in refused.err
    assert (lab.root / "mine.html").read_text(encoding="utf-8") == "<html>"


def test_a_link_is_not_followed(lab: Lab, tmp_path: Path) -> None:
    lab.sessions("{name: s1}")
    target = tmp_path / "elsewhere"
    (lab.root / "report.html").symlink_to(target)
    assert lab.run("report").code == 1
    assert not target.exists()


def test_errors_in_the_files_are_told_in_place_of_a_page(lab: Lab) -> None:
    lab.sessions("{name: s1, tagz: [a]}")
    result = lab.run("report")
    assert result.code == 1
    assert "records/sessions.yaml:5" in result.out
    assert not (lab.root / "report.html").exists()


def test_what_only_a_plan_finds_is_told_as_well(lab: Lab) -> None:
    lab.write("records/sessions.yaml", "sessions: [{name: s1}]")
    result = lab.run("report")
    assert result.code == 1
    assert "a new session needs `projects`" in result.out
    assert not (lab.root / "report.html").exists()


def test_a_repository_without_records_has_a_page(lab: Lab) -> None:
    lab.sessions()
    result = lab.run("report")
    assert (result.code, result.out) == (0, "Wrote report.html: a page of 0 records.\n")
    assert "No records in 1 file." in page(lab)
    assert "applied to" not in page(lab)


def test_no_manifests_is_an_error(lab: Lab) -> None:
    result = lab.run("report")
    assert result.code == 1
    assert "No manifests found" in result.err


def test_quiet_tells_only_the_file(lab: Lab) -> None:
    lab.sessions("{name: s1}")
    result = lab.run("-q", "report")
    assert (result.out, result.err) == ("Wrote report.html: a page of 1 record.\n", "")


def test_a_page_that_is_not_at_the_root_is_told_where_it_is(lab: Lab) -> None:
    lab.sessions("{name: s1}")
    below = lab.root / "records"
    found = lab.run("-C", str(below), "report")
    assert f"Wrote {below / 'report.html'}:" in found.out
    assert (below / "report.html").is_file()
    assert "report --open" not in found.said  # it would write another page, at the root


def test_a_shared_state_is_that_which_was_fetched_last(
    team: Team, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.opened.set()
    ann, ben = team.clone("ann"), team.clone("ben")
    ann.apply()
    team.remote.rename(team.folder / "away.git")
    monkeypatch.setattr(socket.socket, "connect", _refuse)
    found = ann.run("report", "--out", "-")
    assert (found.code, found.err) == (0, "")
    assert records(found.out)["rat1"]["counted"]["Status"] == ["applied"]
    found = ben.run("report", "--out", "-")
    assert found.code == 0
    assert "never fetched" in found.err
    assert "<h2>Not known to be applied, since the shared state was never fetched:" in found.out
    assert "Nothing is applied" not in found.out
    assert records(found.out)["rat1"]["counted"]["Status"] == ["to create"]


def test_names_lead_to_the_calendar_where_nothing_else_does(lab: Lab) -> None:
    days = [f"{{name: rat{i % 2}_{i}, date_time: '2024-03-1{i}T09:00:00Z'}}" for i in range(6)]
    lab.sessions(*days)
    lab.run("report")
    document = data(page(lab))
    _, many, _, _, by, moments, _ = document["models"][document["first"]]
    assert (many, document["counted"][by], moments) == (
        "sessions",
        "First word of the name",
        "date time",
    )


def test_only_servers_of_the_web_have_links(lab: Lab) -> None:
    lab.sessions("{name: s1}")
    lab.run("report")
    assert data(page(lab))["base"] == ""
    lab.write(
        "stemctl.yaml",
        """\
        manifests: [records]
        servers:
          lab: {url: "https://stem.example/", edition: 2024}
        """,
    )
    lab.run("report")
    assert data(page(lab))["base"] == "https://stem.example/api/private/"


@pytest.fixture
def rat_lab(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT / "examples" / "rat-lab", tmp_path / "rat-lab"))


def statuses(folder: Path) -> Counter[str]:
    assert run_in_process("-C", str(folder), "report").code == 0
    text = (folder / "report.html").read_text(encoding="utf-8")
    return Counter(one for row in records(text).values() for one in row["counted"]["Status"])


def test_before_the_first_apply_nothing_waits(rat_lab: Path) -> None:
    """What others decide on is usually there already; only the server could tell."""
    assert set(statuses(rat_lab)) == {"to create"}


def test_what_refers_to_a_proposal_waits_once_it_was_sent(rat_lab: Path) -> None:
    strains = "strains:\n  - {name: New, description: x, species: Rattus norvegicus}\n"
    path = rat_lab / "records" / "new.yaml"
    path.write_text(strains, encoding="utf-8")
    assert run_in_process("-C", str(rat_lab), "apply", "--auto-approve").code == 0
    subject = "{name: rat99, sex: M, strain: New, projects: [Theta Maze Study]}"
    path.write_text(f"{strains}subjects:\n  - {subject}\n", encoding="utf-8")
    found = statuses(rat_lab)
    assert "to create" not in found
    assert found["waiting for others"] >= 2
