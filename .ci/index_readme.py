"""The README as a package index shows it, where relative links lead nowhere.

Once `[project.urls]` names the repository as `Source`, they become links to the files of this
version. Until then their text stays. Pictures of the repository are left out, and so are links to
headings, which an index does not resolve.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LOCAL = r"\((?![a-z]+:)(?P<path>[^()\s]+)\)"
_PICTURE = re.compile(rf"!\[[^\]]*\]{_LOCAL}\n*")
_LINKED_PICTURE = re.compile(rf"\[!\[[^\]]*\]{_LOCAL}\]\([^()\s]+\)\n*")
_PICTURES = re.compile(r"<p>\n<picture>.*?</p>\n*", re.DOTALL)
_LINK = re.compile(rf"\[(?P<text>[^\]]+)\]{_LOCAL}")
_VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)


def for_index(readme: str, files: str) -> str:
    """The text with its links below the address `files`; as plain text if that is empty."""

    def link(match: re.Match[str]) -> str:
        text, path = match["text"], match["path"]
        return text if not files or path.startswith("#") else f"[{text}]({files}/{path})"

    for picture in (_PICTURES, _LINKED_PICTURE, _PICTURE):
        readme = picture.sub("", readme)
    return _LINK.sub(link, readme)


class IndexReadme(MetadataHookInterface):
    """Sets `readme` while a package is built."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling with what pyproject.toml says."""
        root = Path(self.root)
        source = metadata.get("urls", {}).get("Source", "").rstrip("/")
        (version,) = _VERSION.findall((root / "stemctl/__init__.py").read_text(encoding="utf-8"))
        text = (root / "README.md").read_text(encoding="utf-8")
        files = f"{source}/blob/v{version}" if source else ""
        metadata["readme"] = {"content-type": "text/markdown", "text": for_index(text, files)}
