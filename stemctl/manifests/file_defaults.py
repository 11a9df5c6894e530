"""The defaults that records of a file have, before there are such records."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from stemctl.manifests.layers import Layer
from stemctl.manifests.sources import Sources
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields


class FileDefaults(Struct):
    """The defaults that records of a file have, from the file itself and from its folder."""

    sources: Sources
    _known: dict[str, Mapping[str, Fields]] = field(default_factory=dict)

    def __call__(self, file: str) -> Mapping[str, Fields]:
        if file not in self._known:
            self._known[file] = self._read(file)
        return self._known[file]

    def _read(self, file: str) -> Mapping[str, Fields]:
        found: dict[str, Layer] = {}
        for place in (*self.sources.folder_defaults(file), file):
            defaults = self.sources.file(place).values.get("defaults")
            for section, values in defaults.items() if isinstance(defaults, dict) else ():
                model = self.sources.catalog.by_list_key(section)
                if model is not None:
                    layer = _layer(model, values)
                    below = found.get(section)
                    found[section] = layer.over(below, model.fields) if below else layer
        return {section: layer.fields for section, layer in found.items()}


def _layer(model: Model, values: Fields) -> Layer:
    fields = {name: value for name, value in values.items() if name in model.fields}
    lifecycle = values.get("lifecycle")
    return Layer(fields, lifecycle if isinstance(lifecycle, dict) else {})
