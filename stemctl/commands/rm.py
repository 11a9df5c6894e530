"""rm: take records out of the files, with the entry that deletes or forgets them."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence

from stemctl.commands.base import read_before
from stemctl.commands.edited_records import named_records, sources
from stemctl.commands.references_to import Reference, references_to
from stemctl.commands.workspace import Workspace, open_workspace
from stemctl.commands.written_moves import take_stale, written_moves
from stemctl.core.address_patterns import escaped, is_pattern, literal
from stemctl.core.records import Address
from stemctl.core.rewrite import Rewrite
from stemctl.errors import ConfigError, Hint, StateError, StemctlError, Untouched
from stemctl.manifests.draft import Draft
from stemctl.manifests.sources import Sources
from stemctl.util.plural import first_few

_MOST = 20
"""References that an error names one by one."""

_MOST_HINTS = 3
"""Commands that an error proposes."""


def remove(workspace: Workspace, words: Sequence[str], *, keep_on_server: bool) -> Rewrite:
    """The files without the records.

    Raises:
        ConfigError: a word names no record, or others refer to one.
        InvalidFiles: the files have errors.
    """
    files = sources(workspace)
    done = _done(files, keep_on_server=keep_on_server)
    known = _applied(workspace)
    left = [word for word in words if word not in done and escaped(word) not in done]
    left = _not_gone(workspace, files, left, known)
    chosen = named_records(workspace, files, left, "rm") if left else []
    gone = _with_children(files, chosen)
    if not keep_on_server:
        _refuse_protected(files, gone)
    _refuse_referred(files, gone, keep_on_server=keep_on_server)
    draft = Draft(files)
    for address in chosen:
        record = files.repository.records[address]
        if record.parent in gone:
            continue  # the entry of its parent is about it, too
        draft.remove_record(address)
        key = "forget" if keep_on_server else "deleted"
        for name in _known_as(files, address, gone, known):
            draft.add_directive(key, escaped(str(name)), record.location.file)
    declared = set(files.repository.records) - gone
    take_stale(draft, written_moves(files) if files.repository.moved else (), (), declared)
    return draft.finish()


def _done(files: Sources, *, keep_on_server: bool) -> set[str]:
    """The records that were removed already, by the same command that was stopped on its way."""
    repository = files.repository
    entries = repository.forget if keep_on_server else repository.deleted
    exact = {one.subject for one in entries if not is_pattern(one.subject)}
    return exact - set(map(str, repository.records))


def _not_gone(
    workspace: Workspace,
    files: Sources,
    words: Sequence[str],
    known: Collection[Address] | None,
) -> list[str]:
    """The words without those that name records which the last commit has, and neither the files
    nor a state: they were removed already, and need no entry. So a command that was stopped on its
    way can be typed again, and a slip is still an error.
    """
    declared = set(map(str, files.repository.records))
    missing = {word: literal(word) for word in words if "/" in word and not is_pattern(word)}
    missing = {word: name for word, name in missing.items() if name not in declared}
    if not missing or known is None:
        return list(words)
    try:
        committed = read_before(workspace.config, workspace.catalog, "HEAD").repository.records
    except StemctlError:  # without git or a commit, nothing tells them from a slip
        return list(words)
    gone = set(map(str, committed)) - set(map(str, known))
    return [word for word in words if missing.get(word) not in gone]


def _with_children(files: Sources, chosen: Collection[Address]) -> set[Address]:
    gone = set(chosen)
    for address, record in files.repository.records.items():  # parents come before their children
        if record.parent in gone:
            gone.add(address)
    return gone


def _refuse_protected(files: Sources, gone: Collection[Address]) -> None:
    records = files.repository.records
    protected = [str(address) for address in records if address in gone]
    protected = [a for a in protected if records[Address.parse(a)].lifecycle.prevent_delete]
    if protected:
        raise ConfigError(
            f"{first_few(protected)} must not be deleted: `prevent_delete` is set.",
            "Set it to false, apply that, and type the command again.",
            [(f"stemctl show {protected[0]}", "shows where it is set")],
            untouched=Untouched.NOTHING_WRITTEN,
        )


def _refuse_referred(files: Sources, gone: Collection[Address], *, keep_on_server: bool) -> None:
    """Refuse to remove what other records refer to. A record that stays on the server may still be
    referred to by its name.
    """
    referring: dict[tuple[Address, str], list[Reference]] = {}
    for found in references_to(files, gone):
        if found.record.address in gone:
            continue
        if keep_on_server and found.word == _name(files, found.target):
            continue
        referring.setdefault((found.record.address, found.field.name), []).append(found)
    lines = []
    for (address, name), references in referring.items():
        where = references[0].record.location_of(name, references[0].word)
        named = first_few([str(one.target) for one in references])
        lines.append(f"{where.file}:{where.line}  {address} has {named} in {name}")
    if lines:
        more = len(lines) - _MOST
        shown = [*lines[:_MOST], *([f"and {more:,} more"] if more > 0 else [])]
        raise ConfigError(
            "Other records refer to what is to be removed.",
            "\n".join([*shown, "Change these references, or remove these records, too."]),
            _without_references(list(referring.values())),
            untouched=Untouched.NOTHING_WRITTEN,
        )


def _without_references(referring: Sequence[Sequence[Reference]]) -> list[Hint]:
    """The commands that take references out of lists, which may do without them."""
    commands = []
    for references in referring:
        record, field = references[0].record, references[0].field
        value = record.fields.get(field.name)
        if not isinstance(value, list) or (field.required and len(value) == len(references)):
            continue
        words = [f"{field.name}-={one.word}" for one in references]
        commands.append(shlex.join(["stemctl", "set", str(record.address), *words]))
    more = len(commands) - _MOST_HINTS
    hints = [(command, "removes the reference") for command in commands[:_MOST_HINTS]]
    if more > 0:
        hints[-1] = (hints[-1][0], f"removes the reference; and {more:,} more like it")
    return hints


def _name(files: Sources, address: Address) -> object:
    model = files.catalog.models[address.model]
    return files.repository.records[address].fields.get(model.called or "")


def _known_as(
    files: Sources, address: Address, gone: Collection[Address], known: Collection[Address] | None
) -> list[Address]:
    """The addresses that a record may have in a state: none if no state knows it, or what is inside
    it.
    """
    before = [Address.parse(one.subject) for one in files.repository.moved if one.to == address]
    names = [address, *before]
    if known is None:
        return names
    found = [name for name in names if name in known]
    inside = [one for one in gone if _is_below(files, one, address)]
    if not found and any(one in known for one in inside):
        found = [address]
    return found


def _is_below(files: Sources, address: Address, around: Address) -> bool:
    record = files.repository.records.get(address)
    while record is not None and record.parent is not None:
        if record.parent == around:
            return True
        record = files.repository.records.get(record.parent)
    return False


def _applied(workspace: Workspace) -> frozenset[Address] | None:
    """All records that a state of this repository knows; None if one of them cannot be read here.

    An entry that is not needed does no harm. So nothing is guessed, and no network is used.
    """
    found: set[Address] = set()
    others = [name for name in workspace.config.servers if name != workspace.server.name]
    for name in (None, *others):
        try:
            other = workspace
            if name is not None:
                other = open_workspace(workspace.config.root, name, workspace.environ)
            if other.store.backend.lock is not None:
                return None
            found |= other.store.read().records.keys()
        except (StateError, ConfigError, OSError):
            return None
    return frozenset(found)
