"""The guide of docs/bring-your-lab.md, which needs the examples of the repository."""

from __future__ import annotations

import pytest

from tests.docs.test_guide import Shell, shell
from tests.docs.typed_page import type_page
from tests.support.paths import PROJECT

__all__ = ["shell"]


@pytest.mark.slow
def test_the_guide(shell: Shell) -> None:
    shell.run(f"export HOME=$PWD/home && mkdir home && ln -s '{PROJECT}' home/stemctl")
    assert type_page(shell, PROJECT / "docs" / "bring-your-lab.md") > 20
