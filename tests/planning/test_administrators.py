"""Models that only administrators may write: said in the plan, and explained after a 403."""

from __future__ import annotations

from tests.support.lab import Lab

CONFIG = """\
manifests: [records]
default_server: sandbox
servers:
  sandbox: {url: "sandbox:", edition: "2026", seed: seed.yaml}
"""
REGION = "brain_regions:\n  - {name: Field CA1, acronym: CA1, atlas: AIA}\n"


def test_a_plan_says_who_may_write_and_a_refusal_too(lab: Lab) -> None:
    lab.write("stemctl.yaml", CONFIG)
    lab.write("seed.yaml", "projects: [{name: Theta}]\n")
    lab.write("records/regions.yaml", REGION)
    (note,) = lab.plan()["notes"]
    assert note["text"].startswith("1 brain region: only administrators of the server may add")
    result = lab.run("apply", "--auto-approve")
    assert result.code == 1
    assert "Only administrators of the server may add or change a brain region." in result.out
    result = lab.run("apply", "--auto-approve", token="sandbox-admin")
    assert result.code == 0, result.said
    assert lab.plan()["notes"] == []
