"""Plans, reports, findings and errors as JSON documents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from stemctl import __version__
from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.formats import format_of
from stemctl.core.plan import FORMAT, Change, FieldChange, Plan, StateChange
from stemctl.core.records import Location, Repository
from stemctl.core.report import Outcome, Report
from stemctl.errors import StemctlError
from stemctl.util.canonical_json import canonical_pieces, hash_of_pieces
from stemctl.util.json_types import Value

Document = dict[str, Any]

_LONGEST_VALUE = 500


def plan_document(plan: Plan) -> Document:
    """The plan as `schemas/plan.schema.json` describes it: complete, so that apply needs nothing else."""
    document = {
        key: list(value) if isinstance(value, Iterator) else value
        for key, value in _parts(plan).items()
    }
    return {**document, "checksum": hash_of_pieces(canonical_pieces(document))}


def plan_lines(plan: Plan) -> Iterator[str]:
    """The same document as the text of a file, one change a line, made piece by piece."""
    opening = "{\n"
    for key, value in _parts(plan).items():
        yield f"{opening}  {json.dumps(key)}: "
        if isinstance(value, Iterator):
            yield "["
            for number, element in enumerate(value):
                yield f"{',' if number else ''}\n    {json.dumps(element, ensure_ascii=False)}"
            yield "]"
        else:
            yield json.dumps(value, ensure_ascii=False)
        opening = ",\n"
    checksum = hash_of_pieces(canonical_pieces(_parts(plan)))
    yield f',\n  "checksum": "{checksum}"\n}}\n'


def plan_json(plan: Plan) -> Iterator[str]:
    """The same document as JSON in one line, made piece by piece, with its checksum last."""
    found, last = hashlib.sha256(), ""
    for piece in canonical_pieces(_parts(plan)):
        yield last
        found.update(piece.encode(errors="surrogatepass"))
        last = piece
    yield f',"checksum":"sha256:{found.hexdigest()}"{last}'


def _parts(plan: Plan) -> Document:
    """The document without its checksum; what may be long is an iterator in it."""
    server = plan.server
    later: Document = {"uncommitted": list(plan.uncommitted)} if plan.uncommitted else {}
    return {
        "format": format_of(later),
        "stemctl": __version__,
        "offline": plan.offline,
        "base": {"ref": plan.base.ref, "commit": plan.base.commit} if plan.base else None,
        "server": {
            "name": server.name,
            "url": server.url,
            "portal": server.portal,
            "edition": server.edition,
        },
        "state": {"lineage": plan.lineage, "serial": plan.serial},
        "commit": plan.commit,
        **later,
        "digest": plan.digest,
        "summary": plan.summary(),
        "changes": map(_change, plan.changes),
        "bookkeeping": map(_bookkeeping, plan.state_changes),
        "unchanged": plan.unchanged,
        "ignored_fields": plan.ignored_fields,
        "names": {model: dict(names) for model, names in plan.names.items()},
        "subset": {
            "only": list(plan.subset.only),
            "exclude": list(plan.subset.exclude),
            "left_out": plan.subset.left_out,
        },
        "notes": [
            {
                "address": str(n.address) if n.address else None,
                "text": n.text,
                **_location(n.location),
            }
            for n in plan.notes
        ],
        "settled": [
            {"address": str(s.address), "found": s.found, "then": s.then} for s in plan.settled
        ],
        "diagnostics": findings_json(plan.diagnostics),
    }


def report_document(report: Report, seconds: float) -> Document:
    """What became of each change of a run, with the plan it carried out."""
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
    diagnostics: tuple[Diagnostic, ...], repository: Repository, edition: str
) -> Document:
    """What a validation found."""
    return {
        "format": FORMAT,
        "edition": edition,
        "files": len(repository.files),
        "records": repository.seen,
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


def _change(change: Change) -> Document:
    request = change.request
    return {
        "address": str(change.address),
        "model": change.address.model,
        "action": change.action.value,
        "reason": change.reason,
        "held": change.held.value if change.held else None,
        "approval": change.approval,
        "id": change.id,
        **_location(change.location),
        "request": {"method": request.method, "path": request.path, "body": request.body}
        if request
        else None,
        "fields": [_field(f) for f in change.fields],
        "expects": change.expects,
        "waits": [str(address) for address in change.waits],
        "managed": list(change.managed),
        "declared": dict(change.declared),
        "observed": dict(change.observed),
        "released": list(change.released),
        "prevent_delete": change.prevent_delete,
        "was": str(change.previous_address) if change.previous_address else None,
        "detail": list(change.detail),
        "doubt": change.pending_since,
        "explained": change.explained,
    }


def _field(f: FieldChange) -> Document:
    document: Document = {
        "path": f.path,
        "before": f.before,
        "after": f.after,
        "reason": f.reason,
        "held": f.held.value if f.held else None,
        **_location(f.location),
    }
    if f.reason == "conflict":
        document |= {"base": f.base, "files": f.after, "server": f.before}
    if not f.shown:
        document["shown"] = False
    return document


def _bookkeeping(row: StateChange) -> Document:
    return {
        "address": str(row.address),
        "id": row.id,
        "declared": dict(row.declared),
        "observed": dict(row.observed),
        "released": list(row.released),
        "prevent_delete": row.prevent_delete,
        "was": str(row.previous_address) if row.previous_address else None,
        "drop": row.drop,
        "approval": row.approval,
    }


def outcome_document(outcome: Outcome) -> Document:
    """What became of one change."""
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
    }


def _location(location: Location | None) -> dict[str, Value]:
    return {
        "file": location.file if location else None,
        "line": location.line if location else None,
        "column": location.column if location else None,
    }


def findings_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Each finding as an object with all that is known of it."""
    return [
        {
            "severity": finding.severity.value,
            "code": finding.code,
            "message": finding.message,
            "file": finding.location.file if finding.location else None,
            "line": finding.location.line if finding.location else None,
            "column": finding.location.column if finding.location else None,
            "address": finding.address,
            "field": finding.field,
            "value": _short(finding.value),
            "rule": finding.rule or None,
            "remedy": finding.remedy or None,
        }
        for finding in diagnostics
    ]


def _short(value: Any) -> Any:
    """A value that was found, unless it is half a file."""
    return (
        value if not isinstance(value, list | dict) or len(str(value)) <= _LONGEST_VALUE else None
    )
