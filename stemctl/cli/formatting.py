"""fmt: the canonical layout of the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stemctl.cli.screen import Screen

if TYPE_CHECKING:
    from stemctl.commands.fmt import Layout


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file would change.")
@click.option(
    "--diff", is_flag=True, help="Write nothing, and show what would change; exit as with --check."
)
@click.pass_obj
def fmt(screen: Screen, paths: tuple[str, ...], check: bool, diff: bool) -> int:
    """Lay out the manifests, folder defaults and stemctl.yaml, or those among PATHS; other files
    are left alone.

    Only indentation, spaces, empty lines and line ends change. A file that cannot be read is left
    alone.
    """
    from stemctl.commands import fmt
    from stemctl.config.config import load_config

    config = load_config(screen.root)
    chosen = fmt.choose(config, paths)
    if screen.verbose:
        for path in chosen.others:
            screen.note(f"{path} is no manifest of this repository; it was left alone.")
    found = fmt.lay_out_files(config.root, chosen.files)
    found.problems[:0] = chosen.problems
    if diff:
        return _show(screen, found, len(chosen.files))
    if found.changes and not check:
        written = fmt.write(config.root, found.changes)
        found = fmt.Layout(written.changes, [*found.problems, *written.problems])
        screen.did = _summary(found, len(chosen.files), check) if written.changes else ""
    for change in found.changes:
        screen.out(f"{'would format' if check else 'formatted'} {change.file}")
    summary = _summary(found, len(chosen.files), check)
    if found.problems:
        screen.findings(found.problems, summary)
    else:
        screen.out(summary)
    if check:
        _say_next(screen, found)
    return 1 if found.problems or (check and found.changes) else 0


def _show(screen: Screen, found: Layout, files: int) -> int:
    """The difference alone on stdout, for programs that take it from there."""
    from stemctl.render.text.diff_text import unified_diff
    from stemctl.render.text.findings_text import findings_text

    style = screen.style()
    for change in found.changes:
        screen.out(unified_diff(change.file, change.old, change.new, style))
    if found.problems:
        screen.ask(findings_text(found.problems, style))
    screen.note(_summary(found, files, check=True))
    return 1 if found.problems or found.changes else 0


def _summary(found: Layout, files: int, check: bool) -> str:
    """The last line: what was done, and what was not."""
    changed, wrong = (
        len(found.changes),
        len({problem.location.file for problem in found.problems if problem.location}),
    )
    if not files:
        return "No manifest of this repository is named; nothing was done."
    said = []
    if changed:
        said.append(f"{changed:,} of {_files(files)} {'would be ' if check else ''}formatted.")
    elif not found.problems:
        said.append(f"All {files:,} files are laid out." if files > 1 else "The file is laid out.")
    if wrong:
        said.append(
            f"{wrong:,} of {_files(files)} cannot be laid out, and {'is' if wrong == 1 else 'are'} as before."
        )
    if check:
        said.append("Nothing was written.")
    return " ".join(said)


def _files(number: int) -> str:
    return f"{number:,} file{'' if number == 1 else 's'}"


def _say_next(screen: Screen, found: Layout) -> None:
    if found.changes:
        style = screen.style()
        screen.out(style.finish(style.next([("stemctl fmt", "lays them out")])))
