"""Random repositories, random faults on a third of the requests, SIGKILL at random moments, until
the apply is through.

`python -m tests.faults.torture --seeds 200` runs it for longer than the tests do, and prints what
it has seen.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.faults.nested_world import NestedWorld
from tests.faults.runner import Runner, runner
from tests.support.served import serve

PROJECTS = ["Theta Maze Study", "Whisker Touch Study"]
CONFIG = "servers: {sandbox: {url: 'sandbox:', seed: seed.yaml}}\n"
SEED = {"projects": [{"name": name} for name in PROJECTS]}
MOST_ROUNDS = 150

_STATUS: list[dict[str, Any]] = [
    {"fault": "status", "status": 429, "retry_after": 0},
    {"fault": "status", "status": 503, "retry_after": 0},
    {"fault": "status", "status": 502},
    {"fault": "status", "status": 504},
]
_LINE: list[dict[str, Any]] = [
    {"fault": kind} for kind in ("lose_request", "lose_answer", "reset", "cut_off")
]
_TEXT: list[dict[str, Any]] = [{"fault": kind} for kind in ("truncated", "invalid_json")]
_ENDLESS: list[dict[str, Any]] = [
    {"fault": "processing", "seconds": 0.05},
    {"fault": "bomb", "mebibytes": 1},
]
_EDITED = "2020-02-02T02:02:02Z"
"""The date that a colleague gives a record while a write of ours waits: no file says one."""

READING = [*_STATUS, *_LINE, *_TEXT, *_ENDLESS, {"fault": "foreign_404"}, {"fault": "other_record"}]
WRITING = [
    *_STATUS,
    *_LINE,
    *_LINE[1:2],  # the worst one, twice as often
    *_TEXT,
    {"fault": "html"},
    {"fault": "approval_answer"},
    {"fault": "record_answer"},
    {"fault": "late", "seconds": 0.05},
    *_ENDLESS,
    {"fault": "other_record"},
    {"fault": "known_id"},
    {"fault": "altered_value", "field": "description"},
    {"fault": "altered_value", "field": "tags", "value": ["not", "these"]},
    {"fault": "foreign_404"},
]
IN_A_PAUSE = {
    "fault": "edit_in_pause",
    "edit": {"date_time": _EDITED},
    "retry_after": 0,
    "chance": 0.1,
}
KINDS = (
    "other_record",
    "known_id",
    "altered_value",
    "foreign_404",
    "edit_in_pause",
    "bomb",
    "given_up",
)
"""Faults that are counted each by its name; those without an end are given up."""


def script(seed: int) -> str:
    """Faults on a third of the requests: each of a list strikes what those before it left."""

    def spread(faults: list[dict[str, Any]], **match: str) -> list[dict[str, Any]]:
        share = 0.36 / len(faults)
        return [
            {"match": match, **fault, "chance": round(share / (1 - number * share), 4)}
            for number, fault in enumerate(faults)
        ]

    faults: list[dict[str, Any]] = spread(READING, method="GET")
    faults += [
        {"match": {"method": method, "path": "stem/session/?*"}, **IN_A_PAUSE}
        for method in ("PATCH", "DELETE")
    ]
    for method in ("POST", "PATCH", "DELETE"):
        faults += spread(WRITING, method=method)
    return yaml.safe_dump({"seed": seed, "faults": faults})


@dataclass
class Seen:
    """What one torture has seen."""

    rounds: int = 0
    kills: int = 0
    requests: int = 0
    faults: int = 0
    retries: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    codes: list[int] = field(default_factory=list)


class PlainWorld:
    """A repository and a server, both random; what may be on the server in the end is known."""

    config = CONFIG
    seed = SEED
    kills = 0.9
    """How many of the rounds are killed, if they last long enough."""

    def __init__(self, seed: int, root: Path, url: str) -> None:
        self.chance = random.Random(seed)
        self.url = url
        self.root = root
        (root / "records").mkdir(parents=True)
        (root / "stemctl.yaml").write_text(
            f"default_server: lab\nservers:\n  lab: {{url: '{url}', edition: 2024}}\n"
        )
        self.sessions = {f"s{number:02}": self._session(f"s{number:02}") for number in range(40)}
        self.types: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.added: dict[str, list[str]] = {}
        """Tags that a colleague gave to our records, by id."""

    def _session(self, name: str) -> dict[str, Any]:
        chance = self.chance
        record: dict[str, Any] = {
            "key": name,
            "name": f"session {name}",
            "projects": chance.sample(PROJECTS, 1),
        }
        if chance.random() < 0.8:
            record["description"] = f"Text {chance.randrange(1000)}."
        if chance.random() < 0.5:
            record["tags"] = chance.sample(["a", "b", "c", "d"], 2)
        if chance.random() < 0.3:
            record["extra_fields"] = {
                "room": chance.choice(["B1", "B2"]),
                "number": chance.randrange(9),
            }
        return record

    def write(self) -> None:
        """Write the files: one for each ten sessions."""
        names = sorted(self.sessions)
        for start in range(0, 100, 10):
            part = {"sessions": [self.sessions[name] for name in names[start : start + 10]]}
            (self.root / "records" / f"sessions{start:02}.yaml").write_text(yaml.safe_dump(part))
        rest = {
            "sensory_stimulus_types": self.types,
            "deleted": [f"session/{name}" for name in self.deleted],
        }
        (self.root / "records" / "rest.yaml").write_text(yaml.safe_dump(rest))

    def edit(self) -> None:
        """Edit, delete, create and propose some: more than sixty records are declared then."""
        chance = self.chance
        old = sorted(self.sessions)
        for name in chance.sample(old, 8):
            del self.sessions[name]
            self.deleted.append(name)
        for name in chance.sample(sorted(self.sessions), 16):
            self.sessions[name] |= {"description": f"Edited {chance.randrange(1000)}."}
            if chance.random() < 0.5:
                self.sessions[name] |= {"tags": chance.sample(["a", "b", "e", "f"], 2)}
            if chance.random() < 0.2:
                self.sessions[name] |= {"name": f"renamed {name}"}
        for number in range(40, 68):
            self.sessions[f"s{number}"] = self._session(f"s{number}")
        self.types = [{"name": f"type {number}", "description": "Some cue"} for number in range(4)]

    def api(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": "Bearer sandbox-admin"}
        answer = httpx.request(method, f"{self.url}api/private/{path}", json=body, headers=headers)
        assert answer.status_code < 400, answer.text
        return answer.json() if answer.content else None

    def live(self) -> list[dict[str, Any]]:
        return list(self.api("GET", "stem/session/?limit=100")["sessions"])

    def colleague(self) -> None:
        """Someone else tags some of our records and creates others."""
        project = self.api("GET", "stem/project/")["projects"][0]["id"]
        for number in range(5):
            body = {
                "name": f"foreign {number}",
                "description": "Not yours.",
                "projects": [project],
                "tags": ["theirs"],
            }
            self.api("POST", "stem/session/", body)
        ours = sorted(
            (r for r in self.live() if r["name"].startswith("session")), key=lambda r: r["name"]
        )
        touched = self.chance.sample(ours, 8)
        for record in touched:
            self.api(
                "PATCH", f"stem/session/{record['id']}/", {"tags": [*record["tags"], "theirs"]}
            )
        self.added = {record["id"]: ["theirs"] for record in touched}

    def check(self) -> None:
        """Each intended record once, nothing foreign touched, state and server agree."""
        live = self.live()
        by_name = {record["name"]: record for record in live}
        assert len(by_name) == len(live)
        foreign = [by_name.pop(f"foreign {number}") for number in range(5)]
        assert all((r["description"], r["tags"]) == ("Not yours.", ["theirs"]) for r in foreign)
        assert set(by_name) == {record["name"] for record in self.sessions.values()}
        state = json.loads((self.root / "lab.state.json").read_text())["records"]
        for name, record in self.sessions.items():
            there = by_name[record["name"]]
            assert state[f"session/{name}"]["id"] == there["id"]
            assert there["description"] == record.get("description", "")
            assert there["date_time"] in (None, _EDITED)
            assert (there["extra_fields"] or {}) == record.get("extra_fields", {})
            theirs = set(self.added.get(there["id"], []))
            assert theirs <= set(there["tags"])
            if "tags" in record:
                assert set(there["tags"]) == set(record["tags"]) | theirs
        proposals = self.api("GET", "taxonomies/sensorystimulustype_approvals/")[
            "sensory_stimulus_type_approvals"
        ]
        assert sorted(p["name"] for p in proposals) == [t["name"] for t in self.types]
        assert {address for address in state if address.startswith("session/")} == {
            f"session/{name}" for name in self.sessions
        }


WORLDS: dict[str, type[PlainWorld] | type[NestedWorld]] = {
    "plain": PlainWorld,
    "nested": NestedWorld,
}


def torture(kind: str, seed: int, folder: Path, run: Runner) -> Seen:
    """One world, brought through; raises AssertionError where a promise was broken."""
    server = folder / f"server{seed}"
    server.mkdir()
    (server / "stemctl.yaml").write_text(WORLDS[kind].config)
    (server / "seed.yaml").write_text(yaml.safe_dump(dict(WORLDS[kind].seed)))
    faults = server / "faults.yaml"
    faults.write_text("faults: []\n")
    with serve(server, "--faults", "faults.yaml") as url:
        world = WORLDS[kind](seed, folder / f"lab{seed}", url)
        world.write()
        started = run.run("-C", str(world.root), "apply", "-y")
        assert started.code == 0, started.said
        world.colleague()
        world.edit()
        world.write()
        faults.write_text(script(seed))
        seen = _through(world, run)
        faults.write_text("faults: []\n")
        time.sleep(0.1)  # what comes late has come
        world.check()  # an apply that ends with 0 is no lie
        last = run.run("-C", str(world.root), "apply", "-y", clock=100 * seen.rounds + 200)
        assert last.code == 0, last.said
        world.check()
        plan = run.run(
            "-C", str(world.root), "plan", "--detailed-exitcode", clock=100 * seen.rounds + 300
        )
        assert plan.code == 0, plan.said
        assert "Nothing to " in plan.said, plan.said
        left = {path.name for path in (world.root / ".stemctl").iterdir()}
        assert left <= {".gitignore", "runs", "lab.lock", "lab.owner.json"}, left
    return seen


def _through(world: PlainWorld | NestedWorld, run: Runner) -> Seen:
    """Apply, die, and apply again, until an apply ends well."""
    seen, chance = Seen(), world.chance
    while seen.rounds < MOST_ROUNDS:
        seen.rounds += 1
        kill: dict[str, Any] = {}
        how = chance.random()
        if how < 0.6 * world.kills:
            kill["kill_at"] = chance.randrange(1, 100)
        elif how < world.kills:
            # A slow machine gets on, too: the more rounds, the later it is killed.
            kill["kill_after"] = chance.uniform(0.02, 0.4) * (1 + seen.rounds / 20)
        parallelism = str(chance.choice([1, 2, 8]))
        words = ("-C", str(world.root), "apply", "-y", "--parallelism", parallelism)
        ended = run.run(*words, clock=100 * seen.rounds, deadline=0.3, **kill)
        time.sleep(
            0.06
        )  # longer than `late`, as a minute of the clock is longer than what a server is late by
        for name in ("requests", "faults", "retries"):
            setattr(seen, name, getattr(seen, name) + ended.counts[name])
        seen.kinds.update({name: ended.counts[name] for name in KINDS})
        seen.kills += ended.code is None
        if ended.code is not None:
            seen.codes.append(ended.code)
            assert ended.code in (0, 1, 3), ended.said
        if ended.code == 0:
            return seen
    raise AssertionError(
        f"not through after {MOST_ROUNDS} rounds; the last one said:\n{ended.said}"
    )


def main() -> None:
    """Run many seeds, print what was seen, and fail if that proves nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--world", choices=WORLDS, default="plain")
    options = parser.parse_args()
    began, total = time.monotonic(), Seen()
    with tempfile.TemporaryDirectory() as name, runner(Path(name) / "said") as run:
        for seed in range(options.first, options.first + options.seeds):
            seen = torture(options.world, seed, Path(name), run)
            for key in ("rounds", "kills", "requests", "faults", "retries"):
                setattr(total, key, getattr(total, key) + getattr(seen, key))
            total.kinds += seen.kinds
            print(
                f"seed {seed}: {seen.rounds} rounds, {seen.kills} kills, {seen.faults} faults",
                flush=True,
            )
    seconds = time.monotonic() - began
    print(
        f"{options.seeds} seeds, {total.rounds} rounds, {total.kills} kills, "
        f"{total.requests} requests, {total.faults} faults, {total.retries} retries, "
        f"in {seconds:.0f} s"
    )
    print(", ".join(f"{total.kinds[name]} {name}" for name in KINDS))
    if min(total.kinds[name] for name in KINDS) < options.seeds // 2:
        sys.exit("too few faults of some kind to prove anything")
    if total.kills < 3 * options.seeds or total.faults < 30 * options.seeds:
        sys.exit("too few kills or faults to prove anything")


if __name__ == "__main__":
    main()
