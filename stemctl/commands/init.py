"""init: the first files of a metadata repository, and the files for its editors."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from stemctl.config.config import NAME, OFFICIAL_HOST, Config, Server, load_config
from stemctl.config.editor import (
    CONFIG_SCHEMA,
    MANIFEST_SCHEMA,
    SETTINGS,
    is_ours,
    names_schemas,
    workspace_files,
)
from stemctl.errors import ConfigError, Untouched
from stemctl.manifests.written import flow_text
from stemctl.schema.catalog import editions, load_catalog, schemas_dir
from stemctl.schema.local_schema import with_local_times
from stemctl.schema.manifest_schema import as_text
from stemctl.util.atomic_file import replace_file
from stemctl.util.late_pattern import late_pattern

TEMPLATES = Path(__file__).resolve().parent / "templates" / "init"


class Done(enum.StrEnum):
    """What became of a file."""

    WROTE = "wrote"
    REFRESHED = "refreshed"
    KEPT = "kept"


Files = Iterator[tuple[str, Done]]
"""What became of each file, as soon as it is known."""


def first_files(root: Path) -> Files:
    """Copy the templates into a folder without a stemctl.yaml. Existing files are kept."""
    if (root / NAME).exists():
        yield NAME, Done.KEPT
        return
    templates = (path for path in sorted(TEMPLATES.rglob("*")) if path.is_file())
    yield from _write(
        root,
        {
            path.relative_to(TEMPLATES).as_posix(): path.read_text(encoding="utf-8")
            for path in templates
        },
    )


def files_for(root: Path, url: str, portal: str, edition: str) -> tuple[str, Files]:
    """The name of the server with this URL in stemctl.yaml, and its first files. A stemctl.yaml
    that is there is kept: it has to name the server.

    Raises:
        ConfigError: the URL cannot be used, there is no such edition, or stemctl.yaml does not name
        the server.
    """
    config = load_config(root)
    wanted = config.server(_spelled(url))
    load_catalog(edition)
    if config.found:
        known = [name for name, server in config.servers.items() if server.url == wanted.url]
        if not known:
            raise _no_such_server(wanted, portal, edition)
        return known[0], iter([(NAME, Done.KEPT)])
    name = server_name(wanted)
    texts = {NAME: _config_text(name, wanted, portal, edition)}
    if wanted.is_sandbox:
        texts[_SEED] = (TEMPLATES / _SEED).read_text(encoding="utf-8")
    return name, _write(root, texts)


_SEED = "sandbox-seed.yaml"


_PLAIN_URL = late_pattern("https?://[A-Za-z0-9.:/_-]+")
"""URLs that need no quotes."""


def server_name(server: Server) -> str:
    """A short name for a server, after its host."""
    if server.is_sandbox:
        return "sandbox"
    if server.host == OFFICIAL_HOST:
        return "brainstem"
    if server.is_loopback:
        return "local"
    labels = [label for label in server.host.split(".") if label not in ("", "www")]
    return re.sub("[^A-Za-z0-9-]", "", "".join(labels[:1])).strip("-") or "server"


def _spelled(url: str) -> str:
    """A URL as people type it, with its scheme."""
    if "://" in url or url.startswith("sandbox"):
        return url
    return f"https://{url}"


def _config_text(name: str, server: Server, portal: str, edition: str) -> str:
    about, more = "What this repository manages, and on which server.", f"portal: {portal}"
    if server.is_sandbox:
        more = f"seed: {_SEED}"
    else:
        about += " To try something out, add\n# --server sandbox to a command: that is a server"
        about += " inside stemctl."
    url = server.url if _PLAIN_URL.fullmatch(server.url) else flow_text(server.url)
    return (
        f"# yaml-language-server: $schema={CONFIG_SCHEMA}\n"
        f"# {about}\n"
        "manifests: [records]\n"
        f"default_server: {name}\n"
        "servers:\n"
        f"  {name}: {{url: {url}, {more}, edition: {edition}}}\n"
    )


def _no_such_server(server: Server, portal: str, edition: str) -> ConfigError:
    line = f"{server_name(server)}: {{url: {server.url}, portal: {portal}, edition: {edition}}}"
    return ConfigError(
        f"{NAME} names no server with the URL {server.url}.",
        f"It is kept as it is. Add this line to it, under `servers:`\n  {line}",
        untouched=Untouched.NOTHING_READ,
    )


def editor_files(root: Path, server: str | None) -> Files:
    """Write the schemas of a server's edition, and settings where there are none. Older schemas are
    refreshed.

    Raises:
        ConfigError: stemctl.yaml is not valid, or has no such server.
    """
    config = load_config(root)
    sources = {
        MANIFEST_SCHEMA: f"{_edition(config, server)}/manifest.schema.json",
        CONFIG_SCHEMA: "config.schema.json",
    }
    schemas = {
        name: (schemas_dir() / source).read_text(encoding="utf-8")
        for name, source in sources.items()
    }
    if config.time_zone:
        manifest = json.loads(schemas[MANIFEST_SCHEMA])
        local = with_local_times(manifest, config.time_zone.key)
        schemas[MANIFEST_SCHEMA] = as_text(local)
    yield from _write(root, schemas, is_ours)
    yield from _write(root, workspace_files(config.manifests, NAME))


def settings_to_add(root: Path) -> str:
    """What to add to existing settings so that VS Code finds the schemas; empty if nothing."""
    path = root / SETTINGS
    if not path.is_file() or names_schemas(path.read_text(encoding="utf-8", errors="replace")):
        return ""
    return workspace_files(load_config(root).manifests, NAME)[SETTINGS]


def _edition(config: Config, server: str | None) -> str:
    """The edition of the selected server, or else of the first one."""
    if server or config.default_server:
        return config.server(server).edition
    return next((known.edition for known in config.servers.values()), editions()[0])


def _never(text: str) -> bool:
    return False


def _write(root: Path, texts: Mapping[str, str], ours: Callable[[str], bool] = _never) -> Files:
    """Write files that do not exist, and replace those that are `ours`."""
    for name, text in texts.items():
        yield name, _put(root / name, text, root, ours)


def _put(path: Path, text: str, root: Path, ours: Callable[[str], bool]) -> Done:
    if path.is_symlink() or not path.parent.resolve().is_relative_to(root.resolve()):
        return Done.KEPT  # nothing is written through a link
    old = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
    if path.exists() and (old is None or old == text or not ours(old)):
        return Done.KEPT
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, text)
    return Done.WROTE if old is None else Done.REFRESHED
