"""The command line: options in, exit code out."""

from __future__ import annotations

import os
import sys

from stemctl.cli.help import answer
from stemctl.masking import VARIABLES


def start() -> None:
    """Run stemctl and leave with its exit code; what needs no command is answered without loading any."""
    completes = "_STEMCTL_COMPLETE" in os.environ
    if completes:  # click starts a shell to ask for its version, and no completion needs a token
        for name in VARIABLES:
            os.environ.pop(name, None)
    said = None if completes else answer(sys.argv[1:])
    if said is None:
        from stemctl.cli.main import main

        main()
        return
    try:
        sys.stdout.write(said)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has left, as `| head` does
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process
