"""In which file a new record goes, by the template of `layout:`.

Values become parts of file names. So what is special to a shell, to git or to some file system is
replaced, and two names that differ only in case are one file, as on many systems.
"""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Iterable, Sequence

from stemctl.config.config import NAME, Config
from stemctl.config.file_templates import (
    ENDING,
    FileTemplate,
    Part,
    Word,
    file_template,
    is_reserved,
)
from stemctl.errors import ConfigError
from stemctl.manifests.globs import covers, is_pattern
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value
from stemctl.util.late_pattern import late_pattern
from stemctl.util.suggest import nearest

UNDATED, UNNAMED = "undated", "unnamed"
_FOLDER = "records"
_UNSAFE = late_pattern(r"[^\w.+=@-]+")
_END_OF_PREFIX = late_pattern(r"[_\- /]")
_LONGEST_VALUE = 60
_MOST_BYTES = 200
"""Of one folder or file. Most systems take 255, some that encrypt fewer."""


class RecordFiles:
    """The files of new records. `known` are files that are there: their spelling counts."""

    def __init__(
        self,
        config: Config,
        catalog: Catalog,
        layout: FileTemplate | None = None,
        known: Iterable[str] = (),
    ) -> None:
        """Raises ConfigError if the template has a date that no model has."""
        self._manifests = config.manifests
        self._template = layout or config.layout
        self._by_option = layout is not None
        self._folder = "" if self._template else _first_folder(config.manifests)
        self._spelling = {_folded(path): path for path in known}
        self._covered: set[str] = set()
        if self._template:
            self._check_dates(self._template, catalog)

    def file_of(self, model: Model, fields: Fields) -> str:
        """The file of a record with these fields, as they are written.

        Raises:
            ConfigError: `manifests:` does not cover that file.
        """
        template = self._template or default_template(self._folder, model)
        path = file_of(template, model, fields)
        path = self._spelling.setdefault(_folded(path), path)
        if path not in self._covered:
            if not any(covers(entry, path) for entry in self._manifests):
                raise self._not_covered(path, template)
            self._covered.add(path)
        return path

    def _not_covered(self, path: str, template: FileTemplate) -> ConfigError:
        return ConfigError(
            f"{path} would not be read: `manifests:` in {NAME} does not cover it.",
            f"Its name follows from {self._source(template)}. Change that, or add the folder to "
            "`manifests:`.",
        )

    def _source(self, template: FileTemplate) -> str:
        if self._template is None:
            return f"the default layout `{template.text}`, since {NAME} has no `layout:`"
        option = f"--layout {template.text}"
        return f"`{option}`" if self._by_option else f"`layout: {template.text}` in {NAME}"

    def _check_dates(self, template: FileTemplate, catalog: Catalog) -> None:
        known = {row.name for model in catalog.models.values() for row in model.moments}
        for name in template.dates:
            if name not in known:
                near = nearest(name, sorted(known)) or sorted(known)
                raise ConfigError(
                    f"{self._source(template)}: no model of edition {catalog.edition} has the date "
                    f"`{name}`.",
                    f"Did you mean {', '.join(f'`{word}`' for word in near)}?",
                )


def default_template(folder: str, model: Model) -> FileTemplate:
    """One file a month for models with a time; one for all records of other models."""
    start = f"{folder}/" if folder else ""
    time = next((row.name for row in model.moments if row.kind == "instant"), None)
    if time is None:
        return file_template(f"{start}{{model}}{ENDING}")
    return file_template(f"{start}{{model}}/{{{time}:%Y-%m}}{ENDING}")


def file_of(template: FileTemplate, model: Model, fields: Fields) -> str:
    """The file that a template names for a record.

    A part with a date says `undated` for a record without one, and is left out for a model that has
    no such date.
    """
    parts = [
        _rendered(part, model, fields)
        for part in template.parts
        if all(word.name in model.fields for word in _dates(part))
    ]
    parts = parts or [_safe(model.section)]
    *folders, name = parts
    name = name if name.endswith(ENDING) else f"{name}{ENDING}"
    path = "/".join([*(_part(folder) for folder in folders), _part(name)])
    return f"{_safe(model.section)}{ENDING}" if path == NAME else path


def _dates(part: Part) -> list[Word]:
    return [piece for piece in part if isinstance(piece, Word) and piece.format]


def _rendered(part: Part, model: Model, fields: Fields) -> str:
    """A part with its values."""
    texts = []
    for piece in part:
        if isinstance(piece, str):
            texts.append(piece)
        elif not piece.format:
            texts.append(_safe(_words(piece.name, model, fields)))
        elif (moment := _moment(fields.get(piece.name))) is None:
            return UNDATED
        else:
            texts.append(moment.strftime(piece.format))
    return "".join(texts)


def _words(word: str, model: Model, fields: Fields) -> str:
    if word == "model":
        return model.section
    if word == "app":
        return model.app
    name = str(fields.get(model.called or "") or fields.get("key") or "").strip()
    if word == "prefix":
        name = _END_OF_PREFIX.split(name)[0] or name
    return name


def _moment(value: Value) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _safe(text: str) -> str:
    """A value as a part of a name: letters and digits of any script, and a few signs."""
    words = unicodedata.normalize("NFC", text).strip()
    return _UNSAFE.sub("-", words)[:_LONGEST_VALUE].strip(".-") or UNNAMED


def _part(text: str) -> str:
    """The name of a folder or file that every system takes."""
    stem, dot, ending = text.rpartition(".") if text.endswith(ENDING) else (text, "", "")
    while len(stem.encode()) > _MOST_BYTES:
        stem = stem[:-1]
    stem = stem.strip(" ").rstrip(".") or UNNAMED
    whole = f"{stem}{dot}{ending}"
    if not is_reserved(whole):
        return whole
    first, dot, rest = whole.partition(".")
    return f"{first}_{dot}{rest}"


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _first_folder(manifests: Sequence[str]) -> str:
    """The folder for new files by the entries of `manifests:`: `records` if it is covered."""
    sample = f"{_FOLDER}/x/y{ENDING}"
    if any(covers(entry, sample) for entry in manifests):
        return _FOLDER
    for entry in manifests:
        names = entry.replace("\\", "/").strip("/").split("/")
        literal = [name for name in names if name not in ("", ".")]
        for at, name in enumerate(literal):
            if is_pattern(name) or name.endswith((".yaml", ".yml")):
                literal = literal[:at]
                break
        if literal and covers(entry, "/".join([*literal, "x", f"y{ENDING}"])):
            return "/".join(literal)
    return _FOLDER
