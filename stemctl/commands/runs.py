"""runs: find the record of a run, and remove old ones."""

from __future__ import annotations

import datetime

from stemctl.commands.workspace import Workspace
from stemctl.core.run import Run
from stemctl.errors import ConfigError, StateError
from stemctl.util.late_pattern import late_pattern
from stemctl.util.timestamps import utc_now

_LIST = ("stemctl runs list", "shows the runs of this folder")
_AGE = late_pattern(r"([0-9]{1,4})([dwmy])")
_DAYS = {"d": 1, "w": 7, "m": 31, "y": 366}


def find_run(workspace: Workspace, name: str) -> Run:
    """The run with this id, or the only one whose id begins so.

    Raises:
        StateError: there is none, or there are several.
    """
    if not name:
        raise StateError("The run is empty: a shell variable may not be set.", "", [_LIST])
    # Records of runs are files without colons in their names.
    runs = [brief.id for brief in workspace.store.list_runs()]
    ids = [run for run in runs if run.startswith(name) or run.replace(":", "").startswith(name)]
    if name in ids:
        ids = [name]
    run = workspace.store.load_run(ids[0]) if len(ids) == 1 else None
    if run is not None:
        return run
    what = f"Run {name} not found."
    if ids:
        what = f"{len(ids):,} run ids begin with {name}."
    raise StateError(what, "", [_LIST])


def limit_of(text: str) -> datetime.datetime:
    """The moment that an age (`90d`, `12w`, `6m`, `2y`) or a date stands for; months and years are
    taken long.

    Raises:
        ConfigError: it is neither.
    """
    try:
        if age := _AGE.fullmatch(text):
            days = int(age[1]) * _DAYS[age[2]]
            return utc_now() - datetime.timedelta(days=days)
        return datetime.datetime.combine(
            datetime.date.fromisoformat(text), datetime.time(), datetime.UTC
        )
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            f"--older-than cannot be {text!r}.",
            "Write an age such as 90d, 12w, 6m or 2y, or a date.",
        ) from error


def prune(workspace: Workspace, keep: int | None, older_than: str | None) -> tuple[int, int]:
    """Remove the records of old runs from this folder; how many, and the bytes that they took.

    Raises:
        ConfigError: neither a number nor an age is given, or the age is not valid.
    """
    if keep is None and older_than is None:
        raise ConfigError(
            "Say which records of runs to remove.",
            "With both options, a record has to be old and outside the number to keep.",
            [
                ("stemctl runs prune --keep 100", "keeps the latest 100"),
                ("stemctl runs prune --older-than 90d", "removes those older than 90 days"),
            ],
        )
    before = limit_of(older_than) if older_than is not None else None
    return workspace.store.runs.remove(keep or 0, before)
