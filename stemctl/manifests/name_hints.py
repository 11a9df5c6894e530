"""Which name was meant by a key that is not known."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from stemctl.manifests import nesting_hints
from stemctl.manifests.document import Node, code_span
from stemctl.manifests.field_context import FieldContext, Message, written
from stemctl.manifests.schema_errors import SchemaError
from stemctl.schema.catalog import Catalog, editions, load_catalog
from stemctl.schema.fields import Field
from stemctl.schema.gone import GoneModel, gone_model
from stemctl.schema.models import Model
from stemctl.util.characters import named
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern
from stemctl.util.plural import counted, joined
from stemctl.util.suggest import containing, nearest

MANY = 12
"""More names than this are not listed in a message."""

_ODD = late_pattern("[^!-~]")


def unknown(
    code: str, message: str, name: str, known: Iterable[str], otherwise: str = ""
) -> Message:
    """A name that is not among the known ones, with the one that was meant."""
    known = tuple(known)
    near = meant(name, known)
    if near is None:
        return code, message, otherwise or one_of(known)
    head, _, value = name.partition(":")
    if head == near and value:
        return code, "a space is missing after the colon", f"write `{head}: {value}`"
    if (odd := _ODD.search(name)) and _clean(name) == near and odd[0] != " ":
        return code, f"{code_span(near)} with {named(odd[0])} in it", f"write `{near}`"
    return code, did_you_mean(message, near), f"write `{near}`"


def meant(name: str, known: Sequence[str]) -> str | None:
    """The known name that looks like a name."""
    for guess in (name.partition(":")[0], _clean(name), name.lstrip("-")):
        if guess in known:
            return guess
    return next(iter(nearest(name, known, 1)), None)


def _clean(name: str) -> str:
    """A name without characters that cannot be seen."""
    normal = unicodedata.normalize("NFKC", name)
    return "".join(c for c in normal if unicodedata.category(c) != "Cf").strip()


def owner(keys: Iterable[str], models: Iterable[Model]) -> Model | None:
    """The model whose record these keys are, if no list is among them."""
    found = set(keys)
    fits = [model for model in models if model.called in found]
    return max(fits, key=lambda model: len(found & set(model.fields)), default=None)


def unknown_section(
    context: FieldContext, error: SchemaError, node: Node, *, name: str, catalog: Catalog
) -> Message:
    """A key at the top, or in `defaults`, that is no list."""
    code = "unknown-section"
    first = name[:1]
    if first.isspace() or not first.isprintable():
        spaces = len(name) - len(name.lstrip(first))
        remedy = f"write {counted(spaces, 'space')}" if first.isspace() else "remove it"
        return code, f"{named(first)} is not a space in YAML", remedy
    if field_owners := _misplaced(context, error, name, catalog):
        lists = " or ".join(f"`{model.section}:`" for model in field_owners)
        lists = lists if len(field_owners) <= 3 else "the list that it is for"
        message = f"`{name}` is a field, and the name of its list is missing above it"
        if context.path:
            return code, message, f"put it below {lists}, indented by 2 more spaces"
        is_first = next(iter(error.found)) == name
        remedy = f"add {lists} above it, and `- ` before it, with 2 spaces before that"
        return code, message, remedy if is_first else "indent it by 4 spaces"
    if nested := nesting_hints.no_list_at_top(name, catalog):
        return nested
    model = catalog.find(name)
    if model and not model.writable:
        remedy = "remove this section, and refer to them by name"
        return code, cannot_be_written(model, catalog), remedy
    if model is None and (gone := gone_model(catalog, name)):
        return code, _is_gone(code_span(name), gone), f"remove it. {gone.instead.rstrip('.')}"
    if model is None and (others := _editions_with(name)):
        message = f"edition {catalog.edition} has no section {code_span(name)}"
        return code, message, f"it is in edition {joined(others)}: remove it here"
    message = f"unknown section {code_span(name)}"
    if name == "$schema":
        remedy = f"write `# yaml-language-server: $schema={node.text}`, and no `$schema:`"
        return code, message, remedy
    if model:
        return unknown(code, message, model.section, [model.section])
    if node.text:  # no section is a text, so that none was meant
        return code, message, one_of(error.properties)
    return unknown(code, message, name, error.properties)


def _is_gone(what: str, gone: GoneModel) -> str:
    """A message about a model that BrainSTEM had before."""
    return f"{what} no longer exists in BrainSTEM, since {gone.since}"


def gone_address(word: str, catalog: Catalog) -> Message | None:
    """An address of a model that BrainSTEM had before."""
    gone = gone_model(catalog, word)
    if gone is None:
        return None
    remedy = f"remove it; `stemctl state rm '{gone.name}/*'` takes its records out of the state"
    return "bad-address", _is_gone(f"the model {code_span(gone.name)}", gone), remedy


def read_only(model: Model, name: str, catalog: Catalog, remedy: str) -> Message:
    """A field that no file may set; `remedy` is for those that only the server ever sets."""
    code, what = "read-only-field", f"`{model.name}.{name}`"
    if model.fields[name].upload:
        message = f"{what} cannot be written in a file: BrainSTEM takes it only as an upload"
        return code, message, "remove the line, and upload it in the browser"
    for edition in (each for each in editions() if each < catalog.edition):
        other = load_catalog(edition).models.get(model.name)
        if other is not None and name in other.fields and not other.fields[name].read_only:
            message = f"{what} is set by the server in edition {catalog.edition}"
            return code, message, f"remove the line; only edition {edition} could write it"
    return code, f"{what} is set by the server", remedy


def _editions_with(section: str) -> list[str]:
    """The editions that have a section."""
    return [edition for edition in editions() if load_catalog(edition).by_list_key(section)]


def _misplaced(
    context: FieldContext, error: SchemaError, name: str, catalog: Catalog
) -> list[Model]:
    """The models whose field this is, if fields are written where their list should be."""
    if not context.path:
        model = owner(error.found, catalog.writable)
        return [model] if model else []
    return [
        model
        for model in catalog.writable
        if name in model.fields and not model.fields[name].read_only
    ]


def cannot_be_written(model: Model, catalog: Catalog) -> str:
    """A message about records that are only read."""
    return f"{code_span(model.section)} cannot be written in edition {catalog.edition}"


def missing(context: FieldContext, error: SchemaError, name: str) -> Message:
    """A record or an item without a required key."""
    what = f"item of {code_span(context.label)}"
    if context.is_record and context.model:
        what = context.model.words
    remedy = f"add `{name}: ...` here"
    if context.model and context.model.parent and context.is_record and context.depth == 2:
        remedy += f", or write it inside its {context.model.parent}"
    if context.is_record and error.found and context.path[-1] not in (0, "defaults"):
        remedy += ", or remove the dash if this belongs to the record above"
    elif error.found and isinstance(context.path[-1], int) and context.path[-1] > 0:
        remedy += ", or remove the dash if this belongs to the item above"
    return "missing-field", f"this {what} has no {code_span(name)}", remedy


def bad_name(context: FieldContext, error: SchemaError) -> Message:
    """A key that a mapping does not take."""
    name = error.found
    head, _, value = name.partition(":")
    if value and re.search(error.expected, head):
        return "bad-name", "a space is missing after the colon", f"write `{head}: {value}`"
    better = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
    remedy = "begin it with a letter, and use only letters, digits and _"
    if re.search(error.expected, better):
        remedy = f"write `{better}`"
    return "bad-name", f"{code_span(name)} is not a valid name in `{context.label}`", remedy


def address(text: str, catalog: Catalog) -> str:
    """The addresses that a text without a slash may stand for."""
    if match := re.fullmatch(r"(\w+)\s*[:.\\ ]\s*(\S.*)", text):
        model = catalog.find(match[1])
        if model and model.writable:
            return f"write `{model.name}/{match[2]}`"
    if "/" in text or not text.strip() or len(catalog.writable) > 3:
        return ""
    choices = [f"`{model.name}/{text.strip()}`" for model in catalog.writable]
    return f"write {', or '.join(choices)}"


def is_short_move(error: SchemaError) -> bool:
    """Whether it is about `- session/a: session/b` below `moved:`."""
    if error.path[:1] != ("moved",) or not isinstance(error.found, dict) or len(error.found) != 1:
        return False
    [(source, target)] = error.found.items()
    return "/" in source and isinstance(target, str)


def move(error: SchemaError) -> Message:
    """What to write for `- session/a: session/b`."""
    [(source, target)] = error.found.items()
    remedy = f"write `{written({'from': source, 'to': target})}`"
    return "missing-field", "this item of `moved` has no `from` and no `to`", remedy


def did_you_mean(message: str, name: str) -> str:
    """A message with a guess."""
    return f"{message}; did you mean `{name}`?"


def allowed(field: Field, model: Model, found: str = "") -> str:
    """A remedy that lists what a field allows: those that contain what was found, or the command
    that lists them, if there are many.
    """
    if len(field.enum) <= MANY:
        return one_of(field.enum)
    listed = f"`stemctl explain {model.name}.{field.name}` lists what is allowed"
    words = containing(found, [str(value) for value in field.enum])
    return f"{one_of(words)}; {listed}" if words else listed


def one_of(names: Iterable[Value]) -> str:
    """A remedy that lists what is allowed."""
    return f"use one of: {', '.join(str(name) for name in names)}"
