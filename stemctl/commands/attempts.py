"""Doing the same to several things: each is tried, and each failure is named."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from msgspec import Struct, field

from stemctl.errors import StemctlError
from stemctl.util.plural import counted

_MOST_HINTS = 3


class Attempts(Struct):
    """What was tried, and what became of it; `noun` is the thing that is counted."""

    noun: str
    tried: int = 0
    failed: list[tuple[str, StemctlError]] = field(default_factory=list)

    @contextlib.contextmanager
    def attempt(self, name: str) -> Iterator[None]:
        """Try one thing. An error is kept, so that the others have their turn."""
        self.tried += 1
        try:
            yield
        except StemctlError as error:
            self.failed.append((name, error))

    @property
    def problem(self) -> StemctlError | None:
        """All failures as one error; None if there are none."""
        if not self.failed:
            return None
        name, error = self.failed[0]
        if self.tried == 1:
            return error
        hints = tuple(dict.fromkeys(hint for _, each in self.failed for hint in each.hints))
        if len(self.failed) == 1:
            what, why = _named(name, error.what), error.why
        else:
            what = f"{len(self.failed):,} of {counted(self.tried, self.noun)} failed."
            why = "\n".join(
                _named(each, " ".join(f"{problem.what} {problem.why}".split()))
                for each, problem in self.failed
            )
        problem = StemctlError(what, why, hints[:_MOST_HINTS])
        problem.exit_code = max(each.exit_code for _, each in self.failed)
        return problem

    def finish(self) -> None:
        """End the command with an error if anything failed.

        Raises:
            StemctlError: with all failures.
        """
        if self.problem is not None:
            raise self.problem


def _named(name: str, text: str) -> str:
    return text if name in text else f"{name}: {text}"
