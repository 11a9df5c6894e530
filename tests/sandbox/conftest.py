"""A sandbox in this process, empty but for three projects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sandbox_api import PROJECTS, Api

from stemctl.sandbox.database import Database
from stemctl.schema.catalog import Catalog, load_catalog


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog("2024")


@pytest.fixture
def database(catalog: Catalog) -> Iterator[Database]:
    database = Database(None, catalog)
    database.seed(PROJECTS)
    yield database
    database.close()


@pytest.fixture
def api(database: Database) -> Api:
    return Api(database)
