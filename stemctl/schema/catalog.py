"""All models of an edition, read from the field tables: everything stemctl knows of the API."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field

from stemctl.errors import ConfigError, TableError
from stemctl.schema.fields import DetailGroup, detail_group
from stemctl.schema.models import Model, model_of
from stemctl.schema.tables import BUILT, read_apps, read_tables


# Compared by identity: it is a key of caches.
class Catalog(Struct, frozen=True, eq=False, dict=True):
    """All models of one edition, by name, in alphabetical order."""

    edition: str
    models: Mapping[str, Model]
    folder: Path = field(default_factory=Path)

    def find(self, word: str) -> Model | None:
        """The model with this name, in any spelling: `session`, `sessions`,
        `sensory_stimulus_types`.
        """
        plain = _plain(word)
        for model in self.models.values():
            if plain in {
                _plain(model.name),
                _plain(model.title),
                *(() if model.embedded else map(_plain, (model.one, model.many))),
            }:
                return model
        return None

    def by_list_key(self, key: str) -> Model | None:
        """The writable model whose records a manifest lists under `key` at the top."""
        return self._by_list_key.get(key)

    @functools.cached_property
    def _by_list_key(self) -> Mapping[str, Model]:
        return {model.section: model for model in self.listed}

    @functools.cached_property
    def writable(self) -> tuple[Model, ...]:
        """The models that manifests may declare."""
        return tuple(m for m in self.models.values() if m.writable)

    @functools.cached_property
    def listed(self) -> tuple[Model, ...]:
        """The models that manifests may list at the top: all but those inside their parents."""
        return tuple(m for m in self.writable if m.embedded is None)

    def parent_of(self, model: Model) -> Model | None:
        """The model that records of `model` may be nested in."""
        return self.models.get(model.fields[model.parent].to or "") if model.parent else None

    def children(self, model: Model) -> tuple[Model, ...]:
        """The models that may be nested in records of `model`, in the order of their sections."""
        return self._children.get(model.name, ())

    def child(self, model: Model, key: str) -> Model | None:
        """The model whose records a record of `model` lists under `key`."""
        return next((child for child in self.children(model) if child.section == key), None)

    def below(self, model: Model | None) -> Iterator[Model]:
        """The models that may be nested in records of `model`, at any depth."""
        passed: set[str] = set()
        models = [model] if model else []
        while models:
            for child in self.children(models.pop()):
                if child.name not in passed:
                    passed.add(child.name)
                    models.append(child)
                    yield child

    @functools.cached_property
    def _children(self) -> Mapping[str, tuple[Model, ...]]:
        found: dict[str, list[Model]] = {}
        for model in sorted(self.writable, key=lambda m: m.section):
            parent = self.parent_of(model)
            if parent is not None:
                found.setdefault(parent.name, []).append(model)
        return {name: tuple(children) for name, children in found.items()}

    def details(self, group: str) -> DetailGroup:
        """The types of a group of details, read on first use.

        Raises:
            TableError: the file of the group is missing or not well formed.
        """
        return detail_group(self.folder, group)


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")


def schemas_dir() -> Path:
    """The folder of tables and schemas: in the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "schemas"
    return inside if inside.is_dir() else package.parent / "schemas"


def by_app(catalog: Catalog) -> Mapping[str, tuple[Model, ...]]:
    """The models by the title of their group in the API, for lists that people read."""
    titles = read_apps(schemas_dir() / "tables")
    order = {app: position for position, app in enumerate(titles)}
    found: dict[str, list[Model]] = {}
    for model in sorted(catalog.models.values(), key=lambda m: order.get(m.app, len(order))):
        found.setdefault(titles.get(model.app, model.app), []).append(model)
    return {title: tuple(models) for title, models in found.items()}


def editions() -> list[str]:
    """The editions that have tables."""
    return sorted(p.name for p in (schemas_dir() / "tables").iterdir() if p.is_dir())


def load_catalog(edition: str) -> Catalog:
    """Read the field tables of one edition.

    Raises:
        ConfigError: there is no such edition.
        TableError: a table is not well formed; `stemctl schema build` checks them against their
        schema.
    """
    return _load(schemas_dir(), edition)


def forget_tables() -> None:
    """Read all tables again when they are needed."""
    _load.cache_clear()
    detail_group.cache_clear()


@functools.cache
def _load(schemas: Path, edition: str) -> Catalog:
    folder = schemas / "tables" / edition
    if not folder.is_dir():
        raise ConfigError(
            f"There is no edition {edition!r}.", f"The editions are: {', '.join(editions())}."
        )
    models = {}
    for table in read_tables(folder, schemas / edition / BUILT):
        try:
            model = model_of(table, schemas / "details" / edition)
        except (KeyError, TypeError, AttributeError) as error:
            name = table.get("model") if isinstance(table, dict) else None
            raise TableError(
                f"The field table of {name} in {folder} is not valid.",
                f"{type(error).__name__}: {error}",
            ) from error
        models[model.name] = model
    return Catalog(edition, dict(sorted(models.items())), schemas / "details" / edition)
