"""The command line: options in, exit code out."""

from __future__ import annotations

import contextlib
import gc
import os
import sys

from stemctl.cli import streams
from stemctl.cli.help import answer

_UNTIL_SEARCH = 100_000
"""Values that a command makes before Python searches for those that hold each other. The usual 700
make it search dozens of times while modules are loaded, which takes a twelfth of a short command.
"""


def start() -> None:
    """Run stemctl and exit. Help, version and shells are answered without loading any command."""
    gc.set_threshold(_UNTIL_SEARCH)
    streams.fill_in()
    if "_STEMCTL_COMPLETE" in os.environ:  # a shell asks, and waits
        from stemctl.cli.completion.ask import answer_shell

        answer_shell(sys.argv[1:], os.environ)
        return
    text = answer(sys.argv[1:])
    if text is None:
        from stemctl.util.quick_start import prepare

        prepare()
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
