"""The text of a state is indented as json does it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from stemctl.core.state_codec import _indented
from stemctl.util.json_types import Value
from tests.support.effort import examples

TEXTS = st.text(st.characters(exclude_categories=()), max_size=8)
"""Also with half characters."""

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@examples(50)
@given(VALUES)
def test_it_is_the_text_of_json(value: Value) -> None:
    assert _indented(value) == json.dumps(value, indent=1, ensure_ascii=False)
