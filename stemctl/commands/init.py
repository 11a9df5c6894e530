"""init: the first files of a metadata repository, and the files for its editors."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from stemctl.config.config import NAME, Config, load_config
from stemctl.config.editor import (
    CONFIG_SCHEMA,
    MANIFEST_SCHEMA,
    SETTINGS,
    is_ours,
    names_schemas,
    workspace_files,
)
from stemctl.schema.catalog import editions, schemas_dir
from stemctl.schema.local_schema import with_local_times
from stemctl.schema.manifest_schema import as_text
from stemctl.util.atomic_file import replace_file

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
