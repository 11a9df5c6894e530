"""Regular expressions that are compiled when they are first used.

stemctl has more than a hundred of them, and a command uses a few. To compile all that a plan loads
takes as long as an empty Python needs from start to end.
"""

from __future__ import annotations

import re
from typing import Any, cast

compile_now = re.compile


def late_pattern(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """The same as `re.compile`. Functions like `re.sub` do not take it; its methods are there.

    An invalid pattern is noticed when it is used.
    """
    return cast(re.Pattern[str], LatePattern(pattern, flags))


class LatePattern:
    """Compiles at the first look at one of its names, and has that name itself from then on."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    def __getattr__(self, name: str) -> Any:
        found = getattr(compile_now(*self._arguments), name)
        setattr(self, name, found)
        return found
