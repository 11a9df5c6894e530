"""Schema errors of a manifest, in the words of its author: code, message and remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from stemctl.core.diagnostics import Diagnostic
from stemctl.manifests import value_hints
from stemctl.manifests.document import Document, Node, code_span
from stemctl.manifests.field_context import FieldContext, field_context, written
from stemctl.manifests.scalars import quoted
from stemctl.manifests.schema_errors import SchemaError
from stemctl.schema.catalog import Catalog, Model
from stemctl.schema.manifest_schema import DIRECTIVES
from stemctl.schema.patterns import CONTROL, DATE, KEY, LOCAL_INSTANT
from stemctl.util.json_types import Path, Value
from stemctl.util.plural import counted
from stemctl.util.suggest import nearest

Message = tuple[str, str, str]
"""Code, message, remedy."""

_EXPECTED = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


class Translator:
    """Turns the schema errors of one document into diagnostics."""

    def __init__(self, document: Document, catalog: Catalog) -> None:
        self.document = document
        self.catalog = catalog

    def findings(self, error: SchemaError) -> Iterator[Diagnostic]:
        """The diagnostics of one error: an object with three unknown keys has three."""
        context = field_context(error.path, self.document, self.catalog)
        if error.keyword == "additionalProperties":
            for name in error.found.keys() - set(error.properties):
                message = self._unknown(context, name, error)
                yield self._at_key((*error.path, name), error, message)
        elif error.keyword == "required":
            for name in error.expected:
                if name not in error.found:
                    yield self._at_value(context, error, _missing(context, name))
        elif error.of_key:
            path = (*error.path, error.found)
            yield self._at_key(path, error, _bad_name(context, error))
        else:
            yield self._at_value(context, error, self._message(context, error))

    def no_value(self, path: Path, node: Node) -> Diagnostic:
        """A key or list item without a value."""
        context = field_context(path, self.document, self.catalog)
        if path and isinstance(path[-1], str):
            message, event = f"{code_span(path[-1])} has no value", self._key(path)
        else:
            message, event = "this list item has no value", node.event
        return self.document.finding(
            event,
            "no-value",
            message,
            _no_value_remedy(context),
            address=context.address,
            field=context.field_name,
        )

    def _node(self, path: Path) -> Node:
        assert self.document.root is not None
        return self.document.root.at(path)

    def _key(self, path: Path) -> Any:
        """The event of the key that `path` ends in."""
        return self._node(path[:-1]).keys[str(path[-1])]

    def _at_key(self, path: Path, error: SchemaError, message: Message) -> Diagnostic:
        context = field_context(path, self.document, self.catalog)
        return self.document.finding(self._key(path), *message, **_details(context, error))

    def _at_value(self, context: FieldContext, error: SchemaError, message: Message) -> Diagnostic:
        details = _details(context, error)
        if message[0] == "too-long":  # a line of carets under the whole text would not help
            details["length"] = 1
        return self.document.finding(self._node(context.path).event, *message, **details)

    def _message(self, context: FieldContext, error: SchemaError) -> Message:
        if error.keyword == "pattern" and context.path[0] in DIRECTIVES:
            return self._bad_address(error.found)
        translate = _TRANSLATIONS.get(error.keyword, _other)
        return translate(context, error, self._node(error.path))

    def _unknown(self, context: FieldContext, name: str, error: SchemaError) -> Message:
        """A key that the schema does not have."""
        if not context.path or context.path == ("defaults",):
            return self._unknown_section(name, error)
        model = context.model if context.is_record else None
        if model is None:
            message = f"{code_span(context.label)} has no field {code_span(name)}"
            return _unknown("unknown-field", message, name, error.properties)
        if name in model.fields and model.fields[name].read_only:
            message = f"`{model.name}.{name}` is set by the server"
            return "read-only-field", message, "remove the line"
        if context.in_defaults and (name in ("key", "id") or name in model.fields):
            message = f"defaults cannot set `{name}`"
            return "defaults-identity", message, f"write the {name} in each {model.words}"
        otherwise = f"`stemctl explain {model.name}` lists its fields"
        message = f"{model.name} has no field {code_span(name)}"
        return _unknown("unknown-field", message, name, error.properties, otherwise)

    def _unknown_section(self, name: str, error: SchemaError) -> Message:
        model = self.catalog.find(name)
        if model and not model.writable:
            remedy = "remove this section, and refer to them by name"
            return "unknown-section", self._read_only(model), remedy
        message = f"unknown section {code_span(name)}"
        known = [model.many] if model else error.properties
        return _unknown("unknown-section", message, name if not model else model.many, known)

    def _read_only(self, model: Model) -> str:
        return f"{code_span(model.many)} cannot be written in edition {self.catalog.edition}"

    def _bad_address(self, text: str) -> Message:
        word, slash, key = text.partition("/")
        if bad := re.search(CONTROL, key):
            return "bad-address", f"the key contains {_control(bad[0])}", "remove it"
        if not word or not slash or not re.search(KEY, key):
            return "bad-address", "this is not an address", "write `MODEL/KEY`"
        model = self.catalog.find(word)
        if model and not model.writable:
            return "bad-address", self._read_only(model), "remove it"
        names = [m.name for m in self.catalog.writable]
        near = [model.name] if model else nearest(word, names, 1)
        message = f"unknown model {code_span(word)}"
        if not near:
            return "bad-address", message, _one_of(names)
        return "bad-address", _did_you_mean(message, near[0]), f"write `{near[0]}/{key}`"


def _unknown(
    code: str, message: str, name: str, known: Iterable[str], otherwise: str = ""
) -> Message:
    """A name that is not among the known ones, with the nearest of them."""
    known = tuple(known)
    near = nearest(name, known, 1)
    if not near:
        return code, message, otherwise or _one_of(known)
    return code, _did_you_mean(message, near[0]), f"write `{near[0]}`"


def _did_you_mean(message: str, name: str) -> str:
    return f"{message}; did you mean `{name}`?"


def _one_of(names: Iterable[Value]) -> str:
    return f"use one of: {', '.join(str(name) for name in names)}"


def _control(character: str) -> str:
    return f"the control character {ascii(character)[1:-1]}"


def _details(context: FieldContext, error: SchemaError) -> dict[str, Any]:
    return {
        "address": context.address,
        "field": context.field_name,
        "value": error.found,
        "rule": error.rule,
    }


def _missing(context: FieldContext, name: str) -> Message:
    what = f"item of {code_span(context.label)}"
    if context.is_record and context.model:
        what = context.model.words
    return "missing-field", f"this {what} has no {code_span(name)}", f"add `{name}: ...` here"


def _bad_name(context: FieldContext, error: SchemaError) -> Message:
    name = error.found
    better = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
    remedy = "begin it with a letter, and use only letters, digits and _"
    if re.search(error.expected, better):
        remedy = f"write `{better}`"
    return "bad-name", f"{code_span(name)} is not a valid name in `{context.label}`", remedy


def _wrong_type(context: FieldContext, error: SchemaError, node: Node) -> Message:
    names = error.expected if isinstance(error.expected, list) else [error.expected]
    wanted = [name for name in names if name != "null"]
    if not context.path:
        message = "a manifest must be a mapping of lists"
        remedy = "begin it with the name of a list, such as `sessions:`"
        return "wrong-type", message, remedy
    words = " or ".join(_EXPECTED[name] for name in wanted)
    message = f"{_name_in_message(context)} must be {words}, not {_type_of(error.found)}"
    remedy = _type_remedy(context, wanted[0], words, found=error.found, node=node)
    return "wrong-type", message, remedy


def _name_in_message(context: FieldContext) -> str:
    if isinstance(context.path[-1], int) and context.is_record and context.model:
        return f"this {context.model.words}"
    if isinstance(context.path[-1], int):
        return f"an item of `{context.label}`"
    return code_span(context.label)


def _type_of(value: Value) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return next((words for kind, words in _TYPES.items() if isinstance(value, kind)), "a number")


_TYPES: dict[type, str] = {str: "text", list: "a list", dict: "a mapping"}


def _type_remedy(
    context: FieldContext, wanted: str, words: str, *, found: Value, node: Node
) -> str:
    """What to write in place of a value of another type."""
    if found is None:
        return _no_value_remedy(context)
    if node.text is not None:
        remedy = _scalar_remedy(context, wanted, found, node.text)
        if remedy:
            return remedy
    field = context.field
    if field and field.kind == "items" and not context.member:
        return _for_example(context)
    if wanted == "array" and not context.is_field:
        return "begin each item with `-`"
    if wanted == "object" and not context.is_field:
        return "write one `NAME: VALUE` per line"
    example = _for_example(context) if context.is_field else ""
    return example or f"write {words}"


def _scalar_remedy(context: FieldContext, wanted: str, found: Value, text: str) -> str:
    """How the text of a scalar becomes what is wanted; nothing if it cannot."""
    field = context.field
    if context.is_field and field and field.kind in _MOMENTS:
        return value_hints.date_remedy(text, field.kind == "instant")
    if wanted == "string":
        is_id = context.path[2:] == ("id",)
        return value_hints.UUID if is_id else f"write `{quoted(text)}`"
    of_items = field is not None and field.kind == "items"
    is_list = context.is_field or context.path[0] in DIRECTIVES
    if wanted == "array" and is_list and not of_items:
        return f"write `[{written(found)}]`"
    if wanted == "boolean" and str(found).lower() in _TRUTHS:
        return f"write `{_TRUTHS[str(found).lower()]}`"
    is_number = isinstance(found, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", found)
    if wanted in ("number", "integer") and is_number:
        return f"write `{found}` without quotes"
    return ""


def _for_example(context: FieldContext) -> str:
    """The example of the field that a value belongs to; nothing if its table has none."""
    example = context.field.example if context.field else None
    if example is None:
        return ""
    if isinstance(context.path[-1], int) and isinstance(example, list):
        example = example[0]
    return f"for example `{written(example)}`"


_MOMENTS = {"date", "instant"}
_TRUTHS = {
    **dict.fromkeys(("yes", "on", "y", "true", "1"), "true"),
    **dict.fromkeys(("no", "off", "n", "false", "0"), "false"),
}


def _too_long(context: FieldContext, error: SchemaError, node: Node) -> Message:
    length, limit = len(error.found), error.expected
    message = f"`{context.label}` has {length:,} characters: at most {limit:,} are allowed"
    return "too-long", message, f"shorten it by {counted(length - limit, 'character')}"


def _empty(context: FieldContext, error: SchemaError, node: Node) -> Message:
    if isinstance(context.path[-1], int):
        message = f"an item of `{context.label}` is empty"
        return "empty", message, "write a value, or remove the item"
    remedy = "write a value"
    if context.names_record:
        remedy = f"write the {context.path[2]}"
    elif context.is_field and context.field and context.field.required:
        remedy = _for_example(context) or remedy  # without the field, it would be missing
    elif context.is_field:
        remedy = _VALUE_OR_SERVER
    return "empty", f"`{context.label}` cannot be empty", remedy


def _not_in_list(context: FieldContext, error: SchemaError, node: Node) -> Message:
    values = [value for value in error.expected if value is not None]
    near = nearest(str(error.found), [str(value) for value in values], 1)
    remedy = f"write `{near[0]}`" if near else _one_of(values)
    message = f"`{context.label}` cannot be {code_span(written(error.found))}"
    return "not-in-list", message, remedy


def _bad_pattern(context: FieldContext, error: SchemaError, node: Node) -> Message:
    text = error.found
    if context.names_record:
        if bad := re.search(CONTROL, text):
            message = f"`{context.label}` contains {_control(bad[0])}"
            return "control-character", message, "remove it"
        return _empty(context, error, node)
    if context.field and context.field.kind in _MOMENTS:
        return _bad_moment(context, text, error.expected)
    rule = context.member or context.field
    name = (rule.format if rule else None) or "uuid"
    return "bad-format", *value_hints.format_hint(name, text)


def _bad_moment(context: FieldContext, text: str, pattern: Value) -> Message:
    with_time = pattern != DATE
    message = "this is not a date and time" if with_time else "this is not a date"
    if not text.strip():
        return "bad-format", message, _no_value_remedy(context)
    is_local = pattern == LOCAL_INSTANT
    return "bad-format", message, value_hints.date_remedy(text, with_time, is_local)


def _other(context: FieldContext, error: SchemaError, node: Node) -> Message:
    what = code_span(context.label) if context.label else "the file"
    return "invalid", f"{what} breaks the rule `{error.rule}`", ""


_TRANSLATIONS: dict[str, Callable[[FieldContext, SchemaError, Node], Message]] = {
    "type": _wrong_type,
    "maxLength": _too_long,
    "minLength": _empty,
    "minItems": _empty,
    "enum": _not_in_list,
    "pattern": _bad_pattern,
}

_VALUE_OR_SERVER = "write a value, or remove the line to leave it to the server"


def _no_value_remedy(context: FieldContext) -> str:
    """What to write where there is no value, or null is not allowed."""
    if context.names_record:
        return f"write the {context.path[2]}"
    field = context.field
    if field and context.is_field:
        has_empty = field.empty is not None or field.takes_null
        if has_empty and not field.required and not field.enum:
            empty = json.dumps(field.empty)
            return f"write `{empty}` to clear it, or remove the line to leave it to the server"
        return _VALUE_OR_SERVER
    if field and field.kind == "map":
        return 'write `""` for empty text, or remove the line'
    return "write a value, or remove the line"
