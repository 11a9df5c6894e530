"""What the commands that edit records share: the files, and the records that words name."""

from __future__ import annotations

from collections.abc import Sequence

from stemctl.commands.rewrite import sources_of
from stemctl.commands.targets import refuse_whole_models, spell_targets
from stemctl.commands.workspace import Workspace
from stemctl.core.records import Address
from stemctl.core.state import State
from stemctl.errors import ConfigError, Untouched
from stemctl.manifests.assignments import BadAssignment
from stemctl.manifests.sources import Sources
from stemctl.planning.selection import choose
from stemctl.util.plural import counted

IN_FILES = "in the files"


def sources(workspace: Workspace) -> Sources:
    """The manifests of a workspace, to edit them.

    Raises:
        ConfigError: there are none.
        InvalidFiles: they have errors.
    """
    return sources_of(workspace.config, workspace.catalog)


def no_state(workspace: Workspace) -> State:
    """A state that knows no record: files alone are looked at."""
    target = workspace.target
    return State(target.url, target.portal, target.edition)


def named_records(
    workspace: Workspace, files: Sources, words: Sequence[str], command: str, after: str = ""
) -> list[Address]:
    """The declared records that addresses, patterns and paths name, in the order of the files.

    Raises:
        ConfigError: a word names no record, or is a model alone.
    """
    repository, state = files.repository, no_state(workspace)
    spelled = spell_targets(workspace, repository, state, words, IN_FILES)
    meant = dict(zip(words, spelled, strict=True))
    refuse_whole_models(workspace.catalog, meant, command, after)
    chosen = choose(repository, state, spelled, ())
    return [address for address in repository.records if address in chosen]


def one_record(workspace: Workspace, files: Sources, word: str, command: str) -> Address:
    """The one declared record that a word names.

    Raises:
        ConfigError: it names none, or several.
    """
    found = named_records(workspace, files, [word], command)
    if len(found) > 1:
        raise ConfigError(
            f"`{word}` matches {counted(len(found), 'record')}: {found[0]}, {found[1]} …",
            "Name one of them.",
            untouched=Untouched.NOTHING_WRITTEN,
        )
    return found[0]


def bad_words(errors: Sequence[BadAssignment]) -> ConfigError:
    """The error about words that cannot be used, all at once."""
    lines = []
    for error in errors:
        remedy = f": {error.remedy}" if error.remedy else ""
        lines.append(f"{error}{remedy}")
    if len(errors) == 1:
        remedy = errors[0].remedy
        why = f"{remedy[:1].upper()}{remedy[1:]}"
        why = why if why.endswith(("?", ".")) or not why else f"{why}."
        what = str(errors[0])
        return ConfigError(
            f"{what[:1].upper()}{what[1:]}.", why, untouched=Untouched.NOTHING_WRITTEN
        )
    return ConfigError(
        f"{len(errors):,} words cannot be used.",
        "\n".join(f"{error.word}  {line}" for error, line in zip(errors, lines, strict=True)),
        untouched=Untouched.NOTHING_WRITTEN,
    )
