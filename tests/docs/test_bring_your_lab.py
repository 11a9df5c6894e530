"""The guide of docs/bring-your-lab.md, typed word by word into an empty folder; what it shows must
be what comes out.
"""

from __future__ import annotations

import socket

import pytest

from tests.docs.test_guide import PORT, Shell, masked, shell, steps
from tests.support.paths import PROJECT

__all__ = ["shell"]
GUIDE = PROJECT / "docs" / "bring-your-lab.md"


@pytest.mark.slow
def test_the_guide(shell: Shell) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shell.run(f"export EXAMPLES='{PROJECT / 'examples'}'")
    commands = list(steps(GUIDE.read_text(encoding="utf-8")))
    assert len(commands) > 20
    for command, code, expected in commands:
        got, said = shell.run(command.replace(PORT, port))
        assert got == code, f"{command}\n{said}"
        assert masked(said.replace(port, PORT)) == masked(expected), f"{command}\n{said}"
