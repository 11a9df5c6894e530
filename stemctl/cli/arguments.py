"""Options as other programs have taught people to type them, put as click reads them here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import click

from stemctl.cli import habits, option_habits, usage

_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


def understood(command: click.Command, ctx: click.Context, args: Sequence[str]) -> list[str]:
    """The words after a command, with every option that is meant in the spelling of `command`.

    What is not understood is left to click, which refuses it.

    Raises:
        StemctlError: an option of other programs has no counterpart; it says what to type.
    """
    if ctx.resilient_parsing:
        return list(args)
    return list(_Reader(command, ctx, args).words())


class _Reader:
    """Reads words one by one; those of a group only up to the name of a command."""

    def __init__(self, command: click.Command, ctx: click.Context, args: Sequence[str]) -> None:
        self._ctx = ctx
        self._is_group = isinstance(command, click.Group)
        self._options: Mapping[str, click.Option] = options_of(command, ctx)
        self._args = list(args)
        self._typed = list(args)

    def words(self) -> Iterator[str]:
        """All words, as click takes them."""
        while self._args:
            word = self._args.pop(0)
            if word == "--" or (self._is_group and not _is_option(word)):
                yield word
                yield from self._args
                return
            if _is_option(word):
                yield from self._option(word)
            else:
                yield word

    def _option(self, word: str) -> Iterator[str]:
        typed, equals, value = word.partition("=")
        name = self._spelled(typed)
        if name is not None:
            yield from self._known(name, value if equals else None)
        elif self._is_cluster(word):
            yield word
        else:
            yield from self._habit(word)

    def _spelled(self, typed: str) -> str | None:
        """The option with this name: with one dash or two, in any case, with - or _."""
        if typed in self._options:
            return typed
        name = habits.canonical(typed)
        return name if name in self._options else None

    def _known(self, name: str, value: str | None) -> Iterator[str]:
        """An option of this command, and its value, which may look like an option itself."""
        option = self._options[name]
        # click takes each name for a long one first, and loads `difflib` to find those like it.
        long = max(option.opts, key=len)
        if not (option.is_flag or option.count):
            if value is None and not self._args:
                raise usage.needs_value(self._ctx, name)
            yield long
            yield self._args.pop(0) if value is None else value
        elif value is None or value.casefold() in _TRUE:
            yield long
        elif value.casefold() not in _FALSE:
            raise usage.no_value(self._ctx, name)

    def _is_cluster(self, word: str) -> bool:
        """Whether it is a short option with its value, as `-ojson`, or several, as `-qv`."""
        if word.startswith("--"):
            return False
        first = self._options.get(word[:2])
        if first is None:
            return False
        if isinstance(first.type, click.Choice):
            return word[2:].casefold() in map(str.casefold, habits.choices(first.type))
        if not (first.is_flag or first.count):
            return True
        return all(f"-{letter}" in self._options for letter in word[1:])

    def _habit(self, word: str) -> Iterator[str]:
        path = usage.path_of(self._ctx)
        typed, equals, value = word.partition("=")
        name = habits.canonical(typed)
        full = f"{name}={value.casefold()}"
        keys = [f"{path} {full}", full] if equals else []
        for key in [*keys, f"{path} {name}".lstrip(), name]:
            if key in option_habits.NEEDLESS:
                return
            if key in option_habits.ARGUMENTS:
                yield from [value] if equals else self._args[:1]
                self._args = self._args if equals else self._args[1:]
                return
            option, fixed, constant = option_habits.SAME.get(key, "").partition("=")
            if option in self._options:
                has_value = equals and key != full
                yield from self._known(option, constant if fixed else value if has_value else None)
                return
            if key in option_habits.ADVICE:
                raise option_habits.ADVICE[key].error(path, typed, self._others(word))
        if len(typed) > 3 and usage.options_near(self._ctx, typed):
            raise usage.no_such_option(self._ctx, typed)  # click would name the first letter alone
        yield word

    def _others(self, word: str) -> list[str]:
        """The other words that were typed, to go into a command to type."""
        return [other for other in self._typed if other != word]


def options_of(command: click.Command, ctx: click.Context) -> dict[str, click.Option]:
    """Every spelling of the options of a command."""
    return {
        spelling: option
        for option in command.get_params(ctx)
        if isinstance(option, click.Option)
        for spelling in option.opts
    }


def _is_option(word: str) -> bool:
    return (len(word) > 1 and word.startswith("-")) or word == "/?"
