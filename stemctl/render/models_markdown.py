"""docs/models.md: what stemctl supports, model by model, from the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from stemctl.schema.catalog import Catalog, by_app
from stemctl.schema.models import Model
from stemctl.util.plural import counted

_HEAD = """\
# What stemctl supports, model by model

Each model has a page of its own, with an example and all its fields. `stemctl explain MODEL`
prints the same in your terminal.

- **you can**: *declare* means that you write records in your files, and apply creates and changes
  them. *Propose* means that an administrator of BrainSTEM accepts or rejects what apply sends.
  *Read* means that `stemctl get` shows them and other records may refer to them.
- **delete**: who can delete a record: you (with the rights of your account), administrators, or
  no one through the API.
- **known by**: what tells records apart. *its id* means that BrainSTEM allows two records with the
  same content. stemctl then knows each by its key in your files and its id in the state.
- **nested in**: the records in which you may write them, under their list key. Entries of logs are
  written nowhere else.
"""


def models_markdown(catalogs: Sequence[Catalog], gone: Mapping[str, Sequence[str]]) -> str:
    """The page, the newest edition first; `gone` has sentences about what an edition lacks."""
    lines = [_HEAD.rstrip()]
    for catalog in sorted(catalogs, key=lambda each: each.edition, reverse=True):
        lines += ["", *_edition(catalog, gone.get(catalog.edition, ()))]
    return "\n".join(lines) + "\n"


def _edition(catalog: Catalog, gone: Sequence[str]) -> Iterator[str]:
    number = counted(len(catalog.models), "model")
    yield f"## Edition {catalog.edition}"
    yield ""
    yield f"{number}: {_numbers(catalog)}."
    yield from (f"\n{sentence}" for sentence in gone)
    for title, models in by_app(catalog).items():
        yield ""
        yield f"### {title}"
        yield ""
        yield from _table(catalog, models)
    types = list(_types(catalog))
    if types:
        yield ""
        yield f"### Types in edition {catalog.edition}"
        yield ""
        yield "The fields of `details` depend on the type. The page of the model has those of each:"
        yield ""
        yield from types


def _numbers(catalog: Catalog) -> str:
    counts: dict[str, int] = {}
    for model in catalog.models.values():
        done = support(model)
        counts[done] = counts.get(done, 0) + 1
    words = {"declare": "declared", "propose": "proposed", "read": "read-only"}
    return ", ".join(f"{counts[key]} {word}" for key, word in words.items() if key in counts)


def support(model: Model) -> str:
    """What stemctl does with a model: declare, propose or read."""
    if not model.writable:
        return "read"
    return "propose" if model.approval is not None else "declare"


def page_of(catalog: Catalog, model: Model) -> str:
    """The page of a model, from the folder of this one."""
    return f"models/{catalog.edition}/{model.name}.md"


def _table(catalog: Catalog, models: Iterable[Model]) -> Iterator[str]:
    yield "| model | in manifests under | you can | delete | known by | nested in |"
    yield "|---|---|---|---|---|---|"
    for model in sorted(models, key=lambda each: support(each) == "read"):
        cells = [
            f"[`{model.name}`]({page_of(catalog, model)})",
            f"`{model.section}`" if model.writable else "",
            _can(model),
            deleted_by(model),
            known_by(model),
            _nested_in(catalog, model),
        ]
        yield f"| {' | '.join(cells)} |"


def _can(model: Model) -> str:
    if model.write_by:
        return f"{support(model)} ({model.write_by} only)"
    return support(model)


def deleted_by(model: Model) -> str:
    """Who can delete a record."""
    if "delete" not in model.operations:
        return "no one"
    return model.delete_by or "you"


def known_by(model: Model) -> str:
    """What tells records apart."""
    if model.embedded is not None:
        return "its moment"
    if model.identity is not None:
        return f"`{model.identity}`"
    if model.together_unique:
        groups = [" and ".join(f"`{name}`" for name in group) for group in model.together_unique]
        return ", or ".join(groups)
    return f"its id (called by `{model.label}`)" if model.label else "its id"


def _nested_in(catalog: Catalog, model: Model) -> str:
    parent = catalog.parent_of(model)
    if parent is None or not model.writable:
        return ""
    return f"`{parent.section}`"


def _types(catalog: Catalog) -> Iterator[str]:
    """How many types each field has that details depend on."""
    for model in catalog.models.values():
        if not model.writable:
            continue
        for field in model.managed:
            if field.details is None or "." in field.details.selector:
                continue
            types = counted(len(catalog.details(field.details.group).types), "type")
            where = f"`{model.name}.{field.details.selector}`"
            yield f"- [{where}]({page_of(catalog, model)}): {types}"
