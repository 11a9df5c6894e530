"""The models that the sandbox stores: those of the tables, and one for the proposals of each."""

from __future__ import annotations

import functools

from msgspec.structs import replace

from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Access, Model

PENDING, ACCEPTED, REJECTED = "Pending", "Accepted", "Rejected"
ADD, CHANGE = "Add", "Change"

_SOURCE = "kept with every proposal"
_OUTCOME = (
    Field(
        "instance_id",
        "text",
        "The live record.",
        _SOURCE,
        read_only=True,
        nullable=True,
        format="uuid",
    ),
    Field("action", "text", "What is proposed.", _SOURCE, read_only=True, enum=(ADD, CHANGE)),
    Field("reviewer", "integer", "Who decided.", _SOURCE, read_only=True),
    Field(
        "status",
        "text",
        "How it was decided.",
        _SOURCE,
        read_only=True,
        enum=(PENDING, ACCEPTED, REJECTED),
    ),
    Field(
        "proposer",
        "json",
        "Who proposed, as a member of the proposal.",
        _SOURCE,
        read_only=True,
        shown=False,
    ),
)


def proposals_of(model: Model) -> Model | None:
    """The model of a model's proposals: content and outcome. Only the proposer sees them.

    It has no identity: several proposals of one name may be pending.
    """
    if model.approval is None:
        return None
    content = (replace(f, proposal=False) for f in model.managed)
    fields = {f.name: f for f in (model.fields["id"], *content, *_OUTCOME)}
    return replace(
        model,
        name=model.approval.path,
        one=model.approval.one,
        many=model.approval.many,
        operations=("list", "detail"),
        identity=None,
        fields=fields,
        access=Access(members="proposer"),
        dependents=(),
        approval=None,
    )


def content_of(proposals: Model) -> list[str]:
    """The fields that a proposer writes."""
    return [f.name for f in proposals.managed]


@functools.cache
def every_model(catalog: Catalog) -> tuple[Model, ...]:
    """All models that rows are stored of."""
    found = []
    for model in catalog.models.values():
        found.append(model)
        if proposals := proposals_of(model):
            found.append(proposals)
    return tuple(found)
