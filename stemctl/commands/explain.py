"""explain: the models that a server has, by its edition."""

from __future__ import annotations

from pathlib import Path

from stemctl.config.config import load_config
from stemctl.schema.catalog import Catalog, editions, load_catalog


def catalog_of(root: Path, server: str | None) -> Catalog:
    """The catalog of a server; without a configuration, that of the newest edition."""
    config = load_config(root)
    if config.found or server:
        return load_catalog(config.server(server).edition)
    return load_catalog(editions()[-1])
