"""The state: per address what stemctl applied last and what the server then answered. A value;
`store.py` keeps it.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from stemctl.core.formats import NEWEST, format_of
from stemctl.core.records import Address
from stemctl.errors import Hint, StateError
from stemctl.util.canonical_json import canonical_pieces, hash_of_pieces
from stemctl.util.json_equality import same_json
from stemctl.util.json_types import Fields, Value, is_id


@dataclass(frozen=True, slots=True)
class Proposed:
    """Our latest proposal for a record: the id of its approval, and the content as it was written."""

    id: str
    sent: Fields


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A request that was sent, and what became of it is not known: sending it again could double
    what it did.

    `at` is when it was sent (UTC, ISO 8601), `body` what was sent, with ids, `declared` the same as
    it was written.
    """

    at: str
    method: str
    body: Fields
    declared: Fields


@dataclass(frozen=True, slots=True)
class Entry:
    """What is remembered of one address.

    `applied` holds the managed fields as they were written when they were applied, `observed` what
    the server then answered, only where that differs. `id` is None while a record is only proposed,
    or its creation is in doubt.
    """

    id: str | None = None
    applied: Fields = field(default_factory=dict)
    observed: Fields = field(default_factory=dict)
    prevent_delete: bool = False
    approval: Proposed | None = None
    run: str | None = None
    pending: tuple[PendingRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class Uncommitted:
    """What was applied last was not the commit: in which files it differed, in which run, and who
    applied it.
    """

    run: str
    who: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class State:
    """The memory of one server. `names` maps model, then name, to the id that a reference meant;
    `run` is the last run that is folded into it, `commit` the last commit of the files that was
    applied. `folder` is where those files are in their git repository (empty at its top), in a
    state that does not lie beside them.
    """

    url: str
    portal: str
    edition: str
    lineage: str | None = None
    serial: int = 0
    run: str | None = None
    commit: str | None = None
    uncommitted: Uncommitted | None = None
    folder: str | None = None
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    records: Mapping[Address, Entry] = field(default_factory=dict)

    def with_entry(self, address: Address, entry: Entry | None) -> State:
        """The same state with one entry set, or dropped if it is None."""
        records = {key: value for key, value in self.records.items() if key != address}
        if entry is not None:
            records[address] = entry
        return replace(self, records=records)


def to_json(state: State) -> Iterator[str]:
    """The state as the text of its file, in pieces: sorted, one record a line group, with a checksum."""
    between = ',\n "records": {'
    yield _PRETTY.encode(_head(state)).removesuffix("\n}")
    for address, entry in sorted(state.records.items()):
        text = _PRETTY.encode({str(address): row(entry)})
        yield between + text.removeprefix("{").removesuffix("\n}").replace("\n", "\n ")
        between = ","
    end = "\n }" if state.records else between + "}"
    yield f'{end},\n "checksum": {json.dumps(_checksum(state))}\n}}\n'


def to_shards(state: State) -> tuple[str, dict[str, str]]:
    """The same in pieces, for a state of many records: the text of its file without them, and shard
    to text.

    An apply then writes the shards that it changed, and no others.
    """
    shards: dict[str, dict[str, Value]] = {}
    for address, entry in sorted(state.records.items()):
        shard = hashlib.sha256(str(address).encode(errors="surrogatepass")).hexdigest()[:2]
        shards.setdefault(shard, {})[str(address)] = row(entry)
    head = {**_head(state), "records": {}, "shards": sorted(shards), "checksum": _checksum(state)}
    return _dumped(head), {shard: _dumped(entries) for shard, entries in shards.items()}


_PRETTY = json.JSONEncoder(indent=1, ensure_ascii=False)


def _dumped(body: Value) -> str:
    return _PRETTY.encode(body) + "\n"


def shards_of(text: str) -> list[str]:
    """The shards that the text of a state file names; none where it holds its records itself, or is
    damaged.
    """
    try:
        found = json.loads(text).get("shards", [])
    except (ValueError, RecursionError, AttributeError):
        return []
    return [shard for shard in found if isinstance(shard, str)] if isinstance(found, list) else []


def from_json(text: str, where: str, shards: Sequence[str] = ()) -> State:
    """Read the text of a state file, with those of its shards.

    Raises:
        StateError: it is not JSON, of a newer format, or its checksum does not match (a merge by
        git, or a hand).
    """
    try:
        body = json.loads(text)
        if shards:
            body.pop("shards")
            body["records"] = {
                key: entry for shard in shards for key, entry in json.loads(shard).items()
            }
    except (ValueError, RecursionError, AttributeError, KeyError) as error:
        raise _damaged(where, text, error) from error
    if isinstance(body, dict) and isinstance(body.get("format"), int) and body["format"] > NEWEST:
        raise StateError(
            f"{where} has format {body['format']}, this stemctl reads up to {NEWEST}.",
            "It was written by a newer stemctl. Nothing was changed.",
            [("pip install --upgrade stemctl", "gets one that reads it")],
        )
    try:
        checksum = body.pop("checksum")
        if checksum != hash_of_pieces(canonical_pieces(body)):
            raise StateError(
                f"{where} does not match its checksum.",
                "Git merged two versions of it, or it was edited. Nothing was read or sent.",
                ways_out(where),
            )
        return State(
            url=_text(body["url"]),
            portal=_text(body["portal"]),
            edition=_text(body["edition"]),
            lineage=None if body["lineage"] is None else _text(body["lineage"]),
            serial=int(body["serial"]),
            run=None if body.get("run") is None else _text(body["run"]),
            commit=None if body.get("commit") is None else _commit(body["commit"]),
            uncommitted=None
            if body.get("uncommitted") is None
            else _uncommitted(body["uncommitted"]),
            folder=None if body.get("folder") is None else _folder(body["folder"]),
            names={
                model: {_text(name): _text(id_) for name, id_ in names.items()}
                for model, names in body["names"].items()
            },
            records={Address.parse(key): _entry(value) for key, value in body["records"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(where, text, error) from error


_MERGED = re.compile(r"^(<<<<<<<|=======|>>>>>>>)", re.MULTILINE)


def _damaged(where: str, text: str, error: Exception) -> StateError:
    """The error for what is no state file, with the line of the damage where it can be told."""
    marks = _MERGED.search(text)
    line = text.count("\n", 0, marks.start()) + 1 if marks else getattr(error, "lineno", None)
    location = f"{where}:{line}" if line else where
    why = "A merge by git left its marks in it." if marks else "It is cut off, or was edited."
    return StateError(
        f"{location} is not a state file.", f"{why} Nothing was sent.", ways_out(where)
    )


def ways_out(where: str) -> list[Hint]:
    """What helps against a state that cannot be read; those below a hidden folder are never committed."""
    anew = (f"rm {where}", "starts anew: records are found again by their names and adopted")
    return (
        [anew]
        if where.startswith(".")
        else [(f"git checkout HEAD -- {where}", "takes the committed one back"), anew]
    )


def _head(state: State) -> dict[str, Value]:
    """All but the records."""
    later = _later(state)
    return {
        "format": format_of(chain(later, chain.from_iterable(map(row, state.records.values())))),
        "lineage": state.lineage,
        "serial": state.serial,
        "run": state.run,
        "commit": state.commit,
        **later,
        "url": state.url,
        "portal": state.portal,
        "edition": state.edition,
        "names": {
            model: dict(sorted(names.items()))
            for model, names in sorted(state.names.items())
            if names
        },
    }


def _later(state: State) -> dict[str, Value]:
    """What is only there where there is something to say."""
    found: dict[str, Value] = {}
    if state.uncommitted is not None:
        last = state.uncommitted
        found["uncommitted"] = {"run": last.run, "who": last.who, "files": list(last.files)}
    if state.folder is not None:
        found["folder"] = state.folder
    return found


def row(entry: Entry) -> dict[str, Value]:
    """An entry as the state file holds it."""
    found: dict[str, Value] = {"id": entry.id, "applied": dict(entry.applied)}
    if entry.observed:
        found["observed"] = dict(entry.observed)
    if entry.prevent_delete:
        found["prevent_delete"] = True
    if entry.approval:
        found["approval"] = {"id": entry.approval.id, "sent": dict(entry.approval.sent)}
    if entry.run:
        found["run"] = entry.run
    if entry.pending:
        found["doubts"] = [
            {"at": d.at, "method": d.method, "body": dict(d.body), "declared": dict(d.declared)}
            for d in entry.pending
        ]
    return found


def same_entries(left: Mapping[Address, Entry], right: Mapping[Address, Entry]) -> bool:
    """Whether two states remember the same of the same records."""
    return left.keys() == right.keys() and all(
        entry is right[address] or same_json(row(entry), row(right[address]))
        for address, entry in left.items()
    )


def _entry(row: dict[str, Value]) -> Entry:
    """An entry out of the file.

    Raises:
        KeyError, TypeError, ValueError: it is not shaped like one.
    """
    approval = row.get("approval")
    id_ = row["id"]
    if id_ is not None and not is_id(id_):
        raise ValueError(f"not an id: {id_!r}")
    return Entry(
        id=id_,
        applied=_fields(row["applied"]),
        observed=_fields(row.get("observed", _NOTHING)),
        prevent_delete=bool(row.get("prevent_delete", False)),
        approval=Proposed(_text(approval["id"]), _fields(approval["sent"])) if approval else None,
        run=row.get("run"),
        pending=tuple(_doubt(d) for d in row.get("doubts", ())),
    )


def _doubt(row: dict[str, Value]) -> PendingRequest:
    if datetime.datetime.fromisoformat(row["at"]).tzinfo is None:
        raise ValueError("a time without a zone")
    return PendingRequest(
        row["at"], _text(row["method"]), _fields(row["body"]), _fields(row["declared"])
    )


def _fields(value: Value) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value


_NOTHING: dict[str, Value] = {}
"""What was observed of most records: nothing else than what was applied. One for all, as nobody
changes it.
"""


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _uncommitted(value: Value) -> Uncommitted:
    if not isinstance(value["files"], list) or not value["files"]:
        raise TypeError("no files")
    return Uncommitted(_text(value["run"]), _text(value["who"]), tuple(map(_text, value["files"])))


def _folder(value: Value) -> str:
    folder = _text(value)
    if folder.startswith("/") or ".." in folder.split("/") or "\0" in folder:
        raise ValueError("no folder of a repository")
    return folder


_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


def _commit(value: Value) -> str:
    if not isinstance(value, str) or not _COMMIT.fullmatch(value):
        raise ValueError("no commit")  # it becomes a word of a command line
    return value


def _checksum(state: State) -> str:
    records = {str(address): entry for address, entry in state.records.items()}
    return hash_of_pieces(canonical_pieces({**_head(state), "records": records}, default=row))
