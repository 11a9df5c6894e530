"""The answer to a shell that asks how a word may go on.

It never fails: the answer to a question that cannot be understood is no word. Whatever went to
stderr would be in the middle of the line that is typed.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stemctl.cli.completion.shells import SHELLS, answer, script, words_of
from stemctl.util import gc_pause

if TYPE_CHECKING:
    from stemctl.commands.known_words import KnownWords

VARIABLE = "_STEMCTL_COMPLETE"


def answer_shell(arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Print what may follow the words that a shell sent."""
    with contextlib.suppress(Exception), gc_pause.paused():
        text = _answer(environ[VARIABLE], arguments, environ)
        os.write(sys.__stdout__.fileno() if sys.__stdout__ else 1, text.encode())


def _answer(asked: str, arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    shell = asked.removesuffix("_source")
    if shell not in SHELLS:
        return ""
    if shell != asked:
        return script(shell)
    return proposals_text(shell, arguments, environ)


def proposals_text(shell: str, sent: Sequence[str], environ: Mapping[str, str]) -> str:
    """What the script of a shell gets for the words, or the line, that it sent."""
    from stemctl.cli.completion.command_table import command_table
    from stemctl.cli.completion.next_words import propose
    from stemctl.cli.completion.typed_line import read_line

    line = read_line(command_table(), words_of(shell, sent))

    def know() -> KnownWords:
        from stemctl.commands.known_words import KnownWords

        folder = os.path.expanduser(line.value("-C") or ".")
        return KnownWords(Path(folder), line.value("--server"), environ)

    return answer(shell, sent, propose(line, know))
