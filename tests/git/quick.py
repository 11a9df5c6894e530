"""stemctl as it is, with leases of seconds instead of minutes: `python -m tests.git.quick COMMAND...`.

STEMCTL_TEST_LEASE is the lease in seconds; margin, renewals and looks shrink with it.
"""

from __future__ import annotations

import datetime
import os

from stemctl import applying, claim
from stemctl.cli.main import main


def hurry(lease: float) -> dict[str, object]:
    """The constants for a lease of so many seconds, by where they stand."""
    return {
        "claim.LEASE": datetime.timedelta(seconds=lease),
        "claim.RENEWED_EVERY": lease / 4,
        "claim.MARGIN": datetime.timedelta(seconds=lease / 6),
        "applying.LOOK_EVERY": min(0.2, lease / 10),
    }


def set_lease(lease: float) -> None:
    """Have this process live by such leases."""
    for name, value in hurry(lease).items():
        module, _, constant = name.partition(".")
        setattr({"claim": claim, "applying": applying}[module], constant, value)


if __name__ == "__main__":
    set_lease(float(os.environ["STEMCTL_TEST_LEASE"]))
    main()
