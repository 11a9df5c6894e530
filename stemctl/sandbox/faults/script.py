"""Reads a fault script, or reports where it is wrong."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import Struct

from stemctl.errors import ConfigError
from stemctl.manifests import reader
from stemctl.manifests.document import Document, Node, code_span
from stemctl.util.json_types import Value
from stemctl.util.suggest import nearest


class IncomingRequest(Struct, frozen=True):
    """What a fault may match. `path` is below `/api/PORTAL/` and ends with a slash, or None."""

    method: str
    path: str | None
    content: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the script: its kind, matching requests, frequency, and the kind's values."""

    fault: str
    method: str | None = None
    path: str | None = None
    body: str | None = None
    after: int = 0
    times: int | None = None
    chance: float | None = None
    status: int = 0
    retry_after: int | None = None
    retry_after_date: int | None = None
    seconds: float = 0
    field: str | None = None
    value: Value = dataclasses.field(default=None, hash=False)
    edit: Value = dataclasses.field(default=None, hash=False)
    mebibytes: int = 0

    def matches(self, request: IncomingRequest) -> bool:
        """Whether a request matches."""
        return (
            self.method in (None, request.method)
            and (self.path is None or _is_at(self.path, request.path))
            and (self.body is None or self.body.encode() in request.content)
        )


class Script(Struct, frozen=True):
    """The whole script. A seed makes `chance` repeatable."""

    faults: tuple[Fault, ...]
    seed: int | None = None


class Keys(Struct, frozen=True):
    """The keys of one kind of fault, in addition to those of every fault."""

    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


def read_script(path: Path, kinds: Mapping[str, Keys]) -> Script:
    """Read a fault script.

    Raises:
        ConfigError: it cannot be read or is invalid, with line and column.
    """
    return parse(reader.read(path, path.name), kinds)


def parse(document: Document, kinds: Mapping[str, Keys]) -> Script:
    """Parse a fault script.

    Raises:
        ConfigError: it is invalid, with line and column.
    """
    if document.root is None or document.problems:
        first = document.problems[0]
        raise ConfigError(f"{first.location}: {first.message}.", first.remedy)
    return _Parser(document, kinds).script(document.root)


def _is_at(pattern: str, path: str | None) -> bool:
    """Only `*` and `?` are special. A slash at the end is ignored, as in the API."""
    pattern = pattern.replace("[", "[[]")
    return path is not None and any(fnmatch.fnmatchcase(path, p) for p in (pattern, f"{pattern}/"))


def _is_text(value: Value) -> bool:
    return isinstance(value, str) and value != ""


def _is_count(value: Value) -> bool:
    return type(value) is int and _is_number(value)


def _is_number(value: Value) -> bool:
    return type(value) in (int, float) and 0 <= value <= _MAX


_MAX = 1_000_000_000
"""The largest number: clocks and dates do not work beyond it."""
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_VALUES: Mapping[str, tuple[Callable[[Value], bool], str]] = {
    "method": (lambda value: value in _METHODS, f"one of {', '.join(_METHODS)}"),
    "path": (
        lambda value: _is_text(value) and value[0] != "/",
        "a path below /api/PORTAL/, without a slash at the beginning",
    ),
    "body": (_is_text, "text of the body"),
    "after": (_is_count, "a number of requests"),
    "times": (_is_count, "a number of requests"),
    "chance": (lambda value: _is_number(value) and value <= 1, "a number from 0 to 1"),
    "status": (lambda value: _is_count(value) and 200 <= value <= 599, "a status from 200 to 599"),
    "retry_after": (_is_count, "a whole number of seconds"),
    "retry_after_date": (_is_count, "a whole number of seconds"),
    "seconds": (_is_number, "a number of seconds"),
    "field": (_is_text, "the name of a field"),
    "value": (lambda value: value is not None, "a value"),
    "edit": (lambda value: isinstance(value, dict) and value != {}, "fields with their values"),
    "mebibytes": (_is_count, "a whole number of MiB"),
    "seed": (lambda value: type(value) is int, "a whole number"),
}
_OF_MATCH = ("method", "path", "body")
_OF_ALL = ("match", "fault", "after", "times", "chance")


class _Parser:
    """Turns nodes into faults. The first error ends it."""

    def __init__(self, document: Document, kinds: Mapping[str, Keys]) -> None:
        self._document = document
        self._kinds = kinds

    def script(self, root: Node) -> Script:
        members = self._members(root, ("seed", "faults"), ("faults",))
        if not members["faults"].is_list:
            raise self._wrong(members["faults"].event, "faults must be a list")
        seed = self._value("seed", members["seed"]) if "seed" in members else None
        return Script(tuple(self._fault(item) for item in members["faults"].items), seed)

    def _fault(self, node: Node) -> Fault:
        every_key = {key for keys in self._kinds.values() for key in (*keys.needs, *keys.takes)}
        members = self._members(node, (*_OF_ALL, *sorted(every_key)), ("fault",))
        kind = members["fault"].text or ""
        if kind not in self._kinds:
            raise self._wrong(
                members["fault"].event,
                f"unknown fault {code_span(kind)}",
                _choice(kind, self._kinds),
            )
        keys = self._kinds[kind]
        self._members(node, (*_OF_ALL, *keys.needs, *keys.takes), keys.needs)
        if {"retry_after", "retry_after_date"} <= members.keys():
            raise self._wrong(
                node.keys["retry_after_date"],
                "retry_after is also set",
                "Keep one of them.",
            )
        match = self._members(members["match"], _OF_MATCH) if "match" in members else {}
        values = {
            key: self._value(key, child)
            for key, child in {**match, **members}.items()
            if key in _VALUES
        }
        return Fault(kind, **values)

    def _members(
        self, node: Node, known: Iterable[str], needed: Iterable[str] = ()
    ) -> Mapping[str, Node]:
        """The members of a mapping, which has all needed keys and no unknown ones."""
        if not node.is_mapping:
            raise self._wrong(node.event, f"this must be a mapping of {', '.join(known)}")
        for key, event in node.keys.items():
            if key not in known:
                raise self._wrong(event, f"unknown key {code_span(key)}", _choice(key, known))
        for key in needed:
            if key not in node.members:
                raise self._wrong(node.event, f"{key} is missing")
        return node.members

    def _value(self, key: str, node: Node) -> Value:
        fits, words = _VALUES[key]
        if not fits(node.value):
            raise self._wrong(node.event, f"{key} must be {words}")
        return node.value

    def _wrong(self, event: Any, message: str, why: str = "") -> ConfigError:
        return ConfigError(f"{self._document.location(event)}: {message}.", why)


def _choice(word: str, known: Iterable[str]) -> str:
    known = list(known)
    near = nearest(word, known, 1)
    text = f"Use one of: {', '.join(known)}."
    return f"Did you mean {near[0]}? {text}" if near else text
