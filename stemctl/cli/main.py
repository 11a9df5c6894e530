"""The group of commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import importlib
import keyword
import os
import re
import sys

import click

from stemctl import __version__
from stemctl.cli import usage
from stemctl.cli.command import Group, program_options
from stemctl.cli.help import HELP
from stemctl.cli.leave import leave
from stemctl.cli.screen import Screen
from stemctl.core.diagnostics import InvalidFiles
from stemctl.errors import StemctlError
from stemctl.util import redact

COMMANDS = (
    "init",
    "new",
    "set",
    "mv",
    "rm",
    "pull",
    "load",
    "validate",
    "fmt",
    "plan",
    "apply",
    "show",
    "report",
    "drift",
    "resolve",
    "get",
    "approvals",
    "import",
    "state",
    "runs",
    "explain",
    "schema",
    "login",
    "logout",
    "doctor",
    "completion",
    "ci",
    "sandbox",
)
"""In the order of a working day. Each is in the module of its name in `cmd`."""


class Commands(Group):
    """The commands. The module of a command is loaded when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of a working day."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        module = importlib.import_module(f"stemctl.cli.cmd.{name}")
        command: click.Command = getattr(module, name)
        return command

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The text of `help.py`, which is also printed without click."""
        formatter.write(HELP)


@click.group(
    cls=Commands,
    epilog=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def cli() -> None:
    """stemctl; `help.py` describes its options."""


cli.params += program_options(hidden=False)


def main() -> None:
    """Run stemctl and exit with 0, 1, 2, 3, 130, or 70 for a bug in stemctl."""
    leave(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command line. Every error becomes a message here, and nowhere else."""
    redact.begin(os.environ)
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    screen = Screen(colour=colour, json=wants("json", arguments), github=wants("github", arguments))
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
        return screen.failed(usage.usage_error(error))
    except click.ClickException as error:
        return screen.failed(StemctlError(error.format_message()))
    except (click.Abort, KeyboardInterrupt):
        after_the_key = "\n" if sys.stderr.isatty() else ""  # the terminal shows ^C
        screen.ask(f"{after_the_key}Interrupted. Nothing more is sent.")
        return 130
    except OSError as error:
        # A full disk, or a folder that cannot be written. `screen.end` reports its own failure.
        return 1 if error is screen.lost else screen.failed(_system_error(error))
    except UnicodeEncodeError as error:
        return screen.failed(_not_utf8(error.object) if _is_half(error) else _bug(error))
    except SystemExit as exit_:
        # click exits like this if the pipe of its own help or of a question breaks.
        return 3 if screen.did else int(exit_.code or 0)
    except Exception as error:
        return screen.failed(_bug(error))


def _system_error(error: OSError) -> StemctlError:
    if _is_nowhere():
        return StemctlError("The current folder no longer exists.", "Go to another one with cd.")
    reason = f"{error.strerror or error}."
    if not error.filename:
        return StemctlError(reason)
    return StemctlError(f"Cannot access {error.filename}: {reason}", _what_to_do(error))


def _is_nowhere() -> bool:
    """Whether the current folder was removed."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _what_to_do(error: OSError) -> str:
    """What can be done about an error of the system, where that is plain."""
    if isinstance(error, IsADirectoryError):
        return "A file is expected here. Move or rename the folder, and run the command again."
    if isinstance(error, PermissionError):
        return "Check who owns it, and its permissions."
    return ""


def _is_half(error: UnicodeEncodeError) -> bool:
    """Whether the text holds half a character, from the command line or the name of a folder."""
    failed = error.object[error.start : error.end]
    return error.encoding.startswith("utf") and not failed.isprintable()


def _not_utf8(text: str) -> StemctlError:
    return StemctlError(
        f"{text:.200} is not valid UTF-8.",
        "Only UTF-8 can be sent or saved: change the argument, or rename the file or folder.",
    )


def wants(output_format: str, arguments: list[str]) -> bool:
    """Whether the answer, even to a usage error, is to be in this format."""
    text = " ".join(arguments)
    if output_format not in text:  # as mostly: to compile a pattern takes longer
        return False
    pattern = rf"(?:^| )(?:{_OUTPUT}{output_format}|--?{output_format})(?: |$)"
    return re.search(pattern, text) is not None


_OUTPUT = "(?:-o[ =]?|--?(?:format|output)[ =])"


def _bug(error: Exception) -> StemctlError:
    """A message about a bug in stemctl, whose traceback is saved to a file."""
    import tempfile
    import traceback

    trace = redact.masked("".join(traceback.format_exception(error)))
    try:
        handle, name = tempfile.mkstemp(prefix="stemctl-trace-", suffix=".txt")
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"stemctl {__version__}, Python {sys.version}, {sys.platform}\n\n{trace}")
        why = (
            f"{type(error).__name__}; the details are in {name}.\n"
            "Please report it with this file and the command you typed. The file contains no token."
        )
    except OSError:  # there is no folder for temporary files, or it is full
        why = (
            "Please report it with the command you typed and these details, which contain no token:"
            f"\n{trace.rstrip()}"
        )
    bug = StemctlError("This is a bug in stemctl.", why)
    bug.exit_code = 70
    return bug
