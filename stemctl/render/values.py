"""Values and differences as people read them: control characters made visible, long text as a word
diff.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence

from stemctl.util.json_types import Value
from stemctl.util.safe_text import visible

LONG = 60
"""Text above this many characters is shown as a word diff."""

AROUND = 3
"""Words shown before and after a change."""

_NUMBER = re.compile(r"[-+]?[0-9][0-9_.eE+-]*")
_OWN_WORDS = {"none", "(none)", "(cleared)", "(not shown)", "null", "true", "false"}


def shown(value: Value) -> str:
    """A value in one line: text as it is unless that would be unclear, lists and maps by element."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case str():
            return _text(value)
        case list():
            return ", ".join(_element(item) for item in value) or "[]"
        case dict():
            return (
                ", ".join(f"{visible(str(key))}: {shown(item)}" for key, item in value.items())
                or "{}"
            )
        case _:
            return str(value)


def _text(text: str) -> str:
    if text == "" or text != text.strip() or text.lower() in _OWN_WORDS or _NUMBER.fullmatch(text):
        return '"' + visible(text) + '"'
    return visible(text)


def _element(item: Value) -> str:
    """An element of a list: an item shows its members' values, as they say enough."""
    if isinstance(item, dict):
        return " ".join(shown(member) for member in item.values())
    return shown(item)


def difference(before: Value, after: Value) -> str:
    """`old → new`, or a word diff where the text is long."""
    if (
        isinstance(before, str)
        and isinstance(after, str)
        and after
        and max(len(before), len(after)) > LONG
    ):
        return word_diff(before, after)
    cleared = after in ("", None, [], {}) and before not in ("", None, [], {})
    return f"{shown(before)} → {shown(after)}{' (cleared)' if cleared else ''}"


def word_diff(before: str, after: str) -> str:
    """Changed words as `[-old-]{+new+}` with a few words around them, `…` where words are left out."""
    marks = {"same": "{}", "gone": "[-{}-]", "come": "{{+{}+}}"}
    words = ((kind, marks[kind].format(text)) for kind, text in word_changes(before, after))
    result, last = "", ""
    for kind, text in words:
        glued = not result or (last == "gone" and kind == "come")
        result, last = result + ("" if glued else " ") + text, kind
    return result


def word_changes(before: str, after: str) -> list[tuple[str, str]]:
    """The words of a change in their order, each run with what became of it: `same`, `gone` or `come`."""
    import difflib  # only where long text differs

    old, new = before.split(), after.split()
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    runs: list[tuple[str, str]] = []
    for number, (kind, i1, i2, j1, j2) in enumerate(blocks):
        if kind == "equal":
            runs.append(("same", _around(old[i1:i2], number == 0, number == len(blocks) - 1)))
            continue
        if i2 > i1:
            runs.append(("gone", visible(" ".join(old[i1:i2]))))
        if j2 > j1:
            runs.append(("come", visible(" ".join(new[j1:j2]))))
    return runs


def _around(words: list[str], first: bool, last: bool) -> str:
    """The words next to a change; what is left out must be more than one word to be worth a `…`."""
    start = [] if first else words[:AROUND]
    end = [] if last else words[-AROUND:]
    if len(start) + len(end) + 1 >= len(words):
        return visible(" ".join(words))
    return visible(" ".join([*start, "…", *end]))


def element_diff(before: Sequence[Value], after: Sequence[Value]) -> tuple[list[str], list[str]]:
    """What a list gains and loses, element by element."""
    old, new = {_key(item): item for item in before}, {_key(item): item for item in after}
    gains = [_element(item) for key, item in new.items() if key not in old]
    losses = [_element(item) for key, item in old.items() if key not in new]
    return gains, losses


def _key(item: Value) -> Hashable:
    """What tells elements apart, whatever they are: true is not 1, and "1" is neither."""
    if isinstance(item, str):
        return item
    import json

    return (json.dumps(item, sort_keys=True),)
