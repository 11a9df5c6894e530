"""Metadata repositories of any size: sessions as manifests, as the server holds them, and as bodies
of requests.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

PROJECT: Mapping[str, Any] = {"id": str(uuid.UUID(int=1)), "name": "Theta Maze Study"}

_TEXTS = (
    "Forced alternation on the figure-eight maze; Optitrack lost after 30 min",
    "Sleep before the maze, home cage, lights on",
    "Air puffs to the left whisker pad, 200 trials",
    "Linear track, reward at both ends, new probe in CA1",
)


def session(number: int, edited: bool = False) -> dict[str, Any]:
    """The fields of a session, of about the size that labs write."""
    day = f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}"
    return {
        "name": f"rat{number % 97:02}_{day}_{number:06}",
        "projects": [PROJECT["name"]],
        "date_time": f"{day}T{number % 24:02}:30:00Z",
        "description": _TEXTS[number % 4] + (". Read again" if edited else ""),
        "tags": ["neuropixels", f"day-{number % 9}"],
        "extra_fields": {"room": f"B{number % 40 + 100}", "temperature": 20 + number % 5},
    }


def session_id(number: int) -> str:
    """The id of a session on the server."""
    return str(uuid.UUID(int=number + 1_000_000))


def live(count: int) -> Iterator[Mapping[str, Any]]:
    """The sessions as a sandbox is seeded with them."""
    return ({"id": session_id(number), **session(number)} for number in range(count))


def body(number: int, edited: bool = False) -> dict[str, Any]:
    """A session as a client sends it: with ids in place of names."""
    return {**session(number, edited), "projects": [PROJECT["id"]]}


def write_lab(
    root: Path,
    numbers: Sequence[int],
    per_file: int,
    url: str = "",
    edited: Callable[[int], bool] = lambda n: False,
) -> Path:
    """Write a repository that declares the sessions, `per_file` in each file; without `url` it has
    the sandbox.
    """
    records = root / "records"
    records.mkdir(parents=True, exist_ok=True)
    server = f'{{url: "{url}", edition: "2024"}}' if url else '{url: "sandbox:"}'
    config = f"manifests: [records]\ndefault_server: bench\nservers:\n  bench: {server}\n"
    (root / "stemctl.yaml").write_text(config, encoding="utf-8")
    for start in range(0, len(numbers), per_file):
        part = numbers[start : start + per_file]
        folder = records / f"{start // per_file // 500:03}"
        folder.mkdir(exist_ok=True)
        text = "".join(line for number in part for line in _lines(session(number, edited(number))))
        (folder / f"{start:06}.yaml").write_text(f"sessions:\n{text}", encoding="utf-8")
    return root


def _lines(fields: dict[str, Any]) -> Iterator[str]:
    """A record as people write it: one field a line."""
    mark = "-"
    for name, value in fields.items():
        if isinstance(value, dict):
            shown = (
                "{" + ", ".join(f"{key}: {json.dumps(item)}" for key, item in value.items()) + "}"
            )
        elif isinstance(value, list):
            shown = "[" + ", ".join(value) + "]"
        else:
            shown = f'"{value}"' if name == "date_time" else value
        yield f"  {mark} {name}: {shown}\n"
        mark = " "
