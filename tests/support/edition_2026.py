"""A lab of edition 2026: a seed with what administrators keep, and manifests to begin with."""

from __future__ import annotations

import json
from typing import Any

from tests.support.lab import Lab

CONFIG = """\
manifests: [records]
default_server: sandbox
servers:
  sandbox: {url: "sandbox:", edition: "2026", seed: seed.yaml}
"""

SEED: dict[str, list[dict[str, Any]]] = {
    "species": [{"name": "Rattus norvegicus"}],
    "strains": [{"name": "Long Evans", "species": "Rattus norvegicus"}],
    "setup_types": [{"name": "Maze", "category": "F"}],
    "behavioral_categories": [{"name": "Spatial"}],
    "behavioral_paradigms": [{"name": "Alternation", "category": "Spatial"}],
    "brain_regions": [
        {"name": "Field CA1", "acronym": "CA1", "atlas": "AIA"},
        {"name": "Field CA3", "acronym": "CA3", "atlas": "AIA"},
        {"name": "Field CA1", "acronym": "CA1", "atlas": "PW1997"},
    ],
}

LAB = """\
projects:
  - {name: Theta}
  - {name: Delta}
setups:
  - {key: Maze room, name: Maze room, setup_type: Maze}
behavioralassays:
  - key: Forced alternation
    name: Forced alternation
    setup_type: Maze
    behavioral_paradigm: Alternation
subjects:
  - {name: rat12, projects: [Theta], strain: Long Evans, sex: M}
sessions:
  - {name: monday, projects: [Theta]}
  - {name: tuesday, projects: [Theta]}
"""


def behavior(key: str, session: str, **more: Any) -> str:
    """A behavior at the top level of a manifest, as flow mapping text."""
    fields = {
        "key": key,
        "session": session,
        "subjects": ["rat12"],
        "setup": "Maze room",
        "behavioralassay": "Forced alternation",
        **more,
    }
    return json.dumps(fields)


def behaviors(*records: str) -> str:
    """The section of these behaviors."""
    return "behaviors:\n" + "".join(f"  - {record}\n" for record in records)


def begin(lab: Lab, seed: dict[str, Any] | None = None) -> Lab:
    """Make a lab one of edition 2026."""
    lab.write("stemctl.yaml", CONFIG)
    lab.write("seed.yaml", json.dumps({**SEED, **(seed or {})}))
    lab.write("records/lab.yaml", LAB)
    return lab


def live(lab: Lab, model: str) -> list[dict[str, Any]]:
    """All live records of a model that the user can see."""
    found: list[dict[str, Any]] = lab.run("get", model, "-o", "json").json
    return found
