"""The page of a model: what it is, an example, its fields, and the details of its types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from stemctl.render.example_manifest import example_manifest
from stemctl.render.field_words import kind_words, part_takes, set_to, where_written
from stemctl.render.models_markdown import deleted_by, known_by, support
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import DetailType, Field
from stemctl.schema.models import Model
from stemctl.util.plural import counted, joined

_ABOUT_EXAMPLE = "What it refers to by name is on the server, or elsewhere in your files."
_MERGED = (
    "*Merged* means element by element: what others added on the server stays, and only what you "
    "add or take out is sent."
)
_TIMES = (
    "A time has its offset from UTC, as in `2024-03-12T14:00:00+01:00` or `2024-03-12T13:00:00Z`, "
    "unless `stemctl.yaml` names the `time_zone` of your lab."
)
_MOST_CHOICES = 20
"""Choices that are listed where a field is; more of them are the types below."""


def model_page(model: Model, catalog: Catalog) -> str:
    """The page in Markdown; it lies beside those of the other models of its edition."""
    lines = [f"# {model.name}", "", escaped(model.description), ""]
    lines += [
        f"A model of edition {catalog.edition}; "
        f"[all of them](../../models.md#edition-{catalog.edition}).",
        "",
        *(f"- {fact}" for fact in _facts(model, catalog)),
    ]
    example = example_manifest(model, catalog)
    if example:
        about = [_ABOUT_EXAMPLE, ""] if model.references else []
        lines += ["", "## Example", "", *about, "```yaml", *example.splitlines(), "```"]
    lines += _fields(model, catalog)
    lines += _sources(model)
    for field in model.detailed:
        lines += _types(field)
    return "\n".join(lines) + "\n"


def _facts(model: Model, catalog: Catalog) -> Iterator[str]:
    """What a person asks first, a line for each answer."""
    if model.writable:
        yield f"**Written**: {_where(model, catalog)}."
    yield f"**You can** {_can(model)}."
    if model.writable:
        yield f"**Known by**: {_key(model, catalog)}."
    yield f"**Access**: {'. '.join(_access(model))}."
    if "delete" in model.operations:
        who = deleted_by(model).replace("you", "those who may change it")
        yield f"**Deleted by**: {who}{_goes_along(model)}."
    inside = [f"{link(child)}, under `{child.section}`" for child in catalog.children(model)]
    if inside:
        yield f"**Inside it**: {'; '.join(inside)}."
    refers = {f.to: catalog.models[f.to] for f in model.references if f.to}
    if refers:
        yield f"**Refers to**: {_links(refers.values())}."
    back = [other for other in catalog.models.values() if _refers(other, model)]
    if back:
        yield f"**Referred to by**: {_links(back)}."


def _where(model: Model, catalog: Catalog) -> str:
    words = where_written(model, catalog).replace(model.section, f"`{model.section}`", 1)
    parent = catalog.parent_of(model)
    if parent is not None:
        words = words.replace(parent.one_of_them, link(parent, parent.one_of_them))
    return words[0].lower() + words[1:]


def _can(model: Model) -> str:
    does = support(model)
    if does == "read":
        return "read it with `stemctl get`, and refer to it"
    if model.write_by:
        return f"declare it if you are one of the {model.write_by}; others refer to it"
    if does == "propose":
        return "propose it: BrainSTEM administrators accept or reject new records and changes"
    return "declare it: apply creates and changes records"


def _key(model: Model, catalog: Catalog) -> str:
    """What tells records apart, and how an address is written."""
    text = known_by(model)
    if model.nameless and model.label:
        text = f"its id; people call it by its `{model.label}`"
    if model.identity:
        text = f"{text}, which is unique on the server"
    elif model.called is None and model.parent is None:
        text += "; give it a `key`"
    elif model.called is None and not model.embedded:
        text += "; give it a `key` if there are several in one place"
    return f"{text}. Its address is `{model.name}/{_address(model, catalog)}`"


def _address(model: Model, catalog: Catalog) -> str:
    """`NAME`, or `SUBJECT/KEY` inside a parent."""
    parent = catalog.parent_of(model)
    own = "MOMENT" if model.embedded else (model.called or "key").upper()
    if parent is None:
        return own
    above = _address(parent, catalog).rpartition("/")[0]
    return "/".join(part for part in (above, parent.words.upper().replace(" ", "-"), own) if part)


def _access(model: Model) -> Iterator[str]:
    """Who sees and changes its records."""
    yield f"read through the portals {joined([f'`{each}`' for each in model.read_portals])}"
    access = model.access
    if model.writable and model.write_portals:
        yield f"Written through {joined([f'`{each}`' for each in model.write_portals])}"
    if access is None:
        yield "Everyone can read all records"
    elif access.account:
        yield "Everyone can read them; users change their own"
    elif access.through:
        yield f"Who sees and changes a record follows from its `{access.through}`"
    else:
        by = [f"`{each}`" for each in (access.members, access.groups) if each]
        yield f"Who sees and changes a record is in its {joined(by)}"
    if access and access.public:
        yield f"With `{access.public}`, everyone can read it"


def _goes_along(model: Model) -> str:
    if not model.dependents:
        return ""
    names = joined([f"`{name}`" for name in model.dependents])
    return f". The server may delete its {names} along with it (held: `cascade`)"


def _fields(model: Model, catalog: Catalog) -> Iterator[str]:
    written = [field for field in model.managed if not _follows(model, field)]
    if model.writable:
        yield from ("", "## Fields", "", "| field | what it is | takes |", "|---|---|---|")
        for field in written:
            yield _row(f"`{field.name}`", _about(field), _takes(field, model, catalog))
        yield from (f"\n{sentence}" for sentence in _notes(written))
        yield f"\n`stemctl explain {model.name}.FIELD` says more about a field."
    read = [field for field in model.fields.values() if field.read_only or not model.writable]
    if read:
        title = "Set by the server" if model.writable else "Fields"
        yield from ("", f"## {title}", "", "| field | what it is |", "|---|---|")
        for field in read:
            yield _row(f"`{field.name}`", _refers_words(field, catalog))


def _follows(model: Model, field: Field) -> bool:
    """Whether a field cannot be written, since it follows from the place of the record."""
    return model.embedded is not None and field.name == model.parent


def _notes(fields: Sequence[Field]) -> Iterator[str]:
    """What is said once for all fields."""
    if any(field.merges for field in fields):
        yield _MERGED
    if any(field.kind == "instant" for field in fields):
        yield _TIMES


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _about(field: Field) -> str:
    words = ["**Required.**"] if field.required else []
    words.append(escaped(field.description))
    if field.immutable:
        words.append("It cannot change after creation.")
    if field.proposal:
        words.append("Only proposals have it.")
    return " ".join(words)


def _takes(field: Field, model: Model, catalog: Catalog) -> str:
    target = catalog.models.get(field.to or "")
    words = [_kind(field, target)]
    if field.enum:
        words = [f"one of {_choices(field, model)}"]
    if field.unique and "unique" not in field.description:
        words.append("must be unique")
    if field.merges:
        words.append("merged")
    if field.default is not None:
        words.append(set_to(field.default))
    if target is not None and field.name == model.parent:
        words.append(f"left out inside {target.one_of_them}")
    return escaped("; ".join(words))


def _kind(field: Field, target: Model | None) -> str:
    """What kind of value it is, with a link to where more is said."""
    if field.details:
        shape = "a list of mappings" if field.details.rows else "a mapping"
        return f"{shape}; its fields [depend on `{field.details.selector}`](#{_anchor(field)})"
    text = kind_words(field, link(target) if target else "")
    return text.partition(": 2024")[0]  # `_TIMES` has examples for all


def _choices(field: Field, model: Model) -> str:
    """The values that a field may have; of a long list of types, where they are."""
    for each in model.detailed:
        if each.details and each.details.selector == field.name and len(field.enum) > _MOST_CHOICES:
            return f"[{len(field.enum):,} types](#{_anchor(each)})"
    return ", ".join(f"`{each}`" for each in field.enum)


def _refers_words(field: Field, catalog: Catalog) -> str:
    target = catalog.models.get(field.to or "")
    words = escaped(field.description)
    return f"{words} See {link(target)}." if target else words


def _sources(model: Model) -> Iterator[str]:
    """Where the fields are documented: the source of most, and what comes from others."""
    by_source: dict[str, list[str]] = {}
    for field in model.fields.values():
        by_source.setdefault(field.source, []).append(f"`{field.name}`")
    most = max(by_source, key=lambda source: len(by_source[source]), default="")
    others = [source for source in by_source if source != most]
    if not most:
        return
    yield from ("", "## Sources", "")
    yield f"- {most}{': all other fields' if others else ''}"
    for source in others:
        yield f"- {source}: {', '.join(by_source[source])}"


def _title(field: Field) -> str:
    selector = field.details.selector if field.details else ""
    return f"{field.name}, by {selector}"


def _types(field: Field) -> Iterator[str]:
    """The details of each type under a heading of its own."""
    assert field.details is not None
    types = field.details.types
    number = counted(len(types), "type")
    yield from ("", f"## {_title(field)}", "")
    yield f"The fields of `{field.name}` depend on `{field.details.selector}`, which has {number}:"
    yield ", ".join(f"[{name}](#{name.lower()})" for name in types) + "."
    if any(part.units for type_ in types.values() for part in type_.fields.values()):
        yield "\nA number with a unit is written as one text, such as `30 kHz`."
    for type_ in types.values():
        yield from ("", f"### {type_.name}", "", *_type(type_))


def _type(type_: DetailType) -> Iterator[str]:
    """What its name does not say, and its fields."""
    title = "" if _same(type_.title, type_.name) else f"{escaped(type_.title)}. "
    if not type_.fields:
        yield f"{title}It has no fields."
        return
    if title or type_.rows:
        yield f"{title}{'A list of mappings with these fields:' if type_.rows else ''}".rstrip()
        yield ""
    yield from ("| field | takes |", "|---|---|")
    for part in type_.fields.values():
        about = part.description.removesuffix(".")
        words = "" if _same(about, part.name) else f"{about}: "
        required = "**required**; " if part.required else ""
        yield _row(f"`{part.name}`", f"{required}{escaped(words + part_takes(part))}")


def _same(text: str, name: str) -> bool:
    """Whether a text only spells out a name."""
    return re.sub(r"\W", "", text).casefold() == name.casefold()


def _refers(other: Model, model: Model) -> bool:
    return other is not model and any(field.to == model.name for field in other.references)


def link(model: Model, text: str = "") -> str:
    """A link to the page of a model, from that of another."""
    return f"[{text or model.name}]({model.name}.md)"


def _links(models: Iterable[Model]) -> str:
    return ", ".join(link(model) for model in models)


def _anchor(field: Field) -> str:
    """The anchor of the heading above the types of details, as forges and the site make it."""
    return re.sub(r"[^\w -]", "", _title(field).lower()).replace(" ", "-")


def escaped(text: str) -> str:
    """Text that means the same in a cell of a table."""
    return re.sub(r"([|<*])", r"\\\1", text)
