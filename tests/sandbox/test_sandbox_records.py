"""Adding, reading, changing and deleting a record, and everything a body can be refused for."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sandbox_api import FOREIGN, LAB, NOBODY, Api

LONG = "x" * 101


def refused(api: Api, **fields: Any) -> Any:
    answer = api("POST", "stem/session/", {"name": "new", "projects": [LAB], **fields})
    assert answer.status_code == 400, answer.text
    return answer.json()


def test_a_record_goes_through_its_life(api: Api) -> None:
    session = api.session("one", description=" first ", tags=["a"], extra_fields={"room": "B1"})
    assert session["description"] == "first"
    path = f"stem/session/{session['id']}/"
    assert api("GET", path).json() == {"session": session}

    changed = api("PATCH", path, {"tags": ["b", "a"]})
    assert changed.status_code == 200
    assert changed.json()["session"] == {**session, "tags": ["b", "a"]}
    assert api("GET", path).json() == changed.json()

    deleted = api("DELETE", path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert api.database.query("SELECT * FROM links") == []
    assert (
        api("GET", path).status_code
        == api("PATCH", path, {}).status_code
        == api("DELETE", path).status_code
        == 404
    )


def test_all_problems_come_in_one_answer_in_the_order_of_the_table(api: Api) -> None:
    api.session("taken")
    body = {
        "tags": "x",
        "date_time": "yesterday",
        "projects": [NOBODY],
        "name": "taken",
        "extra_fields": {"1st": 1},
        "download_links": [{"Repository": "DANDI"}],
    }
    answer = api("POST", "stem/session", body)
    assert answer.status_code == 400
    assert answer.json() == {
        "name": ["session with this name already exists."],
        "projects": [f'Invalid pk "{NOBODY}" - object does not exist.'],
        "date_time": [
            "Datetime has wrong format. Use one of these formats instead:"
            " YYYY-MM-DDThh:mm:ssZ, YYYY-MM-DD."
        ],
        "extra_fields": ['"1st" is not a valid name.'],
        "download_links": ["URL: This field is required."],
        "tags": ['Expected a list of items but got type "str".'],
    }
    assert list(answer.json()) == [
        "name",
        "projects",
        "date_time",
        "extra_fields",
        "download_links",
        "tags",
    ]


@pytest.mark.parametrize(
    "field, value, message",
    [
        ("name", LONG, "Ensure this field has no more than 100 characters."),
        ("name", "  ", "This field may not be blank."),
        ("name", 7, "Not a valid string."),
        ("name", None, "This field is required."),
        ("name", "a\0b", "Null characters are not allowed."),
        ("description", ["x"], "Not a valid string."),
        ("projects", [], "This list may not be empty."),
        ("projects", LAB, 'Expected a list of items but got type "str".'),
        ("projects", [3], "Incorrect type. Expected pk value, received int."),
        ("projects", ["Lab"], 'Invalid pk "Lab" - object does not exist.'),
        ("projects", None, "This field is required."),
        ("date_time", "2024-02-30", "Datetime has wrong format"),
        ("date_time", "20240312", "Datetime has wrong format"),
        ("date_time", "0001-01-01T00:00:00+05:00", "Datetime has wrong format"),
        ("date_time", 1710000000, "Datetime has wrong format"),
        ("extra_fields", {"a b": 1}, '"a b" is not a valid name.'),
        ("extra_fields", {"a": True}, 'The value of "a" must be a string or a number.'),
        ("extra_fields", {"a": None}, 'The value of "a" must be a string or a number.'),
        ("extra_fields", {"a": {}}, 'The value of "a" must be a string or a number.'),
        (
            "extra_fields",
            [{"key": "a"}],
            "Expected an object, or a list of objects with name and value.",
        ),
        ("extra_fields", "a", 'Expected an object but got type "str".'),
        ("download_links", {}, 'Expected a list of items but got type "dict".'),
        ("download_links", ["x"], 'Expected an object but got type "str".'),
        (
            "download_links",
            [{"Repository": "DANDI", "URL": "dandi.org"}],
            "URL: Enter a valid URL.",
        ),
        (
            "download_links",
            [{"Repository": 1, "URL": "https://x.org"}],
            "Repository: Not a valid string.",
        ),
        (
            "download_links",
            [{"Repository": "", "URL": "https://x.org"}],
            "Repository: This field may not be blank.",
        ),
        (
            "download_links",
            [{"Repository": "a", "URL": "https://x.org", "url": 1}],
            "url: Unknown key.",
        ),
        ("extra_fields", {"a\n": 1}, '"a\n" is not a valid name.'),
        ("extra_fields", {"ä": 1}, '"ä" is not a valid name.'),
        ("extra_fields", [{"name": "a\n", "value": 1}], '"a\n" is not a valid name.'),
        ("date_time", "2024-03-12\n", "Datetime has wrong format"),
        ("date_time", "２０２４-03-12", "Datetime has wrong format"),
        ("tags", [1], "Not a valid string."),
        ("tags", {"a": 1}, 'Expected a list of items but got type "dict".'),
    ],
)
def test_a_value_is_refused(api: Api, field: str, value: Any, message: str) -> None:
    problems = refused(api, **{field: value})
    assert list(problems) == [field]
    (found,) = problems[field]
    assert found.startswith(message)
    assert api.names("stem/session/") == []


@pytest.mark.parametrize(
    "field, value, kept",
    [
        ("name", "x" * 100, "x" * 100),
        ("name", f" {'x' * 100}\n", "x" * 100),
        ("projects", [LAB, LAB], [LAB]),
        ("projects", [LAB.upper()], [LAB]),
        ("date_time", "2024-03-12", "2024-03-12"),
        ("date_time", "2024-03-12T00:00:00Z", "2024-03-12T00:00:00Z"),
        ("date_time", "2024-03-12T09:00:00Z", "2024-03-12T09:00:00Z"),
        ("date_time", "2024-03-12T09:00:00.75+02:00", "2024-03-12T07:00:00Z"),
        ("date_time", "2024-03-12 09:00", "2024-03-12T09:00:00Z"),
        ("date_time", None, None),
        ("extra_fields", {"a": 1.5, "b": "x"}, {"a": 1.5, "b": "x"}),
        ("extra_fields", {}, []),
        ("extra_fields", [], []),
        ("extra_fields", None, []),
        (
            "extra_fields",
            [{"name": "a", "value": 22}, {"name": "b", "value": "y"}],
            {"a": 22, "b": "y"},
        ),
        (
            "download_links",
            [{"Repository": "X", "URL": "ftp://x.org"}],
            [{"Repository": "X", "URL": "ftp://x.org"}],
        ),
        ("tags", ["b", "a", "ü"], ["b", "a", "ü"]),
    ],
)
def test_a_value_is_kept(api: Api, field: str, value: Any, kept: Any) -> None:
    session = api.session(**{"name": "new", field: value})
    assert session[field] == kept
    assert api("GET", f"stem/session/{session['id']}").json()["session"][field] == kept


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system has one time zone per machine")
def test_a_moment_without_an_offset_is_utc_wherever_the_sandbox_runs(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert (
            api.session("one", date_time="2024-03-12T09:00")["date_time"] == "2024-03-12T09:00:00Z"
        )
        assert (
            api.session("two", date_time="2024-03-12T00:00+09:00")["date_time"]
            == "2024-03-11T15:00:00Z"
        )
    finally:
        monkeypatch.undo()
        time.tzset()


def test_what_is_not_understood_is_dropped_without_a_word(api: Api) -> None:
    session = api.session("one", description="kept", tags=["a"])
    silent = {
        "id": NOBODY,
        "links": {},
        "manipulations": [NOBODY],
        "datastorage": [NOBODY],
        "colour": "red",
        "description": None,
        "tags": None,
        "projects": None,
        "name": None,
        "download_links": None,
    }
    answer = api("PATCH", f"stem/session/{session['id']}/", silent)
    assert (answer.status_code, answer.json()) == (200, {"session": session})


def test_what_no_answer_shows_is_kept_and_held_to_its_rules(api: Api) -> None:
    session = api.session("one", name_used_in_storage=" ses01 ")
    assert "name_used_in_storage" not in session

    def kept() -> list[Any]:
        return api.database.query(
            "SELECT json_extract(body, '$.name_used_in_storage') FROM records"
            " WHERE model = 'session'"
        )

    assert kept() == [("ses01",)]
    path = f"stem/session/{session['id']}/"
    for wrong, said in (("x" * 201, "no more than 200"), (["x"], "Not a valid string")):
        answer = api("PATCH", path, {"name_used_in_storage": wrong})
        assert answer.status_code == 400
        assert said in answer.json()["name_used_in_storage"][0]
        assert "name_used_in_storage" in refused(api, name_used_in_storage=wrong)
    assert api("PATCH", path, {"name_used_in_storage": "x" * 200}).json() == {"session": session}
    assert kept() == [("x" * 200,)]


def test_a_day_and_its_midnight_are_one_moment_to_a_list(api: Api) -> None:
    api.session("day", date_time="2024-03-12")
    api.session("midnight", date_time="2024-03-12T00:00:00Z")
    api.session("later", date_time="2024-03-12T00:00:01Z")
    for asked in ("2024-03-12", "2024-03-12T00:00:00Z"):
        assert api.names("stem/session/", ("filter{date_time}", asked)) == ["day", "midnight"]
        assert api.names("stem/session/", ("filter{date_time.gt}", asked)) == ["later"]
    assert api.names("stem/session/", ("sort[]", "-date_time"))[0] == "later"


@pytest.mark.parametrize(
    "empty", [{"description": ""}, {"tags": []}, {"extra_fields": {}}, {"date_time": None}]
)
def test_a_field_is_cleared_by_its_own_empty_value(api: Api, empty: dict[str, Any]) -> None:
    session = api.session(
        "one", description="d", tags=["a"], extra_fields={"a": 1}, date_time="2024-03-12"
    )
    (field,) = empty
    changed = api("PATCH", f"stem/session/{session['id']}/", empty).json()["session"]
    assert changed == {**session, field: [] if field == "extra_fields" else empty[field]}


def test_names_are_unique_also_where_one_cannot_look(api: Api) -> None:
    theirs = api.by("other")("POST", "stem/session/", {"name": "secret", "projects": [FOREIGN]})
    assert theirs.status_code == 201
    assert "secret" not in api.names("stem/session/")
    assert refused(api, name="secret") == {"name": ["session with this name already exists."]}
    assert refused(api, name=" secret ") == {"name": ["session with this name already exists."]}
    api.session("Secret")  # case tells names apart

    ours = api.session("ours")
    path = f"stem/session/{ours['id']}/"
    assert api("PATCH", path, {"name": "secret"}).json() == {
        "name": ["session with this name already exists."]
    }
    assert api("PATCH", path, {"name": "ours"}).status_code == 200
    assert api("PATCH", path, {"name": "free now"}).status_code == 200
    api.session("ours")


def test_a_reference_must_be_visible(api: Api) -> None:
    messages = [f'Invalid pk "{id_}" - object does not exist.' for id_ in (FOREIGN, NOBODY)]
    assert refused(api, projects=[LAB, FOREIGN, NOBODY]) == {"projects": messages}


def test_a_refused_change_changes_nothing(api: Api) -> None:
    session = api.session("one", description="before")
    path = f"stem/session/{session['id']}/"
    assert api("PATCH", path, {"description": "after", "tags": 1}).status_code == 400
    assert api("GET", path).json()["session"] == session


@pytest.mark.parametrize(
    "content, told",
    [
        (b"{", "JSON parse error"),
        (b"\xff", "JSON parse error"),
        (b'{"name": NaN}', "JSON parse error"),
        (b'{"extra_fields": {"a": 1e999}}', "JSON parse error"),
        (rb'{"name": "\ud800"}', "JSON parse error"),
        (b"[" * 100_000, "JSON parse error"),
        (b"[]", "Invalid data. Expected a dictionary, but got list."),
        (b'"x"', "Invalid data. Expected a dictionary, but got str."),
    ],
)
def test_a_body_that_is_no_object_is_refused(api: Api, content: bytes, told: str) -> None:
    answer = api("POST", "stem/session/", content=content)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(told)


def test_no_body_is_an_empty_one(api: Api) -> None:
    required = {"name": ["This field is required."], "projects": ["This field is required."]}
    assert api("POST", "stem/session/").json() == required
    session = api.session("one")
    assert api("PATCH", f"stem/session/{session['id']}/").json() == {"session": session}


def test_lists_that_others_feed_follow_them(api: Api) -> None:
    first, second = api.session("first"), api.session("second")

    def fed() -> dict[str, Any]:
        return api("GET", f"stem/project/{LAB}/").json()["project"]

    assert fed()["sessions"] == [first["id"], second["id"]]
    assert fed()["links"] == {"sessions": "sessions/"}
    # Storing a record again does not move it.
    api("PATCH", f"stem/session/{first['id']}/", {"description": "x"})
    assert fed()["sessions"] == [first["id"], second["id"]]
    api("DELETE", f"stem/session/{first['id']}/")
    assert fed()["sessions"] == [second["id"]]
    api("DELETE", f"stem/session/{second['id']}/")
    assert (fed()["sessions"], fed()["links"]) == ([], {})


def test_ids_are_the_servers(api: Api) -> None:
    one, two = api.session("one", id=NOBODY)["id"], api.session("two")["id"]
    assert NOBODY not in (one, two)
    assert one != two
    assert one[14] == two[14] == "4"
    for method, status in (("GET", 200), ("PATCH", 200), ("DELETE", 204)):
        assert api(method, f"stem/session/{one.upper()}/").status_code == status


@pytest.mark.parametrize(
    "method, path, allowed",
    [
        ("POST", "stem/project/", "GET"),
        ("PATCH", f"stem/project/{LAB}/", "GET"),
        ("DELETE", "stem/session/", "GET, POST"),
        ("PUT", f"stem/session/{NOBODY}/", "GET, PATCH, DELETE"),
        ("POST", f"stem/session/{NOBODY}/", "GET, PATCH, DELETE"),
        ("OPTIONS", "stem/session/", "GET, POST"),
    ],
)
def test_operations_that_the_table_lacks_are_not_allowed(
    api: Api, method: str, path: str, allowed: str
) -> None:
    answer = api(method, path)
    assert answer.status_code == 405
    assert answer.json() == {"detail": f'Method "{method}" not allowed.'}
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/",
        "/api/private/",
        "/api/private/stem/",
        "/api/private/stem/sessions/",
        "/api/private/stem/sensorystimulustype/",
        "/api/private/modules/behavior/",
        "/api/secret/stem/session/",
        f"/api/private/stem/session/{LAB}/many/",
        f"/api/private/stem/session/{LAB}/accept/",
        f"/api/private/stem/session/{LAB}/accept/more/",
        "/api/public/taxonomies/sensorystimulustype_approvals/",
        "/api/auth/device/other/",
    ],
)
def test_unknown_addresses_are_web_pages(api: Api, path: str) -> None:
    answer = api("GET", path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("id_", [NOBODY, "7", "no-uuid", "%20"])
def test_unknown_records_are_json(api: Api, id_: str) -> None:
    answer = api("GET", f"stem/session/{id_}/")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
