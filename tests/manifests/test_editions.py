"""What a file of an earlier edition is told by a later one: place, problem and remedy."""

from __future__ import annotations

import pytest

from stemctl.schema.catalog import load_catalog
from stemctl.schema.gone import gone_model, gone_models
from tests.support.lab import Lab

CONFIG = """\
manifests: [records]
default_server: sandbox
servers:
  sandbox: {url: "sandbox:", edition: 2026}
"""

GONE = "no longer exists in BrainSTEM, since 2024-12-22"


@pytest.fixture
def newer(lab: Lab) -> Lab:
    lab.write("stemctl.yaml", CONFIG)
    return lab


@pytest.mark.parametrize(
    ("text", "code", "line", "says"),
    [
        ("sensory_stimulus_types:\n  - name: a\n", "unknown-section", 1, (GONE, "manipulations")),
        ("deleted: [sensorystimulustype/a]\n", "bad-address", 1, (GONE, "stemctl state rm")),
        (
            "sessions:\n  - {name: a, projects: [p], name_used_in_storage: x}\n",
            "read-only-field",
            2,
            ("set by the server in edition 2026", "only edition 2024 could write it"),
        ),
        (
            "setups:\n  - {key: a, name: a, setup_type: b, image: x}\n",
            "read-only-field",
            2,
            ("only as an upload", "upload it in the browser"),
        ),
        (
            "licenses:\n  - {key: a, name: a, license_document: x}\n",
            "read-only-field",
            2,
            ("only as an upload",),
        ),
        (
            "sessions:\n  - {name: a, projects: [p], download_links: [{URL: 'http://a.b/'}]}\n",
            "unknown-field",
            2,
            ("write `url`",),
        ),
    ],
)
def test_it_is_explained(
    newer: Lab, text: str, code: str, line: int, says: tuple[str, ...]
) -> None:
    newer.write("records/a.yaml", text)
    result = newer.run("validate", "-o", "json")
    assert result.code == 1
    found = [each for each in result.json["diagnostics"] if each["code"] == code]
    assert found
    assert found[0]["line"] == line
    words = " ".join(f"{each['message']} {each['remedy']}" for each in found)
    for part in says:
        assert part in words
    assert newer.requests == []


@pytest.mark.parametrize("words", [["get"], ["explain"]])
def test_commands_say_it_as_well(newer: Lab, words: list[str]) -> None:
    result = newer.run(*words, "sensory_stimulus_types")
    assert result.code == 1
    assert f"It {GONE}." in result.err
    assert "Next  stemctl" in result.err


def test_only_the_edition_that_lacks_a_model_calls_it_gone() -> None:
    assert gone_models("2024") == {}
    (gone,) = gone_models("2026").values()
    assert gone_model(load_catalog("2026"), "SensoryStimulusType") == gone
    assert gone_model(load_catalog("2024"), gone.name) is None
    assert gone_model(load_catalog("2026"), "session") is None
    assert gone.name not in load_catalog("2026").models
