"""What is blocked for a reason of its own waits for the user: no exit code says all is done."""

from __future__ import annotations

from tests.support.lab import Lab

CONFIG = """\
manifests: [records]
default_server: sandbox
servers: {sandbox: {url: "sandbox:", edition: 2026, seed: seed.yaml}}
"""
SEED = """\
projects: [{name: Theta}]
species: [{name: Rat}]
strains: [{name: Long Evans, species: Rat}]
"""
SUBJECT = """\
subjects:
  - name: rat12
    projects: [Theta]
    strain: Long Evans
    sex: M
    subject_logs: [{key: log, type: TYPE}]
"""


def test_an_edit_of_what_cannot_change_is_not_done(lab: Lab) -> None:
    lab.write("stemctl.yaml", CONFIG)
    lab.write("seed.yaml", SEED)
    lab.write("records/rat12.yaml", SUBJECT.replace("TYPE", "Weighing"))
    assert lab.run("apply", "--auto-approve").code == 0
    lab.write("records/rat12.yaml", SUBJECT.replace("TYPE", "Wellness"))
    assert lab.run("plan", "--detailed-exitcode").code == 2
    result = lab.run("apply", "--auto-approve")
    assert (result.code, lab.writes) == (3, [])
    assert "cannot change" in result.out
