"""What lets an editor with yaml-language-server check and complete a repository's files, without a
network.

The schemas lie in the repository, so that a clone has them. First lines (`# yaml-language-server:
$schema=...`) lead there in any editor, workspace settings in VS Code also from files without such a
line.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

MANIFEST_SCHEMA = ".stemctl-schema.json"
CONFIG_SCHEMA = ".stemctl-config-schema.json"
SETTINGS = ".vscode/settings.json"
EXTENSIONS = ".vscode/extensions.json"

_SUFFIXES = (".yaml", ".yml")


def is_ours(text: str) -> bool:
    """Whether a file is a schema that stemctl wrote, which a newer one may replace."""
    try:
        document = json.loads(text)
    except ValueError:
        return False
    return isinstance(document, dict) and str(document.get("$id")).startswith("urn:stemctl:schema:")


def workspace_files(manifests: Sequence[str], config: str) -> dict[str, str]:
    """The settings of a workspace, by path; `manifests` and `config` are what the repository says
    they are called.
    """
    recommended = {"recommendations": ["redhat.vscode-yaml"]}
    return {SETTINGS: _text(_settings(manifests, config)), EXTENSIONS: _text(recommended)}


def names_schemas(settings: str) -> bool:
    """Whether settings that the user keeps name the schemas. They may hold comments, so nobody
    parses or edits them.
    """
    return all(name in settings for name in (MANIFEST_SCHEMA, CONFIG_SCHEMA))


def _settings(manifests: Sequence[str], config: str) -> dict[str, Any]:
    globs = [glob for entry in manifests for glob in _globs(entry)]
    return {"yaml.schemas": {f"./{MANIFEST_SCHEMA}": globs, f"./{CONFIG_SCHEMA}": [config]}}


def _globs(entry: str) -> list[str]:
    """What an entry of `manifests` names, as editors match files: a file, or what is below a folder."""
    entry = entry.removeprefix("./").rstrip("/")
    if entry.endswith(_SUFFIXES):
        return [entry]
    below = "" if entry in ("", ".") else f"{entry}/"
    return [f"{below}**/*{suffix}" for suffix in _SUFFIXES]


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
