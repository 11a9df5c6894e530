"""What prettier writes, which formats YAML in editors, is formatted to stemctl, and the other way.

Prettier is a part of yaml-language-server. It is found on the PATH, or where STEMCTL_PRETTIER says.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from stemctl.config.editor import SETTINGS, workspace_files
from stemctl.manifests.formatter.layout import format_text
from stemctl.manifests.reader import parse
from stemctl.util.json_equality import same_json
from tests.support.paths import PROJECT

PRETTIER = os.environ.get("STEMCTL_PRETTIER") or shutil.which("prettier")

pytestmark = pytest.mark.skipif(PRETTIER is None, reason="prettier is not there")

TAGS = ", ".join(f"tag{number}" for number in range(40))
UGLY = {
    "spaces in brackets": "sessions:\n  - {name: a, extra_fields: { room: B115 }, tags: [ a,b ]}\n",
    "comments": "# file\nsessions:   # all\n    # the first\n  - name: a # one\n    tags: [a]\n",
    "lists at the column of the key": "sessions:\n- name: a\n  tags:\n  -   x\n  - y\n",
    "empty lines": "sessions:\n\n\n  - name: a\n\n    tags: [a]\n\n\n  - name: b\n",
    "block texts": "sessions:\n- name: a\n  description: |\n      One.\n        Two.\n\n      x\n",
    "folded texts": "sessions:\n  - name: a\n    description: >-\n      One\n      two.\n",
    "quotes": "sessions:\n  - name: 'it''s'\n    description: 'a: b'\n    tags: [\"x\", 'y']\n",
    "long lists": f"sessions:\n  - name: a\n    tags: [{TAGS}]\n",
    "long maps": "extra_fields: {" + TAGS.replace(", ", ": 1, ") + ": 1}\n",
    "long texts": f"sessions:\n  - name: a\n    description: {'word ' * 60}end\n",
    "anchors": "sessions:\n  - &a\n    name: a\n    tags: &t [x]\n  - {<<: *a, name: b}\n",
}


def options() -> list[str]:
    """The options of prettier that the settings of `init` mean."""
    settings = json.loads(workspace_files(["records"], "stemctl.yaml")[SETTINGS])
    assert settings["yaml.format.bracketSpacing"] is False
    return ["--no-bracket-spacing", "--print-width", str(settings["yaml.format.printWidth"])]


def prettier(text: str) -> str:
    assert PRETTIER
    result = subprocess.run(
        [PRETTIER, *options(), "--stdin-filepath", "a.yaml"],
        input=text.encode(),
        capture_output=True,
        check=True,
    )
    return result.stdout.decode()


@pytest.mark.parametrize("name", UGLY)
def test_what_prettier_writes_stays(name: str) -> None:
    text = UGLY[name]
    for source in (text, format_text(text).text):
        written = prettier(source)
        assert format_text(written).text == written
        before, after = parse(text.encode(), "a.yaml").root, parse(written.encode(), "a.yaml").root
        assert before is not None
        assert after is not None
        assert same_json(before.value, after.value)


EXAMPLES = sorted(
    path for path in (PROJECT / "examples").rglob("*.yaml") if ".github" not in path.parts
)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_the_examples_are_formatted_for_both(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert prettier(text) == text
    assert format_text(text).text == text
