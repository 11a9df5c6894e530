"""The plan document: written as a whole, and accepted only if it is unchanged and fits this
server and state.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from stemctl.core.formats import NEWEST
from stemctl.core.plan import Change, Plan, Target
from stemctl.core.plan_checks import contradiction, misfit
from stemctl.core.plan_codec import plan_of
from stemctl.core.request_paths import expected_requests
from stemctl.core.state import State
from stemctl.errors import Hint, StemctlError, Untouched
from stemctl.schema.catalog import Catalog
from stemctl.util.canonical_json import canonical_pieces, hash_of_pieces
from stemctl.util.strict_json import read_json

Document = Mapping[str, Any]


class BadPlan(StemctlError):
    """A saved plan that cannot be shown or applied."""

    def __init__(self, what: str, why: str = "", hints: Sequence[Hint] = ()) -> None:
        super().__init__(what, why, hints, Untouched.NOTHING_SENT)


def plan_in(text: str) -> Document | None:
    """The document in a text that is meant to be a plan, sound or not; None in any other text."""
    try:
        document = read_json(text)
    except ValueError:
        return None
    if isinstance(document, dict) and {"format", "digest", "changes"} <= document.keys():
        return document
    return None


def open_plan(document: Document, name: str) -> Plan:
    """The plan of a document out of a file.

    Raises:
        BadPlan: it is of another format, not as its schema says, was edited, or contradicts itself.
    """
    if document["format"] not in range(1, NEWEST + 1):
        other = f"{name} has format {document['format']!s:.20}, this stemctl reads up to {NEWEST}."
        raise BadPlan(other, _AGAIN_WHY, _again(name))
    edited = BadPlan(
        f"{name} was edited, or is damaged.",
        "A plan is applied exactly as it was reviewed, or not at all.",
        _again(name),
    )
    body = {key: value for key, value in document.items() if key != "checksum"}
    if document.get("checksum") != hash_of_pieces(canonical_pieces(body)):
        raise edited
    try:
        plan = plan_of(document)
    except ValueError as error:
        raise edited from error
    if plan.digest != document["digest"]:
        raise BadPlan(f"{name} does not match its own digest.", hints=_again(name))
    if wrong := contradiction(plan):
        raise BadPlan(
            f"{name} is not a plan that stemctl could have made: {wrong}.",
            hints=_again(name),
        )
    return plan


_AGAIN_WHY = "It was made by a different version of stemctl."


def _again(name: str) -> list[tuple[str, str]]:
    return [(f"stemctl plan --out {shlex.quote(name)}", "makes the plan again")]


def check_fits(plan: Plan, target: Target, state: State, catalog: Catalog, name: str) -> None:
    """Refuse a plan that is for another server or state, or whose requests are not what its changes
    say.

    Raises:
        BadPlan: with both sides.
    """
    if plan.offline:
        raise BadPlan(
            f"{name} is an offline plan: it was compared with the state, not with the server.",
            "It can be shown, but not applied.",
            _again(name),
        )
    for word in ("url", "portal", "edition"):
        made, now = getattr(plan.server, word), getattr(target, word)
        if made != now:
            raise BadPlan(f"{name} was made for {word} {made}, but this is {now}.")
    if plan.lineage != state.lineage:
        why = "It was made before anything was applied."
        if plan.lineage:
            why = "The state was created again since then."
        raise BadPlan(f"{name} was made with another state.", why, _again(name))
    if plan.serial != state.serial:
        runs = sorted(entry.run for entry in state.records.values() if entry.run)
        since = f" since run {runs[-1]}, which may have applied this plan" if runs else ""
        raise BadPlan(
            f"{name} was made at serial {plan.serial} of the state, "
            f"which is at {state.serial}{since}.",
            "A plan can be applied only once.",
            _again(name),
        )
    for change in plan.changes:
        _check_request(change, catalog, name)
    for row in plan.state_changes:
        model = catalog.models.get(row.address.model)
        if wrong := misfit(row, model) if model else "there is no such model":
            fault = f"{row.address}: {wrong}"
            raise BadPlan(f"{name} does not fit edition {catalog.edition}: {fault}.")


def _check_request(change: Change, catalog: Catalog, name: str) -> None:
    model = catalog.models.get(change.address.model)
    if model is None:
        raise BadPlan(
            f"{name} contains {change.address}, but edition {catalog.edition} lacks this model."
        )
    for request, (method, path) in zip(
        change.requests, expected_requests(change, model), strict=True
    ):
        if (request.method, request.path) != (method, path):
            raise BadPlan(
                f"{name} contains a request for {change.address} that does not match its change.",
                f"The request is {request.method} {request.path}, not {method} {path}.",
            )
    if wrong := misfit(change, model):
        raise BadPlan(
            f"{name} does not fit edition {catalog.edition}: {wrong}.", hints=_again(name)
        )
