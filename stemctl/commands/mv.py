"""mv: rename records in the files, with all that refers to them, and the entry that says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.commands.edited_records import named_records, one_record, sources
from stemctl.commands.references_to import Reference, dangling, references_to
from stemctl.commands.set import written_value
from stemctl.commands.workspace import Workspace
from stemctl.commands.written_moves import MOVED, WrittenMove, move_of, take_stale, written_moves
from stemctl.core.address_patterns import escaped, is_pattern, literal
from stemctl.core.records import Address, Location, Record
from stemctl.core.rewrite import Rewrite
from stemctl.errors import ConfigError, Untouched
from stemctl.manifests.draft import Draft
from stemctl.manifests.moved_patterns import Move, MovedPattern, pattern
from stemctl.manifests.sources import Sources
from stemctl.schema.models import Model
from stemctl.util.json_types import Value

_NOWHERE = Location("", 0, 0)


class Renaming(Struct, frozen=True):
    """Old to new address of the records that are renamed, and the entry that says it."""

    addresses: Mapping[Address, Address]
    old: str
    new: str


def rename(workspace: Workspace, old: str, new: str) -> Rewrite:
    """The files with the records renamed.

    Raises:
        ConfigError: a word names no record, or a new address is taken.
        InvalidFiles: the files have errors.
    """
    files = sources(workspace)
    renaming = _renaming(workspace, files, old, new)
    draft = Draft(files)
    everything = _with_children(files, renaming.addresses)
    moves = written_moves(files)
    _refuse_taken(files, everything, moves)
    entry = move_of(Address.parse(renaming.old), Address.parse(renaming.new), _NOWHERE)
    renamer = _Renamer(files, draft, entry, everything)
    for address, target in renaming.addresses.items():
        renamer.rename(address, target)
    renamer.change_references()
    file = _tell(files, draft, renaming, everything, moves=moves)
    found = draft.finish()
    # Last, so that a run that was killed finds a record with the old name when it is typed again.
    return replace(found, files=tuple(sorted(found.files, key=lambda one: one.file == file)))


def _renaming(workspace: Workspace, files: Sources, old: str, new: str) -> Renaming:
    if is_pattern(old.partition("/")[2] or old):
        return _by_pattern(workspace, files, old, new)
    address = one_record(workspace, files, old, "mv")
    model = files.catalog.models[address.model]
    if is_pattern(new) and not is_pattern(old):
        raise _refused(f"`{new}` has a wildcard, and `{old}` has none", "write `\\*` for a `*`")
    target = Address(model.name, literal(_key_in(files, model, new)))
    if target == address:
        raise _refused(f"{address} has this name already", "write another one")
    return Renaming({address: target}, escaped(str(address)), escaped(str(target)))


def _by_pattern(workspace: Workspace, files: Sources, old: str, new: str) -> Renaming:
    name, _, key = old.partition("/")
    model = files.catalog.find(name)
    if model is None or not key:
        raise _refused(f"`{old}` names no model", f"write MODEL/{key or old}")
    before = Address(model.name, key)
    after = Address(model.name, _key_in(files, model, new))
    found = pattern(before, after, _NOWHERE)
    if found is None:
        raise _refused(
            "a pattern has one `*` in the old name and one in the new, and no `?`",
            f"write it as in `stemctl mv '{model.name}/OLD_*' '{model.name}/NEW_*'`",
        )
    if found.old == found.new:
        raise _refused("the old and the new pattern are the same", "write another one")
    chosen = named_records(workspace, files, [str(before)], "mv")
    goals = {address: found.goal(address) for address in chosen}
    addresses = {address: goal for address, goal in goals.items() if goal and goal != address}
    return Renaming(addresses, str(before), str(after))


def _key_in(files: Sources, model: Model, word: str) -> str:
    """The key that a new name means: `MODEL/KEY`, or the key alone."""
    name, slash, key = word.partition("/")
    found = files.catalog.find(name) if slash else None
    if found is not None and found is not model and key:
        raise _refused(
            f"{model.one_of_them} cannot become {found.one_of_them}",
            f"write {model.name}/{key}",
        )
    key = key if found is model else word
    if not key.strip():
        raise _refused("the new name is empty", f"write {model.name}/NAME")
    return key.strip()


def _with_children(files: Sources, addresses: Mapping[Address, Address]) -> dict[Address, Address]:
    """The records with those inside them, whose keys follow."""
    found = dict(addresses)
    for address, record in files.repository.records.items():  # parents come before their children
        if record.parent in found and address not in found:
            end = address.key[len(record.parent.key) :]
            found[address] = Address(address.model, found[record.parent].key + end)
    return found


def _refuse_taken(
    files: Sources, everything: Mapping[Address, Address], moves: Iterable[WrittenMove]
) -> None:
    """Refuse addresses that other records have, or had."""
    records = files.repository.records
    for old, new in everything.items():
        if new in records:
            where = records[new].location
            raise _refused(
                f"{old} cannot be renamed: {new} is declared in {where.file}:{where.line}",
                "choose another name, or rename that one first",
            )
    targets = set(everything.values())
    for move in moves:
        if move.old in targets and move.new not in everything:
            raise _refused(
                f"`moved:` in {move.file} says that {move.old} is {move.new} now",
                "once that is applied everywhere, remove the entry and type the command again",
            )


def _tell(
    files: Sources,
    draft: Draft,
    renaming: Renaming,
    everything: Mapping[Address, Address],
    *,
    moves: Sequence[WrittenMove],
) -> str:
    """Add the entry, and take out those that it contradicts or that lead nowhere any more. Returns
    the file of the entry.
    """
    records = files.repository.records
    file = records[next(iter(renaming.addresses))].location.file
    old, new = Address.parse(renaming.old), Address.parse(renaming.new)
    draft.add_directive(MOVED, {"from": renaming.old, "to": renaming.new}, file)
    entry = move_of(old, new, _NOWHERE)
    kept = []
    for move in moves:
        if _is_reverse(move.move, entry):
            draft.take_directive(MOVED, move.file, move.position)
        else:
            kept.append(move)
    declared = {everything.get(address, address) for address in records}
    take_stale(draft, kept, [entry], declared)
    return file


def _is_reverse(one: Move, other: Move) -> bool:
    if isinstance(one, MovedPattern) and isinstance(other, MovedPattern):
        return (one.model, one.old, one.new) == (other.model, other.new, other.old)
    if isinstance(one, MovedPattern) or isinstance(other, MovedPattern):
        return False
    return one.subject == str(other.to) and other.subject == str(one.to)


class _Renamer(Struct):
    files: Sources
    draft: Draft
    entry: Move
    everything: Mapping[Address, Address]
    """With the records inside the chosen ones."""
    names: dict[Address, tuple[str, str]] = field(default_factory=dict)
    """Old and new name of those that are called otherwise."""

    def rename(self, address: Address, target: Address) -> None:
        """Give a record its new key, and its name if that is its key."""
        record = self.files.repository.records[address]
        model = self.files.catalog.models[address.model]
        if model.embedded:
            raise _refused(
                f"{address} is known by its moment",
                "edit its file, and add an entry to `moved:`",
            )
        key = self._own_key(record, target)
        written = self.files.written(address)
        called = model.called
        old = written.get("key", written.get(called or ""))
        self.draft.rename(address, key)
        if called and called in written and ("key" not in written or written[called] == old):
            self.names[address] = str(written[called]), key
            if "key" in written:
                self.draft.set(address, called, key)

    def _own_key(self, record: Record, target: Address) -> str:
        """The part of a new key that the record itself has."""
        if record.parent is None:
            return target.key
        around = self.everything.get(record.parent, record.parent).key
        if not target.key.startswith(f"{around}/"):
            raise _refused(
                f"{record.address} is inside {record.parent}: its name begins with {around}/",
                "to put it elsewhere, move it in the files by hand",
            )
        return target.key[len(around) + 1 :]

    def change_references(self) -> None:
        """Write the new keys and names wherever records refer to the old ones."""
        words: dict[tuple[Address, str], dict[str, str]] = {}
        for found in references_to(self.files, self.everything.keys()):
            new = self._new_word(found.target, found.word)
            if new is not None:
                at = found.record.address, found.field.name
                words.setdefault(at, {})[found.word] = new
        for found in self._left_behind():
            at = found.record.address, found.field.name
            words.setdefault(at, {})[found.word] = found.target.key
        for (address, name), changed in words.items():
            model = self.files.catalog.models[address.model]
            value = written_value(self.files, address, model, name)
            self.draft.set(address, name, _replaced(value, changed))

    def _left_behind(self) -> Iterator[Reference]:
        """References to records that have their new names already: an earlier run was killed."""
        records = self.files.repository.records
        model = next(iter(self.everything)).model
        for found in dangling(self.files, model):
            goal = _goal(self.entry, found.target)
            if goal is not None and goal in records:
                yield replace(found, target=goal)

    def _new_word(self, target: Address, word: str) -> str | None:
        if word == target.key:
            return self.everything[target].key
        old, new = self.names.get(target, ("", ""))
        return new if word == old.strip() else None


def _goal(entry: Move, address: Address) -> Address | None:
    if isinstance(entry, MovedPattern):
        return entry.goal(address)
    return entry.to if entry.subject == str(address) else None


def _replaced(value: Value, words: Mapping[str, str]) -> Value:
    if isinstance(value, list):
        return [words.get(word, word) if isinstance(word, str) else word for word in value]
    return words.get(value, value) if isinstance(value, str) else value


def _refused(what: str, remedy: str) -> ConfigError:
    why = f"{remedy[:1].upper()}{remedy[1:]}"
    return ConfigError(
        f"{what[:1].upper()}{what[1:]}.", f"{why}.", untouched=Untouched.NOTHING_WRITTEN
    )
