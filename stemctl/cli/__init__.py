"""The command line: options in, exit code out."""

from __future__ import annotations

import contextlib
import os
import sys

from stemctl.cli import streams
from stemctl.cli.help import answer
from stemctl.util.redact import VARIABLES


def start() -> None:
    """Run stemctl and exit. Help and version are answered without loading any command."""
    streams.fill_in()
    completes = "_STEMCTL_COMPLETE" in os.environ
    if completes:  # click starts a shell to ask for its version; it must not see a token
        for name in VARIABLES:
            os.environ.pop(name, None)
    text = None if completes else answer(sys.argv[1:])
    if text is None:
        from stemctl.cli.main import main

        main()
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has closed the pipe, as `| head` does
        streams.silence("stdout")
    except OSError as error:
        streams.silence("stdout")
        with contextlib.suppress(OSError):
            sys.stderr.write(f"Error: The output cannot be written: {error.strerror}.\n")
        sys.exit(1)
