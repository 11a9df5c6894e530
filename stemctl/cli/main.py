"""The group of commands, and the one place where failures become messages and exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import click

from stemctl import __version__
from stemctl.cli.help import HELP, VERSION
from stemctl.cli.screen import Screen
from stemctl.errors import InvalidFiles, StemctlError
from stemctl.util import redact

COMMANDS = {
    "init": "tools",
    "validate": "checking",
    "fmt": "formatting",
    "plan": "planning",
    "apply": "applying",
    "show": "planning",
    "drift": "memory",
    "resolve": "memory",
    "get": "live",
    "approvals": "live",
    "import": "memory",
    "state": "memory",
    "runs": "runs",
    "explain": "tools",
    "schema": "tools",
    "login": "account",
    "logout": "account",
    "doctor": "account",
    "ci": "ci",
    "sandbox": "tools",
}
"""Command to the module that holds it, loaded when it is called; `help.py` says what each does."""


class Commands(click.Group):
    """Loads the module of a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of a working day."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"stemctl.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, "import_" if cmd_name == "import" else cmd_name)
        return command

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The text that also answers without click."""
        formatter.write(HELP)


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(message=VERSION.rstrip())
@click.option("-C", "directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--server", metavar="NAME|URL")
@click.option("--no-color", is_flag=True)
@click.option("-q", "--quiet", is_flag=True)
@click.option("-v", "--verbose", count=True)
@click.pass_obj
def cli(
    screen: Screen,
    directory: Path | None,
    server: str | None,
    no_color: bool,
    quiet: bool,
    verbose: int,
) -> None:
    """What each option does stands in `help.py`."""
    screen.directory, screen.server, screen.quiet, screen.verbose = (
        directory,
        server,
        quiet,
        verbose,
    )
    screen.colour = sys.stdout.isatty() and not no_color and not os.environ.get("NO_COLOR")


def main() -> None:
    """Run stemctl and leave with its exit code: 0, 1, 2, 3, 130, or 70 for a bug of its own."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command line; every failure becomes a message here, and nowhere else."""
    redact.begin(os.environ)
    screen = Screen(json=wants("json", arguments), github=wants("github", arguments))
    return screen.end(_attempt(screen, arguments))


def _attempt(screen: Screen, arguments: list[str]) -> int:
    try:
        code = cli.main(
            arguments or ["--help"], prog_name="stemctl", standalone_mode=False, obj=screen
        )
        return code if isinstance(code, int) else 0
    except InvalidFiles as error:
        return screen.invalid(error)
    except StemctlError as error:
        return screen.failed(error)
    except click.UsageError as error:
        return screen.failed(_usage(error))
    except click.ClickException as error:
        return screen.failed(StemctlError(error.format_message()))
    except (click.Abort, KeyboardInterrupt):
        screen.ask("Interrupted; nothing more is sent.")
        return 130
    except (
        OSError
    ) as error:  # a full disk, a folder that may not be written: nothing that stemctl could fix
        if error is screen.lost:
            return 1  # the screen tells of its own failure at the end
        return screen.failed(
            StemctlError(
                f"{error.strerror or error}.", f"It was about {error.filename or 'the output'}."
            )
        )
    except (
        UnicodeEncodeError
    ) as error:  # half a character: a word of the command line, or a name of a folder
        if not error.object[error.start : error.end].isprintable() and error.encoding.startswith(
            "utf"
        ):
            return screen.failed(_not_utf8(error.object))
        return screen.failed(_bug(error))
    except (
        SystemExit
    ) as left:  # click's way to leave where a pipe broke, in its own help or in a question
        return 3 if screen.did else int(left.code or 0)
    except Exception as error:  # the boundary: whatever else happens is a bug of ours
        return screen.failed(_bug(error))


def _not_utf8(text: str) -> StemctlError:
    return StemctlError(
        f"{text:.200} is not UTF-8.",
        "What is sent, and what is written into files, has to be: type it so, or rename the file or folder.",
    )


def wants(form: str, arguments: list[str]) -> bool:
    """Whether the answer, errors of usage included, is to be in this format."""
    pairs = zip(arguments, [*arguments, ""][1:], strict=True)
    return any(
        (option in ("-o", "--format") and value == form)
        or option in (f"-o{form}", f"--format={form}")
        for option, value in pairs
    )


def _usage(error: click.UsageError) -> StemctlError:
    what = " ".join(error.format_message().split()).rstrip(".") + "."
    path = error.ctx.command_path if error.ctx else "stemctl"
    usage = error.ctx.get_usage() if error.ctx else ""
    return StemctlError(what, usage, [(f"{path} --help", "lists what there is")])


def _bug(error: Exception) -> StemctlError:
    """A message about a bug, whose trace is written to a file."""
    import tempfile
    import traceback

    trace = redact.masked("".join(traceback.format_exception(error)))
    try:
        handle, name = tempfile.mkstemp(prefix="stemctl-trace-", suffix=".txt")
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"stemctl {__version__}, Python {sys.version}, {sys.platform}\n\n{trace}")
        why = (
            f"{type(error).__name__}; what happened is written to {name}.\n"
            "Please send that file to the makers, with what you typed. There is no token in it."
        )
    except OSError:  # no folder for temporary files, or no room in it
        why = f"Please send this to the makers, with what you typed. There is no token in it.\n{trace.rstrip()}"
    bug = StemctlError("This is a bug in stemctl.", why)
    bug.exit_code = 70
    return bug
