"""A write that the server carries out long after its sender died: never a second one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults.runner import runner
from tests.faults.test_every_point import BEFORE, Case, Server
from tests.support.lab import SEED
from tests.support.served import serve

SECONDS = 4
"""From a request to when the server carries it out; the next apply looks well before."""
LATE = f"faults:\n  - {{match: {{method: POST}}, fault: late, seconds: {SECONDS}, times: 1}}\n"


@pytest.mark.slow
def test_an_answer_that_comes_after_the_client_died(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "stemctl.yaml").write_text("servers: {sandbox: {url: 'sandbox:', seed: seed.yaml}}\n")
    (folder / "seed.yaml").write_text(SEED)
    faults = folder / "faults.yaml"
    faults.write_text("faults: []\n")
    with serve(folder, "--faults", "faults.yaml") as url, runner(tmp_path / "said") as run:
        server = Server(url)
        for prefix, more, path in (
            ("s", "  - {{name: s late}}\n", "stem/session"),
            (
                "t",
                "sensory_stimulus_types: [{{name: t late, description: Some cue}}]\n",
                "taxonomies/sensorystimulustype_approvals",
            ),
        ):
            case = Case(tmp_path, prefix, server, run)
            case.declare(BEFORE + more)
            faults.write_text(f"seed: {ord(prefix)}\n{LATE}")  # another seed begins to count again
            died = case.run("apply", "-y", kill_after=0.5)
            assert died.code is None, died.said
            at_once = case.run("apply", "-y")
            if (
                prefix == "s"
            ):  # the name is unique: a second one would be refused, so it need not wait
                assert at_once.code == 0, at_once.said
            else:
                assert at_once.code == 3, at_once.said
                assert "the answer was lost; a plan after" in at_once.said
            wait_for(server, path, prefix, f"{prefix} late")
            later = case.run("apply", "-y", clock=100)
            assert later.code == 0, later.said
            found = [record["name"] for record in server.get(path, prefix)]
            assert found.count(f"{prefix} late") == 1


def wait_for(server: Server, path: str, prefix: str, name: str) -> None:
    while all(record["name"] != name for record in server.get(path, prefix)):
        time.sleep(0.05)
