"""What outputs need of a catalog: the nouns of its models, and which fields hold any JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from stemctl.util.plural import counted

if TYPE_CHECKING:
    from stemctl.schema.catalog import Catalog  # loads a YAML parser


class ModelWords(Struct, frozen=True):
    """The nouns of each model, singular and plural; the fields (`model.field`) of kind `json`; the
    field that its records are called by; and the field with its parent, with the parent's model.
    """

    nouns: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    json_fields: frozenset[str] = frozenset()
    called: Mapping[str, str] = field(default_factory=dict)
    parents: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def count(self, model: str, number: int, more: bool = False) -> str:
        """`14 sessions`, `14 more sessions`."""
        one, many = self.nouns.get(model, (model, model))
        extra = "more " if more else ""
        return counted(number, extra + one, extra + many)


NO_WORDS = ModelWords()


def model_words(catalog: Catalog | None) -> ModelWords:
    """The words of a catalog; of none, without one."""
    if catalog is None:
        return NO_WORDS
    models = catalog.models.values()
    return ModelWords(
        nouns={model.name: (model.words, model.count(2).partition(" ")[2]) for model in models},
        json_fields=frozenset(
            f"{model.name}.{field.name}"
            for model in models
            for field in model.fields.values()
            if field.kind == "json"
        ),
        called={model.name: model.called for model in models if model.called},
        parents={
            model.name: (model.parent, model.fields[model.parent].to or "")
            for model in models
            if model.parent
        },
    )
