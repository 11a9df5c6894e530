"""The files with which an editor that uses yaml-language-server checks and completes manifests,
without a network.

The schemas are in the repository, so that every clone has them. A first line
(`# yaml-language-server: $schema=...`) refers to them in any editor; in VS Code the workspace
settings also cover files without such a line.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

MANIFEST_SCHEMA = ".stemctl-schema.json"
CONFIG_SCHEMA = ".stemctl-config-schema.json"
SETTINGS = ".vscode/settings.json"
EXTENSIONS = ".vscode/extensions.json"

_FORMAT = {"yaml.format.bracketSpacing": False, "yaml.format.printWidth": 120}
"""Under these settings, what an editor writes is formatted as `stemctl fmt` writes it."""

_SUFFIXES = (".yaml", ".yml")


def is_ours(text: str) -> bool:
    """Whether a file is a schema written by stemctl, so that a newer one may replace it."""
    try:
        document = json.loads(text)
    except ValueError:
        return False
    return isinstance(document, dict) and str(document.get("$id")).startswith("urn:stemctl:schema:")


def workspace_files(manifests: Sequence[str], config: str) -> dict[str, str]:
    """The workspace settings, by path, for these manifests and this name of the configuration."""
    recommended = {"recommendations": ["redhat.vscode-yaml"]}
    return {SETTINGS: _text(_settings(manifests, config)), EXTENSIONS: _text(recommended)}


def names_schemas(settings: str) -> bool:
    """Whether existing settings refer to the schemas, and to the format. They may contain comments,
    so they are not parsed or edited.
    """
    return all(name in settings for name in (MANIFEST_SCHEMA, CONFIG_SCHEMA, *_FORMAT))


def _settings(manifests: Sequence[str], config: str) -> dict[str, Any]:
    globs = [glob for entry in manifests for glob in _globs(entry)]
    schemas = {f"./{MANIFEST_SCHEMA}": globs, f"./{CONFIG_SCHEMA}": [config]}
    return {"yaml.schemas": schemas, **_FORMAT}


def _globs(entry: str) -> list[str]:
    """Globs for an entry of `manifests`: a file, or everything below a folder."""
    entry = entry.removeprefix("./").rstrip("/")
    if entry.endswith(_SUFFIXES):
        return [entry]
    below = "" if entry in ("", ".") else f"{entry}/"
    return [f"{below}**/*{suffix}" for suffix in _SUFFIXES]


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
