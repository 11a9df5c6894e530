"""What the words behind `pull` mean, also before anything is in a file."""

from __future__ import annotations

import shlex

from stemctl.commands.targets import spell_targets
from stemctl.commands.workspace import Workspace
from stemctl.core.address_patterns import is_pattern, literal, matches
from stemctl.core.records import Address, Repository
from stemctl.core.state import State
from stemctl.errors import ConfigError, StemctlError, Untouched
from stemctl.manifests.named_paths import name_of
from stemctl.planning.selection import choose
from stemctl.schema.catalog import Catalog
from stemctl.schema.find_model import find_model
from stemctl.schema.models import Model
from stemctl.takeover.pull_selection import Selection, labs_own, selection_of
from stemctl.takeover.take import Takeover
from stemctl.util.plural import joined
from stemctl.util.suggest import nearest


def select(
    workspace: Workspace,
    repository: Repository,
    state: State,
    targets: tuple[str, ...],
    everything: bool,
) -> Selection:
    """The selection that words mean: models, addresses, patterns, manifests and folders. Without
    any, the records that the files have.

    Raises:
        ConfigError: there is no word and no record, or a word means nothing.
    """
    catalog = workspace.catalog
    if not targets and not everything and repository.records:
        return selection_of(catalog, (), everything, repository.records.keys())
    if not targets and not everything:
        some = next(iter(labs_own(catalog)), None)
        raise ConfigError(
            "The files have no records yet, so pull needs to know which to write.",
            "Name models, addresses or patterns of them.",
            [
                ("stemctl pull --all", "all that labs write themselves"),
                *([(f"stemctl pull {some.name}", f"all {some.count(2)[2:]}")] if some else []),
            ],
            Untouched.NOTHING_READ,
        )
    spelled: list[str] = []
    paths: set[Address] = set()
    for word in targets:
        found = _spelled(catalog, word)
        if found is None or name_of(workspace.config.root, repository.files, word):
            (target,) = spell_targets(workspace, repository, state, [word])
            if "/" in target and target.partition("/")[0] in catalog.models:
                spelled.append(target)
            else:
                paths |= choose(repository, state, [target], ())
        else:
            spelled.append(found)
    return selection_of(catalog, spelled, everything, paths)


def _spelled(catalog: Catalog, word: str) -> str | None:
    """A word as an address or pattern of one model; None if it may be something else."""
    name, slash, key = word.partition("/")
    model = catalog.find(name) if name else None
    if model is not None:
        _check_writable(catalog, model)
        return f"{model.name}/{key if slash and key else '*'}"
    if is_pattern(word) and not slash:
        return f"*/{word}"
    return None


def _check_writable(catalog: Catalog, model: Model) -> None:
    if not model.writable:
        raise ConfigError(
            f"Files cannot have {model.count(2)[2:]}: edition {catalog.edition} cannot write them.",
            hints=[(f"stemctl get {model.name}", "shows them")],
            untouched=Untouched.NOTHING_READ,
        )


def check_named(catalog: Catalog, targets: tuple[str, ...], everything: bool) -> None:
    """Refuse to take the server's side in records that are not named one by one, or by a pattern of
    their names.

    Raises:
        ConfigError: some are not.
    """
    spelled = {word: _spelled(catalog, word) or word for word in targets}
    whole = [word for word, pattern in spelled.items() if pattern.endswith("/*")]
    if everything or whole or not targets:
        what = f"`{whole[0]}` is all of them" if whole else "these are all records"
        raise ConfigError(
            f"--theirs is for records that you name, and {what}.",
            "It gives up what you edited in them.",
            [("stemctl pull --theirs MODEL/NAME", "takes the server's values of one record")],
            Untouched.NOTHING_READ,
        )


def only_model(catalog: Catalog, targets: tuple[str, ...]) -> Model:
    """The one model that filters are about.

    Raises:
        ConfigError: the targets are not one model.
    """
    if len(targets) != 1 or "/" in targets[0] or is_pattern(targets[0]):
        raise ConfigError(
            "--filter goes with one model.",
            "The fields of a filter are those of its records.",
            [("stemctl pull MODEL --filter FIELD=VALUE", "")],
            Untouched.NOTHING_READ,
        )
    return find_model(catalog, targets[0])


def check_found(selection: Selection, found: Takeover) -> None:
    """Refuse targets that no record has.

    Raises:
        StemctlError: with the nearest names.
    """
    for address in sorted(selection.exact - found.seen):
        model = selection.catalog.models[address.model]
        names = [one.key for one in found.seen if one.model == address.model]
        near = joined([f"`{model.name}/{name}`" for name in nearest(address.key, names)], "or")
        raise StemctlError(
            f"No {model.words} is called `{address.key}`, in the files or on the server.",
            f"Did you mean {near}?" if near else "Or your account cannot see it.",
            [(f"stemctl get {model.name}", "lists those that you can see")],
            Untouched.NOTHING_WRITTEN,
        )
    for pattern in selection.patterns:
        word, _, key = pattern.partition("/")
        if key == "*" or any(matches(pattern, address) for address in found.seen):
            continue
        raise StemctlError(
            f"Nothing matches `{shlex.quote(literal(pattern))}`, in the files or on the server.",
            hints=[(f"stemctl get {word}", "lists those that you can see")],
            untouched=Untouched.NOTHING_WRITTEN,
        )
