"""The output of `stemctl --help` and `stemctl --version`.

It is kept as text so that both answer as fast as Python starts: loading click alone takes three
times as long. Lines of at most 78 characters look the same in every terminal.
"""

from __future__ import annotations

from collections.abc import Sequence

from stemctl import __version__

HELP = """\
Usage: stemctl [OPTIONS] COMMAND [ARGS]...

  Manage your lab's BrainSTEM metadata as code.

  To try it without an account, run stemctl init, then stemctl plan.

Options:
  --version          Show the version and exit.
  -C DIRECTORY       Run in this directory.
  --server NAME|URL  Use a server from stemctl.yaml, a URL, or "sandbox".
  --no-color         Disable colours; NO_COLOR has the same effect.
  -q, --quiet        Print only prompts and errors to stderr.
  -v, --verbose      Show more detail.
  -h, --help         Show this message and exit.

Commands:
  init        Create stemctl.yaml, a first manifest and editor settings.
  new         Write a new record to your files.
  set         Change fields of records in your files.
  mv          Rename records in your files.
  rm          Remove records from your files, and from the server.
  pull        Write to your files what is on the server.
  load        Write to your files what is in a table: CSV, TSV or Excel.
  validate    Check the manifests.
  fmt         Format the manifests.
  plan        Show what apply would change, without sending anything.
  apply       Send the changes in your files to the server.
  show        Show a saved plan, or where the values of a record come from.
  report      Write an HTML page to look at your repository in a browser.
  drift       Show what has changed on the server since the last apply.
  resolve     Resolve conflicts: choose your values or the server's.
  get         Show records on the server.
  approvals   List, accept and reject proposals.
  import      Bind an address to an existing record on the server.
  state       Inspect and edit the state.
  runs        Show past runs, and the records before each run.
  explain     Describe a model or a field.
  schema      Build and print the JSON Schemas.
  login       Log in to a server with your browser.
  logout      Remove the saved token of a server.
  doctor      Check the server, your token and your permissions.
  completion  Print the script that completes words in your shell.
  ci          Create CI workflows for GitHub or GitLab.
  sandbox     Run a local BrainSTEM server for testing.
"""
"""In the order of a working day. Tests compare it with the options and commands that exist."""

VERSION = f"stemctl {__version__}\n"


def answer(arguments: Sequence[str]) -> str | None:
    """The output of a command line that needs nothing but these texts; None for any other."""
    if list(arguments) in ([], ["--help"], ["-h"]):
        return HELP
    return VERSION if list(arguments) == ["--version"] else None
