"""Entries of `moved` with a `*` on each side."""

from hypothesis import given
from hypothesis import strategies as st

from stemctl.core.address_patterns import matches
from stemctl.core.records import Address, Directive, Location
from stemctl.manifests.moved_patterns import ends, expand, pattern

AT = Location("a.yaml", 1, 1)


def star(old: str, new: str):
    return pattern(Address("session", old), Address("session", new), AT)


def one(old: str, new: str) -> Directive:
    return Directive(f"session/{old}", AT, Address("session", new))


def expanded(moves, *declared: str) -> dict[str, str]:
    found = expand(moves, [Address("session", key) for key in declared], complete=True)
    assert found.problems == []
    return {move.subject.partition("/")[2]: move.to.key for move in found.entries}


def test_each_declared_record_gets_the_key_that_it_had():
    moves = [star("rat17_*", "rat17b_*")]
    assert expanded(moves, "rat17b_1", "rat17b_2", "rat18_1") == {
        "rat17_1": "rat17b_1",
        "rat17_2": "rat17b_2",
    }


def test_a_record_that_is_still_declared_keeps_its_key():
    assert expanded([star("a*", "b*")], "b1", "a1", "b2") == {"a2": "b2"}


def test_an_entry_for_a_single_record_wins():
    assert expanded([star("a*", "b*"), one("x", "b1")], "b1", "b2") == {"x": "b1", "a2": "b2"}
    assert expanded([star("a*", "b*"), one("a1", "c")], "b1", "b2", "c") == {"a1": "c", "a2": "b2"}


def test_chains_end_at_the_declared_record_in_any_order():
    chain = [star("a*", "b*"), star("b*", "c*"), one("old", "a9")]
    for moves in (chain, chain[::-1]):
        found = expanded(moves, "c1", "c2")
        assert found == {"b1": "c1", "a1": "c1", "b2": "c2", "a2": "c2", "old": "a9"}
    assert expanded([one("b", "c"), one("a", "b")], "c") == {"a": "c", "b": "c"}


def test_two_old_patterns_may_have_become_one():
    moves = [star("a*", "c*"), star("b*", "c*")]
    assert expanded(moves, "c1") == {"a1": "c1", "b1": "c1"}


def test_patterns_that_go_on_for_ever_end():
    many = [star("ab*", "a*"), *(star(f"x{n}*", "*") for n in range(20))]
    found = expand(many, [Address("session", f"a{n}") for n in range(50)], complete=True)
    assert len(found.entries) <= 50 * 22


def test_a_wildcard_after_a_backslash_is_a_character():
    assert ends(r"a\**") == ("a*", "")
    assert ends(r"a\*") is ends("a*b*") is ends("a*?") is None


KEYS = st.text("ab*?\\ ", min_size=1, max_size=6)


@given(KEYS, KEYS)
def test_a_pattern_matches_the_same_as_everywhere_else(key, other):
    found = ends(key)
    if found is None or not other.strip():
        return
    move = pattern(Address("session", key), Address("session", "*"), AT)
    goal = move.goal(Address("session", other))
    # A rest that is blank names no record.
    rest = other[len(found[0]) : len(other) - len(found[1])].strip()
    fits = matches(f"session/{key}", Address("session", other)) and key != other
    assert (goal is not None) == (fits and bool(rest)) or key == other
