"""Random plans with hostile text, and what of a Markdown text stands outside of its fences."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.plan import (
    Action,
    Change,
    FieldChange,
    Held,
    Note,
    Plan,
    Request,
    Settled,
    Subset,
    Target,
)
from stemctl.core.records import Address, Location

NASTY = st.one_of(
    st.sampled_from(
        [
            "@all #12 GH-3",
            "</details>",
            "```",
            "````\n```",
            "<!-- x -->",
            "::error::x",
            "鼠" * 30,
            "\u202ex",
        ]
    ),
    st.text(max_size=60),
    st.text(st.sampled_from("鼠🐀é`"), min_size=100, max_size=400),
)
PLACES = st.none() | st.builds(Location, NASTY, st.integers(1, 10**6), st.just(1))
FIELDS = st.builds(
    FieldChange,
    NASTY,
    NASTY,
    NASTY,
    st.sampled_from(["edited", "drift", "conflict"]),
    st.none() | st.sampled_from(Held),
    PLACES,
)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    held = draw(st.none() | st.sampled_from(Held))
    action = draw(st.sampled_from(Action))
    sends = held is None and action is not Action.FORGET
    return Change(
        Address("session", draw(NASTY.filter(bool))),
        action,
        draw(st.sampled_from(["edited", "drift", "left_files"])),
        held,
        approval=draw(st.booleans()),
        location=draw(PLACES),
        request=Request("POST", "stem/session/", {}) if sends else None,
        fields=tuple(draw(st.lists(FIELDS, max_size=3))),
        detail=tuple(draw(st.lists(NASTY, max_size=2))),
    )


PLANS = st.builds(
    Plan,
    server=st.builds(Target, NASTY.filter(bool), NASTY, st.just("private"), st.just("2024")),
    lineage=st.none(),
    serial=st.just(0),
    changes=st.lists(changes(), max_size=30).map(tuple),
    unchanged=st.integers(0, 10**9),
    notes=st.lists(
        st.builds(Note, st.none() | st.builds(Address, st.just("session"), NASTY), NASTY, PLACES),
        max_size=3,
    ).map(tuple),
    settled=st.lists(
        st.builds(Settled, st.builds(Address, st.just("session"), NASTY), NASTY, NASTY), max_size=12
    ).map(tuple),
    diagnostics=st.lists(
        st.builds(Diagnostic, st.sampled_from(Severity), st.just("x"), NASTY, PLACES), max_size=4
    ).map(tuple),
    subset=st.builds(Subset, st.just(("session/*",)), st.just(()), st.integers(0, 10**9)),
    commit=st.none() | st.just("c" * 40),
)


def outside(markdown: str) -> list[str]:
    """The lines that are not in a fence; every fence must end."""
    lines, fence = [], ""
    for line in markdown.splitlines():
        ticks = re.match("`{3,}", line)
        if fence and line == fence:
            fence = ""
        elif not fence and ticks:
            fence = ticks[0]
        elif not fence:
            lines.append(line)
    assert fence == ""
    return lines
