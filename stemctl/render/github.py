"""Findings, held changes and outcomes as workflow commands, which GitHub shows beside the lines of
a pull request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.plan import Change, Held, Plan
from stemctl.core.records import Location
from stemctl.core.report import Outcome, Report, Status
from stemctl.errors import StemctlError
from stemctl.render.terminal import LONGEST_CELL, LONGEST_LINE, TerminalStyle
from stemctl.render.text.field_lines import field_lines
from stemctl.render.text.plan_text import reason_words
from stemctl.render.text.report_text import location_of
from stemctl.util.safe_text import cut, visible

MOST = 10
"""Annotations of one kind that GitHub shows of a step."""

_LINES = 12
_WIDE = TerminalStyle(width=2 * LONGEST_LINE)

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
_WAITS = {Held.REVERT, Held.BLOCKED, Held.PENDING}
"""Drift, and what waits for others: to know of, no more."""
_TOLD = {Held.CONFLICT, Held.REVERT, Held.REPLACE}
"""Where the fields say what it is about."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """Something to be shown beside a line: how bad it is, a title, and what there is to say."""

    kind: str
    title: str
    text: str
    location: Location | None = None


def findings_github(diagnostics: Iterable[Diagnostic], folder: str = "") -> str:
    """The findings; `folder` is where the metadata repository is in its git repository, with a / at
    its end.
    """
    return commands([_finding(d) for d in diagnostics], folder)


def plan_github(plan: Plan, folder: str = "") -> str:
    """What is wrong with the files, what the plan holds, and what drifted."""
    return commands([*map(_finding, plan.diagnostics), *_held(plan)], folder)


def report_github(report: Report, folder: str = "") -> str:
    """The same of a plan that was carried out, and what failed or is not known."""
    failed = [_failed(o) for o in report.of(Status.FAILED, Status.UNKNOWN)]
    refused = [_refused(o) for o in report.outcomes if o.refused]
    return commands(
        [*failed, *refused, *map(_finding, report.plan.diagnostics), *_held(report.plan)], folder
    )


def error_github(error: StemctlError) -> str:
    """What ended a command."""
    return commands(
        [
            Annotation(
                ERROR,
                "stemctl",
                "\n".join(text for text in (error.what, error.explanation) if text),
            )
        ]
    )


def commands(found: Sequence[Annotation], folder: str = "") -> str:
    """Workflow commands, the worst kind first, as many of each as GitHub shows; then how many are
    left out.
    """
    lines, left = [], []
    for kind in (ERROR, WARNING, NOTICE):
        of_kind = [annotation for annotation in found if annotation.kind == kind]
        lines += [_command(annotation, folder) for annotation in of_kind[:MOST]]
        if len(of_kind) > MOST:
            left.append(f"{len(of_kind) - MOST:,} {kind}{'' if len(of_kind) - MOST == 1 else 's'}")
    if left:
        lines.append(f"GitHub shows {MOST} of a kind; left out: {', '.join(left)}.")
    return "".join(f"{line}\n" for line in lines)


def _finding(finding: Diagnostic) -> Annotation:
    text = f"{finding.message}\n{finding.remedy}" if finding.remedy else finding.message
    return Annotation(_KINDS[finding.severity], finding.code, text, finding.location)


def _held(plan: Plan) -> list[Annotation]:
    """Held changes and held fields, the riskiest first."""
    rows: list[tuple[Held, Annotation]] = []
    for change in plan.changes:
        if change.held is not None:
            rows.append((change.held, _of_change(change, change.held)))
        elif change.held_fields:
            kind = min((f.held for f in change.held_fields if f.held), key=_RISK.index)
            rows.append((kind, _of_change(replace(change, fields=change.held_fields), kind)))
    return [annotation for _, annotation in sorted(rows, key=lambda row: _RISK.index(row[0]))]


def _of_change(change: Change, kind: Held) -> Annotation:
    location = next((f.location for f in change.fields if f.location), change.location)
    fields = [line.strip() for line in field_lines(change, _WIDE)] if kind in _TOLD else []
    more = [f"{len(fields) - _LINES} more lines"] if len(fields) > _LINES else []
    text = "\n".join([reason_words(change), *change.detail, *fields[:_LINES], *more])
    return Annotation(
        NOTICE if kind in _WAITS else WARNING, f"{change.address}, held: {kind}", text, location
    )


def _failed(outcome: Outcome) -> Annotation:
    text = "\n".join([outcome.message, *outcome.detail])
    return Annotation(
        ERROR, f"{outcome.change.address} {outcome.status}", text, location_of(outcome)
    )


def _refused(outcome: Outcome) -> Annotation:
    text = f"The server answered, and does not hold what was sent: {', '.join(outcome.refused)}"
    return Annotation(WARNING, f"{outcome.change.address} refused", text, outcome.change.location)


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
