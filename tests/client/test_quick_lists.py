"""A list that is read quickly is what it would be the plain way, and nothing wrong is taken."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from stemctl.client.quick_lists import quick_list
from stemctl.client.responses import NotTheApi, Response, checked_record, json_object
from stemctl.core.live_records import LiveRecords
from stemctl.schema.catalog import load_catalog
from stemctl.schema.models import Model

CATALOG = load_catalog("2024")
MODELS = [
    model
    for catalog in (CATALOG, load_catalog("2026"))
    for model in catalog.models.values()
    if not model.integer_ids
]
SCALARS = [
    *("null", "true", "0", "1.0", '""', '"a"', '"2024-03-12"', "[]", "{}", "-0", "-0.0", "1E5"),
    *("1E-400", "1e400", "NaN", "-Infinity", "01", "1.", "0.1234567890123456789", "9" * 30 + ".5"),
    *("123456789012345678901234567890", '"\\ud800"', '"\\ud83d\\ude00"', '"\\udc00x"', '"\\u0000"'),
    *('"ä"', '"\t"', "9" * 5000),
]
SHAPES = [
    *("%s", "[%s]", '["a", %s]', '{"k": %s}', '{"k": {"l": %s}}', '[{"k": %s}]', '{"k": [%s]}'),
    *('{"name": "n", "value": %s}', '[{"name": "n", "value": %s}]', '[{"name": %s, "value": 1}]'),
    *('[{"name": %s}]', '{"id": %s}', '[{"id": %s}]', '{"$ref": %s}', '{"id": "a", "$ref": %s}'),
    *('{"k": 1, "k": %s}', '{"k": %s, "k": 1}', '{"\\ud800": %s}', '{"": %s}'),
]
VALUES = [shape % scalar for shape in SHAPES for scalar in SCALARS]
FIELDS = {
    row.kind: (model, row.name)
    for model in MODELS
    for row in model.fields.values()
    if row.kind != "id"
}


def plainly(text: str, model: Model) -> Any:
    """The answer as it is read without a shortcut; None if it is refused."""
    try:
        answer = json_object(Response(200, httpx.Headers(), text.encode()))
        rows = [checked_record(fields, model) for fields in answer[model.many]]
    except (NotTheApi, KeyError, TypeError):
        return None
    return {**answer, model.many: rows}


def agrees(text: str, model: Model) -> bool:
    """Whether an answer is read quickly; then it is what it would be plainly."""
    quick = quick_list(text.encode(), model)
    if quick is None:
        return False
    plain = plainly(text, model)
    assert plain is not None, text
    assert repr(dict(sorted(quick.items()))) == repr(dict(sorted(plain.items())))
    rows = quick[model.many]
    kept = LiveRecords({str(number): one for number, one in enumerate(rows.texts)})
    assert repr(list(kept.values())) == repr(plain[model.many])
    return True


@pytest.mark.parametrize("kind", FIELDS)
def test_a_field_that_is_read_quickly_is_what_is_there(kind: str) -> None:
    model, name = FIELDS[kind]
    texts = (f'{{"{model.many}": [{{"id": "1", "{name}": {value}}}]}}' for value in VALUES)
    assert sum(agrees(text, model) for text in texts) > 5


def test_what_no_table_knows_is_what_is_there() -> None:
    model = CATALOG.models["session"]
    forms = (
        '{"sessions": [{"id": "1", "unknown": %s}]}',
        '{"beside": %s, "sessions": [{"id": "1"}]}',
        '{"sessions": [{"id": "1", "name": %s, "name": "a"}]}',
        '{"sessions": [{"id": %s}]}',
        '{"sessions": %s, "sessions": [{"id": "1"}]}',
        '{"sessions": [%s]}',
        '{"sessions": %s}',
        "%s",
    )
    ids = ['"1b-_Z"', '"a/b"', '"a\\n"', '"-a"', '"ä"', "7"]
    texts = [form % value for form in forms for value in (*VALUES, *ids)]
    assert sum(agrees(text, model) for text in texts) > 100


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_usual_answer_is_read_quickly(model: Model) -> None:
    samples = {
        "map": {"a": 1},
        "members": {"users": {}},
        "items": [{"a": 1}],
        "list": ["a"],
        "references": ["a", 7],
        "reference": "a",
        "json": [[1]],
        "details": {"a": [1]},
    }
    full = {name: samples.get(row.kind, "x") for name, row in model.fields.items()}
    empty = dict.fromkeys(model.fields) | {"id": "2"}
    answer = {model.many: [full | {"id": "1"}, empty, {"id": "3", "new": 1}], "count": 3}
    assert quick_list(json.dumps(answer).encode(), model) == answer


@pytest.mark.parametrize(("inside", "is_quick"), [(97, True), (98, False), (200, False)])
def test_nothing_deep_is_read_quickly(inside: int, is_quick: bool) -> None:
    model = CATALOG.models["session"]
    text = f'{{"sessions": [{{"id": "1", "more": {"[" * inside}{"]" * inside}}}]}}'
    assert (quick_list(text.encode(), model) is not None) == is_quick
    assert (plainly(text, model) is not None) == is_quick
