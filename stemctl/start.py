"""A new metadata repository: stemctl.yaml, a first manifest, and the schema that editors complete with."""

from __future__ import annotations

import shutil
from pathlib import Path

from stemctl.catalog import schemas_dir
from stemctl.config import NAME
from stemctl.errors import ConfigError

TEMPLATES = Path(__file__).resolve().parent / "templates"
EDITOR_SCHEMA = ".stemctl-schema.json"


def write_first(root: Path, edition: str) -> list[str]:
    """Copy the templates and the manifest schema of an edition; files that are there already stay.

    Returns:
        the paths written, relative to `root`.

    Raises:
        ConfigError: there is a stemctl.yaml already.
    """
    if (root / NAME).exists():
        raise ConfigError(
            f"There is a {NAME} here already.",
            f"In {root}. Nothing was written.",
            [("stemctl plan", "compares what it names with the server")],
        )
    sources = {path.relative_to(TEMPLATES).as_posix(): path for path in sorted(TEMPLATES.rglob("*")) if path.is_file()}
    sources[EDITOR_SCHEMA] = schemas_dir() / edition / "manifest.schema.json"
    written = []
    for name, source in sources.items():
        target = root / name
        if not target.exists() and not target.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            written.append(name)
    return written
