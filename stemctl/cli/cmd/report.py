"""report: write a page of the repository, to look at it in a browser."""

from __future__ import annotations

import click

from stemctl.cli.browser import open_in_browser
from stemctl.cli.command import command, option
from stemctl.cli.screen import Screen
from stemctl.commands import report as page
from stemctl.util.plural import counted


@command(
    examples=(
        ("stemctl report --open", "writes report.html, and opens it"),
        ("stemctl report --out lab.html", "writes it to another file"),
        ("stemctl report --out - > lab.html", "prints it, for a pipe"),
    )
)
@option(
    "--out",
    default=page.PAGE,
    show_default=True,
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Write the page to this file; - prints it.",
)
@option("--open", "opens", is_flag=True, help="Also open the page in your browser.")
@click.pass_obj
def report(screen: Screen, out: str, opens: bool) -> int:
    """Write an HTML page to look at your repository in a browser.

    It has a calendar, counts, a table of all records to search and filter, and what is not
    applied yet. It is made from the files and the state: no server is asked, and no token is
    needed.
    """
    workspace = screen.open()
    made = page.report(workspace)
    if not made.state_is_known:
        screen.note(
            "The shared state was never fetched here, so that no record counts as applied. "
            "stemctl plan --offline fetches it.\n"
        )
    if out == "-":
        screen.out(made.html)
        return 0
    path = screen.start / out
    page.write_page(made.html, path)
    at_root = screen.start == screen.root
    name = out if at_root else str(path)  # other paths are told from the root
    screen.did = f"the page was written to {name}."
    screen.out(f"Wrote {name}: a page of {counted(made.records, 'record')}.")
    if opens and not open_in_browser(path.as_uri()):
        screen.note("No browser could be opened.")
    elif out == page.PAGE and at_root and not opens:
        screen.suggest(("stemctl report --open", "writes the page and opens it in your browser"))
    return 0
