"""What nobody writes on purpose: broken text, JSON of any shape, and sound documents with something
wrong in them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from stemctl.util.canonical_json import hash_of

Step = str | int


HOSTILE_TEXT = [
    "",
    " ",
    "\x00",
    "\x1b[31mred\x1b[0m",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9b31m",
    "\u202etxt.exe",
    "\u2066\u2069\u200b\ufeff",
    "a\nb\r\nc",
    "../../x",
    "..",
    "/etc/passwd",
    "session/../x",
    "session/",
    "/",
    "a?b#c",
    "https://elsewhere.example/",
    "%2e%2e%2f",
    "{}",
    "$ref",
    "😀" * 3,
    "é" * 300,
    "x" * 10_000,
    "null",
    "1",
    "\\u0000",
]
_NUMBERS = st.one_of(
    st.sampled_from([0, -1, 1, 2**63, 10**30, 1.5, -0.0, 1e300]), st.integers(-5, 5)
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    _NUMBERS,
    st.sampled_from(HOSTILE_TEXT),
    st.text(st.characters(codec="utf-8"), max_size=8),
)
_KEYS = st.one_of(
    st.sampled_from(
        [
            "id",
            "name",
            "session",
            "sessions",
            "meta",
            "count",
            "next",
            "detail",
            "$ref",
            "tags",
            *HOSTILE_TEXT[:8],
        ]
    ),
    st.text(st.characters(codec="utf-8"), max_size=4),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


@dataclass(frozen=True)
class Mutation:
    """One thing that goes wrong in a document: `where` counts through its places, however many
    there are.
    """

    where: int
    how: str
    value: Any
    key: str

    def apply(self, document: Any) -> Any:
        """The document with it; the one that came in stays as it is."""
        holder = [copy.deepcopy(document)]
        locations = list(_locations(holder))
        node, step = locations[self.where % len(locations)]
        match self.how:
            case "drop" if node is not holder:
                del node[step]
            case "insert" if isinstance(node[step], dict):
                node[step][self.key] = self.value
            case "insert" if isinstance(node[step], list):
                node[step].insert(self.where % (len(node[step]) + 1), self.value)
            case "wrap":
                node[step] = [node[step]] if self.where % 2 else {self.key: node[step]}
            case "twice" if isinstance(node, list) and node is not holder:
                node.insert(step, copy.deepcopy(node[step]))
            case "other":
                other, of_other = locations[hash_number(self.key) % len(locations)]
                node[step] = copy.deepcopy(other[of_other])
            case _:
                node[step] = self.value
        return holder[0]


def hash_number(text: str) -> int:
    """A number of a text that is the same in every run."""
    return sum((i + 1) * ord(c) for i, c in enumerate(text))


def _locations(node: Any) -> Iterator[tuple[Any, Any]]:
    for step in range(len(node)) if isinstance(node, list) else list(node):
        yield node, step
        if isinstance(node[step], list | dict):
            yield from _locations(node[step])


MUTATIONS = st.builds(
    Mutation,
    st.integers(0, 100_000),
    st.sampled_from(["replace", "replace", "drop", "insert", "wrap", "twice", "other"]),
    JSON,
    _KEYS,
)


def mutated(document: Any, mutations: list[Mutation]) -> Any:
    """A document after all of them."""
    for mutation in mutations:
        document = mutation.apply(document)
    return document


_DIGESTED = ("address", "action", "id", "approval", "request", "expects", "waits")


def sealed(plan: Any) -> Any:
    """A plan document with the digest and the checksum that fit it, so that its content alone can
    be wrong.
    """
    if not isinstance(plan, dict):
        return plan
    try:
        target = {name: plan["server"][name] for name in ("url", "portal", "edition")}
        rows = [
            {name: change[name] for name in _DIGESTED}
            | ({"then": change["then"]} if change.get("then") else {})
            for change in plan["changes"]
        ]
        plan = {**plan, "digest": hash_of({**target, "changes": rows})}
    except (KeyError, TypeError, AttributeError):
        pass
    body = {key: value for key, value in plan.items() if key != "checksum"}
    return {**body, "checksum": hash_of(body)}


def as_text(document: Any) -> str:
    """JSON that holds anything, half characters included."""
    return json.dumps(document)
