"""Time zones by their IANA names."""

from __future__ import annotations

import functools
import importlib.resources
from zoneinfo import ZoneInfo

from stemctl.errors import ConfigError
from stemctl.util.suggest import nearest


@functools.cache
def time_zone(name: str) -> ZoneInfo:
    """The zone of a name.

    The names are those of the package tzdata, since the files of a system may have more, and may
    ignore case.

    Raises:
        ConfigError: it is not the name of a zone.
    """
    names = importlib.resources.files("tzdata").joinpath("zones").read_text().split()
    if name not in names:
        near = nearest(name, names)
        remedy = f"Did you mean {near[0]}?" if near else "Write a name such as Europe/Berlin."
        raise ConfigError(f"unknown time zone {name!r}", remedy)
    return ZoneInfo(name)
