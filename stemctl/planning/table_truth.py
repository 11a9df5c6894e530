"""Compares the tables of an edition with how a server really answers.

Nothing is adapted: the result says what is different, what that means, and what to do.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from stemctl.core.profile import TEXTS, Kind, Listing, ModelProfile, Profile, Shape
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.plural import counted, joined

_MOST_NAMES = 20
_FULL_PAGE = 100


class Weight(enum.StrEnum):
    """How much a difference matters."""

    HARM = "harm"
    """Commands about this model fail, or cannot do what the files say."""

    NOTE = "note"
    """Plans are right all the same."""


class Finding(Struct, frozen=True):
    """One way in which a server differs from the table of a model."""

    model: str
    code: str
    weight: Weight
    says: str
    fields: tuple[str, ...] = ()


class ModelTruth(Struct, frozen=True):
    """What is known about one model: how many records were compared, and what is different."""

    model: Model
    status: int | None
    visible: int
    compared: int
    findings: tuple[Finding, ...]

    @property
    def harmed(self) -> bool:
        """Whether commands about it fail."""
        return any(finding.weight is Weight.HARM for finding in self.findings)


def compare(catalog: Catalog, profile: Profile) -> tuple[ModelTruth, ...]:
    """What is different, model by model, in the order of the catalog."""
    return tuple(
        _truth(catalog, model, profile.models[model.name])
        for model in catalog.models.values()
        if model.name in profile.models
    )


def _truth(catalog: Catalog, model: Model, profile: ModelProfile) -> ModelTruth:
    listing = profile.list
    findings = [*_of_answers(model, profile)]
    if listing.fields:
        findings += _of_fields(catalog, model, listing)
    visible = listing.total if listing.total is not None else listing.records
    return ModelTruth(model, listing.status, visible, listing.records, tuple(findings))


def _of_answers(model: Model, profile: ModelProfile) -> Iterator[Finding]:
    """Differences in statuses, envelopes and totals."""
    listing, detail, approvals = profile.list, profile.detail, profile.approvals
    if wrong := _not_answered(listing, model.writable):
        yield Finding(model.name, *wrong)
        return
    yield from _of_list(model, listing, model.many, "its list")
    if detail is not None:
        if detail.status != 200 or detail.body != "json":
            says = (
                f"one of its records answers with {_status(detail.status)}, although it is listed"
            )
            yield Finding(model.name, "no-detail", Weight.HARM, says)
        elif detail.key != model.one:
            yield _other_key(model, detail.key, model.one, "a single record", Weight.NOTE)
    if approvals is not None and model.approval is not None:
        if wrong := _not_answered(approvals, writable=True):
            code, weight, says = wrong
            yield Finding(model.name, f"approvals-{code}", weight, f"its approvals: {says}")
        else:
            yield from _of_list(model, approvals, model.approval.many, "its list of approvals")


def _not_answered(listing: Listing, writable: bool) -> tuple[str, Weight, str] | None:
    """Why a list cannot be compared: code, weight and words."""
    status = listing.status
    if status is None:
        return "no-answer", Weight.HARM, "did not answer, while others did"
    if status == 401:
        return "no-token", Weight.HARM, "needs a token that the server knows (401)"
    if status == 403:
        return "denied", Weight.NOTE, "your account may not list them (403)"
    if status == 404:
        weight = Weight.HARM if writable else Weight.NOTE
        return "not-there", weight, "the server does not have this model (404)"
    if status != 200:
        return "other-status", Weight.HARM, f"answers with {_status(status)}"
    if listing.body != "json":
        return "not-json", Weight.HARM, "answers with 200, but not with data: a login page?"
    return None


def _of_list(model: Model, listing: Listing, many: str, what: str) -> Iterator[Finding]:
    if listing.key != many:
        yield _other_key(model, listing.key, many, what, Weight.HARM)
    if not listing.totals and listing.records:
        says = f"{what} does not say how many records there are"
        yield Finding(model.name, "no-total", Weight.NOTE, says)
    if not listing.in_order:
        says = f"{what} is not sorted by id, although that was asked for"
        yield Finding(model.name, "not-sorted", Weight.NOTE, says)
    if _stops_early(listing):
        says = f"{what} has {counted(listing.records, 'record')} on a page of {_FULL_PAGE}"
        yield Finding(model.name, "short-pages", Weight.NOTE, says)


def _stops_early(listing: Listing) -> bool:
    """Whether a page holds fewer records than were asked for, and more are there."""
    return listing.total is not None and listing.records < min(listing.total, _FULL_PAGE)


def _other_key(model: Model, found: str | None, wanted: str, what: str, weight: Weight) -> Finding:
    where = f"under {found!r}" if found else "under no key of their own"
    return Finding(model.name, "other-key", weight, f"{what} comes {where}, not under {wanted!r}")


def _status(status: int | None) -> str:
    return "nothing" if status is None else str(status)


def _of_fields(catalog: Catalog, model: Model, listing: Listing) -> Iterator[Finding]:
    """Differences in the fields of records."""
    seen = listing.fields
    unknown = sorted(set(seen) - set(model.fields) - {"links"})
    if unknown:
        says = f"has {_fields(unknown)} that stemctl does not know: {_names(unknown)}"
        yield Finding(model.name, "unknown-fields", Weight.NOTE, says, tuple(unknown))
    expected = [f for f in model.fields.values() if f.shown and not f.proposal]
    lost = [f.name for f in expected if f.name not in seen and not f.read_only]
    if lost:
        says = f"never answers with {_fields(lost)} that files may write: {_names(lost)}"
        yield Finding(model.name, "never-answered", Weight.HARM, says, tuple(lost))
    gone = [f.name for f in expected if f.name not in seen and f.read_only and f.name != "links"]
    if gone:
        says = f"never answers with {_fields(gone)} that only the server sets: {_names(gone)}"
        yield Finding(model.name, "never-answered", Weight.NOTE, says, tuple(gone))
    known = {name: shape for name, shape in seen.items() if name in model.fields}
    yield from _of_kinds(catalog, model, known)
    yield from _of_details(catalog, model, known)
    unlisted = [name for name, shape in known.items() if _unlisted(shape)]
    if unlisted:
        says = f"has values that the table does not list in {_names(unlisted)}"
        yield Finding(model.name, "unlisted-values", Weight.NOTE, says, tuple(unlisted))


def _of_kinds(catalog: Catalog, model: Model, known: Mapping[str, Shape]) -> Iterator[Finding]:
    """Values of other kinds than the table says."""
    wrong: dict[Weight, dict[str, str]] = {Weight.HARM: {}, Weight.NOTE: {}}
    for name, shape in known.items():
        field = model.fields[name]
        strange = sorted(set(shape.kinds) - _kinds_of(catalog, model, field) - {"null"})
        if strange:
            weight = Weight.HARM if _unreadable(field, strange) else Weight.NOTE
            wrong[weight][name] = f"{name} ({joined(strange, 'or')}, not {field.kind})"
        elif shape.each and (inner := _strange_items(catalog, field, shape.each)):
            wrong[Weight.HARM][name] = f"{name} ({joined(inner, 'or')} in the list)"
    for weight, found in wrong.items():
        if found:
            says = f"answers with other kinds of values: {_names(list(found.values()))}"
            yield Finding(model.name, "other-kind", weight, says, tuple(found))


def _of_details(catalog: Catalog, model: Model, known: Mapping[str, Shape]) -> Iterator[Finding]:
    """Details that no type has today, as they may be stored from earlier years."""
    for name, shape in known.items():
        details = model.fields[name].details
        inner = shape.each if details and details.rows else shape
        if details is None or inner is None:
            continue
        types = catalog.details(details.group).types.values()
        kinds: dict[str, set[Kind]] = {}
        for field in (field for each in types for field in each.fields.values()):
            kinds.setdefault(field.name, {"null"}).update(_kinds_of(catalog, model, field))
        strange = [
            f"{name}.{key} ({joined(wrong, 'or')})"
            for key, value in inner.keys.items()
            if (wrong := sorted(set(value.kinds) - kinds[key]))
        ]
        if inner.other_keys:
            strange.append(f"{counted(inner.other_keys, 'other key')} in {name}")
        if strange:
            says = f"has details that no type has today: {_names(strange)}"
            yield Finding(model.name, "other-details", Weight.NOTE, says, (name,))


_PLAIN: dict[str, frozenset[Kind]] = {
    "text": TEXTS,
    "number": frozenset({"integer", "number"}),
    "integer": frozenset({"integer"}),
    "boolean": frozenset({"boolean"}),
    "date": frozenset({"day"}),
    "instant": frozenset({"day", "time"}),
    "quantity": frozenset({"object"}),
}
_CONTAINERS: dict[str, frozenset[Kind]] = {
    "references": frozenset({"list"}),
    "list": frozenset({"list"}),
    "numbers": frozenset({"list"}),
    "items": frozenset({"list"}),
    "rows": frozenset({"list"}),
    "map": frozenset({"object", "list"}),
    "details": frozenset({"object", "list"}),
    "members": frozenset({"object", "list"}),
}


def _kinds_of(catalog: Catalog, model: Model, field: Field) -> frozenset[Kind]:
    """The kinds that the table allows."""
    if field.kind == "json":
        return frozenset({*TEXTS, "boolean", "integer", "number", "list", "object"})
    if field.kind in _CONTAINERS:
        return _CONTAINERS[field.kind]
    if field.kind == "id":
        return _kinds_of_ids(model)
    if field.kind == "reference":
        return _kinds_of_ids(catalog.models.get(field.to or ""))
    return _PLAIN.get(field.kind, TEXTS)


def _kinds_of_ids(model: Model | None) -> frozenset[Kind]:
    if model is None:
        return frozenset({"id", "integer"})
    return frozenset({"integer"}) if getattr(model, "integer_ids", False) else frozenset({"id"})


def _unreadable(field: Field, strange: Sequence[str]) -> bool:
    """Whether a value cannot be worked with: a list or object in place of a plain value, or the
    other way round. Other kinds are compared as they are.
    """
    if field.kind in _CONTAINERS or field.kind == "id":
        return True
    return bool({"list", "object"} & set(strange))


def _strange_items(catalog: Catalog, field: Field, each: Shape) -> list[str]:
    """The kinds of items that a list must not have."""
    allowed: dict[str, frozenset[Kind]] = {
        "references": _kinds_of_ids(catalog.models.get(field.to or "")) | {"object"},
        "list": TEXTS,
        "items": frozenset({"object"}),
        "rows": frozenset({"object"}),
        "numbers": frozenset({"integer", "number"}),
    }
    if field.kind not in allowed:
        return []
    return sorted(set(each.kinds) - allowed[field.kind])


def _unlisted(shape: Shape) -> bool:
    """Whether there are values outside of a list of values, at any depth."""
    inner = [*shape.keys.values(), *([shape.each] if shape.each else [])]
    return bool(shape.unlisted) or any(map(_unlisted, inner))


def _fields(names: Sequence[str]) -> str:
    return counted(len(names), "field")


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


class Verdict(enum.StrEnum):
    """What a comparison comes to."""

    FITS = "fits"
    DIFFERS = "differs"
    HARMED = "harmed"
    NO_ACCESS = "no-access"


def verdict_of(truths: Sequence[ModelTruth], has_token: bool) -> Verdict:
    """The verdict over all models."""
    statuses = {truth.status for truth in truths}
    if not has_token or 401 in statuses or (statuses and statuses <= {401, 403}):
        return Verdict.NO_ACCESS
    if any(truth.harmed for truth in truths):
        return Verdict.HARMED
    return Verdict.DIFFERS if any(truth.findings for truth in truths) else Verdict.FITS
