"""stemctl as it is, with leases of seconds instead of minutes: `python -m tests.git.quick
COMMAND...`.

STEMCTL_TEST_LEASE is the lease in seconds; margin, renewals and looks shrink with it.
"""

from __future__ import annotations

import datetime
import os
from types import ModuleType

from stemctl.cli.main import main
from stemctl.commands import execute
from stemctl.core import lease as lease_times


def hurry(lease: float) -> dict[tuple[ModuleType, str], object]:
    """The constants for a lease of so many seconds, by module and name."""
    return {
        (lease_times, "DURATION"): datetime.timedelta(seconds=lease),
        (lease_times, "RENEWED_EVERY"): lease / 4,
        (lease_times, "MARGIN"): datetime.timedelta(seconds=lease / 6),
        (execute, "LOOK_EVERY"): min(0.2, lease / 10),
    }


def set_lease(lease: float) -> None:
    """Have this process live by such leases."""
    for (module, constant), value in hurry(lease).items():
        setattr(module, constant, value)


if __name__ == "__main__":
    set_lease(float(os.environ["STEMCTL_TEST_LEASE"]))
    main()
