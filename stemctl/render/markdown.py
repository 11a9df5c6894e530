"""A plan as Markdown for a pull request: what is riskiest first, folded, within the bytes that a comment may have.

Everything out of files and server stands in fenced code, where neither Markdown nor HTML nor a mention is obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from stemctl.plan import PERMISSIONS, WAITING, Action, Change, Held, Plan
from stemctl.render.look import Look
from stemctl.render.plan_text import change_lines, fold_lines, folded, summary_lines
from stemctl.render.wording import visible

MARKER = "<!-- stemctl plan -->"
"""Lets a job find its comment again and replace it."""

_SETTLED = 10

_RESERVE = 200
"""Bytes kept for the lines that close a comment which was cut."""


def plan_markdown(plan: Plan, look: Look, max_bytes: int | None = None) -> str:
    """The plan as a comment; with `max_bytes`, whole changes are left out at the end, and counted."""
    look = replace(look, colour=False, unicode=True, width=90)
    head = "\n".join([MARKER, f"### {summary_lines(plan)[1]}", "", _where(plan), *_settled(plan), ""])
    sections = [(title, changes) for title, changes in _sections(plan) if changes]
    room = None if max_bytes is None else max_bytes - len(head.encode()) - _RESERVE
    body, left_out = [], 0
    for title, changes in sections:
        text, missing = _section(title, changes, look, room)
        left_out += missing
        body.append(text)
        if room is not None:
            room -= len(text.encode())
    if left_out:
        body.append(f"\n{left_out} more changes do not fit here. `stemctl plan` shows all of them.\n")
    body.append(_findings(plan) if room is None or room > len(_findings(plan).encode()) else "")
    return head + "".join(body)


def _where(plan: Plan) -> str:
    server = plan.server
    facts = [f"server {_code(server.name)} {_code(server.url)}", f"portal {server.portal}", f"edition {server.edition}"]
    if plan.commit:
        facts.append(f"commit {_code(plan.commit[:12])}")
    facts.append(f"digest {_code(plan.digest.removeprefix('sha256:')[:16])}")
    if plan.subset.only or plan.subset.exclude:
        facts.append(f"a part: {plan.subset.left_out} records were left out")
    return ", ".join(facts)


def _settled(plan: Plan) -> list[str]:
    """What was found out about requests whose answer was lost; the first of them, where there are many."""
    rows = [f"- {_code(str(s.address))}: {s.found}, {s.then}" for s in plan.settled[:_SETTLED]]
    more = len(plan.settled) - len(rows)
    return ["", "Sent before, without an answer:", "", *rows, *([f"- {more} more"] if more else [])] if rows else []


def _code(text: str) -> str:
    """Code in a line, whatever the text holds."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    ticks = "`" * (longest + 1)
    return f"{ticks} {visible(text)} {ticks}" if longest else f"`{visible(text)}`"


def _sections(plan: Plan) -> list[tuple[str, list[Change]]]:
    """The riskiest first: what destroys, what needs a decision, what is sent, what is only noted."""
    going, held = plan.going(), plan.held()
    destroys = [c for c in going if c.action is Action.DELETE or _overwrites(c)]
    rest = [c for c in going if c not in destroys]
    return [
        ("Deletes and overwrites", destroys),
        ("Held until somebody decides", [c for c in held if c.held not in WAITING or c.held is Held.REJECTED]),
        ("Updates", [c for c in rest if c.action is Action.UPDATE]),
        ("Adoptions", [c for c in rest if c.action is Action.ADOPT]),
        ("Creates", [c for c in rest if c.action is Action.CREATE]),
        ("Forgotten, nothing is sent", [c for c in rest if c.action is Action.FORGET]),
        ("Waiting for others", [c for c in held if c.held in WAITING and c.held is not Held.REJECTED]),
    ]


def _overwrites(change: Change) -> bool:
    """Whether a change that is sent undoes or replaces what somebody else wrote, or was only allowed to."""
    return change.reason in ("drift", "gone_from_server") or any(f.held in PERMISSIONS for f in change.fields)


def _section(title: str, changes: Sequence[Change], look: Look, room: int | None) -> tuple[str, int]:
    """A folded section, and how many of its changes did not fit."""
    blocks, used, missing = [], len(title) + 80, 0
    for group in folded(changes, look):
        lines = change_lines(group[0], look) if len(group) == 1 else fold_lines(group, look)
        text = "\n".join(line[2:] if line.startswith("  ") else line for line in lines)
        used += len(text.encode()) + 1
        if room is not None and used > room:
            missing += len(group)
        else:
            blocks.append(text)
    fence = "`" * (max([2, *(len(run) for block in blocks for run in re.findall("`+", block))]) + 1)
    opened = " open" if title.startswith(("Deletes", "Held")) else ""
    head = f"\n<details{opened}><summary>{title}: {len(changes)}</summary>\n\n"
    code = f"{fence}diff\n" + "\n".join(blocks) + f"\n{fence}\n" if blocks else ""
    return f"{head}{code}\n</details>\n", missing


def _findings(plan: Plan) -> str:
    lines = [
        f"- {d.severity.value}: {_code(d.message)} {_code(str(d.place)) if d.place else ''}" for d in plan.diagnostics
    ]
    return "\n" + "\n".join(lines) + "\n" if lines else ""
