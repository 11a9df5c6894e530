"""stemctl and a validator that others wrote come to the same verdict by `manifest.schema.json`."""

import functools
import json
import re
from pathlib import Path

import check_jsonschema
import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from stemctl.manifests.reader import parse, read
from stemctl.manifests.schema_errors import validator_of
from stemctl.manifests.validation import check_document
from stemctl.schema.catalog import load_catalog, schemas_dir
from stemctl.schema.compiled import compiled
from tests.support.paths import TESTS

EDITIONS = ("2024", "2026")
VALIDATORS = {
    edition: jsonschema.Draft202012Validator(
        json.loads((schemas_dir() / edition / "manifest.schema.json").read_text(encoding="utf-8")),
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )
    for edition in EDITIONS
}

READING = {
    "ambiguous-number": "a validator sees what its own reader made of the value",
    "duplicate-item": "JSON Schema cannot compare one member of the items of a list",
    "encoding-utf-16": "YAML may be in UTF-16, manifests may not",
    "folder-defaults-with-records": "the rule is about the name of the file",
    "tag-of-yaml": "a tag is lost once a file is read",
}
"""Folders of `invalid/` whose files break rules about text, or about names of files: no schema can
tell.
"""

FATAL = {
    "alias-inside-itself": "check-jsonschema crashes",
    "alias-of-a-bomb": "check-jsonschema needs seconds",
}

FILES = sorted([*TESTS.glob("valid/*.yaml"), *TESTS.glob("invalid/**/*.yaml")])
JUDGED = [file for file in FILES if file.relative_to(TESTS).parts[1] not in READING | FATAL]


def edition_of(file):
    """The edition that a file is for: it, or its folder in `invalid/`, begins with it."""
    return "2026" if file.relative_to(TESTS).parts[1].startswith("2026-") else "2024"


def refused(document, edition="2024"):
    """Whether stemctl finds an error in one file, whatever stands in others."""
    catalog = load_catalog(edition)
    findings, _ = check_document(document, validator_of(catalog), catalog)
    return bool([*document.problems, *findings])


def ask_others(edition, *files):
    """What check-jsonschema says of files: the names of those that are wrong, and of those that are
    no YAML to it.
    """
    schema = schemas_dir() / edition / "manifest.schema.json"
    words = ["--output-format", "json", "--schemafile", str(schema), *map(str, files)]
    result = CliRunner().invoke(check_jsonschema.main, words)
    assert result.exit_code in (0, 1), result.output
    said = json.loads(result.stdout)
    wrong, unread = (
        {Path(error["filename"]) for error in said.get(key, [])}
        for key in ("errors", "parse_errors")
    )
    assert bool(wrong | unread) == (result.exit_code == 1)
    return wrong, unread


@functools.cache  # each run reads the schema again, which takes a third of a second
def asked_together(edition):
    return ask_others(edition, *(file for file in JUDGED if edition_of(file) == edition))


def refused_by_others(file):
    """Whether check-jsonschema refuses a file."""
    wrong, unread = asked_together(edition_of(file))
    if file in unread or file not in JUDGED:
        # After one that is no YAML its reader stumbles over the next.
        wrong, unread = ask_others(edition_of(file), file)
    return file in wrong | unread


@pytest.mark.parametrize("file", JUDGED, ids=lambda file: str(file.relative_to(TESTS)))
def test_a_file_gets_the_same_verdict(file):
    assert refused(read(file, file.name), edition_of(file)) == refused_by_others(file)


@pytest.mark.parametrize("folder", READING)
def test_only_what_a_validator_cannot_see_is_excused(folder):
    assert not all(refused_by_others(file) for file in (TESTS / "invalid" / folder).glob("*.yaml"))


VALID = {
    edition: [
        json.loads(json.dumps(read(file, file.name).root.value))
        for file in TESTS.glob("valid/*.yaml")
        if edition_of(file) == edition
    ]
    for edition in EDITIONS
}
NAMES = [
    "sessions",
    "name",
    "key",
    "projects",
    "tags",
    "extra_fields",
    "URL",
    "epochs",
    "lifecycle",
    "moved",
    "nam",
    "behaviors",
    "subjects",
    "entries",
    "equipment",
    "session",
    "type",
    "details",
    "",
]
TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "2024-03-12",
            "2024-02-30",
            "2024-03-12T09:00:00Z",
            "2024-03-12T09:00",
            "session/a",
            "a\n",
        ]
    ),
    st.sampled_from(
        [
            "https://a.org/b?c#d",
            "a b",
            "5c0f3c52-7a0e-4b7b-9d6e-0f5a1b6c2d48",
            "name",
            "x" * 101,
            "x" * 501,
        ]
    ),
    # Without NUL, which stemctl refuses as it reads, wherever it stands.
    st.text(
        st.characters(min_codepoint=1, max_codepoint=0xFFFD, exclude_categories=["Cs"]),
        max_size=8,
    ),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.sampled_from([0.5, 1.0, -2.25]),
    TEXTS,
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | TEXTS, inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def mutated(draw, edition):
    """A valid manifest in which a value or two are others, gone, or new."""
    data = json.loads(json.dumps(draw(st.sampled_from(VALID[edition]))))
    for _ in range(draw(st.integers(0, 2))):
        parent, key = draw(st.sampled_from(list(steps(data)) or [({"root": data}, "root")]))
        change = draw(st.sampled_from(["replace", "remove", "add"]))
        if change == "replace":
            parent[key] = draw(VALUES)
        elif change == "remove":
            del parent[key]
        elif isinstance(parent, dict):
            parent[draw(st.sampled_from(NAMES) | TEXTS)] = draw(VALUES)
        else:
            parent.append(draw(VALUES))
    return data


def steps(value):
    """Every place inside a value, as the object or list it is in, and its key there."""
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, child in children:
        yield value, key
        yield from steps(child)


def in_yaml(data):
    """JSON is YAML, but for characters that must be escaped here, and pairs of surrogates that must
    not.
    """
    text = json.dumps(data, ensure_ascii=False)
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff]", lambda found: f"\\u{ord(found[0]):04x}", text)


@pytest.mark.parametrize("edition", EDITIONS)
@given(st.data())
def test_any_data_gets_the_same_verdict(edition, drawn):
    data, catalog = drawn.draw(mutated(edition)), load_catalog(edition)
    document = parse(in_yaml(data).encode(), "manifest.yaml")
    findings, _ = check_document(document, validator_of(catalog), catalog)
    assert document.problems == []
    assert document.root.value == data
    # Two items with one URL are refused beside the schema; see READING.
    is_valid = VALIDATORS[edition].is_valid(data)
    assert all(f.code == "duplicate-item" for f in findings) == is_valid


@pytest.mark.parametrize("edition", EDITIONS)
@given(st.data())
def test_the_quick_verdict_is_the_slow_one(edition, drawn):
    data, validator = drawn.draw(mutated(edition)), VALIDATORS[edition]
    assert compiled(validator.schema, validator.schema)(data) == validator.is_valid(data)
