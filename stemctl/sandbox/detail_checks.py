"""Details must match the schema of their type exactly, and are sent together with it."""

from __future__ import annotations

from collections.abc import Mapping

from stemctl.sandbox.body_checks import Problems
from stemctl.schema.detail_values import problems_of, type_of
from stemctl.schema.fields import DetailType, Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Value


def unpaired(model: Model, found: Mapping[str, Value]) -> Problems:
    """The fields that are not sent although the one that they belong to is."""
    problems: Problems = {}
    for first, second in model.pairs:
        for name, other in ((first, second), (second, first)):
            if name in found and other not in found:
                problems[other] = [f"This field is required together with {name}."]
    return problems


def check_details(
    model: Model, found: dict[str, Value], parent: Mapping[str, Value] | None = None
) -> Problems:
    """Problems with details; those without one get the defaults of their type. `parent` is the
    record that embedded ones are in.
    """
    problems: Problems = {}
    for field in model.detailed:
        type_ = _type_in(field, found if parent is None else parent)
        if type_ is None or field.name not in found:
            continue
        wrong = problems_of(type_, found[field.name])
        if wrong:
            problems[field.name] = [f"{name} {text}.".strip() for name, text in wrong.items()]
        elif not type_.rows:
            found[field.name] = {**_defaults(type_), **found[field.name]}
    return problems


def _type_in(field: Field, fields: Mapping[str, Value]) -> DetailType | None:
    assert field.details is not None
    return type_of(field, fields.get(field.details.selector.rpartition(".")[2]))


def _defaults(type_: DetailType) -> dict[str, Value]:
    fields = type_.fields.values()
    return {field.name: field.default for field in fields if field.default is not None}
