"""stemctl.yaml: which files are manifests, which servers there are, and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from stemctl.errors import ConfigError
from stemctl.manifests import reader
from stemctl.manifests.document import Document
from stemctl.schema.catalog import editions
from stemctl.schema.compiled import compiled
from stemctl.schema.config_schema import Schema, config_schema
from stemctl.util.json_types import Value
from stemctl.util.suggest import nearest

if TYPE_CHECKING:
    import jsonschema

NAME = "stemctl.yaml"
SANDBOX = "sandbox:"
OFFICIAL_HOST = "www.brainstem.org"
_LONGEST_URL = 2000
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_URL = re.compile(
    r"https?://(?:[a-z0-9_][a-z0-9._-]*|\[[0-9a-f:.]+\])(?::[0-9]+)?/[a-z0-9._~!$&'()*+,;=:@%/-]*",
    re.IGNORECASE | re.ASCII,  # else the long s and the Kelvin sign pass for s and k
)
"""What every reader of URLs takes apart alike: what we check is where the requests go."""


@dataclass(frozen=True, slots=True)
class Server:
    """A named URL with portal and edition. `seed` fills a new sandbox, `faults` strike in it: both
    are files.

    The state is kept in a file, or, where `backend` is `git`, on a branch of a remote of the
    repository.
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
        """Whether it is the one inside this process."""
        return self.url == SANDBOX

    @property
    def host(self) -> str:
        """The host of its URL, empty for the sandbox."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        return self.host in _LOOPBACK


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration of one metadata repository; `root` is its folder."""

    root: Path
    manifests: tuple[str, ...] = ("records",)
    default_server: str | None = None
    servers: Mapping[str, Server] = field(default_factory=dict)
    allow: Mapping[str, int] = field(default_factory=dict)
    found: bool = True

    def _above(self) -> str:
        """Where a stemctl.yaml is, if it is in a folder above."""
        above = next((folder for folder in self.root.parents if (folder / NAME).is_file()), None)
        return f"\nThere is one in {above}: stemctl -C {above}" if above else ""

    def server(self, word: str | None) -> Server:
        """The server that `--server` names: by name, by URL, or `sandbox`; else the default one.

        Raises:
            ConfigError: there is none, or a URL that tokens must not travel to.
        """
        name = (
            word
            or self.default_server
            or (next(iter(self.servers)) if len(self.servers) == 1 else None)
        )
        if name is None:
            raise ConfigError(
                f"No server is named: there is no {NAME} here, or it has no default_server.",
                f"Looked in {self.root}.{self._above()}",
                [
                    (
                        "stemctl init",
                        f"writes {NAME} and a first manifest, with a sandbox to try it on",
                    )
                ],
            )
        if name in self.servers:
            return self.servers[name]
        if name in ("sandbox", SANDBOX):
            return Server("sandbox", SANDBOX)
        if "://" in name:
            return _named(_checked(Server("--server", _slash(name))))
        known = dict.fromkeys([*self.servers, "sandbox"])
        near = nearest(name, known)
        why = f"{NAME} has {', '.join(known)}; a URL works too."
        raise ConfigError(
            f"There is no server {name!r}.", f"{why} Nearest: {near[0]}." if near else why
        )


def load_config(root: Path) -> Config:
    """Read stemctl.yaml of a folder; without one, the defaults.

    Raises:
        ConfigError: it is not valid, with line and column.
    """
    path = root / NAME
    if not path.is_file():
        return Config(root, found=False)
    document = reader.read(path, NAME)
    if document.root is None or document.problems:
        first = document.problems[0]
        raise ConfigError(f"{first.location}: {first.message}.", first.remedy)
    data = _texts(document.root.value)
    schema = config_schema(editions())
    if not compiled(schema, schema)(data):
        raise _wrong(document, data, schema)
    return _config(root, data)


def _wrong(document: Document, data: Value, schema: Schema) -> ConfigError:
    """What jsonschema finds most telling; it is loaded only where there is something to find."""
    import jsonschema

    wrong = jsonschema.exceptions.best_match(
        jsonschema.Draft202012Validator(schema).iter_errors(data)
    )
    assert wrong is not None
    assert document.root is not None
    location = document.location(document.root.at(tuple(wrong.absolute_path)).event)
    under = ".".join(map(str, wrong.absolute_path))
    what, remedy = _in_words(wrong)
    return ConfigError(
        f"{location}: {what}.",
        " ".join([f"It stands under {under}." if under else "", remedy]).strip(),
    )


def _in_words(wrong: jsonschema.ValidationError) -> tuple[str, str]:
    """What is wrong with a part of stemctl.yaml, and what to write."""
    found, schema = cast(Value, wrong.instance), cast(Schema, wrong.schema)
    match wrong.validator:
        case "additionalProperties" if "properties" in schema:
            known = list(schema["properties"])
            key = next(str(key) for key in found if key not in known)
            near = nearest(key, known)
            return (
                f"there is no {key!r} here",
                f"Nearest: {near[0]}." if near else f"There are {', '.join(known)}.",
            )
        case "enum":
            known = [str(value) for value in schema["enum"]]
            near = nearest(str(found), known)
            return (
                f"{found!r} is none of {', '.join(dict.fromkeys(known))}",
                f"Nearest: {near[0]}." if near else "",
            )
        case "type" if found is None:
            return (
                "nothing is written here",
                f"{schema.get('description', '')} Or leave the line out.",
            )
        case "type" if schema["type"] == "object":
            return (
                f"{found!r} is no mapping",
                f"Write {{{next(iter(schema.get('properties', {'key': 0})))}: ...}}.",
            )
        case "pattern" if "patternErrorMessage" in schema:
            return f"{found!r} is not possible here", f"{schema['patternErrorMessage']}"
        case _:
            return wrong.message, ""


def _config(root: Path, data: Mapping[str, Value]) -> Config:
    servers = {}
    for name, row in data.get("servers", {}).items():
        url = row["url"]
        edition = str(row.get("edition", "2024"))
        server = Server(
            name,
            _slash(url),
            row.get("portal", "private"),
            edition,
            row.get("seed"),
            row.get("faults"),
            **row.get("state", {}),
        )
        servers[name] = _checked(server)
    return Config(
        root,
        tuple(data.get("manifests", ("records",))),
        data.get("default_server"),
        servers,
        data.get("policy", {}).get("allow", {}),
    )


def _checked(server: Server) -> Server:
    if server.is_sandbox:
        return server
    try:
        parts = urlsplit(server.url)
        known = (
            parts.hostname is not None and parts.port != 0
        )  # both raise for what is no host and no port
    except ValueError:
        known = False
    if known and "@" in parts.netloc:
        raise ConfigError(
            f"The url of {server.name} holds a user name or password.",
            "Secrets do not belong into files and commands; stemctl login gets a token.",
        )
    if not known or not _URL.fullmatch(server.url) or len(server.url) > _LONGEST_URL:
        found = (
            "" if "@" in server.url else f"It is {server.url!r:.100}. "
        )  # a password may stand there
        raise ConfigError(
            f"The url of {server.name} is no address of a server.",
            f"{found}Write https://HOST/, without ? and #, in plain letters (xn--... for others).",
        )
    if server.faults:
        raise ConfigError(
            f"{server.name} has faults, and is no sandbox.", "Faults strike in a sandbox alone."
        )
    if parts.scheme == "https" or (parts.scheme == "http" and server.is_loopback):
        return server
    raise ConfigError(
        f"{server.url} is not https.",
        "A token would travel in the open. Plain http is for this machine alone (localhost, 127.0.0.1).",
    )


def _named(server: Server) -> Server:
    """A server that is only known by its URL, with a name; its state file is called so."""
    parts = urlsplit(server.url)
    port = f"_{parts.port}" if parts.port else ""
    return replace(
        server,
        name="".join(c if c.isalnum() or c in ".-" else "_" for c in parts.hostname or "") + port,
    )


def _slash(url: str) -> str:
    return url if url == SANDBOX else url.rstrip("/") + "/"


def _texts(value: Value) -> Value:
    """`edition: 2026` is the text "2026", as people mean it."""
    if isinstance(value, dict):
        return {
            key: str(v) if key == "edition" and isinstance(v, int) else _texts(v)
            for key, v in value.items()
        }
    return value
