"""Do no more than parse all YAML files below a folder with the C parser: `parse.py FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml


def main(folder: str) -> None:
    """Take every event of every file, and make nothing of it."""
    for path in Path(folder).rglob("*.yaml"):
        parser = yaml.cyaml.CParser(path.read_bytes())  # type: ignore[attr-defined]  # unknown to its stubs
        while type(parser.get_event()) is not yaml.StreamEndEvent:
            pass


if __name__ == "__main__":
    main(sys.argv[1])
