"""new: a record in the files, alone or like another one, with its children."""

from __future__ import annotations

import copy
import shlex
from collections.abc import Callable, Sequence

from msgspec import Struct

from stemctl.commands.copied_records import copied, fill, shift
from stemctl.commands.edited_records import bad_words, one_record, sources
from stemctl.commands.workspace import Workspace
from stemctl.core.records import Address
from stemctl.core.rewrite import Rewrite
from stemctl.errors import ConfigError, Untouched
from stemctl.manifests.assignments import Assignment, BadAssignment, Fitting, assignment
from stemctl.manifests.declared_names import DeclaredNames
from stemctl.manifests.draft import Draft
from stemctl.manifests.moved_dates import in_zone, on_day_of
from stemctl.manifests.record_keys import record_key
from stemctl.manifests.sources import Sources
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.takeover.record_files import RecordFiles
from stemctl.util.json_types import Fields, Value
from stemctl.util.plural import counted, joined
from stemctl.util.suggest import nearest

KEY, ID, LIFECYCLE = "key", "id", "lifecycle"


class Missing(Struct, frozen=True):
    """A field that a new record needs: why, what the record has that it is like, and a value that
    may be meant.
    """

    field: str
    why: str
    old: str = ""
    proposal: str = ""


Ask = Callable[[Missing, str], str]
"""Asks for a field; the second text says what was wrong with the last answer."""


class Request(Struct, frozen=True):
    """What was typed."""

    model: str
    words: tuple[str, ...]
    like: str | None = None
    into: str | None = None


def create(workspace: Workspace, request: Request, ask: Ask | None) -> Rewrite:
    """The files with the record; without `ask`, what is missing is an error.

    Raises:
        ConfigError: a word does not fit, or a field is missing.
        InvalidFiles: the files have errors.
    """
    model = _model_of(workspace.catalog, request.model)
    files = sources(workspace)
    like = None
    if request.like is not None:
        like = one_record(workspace, files, _as_address(files, model, request.like), "new")
        if like.model != model.name:
            raise _refused(f"{like} is no {model.words}", f"write --like {model.name}/NAME")
    maker = _Maker(workspace, files, model, like, request)
    maker.assign(_assignments(request.words))
    maker.complete(ask)
    return maker.draft()


def _model_of(catalog: Catalog, word: str) -> Model:
    model = catalog.find(word)
    if model is None and "/" in word:
        raise _refused(f"{word} is an address", "write the model alone, and name=NAME")
    if model is None:
        near = nearest(word, [one.name for one in catalog.writable])
        why = f"did you mean {joined(near, 'or')}?" if near else "`stemctl explain` lists them"
        raise _refused(f"there is no model {word}", why)
    if not model.writable:
        raise _refused(f"{model.count(2).partition(' ')[2]} are read-only", "see stemctl explain")
    return model


def _as_address(files: Sources, model: Model, word: str) -> str:
    """A name alone is that of a record of the model."""
    if "/" not in word or Address(model.name, word) in files.repository.records:
        return f"{model.name}/{word}"
    return word


def _assignments(words: Sequence[str]) -> list[Assignment]:
    found = []
    for word in words:
        one = assignment(word)
        if one is None:
            raise _refused(f"`{word}` is no FIELD=VALUE", "write for example name=NAME")
        found.append(one)
    return found


class _Maker:
    """Makes the record, step by step."""

    def __init__(
        self,
        workspace: Workspace,
        files: Sources,
        model: Model,
        like: Address | None,
        request: Request,
    ) -> None:
        self._workspace, self._files, self._model = workspace, files, model
        self._like, self._request = like, request
        self._old: Fields = copied(files, like) if like else {}
        self.values: dict[str, Value] = copy.deepcopy(dict(self._old))
        self._given: set[str] = set()
        self._parent = files.repository.records[like].parent if like else None
        self._is_local = workspace.config.time_zone is not None
        self._names = DeclaredNames(files.repository.records.values(), files.catalog)

    # What was typed

    def assign(self, words: Sequence[Assignment]) -> None:
        """Set what the command line says."""
        errors = []
        for one in sorted(words, key=lambda one: one.field != self._model.parent):
            try:
                self._assign(one)
            except BadAssignment as error:
                errors.append(error)
        if errors:
            raise bad_words(errors)

    def _assign(self, one: Assignment) -> None:
        if one.field in (ID, LIFECYCLE):
            raise BadAssignment(one.word, f"`{one.field}` is no field of the server")
        if one.sign == "=" and one.text == self._placeholder(one.field):
            message = f"`{one.word}` says where your value goes"
            raise BadAssignment(one.word, message, f"write it in place of {one.text}")
        self._given.add(one.field)
        if one.field == KEY and not self._model.embedded and one.sign == "=":
            self.values[KEY] = one.text
            return
        if one.sign == "=" and not one.entry and not one.text and one.field in self._model.fields:
            self.values.pop(one.field, None)  # a new record has nothing to clear
            return
        parent = self._files.repository.records.get(self._parent) if self._parent else None
        lists = {child.section for child in self._files.catalog.children(self._model)}
        own = {name: value for name, value in self.values.items() if name not in lists}
        fitting = Fitting(self._model, own, parent.fields if parent else {}, self._is_local)
        fitting.apply(one)
        if one.field == self._model.parent:
            target = self._model.fields[one.field].to or ""
            self._parent = self._names.meant(target, str(own[one.field])) or None
            if self._parent is not None:
                return  # its place says so
        self.values[one.field] = own[one.field]

    # What is missing

    def complete(self, ask: Ask | None) -> None:
        """Ask for what is missing; a name first, since it may say the day.

        Raises:
            ConfigError: there is no terminal to ask at.
        """
        self._keep_alike()
        missing = self.missing()
        if missing and ask is None:
            raise self._needs(missing)
        while missing and ask is not None:
            wrong = self._take(missing[0], ask(missing[0], ""))
            while wrong:
                wrong = self._take(missing[0], ask(missing[0], wrong))
            self._keep_alike()
            missing = self.missing()

    def _take(self, one: Missing, text: str) -> str:
        """Take an answer; returns what is wrong with it."""
        if not text and one.why != _DATE:
            return f"{one.field} is required."
        try:
            self._assign(Assignment(f"{one.field}={text}", one.field, "", "=", text))
        except BadAssignment as error:
            self._given.discard(one.field)
            return f"{error}. {error.remedy}".strip()
        if one.field not in (KEY, self._model.called):
            return ""
        address = self._address(self.values)
        if address not in self._files.repository.records:
            return ""
        self._given.discard(one.field)
        return f"{address} is declared already."

    def _address(self, fields: Fields) -> Address:
        key = record_key(dict(fields), self._model, self._parent.key if self._parent else None)
        return Address(self._model.name, key or "")

    def _keep_alike(self) -> None:
        """A key and a name that are the same in the record that this one is like stay the same."""
        called = self._model.called
        if called is None or KEY not in self._old or self._old[KEY] != self._old.get(called):
            return
        if called in self._given and KEY not in self._given:
            self.values[KEY] = self.values.get(called)
            self._given.add(KEY)
        elif KEY in self._given and called not in self._given:
            self.values[called] = self.values[KEY]
            self._given.add(called)

    def missing(self) -> list[Missing]:
        """What the record still needs, in the order of the table."""
        found = [*self._must_differ()] if self._like else []
        known = {*self.values, *self._in_defaults(), *(one.field for one in found)}
        if self._like:  # also what it has from defaults is copied
            known |= self._files.repository.records[self._like].fields.keys() - self._given
        if self._parent is not None and self._model.parent:
            known.add(self._model.parent)
        if self._model.called is None and self._parent is None and KEY not in known:
            found.append(Missing(KEY, "it has no name to be known by"))
        by = self._model.embedded.by if self._model.embedded else (self._model.called,)
        if not known.intersection(by) and KEY not in known and by[0]:
            found.append(Missing(by[0], "it is known by it"))
            known.add(by[0])
        required = [row.name for row in self._model.managed if row.required]
        found += [Missing(name, "it is required") for name in required if name not in known]
        order = [KEY, *(row.name for row in self._model.managed)]
        return sorted(found, key=lambda one: order.index(one.field))

    def _must_differ(self) -> list[Missing]:
        """What cannot be as in the record that this one is like: what is unique, and dates."""
        model, old = self._model, self._old
        called = model.called or ""
        around = self._files.repository.records[self._like].parent if self._like else None
        by_key = KEY in old or (called not in old and not model.embedded)
        found = []
        if by_key and KEY not in self._given and around == self._parent:
            found.append(Missing(KEY, _UNIQUE, str(old.get(KEY, ""))))
        for row in model.managed:
            value = old.get(row.name)
            if row.name in self._given or value in (None, ""):
                continue
            if row in model.moments:
                named = self.values.get(called, "") if called in self._given else ""
                names = str(old.get(called, "")), str(named)
                is_key = model.embedded is not None and row.name == model.embedded.by[0]
                why = _UNIQUE if is_key else _DATE
                moment = in_zone(str(value), self._workspace.config.time_zone)
                found.append(Missing(row.name, why, str(value), on_day_of(moment, *names)))
            elif row.unique or (row.name == called and KEY not in old):
                found.append(Missing(row.name, _UNIQUE, str(value)))
        return found

    def _in_defaults(self) -> set[str]:
        """The fields that the record takes from defaults of its file and folder."""
        if self._model.embedded:
            return set()
        file = self._file()
        places = [file, *self._files.folder_defaults(file)]
        found: set[str] = set()
        for place in places:
            defaults = self._files.file(place).values.get("defaults")
            values = defaults.get(self._model.section) if isinstance(defaults, dict) else None
            found |= set(values) if isinstance(values, dict) else set()
        return found

    def _needs(self, missing: Sequence[Missing]) -> ConfigError:
        """The error that names all that is missing, with the words to type."""
        width = max(len(one.field) for one in missing)
        like = f" like {self._like}" if self._like else ""
        lines = [
            f"{one.field:<{width}}  {one.why}{f'; there it is {one.old}' if one.old else ''}"
            for one in missing
        ]
        words = ["stemctl", "new", self._request.model]
        if self._request.like:
            words += ["--like", self._request.like]
        if self._request.into:
            words += ["--into", self._request.into]
        words += self._request.words
        words += [f"{one.field}={one.proposal or self._placeholder(one.field)}" for one in missing]
        return ConfigError(
            f"A new {self._model.words}{like} needs {counted(len(missing), 'more value')}.",
            "\n".join(lines),
            [(shlex.join(words), "with your values")],
            untouched=Untouched.NOTHING_WRITTEN,
        )

    def _placeholder(self, field: str) -> str:
        """What stands for a value in a command to type; it is no value itself."""
        row = self._model.fields.get(field)
        return "DATE" if row is not None and row in self._model.moments else field.upper()

    # Where it goes

    def _file(self) -> str:
        """The file of the record."""
        if self._request.into is not None:
            return self._request.into
        if self._parent is not None:
            return self._files.place(self._parent).file
        if self._like is not None and self._files.repository.records[self._like].parent is None:
            return self._files.place(self._like).file
        files = self._files.repository.files
        names = RecordFiles(self._workspace.config, self._files.catalog, None, files)
        return names.file_of(self._model, self.values)

    def draft(self) -> Rewrite:
        """The files with the record.

        Raises:
            ConfigError: another record has its address, or its file is no manifest.
        """
        file, parent = self._file(), self._parent
        self._check_file(file)
        if self._model.embedded and parent is None:
            raise _refused(
                f"{self._model.one_of_them} is written inside its {self._model.parent}",
                f"write {self._model.parent}=NAME of a declared one",
            )
        fields = self._moved_along()
        address = self._address(fields)
        if address in self._files.repository.records:
            where = self._files.repository.records[address].location
            raise _refused(
                f"{address} is declared already, in {where.file}:{where.line}",
                "choose another name or key",
            )
        draft = Draft(self._files)
        draft.add_record(self._model.name, fields, file, parent)
        return draft.finish()

    def _check_file(self, file: str) -> None:
        is_there = (self._files.root / file).exists()
        if is_there and file not in self._files.repository.files:
            raise _refused(f"{file} is no manifest", "write the path of a manifest after --into")
        if self._parent is not None and file != self._files.place(self._parent).file:
            raise _refused(
                f"it belongs inside {self._parent}, which is in another file",
                "leave --into out",
            )

    def _moved_along(self) -> dict[str, Value]:
        """The values in their order, with the dates of children on the day of the record."""
        order = [KEY, *(row.name for row in self._model.managed)]
        if self._like is None:
            return {name: self.values[name] for name in order if name in self.values}
        values = self.values
        if self._files.place(self._like).file != self._file():
            fill(self._files, values, self._like, self._given)
        for row in self._model.moments:
            old, new = self._old.get(row.name), values.get(row.name)
            if isinstance(old, str) and isinstance(new, str):
                shift(values, self._model, self._files.catalog, (old, new))
                break
        added = [name for name in order if name in values and name not in self._old]
        fields = [name for name in values if name in order and name not in added]
        rest = [name for name in values if name not in order]
        return {name: values[name] for name in (*fields, *added, *rest)}


_UNIQUE = "it must be another one"
_DATE = "it has a date of its own"


def _refused(what: str, remedy: str) -> ConfigError:
    end = "" if remedy.endswith("?") else "."
    why = f"{remedy[:1].upper()}{remedy[1:]}{end}"
    return ConfigError(f"{what[:1].upper()}{what[1:]}.", why, untouched=Untouched.NOTHING_WRITTEN)
