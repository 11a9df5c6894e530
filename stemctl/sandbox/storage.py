"""Stores records in SQLite: one table for all models, and one for references.

A record is a row with its fields as a JSON document. Id, identity and references are columns as
well, so that lookups do not read all documents. `links.relation` is `model.field` for a reference,
and `model:field,field` for the values that records are looked up by.
"""

from __future__ import annotations

import array
import contextlib
import json
import sqlite3
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from stemctl.errors import ConfigError
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Value

_FORMAT = 1
_LAYOUT = """
CREATE TABLE IF NOT EXISTS records (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    model TEXT NOT NULL, id TEXT NOT NULL, identity TEXT, body TEXT NOT NULL, UNIQUE (model, id));
CREATE INDEX IF NOT EXISTS pages ON records (model, position);
CREATE UNIQUE INDEX IF NOT EXISTS identities ON records (model, identity)
    WHERE identity IS NOT NULL;
CREATE TABLE IF NOT EXISTS links (
    relation TEXT NOT NULL, target TEXT NOT NULL, source INTEGER NOT NULL,
    PRIMARY KEY (relation, target, source)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sources ON links (source, relation, target);
CREATE TABLE IF NOT EXISTS logins (
    device_code TEXT PRIMARY KEY, user_code TEXT NOT NULL UNIQUE,
    expires REAL NOT NULL, status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, email TEXT NOT NULL);
"""
_SELECT = "SELECT position, id, body FROM records"
_KEPT_LISTINGS = 32
_BUSY_SECONDS = 60


class Sql(Struct, frozen=True):
    """A condition on a row of `records`, which is named `r0` at the top level."""

    text: str
    values: tuple[Value, ...] = ()

    @staticmethod
    def every(conditions: Iterable[Sql]) -> Sql:
        """All of the conditions; true if there are none."""
        found = tuple(conditions)
        text = " AND ".join(f"({c.text})" for c in found)
        return Sql(text or "1", tuple(value for c in found for value in c.values))

    @staticmethod
    def either(conditions: Iterable[Sql]) -> Sql:
        """One of the conditions; false if there are none."""
        found = tuple(conditions)
        text = " OR ".join(f"({c.text})" for c in found)
        return Sql(f"({text})" if text else "0", tuple(value for c in found for value in c.values))


class Row(Struct, frozen=True):
    """A stored record. `body` has its fields, without the computed ones."""

    position: int
    id: str
    body: dict[str, Value]


def relation(model: Model, field: Field) -> str:
    """The relation name of the references of a field."""
    return f"{model.name}.{field.name}"


def targets(field: Field, body: dict[str, Value]) -> list[str]:
    """The ids that a record refers to by one field."""
    value = body.get(field.name)
    if value is None:
        return []
    return list(map(str, value)) if isinstance(value, list) else [str(value)]


def lookups(model: Model) -> tuple[tuple[str, ...], ...]:
    """The groups of fields that records are looked up by, besides the identity."""
    unique = {(f.name,) for f in model.fields.values() if f.unique and f.name != model.identity}
    label = {(model.label,)} if model.label else set()
    return tuple(sorted({*unique, *label, *model.together_unique}))


def _lookup(model: Model, names: tuple[str, ...]) -> str:
    return f"{model.name}:{','.join(names)}"


def _looked_up(names: tuple[str, ...], body: Mapping[str, Value]) -> str | None:
    """The values of a group of fields as text; None if one of them is empty."""
    values = [body.get(name) for name in names]
    return None if any(value in (None, "") for value in values) else json.dumps(values)


def by_lookup(model: Model, body: Mapping[str, Value], depth: int) -> Sql:
    """The condition that a row has the values of `body`, whose keys are one group of `lookups`."""
    names = tuple(body)
    text = f"r{depth}.position IN (SELECT source FROM links WHERE relation = ? AND target = ?)"
    return Sql(text, (_lookup(model, names), _looked_up(names, body)))


def stored_relations(model: Model) -> Iterator[Field]:
    """The fields with references of the record itself, not those that other records fill."""
    return (f for f in model.fields.values() if f.to and not f.reverse)


class Storage:
    """Rows and transactions, without users, requests or rules."""

    def __init__(self, path: Path | None, catalog: Catalog) -> None:
        """Open the database, and create missing tables.

        Raises:
            ConfigError: the file is not a database, or has another version.
        """
        self.catalog = catalog
        # One connection serves all threads, and the lock serialises them.
        self._lock = threading.RLock()
        self._listings: OrderedDict[tuple[Any, ...], array.array[int]] = OrderedDict()
        try:
            self._connection = _open(path)
        except (sqlite3.DatabaseError, OSError) as error:
            raise _unusable(path, error) from error

    def close(self) -> None:
        """Close the file. Committed data stays."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:
        """A transaction: all or nothing, with one view of the database."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield
            except BaseException:
                # On a full disk, SQLite rolls back by itself.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def query(self, text: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Run one statement."""
        with self._lock:
            return self._connection.execute(text, values).fetchall()

    def find(self, model: Model, id: str, condition: Sql | None = None) -> Row | None:
        """The record with this id, if it exists and satisfies the condition."""
        found = Sql.every([Sql("r0.id = ?", (id,)), condition or Sql("1")])
        text = f"{_SELECT} AS r0 WHERE model = ? AND {found.text} LIMIT 1"
        return next(map(_row, self.query(text, (model.name, *found.values))), None)

    def holders(self, model: Model, body: Mapping[str, Value], *names: str) -> list[Row]:
        """The records that have the same values as `body` in these fields, none of which is empty.

        The fields are the identity, or one group of `lookups`.
        """
        if _looked_up(names, body) is None:
            return []
        found = by_lookup(model, {name: body[name] for name in names}, 0)
        if names == (model.identity,):
            found = Sql("r0.identity = ?", (body[names[0]],))
        text = f"{_SELECT} AS r0 WHERE model = ? AND {found.text} ORDER BY position"
        return list(map(_row, self.query(text, (model.name, *found.values))))

    def known(self, model: Model, ids: Iterable[str], condition: Sql | None = None) -> set[str]:
        """The ids of existing records that satisfy the condition."""
        return {row.id for row in self.rows_by_id(model, ids, condition or Sql("1"))}

    def listing(self, model: Model, condition: Sql, order: str) -> array.array[int]:
        """The positions of all records that satisfy the condition.

        Cached until a write, so that the pages of one listing take one search.
        """
        key = (*self._version(), model.name, condition, order)
        if key not in self._listings:
            text = f"SELECT position FROM records AS r0 WHERE model = ? AND {condition.text}"
            text += f" ORDER BY {order}"
            rows = self.query(text, (model.name, *condition.values))
            self._listings[key] = array.array("q", (position for (position,) in rows))
            if len(self._listings) > _KEPT_LISTINGS:
                self._listings.popitem(last=False)
        self._listings.move_to_end(key)
        return self._listings[key]

    def _version(self) -> tuple[int, int]:
        """Two numbers: one changes with commits of other connections, one with our writes."""
        return self.query("PRAGMA data_version")[0][0], self._connection.total_changes

    def rows(self, positions: Iterable[int]) -> list[Row]:
        """The records at these positions, in this order."""
        wanted = list(positions)
        text = f"{_SELECT} WHERE position IN (SELECT value FROM json_each(?))"
        found = {row.position: row for row in map(_row, self.query(text, (json.dumps(wanted),)))}
        return [found[position] for position in wanted]

    def rows_by_id(self, model: Model, ids: Iterable[str], condition: Sql) -> list[Row]:
        """The records with these ids that satisfy the condition, in order of creation."""
        text = f"{_SELECT} AS r0 WHERE model = ? AND id IN (SELECT value FROM json_each(?))"
        # With a bare column, SQLite walks through all records in this order.
        text += f" AND {condition.text} ORDER BY +position"
        values = (model.name, json.dumps(list(ids)), *condition.values)
        return list(map(_row, self.query(text, values)))

    def referring(self, relation: str, ids: Iterable[str]) -> dict[str, list[str]]:
        """For each id, the records that refer to it through `relation`, in order of creation."""
        text = "SELECT l.target, r.id FROM links AS l JOIN records AS r ON r.position = l.source"
        text += " WHERE l.relation = ? AND l.target IN (SELECT value FROM json_each(?))"
        text += " ORDER BY r.position"
        found: dict[str, list[str]] = {}
        for target, source in self.query(text, (relation, json.dumps(list(ids)))):
            found.setdefault(target, []).append(source)
        return found

    def rows_referring(self, relation: str, id: str) -> list[Row]:
        """The records that refer to this id through `relation`."""
        text = "SELECT r.position, r.id, r.body FROM links AS l"
        text += " JOIN records AS r ON r.position = l.source"
        text += " WHERE l.relation = ? AND l.target = ? ORDER BY r.position"
        return list(map(_row, self.query(text, (relation, id))))

    def last_position(self) -> int:
        """The position of the last record that was ever added; 0 if there was none."""
        found = self.query("SELECT seq FROM sqlite_sequence WHERE name = 'records'")
        return int(found[0][0]) if found else 0

    def new_id(self, model: Model) -> str:
        """An id that no record of the model has or had."""
        if not model.integer_ids:
            return str(uuid.uuid4())
        # Positions are never used again, and ids of a seed may be larger.
        text = "SELECT coalesce(max(CAST(id AS INTEGER)), 0) FROM records WHERE model = ?"
        ((largest,),) = self.query(text, (model.name,))
        return str(max(largest, self.last_position()) + 1)

    def add(self, model: Model, body: dict[str, Value], id: str | None = None) -> Row:
        """Store a new record, with a new id if none is given."""
        id = id or self.new_id(model)
        text = (
            "INSERT INTO records (model, id, identity, body) VALUES (?, ?, ?, ?) RETURNING position"
        )
        ((position,),) = self.query(text, (model.name, id, _identity(model, body), _text(body)))
        self._link(model, position, body)
        return Row(position, id, body)

    def replace(self, model: Model, row: Row, body: dict[str, Value]) -> Row:
        """Store other fields for a record."""
        values = (_identity(model, body), _text(body), row.position)
        self.query("UPDATE records SET identity = ?, body = ? WHERE position = ?", values)
        self.query("DELETE FROM links WHERE source = ?", (row.position,))
        self._link(model, row.position, body)
        return Row(row.position, row.id, body)

    def _link(self, model: Model, position: int, body: dict[str, Value]) -> None:
        found = [
            (relation(model, field), target)
            for field in stored_relations(model)
            for target in targets(field, body)
        ]
        keys = ((_lookup(model, names), _looked_up(names, body)) for names in lookups(model))
        found += [(name, key) for name, key in keys if key is not None]
        with self._lock:
            self._connection.executemany(
                "INSERT OR IGNORE INTO links VALUES (?, ?, ?)",
                [(name, target, position) for name, target in found],
            )

    def remove(self, row: Row) -> None:
        """Delete a row and its own references. References to it are left to the caller."""
        self.query("DELETE FROM records WHERE position = ?", (row.position,))
        self.query("DELETE FROM links WHERE source = ?", (row.position,))


def _unusable(path: Path | None, error: Exception) -> ConfigError:
    what = f"{path} cannot be used as a sandbox."
    number = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest says more than we need
    forbidden = number in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
    if forbidden or isinstance(error, PermissionError):
        why = "It cannot be written, which every command needs: check who owns it and its folder."
        return ConfigError(what, why)
    return ConfigError(what, str(error), [("stemctl sandbox reset", "creates a new sandbox")])


def _open(path: Path | None) -> sqlite3.Connection:
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(
        path or ":memory:", _BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.create_function("fold", 1, _fold, deterministic=True)
        _log_ahead(connection)
        # Commits do not wait for the disk. Only a power failure, not a crash, can lose the last.
        connection.execute("PRAGMA synchronous = NORMAL")
        # Ids are random, so a large seed touches all pages of their index: keep 64 MiB in memory.
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("BEGIN IMMEDIATE")
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found not in (0, _FORMAT):
            raise sqlite3.DatabaseError(
                f"It has format {found}, but stemctl needs format {_FORMAT}."
            )
        for statement in _LAYOUT.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_FORMAT}")
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Use a write-ahead log: processes may read during a write, and a killed one does no harm.

    SQLite does not wait for other processes when it changes this mode, so we do.
    """
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _fold(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def _row(columns: tuple[Any, ...]) -> Row:
    position, id_, body = columns
    return Row(position, id_, json.loads(body))


def _text(body: dict[str, Value]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _identity(model: Model, body: dict[str, Value]) -> Value:
    return body.get(model.identity) if model.identity else None
