"""One change as all outputs show it: its line, what is to be said of it, and its fields."""

from __future__ import annotations

import enum
from typing import NamedTuple

from stemctl.core.plan import PERMISSIONS, Action, Change, Held
from stemctl.core.records import Location
from stemctl.render.field_view import FieldRow, differs_from_proposal, field_rows
from stemctl.render.model_words import ModelWords
from stemctl.render.values import is_empty
from stemctl.util.plural import joined
from stemctl.util.safe_text import visible

SYMBOLS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.DELETE: "-",
    Action.ADOPT: "=",
    Action.FORGET: ".",
}


class Group(enum.Enum):
    """What a change is for its reader; the value is a heading. The riskiest come first."""

    DESTROYS = "Deletes and overwrites"
    DECIDE = "Held, waiting for your decision"
    UPDATE = "Updates"
    ADOPT = "Adoptions"
    CREATE = "Creates"
    FORGET = "Forgotten, nothing is sent"
    WAITS = "Waiting for others"


class ChangeView(NamedTuple):
    """One change, or many changes as one: its `members`.

    `title` is its address, or how many changes there are; `examples` names some of these, `files`
    where they are declared if that is in several files. `why` is the reason, and why it is held.
    `is_brief` says that short outputs leave the fields out.
    """

    symbol: str
    title: str
    action: Action
    group: Group
    why: str
    held: str
    location: str
    details: tuple[str, ...]
    fields: tuple[FieldRow, ...]
    is_brief: bool
    examples: str = ""
    files: str = ""
    members: tuple[Change, ...] = ()
    holds: tuple[Held, ...] = ()
    """Why it is held, or fields of it."""

    @property
    def records(self) -> int:
        """How many changes it shows."""
        return len(self.members) or 1


def view_change(change: Change, words: ModelWords) -> ChangeView:
    """One change."""
    return ChangeView(
        symbol=symbol_of(change),
        title=visible(str(change.address)),
        action=change.action,
        group=group_of(change),
        why=reason_words(change),
        held=str(change.held or ""),
        location=location_text(change.location),
        details=details_of(change),
        fields=field_rows(change, words.json_fields),
        is_brief=is_brief(change),
        holds=holds_of(change),
    )


def holds_of(change: Change) -> tuple[Held, ...]:
    """Why a change, or each field of it, is held."""
    if change.held:
        return (change.held,)
    return tuple(dict.fromkeys(field.held for field in change.held_fields if field.held))


def is_brief(change: Change) -> bool:
    """Whether the line of a change says enough without its fields."""
    match change.held:
        case None | Held.CONFLICT | Held.REPLACE:
            return False
        case Held.REVERT:
            return change.action is Action.CREATE
        case Held.PENDING:
            return not differs_from_proposal(change)
        case _:
            return True


_SENT = {
    Action.CREATE: Group.CREATE,
    Action.UPDATE: Group.UPDATE,
    Action.ADOPT: Group.ADOPT,
    Action.FORGET: Group.FORGET,
}


def group_of(change: Change) -> Group:
    """What a change is for its reader."""
    if change.held is not None:
        return Group.WAITS if waits(change) else Group.DECIDE
    if change.action is Action.DELETE or overwrites(change):
        return Group.DESTROYS
    return _SENT[change.action]


def waits(change: Change) -> bool:
    """Whether a held change is for others to go on with."""
    return change.held is not Held.REJECTED and change.waits_for_others


def overwrites(change: Change) -> bool:
    """Whether a change that is sent undoes or replaces what others wrote, or would if allowed."""
    return replaces(change) or any(field.held in PERMISSIONS for field in change.fields)


def replaces(change: Change) -> bool:
    """Whether what is sent undoes or replaces what others wrote."""
    if change.reason == "gone_from_server":
        return True
    sent = [field for field in change.fields if field.held is None]
    if any(field.reason == "drift" for field in sent):
        return True
    if change.action is not Action.ADOPT:
        return False
    texts = [field for field in sent if not isinstance(field.before, list)]
    return any(field.shown and not is_empty(field.before) for field in texts)


def symbol_of(change: Change) -> str:
    """What a change sends, or that it is held for others (`…`) or for the user (`!`)."""
    if change.held is None:
        return SYMBOLS[change.action]
    return "…" if waits(change) else "!"


_REASONS = {"forgotten": "left files", "conflict": ""}


def reason_words(change: Change) -> str:
    """Why the change is there, and why it is held, in the words of the plan document."""
    reason = _REASONS.get(change.reason)
    if reason is None:
        reason = change.reason.replace("_", " ")
    kind = ""
    if change.held:
        kind = f"held: {change.held}"
    elif change.approval and change.request:
        kind = "proposal"
    return ", ".join(word for word in (reason, kind) if word)


def details_of(change: Change) -> tuple[str, ...]:
    """What is to be said of a change beside its fields."""
    if change.held is Held.BLOCKED and change.waits:
        return (f"waits for {joined([visible(str(address)) for address in change.waits])}",)
    return tuple(visible(text) for text in change.detail)


def location_text(location: Location | None) -> str:
    """`records/a.yaml:3`."""
    return f"{visible(location.file)}:{location.line}" if location else ""
