"""What `stemctl --help` and `stemctl --version` say.

It stands here as text so that both answer as fast as Python starts: loading click alone takes three
times as long. No line is longer than 78 characters, so that it looks the same in every terminal.
"""

from __future__ import annotations

from collections.abc import Sequence

from stemctl import __version__

HELP = """\
Usage: stemctl [OPTIONS] COMMAND [ARGS]...

  Metadata of neuroscience labs as code: YAML files, applied to BrainSTEM.

  Try it without an account: stemctl init, then stemctl plan.

Options:
  --version          Show the version and exit.
  -C DIRECTORY       Work in this folder.
  --server NAME|URL  A server of stemctl.yaml, a URL, or: sandbox.
  --no-color         No colours; NO_COLOR does the same.
  -q, --quiet        Nothing on stderr but questions and errors.
  -v, --verbose      Unfold what is folded.
  -h, --help         Show this message and exit.

Commands:
  init       Write stemctl.yaml, a first manifest, and files for editors.
  validate   Check the manifests.
  fmt        Lay the manifests out; comments, quotes and order stay.
  plan       Show what apply would send, and send nothing.
  apply      Plan, show, ask, and carry it out.
  show       Show a saved plan, or where the values of a record come from.
  drift      Show what changed on the server since it was applied.
  resolve    Settle conflicts: the server's values become the base.
  get        Show records of the server.
  approvals  Show proposals; accept or reject them as an administrator.
  import     Bind an address to a live record by its id.
  state      Show and mend what stemctl remembers.
  runs       Show what was applied and by whom, and records as they were.
  explain    Say what a model or a field takes.
  schema     Build and show the JSON Schemas.
  login      Get a token for a server, in your browser.
  logout     Forget the token of a server.
  doctor     Look at the server, the token and your rights.
  ci         Write workflows for GitHub or GitLab.
  sandbox    A BrainSTEM of your own, on this machine.
"""
"""In the order of a working day. Tests hold it against the options and commands that there are."""

VERSION = f"stemctl {__version__}\n"


def answer(words: Sequence[str]) -> str | None:
    """What a command line is answered with that asks for no more than this; None for any other."""
    if list(words) in ([], ["--help"], ["-h"]):
        return HELP
    return VERSION if list(words) == ["--version"] else None
