"""What a word may be: by what the help calls it, such as ADDRESS or FIELD=VALUE."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from stemctl.cli.completion.command_table import Argument, Option
from stemctl.cli.completion.typed_line import TypedLine
from stemctl.util.late_pattern import late_pattern
from stemctl.util.safe_text import has_unseen

if TYPE_CHECKING:  # most words need neither the files nor the field tables
    from stemctl.commands.known_words import KnownWords
    from stemctl.schema.fields import Field
    from stemctl.schema.models import Model

MOST = 2000
"""Proposals that a shell gets; more are not readable, and make some shells slow."""


class Proposal(Struct, frozen=True):
    """A word that may be typed. `open`: more follows in the same word."""

    text: str
    help: str = ""
    open: bool = False


class Proposals(Struct, frozen=True):
    """Proposals that begin with what was typed, or else the kind of paths that the shell completes
    by itself: `files`, `folders`, or none.
    """

    words: tuple[Proposal, ...] = ()
    paths: str = ""


def propose(line: TypedLine, know: Callable[[], KnownWords]) -> Proposals:
    """What may be typed at the end of a line."""
    if line.stray:
        return Proposals()
    asked = line.asked
    if (
        line.word.startswith("-")
        and not line.before
        and not line.only_arguments
        and not (isinstance(asked, Option))
    ):
        return _beginning(line, _options(line))
    if asked is None:
        return _beginning(line, _commands(line))
    if asked.choices:
        more = "=" in asked.value
        return _beginning(line, (Proposal(each, open=more) for each in asked.choices))
    return _values(line, know(), asked)


def _values(line: TypedLine, known: KnownWords, asked: Option | Argument) -> Proposals:
    kinds = [asked.value] if asked.value in _KINDS else asked.value.split("|")
    found: list[Proposal] = []
    for kind in kinds:
        maker = _KINDS.get(kind)
        found += maker(line, known) if maker else ()
    words = _beginning(line, found)
    if words.words:
        return words
    paths = [_PATHS[kind] for kind in kinds if kind in _PATHS]
    return Proposals(paths=paths[0] if paths else "")


def _beginning(line: TypedLine, proposals: Iterable[Proposal]) -> Proposals:
    """Those that begin as the word does, with what the shell has before it in the same word.

    Whatever a terminal or a shell could take for more than text is left out.
    """
    found: dict[str, Proposal] = {}
    for each in proposals:
        if each.text.startswith(line.word) and not has_unseen(each.text):
            text = line.before + each.text
            found.setdefault(text, Proposal(text, each.help, each.open))
            if len(found) == MOST:
                break
    return Proposals(tuple(found.values()))


def _options(line: TypedLine) -> Iterator[Proposal]:
    for option in line.command.options:
        for name in option.names:
            if len(name) > 2 or len(option.names) == 1 or line.word == name:
                yield Proposal(name, option.help)


def _commands(line: TypedLine) -> Iterator[Proposal]:
    for name, command in line.command.commands.items():
        yield Proposal(name, command.help)


# models, addresses and names


def _models(line: TypedLine, known: KnownWords) -> Iterator[Proposal]:
    """The models, and the other spellings of one whose name does not begin as the word does."""
    for model in known.catalog.models.values():
        title = model.title
        yield Proposal(model.name, title)
        if line.word and not model.name.startswith(line.word):
            for other in (model.one, model.many, model.section):
                yield Proposal(other, title)


def _models_and_types(line: TypedLine, known: KnownWords) -> Iterator[Proposal]:
    """`subjectlog`, then `subjectlog/Weighing`: the types that its details may have."""
    typed, slash, _ = line.word.partition("/")
    model = known.catalog.find(typed) if slash else None
    if model is None:
        yield from _models(line, known)
        return
    rows = [row for each in (model, *known.catalog.children(model)) for row in each.detailed]
    selectors = {row.details.selector.rpartition(".")[2] for row in rows if row.details}
    for row in model.managed:
        if row.name in selectors:
            yield from (Proposal(f"{typed}/{each}") for each in row.enum)


def _addresses(line: TypedLine, known: KnownWords) -> Iterator[Proposal]:
    """`session/`, the records of it after that, and the records whose keys begin as the word."""
    typed, slash, _ = line.word.partition("/")
    model = known.catalog.find(typed) if slash else None
    if model is not None:
        yield from (Proposal(f"{typed}/{key}") for key in known.keys(model))
    else:
        yield from _models_with_records(line, known)


def _models_with_records(line: TypedLine, known: KnownWords) -> Iterator[Proposal]:
    listed = known.catalog.writable
    for model in listed:
        if known.keys(model):
            yield Proposal(f"{model.name}/", model.title, open=True)
    for model in listed if line.word else ():
        yield from (Proposal(key, model.title) for key in known.keys(model))


def _names(line: TypedLine, known: KnownWords) -> Iterator[Proposal]:
    """The names of the records of a model that was typed before."""
    model = _model(line, known)
    if model is not None:
        yield from map(Proposal, known.names(model))


def _model(line: TypedLine, known: KnownWords) -> Model | None:
    """The model that the line is about: that of --as, of an argument, or of an address in it."""
    words = [line.value("--as") or "", *line.arguments]
    found = (known.catalog.find(word.partition("/")[0]) for word in words if word)
    return next((model for model in found if model is not None), None)


def _explained(line: TypedLine, known: KnownWords) -> Iterator[Proposal]:
    """`session`, then `session.tags` or `session.behaviors.setup`, then the types of details:
    `procedure.details.BurrHole`.
    """
    typed, *steps = line.word.split(".")[:-1] or [""]
    model = known.catalog.find(typed) if typed else None
    if model is None:
        yield from _models(line, known)
        return
    before = f"{typed}."
    for number, step in enumerate(steps):
        before += f"{step}."
        child = known.catalog.child(model, step)
        if child is None:
            row = model.fields.get(step) if number == len(steps) - 1 else None
            for kind in row.details.types.values() if row and row.details else ():
                yield Proposal(f"{before}{kind.name}", kind.title)
            return
        model = child
    for each in model.fields.values():
        yield Proposal(f"{before}{each.name}", each.description, open=each.details is not None)
    for child in known.catalog.children(model):
        yield Proposal(f"{before}{child.section}", child.description)


# fields and their values


def _fields(line: TypedLine, known: KnownWords) -> Iterator[Proposal]:
    """The fields of a model, to sort by."""
    minus = "-" if line.word.startswith("-") else ""
    model = _model(line, known)
    for row in model.fields.values() if model else ():
        yield Proposal(f"{minus}{row.name}", row.description)


def _relations(line: TypedLine, known: KnownWords) -> Iterator[Proposal]:
    """Related records and records inside; several are separated by commas, deeper ones by dots."""
    model = _model(line, known)
    before, at = _last_part(line.word, ",")
    *steps, _ = at.split(".")
    holder = model
    for step in steps:
        holder = known.catalog.child(holder, step) if holder else None
    if holder is None:
        return
    prefix = before + "".join(f"{step}." for step in steps)
    for child in known.catalog.children(holder):
        yield Proposal(f"{prefix}{child.section}", child.description)
    for row in holder.fields.values() if not steps else ():
        if row.to:
            yield Proposal(f"{prefix}{row.name}", row.description)


def _filters(line: TypedLine, known: KnownWords) -> Iterator[Proposal]:
    """`projects=`, and after that what it may be."""
    model = _model(line, known)
    if model is None:
        return
    name, equals, _ = line.word.partition("=")
    row = model.fields.get(name.partition(".")[0])
    if equals and row:
        yield from (Proposal(f"{name}={each}") for each in _field_values(row, known))
    elif not equals:
        for each in model.fields.values():
            if not each.is_links:
                yield Proposal(f"{each.name}=", each.description, open=True)


def _settings(line: TypedLine, known: KnownWords) -> Iterator[Proposal]:
    """`tags=`, `tags+=`, `tags-=`, and after that what it may be. Before, there is an address."""
    model = _model(line, known)
    found = _SETTING.fullmatch(line.word)
    if model is None:
        return
    if found:
        row = model.fields.get(found[1])
        for each in _field_values(row, known) if row and not row.read_only else ():
            yield Proposal(f"{found[1]}{found[2]}{each}")
        return
    for row in model.managed:
        yield Proposal(f"{row.name}=", row.description, open=True)
        if not line.word or not row.name.startswith(line.word):
            continue
        if row.merges and not row.keyed:
            yield Proposal(f"{row.name}+=", row.description, open=True)
            yield Proposal(f"{row.name}-=", row.description, open=True)
        elif row.keyed:
            yield Proposal(f"{row.name}.", row.description, open=True)


_SETTING = late_pattern(r"(\w+)([-+]?=)(.*)", re.DOTALL)


def _addresses_or_settings(line: TypedLine, known: KnownWords) -> Iterator[Proposal]:
    """After an address, either may come."""
    if line.arguments and "/" not in line.word:
        yield from _settings(line, known)
    yield from _addresses(line, known)


def _mapped(line: TypedLine, known: KnownWords) -> Iterator[Proposal]:
    """The field of the last column in `--map "Animal ID=name, DOB=birth`."""
    before, at = _last_part(line.word, ",")
    column, equals, _ = at.partition("=")
    model = _model(line, known)
    for row in model.managed if model and equals else ():
        yield Proposal(f"{before}{column}={row.name}", row.description)


def _columns(line: TypedLine, known: KnownWords) -> Iterator[Proposal]:
    """The last column in `--columns "name, behaviors.sub`: a field, or one of related records."""
    model = _model(line, known)
    before, at = _last_part(line.word, ",")
    *steps, _ = at.split(".")
    for step in steps:
        model = _related(model, step, known) if model else None
    if model is None:
        return
    prefix = before + "".join(f"{step}." for step in steps)
    for row in model.fields.values():
        if not row.is_links:
            yield Proposal(f"{prefix}{row.name}", row.description)
    for child in known.catalog.children(model):
        yield Proposal(f"{prefix}{child.section}.", child.description, open=True)


def _related(model: Model, step: str, known: KnownWords) -> Model | None:
    """The records that a field refers to, or that are inside a record."""
    row = model.fields.get(step)
    return known.catalog.child(model, step) or known.catalog.models.get((row and row.to) or "")


def _field_values(row: Field, known: KnownWords) -> Sequence[str]:
    target = known.catalog.models.get(row.to or "")
    if target is not None:
        return known.names(target)
    return ["true", "false"] if row.kind == "boolean" else [str(each) for each in row.enum]


def _last_part(word: str, separator: str) -> tuple[str, str]:
    """What is before the last part of a word, with the spaces after the separator; and the part."""
    found = re.match(rf"(.*{separator}\s*|\s*)(.*)", word, re.DOTALL)
    return (found[1], found[2]) if found else ("", word)


# the rest


def _servers(line: TypedLine, known: KnownWords) -> Iterable[Proposal]:
    return map(Proposal, known.servers)


def _zones(line: TypedLine, known: KnownWords) -> Iterable[Proposal]:
    from zoneinfo import available_timezones

    return map(Proposal, sorted(available_timezones()))


def _editions(line: TypedLine, known: KnownWords) -> Iterable[Proposal]:
    return map(Proposal, known.editions)


_KINDS: dict[str, Callable[[TypedLine, KnownWords], Iterable[Proposal]]] = {
    "ADDRESS": _addresses,
    "PATTERN": _addresses,
    "OLD": _addresses,
    "NEW": _addresses,
    "MODEL": _models,
    "MODEL[/TYPE]": _models_and_types,
    "MODEL[.FIELD[.TYPE]]": _explained,
    "NAME|ID": _names,
    "NAME|URL": _servers,
    "FIELD[.OP]=VALUE": _filters,
    "F=V": _filters,
    "[-]FIELD": _fields,
    "RELATION": _relations,
    "FIELD=VALUE": _settings,
    "ADDRESS|PATTERN... FIELD=VALUE": _addresses_or_settings,
    "COLUMNS": _columns,
    '"COLUMN=FIELD, …"': _mapped,
    "ZONE": _zones,
    "YEAR": _editions,
    "EDITION": _editions,
}
"""By the words of the help. A kind with | in it comes before its parts."""

_PATHS = {
    "PATH": "files",
    "PATHS": "files",
    "FILE": "files",
    "PLAN": "files",
    "DIRECTORY": "folders",
}

FREE = frozenset(
    {"ID", "REF", "RUN", "N", "AGE", "URL", "NAME", "DIGEST", "SOURCE"}
    | {"MAX_BYTES", "PARALLELISM", "PORT", "OUTPUT_FORMAT", "TEMPLATE", "COLUMN"}
)
"""What only the person who types can know."""

KINDS = frozenset({*_KINDS, *_PATHS, *FREE})
