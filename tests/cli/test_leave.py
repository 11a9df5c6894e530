"""The end of a process that is not taken apart."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

TEXT = 200_000


def ended(code: str) -> subprocess.CompletedProcess[str]:
    code = textwrap.dedent(code) + "\nfrom stemctl.cli.leave import leave\nleave(3)\n"
    environ = {**os.environ, "PYTHONUNBUFFERED": ""}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environ
    )


def test_all_that_was_written_arrives() -> None:
    done = ended(f"import sys; sys.stdout.write('x' * {TEXT}); sys.stderr.write('y')")
    assert (done.returncode, len(done.stdout), done.stderr) == (3, TEXT, "y")


def test_what_asked_to_be_called_is_called() -> None:
    done = ended("import atexit; atexit.register(print, 'the end')")
    assert (done.returncode, done.stdout) == (3, "the end\n")


def test_other_threads_are_waited_for() -> None:
    done = ended("""
        import threading, time
        threading.Thread(target=lambda: (time.sleep(0.2), print("done", flush=True))).start()
    """)
    assert (done.returncode, done.stdout) == (3, "done\n")


def test_a_closed_pipe_is_told_as_python_tells_it() -> None:
    done = ended("""
        import os, sys
        read, write = os.pipe(); os.close(read); os.dup2(write, 1)
        sys.stdout.write("x")
    """)
    assert done.returncode == 120
    assert "BrokenPipeError" in done.stderr


def test_nothing_is_taken_apart() -> None:
    done = ended("""
        class Value:
            def __del__(self): print("freed", flush=True)
        value = Value()
    """)
    assert (done.returncode, done.stdout) == (3, "")


def test_a_profiler_has_the_last_word(tmp_path: Path) -> None:
    (tmp_path / "stemctl.yaml").write_text("manifests: [a.yaml]\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text("sessions: []\n", encoding="utf-8")
    command = [sys.executable, "-m", "cProfile", "-m", "stemctl", "-C", str(tmp_path), "validate"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "function calls" in done.stdout
