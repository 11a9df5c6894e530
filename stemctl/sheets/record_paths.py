"""Records without a name by what and whose they are, as BrainSTEM's import templates say it:

rat12/SiliconProbeImplant/2024-01-15    the subject, the type, and the day or moment
Maze room/amplifier                     for models with a name: the parent and the name
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from stemctl.core.records import Address, Repository
from stemctl.manifests.declared_names import DeclaredNames
from stemctl.planning.values import canonical, same
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.sheets.cells import Cell
from stemctl.sheets.columns import with_type_titles
from stemctl.sheets.problems import CellError
from stemctl.sheets.read_cells import Reading, read_cell
from stemctl.sheets.sheet_identity import SheetIdentity
from stemctl.util.json_types import Value, is_uuid
from stemctl.util.plural import first_few

_MOST_PIECES = 10
"""Names may contain slashes, so each way to cut a path is tried."""

_DAY = len("2024-01-15")


class _Paths(Struct, frozen=True):
    """The declared records of one model: `own` are the fields that a path has besides `moment`."""

    own: tuple[Field, ...]
    moment: Field | None
    records: Mapping[tuple[Value, ...], list[Address]]


class RecordPaths(Struct):
    """Finds the declared records that a reference in a cell means."""

    catalog: Catalog
    repository: Repository
    names: DeclaredNames
    _paths: dict[str, _Paths] = field(default_factory=dict)

    def find(self, to: str, word: str, reading: Reading) -> list[str]:
        """What manifests may call the record of the model `to` with this name, key, id or path.

        Raises:
            CellError: the date at the end of a path cannot be read.
        """
        if is_uuid(word) or self.names.candidates(to, word):
            return [word]
        found: dict[str, None] = {}
        for own, moment in self._cuts(to, word):
            for address in self._at(to, own, moment, reading):
                found[address.key] = None
        return list(found)

    def why_not(self, to: str, word: str) -> CellError | None:
        """Why a word names no record; None if it may be the name of one that only the server has:
        records of a model without names are known by keys alone.
        """
        model = self.catalog.models[to]
        if model.called:
            return None
        paths = self._of(model)
        rows = [*paths.own, *([paths.moment] if paths.moment else [])]
        remedy = f"write `{'/'.join(row.name for row in rows)}`, the key, or the id"
        if near := self._beside(to, word):
            remedy += f"; the files have {first_few([f'`{key}`' for key in near], 4)}"
        else:
            remedy += f"; `stemctl pull {to}` takes over what only the server has"
        return CellError(f"is no {model.words} in the files", remedy)

    def _of(self, model: Model) -> _Paths:
        """The paths of a model, by its field table."""
        known = self._paths.get(model.name)
        if known is None:
            whole = {model.name: [row.name for row in model.managed]}
            identity = SheetIdentity(self.catalog, self.names, dict(whole))
            rows = [model.fields[name] for name in identity.by(model)]
            moment = rows.pop() if rows and rows[-1] in model.moments else None
            records: dict[tuple[Value, ...], list[Address]] = {}
            for address, record in self.repository.records.items():
                if address.model == model.name:
                    own = identity(model, record.fields)[: len(rows)]
                    records.setdefault(own, []).append(address)
            own_rows = tuple(with_type_titles(row, [model]) for row in rows)
            known = self._paths[model.name] = _Paths(own_rows, moment, records)
        return known

    def _cuts(self, to: str, word: str) -> Iterator[tuple[tuple[Value, ...], str]]:
        """The ways to read a word as a path: the values of its fields, and the text of a moment."""
        paths, pieces = self._of(self.catalog.models[to]), word.split("/")
        number = len(paths.own)
        if number < 2 or not number <= len(pieces) <= _MOST_PIECES:
            return
        for size in {number, number + 1 if paths.moment else number}:
            for cuts in itertools.combinations(range(1, len(pieces)), size - 1):
                ends = (*cuts, len(pieces))
                parts = ["/".join(pieces[a:b]) for a, b in zip((0, *cuts), ends, strict=True)]
                with contextlib.suppress(CellError):
                    own = tuple(map(self._value, paths.own, parts[:number]))
                    yield own, "".join(parts[number:]).strip()

    def _value(self, row: Field, text: str) -> Value:
        """A part of a path in the spelling of `SheetIdentity`.

        Raises:
            CellError: it is no value of this field.
        """
        if row.kind == "reference":
            return str(self.names.meant(row.to or "", text.strip()) or text).strip()
        value = read_cell(row, text)
        return None if isinstance(value, Cell) else canonical(row, value)

    def _at(
        self, to: str, own: tuple[Value, ...], moment: str, reading: Reading
    ) -> Iterator[Address]:
        """The records with these values, of the day or moment if there is one."""
        paths = self._of(self.catalog.models[to])
        found = paths.records.get(own, ())
        if paths.moment is None or not moment or not found:
            yield from found
            return
        wanted = str(read_cell(paths.moment, moment, reading))
        for address in found:
            there = self.repository.records[address].fields.get(paths.moment.name)
            if there is not None and _is_then(paths.moment, str(there), wanted, reading):
                yield address

    def _beside(self, to: str, word: str) -> list[str]:
        """The keys of the records that have the beginning of a path: of the same subject."""
        paths, pieces = self._of(self.catalog.models[to]), word.split("/")[:_MOST_PIECES]
        heads: set[Value] = set()
        for end in range(1, len(pieces) if paths.own else 0):
            with contextlib.suppress(CellError):
                heads.add(self._value(paths.own[0], "/".join(pieces[:end])))
        return [
            a.key
            for own, some in paths.records.items()
            if own[:1] and own[0] in heads
            for a in some
        ]


def _is_then(row: Field, there: str, wanted: str, reading: Reading) -> bool:
    """Whether a record is of a day, by the clock of the lab if it is known, or of a moment."""
    if len(wanted) > _DAY or len(there) <= _DAY:
        return same(row, there, wanted)
    if reading.zone is None:
        return there[:_DAY] == wanted
    return str(datetime.datetime.fromisoformat(there).astimezone(reading.zone).date()) == wanted
