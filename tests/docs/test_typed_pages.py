"""Pages that are typed into an empty folder, as they are."""

from __future__ import annotations

import pytest

from tests.docs.test_guide import Shell, shell
from tests.docs.typed_page import type_page
from tests.support.paths import PROJECT

__all__ = ["shell"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["start", "manifests", "plan", "state", "ci"])
def test_what_the_page_shows_comes_out(shell: Shell, name: str) -> None:
    assert type_page(shell, PROJECT / "docs" / f"{name}.md") > 10
