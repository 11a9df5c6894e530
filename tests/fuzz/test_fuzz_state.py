"""States and journals that somebody else wrote, or a disk: a message, or a run that goes on; never
a crash.
"""

from __future__ import annotations

import contextlib
import copy
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.core.run import read_run
from stemctl.core.state import State
from stemctl.core.state_codec import from_json
from stemctl.errors import StateError
from stemctl.util.canonical_json import hash_of
from tests.planning.test_in_doubt import Gone
from tests.support.effort import examples
from tests.support.lab import Lab

FEW = examples(10)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
)


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass"))
)
def test_bytes_are_no_state_and_no_journal(data: bytes) -> None:
    with pytest.raises(StateError):
        read_run(data, "lab.journal")
    with pytest.raises(StateError):
        from_json(data.decode("utf-8", "replace"), "lab.state.json")


@given(JSON)
def test_json_is_a_state_or_a_message(body: Any) -> None:
    if isinstance(body, dict):
        body["checksum"] = hash_of(body)
    with contextlib.suppress(StateError):
        assert isinstance(from_json(json.dumps(body), "lab.state.json"), State)


def paths(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    inner: list[tuple[Any, ...]] = []
    if isinstance(node, dict):
        inner = [found for key, value in node.items() for found in paths(value, (*path, key))]
    elif isinstance(node, list):
        inner = [
            found for index, value in enumerate(node) for found in paths(value, (*path, index))
        ]
    return [path, *inner] if path else inner


def changed(document: Any, path: tuple[Any, ...], value: Any, drop: bool) -> Any:
    """The document with another value in one place, or without it."""
    document = copy.deepcopy(document)
    node = document
    for step in path[:-1]:
        node = node[step]
    if drop:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return document


def commands(lab: Lab) -> None:
    """None of these is a bug, and no request leaves the collections of the models."""
    for command in (
        ["state", "list"],
        ["plan"],
        ["drift"],
        ["runs", "list"],
        ["show", "session/a"],
        ["apply", "-y"],
    ):
        result = lab.run(*command)
        assert result.code in (0, 1, 3), result.said
        for sent in lab.requests:
            assert sent.path.split("/")[0] in ("stem", "taxonomies", "personal_attributes"), sent
            assert ".." not in sent.path
            assert "?" not in sent.path


def prepared(lab: Lab, method: str) -> None:
    """A lab with a state, in which a run broke off."""
    extra = "tags: [x], extra_fields: {k: 1}, download_links: [{Repository: DANDI, URL: 'https://a.org/1'}]"
    lab.sessions(f"{{name: a, description: One., {extra}}}", "{name: b, description: B.}")
    lab.write(
        "records/s.yaml", "sensory_stimulus_types:\n  - {name: Air puff, description: Brief puff}\n"
    )
    lab.apply()
    lab.sessions(f"{{name: a, description: Two., {extra}}}", "{name: c, description: C.}")

    def die(request: httpx.Request) -> None:
        if request.method == method:
            raise Gone

    lab.intercept = die
    with pytest.raises(Gone):
        lab.run("apply", "--auto-approve", "--allow", "delete")
    lab.intercept = lambda request: None


@pytest.mark.hypothesis
@pytest.mark.parametrize("what", ["state", "journal"])
def test_a_changed_state_or_journal_is_a_message_or_goes_on(
    lab: Lab, what: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(lab, "POST")
    copies = tmp_path_factory.mktemp("copies")  # the lab itself is in tmp_path
    state = json.loads((lab.root / ".stemctl" / "sandbox.state.json").read_text())
    lines = [
        json.loads(line)
        for line in (lab.root / ".stemctl" / "sandbox.journal").read_text().splitlines()
    ]
    document = state if what == "state" else lines

    @FEW
    @given(st.sampled_from(paths(document)), JSON, st.booleans())
    def check(path: tuple[Any, ...], value: Any, drop: bool) -> None:
        root = Path(tempfile.mkdtemp(dir=copies))
        shutil.copytree(lab.root, root, dirs_exist_ok=True)
        other = Lab(root, monkeypatch)
        found = changed(document, path, value, drop)
        if what == "state":
            found.pop("checksum", None)
            other.write(
                ".stemctl/sandbox.state.json", json.dumps({**found, "checksum": hash_of(found)})
            )
        else:
            for line in found:
                if isinstance(line, dict) and isinstance(line.get("plan"), dict):
                    line["plan"].pop("checksum", None)
                    line["plan"]["checksum"] = hash_of(line["plan"])
            other.write(
                ".stemctl/sandbox.journal", "".join(json.dumps(line) + "\n" for line in found)
            )
        commands(other)
        shutil.rmtree(root)

    check()
