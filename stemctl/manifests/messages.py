"""What a JSON Schema says against a manifest, in the words of somebody who writes records."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from stemctl.core.diagnostics import Diagnostic
from stemctl.manifests import value_hints
from stemctl.manifests.document import Document, Node, shown
from stemctl.manifests.field_context import FieldContext, field_context, written
from stemctl.manifests.scalars import quoted
from stemctl.manifests.schema_errors import SchemaError
from stemctl.schema.catalog import Catalog
from stemctl.schema.manifest_schema import DIRECTIVES
from stemctl.schema.patterns import CONTROL, KEY
from stemctl.util.json_types import Path, Value
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
    """Makes findings of what the schema says against one document."""

    def __init__(self, document: Document, catalog: Catalog) -> None:
        self.document = document
        self.catalog = catalog

    def findings(self, error: SchemaError) -> Iterator[Diagnostic]:
        """One error; an object with three unknown keys makes three findings."""
        context = field_context(error.path, self.document, self.catalog)
        if error.keyword == "additionalProperties":
            for name in error.found.keys() - set(error.properties):
                yield self._at_key((*error.path, name), error, *self._unknown(context, name, error))
        elif error.keyword == "required":
            for name in error.expected:
                if name not in error.found:
                    yield self._at_value(context, error, *_missing(context, name))
        elif error.of_key:
            yield self._at_key((*error.path, error.found), error, *_bad_name(context, error))
        else:
            yield self._at_value(context, error, *self._message(context, error))

    def no_value(self, path: Path, node: Node) -> Diagnostic:
        """A key or dash with nothing behind it."""
        context = field_context(path, self.document, self.catalog)
        if path and isinstance(path[-1], str):
            message, event = f"nothing stands behind {shown(path[-1])}", self._key(path)
        else:
            message, event = "nothing stands behind the dash", node.event
        more = {"address": context.address, "field": context.field_name}
        return self.document.finding(event, "no-value", message, _no_value_remedy(context), **more)

    def _node(self, path: Path) -> Node:
        assert self.document.root is not None
        return self.document.root.at(path)

    def _key(self, path: Path) -> Any:
        """The event of the key that `path` ends in."""
        return self._node(path[:-1]).keys[str(path[-1])]

    def _at_key(
        self, path: Path, error: SchemaError, code: str, message: str, remedy: str
    ) -> Diagnostic:
        event = self._key(path)
        context = field_context(path, self.document, self.catalog)
        return self.document.finding(event, code, message, remedy, **_details(context, error))

    def _message(self, context: FieldContext, error: SchemaError) -> Message:
        if error.keyword == "pattern" and context.path[0] in DIRECTIVES:
            return self._bad_address(error.found)
        translate = _TRANSLATIONS.get(error.keyword, _other)
        return translate(context, error, self._node(error.path))

    def _at_value(
        self, context: FieldContext, error: SchemaError, code: str, message: str, remedy: str
    ) -> Diagnostic:
        event = self._node(context.path).event
        details = _details(context, error)
        if code == "too-long":  # the whole text under the caret would say nothing
            details["length"] = 1
        return self.document.finding(event, code, message, remedy, **details)

    def _unknown(self, context: FieldContext, name: str, error: SchemaError) -> Message:
        """A key that the schema does not have."""
        if not context.path or context.path == ("defaults",):
            return self._unknown_section(name, error)
        model = context.model if context.is_record else None
        if model and name in model.fields and model.fields[name].read_only:
            return (
                "read-only-field",
                f"{model.name}.{name} is set by the server",
                "take the line out",
            )
        if model and context.in_defaults and (name in ("key", "id") or name in model.fields):
            return (
                "defaults-identity",
                f"defaults cannot set {name}",
                f"write the {name} in each {model.words}",
            )
        near = nearest(name, error.properties, 1)
        rest = (
            f"stemctl explain {model.name} lists its fields"
            if model
            else f"there is {', '.join(error.properties)}"
        )
        message = f"{model.name if model else context.label} has no field {quoted(name)}"
        return "unknown-field", message, f"write {near[0]}" if near else rest

    def _unknown_section(self, name: str, error: SchemaError) -> Message:
        model = self.catalog.find(name)
        if model and not model.writable:
            message = f"edition {self.catalog.edition} does not write {model.many}"
            return (
                "unknown-section",
                message,
                "take the list out; other records refer to these by name",
            )
        near = [model.many] if model else nearest(name, error.properties, 1)
        remedy = f"write {near[0]}" if near else f"there is {', '.join(error.properties)}"
        return "unknown-section", f"no list is called {quoted(name)}", remedy

    def _bad_address(self, text: str) -> Message:
        word, slash, key = text.partition("/")
        if bad := re.search(CONTROL, key):
            return (
                "bad-address",
                f"the key holds the control character {ascii(bad[0])[1:-1]}",
                "take it out",
            )
        if not word or not slash or not re.search(KEY, key):
            return "bad-address", "not an address", "write MODEL/KEY"
        model = self.catalog.find(word)
        if model and not model.writable:
            return (
                "bad-address",
                f"edition {self.catalog.edition} does not write {model.many}",
                "take it out",
            )
        names = [m.name for m in self.catalog.writable]
        near = [model.name] if model else nearest(word, names, 1)
        remedy = f"write {near[0]}/{key}" if near else f"there is {', '.join(names)}"
        return "bad-address", f"no model is called {shown(word)}", remedy


def _details(context: FieldContext, error: SchemaError) -> dict[str, Any]:
    return {
        "address": context.address,
        "field": context.field_name,
        "value": error.found,
        "rule": error.rule,
    }


def _missing(context: FieldContext, name: str) -> Message:
    what = (
        context.model.words if context.is_record and context.model else f"item of {context.label}"
    )
    return "missing-field", f"this {what} has no {quoted(name)}", f"add   {name}: ...   here"


def _bad_name(context: FieldContext, error: SchemaError) -> Message:
    name = error.found
    better = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
    remedy = f"write {better}" if re.search(error.expected, better) else _NAME_REMEDY
    return "bad-name", f"{quoted(name)} cannot be a name in {context.label}", remedy


_NAME_REMEDY = "a name begins with a letter and has letters, digits and _"


def _wrong_type(context: FieldContext, error: SchemaError, node: Node) -> Message:
    names = error.expected if isinstance(error.expected, list) else [error.expected]
    wanted = [name for name in names if name != "null"]
    if not context.path:
        return (
            "wrong-type",
            "a file is a mapping of lists",
            "begin it with the name of a list, such as   sessions:",
        )
    words = " or ".join(_EXPECTED[name] for name in wanted)
    verb = "holds" if isinstance(context.path[-1], int) and not context.is_record else "is"
    message = f"{context.label} {verb} {words}, not {_found(error.found)}"
    return "wrong-type", message, _type_remedy(context, wanted[0], words, error.found, node)


def _found(value: Value) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return next((words for kind, words in _FOUND.items() if isinstance(value, kind)), "a number")


_FOUND: dict[type, str] = {str: "text", list: "a list", dict: "a mapping"}


def _type_remedy(context: FieldContext, wanted: str, words: str, found: Value, node: Node) -> str:
    if found is None:
        return _no_value_remedy(context)
    if (
        context.is_field
        and context.field
        and context.field.kind in _MOMENTS
        and node.text is not None
    ):
        return value_hints.date_remedy(node.text, context.field.kind == "instant")
    if wanted == "string" and node.text is not None:
        return value_hints.UUID if context.path[2:] == ("id",) else f"write {quoted(node.text)}"
    if context.field and context.field.kind == "items" and not context.member:
        return _for_example(context)
    if (
        wanted == "array"
        and node.text is not None
        and (context.is_field or context.path[0] in DIRECTIVES)
    ):
        return f"write [{written(found)}]"
    if wanted == "array" and not context.is_field:
        return "begin each of its items with -"
    if wanted == "object" and not context.is_field:
        return "write lines   NAME: VALUE"
    if wanted == "boolean" and str(found).lower() in _TRUTHS:
        return f"write {_TRUTHS[str(found).lower()]}"
    if (
        wanted in ("number", "integer")
        and isinstance(found, str)
        and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", found)
    ):
        return f"write {found} without quotes"
    return (_for_example(context) if context.is_field else "") or f"write {words}"


def _for_example(context: FieldContext) -> str:
    """The example of the field that a value is, or is an item of; nothing if its table has none."""
    example = context.field.example if context.field else None
    if example is None:
        return ""
    is_item = isinstance(context.path[-1], int) and isinstance(example, list)
    return f"for example   {written(example[0] if is_item else example)}"


_MOMENTS = {"date", "instant"}
_TRUTHS = {
    **dict.fromkeys(("yes", "on", "y", "true", "1"), "true"),
    **dict.fromkeys(("no", "off", "n", "false", "0"), "false"),
}


def _too_long(context: FieldContext, error: SchemaError, node: Node) -> Message:
    length, most = len(error.found), error.expected
    return (
        "too-long",
        f"{length:,} characters, {most:,} are allowed",
        f"{context.label}; leave out {length - most:,}",
    )


def _empty(context: FieldContext, error: SchemaError, node: Node) -> Message:
    if isinstance(context.path[-1], int):
        return "empty", f"an item of {context.label} is empty", "write something, or take it out"
    remedy = "write something"
    if context.names_record:
        remedy = f"write the {context.path[2]}"
    elif context.is_field and context.field and context.field.required:
        remedy = _for_example(context) or remedy  # leaving it out would be the next error
    elif context.is_field:
        remedy = "write something, or leave the line out to leave it to the server"
    return "empty", f"{context.label} cannot be empty", remedy


def _not_in_list(context: FieldContext, error: SchemaError, node: Node) -> Message:
    values = [value for value in error.expected if value is not None]
    near = nearest(str(error.found), [str(value) for value in values], 1)
    remedy = f"write {near[0]}" if near else f"there is {', '.join(str(value) for value in values)}"
    return "not-in-list", f"{context.label} does not take {written(error.found)}", remedy


def _bad_pattern(context: FieldContext, error: SchemaError, node: Node) -> Message:
    text = error.found
    if context.names_record:
        if bad := re.search(CONTROL, text):
            return (
                "control-character",
                f"{context.label} holds the control character {ascii(bad[0])[1:-1]}",
                "take it out",
            )
        return _empty(context, error, node)
    if context.field and context.field.kind in _MOMENTS:
        return _bad_moment(context, text, context.field.kind == "instant")
    rule = context.member or context.field
    return _bad_format(context, (rule.format if rule else None) or "uuid", text)


def _bad_moment(context: FieldContext, text: str, with_time: bool) -> Message:
    message = "not a date and time" if with_time else "not a date"
    return (
        "bad-format",
        message,
        value_hints.date_remedy(text, with_time) if text.strip() else _no_value_remedy(context),
    )


def _bad_format(context: FieldContext, name: str, text: str) -> Message:
    message, remedy = value_hints.format_hint(name, text)
    return "bad-format", message, remedy


def _other(context: FieldContext, error: SchemaError, node: Node) -> Message:
    return "invalid", f"{context.label or 'the file'} breaks the rule {error.rule}", ""


_TRANSLATIONS: dict[str, Callable[[FieldContext, SchemaError, Node], Message]] = {
    "type": _wrong_type,
    "maxLength": _too_long,
    "minLength": _empty,
    "minItems": _empty,
    "enum": _not_in_list,
    "pattern": _bad_pattern,
}


def _no_value_remedy(context: FieldContext) -> str:
    """What to write where nothing is, or null is not taken."""
    field = context.field if context.is_field else None
    if context.names_record:
        return f"write the {context.path[2]}"
    if (
        field
        and not field.required
        and not field.enum
        and (field.empty is not None or field.takes_null)
    ):
        empty = json.dumps(field.empty)
        return f"write {empty} to clear it, or leave the line out to leave it to the server"
    if field:
        return "write a value, or leave the line out to leave it to the server"
    if context.field and context.field.kind == "map":
        return 'write "" for empty text, or take the line out'
    return "write a value, or take the line out"
