"""The text of a state file: written with a checksum, and checked when it is read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from stemctl.core.formats import NEWEST, format_of, too_new
from stemctl.core.records import Address
from stemctl.core.state import Entry, State
from stemctl.core.state_wire import StateWire, row, state_of
from stemctl.core.wire_types import typed
from stemctl.errors import Hint, StateError, Untouched
from stemctl.util.canonical_json import canonical_pieces, hash_of_pieces
from stemctl.util.json_equality import same_json
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern


def to_json(state: State) -> Iterator[str]:
    """The state as the text of its file, in pieces: sorted by address, with a checksum."""
    between = ',\n "records": {'
    yield _indented(_head(state)).removesuffix("\n}")
    for address, entry in sorted(state.records.items()):
        text = _indented({str(address): row(entry)})
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


def _indented(body: Value) -> str:
    """What `json.dumps(body, indent=1, ensure_ascii=False)` says. That indents in Python, which
    took a twentieth of an apply.
    """
    text = json.dumps(body, ensure_ascii=False).encode(errors="surrogatepass")
    return msgspec.json.format(text, indent=1).decode(errors="surrogatepass")


def _dumped(body: Value) -> str:
    return _indented(body) + "\n"


def shards_of(text: str) -> list[str]:
    """The shards that the text of a state file names; none where it holds its records itself, or is
    damaged.
    """
    try:
        found = json.loads(text).get("shards", [])
    except (ValueError, RecursionError, AttributeError):
        return []
    return [shard for shard in found if isinstance(shard, str)] if isinstance(found, list) else []


LARGE = 100_000
"""Characters. A smaller state is read before what reads quickly is loaded."""


def from_json(text: str, where: str, shards: Sequence[str] = ()) -> State:
    """Read the text of a state file, with those of its shards.

    Raises:
        StateError: it is not JSON, of a newer format, or its checksum does not match (a merge by
        git, or a hand).
    """
    if len(text) + sum(map(len, shards)) >= LARGE:
        from stemctl.core.quick_state import quick_state

        found = quick_state(text, shards)
        if found is not None:
            return found
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
        raise too_new(where, body["format"], NEWEST, Untouched.NOTHING_CHANGED)
    try:
        checksum = body.pop("checksum")
        if checksum != hash_of_pieces(canonical_pieces(body)):
            raise StateError(
                f"{where} does not match its checksum.",
                "Git merged two versions of it, or it was edited.",
                ways_out(where),
                Untouched.NOTHING_READ,
            )
        return state_of(typed(body, StateWire))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(where, text, error) from error


_MERGED = late_pattern(r"^(<<<<<<<|=======|>>>>>>>)", re.MULTILINE)


def _damaged(where: str, text: str, error: Exception) -> StateError:
    """The error for what is no state file, with the line of the damage where it can be told."""
    marks = _MERGED.search(text)
    line = text.count("\n", 0, marks.start()) + 1 if marks else getattr(error, "lineno", None)
    location = f"{where}:{line}" if line else where
    why = "It is cut off, or was edited."
    if marks:
        why = "It contains conflict markers from a git merge."
    return StateError(
        f"{location} is not a state file.", why, ways_out(where), Untouched.NOTHING_SENT
    )


def ways_out(where: str) -> list[Hint]:
    """The ways to recover from a state that cannot be read. A file in a hidden folder is never
    committed.
    """
    restart = (f"rm {where}", "starts over: the next plan re-adopts records by name")
    return (
        [restart]
        if where.startswith(".")
        else [(f"git checkout HEAD -- {where}", "restores the committed version"), restart]
    )


def _head(state: State) -> dict[str, Value]:
    """All but the records."""
    later = _later(state)
    return {
        "format": format_of(later),
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


def same_entries(left: Mapping[Address, Entry], right: Mapping[Address, Entry]) -> bool:
    """Whether two states remember the same of the same records."""
    return left.keys() == right.keys() and all(
        entry is right[address] or same_json(row(entry), row(right[address]))
        for address, entry in left.items()
    )


def _checksum(state: State) -> str:
    records = {str(address): entry for address, entry in state.records.items()}
    return hash_of_pieces(canonical_pieces({**_head(state), "records": records}, default=row))
