"""Profiles of servers as files."""

from __future__ import annotations

from pathlib import Path

from stemctl.core.profile import Profile, is_profile, profile_text, read_profile
from stemctl.errors import ConfigError, Untouched
from stemctl.util.atomic_file import replace_file

_LARGEST = 16 * 2**20
"""Bytes of a profile that are read: one of all models has a hundredth of this."""


def check_target(path: Path) -> None:
    """Refuse to write a profile over anything else, before the server is asked.

    Raises:
        ConfigError: the path is a link or another file.
    """
    if path.is_symlink():
        raise ConfigError(
            f"{path} is a link.",
            "A profile is only saved to a regular file.",
            untouched=Untouched.NOTHING_WRITTEN,
        )
    if path.exists() and not is_profile(_text(path)):
        raise ConfigError(
            f"{path} already exists, and is not a profile.",
            "stemctl does not overwrite it. Choose another file.",
            untouched=Untouched.NOTHING_WRITTEN,
        )


def write_profile(profile: Profile, path: Path) -> None:
    """Save a profile. Only an older profile is overwritten.

    Raises:
        ConfigError: the path is a link or another file, or cannot be written.
    """
    check_target(path)
    try:
        replace_file(path, profile_text(profile))
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written.", str(error.strerror), untouched=Untouched.NOTHING_WRITTEN
        ) from error


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
