"""What a user says of columns, in an option and in a file:

Sex=sex:{male: M, female: F}, DOB=birth_date:{date: D/M/Y}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import yaml
from msgspec import Struct, field

from stemctl.errors import ConfigError, Untouched
from stemctl.manifests.written import flow_text, scalar_text
from stemctl.sheets.dates import ORDERS
from stemctl.util.json_types import Value

_OPTIONS = ("date", "decimal", "unit")
_KEYS = ("columns", "ignore", "time_zone")
_EXAMPLE = '--map "Animal ID=name, Sex=sex:{male: M, female: F}"'


class ColumnRule(Struct, frozen=True):
    """The field of a column, what its cells mean, and how they are written."""

    path: str
    values: Mapping[str, str] = field(default_factory=dict)
    date: str = ""
    decimal: str = ""
    unit: str = ""


class ColumnMap(Struct, frozen=True):
    """The rules by the names of columns, columns to ignore, and the zone of local times."""

    columns: Mapping[str, ColumnRule] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    time_zone: str = ""

    def over(self, other: ColumnMap) -> ColumnMap:
        """This map, with what it does not say from another one."""
        return ColumnMap(
            {**other.columns, **self.columns},
            tuple(dict.fromkeys([*other.ignore, *self.ignore])),
            self.time_zone or other.time_zone,
        )

    def text(self) -> str:
        """The map as a file."""
        lines = ["# How stemctl load reads the columns of this table.", "columns:"]
        for name, rule in self.columns.items():
            lines.append(f"  {flow_text(name)}: {scalar_text(_written(rule))}")
        if not self.columns:
            lines[-1] = "columns: {}"
        if self.ignore:
            lines.append(f"ignore: {scalar_text(list(self.ignore))}")
        if self.time_zone:
            lines.append(f"time_zone: {scalar_text(self.time_zone)}")
        return "\n".join(lines) + "\n"


def _written(rule: ColumnRule) -> Value:
    options = {"date": rule.date, "decimal": rule.decimal, "unit": rule.unit}
    said: dict[str, Value] = {name: value for name, value in options.items() if value}
    if rule.values:
        said["values"] = dict(rule.values)
    return {"field": rule.path, **said} if said else rule.path


def option_map(text: str) -> ColumnMap:
    """The map of an option.

    Raises:
        ConfigError: it cannot be read.
    """
    rules: dict[str, ColumnRule] = {}
    for part in _split(text, ","):
        name, *rest = _split(part, "=")
        if len(rest) != 1 or not name.strip() or not rest[0].strip():
            raise _invalid("--map", f"`{part.strip()}` is not COLUMN=FIELD")
        path, _, options = rest[0].partition(":")
        name = _unquoted(name.strip())
        if name in rules:
            raise _invalid("--map", f"`{name}` is named twice")
        rules[name] = _rule(f"--map: `{name}`", path.strip(), _mapping("--map", options.strip()))
    return ColumnMap(rules)


def _rule(source: str, path: str, said: Mapping[str, str]) -> ColumnRule:
    """A rule of an option, where what is no option is a value of cells."""
    options = {name: said[name] for name in _OPTIONS if name in said}
    values = {name: value for name, value in said.items() if name not in _OPTIONS}
    return _checked(source, ColumnRule(path, values, **options))


def _checked(source: str, rule: ColumnRule) -> ColumnRule:
    if rule.date and re.sub("[-.]", "/", rule.date) not in ORDERS:
        known = ", ".join(f"`{{date: {order}}}`" for order in ORDERS)
        raise _invalid(source, f"unknown order of a date `{rule.date}`", f"Write {known}.")
    if rule.decimal not in ("", ",", "."):
        raise _invalid(source, f"`{rule.decimal}` is no decimal mark", 'Write `{decimal: ","}`.')
    return rule


def _split(text: str, separator: str) -> list[str]:
    """The parts of a text between separators that are not in quotes or braces."""
    pieces = re.findall(r'"[^"]*"|\{[^{}]*\}|.', text, re.DOTALL)
    parts = [""]
    for piece in pieces:
        if piece == separator:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _unquoted(name: str) -> str:
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name


def _mapping(source: str, text: str) -> Mapping[str, str]:
    if not text:
        return {}
    value = _texts(source, text)
    if not isinstance(value, dict):
        raise _invalid(source, f"`{text}` is not {{CELL: VALUE, ...}}")
    return dict(_pairs(source, value))


def _pairs(source: str, value: Mapping[Value, Value]) -> Iterator[tuple[str, str]]:
    for name, one in value.items():
        if not isinstance(name, str) or not isinstance(one, str):
            raise _invalid(source, "a value of a cell is not a text")
        yield name, one


def _texts(source: str, text: str) -> Value:
    """The value of YAML in which each scalar is a text, as cells are."""
    try:
        return yaml.load(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        problem = getattr(error, "problem", None) or "it is nested too deep"
        raise _invalid(source, f"line {line}: {problem}") from None


def file_map(text: str, file: str) -> ColumnMap:
    """The map of a file.

    Raises:
        ConfigError: it cannot be read.
    """
    value = _texts(file, text)
    if not isinstance(value, dict) or not isinstance(value.get("columns"), dict):
        remedy = "Write `columns:` with a line `COLUMN: FIELD` for each column, or use --save-map."
        raise _invalid(file, "it has no `columns:`", remedy)
    for key in value:
        if key not in _KEYS:
            raise _invalid(file, f"unknown key `{key}`", f"It can have {', '.join(_KEYS)}.")
    ignore, zone = value.get("ignore", []), value.get("time_zone", "")
    if not isinstance(ignore, list) or not all(isinstance(name, str) for name in ignore):
        raise _invalid(file, "`ignore` is not a list of columns")
    if not isinstance(zone, str):
        raise _invalid(file, "`time_zone` is not a text")
    rules = {
        str(name): _rule_of_file(f"{file}: `{name}`", rule)
        for name, rule in value["columns"].items()
    }
    return ColumnMap(rules, tuple(ignore), zone)


def _rule_of_file(source: str, value: Value) -> ColumnRule:
    if isinstance(value, str):
        return ColumnRule(value)
    if not isinstance(value, dict) or not isinstance(value.get("field"), str):
        raise _invalid(source, "it names no field", "Write `COLUMN: {field: FIELD, ...}`.")
    said = {**value}
    path, values = said.pop("field"), said.pop("values", {})
    for name in said:
        if name not in _OPTIONS:
            known = ", ".join(("field", "values", *_OPTIONS))
            raise _invalid(source, f"unknown key `{name}`", f"It can have {known}.")
    if not isinstance(values, dict):
        raise _invalid(source, "`values` is not a mapping")
    pairs = dict(_pairs(source, values))
    return _checked(source, ColumnRule(path, pairs, **dict(_pairs(source, said))))


def _invalid(source: str, what: str, remedy: str = "") -> ConfigError:
    return ConfigError(
        f"{source}: {what}.",
        remedy or f"Write it like {_EXAMPLE}.",
        untouched=Untouched.NOTHING_WRITTEN,
    )
