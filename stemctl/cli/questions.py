"""What apply asks at a terminal: each permission with its number to type, then the whole with
`yes`.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import click

from stemctl.core.plan import PERMISSIONS, Action, Held, Plan

_WORDS = {
    Held.DELETE: "{records} on {host}. A record that is created again gets another id.",
    Held.REVERT: "undo what was done on {host}, in {records}.",
    Held.REPLACE: "{records} on {host} with a value that stemctl did not write.",
    Held.CASCADE: "{records} on {host}, with all that hangs on them and could not be brought back.",
}


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """While we wait for an answer Ctrl-C ends the run at once, as it does not inside an event loop."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def ask_permissions(plan: Plan, host: str) -> dict[str, int]:
    """The permissions that are given: kind to the number of records that was typed."""
    granted = {}
    for kind in PERMISSIONS:
        number = sum(
            c.held is kind or any(f.held is kind for f in c.held_fields) for c in plan.changes
        )
        if not number:
            continue
        records = f"{number} record{'' if number == 1 else 's'}"
        click.echo(f"\n{kind}: {_WORDS[kind].format(records=records, host=host)}", err=True)
        question = f"Type {number} to allow it, anything else leaves it as it is there"
        if click.prompt(question, default="", show_default=False, err=True).strip() == str(number):
            granted[kind.value] = number
    return granted


def ask_to_send(plan: Plan, host: str) -> bool:
    """Whether the user types `yes`."""
    sent = [c for c in plan.actionable() if c.sends]
    number = len(sent) or len(plan.actionable())
    what = f"these {number} changes" if number > 1 else "this change"
    verb = f"Send {what} to {host}" if sent else f"Write {what} to the state (nothing is sent)"
    parts = [
        f"{plan.count(a)} {a}"
        for a in (Action.CREATE, Action.UPDATE, Action.DELETE)
        if plan.count(a)
    ]
    click.echo("", err=True)
    counts = f" ({', '.join(parts)})" if parts else ""
    question = f'{verb}{counts}? Only "yes" goes on'
    return str(click.prompt(question, default="", show_default=False, err=True)).strip() == "yes"
