"""The outcomes of changes as lines, many of one kind as one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import NamedTuple

from stemctl.core.apply_report import Outcome, Report, Status
from stemctl.core.plan import Action, Change, Held
from stemctl.core.records import Location
from stemctl.render.change_view import SYMBOLS, details_of, location_text, symbol_of
from stemctl.render.fold_view import EXAMPLES, common_file
from stemctl.render.folding import FOLD_ABOVE, first_and_rest, grouped
from stemctl.render.terminal import TerminalStyle
from stemctl.render.values import LONG, shown
from stemctl.util.json_types import Value
from stemctl.util.plural import first_few, joined
from stemctl.util.safe_text import visible

_DONE = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.DELETE: "deleted",
    Action.ADOPT: "adopted",
    Action.FORGET: "forgotten",
}


def outcome_row(outcome: Outcome) -> tuple[str, str, str]:
    """Symbol and address, the outcome, and its id, approval, fields or message."""
    change = outcome.change
    is_applied = outcome.status is Status.APPLIED
    word = _DONE[change.action] if is_applied else str(outcome.status)
    return f"{SYMBOLS[change.action]} {visible(str(change.address))}", word, _result(outcome)


def _result(outcome: Outcome) -> str:
    if outcome.status is Status.PROPOSED:
        return f"approval {outcome.approval}"
    if outcome.status is not Status.APPLIED:
        return shortened(visible(message_of(outcome)))
    return "; ".join(filter(None, (_what_was_done(outcome), visible(outcome.message))))


def _what_was_done(outcome: Outcome) -> str:
    change = outcome.change
    if change.action is Action.CREATE:
        return outcome.id or ""
    if change.action is Action.DELETE or not change.sends:
        return ""
    return ", ".join(dict.fromkeys(field.path for field in change.fields if not field.held))


def message_of(outcome: Outcome) -> str:
    """The message, after what the change did before it failed."""
    return f"{outcome.done}, then {outcome.message}" if outcome.done else outcome.message


def shortened(text: str) -> str:
    """A message as a cell; the whole message is shown below."""
    return text if len(text) <= LONG else text[: LONG - 1] + "…"


def failure_lines(outcome: Outcome, style: TerminalStyle) -> list[str]:
    """What went wrong with a change, and where it is written."""
    location = location_of(outcome)
    right = f"{visible(location.file)}:{location.line}:{location.column}" if location else ""
    lines = style.headline("!", visible(str(outcome.change.address)), right)
    return lines + [f"      {visible(text)}" for text in (message_of(outcome), *outcome.detail)]


def location_of(outcome: Outcome) -> Location | None:
    """Where the field is written that the server said something about, or the record."""
    location = outcome.change.location
    for name in outcome.errors:
        for field in outcome.change.fields:
            if field.path == name and field.location:
                location = field.location
                break
    return location


def refusal_lines(outcome: Outcome, style: TerminalStyle) -> list[str]:
    """What the server answered without holding it."""
    location = location_text(outcome.change.location)
    lines = style.headline("!", visible(str(outcome.change.address)), location)
    lines += style.columns(
        [(name, _instead(outcome, name, value)) for name, value in outcome.refused.items()]
    )
    return [*lines, "      It is not sent again. Write the server's value, or ask its operator."]


def _instead(outcome: Outcome, name: str, sent: Value) -> str:
    """What the server holds in place of what was sent."""
    if name in outcome.observed:
        return f"sent {shown(sent)}; the server holds {shown(outcome.observed[name])}"
    return f"sent {shown(sent)}; the server's answer does not include it"


class Block(NamedTuple):
    """Lines about one outcome, or about many as one."""

    lines: list[str]
    records: int = 1


LinesOf = Callable[[Outcome, TerminalStyle], list[str]]


def outcome_blocks(
    report: Report, outcomes: Sequence[Outcome], lines_of: LinesOf, style: TerminalStyle
) -> list[Block]:
    """The lines of each outcome. What ended in the same way is shown as one, and of many that
    ended differently the first ones are shown.
    """
    if style.verbose:
        return [Block(lines_of(outcome, style)) for outcome in outcomes]
    see_all = f"stemctl runs show {report.run} lists them" if report.run else ""
    blocks, others = [], []
    for alike in grouped(outcomes, _ending):
        if len(alike) > FOLD_ABOVE:
            texts = lines_of(alike[0], style)[1:]
            blocks.append(_block(alike, style, texts, see_all))
        else:
            others += alike
    listed, rest = first_and_rest(others)
    blocks += [Block(lines_of(outcome, style)) for outcome in listed]
    for of_model in grouped(rest, lambda outcome: outcome.change.address.model):
        blocks.append(_block(of_model, style, [], see_all, is_rest=True))
    return blocks


def _block(
    outcomes: Sequence[Outcome],
    style: TerminalStyle,
    texts: Sequence[str],
    see_all: str,
    is_rest: bool = False,
) -> Block:
    title = style.words.count(outcomes[0].change.address.model, len(outcomes), is_rest)
    right = common_file(location_of(outcome) for outcome in outcomes)
    names = first_few([visible(str(outcome.change.address)) for outcome in outcomes], EXAMPLES)
    which = "; ".join(text for text in (names, see_all) if text)
    lines = [*style.headline("!", title, right), *texts, *style.below([which])]
    return Block(lines, len(outcomes))


def _ending(outcome: Outcome) -> Hashable:
    """How a change ended, its own name and id left out."""
    address = outcome.change.address
    texts = "\n".join((outcome.message, *outcome.detail))
    for own in (address.key, outcome.change.id, outcome.id):
        texts = texts.replace(own, "") if own else texts
    refused = repr((outcome.refused, outcome.observed)) if outcome.refused else ""
    return address.model, outcome.change.action, outcome.status, texts, refused


_Row = tuple[str, str, str]


def held_rows(report: Report, style: TerminalStyle) -> list[_Row]:
    """What was not sent: symbol and address, the kind, and why; of many, the first ones."""
    found = list(_held_rows(report))
    if style.verbose:
        return [row for _, row in found]
    rows = []
    for of_kind in grouped(found, lambda pair: (pair[0].address.model, pair[1][0][0], pair[1][1])):
        listed, rest = first_and_rest(of_kind)
        rows += [row for _, row in listed]
        if rest:
            change, (title, kind, _) = rest[0]
            number = style.words.count(change.address.model, len(rest), more=True)
            rows.append((f"{title[0]} {number}", kind, "stemctl plan -v lists them"))
    return rows


def _held_rows(report: Report) -> Iterator[tuple[Change, _Row]]:
    for outcome in report.of(Status.HELD):
        change = outcome.change
        title = f"{symbol_of(change)} {visible(str(change.address))}"
        yield change, (title, str(change.held), _why_held(change))
    for outcome in report.of(Status.APPLIED, Status.PROPOSED):
        title = f"! {visible(str(outcome.change.address))}"
        for field in outcome.change.held_fields:
            text = f"{field.path}: the server keeps its value"
            yield outcome.change, (title, str(field.held), text)


def _why_held(change: Change) -> str:
    if change.held is Held.DELETE:
        return "no longer in the files"
    if change.pending_since is not None:
        return "sent without an answer; the record there now may not be yours"
    if change.held is Held.CONFLICT:
        paths = [field.path for field in change.fields if field.reason == "conflict"]
        return f"{joined(paths)}: changed on both sides"
    if change.held is Held.REVERT and change.fields and change.action is Action.UPDATE:
        field = change.fields[0]
        return f"{field.path}: server {shown(field.before)}, files {shown(field.after)}"
    return "; ".join(details_of(change))
