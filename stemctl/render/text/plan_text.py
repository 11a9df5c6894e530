"""A plan as text: what is sent, then what sends nothing, then what needs a decision, the numbers,
and what to type next.
"""

from __future__ import annotations

from collections.abc import Sequence

from stemctl.core.plan import Action, Plan, Target
from stemctl.render.change_view import ChangeView, Group
from stemctl.render.next_steps import lines_to_write, next_hints, saved_hints
from stemctl.render.plan_view import NoteView, PlanView, view_plan
from stemctl.render.spans import plain
from stemctl.render.terminal import TerminalStyle
from stemctl.util.plural import counted
from stemctl.util.safe_text import visible

SEE_ALL = "-v lists them"
"""How to see what a short output folds."""

_LINES_OF_A_FIELD = 20
"""Lines of one value that are shown."""

_LONGEST_PART = 400
"""Characters that are shown of the old or of the new value in a line."""

_ORDER = [Action.CREATE, Action.ADOPT, Action.UPDATE, Action.DELETE, Action.FORGET]


def plan_text(
    plan: Plan, style: TerminalStyle, advise: bool = True, saved_as: str | None = None
) -> str:
    """The screen below its first lines (see `where_line`), with what to type next if `advise`.

    `saved_as` is the file that the plan was kept in.
    """
    view = view_plan(plan, style.words, folds=not style.verbose)
    lines = style.sentences(view.offline)
    lines += _settled(view, style)
    lines += _legend(view, style)
    lines += _actionable(view.changes, style)
    if view.base and not view.changes:
        lines += ["", f"Nothing in this plan comes from changes since {view.base}."]
    lines += _notes(view, style)
    lines += _held(view.changes, style)
    lines += _others(view, style)
    lines += ["", *style.below([view.summary, *view.remarks], indent=0)]
    if advise and saved_as and not plan.offline:
        lines += style.next(saved_hints(plan, saved_as))
    elif advise:
        lines += style.next(next_hints(plan, style.options)) + lines_to_write(plan, style)
    return style.finish(lines)


def where_line(server: Target, database: str | None = None) -> str:
    """The first line of every screen: which server, at which URL, through which portal, in which
    edition.
    """
    url = f"{server.url} ({database})" if database else server.url
    return visible(f"{server.name}  {url}  portal {server.portal}  edition {server.edition}")


def change_lines(change: ChangeView, style: TerminalStyle) -> list[str]:
    """One change: its line, what is to be said of it, and its fields."""
    lines = headline(change, style)
    lines += style.below(change.details)
    if not change.is_brief:
        lines += field_lines(change, style)
    return lines + style.below(_which(change.examples, change.files))


def headline(change: ChangeView, style: TerminalStyle) -> list[str]:
    """The line of a change: symbol and address, why, and where it is written."""
    right = "  ".join(part for part in (change.why, change.location) if part)
    return style.headline(change.symbol, change.title, right)


def _which(examples: str, files: str = "") -> list[str]:
    """Some of the records that are shown as one, the files they are in, and how to see all."""
    if not examples:
        return []
    return [f"{examples}; {SEE_ALL}", *([f"in {files}"] if files else [])]


def field_lines(change: ChangeView, style: TerminalStyle) -> list[str]:
    """The fields of a change, names in one column; long values are cut, but not with -v."""
    if style.verbose:
        return style.wrapped([(row.name, plain(row.spans)) for row in change.fields])
    rows: list[tuple[str, str]] = []
    hidden, shown = 0, 0
    for number, row in enumerate(change.fields):
        shown = shown + 1 if not row.name else 0
        hidden += shown > _LINES_OF_A_FIELD
        if shown <= _LINES_OF_A_FIELD:
            rows.append((row.name, plain(row.spans, _LONGEST_PART)))
        is_last = number + 1 == len(change.fields) or change.fields[number + 1].name
        if hidden and is_last:
            rows.append(("", f"… {counted(hidden, 'more line')}; -v shows all"))
            hidden = 0
    return style.wrapped(rows)


def note_lines(note: NoteView, style: TerminalStyle) -> list[str]:
    """A note, below the line of its record if it is about one."""
    if not note.title:
        return style.below([note.text], indent=2)
    texts = [note.text, *_which(note.examples)]
    return [*style.titled(note.title, note.location), *style.below(texts)]


def _settled(view: PlanView, style: TerminalStyle) -> list[str]:
    if not view.settled:
        return []
    rows = style.columns(view.settled, indent=2)
    return ["", style.paint("bold", "Sent earlier, without an answer"), *rows]


def _legend(view: PlanView, style: TerminalStyle) -> list[str]:
    lines = style.wrapped(view.legend, indent=2)
    return ["", *lines] if lines else []


def _actionable(changes: Sequence[ChangeView], style: TerminalStyle) -> list[str]:
    """What is carried out: first what is sent, then what is only forgotten."""
    blocks = []
    for action in _ORDER:
        for change in changes:
            if change.action is action and not change.held:
                blocks.append(change_lines(change, style))
    return _spaced(blocks)


def _spaced(blocks: Sequence[list[str]]) -> list[str]:
    """Blocks with an empty line before each, but none between single lines."""
    lines: list[str] = []
    was_single = False
    for block in blocks:
        is_single = len(block) == 1
        if not (is_single and was_single):
            lines.append("")
        lines += block
        was_single = is_single
    return lines


def _notes(view: PlanView, style: TerminalStyle) -> list[str]:
    lines = [line for note in view.notes for line in note_lines(note, style)]
    if lines:
        lines = ["", "Notes, nothing is sent", *lines]
    return [*lines, "", view.ignored] if view.ignored else lines


def _held(changes: Sequence[ChangeView], style: TerminalStyle) -> list[str]:
    """What is held: first what waits for others, in columns, then what waits for the user."""
    waits = [change for change in changes if change.group is Group.WAITS]
    decide = [change for change in changes if change.group is Group.DECIDE]
    if not waits and not decide:
        return []
    lines = ["", style.paint("bold", "Held, nothing is sent")]
    if waits:
        lines.append("")
    rows = style.columns([_waiting(change, style) for change in waits], indent=2)
    for change, row in zip(waits, rows, strict=True):
        lines.append(row)
        if not change.is_brief:
            lines += field_lines(change, style)
        lines += style.below(_which(change.examples, change.files))
    return lines + _spaced([change_lines(change, style) for change in decide])


def _waiting(change: ChangeView, style: TerminalStyle) -> tuple[str, str, str]:
    symbol = style.paint("yellow", change.symbol)
    return f"{symbol} {change.title}", change.held, "; ".join(change.details)


def _others(view: PlanView, style: TerminalStyle) -> list[str]:
    """What the difference to the base does not explain."""
    if not view.others:
        return []
    title = f"Not from changes since {view.base} ({view.why_others})"
    title = style.paint("bold", title)
    return ["", title, *_actionable(view.others, style), *_held(view.others, style)]
