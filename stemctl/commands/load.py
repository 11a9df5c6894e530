"""load: from a table to records and fields of the manifests. Nothing is sent, or read elsewhere."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from stemctl.commands.load_draft import LoadDraft, Loading
from stemctl.commands.rewrite import sources_of
from stemctl.config.config import NAME, Config
from stemctl.config.time_zones import time_zone
from stemctl.core.diagnostics import Diagnostic, InvalidFiles, in_order
from stemctl.core.records import Address
from stemctl.core.rewrite import Rewrite
from stemctl.errors import ConfigError, Untouched
from stemctl.manifests.declared_names import DeclaredNames
from stemctl.manifests.file_names import SUFFIXES
from stemctl.manifests.globs import covers
from stemctl.manifests.sources import Sources
from stemctl.schema.catalog import Catalog
from stemctl.schema.find_model import find_model
from stemctl.schema.models import Model
from stemctl.sheets.column_map import ColumnMap, file_map
from stemctl.sheets.columns import Columns, Meaning
from stemctl.sheets.problems import UnreadableSheet, folded, sheet_problem
from stemctl.sheets.read_sheet import ENDINGS, read_sheet
from stemctl.sheets.record_paths import RecordPaths
from stemctl.sheets.sheet import MOST_BYTES, Sheet, UnevenRows
from stemctl.sheets.sheet_columns import Resolved, resolve_columns
from stemctl.sheets.sheet_identity import DeclaredRecords, SheetIdentity
from stemctl.sheets.sheet_records import RowReader
from stemctl.takeover.own_keys import type_fields
from stemctl.util.atomic_file import replace_file
from stemctl.util.json_types import Fields
from stemctl.util.plural import counted
from stemctl.util.suggest import nearest

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


class Request(Struct, frozen=True):
    """What is asked for. Paths of files that are read are from the folder `start`; `into` is from
    the folder of stemctl.yaml.
    """

    start: Path
    file: str
    model: str
    said: ColumnMap = field(default_factory=ColumnMap)
    map_file: str | None = None
    into: str | None = None


class Load(Struct, frozen=True):
    """What the files are to say, and what the sheet leaves open."""

    config: Config
    model: Model
    sheet: Sheet
    rewrite: Rewrite
    columns: ColumnMap
    left_columns: Mapping[str, str]
    not_in_sheet: Sequence[Address]


def prepare(config: Config, catalog: Catalog, request: Request) -> Load:
    """Read the sheet and the files, and draft the new files.

    Raises:
        ConfigError: an option is wrong, or a file cannot be read.
        InvalidFiles: with everything that is wrong with the sheet, or with the files.
    """
    model, constants = _model(catalog, request.model)
    into = _into(config, request.into)
    rules = _rules(request)
    zone = _zone(rules) or config.time_zone
    uneven: Sequence[Diagnostic] = ()
    try:
        sheet = _sheet(request)
    except UnevenRows as error:
        sheet, uneven = error.rest, error.problems
    except UnreadableSheet as error:
        raise _invalid(error.problems, request.file) from None
    sources = sources_of(config, catalog, may_be_empty=True)
    known = Columns(model, catalog)
    named = [*request.said.columns, *request.said.ignore]
    resolved = resolve_columns(sheet, known, rules, zone, named)
    loading = _loading(sources, sheet, known, resolved, constants)
    draft = LoadDraft(config, loading, into)
    rewrite = draft.drafted()
    problems = [*uneven, *resolved.problems, *draft.problems]
    if problems:
        raise _invalid(problems, sheet.file)
    return Load(config, model, sheet, rewrite, rules, resolved.left, draft.not_in_sheet())


def _loading(
    sources: Sources, sheet: Sheet, known: Columns, resolved: Resolved, constants: Fields
) -> Loading:
    names = DeclaredNames(sources.repository.records.values(), sources.catalog)
    written: dict[str, set[str]] = {known.model.name: set(constants)}
    for column in resolved.columns:
        meaning: Meaning = column.meaning
        written.setdefault(meaning.model.name, set()).add(meaning.field)
    identity = SheetIdentity(sources.catalog, names, dict(written))
    reader = RowReader(
        sheet,
        known,
        resolved.columns,
        constants,
        identity,
        RecordPaths(sources.catalog, sources.repository, names),
    )
    declared = DeclaredRecords(known.model, sources.repository, identity)
    return Loading(sources, names, reader, identity, declared)


def _invalid(problems: Sequence[Diagnostic], file: str) -> InvalidFiles:
    found = in_order(problems)
    summary = f"{counted(len(found), 'error')} in {file}. {Untouched.NOTHING_WRITTEN}"
    return InvalidFiles(in_order(folded(found)), summary)


def _model(catalog: Catalog, word: str) -> tuple[Model, Fields]:
    """The model, and with `MODEL/TYPE` the type that all its records have.

    Raises:
        ConfigError: there is no such model or type, or it cannot be written.
    """
    name, slash, type_name = word.partition("/")
    model = find_model(catalog, name if slash else word)
    parent = catalog.parent_of(model)
    if model.embedded and parent:
        model = parent  # a row is a record and one of the records inside it
    if not model.writable:
        raise ConfigError(
            f"{model.count(2).partition(' ')[2].capitalize()} cannot be loaded: the API has no way "
            "to write them.",
            "Enter them in the browser.",
            untouched=Untouched.NOTHING_WRITTEN,
        )
    if not slash:
        return model, {}
    for selector in type_fields(catalog, model)[:1]:
        choices = [str(value) for value in model.fields[selector].enum]
        found = {value.casefold(): value for value in choices}.get(type_name.casefold())
        if found:
            return model, {selector: found}
        near = nearest(type_name, choices, 1)
        raise ConfigError(
            f"{model.words.capitalize()} has no {selector} `{type_name}`.",
            f"Did you mean --as {model.name}/{near[0]}?" if near else f"It can be {choices[0]}.",
            untouched=Untouched.NOTHING_WRITTEN,
        )
    raise ConfigError(
        f"{model.words.capitalize()} has no types.",
        f"Write --as {model.name}.",
        untouched=Untouched.NOTHING_WRITTEN,
    )


def _into(config: Config, into: str | None) -> str:
    """The file for new records, which must be a manifest.

    Raises:
        ConfigError: it would not be read as one.
    """
    if into is None:
        return ""
    file = posixpath.normpath(into.replace(os.sep, "/"))
    if not file.endswith(SUFFIXES):
        raise ConfigError(f"--into: {file} is not a YAML file.", f"Write {file}.yaml.")
    hidden = any(part.startswith(".") for part in file.split("/"))
    if hidden or not any(covers(entry, file) for entry in config.manifests):
        raise ConfigError(
            f"--into: {file} would not be read.",
            f"`manifests:` in {NAME} covers {', '.join(config.manifests)}.",
            untouched=Untouched.NOTHING_WRITTEN,
        )
    return file


def _rules(request: Request) -> ColumnMap:
    if request.map_file is None:
        return request.said
    text = _bytes(request.start / request.map_file, request.map_file)
    try:
        kept = file_map(text.decode("utf-8-sig"), request.map_file)
    except UnicodeDecodeError:
        raise ConfigError(f"{request.map_file} is not in UTF-8.") from None
    return request.said.over(kept)


def _zone(rules: ColumnMap) -> ZoneInfo | None:
    if not rules.time_zone:
        return None
    try:
        return time_zone(rules.time_zone)
    except ConfigError as error:
        raise ConfigError(f"--time-zone: {error.what}.", error.why) from None


def _sheet(request: Request) -> Sheet:
    """The table of a file; after `#`, the name of a sheet in a workbook."""
    file, _, tab = request.file.partition("#")
    if not tab or (request.start / request.file).exists():
        file, tab = request.file, ""
    if not file.lower().endswith(ENDINGS):
        endings = ", ".join(ENDINGS)
        message = f"its name does not end in {endings}"
        raise UnreadableSheet([sheet_problem(file, message, "save it as one of these")])
    return read_sheet(_bytes(request.start / file, file), file, tab)


def _bytes(path: Path, file: str) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(
            f"{file} cannot be read: {why}.", untouched=Untouched.NOTHING_WRITTEN
        ) from None


def check_map_file(start: Path, file: str) -> None:
    """Refuse to replace what is no map.

    Raises:
        ConfigError: there is something else at this path.
    """
    path = start / file
    if os.path.lexists(path):
        try:
            file_map(path.read_text(encoding="utf-8-sig"), file)
        except (ConfigError, OSError, UnicodeDecodeError):
            raise ConfigError(
                f"{file} exists and is not a map, so it was not replaced.",
                "Choose another name with --save-map.",
                untouched=Untouched.NOTHING_WRITTEN,
            ) from None


def save_map(start: Path, file: str, columns: ColumnMap) -> None:
    """Keep how the columns were read, for the next sheet.

    Raises:
        ConfigError: the file cannot be written.
    """
    path = start / file
    try:
        replace_file(Path(os.path.realpath(path)), columns.text())
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(f"{file} cannot be written: {why}.") from None


def with_ignored(columns: ColumnMap, ignored: Sequence[str], zone: str | None) -> ColumnMap:
    """A map with the columns to ignore and the zone of the command line."""
    return replace(columns, ignore=tuple(ignored), time_zone=zone or "")
