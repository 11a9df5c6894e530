"""What can be typed to name records: addresses, names, models, patterns, files; and what is said of
words that mean nothing, or too much.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.lab import Lab

TYPES = "sensory_stimulus_types:\n  - {name: both, description: Puff}\n"


@pytest.fixture
def five(lab: Lab) -> Lab:
    """Four sessions in two files, and a proposal that shares its name with one of them."""
    lab.sessions(
        "{name: rat20_maze, description: Maze.}", "{name: rat20_sleep}", name="records/rat20.yaml"
    )
    lab.sessions("{name: both}", "{key: short, name: rat21 long}", name="records/more/rat21.yaml")
    lab.write("records/types.yaml", TYPES)
    return lab


def selected(plan: Any) -> set[str]:
    return {change["address"] for change in plan["changes"]}


MAZE, SLEEP = "session/rat20_maze", "session/rat20_sleep"
ALL = {MAZE, SLEEP, "session/both", "session/short"}
MEANT = [
    (["rat20_maze"], {MAZE}),
    (["session/rat20_maze"], {MAZE}),
    (["Sessions/rat20_maze"], {MAZE}),
    (["rat20_maze", "rat20_sleep"], {MAZE, SLEEP}),
    (["rat20_*"], {MAZE, SLEEP}),
    (["rat20_????"], {MAZE}),
    (["session"], ALL),
    (["sessions"], ALL),
    (["session/"], ALL),
    (["session/*"], ALL),
    (["sensory_stimulus_types"], {"sensorystimulustype/both"}),
    (["short"], {"session/short"}),
    (["rat21 long"], {"session/short"}),
    (["session/rat21 long"], {"session/short"}),
    (["records/rat20.yaml"], {MAZE, SLEEP}),
    (["records/more"], {"session/both", "session/short"}),
    (["session", "--exclude", "rat20_maze"], ALL - {MAZE}),
    (["--exclude", "session"], {"sensorystimulustype/both"}),
]


@pytest.mark.parametrize("words, meant", MEANT, ids=[" ".join(words) for words, _ in MEANT])
def test_what_a_word_selects(five: Lab, words: list[str], meant: set[str]) -> None:
    assert selected(five.plan(*words)) == meant
    assert five.run("apply", "-y", *words).code == 0
    posted = [sent.body["name"] for sent in five.writes]
    assert len(posted) == len(meant)


def test_a_folder_that_is_called_as_a_model_stays_a_folder(lab: Lab) -> None:
    lab.write("stemctl.yaml", (lab.root / "stemctl.yaml").read_text().replace("records", "session"))
    lab.sessions("{name: a}", name="session/session/a.yaml")
    lab.sessions("{name: b}", name="session/b.yaml")
    assert selected(lab.plan("session/session")) == {"session/a"}
    assert selected(lab.plan("session/b.yaml")) == {"session/b"}
    assert selected(lab.plan("session")) == {"session/a", "session/b"}


WRONG = [
    ("both", "`both` can mean `sensorystimulustype/both` or `session/both`."),
    ("rat20_maz", "Did you mean `session/rat20_maze`"),
    ("session/rat20_maz", "Did you mean `session/rat20_maze`"),
    ("sesion", "Did you mean `session"),
    ("rat20.yml", "Did you mean `records/rat20.yaml`"),
    ("records/rat20.yml", "Did you mean `records/rat20.yaml`"),
    ("datastorage", "There are no data storages in the files or in the state."),
    ("zebra", "An address is MODEL/KEY"),
]


@pytest.mark.parametrize("command", [["plan"], ["apply", "-y"], ["drift"], ["show"], ["resolve"]])
@pytest.mark.parametrize("word, said", WRONG, ids=[word for word, _ in WRONG])
def test_a_word_that_means_nothing_or_too_much(
    five: Lab, command: list[str], word: str, said: str
) -> None:
    result = five.run(*command, word)
    assert (result.code, five.requests) == (1, [])
    assert said in result.err


def test_names_in_the_commands_about_one_record(five: Lab) -> None:
    five.apply()
    id_ = five.live("session", "rat20_maze")["id"]
    assert "session/rat20_maze" in five.run("show", "rat20_maze").out
    assert "matches 4 records" in five.run("show", "session").err
    assert five.run("state", "show", "rat20_maze").json["id"] == id_
    assert five.run("get", "rat20_maze", "-o", "json").json["id"] == id_
    assert five.run("get", "session/rat20_maze", "-o", "json").json["id"] == id_
    five.edit("session", "rat20_maze", description="Changed.")
    assert "1 changed" in five.run("drift", "rat20_maze").out
    assert "1 changed" in five.run("drift", "records/rat20.yaml").out
    assert "1 changed" not in five.run("drift", "rat20_sleep").out
    assert five.run("state", "mv", "rat20_maze", "rat20_track").code == 0
    assert "session/rat20_track" in five.state["records"]
    assert five.run("state", "rm", "rat20_track").code == 0
    bound = five.run("import", "rat20_maze", id_)
    assert (bound.code, "session/rat20_maze is bound" in bound.out) == (0, True)


SLIPS = [
    (["state", "rm", "session", "rat20_maze"], "stemctl state rm session/rat20_maze"),
    (["state", "rm", "session", "nobody"], "stemctl state rm session/nobody"),
    (["state", "rm", "rat20_maze", "sessions"], "stemctl state rm session/NAME"),
    (["state", "rm", "session/"], "stemctl state rm session/NAME"),
    (["state", "mv", "session", "rat20_track"], "stemctl state mv session/NAME rat20_track"),
    (["resolve", "session", "rat20_maze"], "stemctl resolve session/rat20_maze"),
    (["resolve", "session", "--keep", "files"], "stemctl resolve session/NAME"),
    (["import", "session", "rat20_maze"], "stemctl import session/rat20_maze ID"),
    (["approvals", "accept", "session", "rat20_maze"], "stemctl approvals list"),
]


@pytest.mark.parametrize("words, proposed", SLIPS, ids=[" ".join(words) for words, _ in SLIPS])
def test_a_model_alone_never_changes_the_state_of_all_its_records(
    five: Lab, words: list[str], proposed: str
) -> None:
    five.apply()
    before = five.state
    result = five.run(*words)
    assert (result.code, result.out, five.state) == (1, "", before)
    assert "` is a model: write session/NAME" in result.err
    assert f"{proposed} " in result.err.replace(f" -C {five.root}", "") + " "
    assert "Nothing was changed." in result.err


def test_all_records_of_a_model_are_forgotten_by_a_pattern(five: Lab) -> None:
    five.apply()
    assert "Removed 4 records" in five.run("state", "rm", "session/*").out


NO_NAMES = [
    ("rat20*", "--filter name.startswith=rat20 ", "`rat20_maze` or `rat20_sleep`"),
    ("rat20", "--filter name.startswith=rat20 ", "`rat20_maze` or `rat20_sleep`"),
    ("*maze", "--filter name.contains=maze ", ""),
    ("rat20_maz", "--filter name.startswith=rat20_maz ", "Did you mean `rat20_maze`"),
    ("rat20_mase", "stemctl get session ", "Did you mean `rat20_maze`"),
    ("zebra", "stemctl get session ", ""),
    ("*", "stemctl get session ", ""),
]


@pytest.mark.parametrize("word, proposed, near", NO_NAMES, ids=[word for word, *_ in NO_NAMES])
def test_a_name_that_no_record_has_is_told_the_nearest(
    five: Lab, word: str, proposed: str, near: str
) -> None:
    five.apply()
    result = five.run("get", "session", word)
    assert (result.code, result.out) == (1, "")
    assert proposed in result.err.replace(f" -C {five.root}", "")
    assert near in result.err
    assert "startswith= " not in result.err
    assert ("Did you mean" in result.err) == bool(near)


def test_the_state_is_listed_and_forgotten_in_parts(five: Lab) -> None:
    five.apply()
    assert set(five.run("state", "list", "session", "-o", "json").json) == ALL
    assert set(five.run("state", "list", "rat20_*", "-o", "json").json) == {MAZE, SLEEP}
    assert "Removed 2 records" in five.run("state", "rm", "session/rat20_*").out
    assert (
        "No record matches `rat20_maze`, in the state."
        in five.run("state", "list", "rat20_maze").err
    )


def test_each_of_several_is_tried_and_named(five: Lab) -> None:
    five.apply()
    result = five.run("state", "rm", "session/nobody", "rat20_maze", "session/none")
    assert result.code == 3
    assert "Removed 1 record" in result.out
    assert "Error: 2 of 3 targets failed." in result.err
    for name in ("session/nobody", "session/none"):
        assert f"No record matches `{name}`, in the state." in result.err
    assert "Already done: Removed 1 record" in result.err
    assert "session/rat20_maze" not in five.state["records"]
    assert five.run("state", "rm", "x", "y").code == 1


PROPOSED = "sensory_stimulus_types:\n" + "".join(
    f"  - {{name: {name}, description: Puff}}\n" for name in ("A1", "B1", "C1", "D1")
)


@pytest.mark.parametrize("verdict, status", [("accept", "Accepted"), ("reject", "Rejected")])
def test_each_proposal_is_tried_and_named(lab: Lab, verdict: str, status: str) -> None:
    lab.write("records/types.yaml", PROPOSED)
    lab.apply()

    def refuse(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH" and refused in str(request.url):
            return httpx.Response(400, json={"detail": "Name already taken"})
        return None

    documents = lab.run("approvals", "list", "-o", "json").json
    ids = {each["address"].rpartition("/")[2]: each["approval"]["id"] for each in documents}
    refused = ids["B1"]
    lab.intercept = refuse
    words = ["A1", "sensorystimulustype/B1", "nobody", ids["C1"], "A1"]
    result = lab.run("approvals", verdict, *words, token="sandbox-admin")
    assert result.code == 3
    assert result.out.count(f"{status.lower()}, approval") == 2
    assert "Error: 2 of 4 proposals failed." in result.err
    assert "sensorystimulustype/B1: The server refused the request (400)." in result.err
    assert "Name already taken" in result.err
    assert "No pending proposal matches nobody" in result.err
    now = {
        each["address"].rpartition("/")[2]: each["approval"]["status"]
        for each in lab.run("approvals", "list", "-o", "json", token="sandbox-admin").json
    }
    assert now == {"A1": status, "B1": "Pending", "C1": status, "D1": "Pending"}
    failed = lab.run("approvals", verdict, "B1", "-o", "json", token="sandbox-admin")
    assert (failed.code, failed.json["exit_code"]) == (1, 1)


BAD_IDS = [
    "../../x",
    "x",
    "a?b=c",
    "x#y",
    "",
    " ",
    "5f7f1d0e",
    "*",
    "..",
    "%2e%2e",
    "1/2",
    "é",
    "a\nb",
]


@pytest.mark.parametrize("id_", BAD_IDS)
def test_nothing_is_sent_for_what_is_no_id(lab: Lab, id_: str) -> None:
    result = lab.run("import", "session/x", id_)
    assert (result.code, lab.requests) == (1, [])
    assert "is not an id" in result.err
    assert "The id of a session is a UUID" in result.err


def test_a_record_that_is_not_found_by_its_id_is_named(lab: Lab) -> None:
    id_ = "5f7f1d0e-8a80-4d8e-9d3c-3f1b6c0f1a11"
    for words in (["import", "session/x", id_], ["get", "session", id_]):
        result = lab.run(*words)
        assert result.code == 1
        assert f"has no session with the id {id_}, or hides it from you (404)." in result.err


@pytest.mark.parametrize("text", ["name.x=1", "projects.na me=1", "projects.}&x=1", "projects..=1"])
def test_a_filter_that_is_no_lookup_is_not_sent(lab: Lab, text: str) -> None:
    result = lab.run("get", "session", "--filter", text)
    assert (result.code, lab.requests) == (1, [])
    assert "unknown operator" in result.err
