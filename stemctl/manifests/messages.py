"""Schema errors of a manifest, in the words of its author: code, message and remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic
from stemctl.manifests import (
    date_hints,
    detail_hints,
    name_hints,
    nesting_hints,
    type_hints,
    value_hints,
)
from stemctl.manifests.document import Document, Node, code_span
from stemctl.manifests.field_context import FieldContext, Message, field_context, written
from stemctl.manifests.scalars import quoted
from stemctl.manifests.schema_errors import SchemaError
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import DetailType
from stemctl.schema.manifest_schema import DIRECTIVES
from stemctl.schema.patterns import CONTROL, DATE, KEY, LOCAL_INSTANT, NOT_BLANK
from stemctl.util.json_types import Path, Value
from stemctl.util.plural import counted
from stemctl.util.suggest import nearest

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

    def __init__(
        self, document: Document, catalog: Catalog, type_: DetailType | None = None
    ) -> None:
        self.document = document
        self.catalog = catalog
        self.type_ = type_
        """The type of the details that the errors are about, if it does not stand beside them."""

    def _context(self, path: Path) -> FieldContext:
        return field_context(path, self.document, self.catalog, self.type_)

    def findings(self, error: SchemaError) -> Iterator[Diagnostic]:
        """The diagnostics of one error: an object with three unknown keys has three."""
        context = self._context(error.path)
        if name_hints.is_short_move(error):
            if error.keyword == "required":
                yield self._at_value(context, error, name_hints.move(error))
        elif error.keyword == "additionalProperties":
            for name in error.found.keys() - set(error.properties):
                message = self._unknown(context, name, error)
                yield self._at_key((*error.path, name), error, message)
        elif error.keyword == "required" and context.detail_type:
            known = tuple(map(str, error.properties))
            meant = {name_hints.meant(name, known) for name in error.found.keys() - set(known)}
            for name in error.expected:
                if name not in error.found and name not in meant:
                    message = detail_hints.missing_part(context, error, name)
                    yield self._at_value(context, error, message)
        elif error.keyword == "required":
            known = tuple(context.model.fields if context.model else ()) or error.properties
            known = tuple(context.field.members) if context.field else known
            unknown = error.found.keys() - set(known)
            meant = {name_hints.meant(name, known) for name in unknown}
            for name in error.expected:
                if name not in error.found and name not in meant:
                    yield self._at_value(context, error, name_hints.missing(context, error, name))
        elif error.of_key:
            path = (*error.path, error.found)
            yield self._at_key(path, error, name_hints.bad_name(context, error))
        else:
            yield self._at_value(context, error, self._message(context, error))

    def no_value(self, path: Path, node: Node) -> Diagnostic:
        """A key or list item without a value."""
        finding = self._no_value(path, node)
        assert finding.location
        column = finding.location.column - 1
        if comment := re.match(r"[\w-]*:?[ \t]+(#\w.*)", finding.line[column:]):
            message = f"{finding.message}, since `#` begins a comment"
            remedy = f"write `{quoted(comment[1].rstrip())}` after it"
            finding = replace(finding, message=message, remedy=remedy)
        return finding

    def _no_value(self, path: Path, node: Node) -> Diagnostic:
        context = self._context(path)
        if path and isinstance(path[-1], str):
            message, event = f"{code_span(path[-1])} has no value", self._key(path)
            if remedy := self._not_indented(context, path):
                return self.document.finding(
                    event, "no-value", message, remedy, address=context.address
                )
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

    def _not_indented(self, context: FieldContext, path: Path) -> str:
        """The remedy if what belongs to a key is below it, but not indented by more."""
        field, model = context.field, context.model
        if not field or not model or not context.is_field or field.kind not in ("map", "items"):
            return ""
        names = list(self._node(path[:-1]).members)
        below = names[names.index(str(path[-1])) + 1 :]
        strange = next((name for name in below[:1] if name not in model.fields), None)
        if strange and self.catalog.child(model, strange):
            return ""
        return f"indent {code_span(strange)} by 2 more spaces" if strange else ""

    def _node(self, path: Path) -> Node:
        assert self.document.root is not None
        return self.document.root.at(path)

    def _key(self, path: Path) -> Any:
        """The event of the key that `path` ends in."""
        return self._node(path[:-1]).keys[str(path[-1])]

    def _at_key(self, path: Path, error: SchemaError, message: Message) -> Diagnostic:
        context = self._context(path)
        return self.document.finding(self._key(path), *message, **_details(context, error))

    def _at_value(self, context: FieldContext, error: SchemaError, message: Message) -> Diagnostic:
        details = _details(context, error)
        node = self._node(context.path)
        if message[0] == "too-long":  # a line of carets under the whole text would not help
            details["length"] = 1
        elif node.text is None:
            details["length"] = type_hints.marked_length(self.document, node, message[2])
        return self.document.finding(node.event, *message, **details)

    def _message(self, context: FieldContext, error: SchemaError) -> Message:
        if error.keyword == "pattern" and context.path[0] in DIRECTIVES:
            return self._bad_address(error.found)
        node = self._node(error.path)
        translate = _TRANSLATIONS.get(error.keyword, _other)
        about_details = detail_hints.message(context, error, node)
        return about_details or translate(context, error, node)

    def _unknown(self, context: FieldContext, name: str, error: SchemaError) -> Message:
        """A key that the schema does not have."""
        if not context.path or context.path == ("defaults",):
            node = self._node((*context.path, name))
            return name_hints.unknown_section(context, error, node, name=name, catalog=self.catalog)
        if context.detail_type or (context.field and context.field.details):
            return detail_hints.unknown_field(context, name)
        model = context.model if context.is_record else None
        if model is None:
            message = f"{code_span(context.label)} has no field {code_span(name)}"
            return name_hints.unknown("unknown-field", message, name, error.properties)
        nested = nesting_hints.misplaced_list(context, model, name, self.catalog)
        if found := nested or nesting_hints.no_handle(model, name):
            return found
        if name in model.fields and model.fields[name].read_only:
            remedy = nesting_hints.instead_of(model, model.fields[name], self.catalog)
            return name_hints.read_only(model, name, self.catalog, remedy)
        if context.in_defaults and (name in ("key", "id") or name in model.fields):
            message = f"defaults cannot set `{name}`"
            return "defaults-identity", message, f"write the {name} in each {model.words}"
        message = f"{model.name} has no field {code_span(name)}"
        otherwise = f"`stemctl explain {model.name}` lists its fields"
        if below := detail_hints.home_of(model, name):
            otherwise = f"write it below `{below}:`"
        return name_hints.unknown("unknown-field", message, name, error.properties, otherwise)

    def _bad_address(self, text: str) -> Message:
        word, slash, key = text.partition("/")
        if bad := re.search(CONTROL, key):
            return "bad-address", f"the key contains {_control(bad[0])}", "remove it"
        if not word or not slash or not re.search(KEY, key):
            remedy = name_hints.address(text, self.catalog) or "write `MODEL/KEY`"
            return "bad-address", "this is not an address", remedy
        model = self.catalog.find(word)
        if model and not model.writable:
            return "bad-address", name_hints.cannot_be_written(model, self.catalog), "remove it"
        if model is None and (gone := name_hints.gone_address(word, self.catalog)):
            return gone
        names = [m.name for m in self.catalog.writable]
        near = [model.name] if model else nearest(word, names, 1)
        message = f"unknown model {code_span(word)}"
        if not near:
            return "bad-address", message, name_hints.one_of(names)
        return "bad-address", name_hints.did_you_mean(message, near[0]), f"write `{near[0]}/{key}`"


def _control(character: str) -> str:
    return f"the control character {ascii(character)[1:-1]}"


def _details(context: FieldContext, error: SchemaError) -> dict[str, Any]:
    return {
        "address": context.address,
        "field": context.field_name,
        "value": error.found,
        "rule": error.rule,
    }


def _wrong_type(context: FieldContext, error: SchemaError, node: Node) -> Message:
    names = error.expected if isinstance(error.expected, list) else [error.expected]
    wanted = [name for name in names if name != "null"]
    if not context.path:
        return _bad_root(context, node)
    is_text = context.is_nested_record and isinstance(error.found, str)
    if is_text and (about_text := nesting_hints.no_record(context, error.found)):
        return about_text
    words = " or ".join(_EXPECTED[name] for name in wanted)
    message = f"{_name_in_message(context)} must be {words}, not {_type_of(error.found)}"
    remedy = _type_remedy(context, wanted[0], words, node)
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


def _type_remedy(context: FieldContext, wanted: str, words: str, node: Node) -> str:
    """What to write in place of a value of another type."""
    if node.value is None:
        return _no_value_remedy(context)
    if remedy := type_hints.type_remedy(context, wanted, node):
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


def _bad_root(context: FieldContext, node: Node) -> Message:
    """A file that is no mapping."""
    message = "a manifest must be a mapping of lists"
    text = node.text or ""
    first = text.split(" ")[0]
    if match := re.fullmatch(r"([a-z_]+):(\S.*)", text):
        return "wrong-type", message, f"write `{match[1]}: {match[2]}`"
    if first.count(",") > 0 and first.count(",") == text.split(" ")[-1].count(","):
        return "wrong-type", "this is CSV, not YAML", _BEGIN_WITH_A_LIST
    if node.is_list:
        return "wrong-type", message, "add the name of the list above it, such as `sessions:`"
    return "wrong-type", message, _BEGIN_WITH_A_LIST


_BEGIN_WITH_A_LIST = "begin it with the name of a list, such as `sessions:`"


def _for_example(context: FieldContext) -> str:
    """The example of the field that a value belongs to; nothing if its table has none."""
    example = context.field.example if context.field else None
    if example is None:
        return ""
    if isinstance(context.path[-1], int) and isinstance(example, list):
        example = example[0]
    return f"for example `{written(example)}`"


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
        remedy = f"write the {context.path[-1]}"
    elif context.is_field and context.field and context.field.required:
        remedy = _for_example(context) or remedy  # without the field, it would be missing
    elif context.is_field:
        remedy = _VALUE_OR_SERVER
    return "empty", f"`{context.label}` cannot be empty", remedy


def _not_in_list(context: FieldContext, error: SchemaError, node: Node) -> Message:
    values = [value for value in error.expected if value is not None]
    near = nearest(str(error.found), [str(value) for value in values], 1)
    if near:
        remedy = f"write `{near[0]}`"
    elif len(values) == 1:
        remedy = f"write `{written(values[0])}`"
    elif len(values) > name_hints.MANY and context.field and context.model and context.is_field:
        remedy = name_hints.allowed(context.field, context.model, str(error.found))
    else:
        remedy = name_hints.one_of(values)
    message = f"`{context.label}` cannot be {code_span(written(error.found))}"
    return "not-in-list", message, remedy


def _bad_pattern(context: FieldContext, error: SchemaError, node: Node) -> Message:
    text = error.found
    if context.names_record:
        if bad := re.search(CONTROL, text):
            message = f"`{context.label}` contains {_control(bad[0])}"
            return "control-character", message, "remove it"
        return _empty(context, error, node)
    if error.expected == NOT_BLANK:
        return _empty(context, error, node)
    if context.field and context.field.kind in type_hints.MOMENTS:
        return _bad_moment(context, text, error.expected)
    rule = context.member or context.field
    name = (rule.format if rule else None) or "uuid"
    return "bad-format", *value_hints.format_hint(name, text)


_NOTHING = {"", "-", "?", "none", "nan", "na", "n/a", "nil", "null", "tbd", "unknown"}
"""What people and programs write where there is no value."""


def _bad_moment(context: FieldContext, text: str, pattern: Value) -> Message:
    with_time = pattern != DATE
    message = "this is not a date and time" if with_time else "this is not a date"
    if text.strip().lower() in _NOTHING:
        return "bad-format", message, _no_value_remedy(context)
    if text.startswith(("0001-01-01T", "9999-12-31T")):
        return "bad-format", "this time is in no calendar, once it is in UTC", "end it with Z"
    is_local = pattern == LOCAL_INSTANT
    return "bad-format", message, date_hints.date_remedy(text, with_time, is_local)


def _no_moment(context: FieldContext, error: SchemaError, node: Node) -> Message:
    """A record inside another one that only its moment would tell from others."""
    embedded = context.model.embedded if context.model and context.is_record else None
    if embedded is None:
        return _other(context, error, node)
    remedy = " or ".join(f"`{name}: ...`" for name in embedded.by)
    what = context.model.words if context.model else ""
    return "missing-field", f"this {what} has no time", f"add {remedy}, by which it is known"


def _other(context: FieldContext, error: SchemaError, node: Node) -> Message:
    what = code_span(context.label) if context.label else "the file"
    return "invalid", f"{what} breaks the rule `{error.rule}`", ""


_TRANSLATIONS: dict[str, Callable[[FieldContext, SchemaError, Node], Message]] = {
    "type": _wrong_type,
    "maxLength": _too_long,
    "minLength": _empty,
    "minItems": _empty,
    "enum": _not_in_list,
    "anyOf": _no_moment,
    "pattern": _bad_pattern,
}

_VALUE_OR_SERVER = "write a value, or remove the line to leave it to the server"


def _no_value_remedy(context: FieldContext) -> str:
    """What to write where there is no value, or null is not allowed."""
    if context.names_record:
        return f"write the {context.path[-1]}"
    if context.is_nested_list:
        return "list records below it, or write `[]` for none, or remove the line"
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
