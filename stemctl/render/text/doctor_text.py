"""What doctor found: a line for each check, what is fine in few lines, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stemctl.core.plan import Target
from stemctl.errors import Hint
from stemctl.planning.table_truth import Finding, ModelTruth, Verdict, Weight
from stemctl.render.terminal import TerminalStyle
from stemctl.render.width import columns_of, padded
from stemctl.util.plural import counted, inflected, joined

Row = tuple[str, str, str]
"""The mark (ok, note, no), what was checked, and what it says."""

_MOST_ROWS = 5
"""Above this, models of which nothing is to be said share a line."""

_MARKS = {Weight.HARM: "no", Weight.NOTE: "note"}


def doctor_text(
    setup: Sequence[Row],
    truths: Sequence[ModelTruth],
    verdict: Verdict,
    edition: str,
    style: TerminalStyle,
) -> str:
    """The checks, then the verdict with what it means."""
    rows = [*setup, *model_rows(truths, fold=not style.verbose)]
    names = style.columns([row[:2] for row in rows], indent=0)
    width = max(map(columns_of, names), default=0)
    lines = style.wrapped(
        [(padded(name, width), row[2]) for name, row in zip(names, rows, strict=True)], indent=2
    )
    return style.finish([*lines, *style.sentences(verdict_sentences(truths, verdict, edition))])


def model_rows(truths: Sequence[ModelTruth], fold: bool) -> list[Row]:
    """The lines about models: those without a finding first, folded if there are many."""
    fine = [truth for truth in truths if not truth.findings]
    rows = _fine_rows([each for each in fine if each.compared], _visible, fold)
    rows += _fine_rows([each for each in fine if not each.compared], _empty, fold)
    denied = [each for each in truths if each.findings and _is_denied(each)]
    rows += _denied_rows(denied, fold)
    for truth in truths:
        if truth.findings and not _is_denied(truth):
            rows += [(_MARKS[f.weight], truth.model.name, f.says) for f in truth.findings]
    return rows


def _visible(truth: ModelTruth) -> str:
    return f"{truth.model.count(truth.visible)} visible"


def _empty(truth: ModelTruth) -> str:
    return f"{_visible(truth)}, so only its list was compared"


def _fine_rows(
    truths: Sequence[ModelTruth], says: Callable[[ModelTruth], str], fold: bool
) -> list[Row]:
    if not fold or len(truths) <= _MOST_ROWS:
        return [("ok", truth.model.name, says(truth)) for truth in truths]
    names = ", ".join(truth.model.name for truth in truths)
    what = "answer as the tables say"
    if says is _empty:
        what = "have no record that you can see, so only their lists were compared"
    return [("ok", counted(len(truths), "model"), f"{what}: {names}")]


def _is_denied(truth: ModelTruth) -> bool:
    return truth.findings[0].code == "denied"


def _denied_rows(truths: Sequence[ModelTruth], fold: bool) -> list[Row]:
    if not fold or len(truths) <= _MOST_ROWS:
        return [("note", truth.model.name, truth.findings[0].says) for truth in truths]
    names = ", ".join(truth.model.name for truth in truths)
    says = f"your account may not list them (403): {names}"
    return [("note", counted(len(truths), "model"), says)]


def verdict_sentences(truths: Sequence[ModelTruth], verdict: Verdict, edition: str) -> list[str]:
    """What the comparison means, and what to do."""
    compared = [truth for truth in truths if truth.compared]
    match verdict:
        case Verdict.NO_ACCESS:
            return [
                "Verdict: nothing could be compared, since the server does not let you in. "
                "Log in, or set a token that it knows."
            ]
        case Verdict.FITS if not compared:
            return ["Verdict: no record was visible, so there was little to compare."]
        case Verdict.FITS:
            return [
                f"Verdict: the server answers as edition {edition} says, "
                f"in the {counted(len(compared), 'model')} with records that you can see."
            ]
        case Verdict.DIFFERS:
            return [
                f"Verdict: the server differs from edition {edition}, but plans are right: "
                f"{_notes_mean(truths)}",
                _REPORT,
            ]
    return [_harm_means(truths), _REPORT]


_REPORT = (
    "To have the tables of stemctl corrected, report this with a profile of the server. "
    "It holds the shape of the answers, and no value of a record."
)

_NOTES: dict[str, str] = {
    "unknown-fields": "fields that stemctl does not know are left as they are on the server",
    "never-answered": "fields that only the server sets are not needed",
    "other-kind": "values of other kinds are compared as they are",
    "unlisted-values": "values that the tables do not list are read, but cannot be written",
    "other-details": "details of another form are kept until a file declares them",
    "no-total": "lists without a total are read page by page, which is slower",
    "short-pages": "short pages need more requests",
    "not-sorted": "lists in another order are read again if they do not add up",
    "other-key": "a single record is found under another key, too",
    "denied": "models that you may not list cannot be planned by your account",
    "not-there": "models that the server lacks cannot be read",
    "approvals-denied": "proposals that you may not list count as pending",
}
"""What a harmless difference means, by its code."""


def _notes_mean(truths: Sequence[ModelTruth]) -> str:
    codes = {finding.code: None for truth in truths for finding in truth.findings}
    return "; ".join(_NOTES[code] for code in codes if code in _NOTES) + "."


def _harm_means(truths: Sequence[ModelTruth]) -> str:
    harmed = [truth.model.name for truth in truths if truth.harmed]
    names = joined(harmed if len(harmed) <= _MOST_ROWS else [*harmed[:_MOST_ROWS], "others"])
    return (
        f"Verdict: do not rely on plans for {names}. Reading or writing "
        f"{inflected(len(harmed), 'it', 'them')} can fail, with a message and nothing lost. "
        "Until this is settled, plan the other models by name: records that do not refer to "
        f"{inflected(len(harmed), 'it', 'them')} are not affected."
    )


def next_steps(truths: Sequence[ModelTruth], verdict: Verdict, profiled: bool) -> list[Hint]:
    """What to type next."""
    if verdict is Verdict.NO_ACCESS:
        return [("stemctl login", "gets a new token in your browser")]
    if verdict is Verdict.FITS:
        return []
    steps: list[Hint] = []
    sound = [truth.model for truth in truths if not truth.harmed and truth.compared]
    if verdict is Verdict.HARMED and (model := next((m for m in sound if m.writable), None)):
        steps.append((f"stemctl plan {model.name}", "plans one model alone"))
    if not profiled:
        steps.append(("stemctl doctor --profile server.json", "writes the profile to report"))
    return steps


def doctor_document(
    setup: Sequence[Row], truths: Sequence[ModelTruth], verdict: Verdict, server: Target
) -> dict[str, Any]:
    """The same for programs."""
    good = {"ok": True, "no": False, "note": None}
    rows = [*setup, *model_rows(truths, fold=False)]
    return {
        "server": {
            "name": server.name,
            "url": server.url,
            "portal": server.portal,
            "edition": server.edition,
        },
        "checks": [{"what": what, "good": good[mark], "says": says} for mark, what, says in rows],
        "models": [_model_document(truth) for truth in truths],
        "verdict": {
            "code": verdict.value,
            "says": " ".join(verdict_sentences(truths, verdict, server.edition)),
        },
    }


def _model_document(truth: ModelTruth) -> dict[str, Any]:
    return {
        "model": truth.model.name,
        "status": truth.status,
        "visible": truth.visible,
        "compared": truth.compared,
        "findings": [_finding_document(finding) for finding in truth.findings],
    }


def _finding_document(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "weight": finding.weight.value,
        "fields": list(finding.fields),
        "says": finding.says,
    }
