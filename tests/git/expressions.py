"""The expressions of GitHub's workflows, as far as ours use them: names with dots, text in quotes,
`==`, `!=`, `&&` and `||`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_PART = re.compile(r"'([^']*)'|([\w.-]+)")


def filled(text: Any, context: Mapping[str, Any]) -> str:
    """A text with its expressions replaced by what they mean."""
    return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: value(found[1], context), str(text))


def holds(condition: str, context: Mapping[str, Any]) -> bool:
    """Whether a condition of a job or a step holds."""
    return value(condition, context) not in ("", "false")


def value(expression: str, context: Mapping[str, Any]) -> str:
    """What an expression means."""
    found = "false"
    for choice in expression.split(" || "):
        for part in choice.split(" && "):
            found = _compared(part.strip(), context)
            if found in ("", "false"):
                break
        if found not in ("", "false"):
            break
    return found


def _compared(text: str, context: Mapping[str, Any]) -> str:
    left, operator, right = text.partition(" == ") if " == " in text else text.partition(" != ")
    if not operator:
        return _plain(left, context)
    same = _plain(left, context) == _plain(right, context)
    return str(same == (operator == " == ")).lower()


def _plain(text: str, context: Mapping[str, Any]) -> str:
    part = _PART.fullmatch(text)
    assert part, f"this stand-in does not know {text}"
    if part[2] is None:
        return str(part[1])
    found: Any = context
    for word in part[2].split("."):
        found = found.get(word, "") if isinstance(found, Mapping) else ""
    return "" if isinstance(found, Mapping) else str(found)
