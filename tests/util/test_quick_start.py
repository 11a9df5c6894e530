"""A quick start shows what a plain one shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stemctl.util import quick_start

PLAIN = "from stemctl.cli.main import main; main()"
QUICK = "from stemctl.cli import start; start()"


def said(code: str, folder: Path, *words: str) -> tuple[int, str, str]:
    command = [sys.executable, "-c", f"import sys; sys.argv[1:] = {words!r}\n{code}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stemctl.yaml").write_text("manifests: [a.yaml]\n", encoding="utf-8")
    text = "sessions:\n  - {name: a, date_time: 2026-01-01, projcts: [x], description: 1}\n"
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "line",
    ["validate", "fmt --check", "explain session", "plan --offline", "validat", "new --help"],
)
def test_both_say_the_same(folder: Path, line: str) -> None:
    quick = said(QUICK, folder, *line.split())
    assert quick == said(PLAIN, folder, *line.split())
    assert any(quick[1:])


def test_modules_wait_until_they_are_used() -> None:
    code = """
        import sys, types
        from stemctl.util import quick_start
        quick_start.prepare()
        import bz2, difflib, hashlib, ipaddress, textwrap, typing_extensions
        waiting = {name for name in quick_start.LATE
            if name in sys.modules and type(sys.modules[name]) is not types.ModuleType}
        assert waiting >= {"bz2", "difflib", "hashlib", "ipaddress", "textwrap"}, waiting
        from difflib import SequenceMatcher
        assert hashlib.sha256(b"").hexdigest().startswith("e3b0")
        assert hashlib.__spec__.loader is hashlib.__loader__ and hashlib.__file__
        import hashlib as again
        assert again is hashlib and type(hashlib) is type(difflib) is types.ModuleType
        assert str(ipaddress.ip_address("::1")) == "::1"
        quick_start.finish()
        assert all(type(sys.modules[name]) is types.ModuleType for name in waiting)
        assert bz2.decompress(bz2.compress(b"x")) == b"x"
        assert "secrets" not in sys.modules
        import secrets
        assert type(secrets) is types.ModuleType
    """
    lines = [line.removeprefix("        ") for line in code.splitlines()]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True)


def test_all_modules_that_wait_exist() -> None:
    for name in quick_start.LATE:
        assert __import__(name)


def test_a_valid_file_needs_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("sessions: []\n", encoding="utf-8")
    (tmp_path / "stemctl.yaml").write_text(
        "default_server: sandbox\nmanifests: [a.yaml]\n", encoding="utf-8"
    )
    code = """
import sys, types
from stemctl.cli import leave, start
from stemctl.util import quick_start

def tell(code):
    late = [name for name in quick_start.LATE if name in sys.modules]
    done = [name for name in late if type(sys.modules[name]) is types.ModuleType]
    print(code, len(late) > 20, sorted(done))

leave.leave = tell
start()
"""
    assert said(code, tmp_path, "validate") == (
        0,
        "No errors in 1 file, 0 records checked against edition 2024. Nothing was sent.\n"
        "0 True []\n",
        "",
    )


@pytest.mark.parametrize("name", ["bz2", "lzma", "ssl"])
def test_a_python_that_lacks_a_module_goes_on_without_it(name: str) -> None:
    code = f"""
import sys
sys.modules["_{name}"] = None  # as where its library was not there when Python was built
from stemctl.util import quick_start
quick_start.prepare()
import asyncio, shutil
assert "{name}" not in sys.modules
quick_start.finish()
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_module_whose_execution_was_interrupted_is_executed_again() -> None:
    code = """
import sys
from stemctl.util import quick_start
quick_start.prepare()
import textwrap
def interrupt(module):
    raise KeyboardInterrupt
execute, textwrap.__spec__.loader.exec_module = textwrap.__spec__.loader.exec_module, interrupt
try:
    textwrap.dedent
except KeyboardInterrupt:
    textwrap.__spec__.loader.exec_module = execute
assert textwrap.dedent("  x") == "x"
import json
assert json.__version__ and "dumps" in json.__all__
"""
    subprocess.run([sys.executable, "-c", code], check=True)
