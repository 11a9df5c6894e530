"""The end of the process, without taking it apart first."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End the process now. What asked to be called at its end is called.

    Python otherwise frees modules and values one by one, which takes a tenth of a short command,
    and more of a plan of many records. The system frees them at once.
    """
    if threading.active_count() > 1 or _is_watched():
        sys.exit(code)
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):  # Python says so in its own way
        sys.exit(code)
    os._exit(code)


def _is_watched() -> bool:
    """Whether a profiler or a debugger is there, which has something to say at the end."""
    if sys.version_info >= (3, 12) and any(map(sys.monitoring.get_tool, range(6))):
        return True
    return sys.getprofile() is not None or sys.gettrace() is not None
