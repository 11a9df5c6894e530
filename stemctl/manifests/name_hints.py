"""Which name was meant by a key that is not known."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from stemctl.manifests.document import code_span
from stemctl.manifests.field_context import FieldContext, written
from stemctl.manifests.schema_errors import SchemaError
from stemctl.schema.catalog import Catalog, Model
from stemctl.util.characters import named
from stemctl.util.json_types import Value
from stemctl.util.suggest import nearest

Message = tuple[str, str, str]
"""Code, message, remedy."""

_ODD = re.compile("[^!-~]")


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
    fits = [model for model in models if model.identity in found]
    return max(fits, key=lambda model: len(found & set(model.fields)), default=None)


def missing(context: FieldContext, error: SchemaError, name: str) -> Message:
    """A record or an item without a required key."""
    what = f"item of {code_span(context.label)}"
    if context.is_record and context.model:
        what = context.model.words
    remedy = f"add `{name}: ...` here"
    if context.is_record and error.found and context.path[-1] not in (0, "defaults"):
        remedy += ", or remove the dash if this belongs to the record above"
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


def one_of(names: Iterable[Value]) -> str:
    """A remedy that lists what is allowed."""
    return f"use one of: {', '.join(str(name) for name in names)}"
