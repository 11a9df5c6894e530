"""Servers as they are: without a token, with HTML, down, slow, counting in their own way."""

from __future__ import annotations

import json
import threading

import httpx
import pytest

from tests.support.lab import Lab, Result

MAZE = "{name: rat12_maze, description: First day on the maze.}"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries take no time here; how long they are is tested with the client."""
    monkeypatch.setattr("stemctl.client.retry.backoff", lambda attempt: 0.0)


def one_error(result: Result, *words: str) -> None:
    assert result.code == 1
    assert result.err.count("Error:") == 1
    for word in words:
        assert word in result.err


ANSWERS = {
    "no right": (
        httpx.Response(403, json={"detail": "Not allowed."}),
        "no permission",
        "Not allowed.",
    ),
    "wrong token": (
        httpx.Response(401, json={"detail": "Invalid token."}),
        "does not accept the token",
        "login",
    ),
    "HTML": (
        httpx.Response(200, html="<title>Sign in</title>"),
        "HTML page (Sign in)",
        "login page, the url or the token is wrong",
    ),
    "redirect": (
        httpx.Response(302, headers={"Location": "https://elsewhere.example/"}),
        "elsewhere.example",
        "url",
    ),
    "fault": (httpx.Response(500, text="Server Error (500)"), "answered 500", "Server Error (500)"),
    "overloaded": (
        httpx.Response(503, html="<title>Busy</title>"),
        "not available at the moment",
        "Busy",
    ),
    "cut off": (
        httpx.Response(200, text='{"sessions": [', headers={"Content-Type": "application/json"}),
        "truncated",
    ),
    "another shape": (httpx.Response(200, json=[1, 2]), "not a JSON object"),
    "another envelope": (httpx.Response(200, json={"things": []}), "has no 'sessions'"),
}


@pytest.mark.parametrize("name", [name for name in ANSWERS if name != "no right"])
@pytest.mark.parametrize("command", [["plan"], ["apply", "--auto-approve"], ["get", "session"]])
def test_one_clear_message_for_each_fault(lab: Lab, name: str, command: list[str]) -> None:
    answer, *words = ANSWERS[name]
    lab.sessions(MAZE)
    lab.intercept = lambda request: answer if "session" in request.url.path else None
    one_error(lab.run(*command), *words)
    assert lab.writes == []
    document = lab.run(*command, "-o", "json")
    assert document.code == 1
    assert words[0] in document.json["error"]["what"] + document.json["error"]["why"]


def test_a_model_that_may_not_be_read_gives_neither_create_nor_delete(lab: Lab) -> None:
    lab.sessions(MAZE)
    lab.apply()
    lab.sessions("{name: another}")
    lab.intercept = lambda request: (
        ANSWERS["no right"][0] if "/session/" in request.url.path else None
    )
    result = lab.run("plan")
    assert result.code == 1
    assert (
        "sessions could not be read: http://sandbox/api/private/stem/session/ answered 403"
        in result.out
    )
    assert "sessions not read" in result.out
    assert (
        "the portal is private: use one that your account can read, or another account"
        in result.out
    )
    plan = lab.plan()
    assert (plan["changes"], plan["unchanged"]) == ([], 0)


def test_a_refused_write_is_shown_with_its_place(lab: Lab) -> None:
    lab.sessions(MAZE, "{name: other}")

    def refuse(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and b"rat12_maze" in request.content:
            return httpx.Response(400, json={"description": ["Not suitable for children."]})
        return None

    lab.intercept = refuse
    result = lab.run("apply", "--auto-approve")
    assert result.code == 3
    assert "400 description: Not suitable for children." in result.out
    assert "records/sessions.yaml:5:37" in result.out


def test_no_right_to_write(lab: Lab) -> None:
    lab.sessions(MAZE)
    result = lab.run("apply", "--auto-approve", token="sandbox-reader")
    assert result.code == 1
    assert "no permission to do this on sandbox (403)" in result.out
    assert "1 failed" in result.out


def test_a_name_unknown_to_the_server_is_found_before_anything_is_sent(lab: Lab) -> None:
    lab.sessions(MAZE, "{name: b, projects: [Theta Maze Sudy]}")
    result = lab.run("apply", "--auto-approve")
    assert result.code == 1
    assert (
        'records/sessions.yaml:6:26: error: no project "Theta Maze Sudy" [unknown-reference]'
        in result.out
    )
    assert "you can see 2 projects; nearest: Theta Maze Study" in result.out
    assert lab.writes == []
    online = lab.run("validate", "--online")
    assert online.code == 1
    assert "Theta Maze Sudy" in online.out
    assert lab.run("validate").code == 0


@pytest.mark.parametrize(
    "totals",
    ["both", *(pytest.param(name, marks=pytest.mark.slow) for name in ("meta", "count", "none"))],
)
def test_2500_sessions_are_read_in_pages_however_they_are_counted(lab: Lab, totals: str) -> None:
    with lab.database() as database:
        database.seed(
            {
                "sessions": [
                    {"name": f"s{i:04}", "projects": ["Theta Maze Study"]} for i in range(2500)
                ]
            }
        )
    lab.totals = totals
    names = ", ".join(f"s{i:04}" for i in range(40))
    lab.sessions(
        *(f"{{name: s{i:04}, tags: [seen]}}" for i in range(0, 2500, 50)), "{name: really new}"
    )
    plan = lab.plan()
    assert plan["summary"]["adopt"] == 50, names
    assert plan["summary"]["create"] == 1
    asked = [s for s in lab.requests if s.path == "stem/session/"]
    assert 25 <= len(asked) <= 27
    assert all("limit=100" in s.query and "sort%5B%5D=id" in s.query for s in asked)


def test_few_records_of_a_large_model_are_asked_for_one_by_one(lab: Lab) -> None:
    with lab.database() as database:
        database.seed(
            {
                "sessions": [
                    {"name": f"s{i:04}", "projects": ["Theta Maze Study"]} for i in range(1500)
                ]
            }
        )
    lab.sessions("{name: s0700, description: Known.}", "{name: really new}")
    lab.apply()
    lab.sessions("{name: s0700, description: Better known.}", "{name: really new}")
    plan = lab.run("plan", "-o", "json").json
    assert [c["action"] for c in plan["changes"]] == ["update"]
    assert len([s for s in lab.requests if s.path.startswith("stem/session/")]) <= 4


def drop(lab: Lab, number: int) -> None:
    """Let the sandbox's lists lack their last `number` records, whatever it says their total is."""

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method != "GET" or not request.url.path.endswith("/stem/session/"):
            return response
        body = response.json()
        body["sessions"] = body["sessions"][:-number]
        return httpx.Response(200, json=body)

    lab.after = after


def test_a_listing_that_does_not_add_up_creates_and_deletes_nothing(lab: Lab) -> None:
    lab.sessions(MAZE, "{name: b}")
    lab.apply()
    lab.sessions("{name: b}", "{name: c}")
    drop(lab, 1)
    result = lab.run("apply", "--auto-approve", "--allow", "delete")
    assert result.code == 1
    assert "the server counts 2 records, but listed 1" in result.out
    assert lab.writes == []


def test_a_known_record_that_a_listing_lacks_is_asked_for_by_its_id(lab: Lab) -> None:
    lab.sessions(MAZE)
    lab.apply()
    lab.totals = "none"
    drop(lab, 1)
    assert lab.plan()["changes"] == []


def test_a_page_that_comes_twice_is_noticed(lab: Lab) -> None:
    with lab.database() as database:
        database.seed(
            {
                "sessions": [
                    {"name": f"s{i:03}", "projects": ["Theta Maze Study"]} for i in range(250)
                ]
            }
        )
    lab.sessions(*(f"{{name: s{i:03}}}" for i in range(250)), "{name: new}")

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if b"offset=200" in request.url.query and request.url.path.endswith("/stem/session/"):
            return httpx.Response(
                200, json={**response.json(), "sessions": [{"id": "x"}, {"id": "x"}]}
            )
        return response

    lab.after = after
    result = lab.run("plan")
    assert result.code == 1
    assert "listed twice" in result.out


def test_a_total_that_shrinks_while_pages_are_read_is_noticed(lab: Lab) -> None:
    with lab.database() as database:
        database.seed(
            {
                "sessions": [
                    {"name": f"s{i:03}", "projects": ["Theta Maze Study"]} for i in range(250)
                ]
            }
        )
    lab.sessions(*(f"{{name: s{i:03}}}" for i in range(250)), "{name: new}")

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if b"offset=200" in request.url.query and request.url.path.endswith("/stem/session/"):
            meta = {**response.json()["meta"], "total_results": 249}
            return httpx.Response(200, json={**response.json(), "meta": meta})
        return response

    lab.after = after
    result = lab.run("plan")
    assert result.code == 1
    assert "changed during reading" in result.out
    assert not any(c["action"] in ("create", "delete") for c in lab.plan()["changes"])


def test_a_page_that_fails_gives_neither_create_nor_delete(lab: Lab) -> None:
    with lab.database() as database:
        database.seed(
            {
                "sessions": [
                    {"name": f"s{i:03}", "projects": ["Theta Maze Study"]} for i in range(250)
                ]
            }
        )
    lab.sessions(*(f"{{name: s{i:03}}}" for i in range(250)), "{name: new}")

    def fail(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(502) if b"offset=200" in request.url.query else None

    lab.intercept = fail
    result = lab.run("plan")
    assert result.code == 1
    assert "sessions could not all be read" in result.out
    assert not any(c["action"] in ("create", "delete") for c in lab.plan()["changes"])


def test_a_filter_that_is_ignored_is_noticed(lab: Lab) -> None:
    with lab.database() as database:
        database.seed(
            {
                "sessions": [
                    {"name": f"s{i:03}", "projects": ["Theta Maze Study"]} for i in range(900)
                ]
            }
        )
    lab.sessions("{name: new}")

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if b"filter" in request.url.query:
            return httpx.Response(
                200, json={"sessions": [{"id": "1", "name": "s001"}], "count": 900}
            )
        return response

    lab.after = after
    result = lab.run("plan", "--detailed-exitcode")
    assert result.code == 1
    assert "ignores a filter by name" in result.out
    assert lab.plan()["changes"] == []


def test_lost_answer_to_a_create_is_looked_for_and_not_sent_again(lab: Lab) -> None:
    lab.sessions(MAZE)

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method == "POST":
            raise httpx.ReadTimeout("too late", request=request)
        return response

    lab.after = after
    result = lab.run("apply", "--auto-approve")
    assert result.code == 0, result.said
    assert [s.method for s in lab.writes] == ["POST"]
    assert (
        lab.state["records"]["session/rat12_maze"]["id"] == lab.live("session", "rat12_maze")["id"]
    )


def test_a_create_that_never_arrived_is_unknown_and_planned_anew(lab: Lab) -> None:
    lab.sessions(MAZE)

    def lose(request: httpx.Request) -> None:
        if request.method == "POST":
            raise httpx.ReadTimeout("too late", request=request)

    lab.intercept = lose
    result = lab.run("apply", "--auto-approve")
    assert result.code == 3
    assert [s.method for s in lab.writes] == ["POST"]
    assert "1 unknown" in result.out
    lab.intercept = lambda request: None
    assert lab.plan()["summary"]["create"] == 1


def test_a_name_that_somebody_took_at_the_same_moment_is_not_adopted(lab: Lab) -> None:
    lab.sessions(MAZE)
    project = lab.live("project", "Theta Maze Study")["id"]

    def race(request: httpx.Request) -> None:
        if request.method == "POST":
            theirs = {
                "name": "rat12_maze",
                "description": "Theirs.",
                "projects": [project],
                "tags": [],
            }
            colleague = threading.Thread(target=lab.api, args=("POST", "stem/session/", theirs))
            colleague.start()
            colleague.join()
            raise httpx.ReadTimeout("too late", request=request)

    lab.intercept = race
    result = lab.run("apply", "--auto-approve")
    assert result.code == 3
    assert "different content" in result.out
    assert len(lab.writes) == 1
    lab.intercept = lambda request: None
    (change,) = lab.plan()["changes"]
    assert (change["held"], change["id"]) == ("conflict", lab.live("session", "rat12_maze")["id"])
    assert lab.run("apply", "--auto-approve", "--allow", "replace").code == 3
    assert lab.writes == []
    assert lab.live("session", "rat12_maze")["description"] == "Theirs."


def test_a_lost_answer_to_a_proposal_is_looked_for_among_the_approvals(lab: Lab) -> None:
    lab.write(
        "records/s.yaml", "sensory_stimulus_types:\n  - {name: Air puff, description: Brief puff}\n"
    )

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(502, html="<title>Bad gateway</title>")
        return response

    lab.after = after
    result = lab.run("apply", "--auto-approve")
    assert result.code == 0, result.said
    assert "1 proposed" in result.out
    assert [s.method for s in lab.writes] == ["POST"]


def test_a_lost_answer_to_a_proposed_change_is_looked_for_among_the_approvals(lab: Lab) -> None:
    lab.write(
        "records/s.yaml",
        "sensory_stimulus_types:\n  - {name: Auditory, description: Auditory cue}\n",
    )
    lab.apply()
    lab.write(
        "records/s.yaml", "sensory_stimulus_types:\n  - {name: Auditory, description: A sound}\n"
    )

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        return httpx.Response(502) if request.method == "PATCH" else response

    lab.after = after
    result = lab.run("apply", "--auto-approve")
    assert result.code == 0, result.said
    assert "1 proposed" in result.out
    assert [s.method for s in lab.writes] == ["PATCH"]


@pytest.mark.parametrize("arrived", [True, False])
def test_a_lost_answer_to_a_change_is_settled_by_reading(lab: Lab, arrived: bool) -> None:
    lab.sessions(MAZE)
    lab.apply()
    lab.sessions(MAZE.replace("First", "Second"))
    lost = []

    def lose(request: httpx.Request) -> None:
        if request.method == "PATCH" and not lost:
            lost.append(request)
            raise httpx.ReadError("reset", request=request)

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        lose(request)
        return response

    if arrived:
        lab.after = after
    else:
        lab.intercept = lose
    result = lab.run("apply", "--auto-approve")
    assert result.code == 0, result.said
    assert len(lab.writes) == (1 if arrived else 2)
    assert lab.live("session", "rat12_maze")["description"] == "Second day on the maze."


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_server_that_dies_with_the_answer_leaves_it_unknown(lab: Lab, method: str) -> None:
    lab.sessions(MAZE, "{name: b}")
    if method != "POST":
        lab.apply()
        lab.sessions(
            *(
                ["{name: b}"]
                if method == "DELETE"
                else [MAZE.replace("First", "Second"), "{name: b}"]
            )
        )
    dead = []

    def die(request: httpx.Request) -> None:
        if dead:
            raise httpx.ConnectError("refused", request=request)

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method == method:
            dead.append(request)
            raise httpx.ReadError("reset", request=request)
        return response

    lab.intercept, lab.after = die, after
    result = lab.run(
        "apply", "--auto-approve", "--allow", "delete", "--parallelism", "1", "-o", "json"
    )
    assert result.code == 3, result.said
    assert "unknown" in [o["status"] for o in result.json["outcomes"]]
    assert sum(s.method == method for s in lab.writes) >= 1


def test_a_proposal_decided_before_is_not_taken_for_the_one_that_was_lost(lab: Lab) -> None:
    lab.write(
        "records/s.yaml", "sensory_stimulus_types:\n  - {name: Air puff, description: Brief puff}\n"
    )
    lab.apply()
    assert (
        lab.run("approvals", "reject", "sensorystimulustype/Air puff", token="sandbox-admin").code
        == 0
    )

    def lose(request: httpx.Request) -> None:
        if request.method == "POST":
            raise httpx.ReadTimeout("too late", request=request)

    lab.intercept = lose
    result = lab.run("apply", "--auto-approve", "--resubmit")
    assert result.code == 3
    assert "1 unknown" in result.out


def test_a_lost_answer_to_a_delete_is_settled_by_reading(lab: Lab) -> None:
    lab.sessions(MAZE, "{name: b}")
    lab.apply()
    lab.sessions("{name: b}")

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method == "DELETE":
            raise httpx.ReadError("reset", request=request)
        return response

    lab.after = after
    result = lab.run("apply", "--auto-approve", "--allow", "delete")
    assert result.code == 0, result.said
    assert len(lab.writes) == 1
    assert list(lab.state["records"]) == ["session/b"]


def test_a_pause_that_the_server_asks_for_is_kept_by_all(lab: Lab) -> None:
    lab.sessions(*(f"{{name: s{i}}}" for i in range(4)))
    refused = []

    def busy(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and len(refused) < 2:
            refused.append(request)
            return httpx.Response(429, headers={"Retry-After": "0"})
        return None

    lab.intercept = busy
    lab.apply()
    bodies = [json.dumps(s.body) for s in lab.writes]
    assert len(bodies) == 6
    assert len(set(bodies)) == 4


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_what_could_not_be_looked_at_was_not_sent_and_is_no_doubt(lab: Lab, method: str) -> None:
    lab.sessions(MAZE, "{name: b}")
    lab.apply()
    lab.sessions(*([MAZE.replace("First", "Second")] if method == "PATCH" else []), "{name: b}")
    id_ = lab.live("session", "rat12_maze")["id"]

    def fail(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(502) if id_ in request.url.path else None

    lab.intercept = fail
    result = lab.run("apply", "--auto-approve", "--allow", "delete")
    assert result.code == 1
    assert "1 failed" in result.out
    assert lab.writes == []
    assert "doubts" not in lab.state["records"]["session/rat12_maze"]


def test_a_pause_is_said_once_and_not_silently_waited_for(lab: Lab) -> None:
    lab.sessions("{name: a}", "{name: b}")
    refused: list[httpx.Request] = []

    def busy(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and not refused:
            refused.append(request)
            return httpx.Response(429, headers={"Retry-After": "1"})
        return None

    lab.intercept = busy
    result = lab.apply()
    assert result.err.count("Paused for 1 s at the server's request.") == 1
    assert len(lab.writes) == 3
