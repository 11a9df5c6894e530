"""What a JSON Schema says against a manifest, in the words of somebody who writes records."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from stemctl.core.diagnostics import Diagnostic
from stemctl.manifests import date_hints, format_hints
from stemctl.manifests.document import Document, Node, shown
from stemctl.manifests.field_context import FieldContext, subject, written
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

    def findings(self, violation: SchemaError) -> Iterator[Diagnostic]:
        """One violation; an object with three unknown keys makes three findings."""
        about = subject(violation.path, self.document, self.catalog)
        if violation.keyword == "additionalProperties":
            for name in violation.found.keys() - set(violation.properties):
                yield self._at_key(
                    (*violation.path, name), violation, *self._unknown(about, name, violation)
                )
        elif violation.keyword == "required":
            for name in violation.expected:
                if name not in violation.found:
                    yield self._at_value(about, violation, *_missing(about, name))
        elif violation.of_key:
            yield self._at_key(
                (*violation.path, violation.found), violation, *_bad_name(about, violation)
            )
        else:
            yield self._at_value(about, violation, *self._message(about, violation))

    def no_value(self, path: Path, node: Node) -> Diagnostic:
        """A key or dash with nothing behind it."""
        about = subject(path, self.document, self.catalog)
        if path and isinstance(path[-1], str):
            message, event = f"nothing stands behind {shown(path[-1])}", self._key(path)
        else:
            message, event = "nothing stands behind the dash", node.event
        more = {"address": about.address, "field": about.field_name}
        return self.document.finding(event, "no-value", message, _no_value_remedy(about), **more)

    def _node(self, path: Path) -> Node:
        assert self.document.root is not None
        return self.document.root.at(path)

    def _key(self, path: Path) -> Any:
        """The event of the key that `path` ends in."""
        return self._node(path[:-1]).keys[str(path[-1])]

    def _at_key(
        self, path: Path, violation: SchemaError, code: str, message: str, remedy: str
    ) -> Diagnostic:
        event = self._key(path)
        about = subject(path, self.document, self.catalog)
        return self.document.finding(event, code, message, remedy, **_details(about, violation))

    def _message(self, about: FieldContext, violation: SchemaError) -> Message:
        if violation.keyword == "pattern" and about.path[0] in DIRECTIVES:
            return self._bad_address(violation.found)
        translate = _TRANSLATIONS.get(violation.keyword, _other)
        return translate(about, violation, self._node(violation.path))

    def _at_value(
        self, about: FieldContext, violation: SchemaError, code: str, message: str, remedy: str
    ) -> Diagnostic:
        event = self._node(about.path).event
        details = _details(about, violation)
        if code == "too-long":  # the whole text under the caret would say nothing
            details["length"] = 1
        return self.document.finding(event, code, message, remedy, **details)

    def _unknown(self, about: FieldContext, name: str, violation: SchemaError) -> Message:
        """A key that the schema does not have."""
        if not about.path or about.path == ("defaults",):
            return self._unknown_section(name, violation)
        model = about.model if about.is_record else None
        if model and name in model.fields and model.fields[name].read_only:
            return (
                "read-only-field",
                f"{model.name}.{name} is set by the server",
                "take the line out",
            )
        if model and about.in_defaults and (name in ("key", "id") or name in model.fields):
            return (
                "defaults-identity",
                f"defaults cannot set {name}",
                f"write the {name} in each {model.words}",
            )
        near = nearest(name, violation.properties, 1)
        rest = (
            f"stemctl explain {model.name} lists its fields"
            if model
            else f"there is {', '.join(violation.properties)}"
        )
        message = f"{model.name if model else about.label} has no field {quoted(name)}"
        return "unknown-field", message, f"write {near[0]}" if near else rest

    def _unknown_section(self, name: str, violation: SchemaError) -> Message:
        model = self.catalog.find(name)
        if model and not model.writable:
            message = f"edition {self.catalog.edition} does not write {model.many}"
            return (
                "unknown-section",
                message,
                "take the list out; other records refer to these by name",
            )
        near = [model.many] if model else nearest(name, violation.properties, 1)
        remedy = f"write {near[0]}" if near else f"there is {', '.join(violation.properties)}"
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


def _details(about: FieldContext, violation: SchemaError) -> dict[str, Any]:
    return {
        "address": about.address,
        "field": about.field_name,
        "value": violation.found,
        "rule": violation.rule,
    }


def _missing(about: FieldContext, name: str) -> Message:
    what = about.model.words if about.is_record and about.model else f"item of {about.label}"
    return "missing-field", f"this {what} has no {quoted(name)}", f"add   {name}: ...   here"


def _bad_name(about: FieldContext, violation: SchemaError) -> Message:
    name = violation.found
    better = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
    remedy = f"write {better}" if re.search(violation.expected, better) else _NAME_REMEDY
    return "bad-name", f"{quoted(name)} cannot be a name in {about.label}", remedy


_NAME_REMEDY = "a name begins with a letter and has letters, digits and _"


def _wrong_type(about: FieldContext, violation: SchemaError, node: Node) -> Message:
    names = violation.expected if isinstance(violation.expected, list) else [violation.expected]
    wanted = [name for name in names if name != "null"]
    if not about.path:
        return (
            "wrong-type",
            "a file is a mapping of lists",
            "begin it with the name of a list, such as   sessions:",
        )
    words = " or ".join(_EXPECTED[name] for name in wanted)
    verb = "holds" if isinstance(about.path[-1], int) and not about.is_record else "is"
    message = f"{about.label} {verb} {words}, not {_found(violation.found)}"
    return "wrong-type", message, _type_remedy(about, wanted[0], words, violation.found, node)


def _found(value: Value) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return next((words for kind, words in _FOUND.items() if isinstance(value, kind)), "a number")


_FOUND: dict[type, str] = {str: "text", list: "a list", dict: "a mapping"}


def _type_remedy(about: FieldContext, wanted: str, words: str, found: Value, node: Node) -> str:
    if found is None:
        return _no_value_remedy(about)
    if about.is_field and about.field and about.field.kind in _MOMENTS and node.text is not None:
        return date_hints.remedy(node.text, about.field.kind == "instant")
    if wanted == "string" and node.text is not None:
        return format_hints.UUID if about.path[2:] == ("id",) else f"write {quoted(node.text)}"
    if about.field and about.field.kind == "items" and not about.member:
        return _for_example(about)
    if (
        wanted == "array"
        and node.text is not None
        and (about.is_field or about.path[0] in DIRECTIVES)
    ):
        return f"write [{written(found)}]"
    if wanted == "array" and not about.is_field:
        return "begin each of its items with -"
    if wanted == "object" and not about.is_field:
        return "write lines   NAME: VALUE"
    if wanted == "boolean" and str(found).lower() in _TRUTHS:
        return f"write {_TRUTHS[str(found).lower()]}"
    if (
        wanted in ("number", "integer")
        and isinstance(found, str)
        and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", found)
    ):
        return f"write {found} without quotes"
    return (_for_example(about) if about.is_field else "") or f"write {words}"


def _for_example(about: FieldContext) -> str:
    """The example of the field that a value is, or is an item of; nothing if its table has none."""
    example = about.field.example if about.field else None
    if example is None:
        return ""
    is_item = isinstance(about.path[-1], int) and isinstance(example, list)
    return f"for example   {written(example[0] if is_item else example)}"


_MOMENTS = {"date", "instant"}
_TRUTHS = {
    **dict.fromkeys(("yes", "on", "y", "true", "1"), "true"),
    **dict.fromkeys(("no", "off", "n", "false", "0"), "false"),
}


def _too_long(about: FieldContext, violation: SchemaError, node: Node) -> Message:
    length, most = len(violation.found), violation.expected
    return (
        "too-long",
        f"{length:,} characters, {most:,} are allowed",
        f"{about.label}; leave out {length - most:,}",
    )


def _empty(about: FieldContext, violation: SchemaError, node: Node) -> Message:
    if isinstance(about.path[-1], int):
        return "empty", f"an item of {about.label} is empty", "write something, or take it out"
    remedy = "write something"
    if about.names_record:
        remedy = f"write the {about.path[2]}"
    elif about.is_field and about.field and about.field.required:
        remedy = _for_example(about) or remedy  # leaving it out would be the next error
    elif about.is_field:
        remedy = "write something, or leave the line out to leave it to the server"
    return "empty", f"{about.label} cannot be empty", remedy


def _not_in_list(about: FieldContext, violation: SchemaError, node: Node) -> Message:
    values = [value for value in violation.expected if value is not None]
    near = nearest(str(violation.found), [str(value) for value in values], 1)
    remedy = f"write {near[0]}" if near else f"there is {', '.join(str(value) for value in values)}"
    return "not-in-list", f"{about.label} does not take {written(violation.found)}", remedy


def _bad_pattern(about: FieldContext, violation: SchemaError, node: Node) -> Message:
    text = violation.found
    if about.names_record:
        if bad := re.search(CONTROL, text):
            return (
                "control-character",
                f"{about.label} holds the control character {ascii(bad[0])[1:-1]}",
                "take it out",
            )
        return _empty(about, violation, node)
    if about.field and about.field.kind in _MOMENTS:
        return _bad_moment(about, text, about.field.kind == "instant")
    rule = about.member or about.field
    return _bad_format(about, (rule.format if rule else None) or "uuid", text)


def _bad_moment(about: FieldContext, text: str, with_time: bool) -> Message:
    message = "not a date and time" if with_time else "not a date"
    return (
        "bad-format",
        message,
        date_hints.remedy(text, with_time) if text.strip() else _no_value_remedy(about),
    )


def _bad_format(about: FieldContext, name: str, text: str) -> Message:
    message, remedy = format_hints.explain(name, text)
    return "bad-format", message, remedy


def _other(about: FieldContext, violation: SchemaError, node: Node) -> Message:
    return "invalid", f"{about.label or 'the file'} breaks the rule {violation.rule}", ""


_TRANSLATIONS: dict[str, Callable[[FieldContext, SchemaError, Node], Message]] = {
    "type": _wrong_type,
    "maxLength": _too_long,
    "minLength": _empty,
    "minItems": _empty,
    "enum": _not_in_list,
    "pattern": _bad_pattern,
}


def _no_value_remedy(about: FieldContext) -> str:
    """What to write where nothing is, or null is not taken."""
    field = about.field if about.is_field else None
    if about.names_record:
        return f"write the {about.path[2]}"
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
    if about.field and about.field.kind == "map":
        return 'write "" for empty text, or take the line out'
    return "write a value, or take the line out"
