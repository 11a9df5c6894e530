"""What to say about a value, by the rule of the schema that it breaks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from stemctl.manifests import date_hints, name_hints, nesting_hints, type_hints, value_hints
from stemctl.manifests.document import Node, code_span
from stemctl.manifests.field_context import FieldContext, Message, written
from stemctl.manifests.schema_errors import SchemaError
from stemctl.schema.patterns import CONTROL, DATE, LOCAL_INSTANT, NOT_BLANK
from stemctl.util.json_types import Value
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
        return no_value_remedy(context)
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
            message = f"`{context.label}` contains {control_character(bad[0])}"
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
        return "bad-format", message, no_value_remedy(context)
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


_BY_KEYWORD: dict[str, Callable[[FieldContext, SchemaError, Node], Message]] = {
    "type": _wrong_type,
    "maxLength": _too_long,
    "minLength": _empty,
    "minItems": _empty,
    "enum": _not_in_list,
    "anyOf": _no_moment,
    "pattern": _bad_pattern,
}

_VALUE_OR_SERVER = "write a value, or remove the line to leave it to the server"


def no_value_remedy(context: FieldContext) -> str:
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


def control_character(character: str) -> str:
    """A control character in a sentence."""
    return f"the control character {ascii(character)[1:-1]}"


def rule_message(context: FieldContext, error: SchemaError, node: Node) -> Message:
    """Code, message and remedy for a value that breaks a rule."""
    return _BY_KEYWORD.get(error.keyword, _other)(context, error, node)
