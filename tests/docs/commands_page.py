"""docs/commands.md: the commands as they describe themselves, and what all of them have in common.

What a command does, takes and exits with is in its module in `cli/cmd`; only what belongs to no
command is written here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import click

from stemctl.cli.command import Command
from stemctl.cli.help import HELP
from stemctl.cli.main import COMMANDS, cli
from stemctl.cli.options import KINDS, Allow
from stemctl.cli.screen import Screen

_HELP = ["-h", "--help"]

VARIABLES = (
    ("BRAINSTEM_TOKEN", "your token; wins over saved ones"),
    ("BRAINSTEM_API_TOKEN", "the same, as the official client calls it"),
    (
        "STEMCTL_TOKEN_HOSTS",
        "hosts, besides www.brainstem.org and localhost, that the token of a variable may be sent "
        "to; separated by commas",
    ),
    ("HTTPS_PROXY", "the proxy of HTTPS requests, as `http://HOST:PORT`"),
    ("ALL_PROXY", "the same, if `HTTPS_PROXY` is not set"),
    ("NO_PROXY", "hosts that are reached without the proxy; localhost always is"),
    ("SSL_CERT_FILE", "a file with the certificates of your institute"),
    ("SSL_CERT_DIR", "a folder of them"),
    ("REQUESTS_CA_BUNDLE", "the same, as the official client reads it"),
    ("CURL_CA_BUNDLE", "the same, as curl reads it"),
    ("NO_COLOR", "any value: no colours"),
    ("GITHUB_ACTIONS", "`plan`, `apply`, `validate` and `drift` run in a job of GitHub"),
    ("GITHUB_STEP_SUMMARY", "the file of the job summary, which they add their results to"),
    ("GITHUB_SERVER_URL", "with the next two: the page of the job, for the history of the state"),
    ("GITHUB_REPOSITORY", "the repository of the job"),
    ("GITHUB_RUN_ID", "the number of the job"),
    ("GITHUB_WORKSPACE", "the top of the repository, if git does not tell"),
    ("GITLAB_CI", "stemctl runs in a job of GitLab"),
    ("CI_JOB_URL", "the page of the job, for the history of the state"),
    ("CI_JOB_ID", "the number of the job"),
    ("SUDO_UID", "who called `sudo`: a `stemctl.yaml` above must belong to this user"),
)
"""Those of git, such as `GIT_SSH_COMMAND`, are passed on to git."""

FILES = (
    (
        "`stemctl.yaml`",
        "the configuration: [manifests](manifests.md), servers, permissions, layout",
        "you, `init`",
    ),
    ("`records/**/*.yaml`", "the [manifests](manifests.md)", "you, `new`, `set`, `pull`, `load`…"),
    ("`SERVER.state.json`", "the [state](state.md) of a server; commit it", "`apply`, `pull`"),
    (
        "`.stemctl-schema.json`, `.stemctl-config-schema.json`, `.vscode/`",
        "for editors; commit them",
        "`init`",
    ),
    (
        "`.stemctl/`",
        "the sandbox with its state, journals, records of past runs, locks; never commit it",
        "all commands",
    ),
    (
        "`stemctl/tokens/HOST` in your configuration folder (Linux: `~/.config`)",
        "your token of a host, which only you can read",
        "`login`",
    ),
    ("`~/.config/brainstem/token`", "the token of the official client: read, never written", ""),
    (
        "`stemctl/git` in your cache folder (Linux: `~/.cache`)",
        "copies of states that are on a branch; you can delete them",
        "`plan`, `apply`",
    ),
    ("`stemctl-trace-….txt` in the folder for temporary files", "what to report with a bug", ""),
)

EXIT_CODES = (
    ("0", "success, even if drift, proposals, or changes that they block are held"),
    ("1", "error; nothing was written"),
    (
        "2",
        "only with `--detailed-exitcode`: apply would do something, or something other than a "
        "proposal is held",
    ),
    (
        "3",
        "finished in part: `apply` failed for some changes, or changes are held by a conflict, a "
        "missing permission (other than `revert`) or a likely rename; also any command that wrote "
        "something and then failed, even if only to print its output",
    ),
    ("130", "interrupted"),
    ("70", "a bug in stemctl; the message names a trace file"),
)

_TOP = """\
# Commands

Every command, in the order of a working day. `stemctl COMMAND --help` prints the same in your
terminal.

{commands}

## All commands

Commands use the nearest `stemctl.yaml`, in the current folder or above it, up to the top of your
git repository. Results go to stdout and everything else to stderr. With `-o json`, stdout is one
JSON document, even if the command fails. Habits from other programs work too, such as
`plan -out=FILE`, `apply -auto-approve` or `diff`; if there is nothing like it, stemctl says what to
type.

These options go before or after the command:

{options}

### Addresses

An ADDRESS is `MODEL/NAME`, such as `session/rat12_2024-03-12`. The name is what the record is
called in your files: its name, or its `key`. A record inside another one has the name of that one
before its own: `dataacquisition/rat12_2024-03-12/probe`. Any spelling of a model is understood:
`session`, `sessions`.

- Where only one record has a name, the name is enough. `session` means all sessions.
- `*` and `?` are wildcards, as in `'session/rat12_*'`. Quote them, or your shell may expand them.
- A PATH is a manifest or a folder, and means the records that it declares.
- If you name several things, each is tried, and each failure is named.

### Exit codes

| exit code | meaning |
| --- | --- |
{exit_codes}

Where a code means something of its own, the command says so below.

### Environment variables

| variable | meaning |
| --- | --- |
{variables}

The proxy variables in lower case, such as `https_proxy`, win over those in upper case. Variables
of git, such as `GIT_SSH_COMMAND`, are passed on to git; tokens are not. In the sandbox you are its
ordinary user; set `BRAINSTEM_TOKEN` to `sandbox-admin`, `sandbox-reader` or `sandbox-other` to act
as another.

### Files

| file | what it is | written by |
| --- | --- | --- |
{files}
"""


def commands_page() -> str:
    """The page."""
    options, commands = HELP.partition("Options:\n")[2].split("\nCommands:\n")
    does = dict(_rows(commands))
    top = _TOP.format(
        commands=_table(
            ("command", "what it does"),
            [(f"[`{name}`](#{name})", _markdown(does[name])) for name in COMMANDS],
        ),
        options="\n".join(
            f"- {_names(names)}: {_markdown(text)}" for names, text in _rows(options)
        ),
        exit_codes="\n".join(f"| {code} | {means} |" for code, means in EXIT_CODES),
        variables="\n".join(f"| `{name}` | {means} |" for name, means in VARIABLES),
        files="\n".join(f"| {' | '.join(row)} |" for row in FILES),
    )
    return (
        "\n".join([top, *(_section(path, each) for path, each in all_commands())]).rstrip() + "\n"
    )


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its words, a group before its own commands."""
    context = click.Context(cli, help_option_names=_HELP)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            for word, each in command.commands.items():
                yield f"{name} {word}", each


def context_of(path: str, command: click.Command) -> click.Context:
    """The context in which a command describes itself, in a terminal of 80 columns."""
    return click.Context(
        command,
        info_name=f"stemctl {path}".rstrip(),
        obj=Screen(),
        terminal_width=80,
        help_option_names=_HELP,  # click keeps the option that it makes of the first context
    )


def _rows(lines: str) -> list[tuple[str, str]]:
    """The rows of two columns of a help text."""
    found = re.findall(r"^  (\S.*?)  +(\S.*)$", lines, re.MULTILINE)
    assert len(found) == len(lines.strip().splitlines())
    return found


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def _section(path: str, command: click.Command) -> str:
    parts = [f"{'###' if ' ' in path else '##'} {path}", *_paragraphs(command)]
    if isinstance(command, click.Group):
        names = [f"[`{path} {name}`](#{path}-{name})" for name in command.commands]
        return "\n\n".join([*parts, f"Its commands: {', '.join(names)}."]) + "\n"
    context = context_of(path, command)
    options = [_option(each) for each in command.params if isinstance(each, click.Option)]
    usage = ["stemctl", path, *command.collect_usage_pieces(context)]
    if not any(options):
        usage.remove("[OPTIONS]")
    parts.append(f"```\n{' '.join(usage)}\n```")
    parts.append("\n".join(line for line in options if line))
    if isinstance(command, Command) and command.exits:
        lines = [f"- `{code}`: {_markdown(means)}" for code, means in command.exits]
        parts += ["Exit codes:", "\n".join(lines)]
    if isinstance(command, Command) and command.examples:
        parts += ["Examples:", _examples(command.examples)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _paragraphs(command: click.Command) -> list[str]:
    """What a command says about itself."""
    assert command.help
    return [_markdown(" ".join(text.split())) for text in command.help.split("\n\n")]


def _option(option: click.Option) -> str:
    """An option as an item of a list; nothing for one that every command has."""
    if option.hidden:
        return ""
    choices = _choices(option)
    value = "" if option.is_flag else option.metavar or _metavar(option)
    names = _names(", ".join([*option.opts, *option.secondary_opts]) + f" {value}".rstrip())
    words = [_markdown(option.help or "")]
    if choices and not isinstance(option.type, Allow):
        words.append(f"One of {', '.join(f'`{each}`' for each in choices)}.")
    if option.show_default:
        words.append(f"Default: `{option.default}`.")
    if isinstance(option.type, click.IntRange) and option.type.max is not None:
        words.append(f"From {option.type.min} to {option.type.max}.")
    if option.required:
        words.append("Required.")
    return f"- {names}: {' '.join(words)}"


def _choices(option: click.Option) -> Sequence[str]:
    return KINDS if isinstance(option.type, Allow) else list(getattr(option.type, "choices", ()))


def _metavar(option: click.Option) -> str:
    if isinstance(option.type, click.Path):
        return "FILE"
    if isinstance(option.type, click.IntRange):
        return "N"
    if isinstance(option.type, click.Choice):
        return "FORMAT" if option.name == "output_format" else "CHOICE"
    return option.type.name.upper()


def _names(text: str) -> str:
    """`-o, --format FORMAT` as code, the names apart."""
    return ", ".join(f"`{name}`" for name in re.split(", (?=-)", text))


_CODE = re.compile(
    r"(?<![\w`-])(?:"
    r"--keep (?:files|server)|-o (?:json|yaml|csv|xlsx|text|markdown)"
    r"|--?[a-z][a-z-]*(?:[ =](?:[A-Z]+(?:=N)?|plan\.json)\b)?"  # --out FILE
    rf"|stemctl (?:{'|'.join(COMMANDS)})\b(?: --[a-z]+)?"
    r"|\.?[\w./]*\.(?:yaml|json|xlsx|db)\b(?:#[A-Z]+)?|\.stemctl/[\w/]*"
    r"|[A-Z]+(?:\.[A-Z]+)*[+-]?=(?:[A-Z]+\b)?|(?:\w+: )?\{\w+[^}]*\}|[\w./]*\{.*\}[\w./]*\w"
    r"|(?:moved|deleted|forget|layout):|details\.TYPE"
    r"|(?:ADDRESS|PATHS?|PLAN|FILE|MODEL(?:/NAME)?|NAME|ID|REF|RUN|OLD|NEW|N|NO_COLOR)\b"
    r"|[*?-](?!\S))"
)
"""What can be typed, in the sentences of a help text."""


def _markdown(text: str) -> str:
    """A sentence of a help text, with what can be typed as code."""
    pieces = re.split(r"(`[^`]*`|\"[^\"]*\"|docs/\w+\.md)", text)
    return "".join(_piece(piece) for piece in pieces)


def _piece(piece: str) -> str:
    if piece.startswith("`"):
        return piece
    if piece.startswith('"'):
        return f"`{piece[1:-1]}`"
    if piece.startswith("docs/"):
        page = piece.removeprefix("docs/")
        return f"[{page}]({page})"
    return _CODE.sub(lambda found: f"`{found[0]}`", piece)


def _examples(rows: Sequence[tuple[str, str]]) -> str:
    """Commands with what they do beside them, or above where a line is long."""
    width = max(len(typed) for typed, _ in rows)
    if width <= 60:
        lines = [f"{typed:<{width}}  # {does}" for typed, does in rows]
    else:
        lines = [line for typed, does in rows for line in (f"# {does}", typed)]
    return "\n".join(["```sh", *lines, "```"])
