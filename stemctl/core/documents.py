"""Reports, findings and errors as JSON documents."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from stemctl.core.apply_report import Outcome, Report
from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.plan import FORMAT
from stemctl.core.plan_codec import findings_json, plan_document
from stemctl.core.rewrite import Rewrite
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


def files_document(
    rewrite: Rewrite, written: Collection[str], left: Mapping[str, str], *, dry_run: bool
) -> Document:
    """What was done to files, or with `dry_run` would be done."""
    return {
        "format": FORMAT,
        "dry_run": dry_run,
        "files": [
            {
                "file": change.file,
                "new": change.old is None,
                "written": change.file in written,
            }
            for change in rewrite.files
        ],
        "records": [
            {
                "address": str(record.address),
                "done": record.done,
                "file": record.file,
                "fields": list(record.fields),
            }
            for record in rewrite.records
        ],
        "left": [
            *(
                {
                    "file": one.file,
                    "line": one.line,
                    "why": one.why,
                    "by_hand": list(one.by_hand),
                    "records": [str(address) for address in one.addresses],
                }
                for one in rewrite.refused
            ),
            *({"file": file, "why": why} for file, why in left.items()),
        ],
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
