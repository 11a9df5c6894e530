"""A pattern that waits is the one that `re.compile` gives."""

from __future__ import annotations

import gc
import importlib
import pkgutil
import re

import pytest

import stemctl
from stemctl.util.late_pattern import LatePattern, late_pattern


def test_it_does_what_the_pattern_does() -> None:
    late, plain = late_pattern("(A)|b", re.IGNORECASE), re.compile("(A)|b", re.IGNORECASE)
    for text in ("", "xaB", "b", "ab"):
        assert late.sub("-", text) == plain.sub("-", text)
        assert late.findall(text) == plain.findall(text)
        assert bool(late.fullmatch(text)) is bool(plain.fullmatch(text))
    assert (late.pattern, late.flags, late.groups) == (plain.pattern, plain.flags, plain.groups)


def test_an_invalid_one_fails_where_it_is_used() -> None:
    late = late_pattern("(")
    with pytest.raises(re.error, match="unterminated"):
        late.match("(")


def test_all_patterns_of_the_program_are_valid() -> None:
    for module in pkgutil.walk_packages(stemctl.__path__, "stemctl."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    gc.unfreeze()  # other tests may have hidden them from the next line
    waiting = [found for found in gc.get_objects() if isinstance(found, LatePattern)]
    assert len(waiting) > 100
    for found in waiting:
        assert isinstance(found.pattern, str)
