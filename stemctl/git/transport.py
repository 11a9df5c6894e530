"""How the user's repository reaches a remote, so that a mirror reaches it in the same way."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote

from stemctl.util.late_pattern import late_pattern

Setting = tuple[str, str]
"""A key and its value, as git lists them."""

_KEYS = (
    "http.",
    "https.",
    "credential.",
    "url.",
    "ssh.",
    "protocol.",
    "core.sshcommand",
    "core.gitproxy",
    "core.askpass",
    "user.name",
    "user.email",
)
"""The settings that decide how a remote is reached, and as whom."""
_REMOTE = ("url", "pushurl", "proxy", "proxyauthmethod", "uploadpack", "receivepack")

_PLAIN: Sequence[Setting] = (
    ("log.showSignature", "false"),
    ("push.followTags", "false"),
    ("push.gpgSign", "false"),
    ("push.pushOption", ""),
    ("push.recurseSubmodules", "no"),
)
"""Overrides of what people configure for their own pushes, and would break ours."""

_LOGIN = late_pattern(r"https?://([^/@:\s]*):?([^/@\s]*)@")
_TOKEN = late_pattern(r"[\w-]{21,}")
"""A token in place of a user name: names are shorter, or contain dots."""


def read_settings(listed: bytes) -> list[Setting]:
    """What `git config --list -z` prints."""
    rows = listed.decode(errors="surrogateescape").split("\0")[:-1]
    pairs = (row.partition("\n") for row in rows)
    return [(key, value if equals else "true") for key, equals, value in pairs]


def missing_settings(
    theirs: Sequence[Setting], ours: Sequence[Setting], remote: str
) -> list[Setting]:
    """The user's settings that decide how to reach a remote and that a mirror does not have."""
    known, missing = Counter(ours), []
    for setting in theirs:
        if not _decides(setting[0], remote):
            continue
        if known[setting]:
            known[setting] -= 1
        else:
            missing.append(setting)
    return missing


def _decides(key: str, remote: str) -> bool:
    of_remote = key.startswith(f"remote.{remote}.") and key.rpartition(".")[2].lower() in _REMOTE
    return of_remote or key.lower().startswith(_KEYS)


def unconfigured(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without the settings that it holds for one command."""
    names = ("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "GIT_CONFIG_PARAMETERS")
    return {name: value for name, value in environ.items() if not name.startswith(names)}


def configured(environ: Mapping[str, str], settings: Sequence[Setting]) -> dict[str, str]:
    """The environment with settings in it. They are never written to a disk: one may be a token."""
    variables: dict[str, str] = {}
    rows = [*settings, *_PLAIN]
    for number, (key, value) in enumerate(rows):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return {**unconfigured(environ), **variables, "GIT_CONFIG_COUNT": str(len(rows))}


def secrets(settings: Sequence[Setting]) -> Iterator[str]:
    """The credentials among settings, as they are sent: headers, and passwords in URLs."""
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
