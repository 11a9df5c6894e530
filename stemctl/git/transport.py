"""How the user's repository reaches a remote, for one of our own that has to reach it in the same
way.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote

Setting = tuple[str, str]
"""A key and its value, as git lists them."""

_KEYS = (
    *("http.", "https.", "credential.", "url.", "ssh.", "protocol."),
    *("core.sshcommand", "core.gitproxy", "core.askpass", "user.name", "user.email"),
)
"""What says how a remote is reached, and who we are there."""
_REMOTE = ("url", "pushurl", "proxy", "proxyauthmethod", "uploadpack", "receivepack")

_PLAIN: Sequence[Setting] = (
    ("log.showSignature", "false"),
    ("push.followTags", "false"),
    ("push.gpgSign", "false"),
    ("push.pushOption", ""),
    ("push.recurseSubmodules", "no"),
)
"""What people configure for their own work, and would stand in the way of ours."""

_LOGIN = re.compile(r"https?://([^/@:\s]*):?([^/@\s]*)@")
_TOKEN = re.compile(r"[\w-]{21,}")
"""What in the place of a name is none: names are shorter, or have dots in them."""


def read_settings(listed: bytes) -> list[Setting]:
    """What `git config --list -z` prints."""
    rows = listed.decode(errors="surrogateescape").split("\0")[:-1]
    pairs = (row.partition("\n") for row in rows)
    return [(key, value if equals else "true") for key, equals, value in pairs]


def transport(theirs: Sequence[Setting], ours: Sequence[Setting], remote: str) -> list[Setting]:
    """What of the user's settings says how to reach a remote, and does not hold for our repository
    by itself.
    """
    known, found = Counter(ours), []
    for setting in filter(lambda setting: _says_how(setting[0], remote), theirs):
        if known[setting]:
            known[setting] -= 1
        else:
            found.append(setting)
    return found


def _says_how(key: str, remote: str) -> bool:
    of_remote = key.startswith(f"remote.{remote}.") and key.rpartition(".")[2].lower() in _REMOTE
    return of_remote or key.lower().startswith(_KEYS)


def unconfigured(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what it configures for one command."""
    ours = ("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "GIT_CONFIG_PARAMETERS")
    return {name: value for name, value in environ.items() if not name.startswith(ours)}


def configured(environ: Mapping[str, str], settings: Sequence[Setting]) -> dict[str, str]:
    """The environment with settings for our git in it, and nowhere on a disk: a token may be among
    them.
    """
    pairs: dict[str, str] = {}
    given = [*settings, *_PLAIN]
    for number, (key, value) in enumerate(given):
        pairs |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return {**unconfigured(environ), **pairs, "GIT_CONFIG_COUNT": str(len(given))}


def secrets(settings: Sequence[Setting]) -> Iterator[str]:
    """What of it lets somebody in: headers, and passwords in URLs, in the forms in which they are sent."""
    for key, value in settings:
        if key.lower().endswith(".extraheader"):
            yield from _of_header(value)
        for user, password in _LOGIN.findall(f"{key}\n{value}"):
            user, password = unquote(user), unquote(password)
            yield base64.b64encode(f"{user}:{password}".encode()).decode()
            yield password
            if _TOKEN.fullmatch(user):
                yield user


def _of_header(header: str) -> Iterator[str]:
    word = header.rpartition(" ")[2]
    yield word
    try:
        yield base64.b64decode(word, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return
