"""fmt: format the manifests."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from stemctl.cli.command import command, option
from stemctl.cli.screen import Screen
from stemctl.commands import fmt as use_case
from stemctl.commands.fmt import Formatting
from stemctl.config.config import Config, load_config
from stemctl.core.diagnostics import Diagnostic, has_errors
from stemctl.errors import ConfigError, Untouched
from stemctl.render.text.diff_text import unified_diff
from stemctl.render.text.findings_text import findings_text
from stemctl.schema.catalog import Catalog, load_catalog
from stemctl.util.plural import counted, inflected


@command(
    examples=(
        ("stemctl fmt", "formats all files"),
        ("stemctl fmt --check", "checks that they are formatted, for CI"),
        ("stemctl fmt --edition 2026", "prepares the files for another edition"),
    ),
    exits=(
        ("1", "with --check or --diff, a file would change; or a file cannot be formatted"),
        ("3", "with --edition, something is left for you; or some files were formatted, not all"),
    ),
)
@click.argument("paths", nargs=-1)
@option("--check", is_flag=True, help="Write nothing, and exit with 1 if a file would change.")
@option(
    "--diff",
    is_flag=True,
    help="Write nothing, and show what would change; exits like --check.",
)
@option(
    "--edition",
    metavar="EDITION",
    help="Also spell keys as this edition does, and list what else it needs.",
)
@click.pass_obj
def fmt(
    screen: Screen, paths: tuple[str, ...], check: bool, diff: bool, edition: str | None
) -> int:
    """Format the manifests.

    Formats all manifests, folder defaults and stemctl.yaml, or only those in PATHS. Changes only
    indentation, spaces, empty lines and line endings; comments, quotes, order and values stay.
    Skips files that cannot be read.

    With - as the only path, formats standard input and prints the result, for editors.
    """
    catalog = load_catalog(edition) if edition else None
    if "-" in paths:
        return _format_stdin(screen, paths, check, diff, catalog)
    config = load_config(screen.root)
    screen.tell_root()
    chosen = use_case.choose(config, screen.below_root(paths))
    result = use_case.format_files(config.root, chosen.files, catalog)
    result.problems[:0] = chosen.problems
    files = len(chosen.files)
    if diff:
        return _print_diff(screen, result, files)
    if result.changes and not check:
        written = use_case.write(config.root, result.changes)
        result = Formatting(written.changes, [*result.problems, *written.problems])
        screen.did = _summary(result, files, check) if written.changes else ""
    for change in result.changes:
        screen.out(f"{'would format' if check else 'formatted'} {change.file}")
    summary = _summary(result, files, check)
    if result.problems:
        screen.findings(result.problems, summary)
    else:
        screen.sentences(summary)
    if check and result.changes:
        style = screen.style()
        command = "stemctl fmt" + (f" --edition {edition}" if edition else "")
        screen.out(style.finish(style.next([(command, "formats the files")])))
    if has_errors(result.problems):
        return 3 if screen.did else 1
    if check and result.changes:
        return 1
    return _tell_what_is_left(screen, config, catalog) if catalog else 0


def _tell_what_is_left(screen: Screen, config: Config, catalog: Catalog) -> int:
    """Print what only a person can change for an edition, and what to type when it is done."""
    left = use_case.left_to_do(config, catalog)
    server = config.server(screen.server)
    switch = f"write edition: {catalog.edition} in stemctl.yaml, for {server.name}."
    if left:
        number = counted(len(left), "line has", "lines have")
        screen.out("")
        screen.findings(left, f"{number} to be changed by you for edition {catalog.edition}.")
        if server.edition != catalog.edition:  # the new spelling is wrong in the old edition
            screen.note(f"Also {switch}")
        screen.suggest((f"stemctl fmt --edition {catalog.edition}", "checks them again"))
        return 3
    screen.sentences(f"The files fit edition {catalog.edition}.")
    if server.edition != catalog.edition:
        screen.note(f"Now {switch}")
    screen.suggest(("stemctl plan", "shows what apply would do"))
    return 0


def _format_stdin(
    screen: Screen, paths: Sequence[str], check: bool, diff: bool, catalog: Catalog | None
) -> int:
    """Print the formatted text alone to stdout, byte for byte; or a fault alone to stderr."""
    if len(paths) > 1:
        raise ConfigError(
            "Standard input cannot be formatted together with files.",
            "Write - alone, or leave it out.",
            untouched=Untouched.NOTHING_WRITTEN,
        )
    data = sys.stdin.buffer.read()
    outcome = use_case.format_data(data, "stdin", catalog)
    if isinstance(outcome, Diagnostic):
        screen.ask(findings_text([outcome], screen.style()))
        return 1
    if diff and outcome:
        screen.out(unified_diff("stdin", outcome.old, outcome.new, screen.style()))
    elif not check and not diff:
        sys.stdout.buffer.write(outcome.new.encode() if outcome else data)
    return 1 if outcome and (check or diff) else 0


def _print_diff(screen: Screen, result: Formatting, files: int) -> int:
    """Print the difference alone to stdout, for programs that read it."""
    style = screen.style()
    for change in result.changes:
        screen.out(unified_diff(change.file, change.old, change.new, style))
    if result.problems:
        screen.ask(findings_text(result.problems, style))
    screen.note(_summary(result, files, check=True))
    return 1 if has_errors(result.problems) or result.changes else 0


def _summary(result: Formatting, files: int, check: bool) -> str:
    """The last line: how many files were formatted, and how many could not be."""
    if not files:
        return "Nothing was formatted."
    total = counted(files, "file")
    changed = len(result.changes)
    wrong = len({problem.location.file for problem in result.problems if problem.location})
    sentences: list[str] = []
    if changed:
        sentences.append(f"{changed:,} of {total} {'would be ' if check else ''}formatted.")
    elif not wrong:
        which = f"All {total} are" if files > 1 else "The file is"
        sentences.append(f"{which} already formatted.")
    if wrong:
        left = inflected(wrong, "was", "were")
        sentences.append(f"{wrong:,} of {total} cannot be formatted and {left} left unchanged.")
    if check:
        sentences.append("Nothing was written.")
    return " ".join(sentences)
