"""Manifests and stemctl.yaml of any content: findings with a place, or one message; never a bug,
never without end.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stemctl.client.connections import Connections
from stemctl.client.failures import ConnectError
from stemctl.client.http_types import Incoming, Request
from stemctl.core.diagnostics import Diagnostic
from stemctl.manifests import reader, validation
from stemctl.manifests.schema_errors import validator_of
from stemctl.schema.catalog import load_catalog
from tests.support.chaos import HOSTILE_TEXT, LEAVES
from tests.support.effort import examples
from tests.support.lab import Lab

CATALOG = load_catalog("2024")
VALIDATOR = validator_of(CATALOG)

PIECES = [
    *(
        "sessions:",
        "- ",
        "\n",
        "  ",
        "    ",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        ": ",
        "? ",
        "| ",
        ">",
        "|-",
        "'",
        '"',
        "#",
    ),
    *(
        "\\",
        "\\x",
        "\\u",
        "\\ud800",
        '"\\udfff"',
        '"\\0"',
        '"\\e["',
        "&a ",
        "*a",
        "<<: ",
        "<<: *a",
        "<<",
        "=",
    ),
    *(
        "!!str ",
        "!<tag:x> ",
        "!!binary ",
        "%YAML 1.2\n",
        "%TAG ! x\n",
        "---\n",
        "...\n",
        "\t",
        "\r\n",
        "\r",
        "\x0b",
    ),
    *(
        "\ufeff",
        "\u2028",
        "\x00",
        "\x1b",
        "\x85",
        "\x9b",
        "\u202e",
        "\ufffe",
        "\udc80",
        "é",
        "😀",
        "@",
        "`",
        "%",
        "!",
    ),
    *(
        "name",
        "name: a",
        "key: b",
        "defaults:",
        "projects: [a]",
        "tags:",
        "~",
        "null",
        "0x10",
        "1e3",
        "1.0e+999",
        "0o",
    ),
    *(
        "moved:",
        "deleted:",
        "forget:",
        "id: 5",
        "- - - -",
        "? ? ?",
        "- " * 120,
        "[" * 120,
        "{a: " * 120,
        "9" * 400,
    ),
    *(
        "extra_fields: {a: 1}",
        "download_links:",
        "date_time: 2024-01-01",
        "lifecycle: {prevent_delete: true}",
    ),
    *(
        "servers:",
        "url:",
        "https://",
        "sandbox:",
        "edition: 2024",
        "portal:",
        "manifests:",
        "policy: {allow: {delete: 1}}",
    ),
]
YAML_LIKE = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
KEYS = st.one_of(
    st.sampled_from(
        [
            *(
                "sessions",
                "defaults",
                "moved",
                "deleted",
                "forget",
                "sensory_stimulus_types",
                "name",
                "key",
                "id",
                "tags",
            ),
            *(
                "projects",
                "extra_fields",
                "download_links",
                "date_time",
                "lifecycle",
                "URL",
                "Repository",
                "from",
                "to",
            ),
            *(
                "<<",
                "",
                "comments",
                "ignore_changes",
                "prevent_delete",
                "servers",
                "manifests",
                "default_server",
                "url",
            ),
            *("edition", "portal", "seed", "policy", "allow", "delete", "state", "sandbox"),
        ]
    ),
    st.text(max_size=4),
)
VALUES = st.one_of(
    LEAVES,
    st.sampled_from(
        [
            "session/a",
            "2024-01-01",
            "https://x.example",
            "sandbox:",
            "http://[::1",
            "https://h:99999/",
            "2024",
        ]
    ),
    st.binary(max_size=3),
    st.dates(),
    st.floats(),
)
TREES = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


def dumped(tree: Any, flow: bool, allow_unicode: bool) -> str:
    return str(yaml.dump(tree, default_flow_style=flow, allow_unicode=allow_unicode))


TEXTS = st.one_of(
    YAML_LIKE,
    st.text(max_size=60),
    st.builds(
        dumped, st.dictionaries(KEYS, TREES, max_size=4) | TREES, st.booleans(), st.booleans()
    ),
)
CONTENTS = st.one_of(
    st.binary(max_size=100), TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass"))
)


def findings(data: bytes) -> list[Diagnostic]:
    """All that is said of one file; each has a place in it."""
    document = reader.parse(data, "f.yaml")
    found = list(validation.located(document, CATALOG))
    assert document.root is not None or found
    if document.root is not None:
        found += validation.check_document(document, VALIDATOR, CATALOG)[0]
    for finding in found:
        assert finding.location is not None
        assert finding.location.line >= 1
        assert finding.location.column >= 1
        assert finding.message
    return found


@examples(200)
@given(CONTENTS)
def test_any_bytes_are_read_or_explained(data: bytes) -> None:
    findings(data)


def _laughs(width: int) -> str:
    lines = ["a0: &a0 [x]"] + [
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * width)}]" for i in range(1, 30)
    ]
    return "\n".join(lines)


_NINETY = ", ".join(f"k{i}: 1" for i in range(90))
TOO_MUCH = {
    "a billion laughs": (_laughs(9), "alias-bomb"),
    "a billion laughs in a merge": (
        _laughs(2).replace("[*", "[{<<: *").replace(", *", "}, {<<: *").replace("]\n", "}]\n"),
        "",
    ),
    "brackets": ("[" * 100_000, "too-deep"),
    "braces": ("{a: " * 100_000, "too-deep"),
    "dashes": ("- " * 100_000, "too-deep"),
    "question marks": ("? " * 100_000, "too-deep"),
    "brackets in a key": ("? {" * 50_000, "too-deep"),
    "merges of merges": (
        "\n".join(f"m{i}: &m{i} {{<<: *m{i - 1}}}" if i else "m0: &m0 {}" for i in range(300)),
        "too-deep",
    ),
    "aliases of wrong records": (
        f"x: &a {{{_NINETY}}}\nsessions: [{', '.join(['*a'] * 2_000)}]",
        "alias-bomb",
    ),
    "merges of wrong keys": (
        f"x: &a {{{_NINETY}}}\nsessions:\n" + "  - <<: *a\n" * 2_000,
        "alias-bomb",
    ),
    "one alias of itself": ("a: &a [*a]", "alias-bomb"),
    "a long number": ("sessions: [{name: " + "9" * 3_000_000 + "}]", "ambiguous-value"),
    "a long number in parts": ("sessions: [{name: +" + "9_" * 1_000_000 + "}]", "ambiguous-value"),
    "a long hexadecimal": ("sessions: [{name: 0x" + "f" * 1_000_000 + "}]", "ambiguous-value"),
    "a long power": ("sessions: [{name: 1.0e+" + "9" * 1_000_000 + "}]", "ambiguous-value"),
    "a long name": ("sessions: [{name: " + "x" * 5_000_000 + ", projects: [a]}]", "too-long"),
    "a long line": ("sessions: [{" + " " * 5_000_000 + "nam: x}]", "unknown-field"),
    "many keys": (
        "sessions:\n  - {" + ", ".join(f"k{i}: 1" for i in range(3_000)) + "}",
        "unknown-field",
    ),
    "one key many times": ("sessions:\n  - {" + "a: 1, " * 3_000 + "}", "duplicate-key"),
    "many anchors": ("\n".join(f"k{i}: &k{i} x" for i in range(3_000)), "unknown-section"),
    "a very long anchor": (f"a: &{'x' * 1_000_000} [1]\nb: *{'x' * 1_000_000}", "unknown-section"),
    "many documents": ("---\na: 1\n" * 10_000, "several-documents"),
    "nothing but comments": ("# x\n" * 10_000, "empty-file"),
    "a hundred thousand errors on a line": (
        "sessions: [" + "{nam: x}, " * 3_000 + "]",
        "unknown-field",
    ),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_too_much_of_something_is_an_end_of_it(name: str) -> None:
    text, code = TOO_MUCH[name]
    found = findings(text.encode())
    assert not code or code in {finding.code for finding in found}
    assert len(found) < 10_000


def test_a_file_beyond_all_bounds_is_not_read(lab: Lab) -> None:
    """Sparse, so that it takes no space either."""
    lab.sessions("{name: a}")
    with open(lab.root / "records" / "huge.yaml", "wb") as file:
        file.truncate(10 * 1024**4)
    result = lab.run("validate")
    assert result.code == 1
    assert "records/huge.yaml:1:1: error: the file is larger than 64 MiB" in result.out


NAMES = st.sampled_from(
    ["a.yaml", "b.yml", "_defaults.yaml", "sub/_defaults.yaml", "sub/c.yaml", "ü x.yaml"]
)


@examples(50)
@given(
    files=st.dictionaries(NAMES, CONTENTS, min_size=1, max_size=3),
    form=st.sampled_from(["text", "json", "github"]),
)
def test_validate_ends_well_whatever_is_in_the_files(
    lab: Lab, files: dict[str, bytes], form: str
) -> None:
    for path in sorted((lab.root / "records").glob("**/*.y*ml")):
        path.unlink()
    for name, content in files.items():
        path = lab.root / "records" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    result = lab.run("validate", "-o", form)
    assert result.code in (0, 1), result.said
    assert lab.requests == []
    if form == "json":
        document = json.loads(result.out)
        assert all(d["file"] and d["line"] and d["column"] for d in document["diagnostics"]), (
            document
        )
        assert (result.code == 1) == bool(document.get("errors", 1))


COMMANDS = st.sampled_from(
    [["validate"], ["plan"], ["state", "list"], ["explain", "session"], ["sandbox", "reset"]]
)


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address leads anywhere."""

    async def send(self: Connections, request: Request) -> Incoming:
        raise ConnectError("there is no network here")

    monkeypatch.setattr(Connections, "send", send)
    monkeypatch.setattr("stemctl.client.retry.backoff", lambda attempt: 0.0)


@pytest.mark.usefixtures("nowhere")
@examples(75)
@given(
    content=CONTENTS,
    command=COMMANDS,
    server=st.none() | st.sampled_from(["sandbox", "a", "https://", *HOSTILE_TEXT]),
)
def test_a_configuration_of_any_content(
    lab: Lab, content: bytes, command: list[str], server: str | None
) -> None:
    lab.sessions("{name: a}")
    (lab.root / "stemctl.yaml").write_bytes(content)
    chosen = ["--server", server] if server else []
    result = lab.run(*chosen, *command)
    assert result.code in (0, 1), result.said
    if result.code:
        assert result.err.startswith("Error: ") or ": error: " in result.out, result.said


URLS = st.one_of(
    st.sampled_from(
        [
            "http://[::1",
            "https://h:99999/",
            "https://",
            "http://:80/",
            "https://h:x/",
            "https://[::1]:8/",
            "https://../",
            "https://h /",
        ]
    ),
    st.text(st.sampled_from("ahttps:/[].@#?\\%20\t\x00\x1bé\u202e\u3002１ _-"), max_size=12).map(
        lambda t: f"https://{t}"
    ),
    st.text(max_size=10).map(lambda t: f"https://{t}"),
)


@examples(75)
@given(url=URLS, in_file=st.booleans(), command=st.sampled_from([["state", "list"], ["logout"]]))
def test_any_address_of_a_server(lab: Lab, url: str, in_file: bool, command: list[str]) -> None:
    lab.sessions("{name: a}")
    chosen = json.dumps({"servers": {"x": {"url": url, "edition": "2024"}}}) if in_file else "{}"
    (lab.root / "stemctl.yaml").write_text(chosen, encoding="utf-8", errors="backslashreplace")
    result = lab.run("--server", "x" if in_file else url, *command)
    assert result.code in (0, 1), result.said
    if result.code:
        assert result.err.startswith("Error: "), result.said
