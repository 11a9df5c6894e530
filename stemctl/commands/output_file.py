"""Files that a user names for what a command made: a plan, a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from stemctl.errors import ConfigError, Untouched
from stemctl.util.atomic_file import replace_file


def check_output(path: Path, what: str, is_own: Callable[[Path], bool]) -> None:
    """Refuse to write over anything but an older file of the same. `what` is the name of what it
    holds; `is_own` says of a file that is there whether it holds that.

    Raises:
        ConfigError: the path is a link or another file.
    """
    if path.is_symlink():
        raise ConfigError(
            f"{path} is a link.",
            f"A {what} is only written to a regular file.",
            untouched=Untouched.NOTHING_WRITTEN,
        )
    if path.exists() and not is_own(path):
        raise ConfigError(
            f"{path} already exists, and is not a {what}.",
            "stemctl does not overwrite it. Choose another file.",
            untouched=Untouched.NOTHING_WRITTEN,
        )


def write_output(
    path: Path, text: str | Iterator[str], what: str, is_own: Callable[[Path], bool]
) -> None:
    """Write a file at once, where `check_output` allows it.

    Raises:
        ConfigError: the path is a link or another file, or cannot be written.
    """
    check_output(path, what, is_own)
    try:
        replace_file(path, text)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written.", str(error.strerror)) from error
