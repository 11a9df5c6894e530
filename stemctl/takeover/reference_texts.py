"""How new records refer to others: by a name or key that means one record, and else by its id.

`client/query` gives references names, too, but for tables and manifests that stand alone: it knows
no files, so that a name only has to be unique on the server.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from stemctl.core.records import Address, Repository
from stemctl.core.snapshot import Snapshot
from stemctl.planning.identity import identity_of, is_plain
from stemctl.planning.live_names import LiveNames
from stemctl.planning.reference_names import ReferenceNames
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value


class ReferenceTexts(Struct, dict=True):
    """What to write for the id of a record.

    `addresses` are those of the records that files declare or will declare, by model and id.
    """

    catalog: Catalog
    snapshot: Snapshot
    repository: Repository
    addresses: Mapping[tuple[str, str], Address]
    _texts: dict[tuple[str, str], Value] = field(default_factory=dict)
    _live: dict[str, LiveNames] = field(default_factory=dict)
    _owners: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._declared = ReferenceNames(self.repository, self.catalog)
        for (model, id_), address in self.addresses.items():
            self._owners.setdefault((model, address.key), set()).add(id_)
            table = self.catalog.models[model]
            name = identity_of(table, self._fields(model, id_)) if table.identity else None
            if name:
                self._owners.setdefault((model, name), set()).add(id_)

    def text(self, model: str, id_: Value) -> Value:
        """The name or key of a record; its id if none means this record alone."""
        known = (model, str(id_))
        if known not in self._texts:
            self._texts[known] = self._search(model, str(id_), id_)
        return self._texts[known]

    def _search(self, model: str, id_: str, otherwise: Value) -> Value:
        table = self.catalog.models.get(model)
        if table is None:
            return otherwise
        fields, own = self._fields(model, id_), self.addresses.get((model, id_))
        found = [identity_of(table, fields), own.key if own else None]
        if own is None and not table.identity:
            found += [self._composed(table, fields), self._label(table, fields)]
        for text in found:
            if text and is_plain(table, text) and self._means(model, text, id_, own):
                return text
        return otherwise

    def _means(self, model: str, text: str, id_: str, own: Address | None) -> bool:
        """Whether no other record that is declared takes this text for itself."""
        if self._owners.get((model, text), set()) - {id_}:
            return False
        declared = self._declared.strong(model, text)
        return not declared or declared == [own]

    def _composed(self, table: Model, fields: Fields) -> str | None:
        """The values that are unique together, joined by slashes."""
        for group in table.together_unique:
            parts = [self._part(table, name, fields.get(name)) for name in group]
            if all(parts):
                return "/".join(map(str, parts))
        return None

    def _part(self, table: Model, name: str, value: Value) -> Value:
        to = table.fields[name].to
        return self.text(to, value) if to and value else value

    def _label(self, table: Model, fields: Fields) -> str | None:
        """What people call a record, if it is known that no other one is called so."""
        label = fields.get(table.label) if table.label else None
        if not isinstance(label, str) or self._declared.weak(table.name, label):
            return None
        names = self._live_names(table.name)
        return label if names.is_complete and len(names.weak.get(label, ())) == 1 else None

    def _live_names(self, model: str) -> LiveNames:
        if model not in self._live:
            reading = self.snapshot.readings.get(model)
            self._live[model] = LiveNames(self.catalog.models[model], reading)
        return self._live[model]

    def _fields(self, model: str, id_: str) -> Fields:
        reading = self.snapshot.readings.get(model)
        return reading.records.get(id_, {}) if reading else {}
