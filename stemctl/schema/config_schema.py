"""The JSON Schema of stemctl.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stemctl.schema.patterns import NO_CONTROL, portable
from stemctl.util.json_types import Value

Schema = dict[str, Any]

_BRANCH = "^[A-Za-z0-9_]+(?:[./_-][A-Za-z0-9_]+)*$"
"""Stricter than git: no name that looks like an option, contains `..`, or ends like one of git's
own files.
"""

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PERMISSIONS = {
    "delete": "Delete records that are no longer in the files.",
    "revert": "Undo changes that others made on the server since the last apply.",
    "replace": "Replace values that stemctl did not write.",
    "cascade": "Delete records together with the records that depend on them.",
}
PORTALS = ("private", "public", "super")


def config_schema(editions: Sequence[str]) -> Schema:
    """The file stemctl.yaml."""
    return {
        "$schema": DIALECT,
        "$id": "urn:stemctl:schema:config",
        "title": "stemctl.yaml",
        "description": "Where the manifests are, and the servers to compare them with.",
        **closed(
            manifests={
                "type": "array",
                "minItems": 1,
                "items": _text("A folder, a file or a glob, relative to this file."),
                "description": "Where the manifests are. Git-ignored and hidden files are skipped. "
                "Example: [records]",
            },
            time_zone=_text(
                "IANA name of the zone in which times without an offset are read; without it, "
                "every time needs its offset. Example: Europe/Berlin"
            ),
            layout=_text(
                "Names of the files for new records. `{model}` is their list key, `{app}` the app "
                "of the API, `{name}` their name, `{prefix}` the name up to the first _, -, space "
                "or /, and `{date_time:%Y-%m}` a date. Example: records/{model}/{prefix}.yaml"
            ),
            default_server=_text("The server to use without --server."),
            servers={
                "type": "object",
                "description": "Servers by name.",
                "propertyNames": {
                    "pattern": portable("^[A-Za-z0-9][A-Za-z0-9_.-]*$"),
                    "patternErrorMessage": "Use only letters and digits, with . _ - between them.",
                },
                "additionalProperties": _server(editions),
            },
            policy={
                "title": "Policy",
                "description": "Changes that are allowed without --allow.",
                **closed(allow=_allow()),
            },
        ),
    }


def _server(editions: Sequence[str]) -> Schema:
    spellings: list[Value] = [
        spelling for e in editions for spelling in (e, *([int(e)] if e.isdigit() else []))
    ]
    state = closed(
        backend={
            "enum": ["file", "git"],
            "description": "file: a file beside stemctl.yaml; git: a branch of a git remote.",
        },
        remote=_name(
            "^[A-Za-z0-9][A-Za-z0-9_.-]*$", "Name of a configured git remote. Default: origin"
        ),
        branch=_name(
            _BRANCH, "The branch for the state; it holds nothing else. Default: stemctl-state"
        ),
    )
    return {
        "title": "Server",
        "description": "A server, and the portal through which it is used.",
        **closed(
            url={
                "type": "string",
                "pattern": portable("^(?:sandbox:|https?://[^ ]+)$"),
                "description": "URL of the server; sandbox: is the built-in server. "
                "Example: https://www.brainstem.org/",
            },
            portal={
                "enum": [*PORTALS],
                "description": "Decides which records are visible. Default: private",
            },
            edition={
                "enum": spellings,
                "description": "Edition of the API; required for a real server.",
            },
            seed=_text(
                "File with the initial records of the sandbox, in the format of a manifest."
            ),
            faults=_text("File with faults to simulate in the sandbox; see docs/faults.md."),
            state={
                "title": "State",
                "description": "Where the state is kept. Example: {backend: git}",
                **state,
                "required": ["backend"],
            },
        ),
        "required": ["url"],
        "if": {"properties": {"url": {"pattern": "^http"}}},
        "then": {"required": ["edition"]},
    }


def _allow() -> Schema:
    number = {"type": "integer", "minimum": 0}
    return {
        "title": "Allow",
        "description": "Maximum number of records in one run, by permission. Example: {delete: 10}",
        **closed(**{kind: {"description": text, **number} for kind, text in PERMISSIONS.items()}),
    }


def closed(**properties: Schema) -> Schema:
    """An object that has these properties and no others."""
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _name(pattern: str, description: str) -> Schema:
    meant = "Use only letters and digits, with . _ - or (in a branch) / between them."
    return {
        "type": "string",
        "pattern": portable(pattern),
        "patternErrorMessage": meant,
        "description": description,
    }


def _text(description: str) -> Schema:
    return {
        "type": "string",
        "minLength": 1,
        "pattern": NO_CONTROL,
        "patternErrorMessage": "Write it without control characters.",
        "description": description,
    }
