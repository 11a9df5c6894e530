"""Random valid records of any model, from its table."""

from __future__ import annotations

import datetime
import string
from typing import Any

from hypothesis import strategies as st

from stemctl.schema.fields import Field, Member
from stemctl.schema.models import Model

_LETTERS = st.characters(
    codec="utf-8",
    exclude_categories=("Cc", "Cs", "Cn", "Co"),
    exclude_characters="\u2028\u2029\ufeff",
)
_KEY = st.text(string.ascii_letters + string.digits + "_", max_size=8).map(lambda t: "k" + t)
_NUMBERS = st.one_of(
    st.integers(-(2**53), 2**53),
    st.floats(-1e9, 1e9, allow_nan=False).filter(lambda x: "e" not in repr(x)),
)


def text(most: int | None) -> st.SearchStrategy[str]:
    """Text of any script, at most so long."""
    return st.text(_LETTERS, max_size=min(most or 80, 80))


def named(most: int | None) -> st.SearchStrategy[str]:
    """Text that can be a name: something is left of it when it is trimmed."""
    return text(most).filter(lambda t: t.strip() != "").map(lambda t: t.strip())


def value_of(row: Field, targets: dict[str, list[str]]) -> st.SearchStrategy[Any]:
    """A value that a field takes; references are to `targets`, names by model."""
    match row.kind:
        case "text":
            return named(row.max_length) if row.required else text(row.max_length)
        case "instant":
            moments = st.datetimes(
                datetime.datetime(1950, 1, 1),
                datetime.datetime(2100, 1, 1),
                timezones=st.sampled_from(
                    [datetime.UTC, datetime.timezone(datetime.timedelta(hours=2))]
                ),
            ).map(lambda moment: moment.replace(microsecond=0).isoformat())
            return st.one_of(st.none(), moments, st.dates().map(str).filter(lambda d: d >= "1000"))
        case "references":
            return st.lists(
                st.sampled_from(targets[row.to or ""]), min_size=1, max_size=2, unique=True
            )
        case "list":
            return st.lists(named(20), max_size=4, unique=True)
        case "map":
            return st.dictionaries(_KEY, st.one_of(text(20), _NUMBERS), max_size=4)
        case "items":
            return st.lists(item_of(row), max_size=3, unique_by=lambda item: item[row.by or ""])
        case _:
            raise NotImplementedError(row.kind)


def item_of(row: Field) -> st.SearchStrategy[dict[str, Any]]:
    """An item of a list of objects."""
    return st.fixed_dictionaries({name: _member(member) for name, member in row.members.items()})


def _member(member: Member) -> st.SearchStrategy[str]:
    if member.format == "uri":
        return st.from_regex(r"https://[a-z]{1,8}\.org/[a-z0-9]{0,8}", fullmatch=True)
    return named(20)


def records(
    model: Model, targets: dict[str, list[str]], leave_out: tuple[str, ...] = ()
) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Some records of a model with different names; fields that are not required may be missing."""
    rows = [row for row in model.managed if row.name not in leave_out and row.shown]
    required = {row.name: value_of(row, targets) for row in rows if row.required}
    optional = {row.name: value_of(row, targets) for row in rows if not row.required}
    one = st.fixed_dictionaries(required, optional=optional)
    return st.lists(
        one,
        min_size=1,
        max_size=4,
        unique_by=lambda fields: fields[model.identity or ""].casefold(),
    )
