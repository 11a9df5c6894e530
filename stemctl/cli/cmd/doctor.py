"""doctor: check the server, the token and the permissions."""

from __future__ import annotations

from pathlib import Path

import click

from stemctl.cli.command import command, option
from stemctl.cli.options import output
from stemctl.cli.screen import Screen
from stemctl.commands import doctor as use_case
from stemctl.commands.doctor import Diagnosis
from stemctl.commands.event_loop import run_async
from stemctl.commands.profile_file import check_target, write_profile
from stemctl.planning.table_truth import Verdict
from stemctl.render.text.doctor_text import Row, doctor_document, doctor_text, next_steps
from stemctl.render.text.plan_text import where_line

_MARKS = {True: "ok", False: "no", None: "note"}


@command(
    examples=(
        ("stemctl doctor", "checks the default server"),
        (
            "stemctl doctor --server brainstem --detailed-exitcode -o json",
            "checks another one, from a nightly job",
        ),
        ("stemctl doctor --profile answers.json", "writes what to report if the server differs"),
    ),
    exits=(
        ("1", "no access, or a difference that harms"),
        ("2", "with --detailed-exitcode, the server differs from the tables"),
        ("3", "as 1, and the profile was written"),
    ),
)
@option(
    "--profile",
    "profile",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write the shape of the server's answers to FILE, without any value of a record.",
)
@option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 if the server differs from the tables in any way.",
)
@output("text", "json")
@click.pass_obj
def doctor(
    screen: Screen, profile: Path | None, detailed_exitcode: bool, output_format: str
) -> int:
    """Check the server and your token, and compare the server's answers with the tables.

    Reads a page of every model that you may list, and writes nothing to the server.
    """
    workspace = screen.open()
    path = screen.start / profile if profile else None
    if path:
        check_target(path)
    found = run_async(use_case.doctor(workspace))
    if path:
        write_profile(found.profile, path)
        screen.did = f"wrote {profile}."
    target = workspace.target
    if output_format == "json":
        screen.document(doctor_document(_setup(found), found.truths, found.verdict, target))
    else:
        style = screen.style(workspace.catalog)
        screen.out(where_line(target, workspace.database))
        screen.out(doctor_text(_setup(found), found.truths, found.verdict, target.edition, style))
        screen.note("Permission to write cannot be checked without sending a change.")
        if path:
            screen.note(f"Wrote {profile}: the shape of the answers, and no value of a record.")
        screen.suggest(*next_steps(found.truths, found.verdict, profiled=path is not None))
    if found.verdict in (Verdict.NO_ACCESS, Verdict.HARMED):
        return 3 if screen.did else 1
    return 2 if detailed_exitcode and found.verdict is Verdict.DIFFERS else 0


def _setup(found: Diagnosis) -> list[Row]:
    return [(_MARKS[check.good], check.what, check.says) for check in found.checks]
