"""The command line: options in, exit code out."""

from __future__ import annotations

import contextlib
import os
import sys

from stemctl.cli import streams
from stemctl.cli.help import answer


def start() -> None:
    """Run stemctl and leave with its exit code; what needs no command is answered without loading any."""
    streams.fill_in()
    said = answer(sys.argv[1:]) if "_STEMCTL_COMPLETE" not in os.environ else None
    if said is None:
        from stemctl.cli.main import main

        main()
        return
    try:
        sys.stdout.write(said)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has left, as `| head` does
        streams.silence("stdout")
    except OSError as error:
        streams.silence("stdout")
        with contextlib.suppress(OSError):
            sys.stderr.write(f"Error: The output could not be written: {error.strerror}.\n")
        sys.exit(1)
