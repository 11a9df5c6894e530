"""Records in SQLite: one table for all models, and one of who refers to whom.

A record is a row with its fields as a JSON document. What other records can ask about (id,
identity, references) stands beside the document, so that no question needs to read all of them.
`links.relation` is `model.field`.
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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stemctl.errors import ConfigError
from stemctl.schema.catalog import Catalog, Field, Model
from stemctl.util.json_types import Value

_FORMAT = 1
_LAYOUT = """
CREATE TABLE IF NOT EXISTS records (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    model TEXT NOT NULL, id TEXT NOT NULL, identity TEXT, body TEXT NOT NULL, UNIQUE (model, id));
CREATE INDEX IF NOT EXISTS pages ON records (model, position);
CREATE UNIQUE INDEX IF NOT EXISTS identities ON records (model, identity) WHERE identity IS NOT NULL;
CREATE TABLE IF NOT EXISTS links (
    relation TEXT NOT NULL, target TEXT NOT NULL, source INTEGER NOT NULL,
    PRIMARY KEY (relation, target, source)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sources ON links (source, relation, target);
CREATE TABLE IF NOT EXISTS logins (
    device_code TEXT PRIMARY KEY, user_code TEXT NOT NULL UNIQUE, expires REAL NOT NULL, status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, email TEXT NOT NULL);
"""
_KEPT_LISTINGS = 32
_BUSY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Sql:
    """A condition on a row of `records` that is named `r0` where it is used at the top."""

    text: str
    values: tuple[Value, ...] = ()

    @staticmethod
    def every(conditions: Iterable[Sql]) -> Sql:
        """All of the conditions; true if there are none."""
        found = tuple(conditions)
        text = " AND ".join(f"({c.text})" for c in found)
        return Sql(text or "1", tuple(value for c in found for value in c.values))


@dataclass(frozen=True, slots=True)
class Row:
    """A stored record. `body` holds its fields without those that are computed."""

    position: int
    id: str
    body: dict[str, Value]


def relation(model: Model, field: Field) -> str:
    """The name under which the references of a field are filed."""
    return f"{model.name}.{field.name}"


def targets(field: Field, body: dict[str, Value]) -> list[str]:
    """The ids that a record refers to by one field."""
    value = body.get(field.name)
    return [value] if isinstance(value, str) else list(value or ())


def stored_relations(model: Model) -> Iterator[Field]:
    """The fields that hold references of the record itself, not those that other records feed."""
    return (f for f in model.fields.values() if f.to and not f.reverse)


class Storage:
    """Rows and transactions; knows nothing of users, requests or rules."""

    def __init__(self, path: Path | None, catalog: Catalog) -> None:
        """Open the database, with its tables created where they are missing.

        Raises:
            ConfigError: the file is no database, or one of another version.
        """
        self.catalog = catalog
        # One connection serves all threads: SQLite itself is told apart by the lock, not by the
        # thread.
        self._lock = threading.RLock()
        self._listings: OrderedDict[tuple[Any, ...], array.array[int]] = OrderedDict()
        try:
            self._connection = _open(path)
        except (sqlite3.DatabaseError, OSError) as error:
            raise ConfigError(
                f"{path} cannot be used as a sandbox.",
                str(error),
                [("stemctl sandbox reset", "start anew")],
            ) from error
        self.is_new = self.query("SELECT 1 FROM sqlite_sequence WHERE name = 'records'") == []

    def close(self) -> None:
        """Close the file; what was committed stays."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:
        """All or nothing, and one state of the database from the first to the last question."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield
            except BaseException:
                # A full disk has SQLite take everything back by itself.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def query(self, text: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Run one statement."""
        with self._lock:
            return self._connection.execute(text, values).fetchall()

    def find(self, model: Model, id: str, condition: Sql | None = None) -> Row | None:
        """The record with this id, if there is one and it satisfies the condition."""
        return self._first(model, Sql.every([Sql("r0.id = ?", (id,)), condition or Sql("1")]))

    def holder(self, model: Model, field: Field, value: Value) -> Row | None:
        """The record whose unique field holds this value."""
        column = (
            "r0.identity"
            if field.name == model.identity
            else f"json_extract(r0.body, '$.\"{field.name}\"')"
        )
        return self._first(model, Sql(f"{column} = ?", (value,)))

    def _first(self, model: Model, condition: Sql) -> Row | None:
        text = f"SELECT position, id, body FROM records AS r0 WHERE model = ? AND {condition.text} LIMIT 1"
        return next(map(_row, self.query(text, (model.name, *condition.values))), None)

    def known(self, model: Model, ids: Iterable[str], condition: Sql | None = None) -> set[str]:
        """Those of the ids under which there is a record that satisfies the condition."""
        return {row.id for row in self.rows_by_id(model, ids, condition or Sql("1"))}

    def listing(self, model: Model, condition: Sql, order: str) -> array.array[int]:
        """The positions of all records that satisfy the condition.

        Kept until somebody writes, so that the pages of one listing cost one search.
        """
        key = (*self._version(), model.name, condition, order)
        if key not in self._listings:
            text = f"SELECT position FROM records AS r0 WHERE model = ? AND {condition.text} ORDER BY {order}"
            rows = self.query(text, (model.name, *condition.values))
            self._listings[key] = array.array("q", (position for (position,) in rows))
            if len(self._listings) > _KEPT_LISTINGS:
                self._listings.popitem(last=False)
        self._listings.move_to_end(key)
        return self._listings[key]

    def _version(self) -> tuple[int, int]:
        """Changes with every commit of another connection (first number) and every write of ours (second)."""
        return self.query("PRAGMA data_version")[0][0], self._connection.total_changes

    def rows(self, positions: Iterable[int]) -> list[Row]:
        """The records at these positions, in this order."""
        wanted = list(positions)
        text = "SELECT position, id, body FROM records WHERE position IN (SELECT value FROM json_each(?))"
        found = {row.position: row for row in map(_row, self.query(text, (json.dumps(wanted),)))}
        return [found[position] for position in wanted]

    def rows_by_id(self, model: Model, ids: Iterable[str], condition: Sql) -> list[Row]:
        """The records with these ids that satisfy the condition, in the order in which they were added."""
        text = "SELECT position, id, body FROM records AS r0 WHERE model = ? AND id IN (SELECT value FROM json_each(?))"
        text += f" AND {condition.text} ORDER BY position"
        return list(
            map(_row, self.query(text, (model.name, json.dumps(list(ids)), *condition.values)))
        )

    def referring(self, relation: str, ids: Iterable[str]) -> dict[str, list[str]]:
        """For each id, the records that refer to it through `relation`, in the order in which they
        were added.
        """
        text = "SELECT l.target, r.id FROM links AS l JOIN records AS r ON r.position = l.source"
        text += " WHERE l.relation = ? AND l.target IN (SELECT value FROM json_each(?)) ORDER BY r.position"
        found: dict[str, list[str]] = {}
        for target, source in self.query(text, (relation, json.dumps(list(ids)))):
            found.setdefault(target, []).append(source)
        return found

    def rows_referring(self, relation: str, id: str) -> list[Row]:
        """The records that refer to this id through `relation`."""
        text = "SELECT r.position, r.id, r.body FROM links AS l JOIN records AS r ON r.position = l.source"
        text += " WHERE l.relation = ? AND l.target = ? ORDER BY r.position"
        return list(map(_row, self.query(text, (relation, id))))

    def add(self, model: Model, body: dict[str, Value], id: str | None = None) -> Row:
        """Store a new record; it gets an id unless it brings one."""
        id = id or str(uuid.uuid4())
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
        for field in stored_relations(model):
            for target in targets(field, body):
                self.query(
                    "INSERT OR IGNORE INTO links VALUES (?, ?, ?)",
                    (relation(model, field), target, position),
                )

    def remove(self, row: Row) -> None:
        """Delete a row and what it refers to from the links; references to it are the caller's matter."""
        self.query("DELETE FROM records WHERE position = ?", (row.position,))
        self.query("DELETE FROM links WHERE source = ?", (row.position,))


def _open(path: Path | None) -> sqlite3.Connection:
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(
        path or ":memory:", _BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.create_function("fold", 1, _fold, deterministic=True)
        _log_ahead(connection)
        # No commit waits for the disk; only a power cut, not a crash, could take the last of them
        # back.
        connection.execute("PRAGMA synchronous = NORMAL")
        # Ids are random, so that a big seed touches every page of their index: keep the pages in
        # memory (64 MiB).
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("BEGIN IMMEDIATE")
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found not in (0, _FORMAT):
            raise sqlite3.DatabaseError(
                f"It has format {found}, this program knows format {_FORMAT}."
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
    """One process may write while others read, and a killed one leaves nothing half done.

    SQLite does not wait for others when it changes this mode, as it does for everything else, so we
    do.
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
