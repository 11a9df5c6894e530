"""What is being typed: which option's value, which argument, of which command."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from stemctl.cli.completion.command_table import Argument, Command, Option


class TypedLine(Struct):
    """A command line up to the cursor.

    `word` is the beginning of what is asked for, and `before` what the shell has in front of it in
    the same word, as `--filter=`. What may follow is `asked`: the value of an option or an
    argument; None if that is the name of a command or an option.
    """

    command: Command
    word: str = ""
    before: str = ""
    asked: Option | Argument | None = None
    arguments: list[str] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)
    """The values of options that were given, by the last of their spellings."""
    only_arguments: bool = False
    """Whether `--` came before."""
    stray: bool = False
    """Whether a word is no command."""

    def value(self, name: str) -> str | None:
        """The value of an option, the last one if it was repeated."""
        given = self.values.get(name)
        return given[-1] if given else None


def read_line(table: Command, words: Sequence[str]) -> TypedLine:
    """Read the words after `stemctl`, of which the last one is being typed."""
    *done, word = words or [""]
    line = TypedLine(table, word)
    options = _spellings(table)
    pending: Option | None = None
    for each in done:
        if pending is not None:
            line.values.setdefault(pending.names[-1], []).append(each)
            pending = None
        elif line.only_arguments or not _is_option(each):
            _take(line, each)
            options.update(_spellings(line.command))
        elif each == "--":
            line.only_arguments = True
        else:
            pending = _option(line, options, each)
    if pending is not None:
        line.asked = pending
    elif _is_option(word) and not line.only_arguments:
        _ask_inside(line, options)
    else:
        line.asked = _argument(line)
    return line


def _spellings(command: Command) -> dict[str, Option]:
    return {name: option for option in command.options for name in option.names}


def _is_option(word: str) -> bool:
    return len(word) > 1 and word.startswith("-")


def _take(line: TypedLine, word: str) -> None:
    """A word that is no option: the next command, or an argument."""
    if not line.command.commands:
        line.arguments.append(word)
        return
    command = line.command.commands.get(word.casefold())
    if command is None:
        line.stray = True
    else:
        line.command = command


def _option(line: TypedLine, options: dict[str, Option], word: str) -> Option | None:
    """Note an option; it is returned if the next word is its value."""
    name, equals, value = word.partition("=")
    option = options.get(name) or options.get(f"-{name}")  # `-out` is understood too
    if option is None and not word.startswith("--"):
        option, value, equals = options.get(word[:2]), word[2:], "="
    if option is None or not option.value:
        return None
    if equals:
        line.values.setdefault(option.names[-1], []).append(value)
        return None
    return option


def _ask_inside(line: TypedLine, options: dict[str, Option]) -> None:
    """The word is an option, or one with a part of its value: `--format=ya`, `-oya`."""
    name, equals, value = line.word.partition("=")
    option = options.get(name)
    if equals and option and option.value:
        line.asked, line.before, line.word = option, f"{name}=", value
        return
    short = options.get(line.word[:2])
    if len(line.word) > 2 and not line.word.startswith("--") and short and short.value:
        line.asked, line.before, line.word = short, line.word[:2], line.word[2:]


def _argument(line: TypedLine) -> Argument | None:
    """The argument that comes next."""
    arguments = line.command.arguments
    if len(line.arguments) < len(arguments):
        return arguments[len(line.arguments)]
    return arguments[-1] if arguments and arguments[-1].many else None
