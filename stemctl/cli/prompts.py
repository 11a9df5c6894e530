"""The questions of apply at a terminal: each permission is granted by typing a number, and the plan
by typing `yes`.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import click

from stemctl.core.plan import PERMISSIONS, Action, Held, Plan
from stemctl.takeover.unbound import Twins
from stemctl.util.plural import counted
from stemctl.util.safe_text import visible

_WHAT = {
    Held.DELETE: "This deletes {records} on {host}. A record that is created again gets a new id.",
    Held.REVERT: "This undoes changes made on {host} to {records}.",
    Held.REPLACE: "This overwrites values on {host} that stemctl did not write, in {records}.",
    Held.CASCADE: (
        "This deletes {records} on {host}, with everything that depends on them. "
        "None of it can be restored."
    ),
}


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Have Ctrl-C end the run at once while a question is open, even inside an event loop."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def ask_permissions(plan: Plan, host: str) -> dict[str, int]:
    """The permissions that the user grants: kind to number of records."""
    granted = {}
    for kind in PERMISSIONS:
        number = _held_for(plan, kind)
        if not number:
            continue
        what = _WHAT[kind].format(records=counted(number, "record"), host=host)
        click.echo(f"\n{what}", err=True)
        question = f"To allow {kind}, type {number:,}; anything else skips it"
        if _answer(question).replace(",", "") == str(number):
            granted[kind.value] = number
    return granted


def ask_to_send(plan: Plan, host: str) -> bool:
    """Whether the user types `yes`."""
    sent = [change for change in plan.actionable() if change.sends]
    number = len(sent) or len(plan.actionable())
    changes = f"these {number:,} changes" if number > 1 else "this change"
    question = f"Write {changes} to the state? Nothing is sent to the server."
    if sent:
        question = f"Send {changes} to {host}{_counts(plan)}?"
    click.echo("", err=True)
    return _answer(f'{question} Only "yes" is accepted') == "yes"


def ask_which_to_keep() -> str | None:
    """Whose values the user wants to keep, `files` or `server`; None for any other answer."""
    click.echo("files    the next apply overwrites the server's values", err=True)
    click.echo("server   they stay, and stemctl pull --theirs writes them to your files", err=True)
    question = 'Whose values are kept? Type "files" or "server"; anything else keeps the conflict'
    answer = _answer(question).casefold()
    return answer if answer in ("files", "server") else None


def ask_which_to_write(group: Twins) -> list[str]:
    """The ids that the user wants in the files, of records that are alike."""
    what = f"called {group.name}" if group.name else "with the same content"
    click.echo(f"\n{group.model.count(len(group.records))} {what}:", err=True)
    for number, id_ in enumerate(group.open, 1):
        click.echo(f"  {number}  {id_}", err=True)
    answer = _answer("Which is written? Type its number; anything else leaves all of them")
    is_number = answer.isascii() and answer.isdigit() and 0 < int(answer) <= len(group.open)
    return [group.open[int(answer) - 1]] if is_number else []


def _held_for(plan: Plan, kind: Held) -> int:
    """How many changes a permission of this kind would release, in whole or in part."""
    return sum(
        change.held is kind or any(field.held is kind for field in change.held_fields)
        for change in plan.changes
    )


def _counts(plan: Plan) -> str:
    parts = [
        f"{plan.count(action):,} {action}"
        for action in (Action.CREATE, Action.UPDATE, Action.DELETE)
        if plan.count(action)
    ]
    return f" ({', '.join(parts)})" if parts else ""


def _answer(question: str) -> str:
    return str(click.prompt(question, default="", show_default=False, err=True)).strip()


def ask_value(field: str, old: str, proposal: str, wrong: str) -> str:
    """A value for a field of a new record; `old` is what the record has that it is like, `proposal`
    what Enter stands for, and `wrong` what was wrong with the last answer.
    """
    if wrong:
        click.echo(wrong, err=True)
    question = f"{field} (there: {visible(old)})" if old else field
    answer = click.prompt(question, default=proposal, show_default=bool(proposal), err=True)
    return str(answer).strip()
