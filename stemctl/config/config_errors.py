"""What is wrong with stemctl.yaml, in the words of its author: where it is, and what to write."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from stemctl.core.records import Location
from stemctl.errors import ConfigError
from stemctl.manifests.document import Document
from stemctl.manifests.field_context import written
from stemctl.schema.catalog import editions
from stemctl.schema.config_schema import PERMISSIONS, Schema
from stemctl.util.json_types import Path, Value
from stemctl.util.safe_text import cut, visible
from stemctl.util.suggest import nearest

if TYPE_CHECKING:
    from jsonschema import ValidationError

_PLAUSIBLE = 0.65
_MOST = 5
"""More errors than these do not help at once."""
_EXAMPLES = {
    ("manifests",): "[records]",
    ("servers",): "{sandbox: {url: sandbox:}}",
    ("servers", "*"): "{url: https://www.brainstem.org/, edition: EDITION}",
    ("servers", "*", "url"): "https://www.brainstem.org/",
    ("servers", "*", "state"): "{backend: git}",
    ("policy",): "{allow: {delete: 10}}",
    ("policy", "allow"): "{delete: 10}",
    ("default_server",): "sandbox",
    ("time_zone",): "Europe/Berlin",
    ("layout",): "records/{model}/{prefix}.yaml",
}
_EXPECTED = {"array": "a list", "object": "a mapping", "string": "text", "integer": "a number"}
_SECRETS = {"token", "api_key", "apikey", "password", "secret", "user", "username", "email"}

Said = tuple[str, str]
"""What is wrong, and what to write."""


class Fault(Struct, frozen=True):
    """A part of stemctl.yaml that is wrong."""

    location: Location
    what: str
    remedy: str


def cannot_be_read(document: Document) -> ConfigError:
    """The error of a file that is not valid YAML, or is empty."""
    first = document.problems[0]
    message, remedy = first.message, first.remedy
    if first.code == "empty-file":
        message = "the file is empty"
        remedy = "write where your manifests are: `manifests: [records]`"
    if first.code == "several-documents":
        remedy = "keep one document in this file"
    return ConfigError(f"{first.location}: {message}.", _sentence(remedy))


def invalid(document: Document, data: Value, schema: Schema) -> ConfigError:
    """The error of a file that breaks rules of the schema: the first of them, and the others."""
    import jsonschema  # only if there is an error

    errors = list(jsonschema.Draft202012Validator(schema).iter_errors(data))
    faults = sorted(
        (fault for error in errors for fault in _faults(error, document)),
        key=lambda fault: fault.location,
    )
    first, *others = dict.fromkeys(faults)
    lines = [first.remedy]
    lines += [f"{fault.location}: {fault.what}. {fault.remedy}" for fault in others[:_MOST]]
    return ConfigError(f"{first.location}: {first.what}.", "\n".join(lines))


def _faults(error: ValidationError, document: Document) -> Iterator[Fault]:
    root = document.root
    assert root is not None
    path = tuple(error.absolute_path)
    node = root.at(path)
    value: Any = error.instance
    schema: Any = error.schema
    if error.validator in ("additionalProperties", "propertyNames") or (
        "propertyNames" in error.absolute_schema_path
    ):
        names = [value] if isinstance(value, str) else list(value)
        known = list(schema.get("properties", ()))
        for name in names:
            if name not in known:
                said = _bad_name(name) if not known else _unknown_key(path, name, known)
                yield Fault(document.location(node.keys[name]), *said)
        return
    if error.validator == "required":
        name = str(error.message).split("'")[1]
        if missing := _missing(path, value, name):
            yield Fault(document.location(node.event), *missing)
        return
    translate = _TRANSLATIONS.get(str(error.validator))
    said = (f"{_label(path)} {error.message}", _example(path))
    if value is None:
        said = f"{_label(path)} has no value", f"{_example(path)} Or remove the line.".strip()
    elif translate:
        said = translate(path, value, schema)
    yield Fault(document.location(node.event), *said)


def _label(path: Path) -> str:
    names = [visible(str(step)) for step in path if not isinstance(step, int)]
    return f"`{'.'.join(names)}`" if names else "the file"


def _shown(value: Value) -> str:
    text = value if isinstance(value, str) and value else written(value)
    return f"`{cut(visible(text), 100)}`"


def _pattern(path: Path) -> tuple[str, ...]:
    """The path with `*` for the name of a server."""
    return tuple("*" if path[0] == "servers" and n == 1 else str(s) for n, s in enumerate(path))


def _example(path: Path) -> str:
    example = _EXAMPLES.get(_pattern(path)) if path else None
    return f"Write `{example.replace('EDITION', editions()[-1])}`." if example else ""


def _sentence(remedy: str) -> str:
    return f"{remedy[:1].upper()}{remedy[1:]}." if remedy else ""


def _wrong_type(path: Path, value: Value, schema: Schema) -> Said:
    wanted = schema["type"]
    kinds = {list: "a list", dict: "a mapping", str: "text", bool: "a boolean"}
    found = kinds.get(type(value), "a number")
    what = f"{_label(path)} must be {_EXPECTED[wanted]}, not {found}"
    if not path:
        return what, "Begin it with `manifests: [records]`."
    if wanted == "array" and isinstance(value, str):
        return what, f"Write `{written([part.strip() for part in value.split(',')])}`."
    if wanted == "string":
        if isinstance(value, int | float) and not _example(path):
            return what, f"Write `{json.dumps(str(value))}`."
        return what, _example(path) or "Write text."
    if wanted == "integer":
        digits = str(value).strip()
        number = digits if digits.isdecimal() else "10"
        return what, f"Write a number of records, such as `{number}`."
    if len(path) == 2 and path[0] == "servers" and isinstance(value, str):
        url = _url(value)
        edition = "" if url == "sandbox:" else f", edition: {editions()[-1]}"
        return what, f"Write `{{url: {url}{edition}}}`." if url else _example(path)
    if path[-1] == "state" and value in ("git", "file"):
        return what, f"Write `{{backend: {value}}}`."
    if path == ("servers",) and isinstance(value, list):
        return what, "Write `NAME: {url: ...}` for each server, without a dash."
    return what, _example(path)


def _bad_pattern(path: Path, value: Value, schema: Schema) -> Said:
    text = str(value)
    what = f"{_label(path)} cannot be {_shown(text)}"
    if path[-1] == "url":
        url = _url(text)
        what = f"{_label(path)} is not a URL: {_shown(text)}"
        if "@" in text:  # a password may be before it
            what = f"{_label(path)} is not a URL"
        return what, f"Write `{url}`." if url else _example(path)
    better = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-._")
    remedy = str(schema.get("patternErrorMessage", ""))
    if path[-1] == "remote" and better == text.strip():
        remedy = f"Write `{better}`."
    return what, remedy


def _url(text: str) -> str:
    """The URL that a text may stand for; empty if there is none."""
    text = text.strip().strip("<>\"'")
    if re.fullmatch(r"sandbox(:?/*)?", text, re.IGNORECASE):
        return "sandbox:"
    text = re.sub(r"^https?(?::/?(?!/)|//|:///+)(?=\w)", "https://", text, flags=re.IGNORECASE)
    if re.match(r"[\w-]+(\.[\w-]+)+(:\d+)?(/[^\s@]*)?$", text, re.ASCII):
        text = f"https://{text}"
    if not re.fullmatch(r"https?://[^\s@?#]+", text):
        return ""
    return text if text.endswith("/") else f"{text}/"


def _not_in_list(path: Path, value: Value, schema: Schema) -> Said:
    known = list(dict.fromkeys(str(choice) for choice in schema["enum"]))
    near = nearest(str(value).strip(), known)
    what = f"{_label(path)} cannot be {_shown(value)}"
    if near or len(known) == 1:
        return what, f"Write `{(near or known)[0]}`."
    choices = ", ".join(f"`{choice}`" for choice in known)
    return what, f"Write one of {choices}."


def _empty(path: Path, value: Value, schema: Schema) -> Said:
    return f"{_label(path)} is empty", _example(path) or "Write a value, or remove it."


def _too_small(path: Path, value: Value, schema: Schema) -> Said:
    return f"{_label(path)} cannot be {_shown(value)}", "Write `0` or more."


_TRANSLATIONS: dict[str, Callable[[Path, Any, Any], Said]] = {
    "type": _wrong_type,
    "pattern": _bad_pattern,
    "enum": _not_in_list,
    "minItems": _empty,
    "minLength": _empty,
    "minimum": _too_small,
}


def _unknown_key(path: Path, name: str, known: Sequence[str]) -> Said:
    what = f"unknown key {_shown(name)}"
    if path:
        what = f"{_label(path)} has no key {_shown(name)}"
    if name.lower() in _SECRETS:
        return what, "Remove it, and run `stemctl login`: secrets do not belong in files."
    if not path and name == "allow":
        return what, "Write `policy: {allow: ...}`."
    if path == ("policy",) and name in PERMISSIONS:
        return what, f"Put it below `allow`: `policy: {{allow: {{{name}: 10}}}}`."
    near = difflib.get_close_matches(name.lower().replace("-", "_"), known, 1, _PLAUSIBLE)
    if near:
        return what, f"Write `{near[0]}`."
    return what, f"Use one of {', '.join(f'`{key}`' for key in known)}."


def _bad_name(name: str) -> Said:
    better = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-._")
    remedy = f"Write `{better}`." if better else "Begin it with a letter or a digit."
    return f"{_shown(name)} cannot be the name of a server", remedy


def _missing(path: Path, value: Any, name: str) -> Said | None:
    """A required key; None if it is misspelt, or if it depends on another one that is missing."""
    others = [key for key in value if key not in ("portal", "edition", "seed", "faults", "state")]
    misspelt = [key for key in others if key != name and nearest(key, [name], 1)]
    if misspelt or (name == "edition" and "url" not in value):
        return None
    what = f"{_label(path)} has no `{name}`"
    if name == "edition":
        return what, f"Add `edition: {editions()[-1]}`."
    if name == "backend":
        return what, "Add `backend: git`, or `backend: file`."
    is_sandbox = "sandbox" in str(path[-1])
    url = '"sandbox:"' if is_sandbox else "https://www.brainstem.org/"
    return what, f"Add `url: {url}`."
