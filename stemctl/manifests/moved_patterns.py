"""Entries of `moved` with one `*` on each side, as the entries for the records that they mean.

`session/a_*` to `session/b_*` means each declared record `session/b_X`, which was `session/a_X`.
Everything behind this module knows entries for single records alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.core.address_patterns import is_pattern, literal
from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Address, Directive, Location
from stemctl.manifests.document import code_span
from stemctl.util.late_pattern import late_pattern
from stemctl.util.look_alike import twin_of
from stemctl.util.plural import counted

_TOKEN = late_pattern(r"\\[*?\\]|.", re.DOTALL)

Ends = tuple[str, str]
"""What is before and behind the `*` of a pattern."""


class MovedPattern(Struct, frozen=True):
    """An entry of `moved` for all records of a model whose keys fit."""

    model: str
    old: Ends
    new: Ends
    subject: str
    target: str
    location: Location

    def source(self, address: Address) -> Address | None:
        """What a record at this address was called before; None if this entry is not about it."""
        return _renamed(address, self.model, self.new, self.old)

    def goal(self, address: Address) -> Address | None:
        """What a record at this old address is called now."""
        return _renamed(address, self.model, self.old, self.new)


Move = Directive | MovedPattern


def ends(key: str) -> Ends | None:
    """What is before and behind the one `*` of a key; None if it is not a pattern of this kind."""
    tokens = _TOKEN.findall(key)
    if tokens.count("*") != 1 or "?" in tokens:
        return None
    at = tokens.index("*")
    return literal("".join(tokens[:at])), literal("".join(tokens[at + 1 :]))


def pattern(old: Address, new: Address, location: Location) -> MovedPattern | None:
    """An entry whose addresses have one `*` each and the same model; None for others."""
    before, after = ends(old.key), ends(new.key)
    if before is None or after is None or old.model != new.model or is_pattern(old.model):
        return None
    return MovedPattern(old.model, before, after, str(old), str(new), location)


def _renamed(address: Address, model: str, old: Ends, new: Ends) -> Address | None:
    key, (start, end) = address.key, old
    if address.model != model or len(key) < len(start) + len(end):
        return None
    if not (key.startswith(start) and key.endswith(end)):
        return None
    middle = key[len(start) : len(key) - len(end)]
    renamed = f"{new[0]}{middle}{new[1]}".strip()
    return Address(model, renamed) if renamed else None


class Expansion(Struct):
    """The entries of `moved` for single records, each with the declared record that it ends at, and
    what is wrong with those that have a `*`.
    """

    entries: list[Directive] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)


def expand(moves: Sequence[Move], declared: Iterable[Address], complete: bool) -> Expansion:
    """An entry for each record that a pattern means: one that is declared under its new key, and
    not under the old one. An entry for a single record wins.

    Unless the files are `complete`, a pattern that fits no record is no error.
    """
    single = [move for move in moves if isinstance(move, Directive)]
    patterns = [move for move in moves if isinstance(move, MovedPattern)]
    here = set(declared)
    targets = {move.subject: move.to for move in single}
    steps = _Steps(single, patterns, here)
    models = {pattern.model for pattern in patterns}
    steps.go_back(sorted(address for address in here if address.model in models))
    ends = {move.subject: steps.led_on.get(move.subject) or _end(move, targets) for move in single}
    found = Expansion([replace(move, to=ends[move.subject]) for move in single])
    for move in patterns:
        wrong = _wrong(move, patterns, here, steps.used, complete)
        if wrong:
            found.problems.append(_at(move, *wrong))
    known = {problem.location for problem in found.problems}
    found.problems += [problem for problem in steps.problems if problem.location not in known]
    found.entries += steps.entries
    return found


def _end(move: Directive, targets: Mapping[str, Address | None]) -> Address | None:
    """Where a chain of entries ends."""
    passed, end = {move.subject}, move.to
    while end is not None and str(end) in targets and str(end) not in passed:
        passed.add(str(end))
        end = targets[str(end)]
    return end


class _Steps(Struct):
    """Goes back from declared records to what they were called before, step by step."""

    single: Sequence[Directive]
    patterns: Sequence[MovedPattern]
    declared: Set[Address]
    entries: list[Directive] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)
    used: set[MovedPattern] = field(default_factory=set)
    led_on: dict[str, Address] = field(default_factory=dict)
    """Where entries for single records end, if a pattern moves their records on."""
    _before: dict[Address, list[Address]] = field(default_factory=dict)
    _apart: set[str] = field(default_factory=set)
    _ends: dict[Address, tuple[Address, MovedPattern]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._apart = {move.subject for move in self.single}
        for move in self.single:
            if move.to:
                self._before.setdefault(move.to, []).append(Address.parse(move.subject))

    def go_back(self, addresses: Iterable[Address]) -> None:
        """Note all that each of these records was called before, by whatever entries."""
        # Patterns may be made to go on for ever; honest ones end after one step each.
        most = len(self.patterns) + len(self.single) + 1
        for address in addresses:
            chain = [address]
            moved_on: set[Address] = set()
            for new in chain:  # grows
                before = self._before.get(new)
                if before is not None:  # an entry for a single record wins
                    earlier = [old for old in before if old not in chain]
                    chain += earlier
                    if new in moved_on:
                        self.led_on.update((str(old), address) for old in earlier)
                        moved_on.update(earlier)
                    continue
                for move, old in self._sources(new):
                    if old not in chain and len(chain) < most:
                        chain.append(old)
                        moved_on.add(old)
                        self._note(move, old, address)

    def _sources(self, new: Address) -> Iterator[tuple[MovedPattern, Address]]:
        """What patterns say that a record was called before, unless another record has that."""
        for move in self.patterns:
            old = move.source(new)
            if old is None or old == new:
                continue
            self.used.add(move)
            if old not in self.declared and str(old) not in self._apart:
                yield move, old

    def _note(self, move: MovedPattern, old: Address, end: Address) -> None:
        other, by = self._ends.setdefault(old, (end, move))
        if other == end:
            self.entries.append(Directive(str(old), move.location, end))
        elif all(problem.location != move.location for problem in self.problems):
            self.problems.append(_two_ends(move, old, other, by.location, end))


def _wrong(
    move: MovedPattern,
    patterns: Sequence[MovedPattern],
    declared: Iterable[Address],
    used: Set[MovedPattern],
    complete: bool,
) -> tuple[str, str] | None:
    """What is wrong with an entry, and the remedy."""
    if move.old == move.new:
        return f"{code_span(move.subject)} is moved to itself", "remove this entry"
    first = next(other for other in patterns if _alike(other, move))
    if first is not move:
        message = f"{code_span(move.subject)} is moved twice"
        return message, f"also in {_line(first.location)}: keep one of them"
    if move in used or not complete:
        return None
    message = f"no declared record matches {code_span(move.target)}"
    still = sorted(address for address in declared if move.goal(address))
    if still:
        others = f" and {counted(len(still) - 1, 'other')}" if len(still) > 1 else ""
        have = "have" if others else "has"
        keys = "their new keys" if others else "its new key"
        named = f"{code_span(str(still[0]))}{others} still {have} the old key"
        return message, f"{named}: write {keys} there"
    near = twin_of(move.target, [str(address) for address in declared])
    return message, near or "write what the declared records match, or remove this entry"


def _alike(left: MovedPattern, right: MovedPattern) -> bool:
    return (left.model, left.old) == (right.model, right.old)


def _two_ends(
    move: MovedPattern, old: Address, other: Address, where: Location, end: Address
) -> Diagnostic:
    message = (
        f"{code_span(str(old))} can have become {code_span(str(end))} or {code_span(str(other))}"
    )
    remedy = f"see {_line(where)}: remove one of the two, or add an entry for this record alone"
    return _at(move, message, remedy)


def _line(location: Location) -> str:
    return f"{location.file}:{location.line}"


def _at(move: MovedPattern, message: str, remedy: str) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "bad-move",
        message,
        move.location,
        remedy,
        move.subject,
        length=len(move.subject),
    )
