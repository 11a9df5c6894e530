"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])

KINDS = ("delete", "revert", "replace", "cascade")


def output(*formats: str) -> Callable[[_F], _F]:
    """`-o`, `--format` with these choices; the first is the default."""
    return click.option(
        "-o",
        "--format",
        "form",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="How to answer.",
    )


class Allow(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click alone
    """`KIND` or `KIND=N`: a permission and the most records of one run that it covers."""

    name = "KIND[=N]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """`delete=3` to ("delete", 3); without a number, 10."""
        from stemctl.planning.planner import DEFAULT_LIMIT

        kind, has_number, number = str(value).partition("=")
        if kind not in KINDS:
            self.fail(f"{kind!r} is no permission; there are {', '.join(KINDS)}.")
        if has_number and not _NUMBER.fullmatch(number):
            self.fail(f"{number!r} is no number of records.")
        return kind, int(number) if has_number else DEFAULT_LIMIT


class Digest(click.ParamType):  # type: ignore[type-arg]  # generic for some versions of click alone
    """The digest of a plan, or how it begins: long enough that no other plan begins so."""

    name = "DIGEST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Without `sha256:`. An empty one, as of a variable that is not set, must not mean that any
        plan will do.
        """
        digest = str(value).strip().removeprefix("sha256:")
        if not _DIGEST.fullmatch(digest):
            self.fail(
                f"{value!r} is no digest: it has {_SHORTEST_DIGEST} to 64 of the characters 0-9 and a-f."
            )
        return digest


_NUMBER = re.compile("[0-9]{1,9}")
_SHORTEST_DIGEST = 16
_DIGEST = re.compile(f"[0-9a-f]{{{_SHORTEST_DIGEST},64}}")

allow = click.option(
    "--allow",
    "allowed",
    type=Allow(),
    multiple=True,
    help="Permit what can destroy others' work: " + ", ".join(KINDS) + ".",
)
resubmit = click.option(
    "--resubmit",
    is_flag=True,
    help="Propose again what is pending with other text, or was rejected.",
)
exclude = click.option(
    "--exclude",
    multiple=True,
    metavar="ADDRESS|PATH",
    help="Leave these out, * and ? are patterns; repeatable.",
)
