"""JSON of others: what Python takes and JSON does not have is no value of ours."""

from __future__ import annotations

import json

import pytest

from stemctl.util.strict_json import DEEPEST, HalfCharacter, read_json


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1.5,
        10**30,
        "",
        "é 日本 😀",
        [],
        {},
        [{"a": [1, {"b": None}]}],
        {"": ""},
        "\u202e\x1b\x00",
    ],
)
def test_what_json_has_is_read(value: object) -> None:
    for ascii_only in (True, False):
        assert read_json(json.dumps(value, ensure_ascii=ascii_only)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1,]",
        "NaN",
        '{"a": NaN}',
        "[Infinity]",
        "[-Infinity]",
        "1e999",
        "[-1e999]",
        "9" * 10_000,
        '"\\ud800"',
        '{"\\udc00": 1}',
        '["\\udc00\\ud800"]',
        "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
        '{"a":' * 500 + "1" + "}" * 500,
        "[" * 100_000,
    ],
    ids=range(16),
)
def test_what_json_does_not_have_is_none_of_ours(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


def test_as_deep_as_a_manifest_may_be() -> None:
    text = "[" * DEEPEST + "]" * DEEPEST
    assert json.dumps(read_json(text)) == text


def test_half_a_character_is_told_with_its_place() -> None:
    with pytest.raises(HalfCharacter) as caught:
        read_json('{"a": [{"id": 7, "b": ["x", "\\ud83d"]}, "\\ud83d"]}')
    assert caught.value.path == ["a", 0, "b", 1]
    assert caught.value.around[2] == {"id": 7, "b": ["x", "\ud83d"]}
    with pytest.raises(HalfCharacter) as caught:
        read_json('{"a": {"\\udc00": 1}}')
    assert caught.value.path == ["a", "\udc00"]
