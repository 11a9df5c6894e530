"""What two pages of the API's documentation print, operation by operation, against the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sandbox_api import Api

from stemctl.sandbox.database import Database
from stemctl.schema.catalog import Catalog
from stemctl.util.json_types import is_uuid

PAGES = json.loads((Path(__file__).parent / "seed_pages.json").read_text(encoding="utf-8"))
EXCHANGES = [
    pytest.param(page, exchange, id=f"{name}: {exchange['operation']}")
    for name, page in PAGES.items()
    if name != "about"
    for exchange in page["exchanges"]
]


def matched(expected: Any, actual: Any) -> Any:
    """The answer, with `<uuid>` in place of the ids that may have any value."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return {key: matched(expected.get(key), value) for key, value in actual.items()}
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [matched(e, a) for e, a in zip(expected, actual, strict=True)]
    return expected if expected == "<uuid>" and is_uuid(actual) else actual


def in_order(value: Any) -> str:
    """As text, in which the order of keys counts, and 1 is not true."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {in_order(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(in_order, value)) + "]"
    return json.dumps(value)


@pytest.mark.parametrize("slash", [False, True], ids=["no slash", "slash"])
@pytest.mark.parametrize("portal", ["private", "super"])
@pytest.mark.parametrize("page, exchange", EXCHANGES)
def test_answers_as_the_page_prints_it(
    page: dict[str, Any], exchange: dict[str, Any], portal: str, slash: bool, catalog: Catalog
) -> None:
    database = Database(None, catalog)
    database.seed(page["given"])
    database.seed(exchange.get("given", {}))
    id_ = ""
    for request in exchange.get("before", []):
        answer = Api(database, request.get("user", "user"))(
            request["method"], request["path"].format(id=id_), request.get("body")
        )
        id_ = next(iter(answer.json().values()))["id"]
    user = "admin" if portal == "super" else exchange.get("user", "user")
    path = exchange["path"].format(id=id_).removesuffix("/") + "/" * slash

    answer = Api(database, user, portal, totals="none")(
        exchange["method"], path, exchange.get("body")
    )

    assert answer.status_code == exchange["status"], answer.text
    if exchange["answer"] is None:
        assert answer.content == b""
    else:
        actual = matched(exchange["answer"], answer.json())
        assert actual == exchange["answer"]
        assert in_order(actual) == in_order(exchange["answer"])
    database.close()


@pytest.mark.parametrize(
    "page, exchange", [e for e in EXCHANGES if e.values[1]["operation"] in ("list", "detail")]
)
def test_reading_is_public_where_there_is_nothing_to_hide(
    page: dict[str, Any], exchange: dict[str, Any], catalog: Catalog
) -> None:
    database = Database(None, catalog)
    open_ = {
        "projects": [
            {**project, "is_public": True} for project in page["given"].get("projects", [])
        ]
    }
    for given in (open_, page["given"], exchange.get("given", {})):
        database.seed(given)
    answer = Api(database, None, "public", totals="none")("GET", exchange["path"])
    assert answer.status_code == 200
    assert answer.json() == exchange["answer"]
    database.close()
