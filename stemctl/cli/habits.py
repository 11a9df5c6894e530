"""What people type who know git, Terraform, kubectl and others: data, and how it is looked up.

What means the same here is done. For everything else there is one sentence, and what to type.
The words before an option in a key are the command that it belongs to; without any, all commands.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import click
from msgspec import Struct

from stemctl.cli.help import VERSION
from stemctl.cli.two_words import as_addresses, description_of, with_name
from stemctl.errors import StemctlError


class Advice(Struct, frozen=True):
    """What to type in place of something that stemctl lacks. `{rest}` are the other words that
    were typed, a model and a name as one address; `{addresses}` are the same, with NAME after a
    model alone; `{slashed}` are the words joined; `{described}` describes a field or a record.
    """

    why: str
    hints: tuple[tuple[str, str], ...] = ()
    what: str = "stemctl {path} has no {typed}."

    def error(self, path: str, typed: str, rest: Sequence[str]) -> StemctlError:
        """The advice as the error that ends the command."""
        one_word = as_addresses(rest)
        words = {
            "path": path,
            "typed": typed,
            "rest": shlex.join(one_word),
            "addresses": shlex.join(map(with_name, one_word)) or "MODEL/NAME",
            "slashed": shlex.quote("/".join(rest)),
            "described": description_of(rest),
        }
        what = " ".join(self.what.format(**words).split())  # no path leaves two spaces
        hints = [(command.format(**words).rstrip(), does) for command, does in self.hints]
        return StemctlError(what, self.why.format(**words), hints)


def canonical(typed: str) -> str:
    """An option as it is spelled here: `-auto_Approve` is `--auto-approve`; `-n` stays."""
    if typed == "/?":
        return "--help"
    if len(typed) <= 2:
        return typed
    return "--" + typed.lstrip("-").casefold().replace("_", "-")


def choices(choice: object) -> list[str]:
    """The values that an option accepts, as text."""
    return [str(value) for value in getattr(choice, "choices", ())]


def command_of(group: click.Group, ctx: click.Context, args: Sequence[str]) -> list[str]:
    """Words that begin with no command, put as they are typed here; unchanged if unknown.

    Raises:
        StemctlError: there is nothing like it in stemctl; it says what to type.
    """
    path = ctx.command_path.partition(" ")[2]
    lower = [word.casefold() for word in args]
    if lower[0] in ("help", "man", "?"):
        if len(args) == 1:
            click.echo(ctx.get_help().rstrip("\n"))
            ctx.exit()
        return [*args[1:], "--help"]
    if lower[0] == "version" and not path:
        click.echo(VERSION.rstrip())
        ctx.exit()
    if lower[0] == "describe" and any("/" in word for word in args[1:]):
        return ["show", *args[1:]]
    for number in (2, 1):
        key = " ".join([path, *lower[:number]]).strip()
        rest = list(args[number:])
        if len(args) >= number and key in COMMANDS:
            return [*COMMANDS[key].split(), *rest]
        if len(args) >= number and key in NO_COMMANDS:
            raise NO_COMMANDS[key].error(path, f"`{' '.join(args[:number])}`", rest)
    return [lower[0] if group.get_command(ctx, lower[0]) else args[0], *args[1:]]


def commands_like(path: str) -> list[str]:
    """The other names of commands of a group, for spelling mistakes in them."""
    start = f"{path} " if path else ""
    keys = [key.removeprefix(start) for key in COMMANDS if key.startswith(start)]
    return [key for key in keys if " " not in key]


def meant(path: str, word: str) -> str:
    """The command that a word stands for."""
    return COMMANDS.get(f"{path} {word}".strip(), word)


COMMANDS = {
    "fetch": "pull",
    "create": "new",
    "add": "new",
    "rename": "mv",
    "move": "mv",
    "remove": "rm",
    "del": "rm",
    "diff": "plan",
    "preview": "plan",
    "status": "plan",
    "st": "plan",
    "lint": "validate",
    "check": "validate",
    "verify": "validate",
    "format": "fmt",
    "describe": "explain",
    "ls": "get",
    "list": "get",
    "cat": "show",
    "view": "show",
    "inspect": "show",
    "log": "runs list",
    "history": "runs list",
    "signin": "login",
    "signout": "logout",
    "auth login": "login",
    "auth logout": "logout",
    "auth status": "doctor",
    "auth whoami": "doctor",
    "whoami": "doctor",
    "ping": "doctor",
    "health": "doctor",
    "serve": "sandbox serve",
    "completions": "completion",
    "autocomplete": "completion",
    "approval": "approvals",
    "schemas": "schema",
    "state ls": "list",
    "state remove": "rm",
    "state delete": "rm",
    "state forget": "rm",
    "state del": "rm",
    "state move": "mv",
    "state rename": "mv",
    "state get": "show",
    "state cat": "show",
    "runs ls": "list",
    "runs log": "list",
    "runs get": "show",
    "runs cat": "show",
    "approvals ls": "list",
    "approvals get": "show",
    "approvals approve": "accept",
    "approvals deny": "reject",
    "approvals decline": "reject",
    "schema get": "show",
    "schema print": "show",
    "schema cat": "show",
    "schema generate": "build",
    "sandbox start": "serve",
    "sandbox run": "serve",
    "sandbox up": "serve",
    "sandbox load": "seed",
    "ci github": "init github",
    "ci gitlab": "init gitlab",
}
"""Words that mean a command of stemctl; in a group, one of its commands."""

_EDIT = (("stemctl plan", "shows what your edit would change"),)
_IN_GIT = "stemctl leaves this to git. It reads your files as they are, committed or not."

NO_COMMANDS = {
    "destroy": Advice(
        "Deleting everything is left out on purpose. To delete records, remove them from their "
        "files,\nor list them under deleted: in a manifest.",
        (
            ("stemctl plan", "shows what would be deleted"),
            ("stemctl sandbox reset", "deletes the sandbox alone"),
        ),
        "stemctl has no {typed}. Nothing was sent.",
    ),
    "refresh": Advice(
        "Every plan reads the server.",
        (
            ("stemctl plan", "compares your files with the server"),
            ("stemctl drift", "shows what has changed on the server since the last apply"),
        ),
    ),
    "clone": Advice("", (("stemctl pull --all", "writes to your files what is on the server"),)),
    "push": Advice(
        "git push publishes commits; apply sends records to the server.",
        (("stemctl apply {rest}", "shows the plan, asks you to confirm, and sends it"),),
    ),
    "deploy": Advice(
        "", (("stemctl apply {rest}", "shows the plan, asks you to confirm, and sends it"),)
    ),
    "commit": Advice(_IN_GIT, (("git status", "shows which files are committed"), *_EDIT)),
    "taint": Advice(
        "Records are changed in place, and never replaced.",
        (("stemctl plan {rest}", "shows what would change"),),
    ),
    "output": Advice(
        "Results are printed by the commands themselves.",
        (("stemctl get MODEL -o json", "prints records of the server as JSON"),),
    ),
    "console": Advice(
        "There are no expressions to try out.",
        (("stemctl explain MODEL", "describes what a model takes"),),
    ),
    "workspace": Advice(
        "A server, with its state, is chosen by name; stemctl.yaml lists them under servers:.",
        (("stemctl --server NAME plan", "plans for another server"),),
    ),
    "auth": Advice(
        "",
        (
            ("stemctl login", "gets a token with your browser"),
            ("stemctl doctor", "shows who you are, and what you may do"),
        ),
    ),
    "delete": Advice(
        "Records are deleted by an apply, once they are out of the files. Nothing was deleted.",
        (
            ("stemctl rm {addresses}", "takes it out of the files; the next apply deletes it"),
            ("stemctl rm {addresses} --keep-on-server", "leaves it on the server"),
            ("stemctl state rm {addresses}", "forgets it, and changes no file"),
        ),
    ),
    "edit": Advice(
        "Edit the manifest of the record, or let set do it.",
        (
            ("stemctl set {addresses} FIELD=VALUE", "changes a field in the file"),
            ("stemctl show {addresses}", "shows a record, and where its values come from"),
            *_EDIT,
        ),
    ),
    "undo": Advice(
        "Copy the previous values into your files, and apply them.",
        (
            ("stemctl runs list", "lists the runs"),
            ("stemctl runs show RUN -o yaml", "prints the records as they were before a run"),
        ),
    ),
    "accept": Advice("", (("stemctl approvals accept {rest}", "accepts a proposal"),)),
    "reject": Advice("", (("stemctl approvals reject {rest}", "rejects a proposal"),)),
    "config": Advice(
        "Servers and settings are in stemctl.yaml.",
        (("stemctl schema show config", "prints what it may contain"),),
    ),
    "model": Advice("", (("stemctl explain", "lists the models"),)),
    "unlock": Advice(
        "The lock ends with the process that holds it, and the lease of another machine by itself.",
        (("stemctl plan", "says which run is still in progress"),),
    ),
    "test": Advice("", (("stemctl validate", "checks the files"),)),
    "upgrade": Advice(
        "It is updated by the program that installed it.",
        (("pip install --upgrade stemctl", "installs a newer version"),),
    ),
    "state pull": Advice(
        "",
        (
            ("stemctl state list -o json", "prints the addresses and ids"),
            ("stemctl state show ADDRESS", "prints one entry"),
        ),
    ),
    "state push": Advice(
        "A state is only written by stemctl.",
        (("stemctl state migrate --to git", "moves it to a branch of the git remote"),),
    ),
    "sandbox stop": Advice("Press Ctrl-C where stemctl sandbox serve runs."),
    "sandbox delete": Advice("", (("stemctl sandbox reset", "deletes the sandbox and its state"),)),
    "schema validate": Advice("", (("stemctl schema build --check", "checks the schemas"),)),
}
"""Commands of other programs that have no counterpart."""

for _other, _name in {
    "untaint": "taint",
    "sync": "deploy",
    "up": "deploy",
    "send": "deploy",
    "stage": "commit",
    "stash": "commit",
    "checkout": "commit",
    "switch": "commit",
    "merge": "commit",
    "rebase": "commit",
    "outputs": "output",
    "shell": "console",
    "repl": "console",
    "workspaces": "workspace",
    "env": "workspace",
    "context": "workspace",
    "use": "workspace",
    "server": "workspace",
    "servers": "workspace",
    "forget": "delete",
    "patch": "edit",
    "update": "edit",
    "replace": "edit",
    "annotate": "edit",
    "label": "edit",
    "revert": "undo",
    "rollback": "undo",
    "restore": "undo",
    "approve": "accept",
    "deny": "reject",
    "settings": "config",
    "models": "model",
    "api-resources": "model",
    "providers": "model",
    "force-unlock": "unlock",
    "unlock-state": "unlock",
    "self-update": "upgrade",
    "update-self": "upgrade",
    "sandbox down": "sandbox stop",
    "sandbox kill": "sandbox stop",
    "sandbox clear": "sandbox delete",
    "sandbox clean": "sandbox delete",
    "sandbox destroy": "sandbox delete",
}.items():
    NO_COMMANDS[_other] = NO_COMMANDS[_name]
