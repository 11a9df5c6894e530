"""A plan as Markdown for a pull request: what is riskiest first, folded, within the bytes that a
comment may have.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from msgspec.structs import replace

from stemctl.core.plan import Action, Plan
from stemctl.render.change_view import ChangeView, Group
from stemctl.render.fitting import Item, Section, code, fitted, section
from stemctl.render.plan_summary import has_errors
from stemctl.render.plan_view import PlanView, plan_facts, view_plan
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.plan_text import change_lines, headline, note_lines
from stemctl.util.plural import counted, inflected, joined

_ELSEWHERE = "`stemctl plan` shows all of them"

_LONGEST_URL = 120
"""Bytes; a longer address could leave no room for the plan."""

_LONGEST_BASE = 60
"""Characters of the name of a commit in a heading."""


def marker(plan: Plan) -> str:
    """The first line, which is not displayed: a job finds its comment about this server by it, and
    replaces that.
    """
    return f"<!-- stemctl plan: {re.sub('[^A-Za-z0-9_.-]', '_', plan.server.name)[:60]} -->"


def plan_markdown(
    plan: Plan, style: TerminalStyle, max_bytes: int | None = None, elsewhere: str = _ELSEWHERE
) -> str:
    """The plan as a comment; with `max_bytes`, what does not fit is counted, and `elsewhere` says
    where it is.
    """
    style = for_markdown(style)
    view = view_plan(plan, style.words, folds=not style.verbose)
    return fitted(_head(plan, view), _sections(view, style), max_bytes, elsewhere)


def elsewhere(job: str | None) -> str:
    """Where what does not fit can be read: the page of the job has the whole plan, in its summary
    and log.
    """
    if job is None or len(job.encode()) > _LONGEST_URL:
        return _ELSEWHERE
    return f"{_ELSEWHERE}, and so does the job: {job}"


def for_markdown(style: TerminalStyle) -> TerminalStyle:
    """Lines as fenced code has them."""
    return replace(style, colour=False, unicode=True, width=90)


def where(plan: Plan) -> str:
    """For which server, from which commit, and the digest that ties an apply to this plan."""
    facts = [f"{name} {code(value)}" for name, value in plan_facts(plan)]
    if plan.subset.left_out:
        facts.append(f"partial: {counted(plan.subset.left_out, 'record')} left out")
    return ", ".join(facts)


def _head(plan: Plan, view: PlanView) -> str:
    lines = [marker(plan), f"### {_in_words(plan, view)}", ""]
    if view.summary.startswith("Plan:"):
        lines += [view.summary, ""]
    if view.offline:
        first, *others = view.offline
        lines += [f"**{first}** {' '.join(others)}", ""]
    return "\n".join([*lines, where(plan), ""])


def _in_words(plan: Plan, view: PlanView) -> str:
    """What apply would do, in a sentence."""
    actionable = plan.actionable()
    if not actionable:
        is_calm = not plan.needs_attention() and not has_errors(plan)
        return view.summary if is_calm else f"Apply would send nothing{_held_words(plan)}."
    proposed = [change for change in actionable if change.approval and change.sends]
    others = [change for change in actionable if not (change.approval and change.sends)]
    numbers = {action.value: sum(c.action is action for c in others) for action in Action}
    numbers["propose"] = len(proposed)
    (verb, number), *rest = [(verb, number) for verb, number in numbers.items() if number]
    words = [f"{verb} {counted(number, 'record')}", *(f"{verb} {n:,}" for verb, n in rest)]
    return f"Apply would {joined(words)}{_held_words(plan)}."


def _held_words(plan: Plan) -> str:
    numbers = plan.summary()
    rows = [(numbers["held"], "change"), (numbers["held_fields"], "field")]
    words = [counted(number, word) for number, word in rows if number]
    total = sum(number for number, _ in rows)
    return f"; {joined(words)} {inflected(total, 'is', 'are')} held" if words else ""


def _sections(view: PlanView, style: TerminalStyle) -> list[Section]:
    """The riskiest first: what destroys, what needs a decision, what is sent, what is noted."""
    settled = [Item(row.rstrip()) for row in style.columns(view.settled, indent=0)]
    notes = [Item(_block(note_lines(note, style)), note.records) for note in view.notes]
    findings = [Item(line) for line in view.findings]
    sections = _listed("Sent earlier, without an answer", settled)
    for group in Group:
        changes = [change for change in view.changes if change.group is group]
        is_open = group in (Group.DESTROYS, Group.DECIDE)
        sections += _changes(group.value, changes, style, is_open)
    others = sorted(view.others, key=lambda change: list(Group).index(change.group))
    base = html.escape(view.base[:_LONGEST_BASE])  # in code, no mention is obeyed
    title = f"Not from changes since <code>{base}</code> ({view.why_others})"
    sections += _changes("Not from these commits", others, style, is_open=False, title=title)
    sections += _listed("Findings", findings)
    sections += _listed("Notes, nothing is sent", notes, is_open=False)
    return sections


def _changes(
    name: str,
    changes: Sequence[ChangeView],
    style: TerminalStyle,
    is_open: bool,
    title: str = "",
) -> list[Section]:
    items = [_item(change, style) for change in changes]
    return [section(name, items, is_open, "diff", title)] if items else []


def _item(change: ChangeView, style: TerminalStyle) -> Item:
    text, short = _block(change_lines(change, style)), _block(headline(change, style))
    return Item(text, change.records, short)


def _listed(name: str, items: Sequence[Item], is_open: bool = True) -> list[Section]:
    return [section(name, items, is_open)] if items else []


def _block(lines: Sequence[str]) -> str:
    return "\n".join(line.removeprefix("  ") for line in lines)
