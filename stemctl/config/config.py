"""stemctl.yaml: the manifests, the servers, and what is allowed."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.config import config_errors, file_templates
from stemctl.config.search import NAME as NAME
from stemctl.core.records import Location
from stemctl.errors import ConfigError
from stemctl.manifests import reader
from stemctl.manifests.document import Document
from stemctl.schema.catalog import editions
from stemctl.schema.compiled import compiled
from stemctl.schema.config_schema import config_schema
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern
from stemctl.util.suggest import nearest

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


SANDBOX = "sandbox:"
OFFICIAL_HOST = "www.brainstem.org"
_LONGEST_URL = 2000
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_URL = late_pattern(
    r"https?://(?:[a-z0-9_][a-z0-9._-]*|\[[0-9a-f:.]+\])(?::[0-9]+)?/"
    r"(?!(?:.*/)?\.\.?(?:/|$))[a-z0-9._~!$&'()*+,;=:@%/-]*",  # some programs resolve . and ..
    re.IGNORECASE | re.ASCII,  # else the long s and the Kelvin sign pass for s and k
)
"""URLs that all parsers split in the same way, so that requests go to the host that is checked."""


_LIKE_OURS = late_pattern(
    r"\.?(?:stem|brainstem)[-_ .]?ctl(?:[-_ .]?config)?(?:\.(?:ya?ml|json|toml))?(?:\.\w+|~)?",
    re.IGNORECASE,
)


class Server(Struct, frozen=True):
    """A named URL with portal and edition. `seed` is a file that fills a new sandbox, `faults` one
    with faults that the sandbox simulates.

    The state is kept in a file, or on a branch of a git remote if `backend` is `git`.
    """

    name: str
    url: str
    portal: str = "private"
    edition: str = "2024"
    seed: str | None = None
    faults: str | None = None
    backend: str = "file"
    remote: str = "origin"
    branch: str = "stemctl-state"

    @property
    def is_sandbox(self) -> bool:
        """Whether it is the sandbox that is built into stemctl."""
        return self.url == SANDBOX

    @property
    def host(self) -> str:
        """The host of its URL; empty for the sandbox."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        return self.host in _LOOPBACK


class Config(Struct, frozen=True):
    """The configuration of one metadata repository; `root` is its folder.

    Times without an offset are read in `time_zone`, and are errors if it is None. `layout` says how
    the files of new records are called.
    """

    root: Path
    manifests: tuple[str, ...] = ("records",)
    default_server: str | None = None
    servers: Mapping[str, Server] = field(default_factory=dict)
    allow: Mapping[str, int] = field(default_factory=dict)
    time_zone: ZoneInfo | None = None
    layout: file_templates.FileTemplate | None = None
    found: bool = True
    default_at: Location | None = None
    """Where the default server is named."""

    def server(self, name: str | None) -> Server:
        """A server by its name, by a URL, or `sandbox`; or else the default server.

        Raises:
            ConfigError: it is unknown, or its URL is not safe for tokens.
        """
        if not name:
            return self._default()
        if name in self.servers:
            return self.servers[name]
        if name in ("sandbox", SANDBOX):
            return Server("sandbox", SANDBOX)
        if "://" in name:
            return _named(_checked(Server("--server", _slash(name))))
        known = dict.fromkeys([*self.servers, "sandbox"])
        near = nearest(name, known)
        guess = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(
            f"Unknown server {name!r}.",
            f"Servers in {NAME}: {', '.join(known)}. You can also use a URL.{guess}",
        )

    def _default(self) -> Server:
        """The default server, or the only one."""
        if self.default_server:
            try:
                return self.server(self.default_server)
            except ConfigError as error:
                raise ConfigError(f"{self.default_at}: {error.what}", error.why) from error
        if len(self.servers) == 1:
            return next(iter(self.servers.values()))
        what = f"{NAME} has no default_server." if self.found else f"{NAME} not found."
        hint = ("stemctl init", f"creates {NAME}, a first manifest and a sandbox to try out")
        if self.found and not self.servers:
            raise ConfigError(
                f"{NAME} names no server.",
                "Add `default_server: sandbox` for the sandbox, or a server under `servers:`.",
                [("stemctl --server sandbox plan", "uses the sandbox for this command")],
            )
        if self.servers:
            hint = (f"stemctl --server {next(iter(self.servers))} plan", "chooses a server")
        if misnamed := self._misnamed():
            raise ConfigError(
                f"{NAME} not found.",
                f"There is {misnamed} in {self.root}: rename it to {NAME}.",
            )
        raise ConfigError(what, f"Looked in {self.root}.{self._above()}", [hint])

    def _misnamed(self) -> str:
        """A file that must be meant to be stemctl.yaml, unless there is one."""
        if self.found:
            return ""
        names = sorted(entry.name for entry in self.root.iterdir() if entry.is_file())
        like_ours = [name for name in names if _LIKE_OURS.fullmatch(name)]
        return next(iter(like_ours or difflib.get_close_matches(NAME, names, 1, 0.87)), "")

    def _above(self) -> str:
        """A sentence about a stemctl.yaml in a folder above, if there is one."""
        above = next((folder for folder in self.root.parents if (folder / NAME).is_file()), None)
        return (
            f"\nThere is one in {above}; to use it, add -C {shlex.quote(str(above))}"
            if above
            else ""
        )


def load_config(root: Path) -> Config:
    """Read the stemctl.yaml of a folder. Without one, the defaults apply.

    Raises:
        ConfigError: it is not valid; with line and column.
    """
    path = root / NAME
    if not path.is_file():
        return Config(root, found=False)
    document = reader.read(path, NAME)
    if document.root is None or document.problems:
        raise config_errors.cannot_be_read(document)
    data = _texts(document.root.value)
    schema = config_schema(editions())
    if not compiled(schema, schema)(data):
        raise config_errors.invalid(document, data, schema)
    return replace(
        _config(root, data, document),
        time_zone=_time_zone(document, data),
        layout=_layout(document, data),
    )


def _time_zone(document: Document, data: Mapping[str, Value]) -> ZoneInfo | None:
    """The zone of the lab, which is loaded only if there is one."""
    if "time_zone" not in data:
        return None
    from stemctl.config.time_zones import time_zone

    try:
        return time_zone(data["time_zone"])
    except ConfigError as error:
        assert document.root is not None
        location = document.location(document.root.members["time_zone"].event)
        raise ConfigError(f"{location}: {error.what}.", error.why) from error


def _layout(document: Document, data: Mapping[str, Value]) -> file_templates.FileTemplate | None:
    if "layout" not in data:
        return None
    try:
        return file_templates.file_template(data["layout"])
    except file_templates.InvalidTemplate as error:
        assert document.root is not None
        location = document.location(document.root.members["layout"].event)
        raise ConfigError(f"{location}: `layout`: {error.what}.", error.remedy) from error


def _config(root: Path, data: Mapping[str, Value], document: Document) -> Config:
    servers = {}
    for name, row in data.get("servers", {}).items():
        url = row["url"]
        edition = str(row.get("edition", "2024"))
        server = Server(
            name=name,
            url=_slash(url),
            portal=row.get("portal", "private"),
            edition=edition,
            seed=row.get("seed"),
            faults=row.get("faults"),
            **row.get("state", {}),
        )
        try:
            servers[name] = _checked(server)
        except ConfigError as error:
            assert document.root is not None
            key = "faults" if "faults" in error.what else "url"
            location = document.location(document.root.at(("servers", name, key)).event)
            raise ConfigError(f"{location}: {error.what}", error.why) from error
    default = document.root.members.get("default_server") if document.root else None
    return Config(
        root=root,
        default_at=document.location(default.event) if default else None,
        manifests=tuple(data.get("manifests", ("records",))),
        default_server=data.get("default_server"),
        servers=servers,
        allow=data.get("policy", {}).get("allow", {}),
    )


def _checked(server: Server) -> Server:
    """The same server, if its URL is safe for tokens.

    Raises:
        ConfigError: it is not.
    """
    if server.is_sandbox:
        return server
    parts = _split_url(server.url)
    if parts is not None and "@" in parts.netloc:
        raise ConfigError(
            f"The URL of {server.name} contains a user name or password.",
            "Remove it: do not put secrets into files or commands. "
            "To get a token, run stemctl login.",
        )
    if parts is None or not _URL.fullmatch(server.url) or len(server.url) > _LONGEST_URL:
        # A password may be before an @, so such a URL is not shown.
        shown = "" if "@" in server.url else f"It is {server.url!r:.100}. "
        better = _slash(re.split("[?#]", server.url)[0])
        if better != server.url and _URL.fullmatch(better):
            raise ConfigError(
                f"The URL of {server.name} is not valid.",
                f"Write `{better}`, without what begins with ? or #.",
            )
        raise ConfigError(
            f"The URL of {server.name} is not valid.",
            f"{shown}Write https://HOST/ without ? and #, without . and .. as parts of the path, "
            "and with ASCII letters only (xn--... for other letters).",
        )
    if server.faults:
        raise ConfigError(
            f"{server.name} has faults, but is not a sandbox.",
            "Remove `faults`, or use the sandbox: only a sandbox can simulate them.",
        )
    if parts.scheme == "https" or (parts.scheme == "http" and server.is_loopback):
        return server
    better = f"https://{server.url.partition('://')[2]}"
    raise ConfigError(
        f"{server.url} does not use HTTPS.",
        f"Write `{better}`. Only HTTPS is accepted, except for localhost: others could read a "
        "token sent over HTTP.",
    )


def _split_url(url: str) -> SplitResult | None:
    """The parts of a URL that has a host, and a valid port if it has one."""
    try:
        parts = urlsplit(url)
        return parts if parts.hostname is not None and parts.port != 0 else None
    except ValueError:
        return None


def _named(server: Server) -> Server:
    """A server of `--server URL`, named after its host. Its state file has this name."""
    parts = urlsplit(server.url)
    host = "".join(char if char.isalnum() or char in ".-" else "_" for char in parts.hostname or "")
    return replace(server, name=f"{host}_{parts.port}" if parts.port else host)


def _slash(url: str) -> str:
    return url if url == SANDBOX else url.rstrip("/") + "/"


def _texts(value: Value) -> Value:
    """The same data with editions as text, since people write `edition: 2026`."""
    if not isinstance(value, dict):
        return value
    return {
        key: str(item) if key == "edition" and isinstance(item, int) else _texts(item)
        for key, item in value.items()
    }
