"""What files say: records, directives, and what is wrong with them. It adds up over files."""

from __future__ import annotations

from msgspec import Struct, field

from stemctl.core.diagnostics import Diagnostic
from stemctl.core.records import Directive, Record
from stemctl.manifests.moved_patterns import Move
from stemctl.schema.manifest_schema import DIRECTIVES


class FileContents(Struct):
    """What some files say, in their order.

    Each record comes with whether it can be used. `seen` counts the records of each file, also
    those with errors. The contents are not `complete` if some could not be read.
    """

    problems: list[Diagnostic] = field(default_factory=list)
    records: list[tuple[Record, bool]] = field(default_factory=list)
    directives: dict[str, list[Directive]] = field(
        default_factory=lambda: {name: [] for name in DIRECTIVES}
    )
    moves: list[Move] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)
    """The bytes of each file, where they are wanted."""
    complete: bool = True

    def add(self, further: FileContents) -> None:
        """Take what further files say."""
        self.problems += further.problems
        self.records += further.records
        for name, directives in further.directives.items():
            self.directives[name] += directives
        self.moves += further.moves
        self.seen.update(further.seen)
        self.kept.update(further.kept)
        self.complete &= further.complete
