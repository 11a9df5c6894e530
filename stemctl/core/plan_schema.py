"""JSON Schema of the plan document: the contract with CI jobs and with `apply PLAN`."""

from __future__ import annotations

from stemctl.core.formats import NEWEST
from stemctl.core.plan import Action, Held
from stemctl.schema.config_schema import DIALECT, Schema, closed
from stemctl.schema.patterns import portable

_TEXT: Schema = {"type": "string"}
_MAYBE_TEXT: Schema = {"type": ["string", "null"]}
_NUMBER: Schema = {"type": "integer", "minimum": 0}
_MAP: Schema = {"type": "object"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_HASH: Schema = {"type": "string", "pattern": portable("^sha256:[0-9a-f]{64}$")}
_HELD: Schema = {
    "enum": [None, *(held.value for held in Held)],
    "description": "Why nothing is sent; null if it is.",
}
_LINE: Schema = {"type": ["integer", "null"], "minimum": 1}

REASONS = [
    "conflict",
    "gone_from_server",
    "drift",
    "accepted",
    "renamed",
    "adopted",
    "edited",
    "new",
    "left_files",
    "forgotten",
]
"""Why a change is there: the first that applies."""


def plan_schema() -> Schema:
    """The whole document; every object is closed and names all that it holds."""
    return {
        "$schema": DIALECT,
        "$id": "urn:stemctl:schema:plan",
        "title": "Plan of stemctl",
        "description": "What apply would send. Complete: apply needs nothing else but the token.",
        **_all(
            format={"enum": list(range(1, NEWEST + 1))},
            stemctl={**_TEXT, "description": "The version that made it."},
            offline={
                "type": "boolean",
                "description": "Compared with the state alone; no apply takes it.",
            },
            base={
                "anyOf": [_all(ref=_TEXT, commit=_TEXT), {"type": "null"}],
                "description": "What the files were compared with, to tell what their difference explains.",
            },
            server=_all(name=_TEXT, url=_TEXT, portal=_TEXT, edition=_TEXT),
            state=_all(lineage=_MAYBE_TEXT, serial=_NUMBER),
            commit={**_MAYBE_TEXT, "description": "The commit of the repository it was made from."},
            uncommitted={
                **_TEXTS,
                "description": "Files that were not read as that commit has them; only if there are.",
            },
            digest={
                **_HASH,
                "description": "Of what is sent to whom; the same plan made again has the same one.",
            },
            summary=_all(
                **{action.value: _NUMBER for action in Action},
                **dict.fromkeys(("proposals", "held", "held_fields", "unchanged"), _NUMBER),
            ),
            changes={"type": "array", "items": _change()},
            bookkeeping={"type": "array", "items": _bookkeeping()},
            unchanged=_NUMBER,
            ignored_fields=_NUMBER,
            names={
                **_MAP,
                "description": "Model to name to id, of the references that were resolved.",
            },
            subset=_all(only=_TEXTS, exclude=_TEXTS, left_out=_NUMBER),
            notes={
                "type": "array",
                "items": _all(
                    address=_MAYBE_TEXT, text=_TEXT, file=_MAYBE_TEXT, line=_LINE, column=_LINE
                ),
            },
            settled={
                "type": "array",
                "items": _all(address=_TEXT, found=_TEXT, then=_TEXT),
                "description": "Requests whose answer was lost: what was found, and what follows.",
            },
            diagnostics={"type": "array", "items": _MAP},
            checksum={**_HASH, "description": "Of the whole document; an edited plan is refused."},
        ),
    }


def _change() -> Schema:
    request = _all(
        method={"enum": ["POST", "PATCH", "DELETE"]}, path=_TEXT, body={"type": ["object", "null"]}
    )
    return _all(
        address=_TEXT,
        model=_TEXT,
        action={"enum": [action.value for action in Action]},
        reason={"enum": REASONS},
        held=_HELD,
        approval={"type": "boolean", "description": "The request is a proposal."},
        id=_MAYBE_TEXT,
        file=_MAYBE_TEXT,
        line=_LINE,
        column=_LINE,
        request={"anyOf": [request, {"type": "null"}]},
        fields={"type": "array", "items": _field()},
        expects={
            "anyOf": [_HASH, {"type": "null"}],
            "description": "Hash of the managed fields as read.",
        },
        waits={**_TEXTS, "description": "Addresses that must be done first."},
        managed={**_TEXTS, "description": "The fields that expects hashes; none means all."},
        declared={**_MAP, "description": "Fields as written, whose base moves once this is done."},
        observed={**_MAP, "description": "What the server holds of them, where that is known now."},
        released=_TEXTS,
        prevent_delete={"type": ["boolean", "null"]},
        was={**_MAYBE_TEXT, "description": "The address that the record had before."},
        detail=_TEXTS,
        doubt={
            **_MAYBE_TEXT,
            "description": "When a request was sent of which nobody knows what became.",
        },
        explained={
            "type": ["boolean", "null"],
            "description": "Whether the difference to the base explains it; null without a base.",
        },
    )


def _field() -> Schema:
    field = closed(
        path=_TEXT,
        before={},
        after={},
        reason={"enum": REASONS},
        held=_HELD,
        file=_MAYBE_TEXT,
        line=_LINE,
        column=_LINE,
        base={},
        files={},
        server={},
        shown={"enum": [False], "description": "The server does not show this field."},
    )
    return {
        **field,
        "required": ["path", "before", "after", "reason", "held", "file", "line", "column"],
    }


def _bookkeeping() -> Schema:
    return _all(
        address=_TEXT,
        id=_MAYBE_TEXT,
        declared=_MAP,
        observed=_MAP,
        released=_TEXTS,
        prevent_delete={"type": ["boolean", "null"]},
        was=_MAYBE_TEXT,
        drop={"type": "boolean"},
        approval={**_MAYBE_TEXT, "description": "A proposal of ours whose answer was lost."},
    )


_LATER = {"offline", "base", "explained", "uncommitted"}
"""What plans did not have from the beginning: those that were kept, and journals, are read without
them.
"""


def _all(**properties: Schema) -> Schema:
    """A closed object that must have all of its properties."""
    return {**closed(**properties), "required": [name for name in properties if name not in _LATER]}
