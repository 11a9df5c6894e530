"""Assignments on the command line: `FIELD=VALUE`, `FIELD.NAME=VALUE`, `FIELD+=ELEMENT` and
`FIELD-=ELEMENT`, and what they make of a record.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence

from msgspec import Struct, field

from stemctl.manifests.layers import element_name
from stemctl.manifests.typed_values import LISTS, NoValue, element_of, value_of, yaml_value
from stemctl.schema.detail_values import type_of
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_equality import same_json
from stemctl.util.json_types import Fields, Value
from stemctl.util.late_pattern import late_pattern
from stemctl.util.plural import joined
from stemctl.util.suggest import nearest

_WORD = late_pattern(r"(?P<name>[^=/]*?)(?P<sign>[+-]?)=(?P<text>.*)", re.DOTALL)


class Assignment(Struct, frozen=True):
    """One word: a field, an entry of it or nothing, `=`, `+=` or `-=`, and a text."""

    word: str
    field: str
    entry: str
    sign: str
    text: str


class BadAssignment(ValueError):
    """A word that cannot be used: what is wrong, and what fits."""

    def __init__(self, word: str, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.word, self.remedy = word, remedy


def assignment(word: str) -> Assignment | None:
    """A word as an assignment; None if it is an address. An address has a `/` before any `=`."""
    found = _WORD.fullmatch(word)
    if found is None or not found["name"]:
        return None
    name, _, entry = found["name"].partition(".")
    return Assignment(word, name, entry, f"{found['sign']}=", found["text"])


class Fitting(Struct):
    """Applies assignments to a record of a model.

    `around` are the fields of the record that it is inside of. Times may have no offset if the lab
    has a time zone (`is_local`).
    """

    model: Model
    values: dict[str, Value]
    around: Fields = field(default_factory=dict)
    is_local: bool = False

    def apply(self, one: Assignment) -> str | None:
        """Change `values`; returns the field that changed, or None if it was so already.

        Raises:
            BadAssignment: the word does not fit the model, or there is no such element.
        """
        rule = self._rule(one)
        old = self.values.get(rule.name)
        try:
            new = self._new(one, rule, old)
        except NoValue as error:
            where = f"{self.model.name}.{rule.name}{'.' if one.entry else ''}{one.entry}"
            message = f"`{one.text}` does not fit `{where}`: {error}"
            remedy = _quoted(one, error.remedy) if error.is_ambiguous else error.remedy
            raise BadAssignment(one.word, message, remedy) from error
        if rule.name in self.values and same_json(old, new):
            return None
        self.values[rule.name] = new
        return rule.name

    def _rule(self, one: Assignment) -> Field:
        rule = self.model.fields.get(one.field)
        if rule is not None and not rule.read_only:
            return rule
        if rule is not None:
            message = f"`{self.model.name}.{rule.name}` is set by the server"
            raise BadAssignment(one.word, message)
        names = [row.name for row in self.model.managed]
        near = nearest(one.field, names)
        remedy = (
            f"did you mean {joined([f'`{name}`' for name in near], 'or')}?"
            if near
            else (f"it has {joined(names)}")
        )
        message = f"{self.model.one_of_them} has no field `{one.field}`"
        raise BadAssignment(one.word, message, remedy)

    def _new(self, one: Assignment, rule: Field, old: Value) -> Value:
        if one.entry:
            return self._with_entry(one, rule, old)
        if one.sign == "+=":
            return self._with_element(one, rule, old)
        if one.sign == "-=":
            return self._without_element(one, rule, old)
        if one.text:
            return value_of(rule, one.text, self.model, self.is_local)
        if rule.required:
            raise BadAssignment(one.word, f"`{self.model.name}.{rule.name}` is required")
        return rule.empty

    def _with_entry(self, one: Assignment, rule: Field, old: Value) -> Value:
        if not rule.keyed:
            message = f"`{self.model.name}.{rule.name}` has no entries with names"
            raise BadAssignment(one.word, message, f"write `{rule.name}=VALUE`")
        if one.sign != "=":
            remedy = f"write `{rule.name}.{one.entry}=VALUE`"
            raise BadAssignment(one.word, "an entry is set as a whole", remedy)
        entries = dict(old) if isinstance(old, dict) else {}
        if one.text:
            entries[one.entry] = self._entry_value(one, rule)
        elif one.entry in entries:
            del entries[one.entry]
        else:
            raise self._missing(one, rule, one.entry, list(entries))
        return entries

    def _entry_value(self, one: Assignment, rule: Field) -> Value:
        if rule.details is None:
            return yaml_value(one.text)
        selector = rule.details.selector.rpartition(".")[2]
        source = self.around if rule.details.of_parent else self.values
        type_ = type_of(rule, source.get(selector))
        if type_ is None:
            return yaml_value(one.text)
        if one.entry not in type_.fields:
            near = nearest(one.entry, type_.fields) or list(type_.fields)
            message = f"details of {type_.name} have no field `{one.entry}`"
            names = joined([f"`{name}`" for name in near], "or")
            raise BadAssignment(one.word, message, f"did you mean {names}?")
        return value_of(type_.fields[one.entry], one.text, None, self.is_local)

    def _with_element(self, one: Assignment, rule: Field, old: Value) -> Value:
        if rule.kind not in LISTS:
            remedy = f"write `{rule.name}{'.NAME' if rule.keyed else ''}=VALUE`"
            raise BadAssignment(one.word, f"`{self.model.name}.{rule.name}` is not a list", remedy)
        element = element_of(rule, one.text)
        items = list(old) if isinstance(old, list) else []
        names = [element_name(rule, item) for item in items]
        if element_name(rule, element) in names and rule.merges:
            items[names.index(element_name(rule, element))] = element
        else:
            items.append(element)
        return items

    def _without_element(self, one: Assignment, rule: Field, old: Value) -> Value:
        if isinstance(old, dict) and rule.keyed:
            if one.text not in old:
                raise self._missing(one, rule, one.text, list(old))
            return {name: value for name, value in old.items() if name != one.text}
        if rule.kind not in LISTS:
            remedy = f"to clear it, write `{rule.name}=`"
            raise BadAssignment(one.word, f"`{self.model.name}.{rule.name}` is not a list", remedy)
        items = list(old) if isinstance(old, list) else []
        names = [element_name(rule, item) for item in items]
        gone = one.text if one.text in names else element_name(rule, element_of(rule, one.text))
        if gone not in names:
            raise self._missing(one, rule, one.text, names)
        return [item for item, name in zip(items, names, strict=True) if name != gone]

    def _missing(
        self, one: Assignment, rule: Field, name: str, names: Sequence[str]
    ) -> BadAssignment:
        near = [f"`{other}`" for other in nearest(name, names)]
        remedy = f"did you mean {joined(near, 'or')}?" if near else ""
        if not remedy:
            remedy = f"it has {joined([f'`{n}`' for n in names])}" if names else "it has none"
        return MissingElement(one.word, f"`{rule.name}` has no `{name}`", remedy)


def _quoted(one: Assignment, remedy: str) -> str:
    """What to type for a text, with the quotes of YAML kept from the shell."""
    word = f"{one.field}{'.' if one.entry else ''}{one.entry}{one.sign}{json.dumps(one.text)}"
    _, _, number = remedy.partition(" for text, ")
    return f"for the text, type {shlex.quote(word)}{f'; or write {number}' if number else ''}"


class MissingElement(BadAssignment):
    """An element that a record does not have. Among many records, others may have it."""
