"""Live records as a manifest that validates: `get -o yaml`, `runs show -o yaml`.

What a manifest cannot have is left out, and a comment says why (`takeover/writable`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from stemctl.core.records import Address
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.takeover.rows import NewFile, Row
from stemctl.takeover.text import text_of
from stemctl.takeover.writable import Writable
from stemctl.util.json_types import Fields, Value
from stemctl.util.safe_text import visible


class Live(Struct, frozen=True):
    """A record as a manifest would declare it, and its id."""

    record: Fields
    id: str


class Exported(Struct):
    """The text of a manifest, and how many records and values are not in it."""

    text: str
    left_out: int = 0


def export(
    catalog: Catalog,
    model: Model,
    records: Sequence[Live],
    keys: Mapping[tuple[str, str], str] | None = None,
) -> Exported:
    """A manifest with these records, and comments about what cannot be written. `keys` are those
    that the state knows, by model and id: records inside others get them.
    """
    writable, names = Writable(catalog), set[str]()
    rows = []
    for live in records:
        row = _row(catalog, model, live.record, live.id)
        _name(row, writable, names)
        if keys:
            _name_inside(row, str(row.fields.get("key") or _called(row)), keys)
        if why := writable.make_writable(row):
            row.fields, row.inside = {}, {}
            row.left_out = [("", why)]
            row.remarks = [f"left out: record {live.id}: {why}"]
        rows.append(row)
    left_out = sum(len(one.left_out) for row in rows for one in row.walk())
    return Exported(text_of(NewFile("the manifest", {model.section: rows})), left_out)


def _row(catalog: Catalog, model: Model, record: Fields, id_: str) -> Row:
    """A record, with the lists inside it as rows of their own."""
    lists = {child.section: child for child in catalog.children(model)}
    fields = {name: value for name, value in record.items() if name not in lists}
    row = Row(model, id_, Address(model.name, id_), fields)
    for name, child in lists.items():
        if inner := list(_inside(catalog, child, record.get(name))):
            row.inside[name] = inner
    return row


def _inside(catalog: Catalog, model: Model, records: Value) -> Iterator[Row]:
    for record in records or ():
        yield _row(catalog, model, record, str(record.get("id") or record))


def _name(row: Row, writable: Writable, names: set[str]) -> None:
    """See that what a record is called can be its key; if not, it has its id for one."""
    identity = row.model.identity
    if identity is None or "key" in row.fields:
        return
    given = row.fields.get(identity)
    name = given.strip() if isinstance(given, str) else ""
    if name and name not in names and writable.can_be_called(row.model, str(given)):
        names.add(name)
        return
    if name and name in names:
        del row.fields[identity]
        row.leave_out(identity, "another record has the same name")
    names.add(name)
    row.fields = {"key": row.id, "id": row.id, **row.fields}


def _called(row: Row) -> str:
    name = row.fields.get(row.model.called or "")
    return name.strip() if isinstance(name, str) else ""


def _name_inside(row: Row, key: str, keys: Mapping[tuple[str, str], str]) -> None:
    """Give the records inside one with this key the keys that the state knows, which continue it.
    Another one cannot be written there, so such a record keeps its id.
    """
    for one in (each for rows in row.inside.values() for each in rows):
        name, known = _called(one), keys.get((one.model.name, one.id), "")
        if known == key and not name:
            one.fields.pop("key", None)
        elif known.startswith(f"{key}/"):
            one.fields.pop("key", None)
            own = known.removeprefix(f"{key}/")
            if own != name:
                one.fields = {"key": own, **one.fields}
        own = str(one.fields.get("key") or name)
        _name_inside(one, f"{key}/{own}" if own else key, keys)


def remark(exported: Exported) -> str:
    """A sentence about what is left out; empty if nothing is."""
    number = exported.left_out
    if not number:
        return ""
    what = "1 value or record cannot" if number == 1 else f"{number:,} values or records cannot"
    return visible(f"{what} be written to a manifest; comments say why.")
