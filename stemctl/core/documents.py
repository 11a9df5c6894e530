"""Reports, findings and errors as JSON documents."""

from __future__ import annotations

from typing import Any

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.plan import FORMAT
from stemctl.core.plan_codec import findings_json, plan_document
from stemctl.core.report import Outcome, Report
from stemctl.errors import StemctlError

Document = dict[str, Any]


def report_document(report: Report, seconds: float) -> Document:
    """The outcome of each change of a run, with the plan it carried out."""
    return {
        "format": FORMAT,
        "run": report.run,
        "seconds": round(seconds, 3),
        "interrupted": report.interrupted,
        "stopped": report.stopped,
        "exit_code": report.exit_code,
        "summary": report.summary(),
        "outcomes": [outcome_document(outcome) for outcome in report.outcomes],
        "plan": plan_document(report.plan),
    }


def findings_document(
    diagnostics: tuple[Diagnostic, ...], *, files: int, records: int, edition: str
) -> Document:
    """What a validation found."""
    return {
        "format": FORMAT,
        "edition": edition,
        "files": files,
        "records": records,
        "errors": sum(d.severity is Severity.ERROR for d in diagnostics),
        "diagnostics": findings_json(diagnostics),
    }


def error_document(error: StemctlError, diagnostics: tuple[Diagnostic, ...] = ()) -> Document:
    """An error in place of an answer."""
    return {
        "error": {
            "what": error.what,
            "why": error.explanation,
            "next": [{"command": command, "does": does} for command, does in error.hints],
        },
        "exit_code": error.exit_code,
        "diagnostics": findings_json(diagnostics),
    }


def outcome_document(outcome: Outcome) -> Document:
    """The outcome of one change."""
    return {
        "address": str(outcome.change.address),
        "action": outcome.change.action.value,
        "status": outcome.status.value,
        "held": outcome.change.held.value if outcome.change.held else None,
        "id": outcome.id,
        "approval": outcome.approval,
        "message": outcome.message,
        "detail": list(outcome.detail),
        "errors": {name: list(texts) for name, texts in outcome.errors.items()},
        "refused": dict(outcome.refused),
        "observed": dict(outcome.observed),
        **({"done": outcome.done} if outcome.done else {}),
    }
