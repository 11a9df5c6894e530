"""Saved plans as files."""

from __future__ import annotations

import shlex
from pathlib import Path

from stemctl.commands.output_file import write_output
from stemctl.core.plan import Plan
from stemctl.core.plan_codec import plan_lines
from stemctl.core.saved_plan import BadPlan, Document, open_plan, plan_in


def read_plan(root: Path, name: str) -> Plan | None:
    """The plan in a file, relative to `root`; None if this is not the name of a saved plan.

    Raises:
        BadPlan: the file is a plan, but was edited or damaged; or the name ends with .json, and it
        is not a plan.
    """
    path = root / name
    try:
        document = _document(path) if path.is_file() else None
    except UnicodeDecodeError:
        return None
    if document is not None:
        return open_plan(document, name)
    if name.endswith(".json"):
        what = f"{name} is not a plan." if path.exists() else f"File {name} not found."
        hint = (f"stemctl plan --out {shlex.quote(name)}", "saves a plan there")
        raise BadPlan(what, "", [hint])
    return None


def _document(path: Path) -> Document | None:
    # The locations in a plan may hold the name of a folder that is not UTF-8. The text of a plan of
    # many changes is let go before the changes are made.
    return plan_in(path.read_text(encoding="utf-8", errors="surrogatepass"))


def write_plan(plan: Plan, path: Path) -> None:
    """Save a plan. Only an older plan is overwritten.

    Raises:
        ConfigError: the path is a link or another file, or cannot be written.
    """
    write_output(path, plan_lines(plan), "plan", _is_plan)


def _is_plan(path: Path) -> bool:
    """Whether a file is a saved plan."""
    return (
        path.is_file() and plan_in(path.read_text(encoding="utf-8", errors="replace")) is not None
    )
