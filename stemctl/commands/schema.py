"""schema: write the generated schemas, or check that they are up to date, and find one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import jsonschema

from stemctl.core.plan_wire import plan_schema
from stemctl.errors import ConfigError, TableError
from stemctl.render.model_page import model_page
from stemctl.render.models_markdown import models_markdown, page_of
from stemctl.schema.catalog import editions, forget_tables, load_catalog
from stemctl.schema.gone import gone_models
from stemctl.schema.manifest_schema import generated
from stemctl.schema.tables import BUILT, GONE, built_details, built_text, read_table

PAGE = "docs/models.md"


def build_schemas(folder: Path, check: bool) -> Iterator[str]:
    """Write the schemas that are out of date, or with `check` only find them; yields the name of
    each below `folder` once it is written.

    Raises:
        TableError: a field table does not satisfy table.schema.json.
    """
    check_tables(folder)
    built = {}
    for edition in editions():
        built[f"{edition}/{BUILT}"] = built_text(folder / "tables" / edition)
        for path in sorted((folder / "details" / edition).glob("*.yaml")):
            built[f"details/{edition}/{path.stem}.json"] = built_details(path)
    yield from _written(folder, built, check)
    forget_tables()  # the schemas follow from what was just built
    wanted = generated(load_catalog(edition) for edition in editions())
    wanted["plan.schema.json"] = json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n"
    yield from _written(folder, wanted, check)
    present = {path.relative_to(folder).as_posix() for path in folder.glob("*/*.schema.json")}
    for name in sorted(present - set(wanted)):
        if not check:
            (folder / name).unlink()
        yield name


def _written(folder: Path, wanted: Mapping[str, str], check: bool) -> Iterator[str]:
    """Write the files that are not as `wanted`, unless `check`; yields their names."""
    for name, text in wanted.items():
        path = folder / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        yield name


def build_pages(folder: Path, check: bool) -> Iterator[str]:
    """Write the pages of the models that are out of date, or with `check` only find them; yields
    their names. Only a checkout has them: `folder` is that of the schemas, beside its docs.
    """
    docs = folder.parent / "docs"
    if not docs.is_dir():
        return
    catalogs = [load_catalog(edition) for edition in editions()]
    wanted = {PAGE: models_markdown(catalogs, _gone_sentences())}
    for catalog in catalogs:
        for model in catalog.models.values():
            wanted[f"docs/{page_of(catalog, model)}"] = model_page(model, catalog)
    yield from _written(folder.parent, wanted, check)
    present = {f"docs/{path.relative_to(docs).as_posix()}" for path in docs.glob("models/*/*.md")}
    for name in sorted(present - set(wanted)):
        if not check:
            (folder.parent / name).unlink()
        yield name


def _gone_sentences() -> dict[str, list[str]]:
    """What each edition lacks, and what took its place."""
    return {
        edition: [
            f"`{model.name}` is gone since {model.since}. {model.instead}"
            for model in models.values()
        ]
        for edition in editions()
        if (models := gone_models(edition))
    }


_ANYTHING = {"required": [], "properties": {}, "additionalProperties": True}
"""Replaces what a schema says of tables, so that one of its definitions decides."""


def check_tables(folder: Path) -> None:
    """Validate every field table against table.schema.json.

    Raises:
        TableError: with the first table that is not YAML, or does not satisfy it.
    """
    schema = json.loads((folder / "table.schema.json").read_text(encoding="utf-8"))
    of_model = jsonschema.Draft202012Validator(schema)
    of_details = jsonschema.Draft202012Validator({**schema, "$ref": "#/$defs/group", **_ANYTHING})
    of_gone = jsonschema.Draft202012Validator({**schema, "$ref": "#/$defs/gone", **_ANYTHING})
    judged = [(path, of_model) for path in sorted((folder / "tables").glob("*/*/*.yaml"))]
    judged += [(path, of_details) for path in sorted((folder / "details").glob("*/*.yaml"))]
    judged += [(path, of_gone) for path in sorted((folder / "tables").glob(f"*/{GONE}"))]
    for path, validator in judged:
        wrong = jsonschema.exceptions.best_match(validator.iter_errors(read_table(path)))
        if wrong is not None:
            under = ".".join(map(str, wrong.absolute_path))
            raise TableError(
                f"{path.relative_to(folder)}: {wrong.message}.",
                f"This is at {under}." if under else "This is at the top level.",
            )


def find_schema(folder: Path, name: str, edition: str) -> Path:
    """The file of a schema, of an edition or common to all.

    Raises:
        ConfigError: there is none, with those that there are.
    """
    if edition not in editions():
        load_catalog(edition)  # says which there are
    folders = (folder / edition, folder)
    for each in folders:
        path = each / f"{name}.schema.json"
        if path.is_file():
            return path
    known = [path.name for each in folders for path in each.glob("*.schema.json")]
    names = sorted(name.removesuffix(".schema.json") for name in known)
    raise ConfigError(
        f"Edition {edition} has no schema {name!r}.", f"Choose from {', '.join(names)}."
    )
