import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stemctl.core.records import Location
from stemctl.manifests import node_builder, reader
from stemctl.manifests.reader import parse, read
from stemctl.manifests.yaml_parser import PythonParser


def codes(document):
    return [problem.code for problem in document.problems]


def value_of(text):
    document = parse(text.encode(), "a.yaml")
    assert document.problems == []
    return document.root.value


def test_data_and_places():
    document = parse(b"sessions:\n  - name: rat12\n    tags: [a, 'b']\n", "records/a.yaml")
    assert document.root.value == {"sessions": [{"name": "rat12", "tags": ["a", "b"]}]}
    record = document.root.at(("sessions", 0))
    assert document.location(record.event) == Location("records/a.yaml", 2, 5)
    assert document.location(record.keys["tags"]) == Location("records/a.yaml", 3, 5)
    assert document.location(record.at(("tags", 1)).event) == Location("records/a.yaml", 3, 15)
    assert record.at(("tags", 1)).text == "b"


def test_columns_count_characters():
    document = parse("é: {ü: 1, 🐀: 2}".encode(), "a.yaml")
    assert document.location(document.root.at(("é",)).keys["🐀"]) == Location("a.yaml", 1, 11)


def test_quoted_scalars_and_blocks_are_text():
    assert value_of("a: '1'\nb: \"true\"\nc: |\n  12\nd: >-\n  null\ne: ''") == {
        "a": "1",
        "b": "true",
        "c": "12\n",
        "d": "null",
        "e": "",
    }


def test_a_byte_order_mark_moves_nothing():
    document = parse(b"\xef\xbb\xbfa: 1", "a.yaml")
    assert document.root.value == {"a": 1}
    assert document.location(document.root.keys["a"]) == Location("a.yaml", 1, 1)


def test_merge_keys_keep_what_is_written_and_where():
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 3\n"
    document = parse(text.encode(), "a.yaml")
    merged = document.root.at(("c",))
    assert merged.value == {"x": 3, "y": 1, "z": 2}
    assert document.location(merged.keys["x"]).line == 5
    assert document.location(merged.keys["y"]).line == 1
    assert document.location(merged.keys["z"]).line == 2


def test_a_quoted_merge_key_is_a_key():
    assert value_of('"<<": {a: 1}') == {"<<": {"a": 1}}


def test_a_repeated_key_keeps_the_first_value():
    document = parse(b"a: 1\nb: 2\na: 3\n", "a.yaml")
    (problem,) = document.problems
    assert (problem.code, problem.location, problem.remedy) == (
        "duplicate-key",
        Location("a.yaml", 3, 1),
        "already used in line 1: keep one of them",
    )
    assert document.root.value == {"a": 1, "b": 2}


def test_nothing_written_is_told_apart_from_null():
    document = parse(b"a:\nb: null\nc: ''\n", "a.yaml")
    assert document.root.value == {"a": None, "b": None, "c": ""}
    assert document.blanks == [document.root.at(("a",))]


def test_a_value_in_doubt_stays_the_text_it_is():
    document = parse(b"a: 012\n", "a.yaml")
    assert codes(document) == ["ambiguous-value"]
    assert document.root.value == {"a": "012"}
    assert document.ambiguous == [document.root.at(("a",))]


def test_a_large_file_is_not_read(monkeypatch):
    monkeypatch.setattr(reader, "MAX_FILE_BYTES", 10)
    assert codes(parse(b"a: 1234567", "a.yaml")) == []
    assert codes(parse(b"a: 12345678", "a.yaml")) == ["too-large"]


def test_a_large_file_is_not_even_loaded(monkeypatch, tmp_path):
    monkeypatch.setattr(reader, "MAX_FILE_BYTES", 10)
    (tmp_path / "a.yaml").write_text("a: 1" + " " * 100, encoding="utf-8")
    assert codes(read(tmp_path / "a.yaml", "a.yaml")) == ["too-large"]


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path):
    (problem,) = read(tmp_path / "none.yaml", "none.yaml").problems
    assert (problem.code, problem.message) == (
        "unreadable",
        "cannot be read: No such file or directory",
    )


def test_aliases_are_counted_by_what_they_stand_for(monkeypatch):
    text = b"a: &a [1, 2, 3]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    # *a stands for a list and three numbers; *b for a list and two of *a.
    monkeypatch.setattr(node_builder, "MAX_ALIASED", 2 * 4 + 2 * 9)
    assert codes(parse(text, "a.yaml")) == []
    monkeypatch.setattr(node_builder, "MAX_ALIASED", 2 * 4 + 2 * 9 - 1)
    assert codes(parse(text, "a.yaml")) == ["alias-bomb"]


def test_aliases_share_what_they_stand_for():
    document = parse(b"a: &a [1]\nb: *a\n", "a.yaml")
    assert document.root.at(("a",)) is document.root.at(("b",))


@pytest.mark.parametrize(
    "depth, expected", [(99, []), (100, ["too-deep"]), (200_000, ["too-deep"])]
)
def test_nesting_is_bounded(depth, expected):
    assert codes(parse(b"a: " + b"[" * depth + b"]" * depth, "a.yaml")) == expected


@pytest.mark.parametrize(
    "text, line, column",
    [
        ("a: " + "[" * 5_000, 1, 103),
        ("a: 1\na: 2\nb: " + "[" * 5_000, 3, 103),
        ("a: " + "{b: " * 5_000, 1, 4 + 99 * 4),
        ("é: " + "[\n" * 5_000, 100, 1),
        ("- " * 5_000, 1, 201),
        ("".join(" " * i + "a:\n" for i in range(1_200)), 101, 101),
    ],
    ids=["brackets", "after a finding", "braces", "brackets and lines", "dashes", "lines"],
)
@pytest.mark.parametrize(
    "parser", [node_builder.Parser, PythonParser], ids=["as installed", "pure"]
)
def test_nesting_that_the_parser_takes_no_more_is_the_same_finding(
    monkeypatch, parser, text, line, column
):
    """libyaml has a limit of its own since 0.2.6, and looks ahead."""
    monkeypatch.setattr(node_builder, "Parser", parser)
    problem = parse(text.encode(), "a.yaml").problems[-1]
    assert (problem.code, problem.location) == ("too-deep", Location("a.yaml", line, column))
    assert problem.remedy == "remove brackets or indentation"
    assert codes(parse(text.encode(), "a.yaml")).count("too-deep") == 1


@pytest.mark.parametrize(
    "character",
    ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\x9f", "\u2028", "\u2029", "\ufeff", "\ufffe"],
)
def test_characters_that_readers_take_for_different_things(character):
    (problem,) = parse(f"a: 1\nb: x{character}y\n".encode(), "a.yaml").problems
    assert (problem.code, problem.location) == ("control-character", Location("a.yaml", 2, 5))


def test_the_place_of_a_byte_that_is_no_text():
    (problem,) = parse("a: é\nb: é".encode() + b"\xe9\n", "a.yaml").problems
    assert (problem.code, problem.location) == ("encoding", Location("a.yaml", 2, 5))
    (problem,) = parse(b"a: 1\n\xe9", "a.yaml").problems
    assert problem.location == Location("a.yaml", 2, 1)


@pytest.mark.parametrize(
    "text",
    [
        "a: [1",
        "a: b: c",
        "\ta: 1",
        "a:\n\t- b",
        'a: "x',
        "a: @x",
        "a: {b: 1",
        "a:\n  - b\n c: 1",
        'a: "\\q"',
        "a: 1\n b: 2",
        "a: |x\n",
        "{a: 1}}",
        "a: %b",
        "a\nb: 1",
    ],
)
def test_both_parsers_refuse_the_same_text_with_words_of_ours(text, monkeypatch):
    (fast,) = parse(text.encode(), "a.yaml").problems
    monkeypatch.setattr(node_builder, "Parser", PythonParser)
    (slow,) = parse(text.encode(), "a.yaml").problems
    for problem in (fast, slow):
        assert problem.code == "syntax"
        assert problem.remedy
        assert "expected" not in problem.message


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-1000, 1000)
        | st.text(st.characters(codec="ascii", min_codepoint=32)),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
        ),
    ),
    st.booleans(),
)
def test_what_a_writer_of_yaml_writes_is_read(data, flow):
    text = yaml.safe_dump({"data": data}, default_flow_style=flow, allow_unicode=True)
    document = parse(text.encode(), "a.yaml")
    # That writer leaves 1e3 without quotes, being text to itself.
    assert set(codes(document)) <= {"ambiguous-value"}
    assert document.root.value == {"data": data}


def test_the_parser_in_python_reads_the_same(monkeypatch):
    text = b"a: &a [1, 'b', {c: null}]\nd: *a\ne: |\n  f\n"
    fast = parse(text, "a.yaml")
    monkeypatch.setattr(node_builder, "Parser", PythonParser)
    slow = parse(text, "a.yaml")
    assert slow.root.value == fast.root.value
    assert slow.location(slow.root.keys["e"]) == fast.location(fast.root.keys["e"])


def test_aliases_cannot_nest_deeper_than_brackets():
    chain = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 99))
    assert codes(parse(chain.encode(), "a.yaml")) == []
    assert codes(parse(f"{chain}a99: &a99 [*a98]\n".encode(), "a.yaml")) == ["too-deep"]


def test_an_anchor_is_as_deep_as_what_it_holds_and_no_deeper():
    deep = "[" * 90 + "]" * 90
    text = f"a: {deep}\nb: &b [1]\nc: {'[' * 97}*b{']' * 97}\n"
    assert codes(parse(text.encode(), "a.yaml")) == []
    assert codes(parse(text.replace("[1]", "[[[1]]]").encode(), "a.yaml")) == ["too-deep"]


def test_an_anchor_inside_does_not_make_the_outer_one_shallow():
    text = f"b: &b [[[1]], &c 2]\nc: {'[' * 97}*b{']' * 97}\n"
    assert codes(parse(text.encode(), "a.yaml")) == ["too-deep"]
    assert codes(parse(text.replace("[[1]]", "[1]").encode(), "a.yaml")) == []
