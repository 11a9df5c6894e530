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
from stemctl.util.json_equality import same_json
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

    def part(inner: Schema) -> Accepts:
        return compiled(inner, root)

    if "$ref" in schema:
        accepts = _referenced(schema["$ref"], root)
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        return _both(accepts, part(beside)) if beside.keys() - _NOTES else accepts
    rules = [rule for keyword in schema if (rule := _rule(keyword, schema, part))]
    return functools.reduce(_both, rules) if rules else lambda value: True


def _both(first: Accepts, second: Accepts) -> Accepts:
    return lambda value: first(value) and second(value)


def _referenced(reference: str, root: Schema) -> Accepts:
    """A part of `root`, compiled when the first value is met: a list may stay empty."""
    part: Accepts | None = None

    def accepts(value: Value) -> bool:
        nonlocal part
        if part is None:
            part = compiled(_resolved(reference, root), root)
        return part(value)

    return accepts


def _resolved(reference: str, root: Schema) -> Schema:
    schema = root
    for step in reference.removeprefix("#/").split("/"):
        schema = schema[step]
    return schema


def _rule(keyword: str, schema: Schema, part: _Part) -> Accepts | None:
    """One keyword as a function; None for a keyword that says nothing, or is read with another."""
    expected = schema[keyword]
    if keyword in _LIMITS:
        return _LIMITS[keyword](expected)
    if keyword in _NESTING:
        return _NESTING[keyword](expected, part)
    if keyword == "properties":
        return _members(expected, schema.get("additionalProperties", True), part)
    if keyword == "additionalProperties":
        return None if "properties" in schema else _members({}, expected, part)
    if keyword == "if":
        return _implies(part(expected), part(schema["then"]))
    if keyword in _NOTES or keyword == "then" or (keyword == "format" and "pattern" in schema):
        return None
    raise TableError(f"The schema keyword {keyword!r} is not known.")


def _items(expected: Schema, part: _Part) -> Accepts:
    accepts = part(expected)
    return lambda value: type(value) is not list or all(map(accepts, value))


def _property_names(expected: Schema, part: _Part) -> Accepts:
    accepts = part(expected)
    return lambda value: type(value) is not dict or all(map(accepts, value))


def _all_of(expected: list[Schema], part: _Part) -> Accepts:
    """All parts; what depends on the value of one key is looked up, and compiled when it is met."""
    rules: list[Accepts] = []
    by_key: dict[str, dict[Value, Schema]] = {}
    for one in expected:
        values = _values_of_key(one.get("if", {})) if one.keys() == {"if", "then"} else None
        if values is None:
            rules.append(part(one))
        else:
            by_value = by_key.setdefault(values[0], {})
            for value in values[1]:
                by_value[value] = _joined(by_value.get(value), one["then"])
    rules += [_depending_on(key, by_value, part) for key, by_value in by_key.items()]
    return lambda value: all(rule(value) for rule in rules)


def _values_of_key(condition: Schema) -> tuple[str, list[str]] | None:
    """The key and its texts, if a condition says no more than that the key has one of them."""
    properties = condition.get("properties", {})
    if condition.keys() != {"properties", "required"} or len(properties) != 1:
        return None
    ((key, schema),) = properties.items()
    values = [schema["const"]] if schema.keys() == {"const"} else schema.get("enum", [])
    is_plain = condition["required"] == [key] and schema.keys() <= {"const", "enum"}
    return (key, values) if is_plain and all(isinstance(v, str) for v in values) else None


def _joined(first: Schema | None, second: Schema) -> Schema:
    return second if first is None else {"allOf": [first, second]}


def _depending_on(key: str, by_value: dict[Value, Schema], part: _Part) -> Accepts:
    compiled_parts: dict[Value, Accepts] = {}

    def accepts(value: Value) -> bool:
        if type(value) is not dict:
            return True
        found = value.get(key)
        if type(found) is not str or found not in by_value:
            return True
        if found not in compiled_parts:
            compiled_parts[found] = part(by_value[found])
        return compiled_parts[found](value)

    return accepts


def _any_of(expected: list[Schema], part: _Part) -> Accepts:
    either = [part(one) for one in expected]
    return lambda value: any(accepts(value) for accepts in either)


def _not(expected: Schema, part: _Part) -> Accepts:
    accepts = part(expected)
    return lambda value: not accepts(value)


def _implies(condition: Accepts, then: Accepts) -> Accepts:
    return lambda value: not condition(value) or then(value)


def _required(names: list[str]) -> Accepts:
    needed = set(names)
    return lambda value: type(value) is not dict or value.keys() >= needed


def _enum(values: list[Value]) -> Accepts:
    return lambda value: any(
        one == value and (type(one) is bool) == (type(value) is bool) for one in values
    )


def _unique(expected: bool) -> Accepts:
    def accepts(value: Value) -> bool:
        if type(value) is not list or not expected:
            return True
        return not any(
            same_json(one, other) for at, one in enumerate(value) for other in value[:at]
        )

    return accepts


def _pattern(pattern: str) -> Accepts:
    search = re.compile(pattern).search
    return lambda value: type(value) is not str or search(value) is not None


def _type(expected: str | list[str]) -> Accepts:
    names = [expected] if isinstance(expected, str) else expected
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


_NESTING: dict[str, Callable[[Any, _Part], Accepts]] = {
    "items": _items,
    "propertyNames": _property_names,
    "allOf": _all_of,
    "anyOf": _any_of,
    "not": _not,
}
"""Keywords with schemas inside."""

_LIMITS: dict[str, Callable[[Any], Accepts]] = {
    "type": _type,
    "required": _required,
    "enum": _enum,
    "pattern": _pattern,
    "minLength": lambda least: lambda value: type(value) is not str or len(value) >= least,
    "maxLength": lambda most: lambda value: type(value) is not str or len(value) <= most,
    "minItems": lambda least: lambda value: type(value) is not list or len(value) >= least,
    "minimum": lambda least: lambda value: type(value) not in (int, float) or value >= least,
    "maximum": lambda most: lambda value: type(value) not in (int, float) or value <= most,
    "uniqueItems": _unique,
    "const": lambda expected: _enum([expected]),
}
"""Keywords that need nothing but their own value."""
