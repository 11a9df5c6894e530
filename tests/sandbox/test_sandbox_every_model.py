"""Each model of edition 2026: its lists, filters, orders and included records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sandbox_api import Api

from stemctl.sandbox.database import Database
from stemctl.sandbox.list_query import OPERATORS
from stemctl.schema.catalog import Catalog, load_catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from tests.support.small_lab import LAB

CATALOG = load_catalog("2026")
MODELS = [model for model in CATALOG.models.values() if not model.embedded]
PLAIN = ("text", "number", "integer", "boolean", "date", "instant", "id")
Record = dict[str, Any]


def for_each(models: list[Model]) -> Any:
    return pytest.mark.parametrize("model", models, ids=lambda model: model.name)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    database = Database(None, CATALOG)
    assert database.seed(LAB) == 42
    yield database
    database.close()


@pytest.fixture(scope="module")
def api(database: Database) -> Api:
    return Api(database, "admin")


def listed(api: Api, model: Model, *parameters: tuple[str, Any]) -> list[Record]:
    answer = api("GET", f"{model.app}/{model.name}/", params=[*parameters, ("limit", 100)])
    assert answer.status_code == 200, answer.text
    assert next(iter(answer.json())) == model.many  # the records come first
    return list(answer.json()[model.many])


def shown(model: Model) -> list[Field]:
    return [f for f in model.fields.values() if f.shown and not f.proposal and f.name != "links"]


def ids_in(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] * (value is not None)


def as_parameter(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@for_each(MODELS)
def test_its_records_have_its_fields_in_order(api: Api, model: Model) -> None:
    found = listed(api, model)
    assert found
    for record in found:
        assert [name for name in record if name != "links"] == [f.name for f in shown(model)]
        assert isinstance(record["id"], int) is model.integer_ids
        one = api("GET", f"{model.app}/{model.name}/{record['id']}/").json()
        assert one == {model.one: record}


def referring(api: Api, model: Model) -> Iterator[tuple[Field, Record, Model, list[Any]]]:
    """Each reference that a record has, with the ids of its targets."""
    for field in shown(model):
        target = CATALOG.models.get(field.to or "")
        for record in listed(api, model) if target else []:
            assert target is not None
            ids = ids_in(record[field.name])
            assert all(isinstance(id_, int) is target.integer_ids for id_ in ids)
            if ids:
                yield field, record, target, ids


@for_each(MODELS)
def test_it_is_filtered_by_references_in_each_form(api: Api, model: Model) -> None:
    for field, record, target, ids in referring(api, model):
        for name in (field.name, f"{field.name}.id", f"{field.name}.in"):
            found = listed(api, model, (f"filter{{{name}}}", ids[0]))
            assert record in found
            assert all(ids[0] in ids_in(other[field.name]) for other in found)
        related = api("GET", f"{target.app}/{target.name}/{ids[0]}/").json()[target.one]
        called = target.called
        if called and target.fields[called].kind == "text":
            word = related[called]
            assert record in listed(api, model, (f"filter{{{field.name}.{called}}}", word))
            part = (f"filter{{{field.name}.{called}.icontains}}", word[1:].upper())
            assert record in listed(api, model, part)
        nobody = "0" if target.integer_ids else "5a1d3f6c-0f0e-4c63-8a55-3a1e1ad99999"
        assert listed(api, model, (f"filter{{{field.name}}}", nobody)) == []


@for_each(MODELS)
def test_it_is_filtered_by_each_plain_value(api: Api, model: Model) -> None:
    record = listed(api, model)[0]
    for field in shown(model):
        value = record[field.name]
        if field.to or field.kind not in PLAIN or value in (None, ""):
            continue
        for operator in ("", ".exact", ".in", ".gte", ".lte"):
            assert record in listed(
                api, model, (f"filter{{{field.name}{operator}}}", as_parameter(value))
            ), (field.name, operator)
        assert record not in listed(api, model, (f"filter{{{field.name}.lt}}", as_parameter(value)))
        if field.kind == "text":
            assert_text_filters(api, model, field, record)


def assert_text_filters(api: Api, model: Model, field: Field, record: Record) -> None:
    value = record[field.name]
    parts = {"contains": value[1:3], "startswith": value[:2], "endswith": value[-2:]}
    for operator, part in {**parts, "exact": value}.items():
        for name, text in ((operator, part), (f"i{operator}", part.swapcase())):
            assert name in OPERATORS
            assert record in listed(api, model, (f"filter{{{field.name}.{name}}}", text))
        assert listed(api, model, (f"filter{{{field.name}.{operator}}}", "nothing at all")) == []


@for_each(MODELS)
def test_it_is_sorted_by_each_plain_field_and_by_no_other(api: Api, model: Model) -> None:
    for field in shown(model):
        for sign in ("", "-"):
            parameters = [("sort[]", f"{sign}{field.name}"), ("sort[]", "id")]
            answer = api("GET", f"{model.app}/{model.name}/", params=parameters)
            fits = field.kind in PLAIN and not field.to
            assert answer.status_code == (200 if fits else 400), field.name
    ids = [record["id"] for record in listed(api, model, ("sort[]", "-id"))]
    assert ids == sorted(ids, reverse=True)


@for_each(MODELS)
def test_it_includes_what_it_refers_to(api: Api, model: Model) -> None:
    relations = [f for f in shown(model) if f.to in CATALOG.models]
    parameters = [("include[]", f"{field.name}.*") for field in relations]
    answer = api("GET", f"{model.app}/{model.name}/", params=parameters).json()
    assert next(iter(answer)) == model.many
    for field in relations:
        target = CATALOG.models[field.to or ""]
        key = target.many if target.many != model.many else f"+{target.many}"
        beside = {record["id"] for record in answer[key]}
        wanted = {id_ for record in answer[model.many] for id_ in ids_in(record[field.name])}
        assert wanted <= beside | {record["id"] for record in answer[model.many]}


@for_each(MODELS)
def test_an_unknown_filter_is_refused(api: Api, model: Model) -> None:
    for name in ("no_such_field", "id.name", *(f.name for f in shown(model) if f.kind == "json")):
        answer = api("GET", f"{model.app}/{model.name}/", params={f"filter{{{name}}}": "x"})
        assert (answer.status_code, answer.json()) == (400, [f"Invalid filter field: {name}"])


def test_the_order_of_numbers_is_that_of_numbers(catalog: Catalog) -> None:
    database = Database(None, CATALOG)
    database.seed({"groups": [{"name": f"G{number:02}"} for number in range(12)]})
    api = Api(database)
    groups = CATALOG.models["group"]
    ids = [group["id"] for group in listed(api, groups, ("sort[]", "id"))]
    assert ids == sorted(ids)
    assert {len(str(id_)) for id_ in ids} == {1, 2}
    database.close()


def test_pages_of_a_parent_take_no_reading_of_all() -> None:
    """The work for the children of one session does not grow with the sessions."""
    database = Database(None, CATALOG)
    database.seed(LAB)
    api = Api(database)
    session = api("GET", "stem/session/").json()["sessions"][0]
    steps: list[int] = []
    for _ in range(2):
        count = [0]

        def tick(count: list[int] = count) -> int:
            count[0] += 1
            return 0

        database._connection.set_progress_handler(tick, 10)
        answer = api("GET", f"modules/dataacquisition/?filter{{session.id}}={session['id']}").json()
        database._connection.set_progress_handler(None, 0)
        assert len(answer["data_acquisitions"]) == 1
        steps.append(count[0])
        more = [
            {"name": f"s{n}", "projects": ["Theta"], "data_acquisitions": [{"type": "Audio"}]}
            for n in range(500)
        ]
        database.seed({"sessions": more})
    assert steps[1] <= steps[0] + 5
    database.close()
