"""Plan files from anybody: shown or applied, or refused with a message; never a bug, never a
request elsewhere.
"""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.schema.catalog import load_catalog
from tests.support.chaos import JSON, MUTATIONS, Mutation, as_text, mutated, sealed
from tests.support.effort import examples
from tests.support.lab import Lab, Result

CATALOG = load_catalog("2024")


class Planned:
    """A lab with a plan that has something of everything, and the document of it."""

    def __init__(self, lab: Lab, document: Any) -> None:
        self.lab = lab
        self.document = document

    def use(self, text: str, *command: str) -> Result:
        """A command with a plan file, in the lab as it was when the plan was made."""
        root = self.lab.root
        shutil.rmtree(root / ".stemctl")
        shutil.copytree(root / "kept", root / ".stemctl")
        (root / "plan.json").write_text(text, encoding="utf-8", errors="surrogatepass")
        return self.lab.run(*command)


@pytest.fixture
def planned(lab: Lab) -> Planned:
    """Creates, updates, deletes, adoptions, proposals, what is held, notes, and what only the state
    is told.
    """
    types = "sensory_stimulus_types:\n  - {name: Air puff, description: Puff}\n"
    lab.write("records/s.yaml", types)
    lab.sessions(
        "{name: edited, description: One.}",
        "{name: conflict, description: One.}",
        "{name: drifted, tags: [a, b]}",
        "{name: left, description: Going.}",
        "{name: forgotten}",
        "{name: released, description: One., lifecycle: {prevent_delete: true}}",
    )
    lab.apply()
    with lab.database() as database:
        database.seed(
            {"sessions": [{"name": "found", "projects": ["Theta Maze Study"], "tags": ["theirs"]}]}
        )
    lab.edit("session", "conflict", description="Theirs.")
    lab.edit("session", "drifted", tags=["a"])
    lab.sessions(
        "{name: edited, description: Two., extra_fields: {room: B115}, tags: [x]}",
        "{name: conflict, description: Two.}",
        "{name: drifted, tags: [a, b]}",
        "{name: found, tags: [ours], description: Filled in.}",
        "{name: new, download_links: [{Repository: DANDI, URL: 'https://dandiarchive.org/1'}]}",
        "{name: released}",
    )
    lab.write(
        "records/s.yaml",
        f"{types}  - {{name: Odour, description: Smell}}\nforget: [session/forgotten]\n",
    )
    result = lab.run("plan", "--out", "plan.json", "--allow", "delete=1")
    assert result.code == 0, result.said
    document = json.loads((lab.root / "plan.json").read_text())
    held = {change["held"] for change in document["changes"]}
    assert {change["action"] for change in document["changes"]} == {
        "create",
        "update",
        "delete",
        "adopt",
        "forget",
    }
    assert {None, "pending", "conflict", "revert"} <= held
    assert document["bookkeeping"]
    shutil.copytree(lab.root / ".stemctl", lab.root / "kept")
    return Planned(lab, document)


def own_paths(document: Any) -> set[str]:
    """The paths that the changes of a document may be about, by their own words."""
    paths = set()
    for change in document["changes"] if isinstance(document, dict) else ():
        model = CATALOG.models.get(str(change.get("address")).partition("/")[0])
        if model is not None:
            paths |= {f"{model.app}/{model.name}/", f"{model.app}/{model.name}/{change.get('id')}/"}
            paths |= {f"{model.app}/{model.approval.path}/"} if model.approval else set()
    return {path for path in paths if path.count("/") <= 3 and not set(path) & set("?#%\\ ")}


def sound(lab: Lab, result: Result, document: Any) -> None:
    """A clean run, or one message."""
    assert result.code in (0, 1, 3), result.said
    assert "bug" not in result.err, result.err
    if result.code == 1 and not lab.requests:
        assert result.err.startswith("Error: ") or "error" in json.loads(result.out), result.said
    if lab.requests:
        assert {sent.path for sent in lab.requests} <= own_paths(document), lab.requests


@examples(40)
@given(
    mutations=st.lists(MUTATIONS, min_size=1, max_size=3),
    form=st.sampled_from(["text", "json", "markdown", "html", "github"]),
)
def test_a_changed_plan_is_shown_or_refused(
    planned: Planned, mutations: list[Mutation], form: str
) -> None:
    document = sealed(mutated(planned.document, mutations))
    sound(planned.lab, planned.use(as_text(document), "show", "plan.json", "-o", form), document)
    assert planned.lab.requests == []


@examples(50)
@given(mutations=st.lists(MUTATIONS, min_size=1, max_size=3))
def test_a_changed_plan_is_applied_or_refused(planned: Planned, mutations: list[Mutation]) -> None:
    document = sealed(mutated(planned.document, mutations))
    sound(planned.lab, planned.use(as_text(document), "apply", "plan.json"), document)


@examples(50)
@given(
    text=st.one_of(
        JSON.map(as_text),
        st.text(max_size=50),
        st.builds(
            lambda value: as_text(sealed({"format": 1, "digest": value, "changes": value})), JSON
        ),
    ),
    command=st.sampled_from(["show", "apply"]),
)
def test_any_text_is_no_plan(planned: Planned, text: str, command: str) -> None:
    result = planned.use(text, command, "plan.json")
    assert result.code == 1
    assert result.err.startswith("Error: ")
    assert planned.lab.requests == []
