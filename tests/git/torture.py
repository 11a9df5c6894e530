"""Three clones whose applies race, are killed, and do not hear what became of their pushes, while
main moves on.

In the end the server must hold what main says: each record once, no foreign one touched, the state
on the branch of the same mind, no lease left. `python -m tests.git.torture --seeds 50` runs it for
longer than the tests do.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.faults.runner import Ended, Runner, runner
from tests.git.team import SEED, SERVED, STATES, Member, Team, make_team
from tests.git.team import git as run_git
from tests.support.served import serve

NAMES = ("ann", "ben", "cleo")
ROUNDS = 3
LEASE = 3.0
LATER = 1000
"""Seconds by which the clock of the last applies is ahead: no answer is so late."""
FOREIGN = {"name": "theirs", "description": "Not yours."}
DEAF = """\
#!/bin/sh
git-receive-pack "$@"
exit 1
"""


@dataclass
class Seen:
    """What one torture has seen."""

    applies: int = 0
    kills: int = 0
    deaf: int = 0
    taken_over: int = 0
    anew: int = 0

    def add(self, other: Seen) -> None:
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))


class World:
    """What main says, and the clones that it is said to."""

    def __init__(self, seed: int, folder: Path, url: str) -> None:
        self.chance = random.Random(seed)
        self.url = url
        self.team: Team = make_team(folder, url)
        self.members: list[Member] = [self.team.clone(name) for name in NAMES]
        self.deaf = folder / "deaf.sh"
        self.deaf.write_text(DEAF, encoding="utf-8")
        self.deaf.chmod(0o755)
        self.sessions = {"rat1": "first", **{f"s{number}": "first" for number in range(6)}}
        self.deleted: list[str] = []

    def edit(self) -> None:
        """Merge something into main."""
        chance = self.chance
        for name in chance.sample(sorted(self.sessions), 2):
            self.sessions[name] = f"Text {chance.randrange(1000)}."
        if chance.random() < 0.7:
            gone = chance.choice(sorted(self.sessions))
            del self.sessions[gone]
            self.deleted.append(gone)
        self.sessions[f"n{chance.randrange(10**6)}"] = "new"
        author = chance.choice(self.members)
        author.git("config", "remote.origin.receivepack", "git-receive-pack")
        author.git("pull", "-q", "--ff-only", "origin", "main")
        author.write(
            "records/deleted.yaml",
            json.dumps({"deleted": [f"session/{name}" for name in self.deleted]}),
        )
        author.sessions(
            *(json.dumps({"name": n, "description": d}) for n, d in sorted(self.sessions.items()))
        )
        author.publish("An edit")

    def pull(self, member: Member) -> None:
        member.git("pull", "-q", "--ff-only", "origin", "main")

    def apply(self, number: int, run: Runner, kill: dict[str, Any]) -> Ended:
        words = ("-C", str(self.members[number].root), "apply", "-y", "--parallelism", "2")
        return run.run(*words, lease=LEASE, **kill)

    def live(self) -> list[dict[str, Any]]:
        headers = {"Authorization": "Bearer sandbox-admin"}
        answer = httpx.get(f"{self.url}api/private/stem/session/?limit=100", headers=headers)
        return [dict(record) for record in answer.json()["sessions"]]

    def check(self) -> None:
        """The server holds what main says, once, and the state knows it."""
        live = self.live()
        found = {record["name"]: record for record in live}
        assert len(found) == len(live)
        assert found.pop(FOREIGN["name"])["description"] == FOREIGN["description"]
        assert {name: record["description"] for name, record in found.items()} == self.sessions
        state = json.loads(run_git(self.team.remote, "show", f"{STATES}:lab.state.json"))["records"]
        ids = {address: entry["id"] for address, entry in state.items()}
        wanted = {f"session/{name}": record["id"] for name, record in found.items()}
        assert ids == wanted, f"{ids} is not {wanted}"
        assert "lab.claim.json" not in self.team.files()


def torture(seed: int, folder: Path, runs: list[Runner]) -> Seen:
    """One world, brought through; raises AssertionError where a promise was broken."""
    folder.mkdir()
    server = folder / "server"
    server.mkdir()
    (server / "stemctl.yaml").write_text(SERVED)
    (server / "seed.yaml").write_text(SEED)
    seen = Seen()
    with serve(server) as url, ThreadPoolExecutor(len(NAMES)) as pool:
        world = World(seed, folder, url)
        token = {"Authorization": "Bearer sandbox-user"}
        project = httpx.get(f"{url}api/private/stem/project/", headers=token).json()["projects"][0][
            "id"
        ]
        body = {**FOREIGN, "projects": [project]}
        assert (
            httpx.post(f"{url}api/private/stem/session/", headers=token, json=body).status_code
            == 201
        )
        for _ in range(ROUNDS):
            world.edit()
            kills = [_prepared(world, member, seen) for member in world.members]
            ended = list(pool.map(world.apply, range(len(NAMES)), runs, kills))
            for one in ended:
                assert one.code in (None, 0, 1, 3), one.said
                assert "bug" not in one.said, one.said
                seen.applies += 1
                seen.kills += one.code is None
                seen.taken_over += "Taking over" in one.said
                seen.anew += "Planning again" in one.said
        _settle(world, runs)
        world.check()
        for member, run in zip(world.members, runs, strict=True):
            plan = run.run("-C", str(member.root), "plan", "--detailed-exitcode", clock=LATER)
            assert plan.code == 0, plan.said
    return seen


def _prepared(world: World, member: Member, seen: Seen) -> dict[str, Any]:
    """What will go wrong for one of them."""
    chance = world.chance
    if chance.random() < 0.8:
        world.pull(member)
    deaf = chance.random() < 0.3
    member.git(
        "config", "remote.origin.receivepack", str(world.deaf) if deaf else "git-receive-pack"
    )
    seen.deaf += deaf
    how = chance.random()
    if how < 0.3:
        return {"kill_at": chance.randrange(20, 200)}
    return {"kill_after": chance.uniform(0.2, 1.5)} if how < 0.6 else {}


def _settle(world: World, runs: list[Runner]) -> None:
    """Nothing goes wrong any more, and nothing can be late: everybody applies what main says."""
    for number, (member, run) in enumerate(zip(world.members, runs, strict=True)):
        world.pull(member)
        member.git("config", "remote.origin.receivepack", "git-receive-pack")
        for _ in range(3):
            ended = world.apply(number, run, {"clock": LATER})
            if ended.code == 0:
                break
        assert ended.code == 0, ended.said


@contextlib.contextmanager
def runners(folder: Path) -> Any:
    """A runner for each clone, so that they race."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(runner(folder / name)) for name in NAMES]


def main() -> None:
    """Run many seeds, print what was seen, and fail if that proves nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    began, total = time.monotonic(), Seen()
    with tempfile.TemporaryDirectory() as name, runners(Path(name)) as runs:
        for seed in range(options.first, options.first + options.seeds):
            seen = torture(seed, Path(name) / f"world{seed}", runs)
            total.add(seen)
            print(f"seed {seed}: {seen}", flush=True)
    print(f"{options.seeds} seeds, {total}, in {time.monotonic() - began:.0f} s")
    if total.kills < options.seeds or total.taken_over < options.seeds / 4:
        sys.exit("too few kills, or runs that were taken over, to prove anything")


if __name__ == "__main__":
    main()
