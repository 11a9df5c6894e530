"""Saved plans as files."""

from __future__ import annotations

import shlex
from pathlib import Path

from stemctl.core.plan import Plan
from stemctl.core.plan_codec import plan_lines
from stemctl.core.saved_plan import BadPlan, open_plan, plan_in
from stemctl.errors import ConfigError, Untouched
from stemctl.util.atomic_file import replace_file


def read_plan(root: Path, name: str) -> Plan | None:
    """The plan in a file, relative to `root`; None if this is not the name of a saved plan.

    Raises:
        BadPlan: the file is a plan, but was edited or damaged; or the name ends with .json, and it
        is not a plan.
    """
    path = root / name
    try:
        # The locations in a plan may hold the name of a folder that is not UTF-8.
        text = path.read_text(encoding="utf-8", errors="surrogatepass") if path.is_file() else ""
    except UnicodeDecodeError:
        return None
    document = plan_in(text)
    if document is not None:
        return open_plan(document, name)
    if name.endswith(".json"):
        what = f"{name} is not a plan." if path.exists() else f"File {name} not found."
        hint = (f"stemctl plan --out {shlex.quote(name)}", "saves a plan there")
        raise BadPlan(what, "", [hint])
    return None


def write_plan(plan: Plan, path: Path) -> None:
    """Save a plan. Only an older plan is overwritten.

    Raises:
        ConfigError: the path is a link or another file, or cannot be written.
    """
    if path.is_symlink():
        raise ConfigError(
            f"{path} is a link.",
            "A plan is only saved to a regular file.",
            untouched=Untouched.NOTHING_WRITTEN,
        )
    old = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    if path.exists() and plan_in(old) is None:
        raise ConfigError(
            f"{path} already exists, and is not a plan.",
            "stemctl does not overwrite it. Choose another file.",
            untouched=Untouched.NOTHING_WRITTEN,
        )
    try:
        replace_file(path, plan_lines(plan))
    except OSError as error:
        raise ConfigError(f"{path} cannot be written.", str(error.strerror)) from error
