"""Make the pictures of the documentation from real output: `python -m tests.docs.pictures`.

Commands are typed at a terminal of a fixed size, in a copy of an example lab. Ids and times differ
from run to run, so they are replaced. Everything else is what stemctl and git print.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.docs.terminal import environ, typed
from tests.support.paths import PROJECT

FOLDER = PROJECT / "docs" / "pictures"
COLUMNS = 100
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
_PAGE_KEY = b"page"

_THEME = TerminalTheme(
    (24, 27, 33),
    (214, 218, 224),
    [
        *((24, 27, 33), (240, 113, 120), (149, 200, 118), (232, 190, 108)),
        *((112, 176, 240), (198, 146, 226), (98, 196, 200), (214, 218, 224)),
    ],
)

_CHANGING = (
    (r"\brun \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(-\d+)?", "run 2024-03-14T12:00:00Z"),
    (r"\bin \d+\.\d s\b", "in 0.1 s"),
    (r"made on [^<]+? UTC by [^<]+?\.<", "made on 2024-03-14 at 12:00 UTC by ann@lab.<"),
    (r"\bsha256:[0-9a-f]{64}\b", f"sha256:{hashlib.sha256(b'').hexdigest()}"),
)
"""What differs from run to run, besides ids, and what takes its place."""

# Without the web font of rich: a picture loads nothing. `textLength` in its lines keeps columns
# straight in any font.
_SVG = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; white-space: pre;
}}
.{unique_id}-title {{ font-size: 18px; font-family: system-ui, "DejaVu Sans", sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


class Lab:
    """A copy of an example lab, applied, and a colleague who changes some of its records."""

    def __init__(self, folder: Path, example: str = "rat-lab") -> None:
        self.home, self.folder = folder / "home", folder / "lab"
        self.home.mkdir()
        date = "2024-03-14T12:00:00Z"
        self.env = environ(
            HOME=str(self.home),
            GIT_PAGER="cat",
            GIT_CONFIG_NOSYSTEM="1",
            GIT_AUTHOR_DATE=date,
            GIT_COMMITTER_DATE=date,
        )
        ignored = shutil.ignore_patterns(".stemctl")
        shutil.copytree(PROJECT / "examples" / example, self.folder, ignore=ignored)
        (self.home / ".gitconfig").write_text(
            "[user]\nname = Ann\nemail = ann@lab.example\n[init]\ndefaultBranch = main\n"
            "[color]\nui = always\n",
            encoding="utf-8",
        )
        self.quietly("stemctl apply --auto-approve")
        accept = "BRAINSTEM_TOKEN=sandbox-admin stemctl approvals accept"
        for proposal in json.loads(self.quietly("stemctl approvals list -o json")):
            self.quietly(f"{accept} '{proposal['address']}'")
        self.quietly("stemctl apply --auto-approve; git init -q && git add . && git commit -qm lab")

    def quietly(self, command: str, folder: Path | None = None) -> str:
        """The output of a command that is not in the picture."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder or self.folder,
            env=self.env,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def colleague(self, old: str, new: str) -> None:
        """A colleague changes a record on the server."""
        other = self.folder.parent / "colleague"
        shutil.copytree(self.folder, other)
        self.edit(old, new, other)
        self.quietly("stemctl apply --auto-approve", other)
        shutil.copy2(other / ".stemctl/sandbox.db", self.folder / ".stemctl/sandbox.db")
        shutil.rmtree(other)

    def edit(self, old: str, new: str, folder: Path | None = None) -> None:
        """Replace a text of the sessions."""
        path = (folder or self.folder) / "records/sessions/2024-03.yaml"
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")

    def terminal(self, *commands: str, answers: tuple[str, ...] = ()) -> str:
        """What a terminal shows after some commands."""
        shown = []
        for command in commands:
            _, text = typed(command, self.folder, self.env, columns=COLUMNS, answers=answers)
            shown.append(f"\x1b[2m$\x1b[0m \x1b[1m{command}\x1b[0m\n{text}")
        return "\n".join(shown).rstrip()


def edited(lab: Lab) -> None:
    """A colleague changed a note on the server; you edited a session, and added one."""
    lab.colleague("Forty trials.", "Forty-one trials.")
    lab.edit("Second day, with", "Second day on the maze, with")
    with (lab.folder / "records/sessions/2024-03.yaml").open("a", encoding="utf-8") as file:
        file.write(
            "  - name: rat12_2024-03-14\n"
            "    date_time: 2024-03-14T09:00:00\n"
            "    description: Third day on the maze.\n"
            "    tags: [theta-maze]\n"
        )
    lab.quietly("git commit -qam 'Third day on the maze'")


def overview(lab: Lab) -> str:
    """The idea in one screen: the files, the plan, the question, the result."""
    edited(lab)
    return lab.terminal(
        "git show --format= -U0 | tail -n +5",
        "stemctl apply",
        answers=("no", "yes"),
    )


def check(lab: Lab) -> str:
    """Mistakes are found before anything is sent."""
    lab.edit("description: First day", "descripton: First day")
    lab.edit("sr: 30 kHz", "sr: 30 kilo")
    return lab.terminal("stemctl validate")


def pull(lab: Lab) -> str:
    """What a colleague changed in the browser comes into the files."""
    lab.colleague("First day on the maze.", "First day on the maze, one pause.")
    return lab.terminal("stemctl drift", "stemctl pull session", "git diff -U1 | tail -n +5")


def plan_page(lab: Lab) -> str:
    """The plan as a page."""
    edited(lab)
    return lab.quietly("stemctl plan -o html")


def report_page(lab: Lab) -> str:
    """A lab of some animals, in which two sessions are not applied yet."""
    path = lab.folder / "records/sessions/2024/rat12.yaml"
    text = path.read_text(encoding="utf-8")
    assert "alternation." in text
    new = (
        "\n  - name: rat12_2024-03-19_maze\n"
        "    date_time: 2024-03-19T14:00:00Z\n"
        "    projects: [Theta Maze Study]\n"
        "    tags: [theta-maze]\n"
    )
    path.write_text(text.replace("alternation.", "choice.", 1) + new, encoding="utf-8")
    return lab.quietly("stemctl report --out -")


TERMINALS: dict[str, Callable[[Lab], str]] = {"overview": overview, "check": check, "pull": pull}


@dataclass(frozen=True)
class Page:
    """A page, the example lab that it is about, and the size of its picture."""

    make: Callable[[Lab], str]
    example: str
    size: tuple[int, int]


PAGES = {
    "plan": Page(plan_page, "rat-lab", (1000, 1090)),
    "report": Page(report_page, "lab", (1120, 770)),
}


def fixed(text: str) -> str:
    """A text in which ids, times and users are the same each time."""
    seen: dict[str, str] = {}

    def same(found: re.Match[str]) -> str:
        digest = hashlib.sha256(str(len(seen)).encode()).hexdigest()
        made = "-".join((digest[:8], digest[8:12], f"4{digest[13:16]}", f"8{digest[17:20]}"))
        return seen.setdefault(found[0], f"{made}-{digest[20:32]}")

    text = re.sub(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", same, text)
    for pattern, constant in _CHANGING:
        text = re.sub(pattern, constant, text)
    return text


def svg(name: str, shown: str) -> str:
    """What a terminal shows, as a picture."""
    console = Console(
        record=True,
        width=COLUMNS,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    for line in Text.from_ansi(fixed(shown)).split("\n", allow_blank=True):
        for part in line.divide(range(COLUMNS, len(line), COLUMNS)):
            console.print(part, soft_wrap=True)
    made = console.export_svg(title="stemctl", theme=_THEME, code_format=_SVG, unique_id=name)
    return re.sub(r"[ \t]+$", "", made, flags=re.MULTILINE)


def page(name: str, folder: Path) -> str:
    """A page as stemctl writes it."""
    return fixed(PAGES[name].make(Lab(folder, PAGES[name].example)))


def page_hash(page_: str) -> str:
    """What the picture of a page carries, so that it is known to be current."""
    return hashlib.sha256(page_.encode()).hexdigest()


def hash_of_picture(png: bytes) -> str:
    """The hash of the page from which a picture was made."""
    for kind, content in _chunks(png):
        if kind == b"tEXt" and content.startswith(_PAGE_KEY + b"\0"):
            return content.partition(b"\0")[2].decode()
    return ""


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def photograph(page_: str, size: tuple[int, int], *, dark: bool) -> bytes:
    """A page as Chromium shows it."""
    assert CHROMIUM is not None, "Chromium is not installed."
    theme = "dark" if dark else "light"
    shown = page_.replace("<html", f'<html data-theme="{theme}"', 1)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "page.html").write_text(shown, encoding="utf-8")
        command = (
            f"{CHROMIUM} --headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
            "--disable-background-networking --disable-component-update --disable-sync "
            f"--hide-scrollbars --window-size={size[0]},{size[1]} --user-data-dir={folder}/profile "
            f"--screenshot={folder}/page.png {(folder / 'page.html').as_uri()}"
        )
        subprocess.run(command.split(), check=True, capture_output=True, timeout=120)
        png = (folder / "page.png").read_bytes()
    text = b"tEXt" + _PAGE_KEY + b"\0" + page_hash(page_).encode()
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    return png[:33] + chunk + png[33:]  # behind the signature and the header


def main() -> None:
    """Write the pictures that are not current."""
    FOLDER.mkdir(exist_ok=True)
    for name, scene in TERMINALS.items():
        with tempfile.TemporaryDirectory() as made:
            _write(FOLDER / f"{name}.svg", svg(name, scene(Lab(Path(made)))).encode())
    for name in PAGES:
        with tempfile.TemporaryDirectory() as made:
            page_ = page(name, Path(made))
        for path, dark in ((FOLDER / f"{name}.png", False), (FOLDER / f"{name}-dark.png", True)):
            if not path.exists() or hash_of_picture(path.read_bytes()) != page_hash(page_):
                _write(path, photograph(page_, PAGES[name].size, dark=dark))


def _write(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)
        print(f"wrote {path.relative_to(PROJECT)}", file=sys.stderr)


if __name__ == "__main__":
    main()
