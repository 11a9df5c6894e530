"""JSON Schemas compiled to functions that say whether a value is taken: fast, and no word on why
not.

For the schemas that are made here, not for any: `format` counts for nothing, since the `pattern`
beside it takes no more than the format does.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from stemctl.errors import TableError
from stemctl.util.json_types import Value

Accepts = Callable[[Value], bool]
Schema = dict[str, Any]
_Part = Callable[[Schema], Accepts]

_NOTES = {
    "$schema",
    "$id",
    "$defs",
    "title",
    "description",
    "patternErrorMessage",
    "defaultSnippets",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def compiled(schema: Schema, root: Schema) -> Accepts:
    """A function that is true of exactly the JSON values that `schema`, a part of `root`, takes.

    Raises:
        TableError: there is a keyword in the schema that nothing here knows.
    """
    while "$ref" in schema:
        schema = _resolved(schema["$ref"], root)

    def part(inner: Schema) -> Accepts:
        return compiled(inner, root)

    rules = [rule for keyword in schema if (rule := _rule(keyword, schema, part))]
    return functools.reduce(_both, rules) if rules else lambda value: True


def _both(first: Accepts, second: Accepts) -> Accepts:
    return lambda value: first(value) and second(value)


def _resolved(reference: str, root: Schema) -> Schema:
    schema = root
    for step in reference.removeprefix("#/").split("/"):
        schema = schema[step]
    return schema


def _rule(keyword: str, schema: Schema, part: _Part) -> Accepts | None:
    """One keyword as a function; None for those that say nothing, or that are read along with
    another one.
    """
    expected = schema[keyword]
    match keyword:
        case "type":
            return _type([expected] if isinstance(expected, str) else expected)
        case "properties":
            return _members(expected, schema.get("additionalProperties", True), part)
        case "additionalProperties":
            return None if "properties" in schema else _members({}, expected, part)
        case "items":
            accepts = part(expected)
            return lambda value: type(value) is not list or all(map(accepts, value))
        case "propertyNames":
            accepts = part(expected)
            return lambda value: type(value) is not dict or all(map(accepts, value))
        case "required":
            needed = set(expected)
            return lambda value: type(value) is not dict or value.keys() >= needed
        case "anyOf":
            either = [part(one) for one in expected]
            return lambda value: any(accepts(value) for accepts in either)
        case "not":
            accepts = part(expected)
            return lambda value: not accepts(value)
        case "if":
            condition, then = part(expected), part(schema["then"])
            return lambda value: not condition(value) or then(value)
        case "enum":
            return lambda value: any(
                one == value and (type(one) is bool) == (type(value) is bool) for one in expected
            )
        case "pattern":
            search = re.compile(expected).search
            return lambda value: type(value) is not str or search(value) is not None
        case "minLength":
            return lambda value: type(value) is not str or len(value) >= expected
        case "maxLength":
            return lambda value: type(value) is not str or len(value) <= expected
        case "minItems":
            return lambda value: type(value) is not list or len(value) >= expected
        case "minimum":
            return lambda value: type(value) not in (int, float) or value >= expected
    if keyword in _NOTES or keyword == "then" or (keyword == "format" and "pattern" in schema):
        return None
    raise TableError(f"The schema keyword {keyword!r} is not known.")


def _type(names: list[str]) -> Accepts:
    types = frozenset(one for name in names for one in _TYPES[name])
    if "integer" in names and "number" not in names:  # 1.0 is an integer in JSON Schema
        return lambda value: type(value) in types or (type(value) is float and value.is_integer())
    return lambda value: type(value) in types


def _members(properties: dict[str, Schema], additional: Schema | bool, part: _Part) -> Accepts:
    known = {name: part(schema) for name, schema in properties.items()}
    other = part(additional) if isinstance(additional, dict) else lambda value: additional

    def accepts(value: Value) -> bool:
        if type(value) is dict:
            for name, member in value.items():
                if not known.get(name, other)(member):
                    return False
        return True

    return accepts
