"""When two JSON values are the same. Python's `==` says that true is 1; JSON and people do not."""

from __future__ import annotations

from stemctl.util.json_types import Value


def same_json(left: Value, right: Value) -> bool:
    """Whether two values are the same JSON. 1 and 1.0 are one number, true is none, the order of
    keys says nothing.
    """
    if left != right:  # whatever differs for Python differs
        return False
    kind = type(left)
    if kind is list or kind is tuple:
        return all(map(same_json, left, right))
    if kind is dict:
        return all(same_json(value, right[key]) for key, value in left.items())
    return (kind is bool) == (type(right) is bool)


def one_spelling(value: Value) -> Value:
    """The value with each number written in one way, so that values that are the same have the same
    text.
    """
    kind = type(value)
    if kind is float and value.is_integer():
        return int(value)
    if kind is list:
        return [one_spelling(element) for element in value]
    if kind is dict:
        return {key: one_spelling(element) for key, element in value.items()}
    return value
