"""What an answer proves: about another record, altered, too late, without an end, or by nobody we
know.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from stemctl.client import exchange, retry
from tests.support.lab import CONFIG, Intercept, Lab, Result, run_in_process
from tests.support.served import serve

WITH_FAULTS = CONFIG.replace("seed: seed.yaml}", "seed: seed.yaml, faults: faults.yaml}")
SESSION = "/api/private/stem/session/"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for the pauses between two tries."""
    monkeypatch.setattr(retry, "backoff", lambda attempt: 0.01)


@pytest.fixture
def struck(lab: Lab) -> Lab:
    """A lab whose sandbox has a file of faults, and another session that is not ours."""
    lab.write("faults.yaml", "faults: []\n")
    lab.write("stemctl.yaml", WITH_FAULTS)
    project = lab.live("project", "Theta Maze Study")["id"]
    lab.api(
        "POST",
        "stem/session/",
        {"name": "theirs", "description": "Not yours.", "projects": [project]},
    )
    return lab


def strike(lab: Lab, *faults: str) -> None:
    lab.write("faults.yaml", "faults:\n" + "".join(f"- {fault}\n" for fault in faults))


def calm(lab: Lab) -> None:
    lab.write("faults.yaml", "faults: []\n")


def apply(lab: Lab, *arguments: str) -> Result:
    return lab.run("apply", "--auto-approve", *arguments)


def answering(
    which: Callable[[httpx.Request], bool], answer: Callable[[], httpx.Response]
) -> Intercept:
    """In place of the sandbox, answer these requests, without carrying them out."""
    return lambda request: answer() if which(request) else None


def theirs_is_untouched(lab: Lab) -> None:
    assert lab.live("session", "theirs")["description"] == "Not yours."


# A record that is not the one that was asked for


@pytest.mark.parametrize("fault", ["other_record", "known_id"])
def test_the_answer_to_a_create_is_not_believed_about_another_record(
    struck: Lab, fault: str
) -> None:
    struck.sessions("{name: first}")
    struck.apply()
    struck.sessions("{name: first}", "{name: s, description: One.}")
    strike(struck, f"{{match: {{method: POST}}, fault: {fault}, times: 1}}")
    result = apply(struck)
    assert result.code == 0, result.said
    assert [sent.method for sent in struck.requests if sent.path.endswith("session/")].count(
        "POST"
    ) == 1
    assert struck.state["records"]["session/s"]["id"] == struck.live("session", "s")["id"]
    struck.sessions("{name: first}", "{name: s, description: Two.}")
    struck.apply()
    struck.sessions("{name: first}")
    struck.apply("--allow", "delete")
    theirs_is_untouched(struck)


def test_an_answer_about_another_record_that_did_nothing_is_unknown_and_settled_later(
    struck: Lab,
) -> None:
    other = struck.live("session", "theirs")
    struck.sessions("{name: s}")
    struck.intercept = answering(
        lambda r: r.method == "POST" and r.url.path == SESSION,
        lambda: httpx.Response(201, json={"session": other}),
    )
    result = apply(struck)
    assert result.code == 3
    assert "The server answered with a record that existed before" in result.out
    assert other["id"] not in json.dumps(struck.state)
    struck.intercept = lambda request: None
    struck.apply()
    assert struck.plan()["changes"] == []
    theirs_is_untouched(struck)


def test_an_answer_with_a_name_that_was_not_sent_is_not_bound(lab: Lab) -> None:
    """Its id is one that nobody here has seen."""
    lab.sessions("{name: s}")
    other = {"id": "0f8fad5b-d9cb-469f-a165-70867728950e", "name": "t", "projects": [], "tags": []}
    lab.intercept = answering(
        lambda r: r.method == "POST" and r.url.path == SESSION,
        lambda: httpx.Response(201, json={"session": other}),
    )
    result = apply(lab)
    assert result.code == 3
    assert "The server answered with the name 't'. The record was not found yet" in result.out
    assert other["id"] not in json.dumps(lab.state)


@pytest.mark.parametrize("fault", ["other_record", "known_id"])
def test_the_answer_to_a_change_is_not_believed_about_another_record(
    struck: Lab, fault: str
) -> None:
    struck.sessions("{name: s, description: One.}")
    struck.apply()
    struck.sessions("{name: s, description: Two.}")
    strike(struck, f"{{match: {{method: PATCH}}, fault: {fault}}}")
    result = apply(struck)
    assert result.code == 0, result.said
    assert len(struck.writes) == 1
    assert struck.state["records"]["session/s"]["id"] == struck.live("session", "s")["id"]
    assert struck.live("session", "s")["description"] == "Two."
    theirs_is_untouched(struck)


# Values that are not those that were sent


@pytest.mark.parametrize(("method", "first"), [("POST", False), ("PATCH", True)])
def test_a_value_that_was_altered_on_its_way_costs_one_look(
    struck: Lab, method: str, first: bool
) -> None:
    struck.sessions("{name: s}")
    if first:
        struck.apply()
    struck.sessions("{name: s, description: A long text., tags: [a, b]}")
    strike(struck, f"{{match: {{method: {method}}}, fault: altered_value, field: description}}")
    result = apply(struck)
    assert result.code == 0, result.said
    calm(struck)
    assert struck.plan()["changes"] == []
    assert struck.live("session", "s")["description"] == "A long text."


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("description", "A long", "description    sent A long text.; the server holds A long"),
        ("tags", "[a]", "tags    sent a, b; the server holds a"),
        ("tags", "[a, c]", "tags    sent a, b; the server holds a, c"),
        (
            "date_time",
            "'2024-03-13T09:00:00Z'",
            "date_time    sent 2024-03-12T09:00:00Z; the server holds",
        ),
    ],
)
def test_a_value_that_the_server_holds_otherwise_is_a_finding(
    struck: Lab, field: str, value: str, message: str
) -> None:
    struck.sessions(
        '{name: s, description: A long text., tags: [a, b], date_time: "2024-03-12T09:00:00Z"}'
    )
    strike(struck, f"{{fault: altered_value, field: {field}, value: {value}}}")
    result = apply(struck)
    assert result.code == 3
    assert message in result.out
    plan = struck.run("plan")
    assert f"{field} was applied as" in plan.out
    assert struck.plan()["changes"] == []
    assert "the server did not keep what was applied" in struck.run("drift").out
    assert apply(struck).code == 3
    assert struck.writes == []


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_proposal_that_is_answered_with_another_content_is_looked_for(
    struck: Lab, method: str, held: bool
) -> None:
    name = "t" if method == "POST" else "Auditory"
    struck.write(
        "records/t.yaml", f"sensory_stimulus_types: [{{name: {name}, description: A long text.}}]\n"
    )
    match = "" if held else f"match: {{method: {method}}}, "
    strike(struck, f"{{{match}fault: altered_value, field: description, value: A long}}")
    result = apply(struck, "--allow", "replace")
    assert [sent.method for sent in struck.writes] == [method]
    assert result.code == (3 if held else 0), result.said
    assert ("unknown" if held else "proposed") in result.out
    assert apply(struck, "--allow", "replace").code in (0, 3)
    assert struck.writes == []


def test_forms_of_the_servers_own_cost_no_look(struck: Lab) -> None:
    """Trimmed texts, UTC, a scheme, sets in another order: as the field tables say."""
    struck.sessions(
        "{name: '  s ', description: ' One. ', tags: [b, a], "
        "date_time: '2024-03-12T09:00:00+01:00', download_links: [{Repository: DANDI, URL: 'https://a.org/1'}]}"
    )
    assert apply(struck).code == 0
    assert [sent.method for sent in struck.requests][-1] == "POST"
    warnings = struck.plan()["diagnostics"]
    assert {warning["code"] for warning in warnings} == {"odd-character"}, "of the file alone"


# What happens in a pause


@pytest.mark.parametrize("files", ["{name: s, description: Two.}", ""])
def test_what_a_colleague_does_in_a_pause_is_seen_before_the_write_goes_out(
    struck: Lab, files: str
) -> None:
    struck.sessions("{name: s, description: One.}", "{name: t}")
    struck.apply()
    struck.sessions(*filter(None, [files]), "{name: t}")
    strike(
        struck,
        "{match: {method: PATCH}, fault: edit_in_pause, edit: {description: Theirs.}, times: 1}",
        "{match: {method: DELETE}, fault: edit_in_pause, edit: {description: Theirs.}, times: 1}",
    )
    result = apply(struck, "--allow", "delete")
    assert result.code in (1, 3)
    assert "changed on the server since this plan was made" in result.out
    assert "Not sent." in result.out
    assert struck.live("session", "s")["description"] == "Theirs."
    assert len(struck.writes) == 1


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_after_a_pause_the_record_is_read_again_and_the_write_sent(
    struck: Lab, method: str
) -> None:
    struck.sessions("{name: s, description: One.}", "{name: t}")
    struck.apply()
    struck.sessions(*(["{name: s, description: Two.}"] if method == "PATCH" else []), "{name: t}")
    strike(
        struck,
        f"{{match: {{method: {method}}}, fault: status, status: 429, retry_after: 0, times: 2}}",
    )
    struck.apply("--allow", "delete")
    asked = [
        sent.method for sent in struck.requests if not sent.query and sent.path.count("/") == 3
    ]
    assert asked[-6:] == ["GET", method] * 3


# 404 by whoever


def test_a_404_of_a_proxy_does_not_mean_that_a_record_is_gone(struck: Lab) -> None:
    struck.sessions("{name: s}", "{name: t}")
    struck.apply()
    id_ = struck.live("session", "t")["id"]
    struck.sessions("{name: s}")
    strike(struck, "{match: {method: DELETE}, fault: foreign_404}")
    result = apply(struck, "--allow", "delete")
    assert result.code == 3
    assert "answered 404, but not in the format of the API" in result.out
    calm(struck)
    assert struck.live("session", "t")["id"] == id_
    assert "session/t" in struck.state["records"]
    struck.apply("--allow", "delete")
    assert "session/t" not in struck.state["records"]


@pytest.mark.parametrize(
    "body", [b"", b"Not found", b'{"message": "no Route matched"}', b"<h1>404</h1>", b"[]"]
)
def test_a_404_that_is_none_of_the_api_on_a_look(lab: Lab, body: bytes) -> None:
    lab.sessions("{name: s}", "{name: t}")
    lab.apply()
    id_ = lab.live("session", "t")["id"]
    lab.sessions("{name: s}")

    def without(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        """The listing lacks the record, and the look at it is answered by a proxy."""
        if request.url.path == f"{SESSION}{id_}/":
            return httpx.Response(404, content=body)
        if request.url.path == SESSION and request.method == "GET":
            found = response.json()
            found["sessions"] = [record for record in found["sessions"] if record["id"] != id_]
            found["meta"]["total_results"] = found["count"] = len(found["sessions"])
            return httpx.Response(200, json=found)
        return response

    lab.after = without
    assert lab.run("plan").code == 1
    result = apply(lab, "--allow", "delete")
    assert result.code != 0
    assert "session/t" in lab.state["records"]
    assert "sessions could not all be read" in result.out


def test_a_delete_that_is_answered_with_404_while_the_record_lives(lab: Lab) -> None:
    lab.sessions("{name: s}", "{name: t}")
    lab.apply()
    lab.sessions("{name: s}")
    lab.intercept = answering(
        lambda r: r.method == "DELETE", lambda: httpx.Response(404, json={"detail": "Not found."})
    )
    result = apply(lab, "--allow", "delete")
    assert result.code == 3
    assert "session/t" in lab.state["records"]
    assert lab.live("session", "t")


def test_a_delete_that_is_answered_with_content_is_looked_after(lab: Lab) -> None:
    lab.sessions("{name: s}", "{name: t}")
    lab.apply()
    lab.sessions("{name: s}")
    lab.intercept = answering(
        lambda r: r.method == "DELETE", lambda: httpx.Response(200, json={"status": "queued"})
    )
    assert apply(lab, "--allow", "delete").code == 3
    assert "session/t" in lab.state["records"]


@pytest.mark.parametrize("status", [400, 401, 403, 405, 413])
@pytest.mark.parametrize("body", [b"", b"<h1>Forbidden</h1>"])
def test_a_refusal_of_a_proxy_does_not_mean_that_nothing_was_written(
    lab: Lab, status: int, body: bytes
) -> None:
    """The server has carried it out, and its answer was replaced on the way."""
    lab.sessions("{name: s}")

    def replaced(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        return httpx.Response(status, content=body) if request.method == "POST" else response

    lab.after = replaced
    lab.apply()
    assert lab.state["records"]["session/s"]["id"] == lab.live("session", "s")["id"]


def test_a_delete_that_is_only_accepted_is_looked_after(lab: Lab) -> None:
    lab.sessions("{name: s}", "{name: t}")
    lab.apply()
    lab.sessions("{name: s}")
    lab.intercept = answering(lambda r: r.method == "DELETE", lambda: httpx.Response(202))
    assert apply(lab, "--allow", "delete").code == 3
    assert "session/t" in lab.state["records"]


def test_a_lookup_that_counts_what_it_does_not_list_proves_nothing(lab: Lab) -> None:
    lab.sessions(*(f"{{name: s{number:03}}}" for number in range(250)))
    lab.apply()
    (lab.root / ".stemctl" / "sandbox.state.json").unlink()
    last = lab.api("GET", "stem/session/?sort[]=id&limit=1&offset=249")["sessions"][0]["name"]
    lab.sessions(f"{{name: {last}}}")

    def empty(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if "filter" not in request.url.query.decode() or request.url.path != SESSION:
            return response
        found = response.json()
        return httpx.Response(200, json={**found, "sessions": []})

    lab.after = empty
    result = apply(lab)
    assert (result.code, lab.writes) == (1, [])
    assert "sessions could not all be read" in result.out


def test_a_record_that_was_hidden_since_the_plan_is_not_called_deleted(lab: Lab) -> None:
    lab.sessions("{name: s}", "{name: t}")
    lab.apply()
    lab.sessions("{name: s}")
    id_ = lab.live("session", "t")["id"]
    lab.intercept = answering(
        lambda r: r.url.path == f"{SESSION}{id_}/",
        lambda: httpx.Response(404, json={"detail": "Not found."}),
    )
    result = apply(lab, "--allow", "delete")
    assert result.code == 1
    assert "not found: deleted since this plan was made, or hidden from you" in result.out
    assert "session/t" in lab.state["records"]


@pytest.mark.parametrize("status", [403, 404])
def test_a_record_that_became_hidden_stays_in_the_state(lab: Lab, status: int) -> None:
    lab.sessions("{name: s}", "{name: t}")
    lab.apply()
    songbird = lab.live("project", "Songbird Study", token="sandbox-admin")["id"]
    lab.api(
        "PATCH",
        f"stem/session/{lab.live('session', 't')['id']}/",
        {"projects": [songbird]},
        token="sandbox-admin",
    )
    id_ = lab.state["records"]["session/t"]["id"]
    refused = {"detail": "Not found." if status == 404 else "You do not have permission."}
    lab.intercept = answering(
        lambda r: r.url.path == f"{SESSION}{id_}/", lambda: httpx.Response(status, json=refused)
    )
    words = "hidden from" if status == 404 else "not allowed to read it (403)"
    for files in (["{name: s}"], ["{name: s}", "{name: t}"]):
        lab.sessions(*files)
        plan = lab.run("plan")
        assert words in plan.out, plan.out
        apply(lab)
        assert "session/t" in lab.state["records"]
        assert lab.writes == []


# Headers, sizes and ends

ODD = [
    "Fri, 31 Dec 99999 23:59:59 GMT",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Sun, 06 Nov 1994 08:49:37 +99999999999999999999",
    "Mon, 99 Jan 2024 99:99:99 GMT",
    "soon",
    "-1",
    "0x10",
    "\u0663",
    "",
]


@pytest.mark.parametrize("asked", ODD)
@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_cannot_be_read_is_one_of_our_own(lab: Lab, asked: str, status: int) -> None:
    lab.sessions("{name: s}")
    headers = [(b"Retry-After", asked.encode()), (b"Date", asked.encode())]
    left = [httpx.Response(status, headers=headers) for _ in range(2)]
    lab.intercept = lambda r: (
        left.pop() if left and r.method == ("POST" if status == 429 else "GET") else None
    )
    lab.apply()
    assert left == []


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("fault", ["endless_headers", "processing"])
def test_an_answer_without_an_end_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, method: str
) -> None:
    """Each piece comes before any limit of a single read."""
    monkeypatch.setattr(retry, "DEADLINE", 0.5)
    (tmp_path / "stemctl.yaml").write_text(CONFIG)
    (tmp_path / "seed.yaml").write_text("projects: [{name: Theta Maze Study}]\n")
    faults = tmp_path / "faults.yaml"
    faults.write_text(f"faults: [{{match: {{method: {method}}}, fault: {fault}, seconds: 0.05}}]\n")
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "s.yaml").write_text(
        "sessions: [{name: s, projects: [Theta Maze Study]}]\n"
    )
    monkeypatch.setenv("BRAINSTEM_TOKEN", "sandbox-user")
    with serve(tmp_path, "--faults", str(faults)) as url:
        result = run_in_process("-C", str(tmp_path), "--server", url, "apply", "-y")
    assert result.code == (1 if method == "GET" else 3), result.said
    assert "did not answer in time" in result.said


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_that_is_too_large_is_given_up(
    struck: Lab, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(exchange, "MAX_BYTES", 2**20)
    struck.sessions("{name: s}")
    strike(struck, f"{{match: {{method: {method}}}, fault: bomb, mebibytes: 3}}")
    result = apply(struck)
    assert result.code == (1 if method == "GET" else 3)
    assert "The server's response is larger than 1 MiB." in result.said


def test_an_answer_that_is_packed_twice_is_not_unpacked(lab: Lab) -> None:
    lab.sessions("{name: s}")

    class Never(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            raise AssertionError("it was read")
            yield b""

    headers = {"Content-Encoding": "gzip, gzip"}
    lab.intercept = lambda request: httpx.Response(200, headers=headers, stream=Never())
    result = lab.run("plan")
    assert result.code == 1
    assert "has the encoding 'gzip, gzip', which was not requested" in result.said


# Elements that share their key


LINK = "{Repository: %s, URL: 'https://a.org/%s'}"


def links(lab: Lab) -> set[tuple[str, str]]:
    return {
        (link["Repository"], link["URL"][-1]) for link in lab.live("session", "s")["download_links"]
    }


def hold(lab: Lab, *pairs: tuple[str, str]) -> None:
    """Have the server hold these links, which no file says."""
    value = [{"Repository": repository, "URL": f"https://a.org/{url}"} for repository, url in pairs]
    lab.edit("session", "s", download_links=value)


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ([("GitHub", "v")], {("DANDI", "u"), ("Other", "u"), ("GitHub", "v")}),
        ([("Other", "u"), ("GitHub", "v")], {("DANDI", "u"), ("Other", "u"), ("GitHub", "v")}),
        ([("Zenodo", "u")], {("DANDI", "u"), ("Other", "u"), ("Zenodo", "u")}),
    ],
)
def test_elements_of_the_server_that_share_their_key_are_kept(
    lab: Lab, files: list[tuple[str, str]], left: set[tuple[str, str]]
) -> None:
    lab.sessions("{name: s, download_links: []}")
    lab.apply()
    hold(lab, ("DANDI", "u"), ("Other", "u"))
    lab.sessions(f"{{name: s, download_links: [{', '.join(LINK % pair for pair in files)}]}}")
    lab.apply()
    assert links(lab) == left
    assert lab.plan()["changes"] == []


def test_entries_of_the_server_that_share_their_name_are_not_overwritten(lab: Lab) -> None:
    lab.sessions("{name: s, extra_fields: {room: B1}}")
    lab.apply()

    def doubled(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        room, other = (
            b'"extra_fields":{"room":"B1"}',
            [{"name": "n", "value": 1}, {"name": "n", "value": 2}],
        )
        text = response.content.replace(b'"extra_fields": {"room": "B1"}', room)
        return httpx.Response(
            response.status_code,
            content=text.replace(room, b'"extra_fields":' + json.dumps(other).encode()),
        )

    lab.after = doubled
    lab.sessions("{name: s, extra_fields: {room: B2}}")
    result = apply(lab)
    assert lab.writes == [], result.out
    assert [f["held"] for f in lab.plan()["changes"][0]["fields"]] == ["replace"]


# Rules of a field, after what is held was left out


def test_what_is_held_leaves_no_field_empty_that_is_required(lab: Lab) -> None:
    lab.write(
        "records/s.yaml",
        "sessions: [{name: s, projects: [Theta Maze Study, Whisker Touch Study]}]\n",
    )
    lab.apply()
    whisker = lab.live("project", "Whisker Touch Study")["id"]
    lab.edit("session", "s", projects=[whisker])
    lab.write("records/s.yaml", "sessions: [{name: s, projects: [Theta Maze Study]}]\n")
    (change,) = lab.plan()["changes"]
    assert (change["held"], change["request"], change["fields"][0]["held"]) == (
        "revert",
        None,
        "revert",
    )
    assert "is required and would be empty, so all of its changes are held" in lab.run("plan").out
    for _ in range(2):
        assert apply(lab).code == 0
        assert lab.writes == []
    lab.apply("--allow", "revert")
    assert lab.writes[0].body == {"projects": [lab.live("project", "Theta Maze Study")["id"]]}


# Portals


def test_a_portal_that_takes_no_changes_is_refused_before_any_request(lab: Lab) -> None:
    lab.write("stemctl.yaml", CONFIG.replace('"sandbox:", ', '"sandbox:", portal: public, '))
    lab.write("seed.yaml", "projects: [{name: Theta Maze Study, is_public: true}]\n")
    lab.sessions("{name: s}")
    lab.write("records/types.yaml", "sensory_stimulus_types: [{name: t, description: T.}]\n")
    result = apply(lab)
    assert (result.code, lab.requests) == (1, [])
    assert (
        "The portal public of sandbox does not accept changes to sensory stimulus types."
        in result.said
    )
    assert "Write portal: private in stemctl.yaml" in result.said
    for words in (("approvals", "list"), ("approvals", "accept", "sensorystimulustype/t")):
        result = lab.run(*words)
        assert (result.code, lab.requests) == (1, [])
    plan = lab.run("plan")
    assert all(
        "approvals" not in sent.path and "/private/" not in sent.path for sent in lab.requests
    )
    assert "the portal public is read-only" in plan.out
