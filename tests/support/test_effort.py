"""The random tests follow tests/effort.py, so that `look_harder` finds them and can ask more of
them.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.effort import EFFORT, examples
from tests.support.paths import TESTS

FILES = [path for path in sorted(TESTS.rglob("*.py")) if path.name != "effort.py"]


def decorators(function: ast.FunctionDef) -> set[str]:
    return {ast.unparse(one).partition("(")[0] for one in function.decorator_list}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_a_test_with_hypothesis_inside_is_marked_as_one(path: Path) -> None:
    """Hypothesis marks its own tests, but it does not see what a test calls."""
    for outer in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(outer, ast.FunctionDef) and outer.name.startswith("test_"):
            inner = [
                node
                for node in ast.walk(outer)
                if isinstance(node, ast.FunctionDef) and node is not outer
            ]
            if any("given" in decorators(node) for node in inner):
                assert "pytest.mark.hypothesis" in decorators(outer), outer.name


def test_the_number_of_examples_comes_from_one_place() -> None:
    assert [str(path) for path in FILES if "max_examples" in path.read_text(encoding="utf-8")] == [
        __file__
    ]


def test_no_example_fails_for_being_slow() -> None:
    assert settings().deadline is None
    assert examples(7).deadline is None
    assert examples(7).max_examples == 7 * EFFORT
