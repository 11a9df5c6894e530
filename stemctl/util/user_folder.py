"""A folder in the home of the user, who may have none: containers run as users without one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def in_home(ask: Callable[[], str]) -> Path | None:
    """The folder that platformdirs names; None without a home.

    Older versions then give a relative path, which would be a folder of the checkout.
    """
    try:
        folder = Path(ask())
    except RuntimeError:
        return None
    return folder if folder.is_absolute() else None
