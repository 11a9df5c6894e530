"""Options that several commands share, and their types."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any, TypeVar

import click

from stemctl.cli.command import option
from stemctl.cli.screen import Screen
from stemctl.util.late_pattern import late_pattern
from stemctl.util.plural import joined
from stemctl.util.suggest import edits, nearest

_F = TypeVar("_F", bound=Callable[..., Any])

KINDS = ("delete", "revert", "replace", "cascade")


class OneOf(click.Choice):  # type: ignore[type-arg]  # generic in newer versions of click alone
    """A word of a list, in any case, or what other programs call it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word as it is in the list."""
        known = [str(choice) for choice in self.choices]
        word = str(value).casefold()
        word = _OTHER_WORDS.get(word, word)
        if word in known:
            return word
        saves = any(param.name == "out" for param in ctx.command.params) if ctx else False
        near = nearest(word, known, most=1)
        guess = f" Did you mean {near[0]}?" if near else ""
        if saves and _FILE.search(word):
            guess = f" To save the plan, write --out {shlex.quote(str(value))}."
        return self.fail(f"{value!r} is not {joined(known, 'or')}.{guess}", param, ctx)


_FILE = late_pattern(r"[./\\]")
_OTHER_WORDS = {
    "yml": "yaml",
    "md": "markdown",
    "htm": "html",
    "table": "text",
    "wide": "text",
    "plain": "text",
    "human": "text",
}


def output(*formats: str) -> Callable[[_F], _F]:
    """`-o`, `--format` with these choices; the first is the default."""
    return option(
        "-o",
        "--format",
        "output_format",
        type=OneOf(formats),
        default=formats[0],
        show_default=True,
        help="Choose the output format.",
    )


class Allow(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click alone
    """`KIND` or `KIND=N`: a permission, and the most records of one run that it covers."""

    name = "KIND[=N]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """`delete=3` to ("delete", 3); without a number, the default limit."""
        from stemctl.planning.planner import DEFAULT_LIMIT

        kind, has_number, number = str(value).partition("=")
        if kind not in KINDS:
            # A permission is proposed for a slip of the keyboard alone.
            near = [each for each in nearest(kind, KINDS, most=1) if edits(kind, each) <= 2]
            guess = f" Did you mean {near[0]}?" if near else ""
            self.fail(f"Unknown permission {kind!r}; choose from {', '.join(KINDS)}.{guess}")
        if has_number and not _NUMBER.fullmatch(number):
            self.fail(f"{number!r} is not a number of records.")
        if not has_number and ctx is not None and isinstance(ctx.obj, Screen):
            ctx.obj.note(
                f"--allow {kind} covers up to {DEFAULT_LIMIT} records of one run. "
                f"For another limit, write --allow {kind}=N.\n"
            )
        return kind, int(number) if has_number else DEFAULT_LIMIT


class Digest(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click alone
    """The digest of a plan, or its beginning: long enough that no other plan shares it."""

    name = "DIGEST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The digest without `sha256:`.

        An empty one, for example from a variable that is not set, must not match every plan.
        """
        digest = str(value).strip().removeprefix("sha256:")
        if not _DIGEST.fullmatch(digest):
            self.fail(
                f"{value!r} is not a digest: "
                f"a digest has {_SHORTEST_DIGEST} to 64 characters, 0-9 and a-f."
            )
        return digest


_NUMBER = late_pattern("[0-9]{1,9}")
_SHORTEST_DIGEST = 16
_DIGEST = late_pattern(f"[0-9a-f]{{{_SHORTEST_DIGEST},64}}")

allow = option(
    "--allow",
    "allowed",
    type=Allow(),
    multiple=True,
    help=(
        f"Allow {', '.join(KINDS[:-1])} or {KINDS[-1]}; "
        "if more than N records are affected (default: 10), none is allowed."
    ),
)
resubmit = option(
    "--resubmit",
    is_flag=True,
    help="Resubmit proposals that were rejected, or are pending with different text.",
)
exclude = option(
    "--exclude",
    multiple=True,
    metavar="ADDRESS|PATH",
    help="Exclude matching records; * and ? are wildcards. Repeatable.",
)
max_bytes = option(
    "--max-bytes", type=click.IntRange(1000), help="Limit the size of -o markdown, in bytes."
)
