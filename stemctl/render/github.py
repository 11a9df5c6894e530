"""Findings, held changes and outcomes as workflow commands, which GitHub shows beside the lines of
a pull request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from stemctl.core.apply_report import Outcome, Report, Status
from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.plan import Change, Held, Plan
from stemctl.core.records import Location
from stemctl.errors import StemctlError
from stemctl.render.change_view import view_change
from stemctl.render.model_words import NO_WORDS, ModelWords
from stemctl.render.terminal import LONGEST_CELL, LONGEST_LINE, TerminalStyle
from stemctl.render.text.outcome_text import location_of, message_of
from stemctl.render.text.plan_text import field_lines
from stemctl.util.plural import counted
from stemctl.util.safe_text import cut, visible

MOST = 10
"""Annotations of one kind that GitHub shows of a step."""

_LINES = 12
"""Lines about the fields of one change."""
_WIDTH = 2 * LONGEST_LINE

ERROR, WARNING, NOTICE = "error", "warning", "notice"
_KINDS = {Severity.ERROR: ERROR, Severity.WARNING: WARNING, Severity.NOTE: NOTICE}

_RISK = [
    Held.CONFLICT,
    Held.CASCADE,
    Held.DELETE,
    Held.REPLACE,
    Held.RENAME,
    Held.PROTECTED,
    Held.REJECTED,
    Held.REVERT,
    Held.BLOCKED,
    Held.PENDING,
]
_NOTICES = {Held.REVERT, Held.BLOCKED, Held.PENDING}
"""Drift, and what waits for others: good to know, but no warning."""
_WITH_FIELDS = {Held.CONFLICT, Held.REVERT, Held.REPLACE}
"""Where the fields say what it is about."""


class Annotation(Struct, frozen=True):
    """A remark beside a line: how bad it is, a title, and a text."""

    kind: str
    title: str
    text: str
    location: Location | None = None


def findings_github(diagnostics: Iterable[Diagnostic], folder: str = "") -> str:
    """The findings; `folder` is where the metadata repository is in its git repository, with a / at
    its end.
    """
    return commands([_finding(d) for d in diagnostics], folder)


def plan_github(plan: Plan, folder: str = "", words: ModelWords = NO_WORDS) -> str:
    """What is wrong with the files, what is held, and what drifted."""
    return commands([*map(_finding, plan.diagnostics), *_held(plan, words)], folder)


def report_github(report: Report, folder: str = "", words: ModelWords = NO_WORDS) -> str:
    """The same for a plan that was applied, and what failed or is not known."""
    failed = [_failed(outcome) for outcome in report.of(Status.FAILED, Status.UNKNOWN)]
    refused = [_refused(outcome) for outcome in report.outcomes if outcome.refused]
    findings = map(_finding, report.plan.diagnostics)
    return commands([*failed, *refused, *findings, *_held(report.plan, words)], folder)


def error_github(error: StemctlError) -> str:
    """What ended a command."""
    lines = [text for text in (error.what, error.explanation) if text]
    return commands([Annotation(ERROR, "stemctl", "\n".join(lines))])


def commands(annotations: Sequence[Annotation], folder: str = "") -> str:
    """Workflow commands, the worst kind first, as many of each as GitHub shows; then how many are
    left out.
    """
    lines, left_out = [], []
    for kind in (ERROR, WARNING, NOTICE):
        of_kind = [annotation for annotation in annotations if annotation.kind == kind]
        lines += [_command(annotation, folder) for annotation in of_kind[:MOST]]
        if len(of_kind) > MOST:
            left_out.append(counted(len(of_kind) - MOST, kind))
    if left_out:
        lines.append(f"GitHub shows {MOST} of a kind; left out: {', '.join(left_out)}.")
    return "".join(f"{line}\n" for line in lines)


def _finding(finding: Diagnostic) -> Annotation:
    text = f"{finding.message}\n{finding.remedy}" if finding.remedy else finding.message
    return Annotation(_KINDS[finding.severity], finding.code, text, finding.location)


def _held(plan: Plan, words: ModelWords) -> list[Annotation]:
    """Held changes and held fields, the riskiest first."""
    rows: list[tuple[Held, Annotation]] = []
    for change in plan.changes:
        if change.held is not None:
            rows.append((change.held, _of_change(change, change.held, words)))
        elif change.held_fields:
            kinds = [field.held for field in change.held_fields if field.held]
            kind = min(kinds, key=_RISK.index)
            part = replace(change, fields=change.held_fields)
            rows.append((kind, _of_change(part, kind, words)))
    return [annotation for _, annotation in sorted(rows, key=lambda row: _RISK.index(row[0]))]


def _of_change(change: Change, kind: Held, words: ModelWords) -> Annotation:
    view = view_change(change, words)
    fields = []
    if kind in _WITH_FIELDS:
        fields = [line.strip() for line in field_lines(view, TerminalStyle(width=_WIDTH))]
    if len(fields) > _LINES:
        fields[_LINES:] = [counted(len(fields) - _LINES, "more line")]
    return Annotation(
        kind=NOTICE if kind in _NOTICES and not _stays_blocked(change, kind) else WARNING,
        title=f"{change.address}, held: {kind}",
        text="\n".join([view.why, *change.detail, *fields]),
        location=next(
            (field.location for field in change.fields if field.location), change.location
        ),
    )


def _stays_blocked(change: Change, kind: Held) -> bool:
    return kind is Held.BLOCKED and (change.held is None or not change.waits_for_others)


def _failed(outcome: Outcome) -> Annotation:
    title = f"{outcome.change.address} {outcome.status}"
    text = "\n".join([message_of(outcome), *outcome.detail])
    return Annotation(ERROR, title, text, location_of(outcome))


def _refused(outcome: Outcome) -> Annotation:
    title = f"{outcome.change.address} refused"
    fields = ", ".join(outcome.refused)
    text = f"The server accepted the request, but holds another value of: {fields}"
    return Annotation(WARNING, title, text, outcome.change.location)


def _command(annotation: Annotation, folder: str) -> str:
    properties = {}
    if annotation.location:
        file, line, column = annotation.location
        properties = {"file": folder + file, "line": str(line), "col": str(column)}
    properties["title"] = cut(annotation.title, LONGEST_CELL)
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    text = "\n".join(cut(line, LONGEST_LINE) for line in annotation.text.split("\n"))
    return f"::{annotation.kind} {listed}::{_data(text)}"


def _data(text: str) -> str:
    return visible(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
