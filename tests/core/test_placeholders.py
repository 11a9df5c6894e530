"""Ids that are not known yet, wherever they are in a body."""

from __future__ import annotations

from stemctl.core.placeholders import is_placeholder, placeholder, placeholders_in, with_ids
from stemctl.core.records import Address

RAT = Address("subject", "rat/12")


def test_a_placeholder_is_found_and_filled_in() -> None:
    body = {"subjects": [placeholder(RAT), "7"], "main": placeholder(RAT), "text": "$ref"}
    assert list(placeholders_in(body)) == ["subject/rat/12"] * 2
    assert with_ids(body, {RAT: "9"}) == {"subjects": ["9", "7"], "main": "9", "text": "$ref"}


def test_more_than_a_reference_is_no_placeholder() -> None:
    assert not is_placeholder({"$ref": "subject/rat", "id": "7"})
    assert list(placeholders_in({"extra": {"$ref": "a/b", "unit": "mm"}})) == []
