"""Makes the sandbox answer as another server does, by a profile that `doctor` wrote there.

Alike are: models that are missing or denied, page sizes, totals, keys of envelopes, fields that are
missing or that no table knows, and how empty values are written. Times and headers are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from stemctl.core.answer_shapes import TOTALS
from stemctl.core.profile import Answer, Kind, Listing, ModelProfile, Profile, Shape
from stemctl.sandbox.replies import (
    Refusal,
    Reply,
    forbidden,
    not_found,
    unauthenticated,
    unknown_url,
)
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Value

Where = Literal["list", "approvals"]

_PAGE = 100
_FILLERS: dict[Kind, Value] = {
    "null": None,
    "boolean": False,
    "integer": 0,
    "number": 0.5,
    "text": "",
    "id": "00000000-0000-4000-8000-000000000000",
    "day": "2024-03-12",
    "time": "2024-03-12T09:00:00Z",
    "url": "https://example.org/",
    "list": [],
    "object": {},
}
"""The values of fields that no table knows."""

_EMPTY: dict[Kind, Value] = {"null": None, "text": "", "list": [], "object": {}}


class Likeness:
    """One profile, applied to the requests and answers of a sandbox."""

    def __init__(self, profile: Profile, catalog: Catalog) -> None:
        self._models: dict[tuple[str, str], tuple[Model, ModelProfile, Where]] = {}
        for name, found in profile.models.items():
            model = catalog.models.get(name)
            if model is None:
                continue
            self._models[model.app, model.name] = model, found, "list"
            if model.approval is not None and found.approvals is not None:
                for path in (model.approval.path, *model.approval.aliases):
                    self._models[model.app, path] = model, found, "approvals"

    def asked(
        self, app: str, name: str, parameters: Sequence[tuple[str, str]], is_list: bool
    ) -> list[tuple[str, str]]:
        """The parameters of a request, with pages as short as those of the other server.

        Raises:
            Refusal: the other server refuses the list: 401, 403 or 404.
        """
        listing = self._listing(app, name)
        if listing is not None and (refusal := _refusal(listing)):
            raise refusal
        most = _page_size(listing) if listing is not None and is_list else None
        if most is None:
            return list(parameters)
        asked = dict(parameters).get("limit", "")
        limit = min(int(asked), most) if asked.isascii() and asked.isdigit() else most
        return [*((k, v) for k, v in parameters if k != "limit"), ("limit", str(max(1, limit)))]

    def reply(self, app: str, name: str, answer: Reply) -> Reply:
        """An answer, as the other server would give it."""
        known = self._models.get((app, name))
        if known is None or answer.status >= 300 or not isinstance(answer.body, dict):
            return answer
        model, found, where = known
        one, many = model.one, model.many
        if where == "approvals" and model.approval is not None:
            one, many = model.approval.one, model.approval.many
        listing = self._listing(app, name)
        assert listing is not None
        body = _with_fields(answer.body, listing, model)
        if isinstance(body.get(many), list):
            body = _renamed(_with_totals(body, listing), many, listing)
        elif where == "list" and found.detail is not None:
            body = _renamed(body, one, found.detail)
        return Reply(answer.status, body, answer.headers)

    def _listing(self, app: str, name: str) -> Listing | None:
        known = self._models.get((app, name))
        if known is None:
            return None
        _, found, where = known
        return found.list if where == "list" else found.approvals


def _refusal(listing: Listing) -> Refusal | None:
    if listing.status == 404:
        return not_found() if listing.body == "json" else unknown_url()
    if listing.status == 403:
        return forbidden()
    if listing.status == 401:
        return unauthenticated("Invalid token.")
    return None


def _page_size(listing: Listing) -> int | None:
    """How many records a page has at most; None if the other server gave as many as were asked."""
    is_short = listing.total is not None and listing.records < min(listing.total, _PAGE)
    return listing.records if is_short and listing.records else None


def _renamed(body: Mapping[str, Value], key: str, answer: Answer) -> dict[str, Value]:
    """The envelope with the key of the other server, at the same place."""
    if answer.status != 200 or answer.key is None:
        return dict(body)
    return {answer.key if name == key else name: value for name, value in body.items()}


def _with_totals(body: Mapping[str, Value], listing: Listing) -> dict[str, Value]:
    """The envelope with those totals alone that the other server has."""
    if listing.status != 200:
        return dict(body)
    dropped = {where.partition(".")[2] for where in TOTALS if where not in listing.totals} - {""}
    kept: dict[str, Value] = {}
    for name, value in body.items():
        if name == "meta" and isinstance(value, dict):
            value = {key: inner for key, inner in value.items() if key not in dropped}
        if name == "count" and "count" not in listing.totals:
            continue
        if name not in ("meta", "next", "previous") or name in listing.envelope:
            kept[name] = value
    return kept


def _with_fields(body: Mapping[str, Value], listing: Listing, model: Model) -> dict[str, Value]:
    """The records of an answer with the fields of the other server, if it showed any record."""
    if not listing.fields:
        return dict(body)
    keys = [model.one, model.many]
    if model.approval is not None:
        keys += [model.approval.one, model.approval.many]
    changed = dict(body)
    for key in keys:
        value = changed.get(key)
        if isinstance(value, list):
            changed[key] = [_record(each, listing, model) for each in value]
        elif isinstance(value, dict):
            changed[key] = _record(value, listing, model)
    return changed


def _record(record: Mapping[str, Value], listing: Listing, model: Model) -> dict[str, Value]:
    shapes = listing.fields
    found = {
        name: _empty_as(value, shapes[name]) for name, value in record.items() if name in shapes
    }
    found["id"] = record.get("id")
    strange = {name: shape for name, shape in shapes.items() if name not in model.fields}
    return {**found, **{name: _filler(shape) for name, shape in strange.items()}}


def _filler(shape: Shape) -> Value:
    """The value of a field that no table knows: one of the kind that it mostly has."""
    counts = sorted(shape.kinds.items(), key=lambda item: item[1])
    return _FILLERS[counts[-1][0]] if counts else None


def _empty_as(value: Value, shape: Shape) -> Value:
    """An empty value as the other server writes it, if it never writes ours."""
    if value not in (None, "", [], {}):
        return value
    ours: Kind = "null" if value is None else "text" if value == "" else "list"
    if value == {}:
        ours = "object"
    if ours in shape.kinds:
        return value
    return next((_EMPTY[kind] for kind in _EMPTY if kind in shape.kinds), value)
