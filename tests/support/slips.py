"""The files of `tests/slips`: manifests with something wrong, and the screens that explain them.

A slip is a line `@@ NAME`, the text of the manifest, a line `@@@`, and the screen. Characters that
an editor does not show are written as `<U+00A0>`, tabs as `<TAB>`, and bytes as `<0xE9>`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from stemctl.core.diagnostics import Diagnostic, in_order
from stemctl.manifests.cross_file import check_references
from stemctl.manifests.load import load_repository, with_lines
from stemctl.manifests.validation import missing_fields
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.findings_text import findings_text
from stemctl.schema.catalog import load_catalog

_NAME = re.compile(r"^@@ (.+)\n", re.MULTILINE)
_SPELLED = re.compile(rb"<U\+([0-9A-F]{4,6})>|<TAB>|<0x([0-9A-F]{2})>")


@dataclass(frozen=True)
class Slip:
    """A manifest with something wrong, and the screen that explains it."""

    name: str
    source: str
    screen: str

    @property
    def data(self) -> bytes:
        """The content of the file."""
        return _SPELLED.sub(_character, self.source.encode())


def _character(match: re.Match[bytes]) -> bytes:
    if match[1]:
        return chr(int(match[1], 16)).encode()
    return bytes([int(match[2], 16)]) if match[2] else b"\t"


def read_slips(file: Path) -> list[Slip]:
    """The slips of one file."""
    _, *parts = _NAME.split(file.read_text(encoding="utf-8"))
    slips = []
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        source, _, screen = body.partition("@@@\n")
        slips.append(Slip(name, source.strip("\n") + "\n", screen.strip("\n") + "\n"))
    return slips


def write_slips(file: Path, screens: dict[str, str]) -> None:
    """Write a file anew, with these screens."""
    parts = [f"@@ {slip.name}\n{slip.source}@@@\n{screens[slip.name]}" for slip in read_slips(file)]
    file.write_text("\n".join(parts), encoding="utf-8")


def edition_of(folder: Path) -> str:
    """The edition that the files of a folder are for: its name begins with it, or it is 2024."""
    return "2026" if folder.name.startswith("2026-") else "2024"


def findings_of(folder: Path, entry: str = ".") -> tuple[Diagnostic, ...]:
    """What is found in a folder, as if none of its records were live."""
    catalog = load_catalog(edition_of(folder))
    repository, found = load_repository(folder, [entry], catalog)
    missing = [
        finding
        for record in repository.records.values()
        for finding in missing_fields(
            record, catalog.models[record.address.model], parent=repository.around(record)
        )
    ]
    found = in_order([*found, *missing, *check_references(repository, catalog)])
    return with_lines(folder, found)


def screen_of(folder: Path, data: bytes) -> str:
    """The findings about a file with this content."""
    (folder / "f.yaml").write_bytes(data)
    return findings_text(findings_of(folder), TerminalStyle(width=100)) or "(nothing)\n"
