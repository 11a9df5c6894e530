"""A lab of edition 2026 of any size: each session with a behavior and two data acquisitions, and
one subject for ten sessions, with two procedures and a log of two entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = "Theta Maze Study"

SEED: Mapping[str, list[Mapping[str, Any]]] = {
    "projects": [{"name": PROJECT}],
    "species": [{"name": "Rattus norvegicus"}],
    "strains": [{"name": "Long Evans", "species": "Rattus norvegicus"}],
    "setup_types": [{"name": "Maze", "category": "F"}],
    "behavioral_paradigms": [{"name": "Alternation"}],
    "setups": [{"name": "Maze room", "setup_type": "Maze"}],
    "behavioralassays": [
        {"name": "Alternation", "setup_type": "Maze", "behavioral_paradigm": "Alternation"}
    ],
}
"""What the records refer to."""

_SESSIONS = """\
defaults:
  sessions: {projects: [Theta Maze Study]}
  behaviors: {setup: Maze room, behavioralassay: Alternation}
  data_acquisitions: {type: ExtracellularEphys}
sessions:
"""

_SUBJECTS = """\
defaults:
  subjects: {projects: [Theta Maze Study], strain: Long Evans, sex: M}
  procedures: {type: SiliconProbeImplant, coordinates_system: Stereotaxic_BregmaAbsolute}
subjects:
"""

PER_SESSION = 4
"""A session, its behavior and its two data acquisitions."""

PER_SUBJECT = 6
"""A subject, its two procedures, its log and the two entries."""


def records(sessions: int) -> int:
    """How many records a lab with so many sessions has."""
    return PER_SESSION * sessions + PER_SUBJECT * -(-sessions // 10)


def write_lab(root: Path, sessions: int, url: str, per_file: int = 10) -> Path:
    """Write a repository with so many sessions, for the server at `url`."""
    folder = root / "records"
    folder.mkdir(parents=True, exist_ok=True)
    config = "manifests: [records]\ndefault_server: bench\nservers:\n"
    server = f'  bench: {{url: "{url}", edition: 2026}}\n'
    (root / "stemctl.yaml").write_text(config + server, encoding="utf-8")
    for start in range(0, sessions, per_file):
        numbers = range(start, min(start + per_file, sessions))
        text = _SESSIONS + "".join(map(_session, numbers))
        (folder / f"sessions{start:06}.yaml").write_text(text, encoding="utf-8")
    for start in range(0, -(-sessions // 10), per_file):
        numbers = range(start, min(start + per_file, -(-sessions // 10)))
        text = _SUBJECTS + "".join(map(_subject, numbers))
        (folder / f"subjects{start:06}.yaml").write_text(text, encoding="utf-8")
    return root


def _session(number: int) -> str:
    subject = f"rat{number // 10:05}"
    return f"""\
  - name: s{number:06}
    date_time: 2024-{number % 12 + 1:02}-{number % 28 + 1:02}T{number % 24:02}:30:00Z
    description: Forced alternation on the figure-eight maze, day {number % 9}
    behaviors:
      - subjects: [{subject}]
        notes: {number % 60} trials
    data_acquisitions:
      - key: a
        procedures: [{subject}/a]
        details: {{sr: 30 kHz, nChannels: 64}}
      - key: b
        procedures: [{subject}/b]
        details: {{sr: 20 kHz, nChannels: 128}}
"""


def _subject(number: int) -> str:
    day = f"2024-03-{number % 28 + 1:02}"
    return f"""\
  - name: rat{number:05}
    birth_date: 2023-11-02
    procedures:
      - key: a
        details: {{probeId: A{number}}}
      - key: b
        details: {{probeId: B{number}}}
    subject_logs:
      - key: weight
        type: Weighing
        entries:
          - {{date_time: {day}T08:00:00Z, details: {{weight: {300 + number % 50} g}}}}
          - {{date_time: {day}T18:00:00Z, details: {{weight: {302 + number % 50} g}}}}
"""
