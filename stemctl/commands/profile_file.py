"""Profiles of servers as files."""

from __future__ import annotations

from pathlib import Path

from stemctl.commands.output_file import check_output, write_output
from stemctl.core.profile import Profile, is_profile, profile_text, read_profile
from stemctl.errors import ConfigError

_LARGEST = 16 * 2**20
"""Bytes of a profile that are read: one of all models has a hundredth of this."""


def check_target(path: Path) -> None:
    """Refuse to write a profile over anything else, before the server is asked.

    Raises:
        ConfigError: the path is a link or another file.
    """
    check_output(path, "profile", _is_profile)


def write_profile(profile: Profile, path: Path) -> None:
    """Save a profile. Only an older profile is overwritten.

    Raises:
        ConfigError: the path is a link or another file, or cannot be written.
    """
    write_output(path, profile_text(profile), "profile", _is_profile)


def _is_profile(path: Path) -> bool:
    """Whether a file is a profile."""
    return is_profile(_text(path))


def load_profile(path: Path, name: str) -> Profile:
    """The profile in a file of others.

    Raises:
        BadProfile: it is none.
        ConfigError: there is no such file, or it cannot be read.
    """
    try:
        text = _text(path)
    except OSError as error:
        raise ConfigError(f"{name} cannot be read.", f"{error.strerror}.") from error
    return read_profile(text, name)


def _text(path: Path) -> str:
    """The content of a file, as far as a profile can be long."""
    with path.open("rb") as file:
        return file.read(_LARGEST).decode("utf-8", "replace")
