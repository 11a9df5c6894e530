"""A plan as Markdown for a pull request: what is riskiest first, folded, within the bytes that a
comment may have.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import replace

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.plan import PERMISSIONS, WAITING, Action, Change, Held, Plan
from stemctl.render.basis import offline_sentences, split_by_base, why_others
from stemctl.render.fitting import Item, Section, code, fitted, section
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.plan_text import (
    change_lines,
    fold_lines,
    folded,
    note_blocks,
    summary_lines,
)
from stemctl.util.plural import joined
from stemctl.util.safe_text import visible

_ELSEWHERE = "`stemctl plan` shows all of them"

_LONGEST_URL = 120
"""Bytes; a longer address could leave no room for the plan."""

_VERBS = {
    Action.CREATE: "create",
    Action.UPDATE: "update",
    Action.DELETE: "delete",
    Action.ADOPT: "adopt",
    Action.FORGET: "forget",
}


def marker(plan: Plan) -> str:
    """The first line, which nobody sees: lets a job find its comment about this server again, and
    replace it.
    """
    return f"<!-- stemctl plan: {re.sub('[^A-Za-z0-9_.-]', '_', plan.server.name)[:60]} -->"


def plan_markdown(
    plan: Plan, style: TerminalStyle, max_bytes: int | None = None, elsewhere: str = _ELSEWHERE
) -> str:
    """The plan as a comment; with `max_bytes`, what does not fit is counted, and `elsewhere` says
    where it is.
    """
    style = for_markdown(style)
    head = "\n".join(
        [
            marker(plan),
            f"### {_in_words(plan)}",
            "",
            *_numbers(plan),
            *_offline(plan),
            where(plan),
            "",
        ]
    )
    own, others = split_by_base(plan)
    sections = [
        *_settled(plan, style),
        *(_changes(title, changes, style) for title, changes in _by_risk(own) if changes),
        *_others(plan, others, style),
        *_findings(plan.diagnostics),
        *_notes(plan, style),
    ]
    return fitted(
        head,
        sections,
        max_bytes,
        lambda number: f"\n{number:,} more do not fit here; {elsewhere}.\n",
    )


def elsewhere(job: str | None) -> str:
    """Where what does not fit can be read: the page of the job has the whole plan, in its summary
    and log.
    """
    return (
        f"{_ELSEWHERE}, and so does the job: {job}"
        if job and len(job.encode()) <= _LONGEST_URL
        else _ELSEWHERE
    )


def for_markdown(style: TerminalStyle) -> TerminalStyle:
    """Lines as fenced code has them."""
    return replace(style, colour=False, unicode=True, width=90)


def _in_words(plan: Plan) -> str:
    """What apply would do, in a sentence."""
    held = _held_words(plan)
    if not plan.actionable():
        calm = not plan.needs_attention() and not _errors(plan)
        return summary_lines(plan)[1] if calm else f"Apply would send nothing{held}."
    proposed = sum(c.approval and c.sends for c in plan.actionable())
    numbers = {"propose": proposed}
    for action, verb in _VERBS.items():
        numbers[verb] = sum(
            c.action is action and not (c.approval and c.sends) for c in plan.actionable()
        )
    words = [f"{verb} {number:,}" for verb, number in sorted(numbers.items(), key=_order) if number]
    noun = "record" if words[0].endswith(" 1") else "records"
    return f"Apply would {joined([f'{words[0]} {noun}', *words[1:]])}{held}."


def _order(row: tuple[str, int]) -> int:
    return [*_VERBS.values(), "propose"].index(row[0])


def _held_words(plan: Plan) -> str:
    numbers = plan.summary()
    rows = [(numbers["held"], "change"), (numbers["held_fields"], "field")]
    words = [f"{number:,} {word}{'' if number == 1 else 's'}" for number, word in rows if number]
    alone = sum(number for number, _ in rows) == 1
    return f"; {joined(words)} {'is' if alone else 'are'} held" if words else ""


def _errors(plan: Plan) -> bool:
    return any(d.severity is Severity.ERROR for d in plan.diagnostics)


def _numbers(plan: Plan) -> list[str]:
    """The numbers as every output has them, where there are any."""
    line = summary_lines(plan)[1]
    return [line, ""] if line.startswith("Plan:") else []


def where(plan: Plan) -> str:
    """For which server, from which commit, and the digest that ties an apply to this plan."""
    server = plan.server
    facts = [
        f"server {code(server.name)} {code(server.url)}",
        f"portal {server.portal}",
        f"edition {server.edition}",
    ]
    if plan.commit:
        facts.append(f"commit {code(plan.commit[:12])}")
    facts.append(f"digest {code(plan.digest)}")
    if plan.base:
        facts.append(f"base {code(plan.base.ref)} at {code(plan.base.commit[:12])}")
    if plan.subset.only or plan.subset.exclude:
        facts.append(f"a part: {plan.subset.left_out:,} records were left out")
    return ", ".join(facts)


def _offline(plan: Plan) -> list[str]:
    """What a plan without a server says of itself."""
    said = offline_sentences(plan)
    return [f"**{said[0]}** {' '.join(said[1:])}", ""] if said else []


def _settled(plan: Plan, style: TerminalStyle) -> list[Section]:
    """What was found out about requests whose answer was lost."""
    rows = style.columns(
        [(visible(str(s.address)), s.found, s.then) for s in plan.settled], indent=0
    )
    items = [Item(row.rstrip()) for row in rows]
    return (
        [section(f"Sent before, without an answer: {len(items)}", items, opened=True)]
        if items
        else []
    )


def _others(plan: Plan, others: Plan, style: TerminalStyle) -> list[Section]:
    """The changes that the difference to the base does not explain, in a section of their own."""
    if plan.base is None or not others.changes:
        return []
    changes = [change for _, found in _by_risk(others) for change in found]
    ref = html.escape(visible(plan.base.ref[:60]))
    return [
        _changes(
            f"Not from the difference to <code>{ref}</code> ({why_others(plan)})", changes, style
        )
    ]


def _by_risk(plan: Plan) -> list[tuple[str, list[Change]]]:
    """The riskiest first: what destroys, what needs a decision, what is sent, what is only noted."""
    actionable, held = plan.actionable(), plan.held()
    destroys = [c for c in actionable if c.action is Action.DELETE or _overwrites(c)]
    rest = [c for c in actionable if c not in destroys]
    return [
        ("Deletes and overwrites", destroys),
        (
            "Held until somebody decides",
            [c for c in held if c.held not in WAITING or c.held is Held.REJECTED],
        ),
        ("Updates", [c for c in rest if c.action is Action.UPDATE]),
        ("Adoptions", [c for c in rest if c.action is Action.ADOPT]),
        ("Creates", [c for c in rest if c.action is Action.CREATE]),
        ("Forgotten, nothing is sent", [c for c in rest if c.action is Action.FORGET]),
        (
            "Waiting for others",
            [c for c in held if c.held in WAITING and c.held is not Held.REJECTED],
        ),
    ]


def _overwrites(change: Change) -> bool:
    """Whether a change that is sent undoes or replaces what somebody else wrote, or was only
    allowed to.
    """
    return change.reason in ("drift", "gone_from_server") or any(
        f.held in PERMISSIONS for f in change.fields
    )


def _changes(title: str, changes: Sequence[Change], style: TerminalStyle) -> Section:
    items = []
    for group in folded(changes, style):
        lines = change_lines(group[0], style) if len(group) == 1 else fold_lines(group, style)
        items.append(Item("\n".join(line.removeprefix("  ") for line in lines), len(group)))
    return section(
        f"{title}: {len(changes):,}", items, title.startswith(("Deletes", "Held")), "diff"
    )


def _findings(diagnostics: Sequence[Diagnostic]) -> list[Section]:
    items = [
        Item(
            f"{d.severity.value}: {visible(d.message)}{f'  {visible(str(d.location))}' if d.location else ''}"
        )
        for d in diagnostics
    ]
    return [section(f"Findings: {len(items):,}", items, opened=True)] if items else []


def _notes(plan: Plan, style: TerminalStyle) -> list[Section]:
    items = [
        Item("\n".join(line.removeprefix("  ") for line in lines))
        for lines in note_blocks(plan, style)
    ]
    return (
        [section(f"Notes, nothing is sent for them: {len(items):,}", items, opened=False)]
        if items
        else []
    )
