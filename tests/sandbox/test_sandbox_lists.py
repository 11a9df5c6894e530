"""Pages, totals, order, filters and side-loaded records."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_api import FOREIGN, LAB, NOBODY, OPEN, Api

from stemctl.sandbox.database import Database

STORAGE = "5a1d3f6c-0f0e-4c63-8a55-3a1e1ad33333"
EPOCH = "5a1d3f6c-0f0e-4c63-8a55-3a1e1ad44444"


@pytest.fixture
def many(api: Api) -> Api:
    sessions = [{"name": f"s{number:03}", "projects": [LAB]} for number in range(123)]
    assert api.database.seed({"sessions": sessions}) == 123
    return api


@pytest.fixture
def mixed(api: Api) -> Api:
    storages = [{"id": STORAGE, "name": "Server"}]
    sessions = [
        {
            "name": "Ärmel_1",
            "projects": ["Lab"],
            "tags": ["sleep", "npx"],
            "date_time": "2024-03-12",
            "datastorage": ["Server"],
        },
        {
            "name": "beta%",
            "projects": ["Lab", "Open"],
            "date_time": "2024-03-12T09:00:00Z",
            "description": "b",
        },
        {
            "name": "Gamma",
            "projects": ["Open"],
            "tags": ["Sleep"],
            "description": "a, b",
            "epochs": [EPOCH],
        },
    ]
    api.database.seed({"sessions": sessions, "datastorages": storages})
    return api


def test_pages_hold_each_record_once_in_the_order_of_adding(many: Api) -> None:
    found: list[str] = []
    for offset in range(0, 140, 20):
        found += many.names("stem/session/", ("offset", offset))
    assert found == [f"s{number:03}" for number in range(123)]


@pytest.mark.parametrize(
    "limit, size",
    [
        ("", 20),
        ("50", 50),
        ("100", 100),
        ("101", 100),
        ("100000", 100),
        ("0", 1),
        ("-5", 1),
        ("many", 20),
    ],
)
def test_the_size_of_a_page_is_kept_in_bounds(many: Api, limit: str, size: int) -> None:
    assert len(many.names("stem/session/", ("limit", limit))) == size


@pytest.mark.parametrize(
    "offset, first",
    [("-3", ["s000"]), ("x", ["s000"]), ("122", ["s122"]), ("123", []), ("9" * 15, [])],
)
def test_the_beginning_of_a_page(many: Api, offset: str, first: list[str]) -> None:
    assert many.names("stem/session/", ("offset", offset), ("limit", "1")) == first


@pytest.mark.parametrize(
    "totals, keys",
    [
        ("both", ["count", "next", "previous", "meta"]),
        ("meta", ["meta"]),
        ("count", ["count", "next", "previous"]),
        ("none", []),
    ],
)
def test_totals_are_told_in_the_chosen_way(many: Api, totals: str, keys: list[str]) -> None:
    api = Api(many.database, totals=totals)
    query = "stem/session/?limit=50&offset=50&filter{name.startswith}=s&filter{projects}=" + LAB
    answer = api("GET", query).json()
    assert list(answer) == ["sessions", *keys]
    assert answer.get("count", 123) == 123
    assert answer.get("meta", None) in (
        None,
        {"total_results": 123, "total_pages": 3, "page": 2, "per_page": 50},
    )
    if "next" in answer:
        for key, offset in (("next", 100), ("previous", 0)):
            page = api("GET", answer[key]).json()
            assert answer[key].startswith("http://sandbox/api/private/stem/session/?")
            assert page["sessions"][0]["name"] == f"s{offset:03}"
            assert page["count"] == 123
        assert api("GET", answer["next"]).json()["next"] is None
        assert api("GET", answer["previous"]).json()["previous"] is None


def test_an_empty_list_is_one_page(api: Api) -> None:
    answer = api("GET", "stem/session/").json()
    meta = {"total_results": 0, "total_pages": 1, "page": 1, "per_page": 20}
    assert answer == {"sessions": [], "count": 0, "next": None, "previous": None, "meta": meta}


def test_a_listing_never_outlives_a_write(many: Api) -> None:
    assert len(many.names("stem/session/", ("offset", 120))) == 3
    many.session("later")
    assert many.names("stem/session/", ("offset", 120))[-1] == "later"
    record = many("GET", "stem/session/?filter{name}=s000").json()["sessions"][0]
    many("PATCH", f"stem/session/{record['id']}/", {"name": "z"})
    assert many.names("stem/session/", ("sort[]", "-name"), ("limit", 1)) == ["z"]
    many("DELETE", f"stem/session/{record['id']}/")
    assert many("GET", "stem/session/").json()["count"] == 123


@pytest.mark.parametrize(
    "sort, names",
    [
        (["name"], ["Gamma", "beta%", "Ärmel_1"]),
        (["-name"], ["Ärmel_1", "beta%", "Gamma"]),
        (["date_time", "name"], ["Gamma", "Ärmel_1", "beta%"]),
        (["-date_time"], ["beta%", "Ärmel_1", "Gamma"]),
        (["description"], ["Ärmel_1", "Gamma", "beta%"]),
    ],
)
def test_order(mixed: Api, sort: list[str], names: list[str]) -> None:
    assert mixed.names("stem/session/", *(("sort[]", field) for field in sort)) == names


def test_order_by_id_is_total(mixed: Api) -> None:
    ids = mixed.names("stem/session/", ("sort[]", "id"), field="id")
    assert ids == sorted(ids)
    assert mixed.names("stem/session/", ("sort[]", "-id"), field="id") == ids[::-1]


@pytest.mark.parametrize(
    "field", ["colour", "projects", "tags", "links", "name_used_in_storage", "extra_fields", ""]
)
def test_order_by_what_has_none_is_refused(api: Api, field: str) -> None:
    answer = api("GET", "stem/session/", params={"sort[]": f"-{field}"})
    assert (answer.status_code, answer.json()) == (400, [f"Invalid sort field: {field}"])


@pytest.mark.parametrize(
    "filters, names",
    [
        ([("name", "Gamma")], ["Gamma"]),
        ([("name", "gamma")], []),
        ([("name.iexact", "GAMMA")], ["Gamma"]),
        ([("name.iexact", "ärMEL_1")], ["Ärmel_1"]),
        ([("name.icontains", "M")], ["Ärmel_1", "Gamma"]),
        ([("name.icontains", "äRM")], ["Ärmel_1"]),
        ([("name.contains", "M")], []),
        ([("name.contains", "%")], ["beta%"]),
        ([("name.icontains", "_")], ["Ärmel_1"]),
        ([("name.startswith", "g")], []),
        ([("name.istartswith", "g")], ["Gamma"]),
        ([("name.endswith", "A")], []),
        ([("name.endswith", "mma")], ["Gamma"]),
        ([("name.endswith", "a very long end")], []),
        ([("name.iendswith", "MMA")], ["Gamma"]),
        ([("name.in", "Gamma"), ("name.in", "beta%")], ["beta%", "Gamma"]),
        ([("name.gt", "Gamma")], ["Ärmel_1", "beta%"]),
        ([("name.gte", "Gamma"), ("name.lt", "c")], ["beta%", "Gamma"]),
        ([("name.lte", "Gamma")], ["Gamma"]),
        ([("description", "a, b")], ["Gamma"]),
        ([("description", "")], ["Ärmel_1"]),
        ([("date_time.gt", "2024-03-12")], ["beta%"]),
        ([("date_time.gte", "2024-03-12T01:00:00+01:00")], ["Ärmel_1", "beta%"]),
        ([("date_time", "2024-03-12T10:00:00+01:00")], ["beta%"]),
        ([("date_time.lt", "2025-01-01")], ["Ärmel_1", "beta%"]),
        ([("tags", "sleep")], ["Ärmel_1"]),
        ([("tags.iexact", "sleep")], ["Ärmel_1", "Gamma"]),
        ([("tags.in", "npx"), ("tags.in", "Sleep")], ["Ärmel_1", "Gamma"]),
        ([("tags", "slee")], []),
        ([("projects", LAB)], ["Ärmel_1", "beta%"]),
        ([("projects.id", LAB.upper())], ["Ärmel_1", "beta%"]),
        ([("projects.in", LAB), ("projects.in", OPEN)], ["Ärmel_1", "beta%", "Gamma"]),
        ([("projects", LAB), ("projects.id", OPEN)], ["beta%"]),
        ([("projects.name", "Open")], ["beta%", "Gamma"]),
        ([("projects.name.icontains", "LA")], ["Ärmel_1", "beta%"]),
        ([("projects.is_public", "true")], ["beta%", "Gamma"]),
        ([("projects.sessions.name", "Gamma")], ["beta%", "Gamma"]),
        ([("projects", NOBODY)], []),
        ([("datastorage.id", STORAGE)], ["Ärmel_1"]),
        ([("datastorage.name", "Server")], ["Ärmel_1"]),
        ([("epochs", EPOCH)], ["Gamma"]),
        ([("manipulations.id", EPOCH)], []),
        ([("projects", LAB), ("name.icontains", "ä")], ["Ärmel_1"]),
        ([("name.icontains", "a"), ("name.icontains", "m")], ["Gamma"]),
        ([("id", NOBODY)], []),
    ],
)
def test_filters(mixed: Api, filters: list[tuple[str, str]], names: list[str]) -> None:
    asked = [(f"filter{{{name}}}", value) for name, value in filters]
    assert mixed.names("stem/session/", *asked) == names
    assert mixed("GET", "stem/session/", params=asked).json()["count"] == len(names)


@pytest.mark.parametrize(
    "filters, names",
    [
        ([("is_public", "true")], ["Open"]),
        ([("is_public", "False")], ["Lab"]),
        ([("is_public", "1")], ["Open"]),
        ([("is_public", "0")], ["Lab"]),
        ([("is_public", "maybe")], []),
        ([("sessions.name", "Gamma")], ["Open"]),
        ([("sessions.name.in", "Gamma"), ("sessions.name.in", "Ärmel_1")], ["Lab", "Open"]),
        ([("sessions.datastorage.name", "Server")], ["Lab"]),
    ],
)
def test_filters_through_lists_that_others_feed(
    mixed: Api, filters: list[tuple[str, str]], names: list[str]
) -> None:
    assert (
        mixed.names("stem/project/", *((f"filter{{{name}}}", value) for name, value in filters))
        == names
    )


def test_a_filter_by_the_id_of_a_feeding_record(mixed: Api) -> None:
    (session,) = mixed("GET", "stem/session/?filter{name}=Gamma").json()["sessions"]
    for name in ("sessions", "sessions.id"):
        assert mixed.names("stem/project/", (f"filter{{{name}}}", session["id"])) == ["Open"]
    assert mixed.names("stem/session/", ("filter{id}", session["id"].upper())) == ["Gamma"]
    assert mixed.names(
        "stem/session/", ("filter{id.in}", session["id"]), ("filter{id.in}", NOBODY)
    ) == ["Gamma"]


@pytest.mark.parametrize(
    "name",
    [
        "colour",
        "",
        "in",
        "name.sounds_like",
        "projects.colour",
        "projects.name.first",
        "epochs.name",
        "links",
        "name_used_in_storage",
        "extra_fields",
        "extra_fields.room",
        "download_links",
        "name') OR 1 --",
    ],
)
def test_filters_by_what_is_not_there_are_refused(api: Api, name: str) -> None:
    answer = api("GET", "stem/session/", params={f"filter{{{name}}}": "x"})
    assert (answer.status_code, answer.json()) == (400, [f"Invalid filter field: {name}"])


@pytest.mark.parametrize("value", ["'; DROP TABLE records; --", '"', "%", "\\", "\0"])
def test_values_are_no_statements(mixed: Api, value: str) -> None:
    for operator in ("", ".icontains", ".gt", ".in"):
        assert (
            mixed("GET", "stem/session/", params={f"filter{{name{operator}}}": value}).status_code
            == 200
        )
    assert len(mixed.names("stem/session/")) == 3


def test_related_records_stand_beside_the_list_after_it(mixed: Api) -> None:
    answer = mixed(
        "GET", "stem/session/?include[]=projects.*&include[]=datastorage.*&filter{name}=Ärmel_1"
    ).json()
    assert list(answer) == [
        "sessions",
        "projects",
        "datastorages",
        "count",
        "next",
        "previous",
        "meta",
    ]
    assert answer["sessions"][0]["projects"] == [LAB]
    assert [project["name"] for project in answer["projects"]] == ["Lab"]
    assert answer["projects"] == [mixed("GET", f"stem/project/{LAB}/").json()["project"]]
    assert [storage["name"] for storage in answer["datastorages"]] == ["Server"]


def test_related_records_stand_beside_a_record(mixed: Api) -> None:
    answer = mixed("GET", f"stem/project/{OPEN}/?include[]=sessions.*").json()
    assert list(answer) == ["project", "sessions"]
    assert [session["name"] for session in answer["sessions"]] == ["beta%", "Gamma"]


def test_including_ids_alone_changes_nothing(mixed: Api) -> None:
    assert (
        mixed("GET", "stem/session/?include[]=projects").json()
        == mixed("GET", "stem/session/").json()
    )


def test_relations_that_the_edition_lacks_are_passed_over(mixed: Api) -> None:
    lacking = ("dataacquisition", "behaviors", "manipulations", "epochs", "subjects", "name")
    query = "&".join(f"include[]={name}.*" for name in lacking)
    assert (
        mixed("GET", f"stem/session/?{query}").json().keys()
        == mixed("GET", "stem/session/").json().keys()
    )


def test_what_one_may_not_see_is_not_side_loaded(database: Database, api: Api) -> None:
    database.seed({"sessions": [{"name": "shared", "projects": [LAB, FOREIGN]}]})
    answer = api("GET", "stem/session/?include[]=projects.*").json()
    assert answer["sessions"][0]["projects"] == [LAB, FOREIGN]
    assert [project["name"] for project in answer["projects"]] == ["Lab"]


def test_parameters_of_others_are_ignored(mixed: Any) -> None:
    assert len(mixed.names("stem/session/", ("format", "json"), ("page", "7"))) == 3
