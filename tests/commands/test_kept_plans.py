"""Plans that are kept: applied as they are, once, to the server and state they were made for."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from stemctl.core.plan_codec import plan_document
from stemctl.core.saved_plan import open_plan
from stemctl.schema.catalog import load_catalog
from tests.render.test_cases import CASES, cases, prepare
from tests.support.lab import Lab


def keep(lab: Lab, *options: str) -> dict[str, Any]:
    assert lab.run("plan", "--out", "plan.json", *options).code == 0
    return dict(json.loads((lab.root / "plan.json").read_text(encoding="utf-8")))


def test_a_kept_plan_is_sent_exactly_once(lab: Lab) -> None:
    lab.sessions("{name: a}", "{name: b, tags: [x]}")
    keep(lab)
    lab.sessions("{name: a, description: Edited since.}", "{name: c}")
    done = lab.run("apply", "plan.json")
    assert done.code == 0, done.said
    assert sorted((s.method, s.body["name"]) for s in lab.writes) == [("POST", "a"), ("POST", "b")]
    again = lab.run("apply", "plan.json")
    assert again.code == 1
    assert "plan.json was made" in again.err
    assert lab.requests == []


def test_a_plan_with_proposals_is_sent_once(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.apply()
    lab.write(
        "records/s.yaml", "sensory_stimulus_types:\n  - {name: Air puff, description: Puff}\n"
    )
    keep(lab)
    assert lab.run("apply", "plan.json").code == 0
    assert lab.run("apply", "plan.json").code == 1
    assert lab.writes == []


def test_a_plan_that_failed_is_not_tried_again(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.apply()
    lab.sessions("{name: a}", "{name: b}")
    keep(lab)
    assert lab.run("apply", "plan.json", token="sandbox-reader").code == 1
    again = lab.run("apply", "plan.json")
    assert again.code == 1
    assert "at serial 1 of the state, which is at 2" in again.err


def test_an_older_plan_never_overwrites_what_nobody_was_shown(lab: Lab) -> None:
    lab.sessions("{name: a, description: One.}", "{name: b, description: One.}")
    lab.apply()
    lab.sessions("{name: a, description: Two.}", "{name: b, description: Two.}")
    keep(lab)
    lab.edit("session", "a", description="Theirs.")
    result = lab.run("apply", "plan.json")
    assert result.code == 3
    assert "changed on the server since this plan was made" in result.out
    assert 'planned "One.", now "Theirs." on the server' in result.out
    assert lab.live("session", "a")["description"] == "Theirs."
    assert lab.live("session", "b")["description"] == "Two."


def test_a_dependent_that_came_since_stops_a_delete(lab: Lab) -> None:
    lab.sessions("{name: a}", "{name: b}")
    lab.apply()
    lab.sessions("{name: b}")
    keep(lab, "--allow", "delete")
    id_ = lab.live("session", "a")["id"]
    model = load_catalog("2024").models["session"]
    with lab.database() as database, database.transaction():
        row = database.find(model, id_)
        assert row is not None
        database.replace(
            model, row, {**row.body, "dataacquisition": ["1c77ae53-6f83-4398-bfe5-6eb95ff00610"]}
        )
    assert lab.run("apply", "plan.json").code == 1
    assert lab.writes == []


EDITS = {
    "a body": lambda p: p["changes"][0]["request"]["body"].update(description="Sneaked in."),
    "a method": lambda p: p["changes"][0]["request"].update(method="DELETE"),
    "a held change": lambda p: p["changes"][0].update(held="delete"),
    "the digest": lambda p: p.update(digest="sha256:" + "0" * 64),
    "a note": lambda p: p["notes"].append(
        {"address": None, "text": "x", "file": None, "line": None, "column": None}
    ),
    "no checksum": lambda p: p.pop("checksum"),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_plan_that_somebody_edited_is_refused(lab: Lab, name: str) -> None:
    lab.sessions("{name: a}")
    plan = keep(lab)
    EDITS[name](plan)
    lab.write("plan.json", json.dumps(plan))
    for command in (["apply", "plan.json"], ["show", "plan.json"]):
        result = lab.run(*command)
        assert result.code == 1
        assert "was edited" in result.err
    assert lab.requests == []


def test_a_request_that_is_not_what_its_change_says_is_refused(lab: Lab) -> None:
    from stemctl.util.canonical_json import hash_of

    lab.sessions("{name: a}")
    plan = keep(lab)
    plan["changes"][0]["request"]["path"] = "stem/project/"
    del plan["checksum"]
    rows = ("address", "action", "id", "approval", "request", "expects", "waits")
    plan["digest"] = hash_of(
        {
            "url": "sandbox:",
            "portal": "private",
            "edition": "2024",
            "changes": [{row: change[row] for row in rows} for change in plan["changes"]],
        }
    )
    lab.write("plan.json", json.dumps({**plan, "checksum": hash_of(plan)}))
    result = lab.run("apply", "plan.json")
    assert result.code == 1
    assert "does not match its change" in result.err
    assert lab.requests == []


def test_another_server_portal_or_format_is_refused(lab: Lab) -> None:
    lab.sessions("{name: a}")
    keep(lab)
    config = (lab.root / "stemctl.yaml").read_text()
    lab.write("stemctl.yaml", config.replace('url: "sandbox:"', 'url: "sandbox:", portal: super'))
    assert "was made for portal private, but this is super" in lab.run("apply", "plan.json").err
    lab.write("stemctl.yaml", "servers:\n  sandbox: {url: 'http://127.0.0.1:9/', edition: 2024}\n")
    assert "was made for url sandbox:" in lab.run("apply", "plan.json").err
    plan = json.loads((lab.root / "plan.json").read_text())
    lab.write("plan.json", json.dumps({**plan, "format": 99}))
    assert "has format 99" in lab.run("apply", "plan.json").err


def test_a_digest_ties_the_reviewed_plan_to_the_apply(lab: Lab) -> None:
    lab.sessions("{name: a}")
    digest = keep(lab)["digest"]
    lab.sessions("{name: a}", "{name: b}")
    result = lab.run("apply", "--auto-approve", "--digest", digest)
    assert result.code == 1
    assert "does not have the digest" in result.err
    assert lab.writes == []
    lab.sessions("{name: a}")
    assert (
        lab.run("apply", "--auto-approve", "--digest", digest.removeprefix("sha256:")[:16]).code
        == 0
    )


def test_a_saved_plan_takes_no_options_of_a_new_one(lab: Lab) -> None:
    lab.sessions("{name: a}")
    keep(lab)
    assert lab.run("apply", "plan.json", "--allow", "delete").code == 1
    assert lab.run("apply", "no-such-plan.json", "--auto-approve").code == 1


@pytest.mark.parametrize("name", cases())
def test_a_plan_survives_the_round_trip(lab: Lab, name: str) -> None:
    token = prepare(lab, CASES / name)
    options = (
        (CASES / name / "options").read_text().split()
        if (CASES / name / "options").exists()
        else []
    )
    result = lab.run("plan", "-o", "json", *options, token=token)
    plan = open_plan(json.loads(result.out), "plan.json")
    assert json.loads(json.dumps(plan_document(plan))) == result.json
    lab.write("plan.json", result.out)
    shown, made = lab.run("show", "plan.json").out, lab.run("plan", *options, token=token).out
    body = [line for line in made.splitlines()[2:] if line.strip()]
    cut = next(
        (i for i, line in enumerate(body) if line.startswith(("Next", "To ", "If "))), len(body)
    )
    for line in body[:cut]:
        assert line in shown


def test_subsets_are_by_address_pattern_and_path(lab: Lab) -> None:
    lab.sessions("{name: a1}", "{name: a2}", name="records/one/a.yaml")
    lab.sessions("{name: b1}", "{name: b2}", name="records/two/b.yaml")

    def chosen(*words: str) -> list[str]:
        return [c["address"].removeprefix("session/") for c in lab.plan(*words)["changes"]]

    assert chosen("session/a1") == ["a1"]
    assert chosen("sessions/a?") == ["a1", "a2"]
    assert chosen("records/two") == ["b1", "b2"]
    assert chosen("records/two/b.yaml", "session/a1", "--exclude", "session/*2") == ["a1", "b1"]
    plan = lab.plan("--exclude", "records/one")
    assert plan["subset"] == {"only": [], "exclude": ["records/one"], "left_out": 2}
    assert lab.run("plan", "session/nobody").code == 1
    lab.apply("records/one")
    assert list(lab.state["records"]) == ["session/a1", "session/a2"]


def test_a_star_in_an_address_is_a_pattern_only_if_nobody_is_called_so(lab: Lab) -> None:
    lab.sessions("{name: 'a*'}", "{name: ab}")
    assert [c["address"] for c in lab.plan("session/a*")["changes"]] == ["session/a*"]


def test_a_subset_never_grows_by_itself(lab: Lab) -> None:
    lab.sessions("{name: a}", "{name: b}")
    lab.apply()
    lab.sessions("{name: c}")
    plan = lab.plan("session/c", "--allow", "delete")
    assert [c["address"] for c in plan["changes"]] == ["session/c"]
    assert [c["address"] for c in lab.plan("session/a")["changes"]] == ["session/a"]


def test_every_command_but_the_writing_ones_sends_get_alone(lab: Lab) -> None:
    lab.sessions("{name: a, description: One.}", "{name: b}")
    lab.write(
        "records/s.yaml", "sensory_stimulus_types:\n  - {name: Air puff, description: Puff}\n"
    )
    lab.apply()
    lab.edit("session", "a", description="Theirs.")
    lab.sessions("{name: a, description: Two.}", "{name: c}")
    keep(lab)
    id_ = lab.live("session", "b")["id"]
    commands = [
        *(["plan", "-o", form] for form in ("text", "json", "markdown", "html", "github")),
        ["plan", "--allow", "delete", "--allow", "revert", "--resubmit", "--out", "p.json"],
        ["validate"],
        ["validate", "--online"],
        ["drift"],
        ["show", "plan.json"],
        ["show", "session/a"],
        ["get", "session"],
        ["get", "session", "a", "-o", "yaml"],
        ["approvals", "list"],
        ["doctor"],
        ["state", "list"],
        ["state", "show", "session/a"],
        ["explain", "session"],
        ["resolve", "session/a"],
        ["state", "rm", "session/b"],
        ["import", "session/b", id_],
        ["state", "mv", "session/b", "session/d"],
        ["logout"],
    ]
    for command in commands:
        result = lab.run(*command)
        assert result.code in (0, 1), (command, result.said)
        assert "bug" not in result.err, (command, result.err)
        assert {sent.method for sent in lab.requests} <= {"GET"}, command


def test_state_commands(lab: Lab) -> None:
    lab.sessions("{name: a}", "{name: b}")
    lab.apply()
    id_ = lab.live("session", "a")["id"]
    assert f"session/a    {id_}" in lab.run("state", "list").out
    assert lab.run("state", "show", "sessions/a").json["applied"]["name"] == "a"
    assert lab.run("state", "rm", "session/a", "session/b").code == 0
    assert [c["action"] for c in lab.plan()["changes"]] == ["adopt", "adopt"]
    assert lab.run("import", "session/a", id_).code == 0
    assert lab.run("import", "session/b", id_).code == 1
    assert lab.run("import", "session/c", "1c77ae53-6f83-4398-bfe5-6eb95ff00610").code == 1
    assert lab.run("state", "mv", "session/a", "session/z").code == 0
    assert lab.run("state", "mv", "session/a", "session/y").code == 1
    plan = lab.plan("session/a")
    assert [b["was"] for b in plan["bookkeeping"]] == ["session/z"]
    lab.apply()
    assert sorted(lab.state["records"]) == ["session/a", "session/b"]
    assert lab.plan()["changes"] == []


def test_an_id_has_one_address(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.apply()
    id_ = lab.live("session", "a")["id"]
    lab.sessions("{name: a}", f"{{key: b, name: another, id: {id_}}}")
    result = lab.run("plan")
    assert result.code == 1
    assert "this id belongs to session/a" in result.out
    lab.sessions(f"{{key: b, name: a, id: {id_}}}")
    lab.apply()
    assert lab.writes == []
    assert list(lab.state["records"]) == ["session/b"]
    lab.sessions("{key: b, name: a, id: 1c77ae53-6f83-4398-bfe5-6eb95ff00610}")
    result = lab.run("plan")
    assert result.code == 1
    assert f"session/b is bound to another id in the state: {id_}" in result.out


def test_moved_keeps_the_record_and_its_memory(lab: Lab) -> None:
    lab.sessions("{name: a, description: Text.}")
    lab.apply()
    id_ = lab.live("session", "a")["id"]
    lab.sessions("{name: b, description: Text.}")
    held = lab.run("apply", "--auto-approve", "--allow", "delete")
    assert held.code == 3
    assert lab.writes == []
    lab.write("records/moved.yaml", "moved:\n  - {from: session/a, to: session/b}\n")
    lab.apply()
    assert [(s.method, s.body) for s in lab.writes] == [("PATCH", {"name": "b"})]
    assert {k: v["id"] for k, v in lab.state["records"].items()} == {"session/b": id_}
    assert lab.plan()["changes"] == []


def test_a_moved_proposal_stays_pending(lab: Lab) -> None:
    lab.write(
        "records/s.yaml", "sensory_stimulus_types:\n  - {name: Air puff, description: Puff}\n"
    )
    lab.apply()
    lab.write(
        "records/s.yaml",
        "sensory_stimulus_types:\n  - {key: puff, name: Air puff, description: Puff}\n"
        "moved:\n  - {from: sensorystimulustype/Air puff, to: sensorystimulustype/puff}\n",
    )
    lab.apply()
    assert lab.writes == []
    assert [c["held"] for c in lab.plan()["changes"]] == ["pending"]


def test_show_tells_where_each_value_comes_from(lab: Lab) -> None:
    lab.write(
        "records/_defaults.yaml",
        "defaults:\n  sessions: {tags: [lab], extra_fields: {room: B115}}\n",
    )
    lab.sessions("{name: a, tags: [own], description: Text.}")
    lab.apply()
    lab.edit("session", "a", description="Theirs.")
    document = lab.run("show", "session/a", "-o", "json").json
    fields = {field["name"]: field for field in document["fields"]}
    assert (fields["extra_fields"]["file"], fields["extra_fields"]["line"]) == (
        "records/_defaults.yaml",
        2,
    )
    assert {e["element"]: e["file"] for e in fields["tags"]["elements"]} == {
        "lab": "records/_defaults.yaml",
        "own": "records/sessions.yaml",
    }
    assert (fields["description"]["server"], fields["description"]["agrees"]) == ("Theirs.", False)
    assert "server: Theirs." in lab.run("show", "session/a").out
    assert lab.run("show", "session/nobody").code == 1


def test_show_tells_that_an_empty_set_has_the_elements_of_the_defaults(lab: Lab) -> None:
    lab.write("records/_defaults.yaml", "defaults:\n  sessions: {tags: [lab, y2024]}\n")
    lab.sessions("{name: a, tags: []}", "{name: b}")
    shown = lab.run("show", "session/a").out
    assert re.search(r"tags +lab, y2024 +records/_defaults.yaml:2\n", shown)
    assert "`tags: []` does not remove the elements of the defaults" in shown
    document = lab.run("show", "session/a", "-o", "json").json
    assert [finding["code"] for finding in document["diagnostics"]] == ["clears-nothing"]
    assert lab.run("show", "session/b", "-o", "json").json["diagnostics"] == []


class Page(HTMLParser):
    """What a browser would run, load or show."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_nothing_hostile_is_obeyed_by_a_browser(lab: Lab) -> None:
    prepare(lab, CASES / "hostile")
    text = lab.run("plan", "-o", "html").out
    page = Page()
    page.feed(text)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not {"img", "iframe", "link", "object", "form", "a"} & {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        assert not {"src", "href", "onerror", "onmouseover", "onclick"} & set(attributes), (
            tag,
            attributes,
        )
    policy = next(
        a["content"]
        for t, a in page.tags
        if t == "meta" and "content" in a and "default-src" in str(a)
    )
    assert "default-src 'none'" in str(policy)
    assert "unsafe" not in str(policy)
    assert "http" not in text.replace("http-equiv", "")
    joined = "".join(page.text)
    assert "<img src=x onerror=alert(1)>" in joined
    assert "\\x1b[31mred\\r" in joined
    assert "second line \\u202etxt" in joined
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_nothing_hostile_leaves_its_fence_in_markdown(lab: Lab) -> None:
    prepare(lab, CASES / "hostile")
    text = lab.run("plan", "-o", "markdown").out
    outside, fence = [], ""
    for line in text.splitlines():
        ticks = re.match("`{3,}", line)
        if fence and line == fence:
            fence = ""
        elif not fence and ticks:
            fence = ticks[0]
        elif not fence:
            outside.append(line)
    assert not fence
    assert not re.search("alert|@all|<img|onmouse", "\n".join(outside))
    assert "\x1b" not in text


@pytest.mark.parametrize("most", [1500, 4000, 20000])
def test_markdown_keeps_within_its_bytes_riskiest_first(lab: Lab, most: int) -> None:
    lab.sessions(*(f"{{name: s{i}, description: Number {i} of many.}}" for i in range(60)))
    lab.apply()
    lab.sessions(
        *(f"{{name: n{i}, tags: [é], description: Another {i} of many.}}" for i in range(200))
    )
    options = ("-o", "markdown", "--max-bytes", str(most), "--allow", "delete=60")
    text = lab.run("-v", "plan", *options).out
    assert len(text.encode()) <= most
    assert text.index("Deletes and overwrites: 60") < text.index("Creates: 200")
    assert text.count("<details") == text.count("</details>")
    if most < 20000:
        assert "not fit here" in text


def test_a_kept_plan_is_applied_once_as_soon_as_anything_of_it_was_sent(lab: Lab) -> None:
    lab.sessions("{name: a, description: One.}")
    lab.apply()
    lab.sessions("{name: a, description: Two.}")
    lab.run("plan", "--out", "plan.json")

    lab.intercept = lambda request: httpx.Response(502) if request.method == "GET" else None
    assert (
        lab.run("apply", "plan.json").code == 1
    )  # nothing could be looked at, so nothing was sent
    lab.intercept = lambda request: (
        httpx.Response(400, json=["No."]) if request.method == "PATCH" else None
    )
    assert lab.run("apply", "plan.json").code == 1
    assert [s.method for s in lab.writes] == ["PATCH"]
    lab.intercept = lambda request: None
    again = lab.run("apply", "plan.json")
    assert again.code == 1
    assert "was made at serial 1 of the state, which is at 2 since run" in again.err
    assert lab.writes == []
