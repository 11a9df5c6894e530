"""Values that need no quotes have the same text as an emitter of YAML gives them."""

from hypothesis import given
from hypothesis import strategies as st

from stemctl.manifests import written
from stemctl.manifests.plain_text import plain_scalar

WORDS = st.one_of(
    st.text(),
    st.text("aAnNyYoOeE019 _./()+-µ°:,#'"),
    st.sampled_from(["2024-03-12", "2024-03-12T09:00:00Z", "2024-3-1"]),
    st.sampled_from(["yes", "Off", "null", "-3.8 mm", "12 %", "1e3", "a - b", "30 kHz", "2 a", ""]),
)
VALUES = st.recursive(
    st.one_of(WORDS, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)


@given(VALUES)
def test_the_quick_way_writes_what_the_emitter_does(value):
    assert written.scalar_text(value) == written._emitted(value)
    assert written.flow_text(value) == written._emitted([value])[1:-1]


def test_most_values_are_quick():
    for value in ("Theta Maze Study", "rat12_2024-03-12", "-3.8 mm", 12, True, None):
        assert plain_scalar(value) is not None
