"""Whole processes, measured from outside: time on the wall, time of processors, and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Command:
    """A process to run."""

    arguments: Sequence[str | Path]
    cwd: Path | None = None
    expect: int = 0
    environ: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """The medians of several runs: seconds by the clock, CPU seconds, and bytes at the peak."""

    wall: float
    cpu: float
    peak: int


_ENVIRON = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""What an installed program finds: modules that were compiled before."""


def figures(runs: int, *commands: Command, warm: bool = True) -> list[Figure]:
    """Run commands in turn, A B A B ..., so that a machine that slows down does so for all of them.

    Raises:
        SystemExit: a command ended with another code than it should.
    """
    taken: list[list[tuple[float, float, int]]] = [[] for _ in commands]
    for turn in range(-1 if warm else 0, runs):
        for mine, command in zip(taken, commands, strict=True):
            found = once(command)
            if turn >= 0:
                mine.append(found)
    return [_figure(each) for each in taken]


def _figure(runs: list[tuple[float, float, int]]) -> Figure:
    walls, cpus, peaks = zip(*runs, strict=True)
    return Figure(statistics.median(walls), statistics.median(cpus), int(statistics.median(peaks)))


def once(command: Command) -> tuple[float, float, int]:
    """Run a command: seconds on the wall, seconds of processors, bytes at the peak.

    Raises:
        SystemExit: it ended with another code than it should.
    """
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(argument) for argument in command.arguments],
            cwd=command.cwd,
            env={**_ENVIRON, **(command.environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != command.expect:
            said.seek(0)
            told = said.read()[-3000:].decode("utf-8", "replace")
            raise SystemExit(
                f"{' '.join(map(str, command.arguments))} ended with {process.returncode}:\n{told}"
            )
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
