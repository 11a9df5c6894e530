"""The command line: options in, exit code out."""

from __future__ import annotations

import os
import sys

from stemctl.cli.help import answer


def start() -> None:
    """Run stemctl and leave with its exit code; what needs no command is answered without loading any."""
    said = answer(sys.argv[1:]) if "_STEMCTL_COMPLETE" not in os.environ else None
    if said is None:
        from stemctl.cli.main import main

        main()
        return
    try:
        sys.stdout.write(said)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has left, as `| head` does
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process
