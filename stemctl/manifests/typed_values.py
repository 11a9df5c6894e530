"""The value that a text on the command line means, by the kind of its field.

What has no kind, such as the entries of a map, is read as YAML reads it in a file. Who types knows
YAML, so lists have brackets and numbers have points. A cell of a spreadsheet is read by
`sheets/read_cells` instead: Excel chose its form, and `1`, `on` and `Male` are values there.
"""

from __future__ import annotations

from stemctl.manifests import reader, scalars
from stemctl.manifests.date_hints import date_remedy
from stemctl.manifests.scalars import AmbiguousScalar
from stemctl.schema import detail_schemas, field_schema
from stemctl.schema.compiled import compiled
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.schema.quantities import parse
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern
from stemctl.util.plural import joined
from stemctl.util.suggest import nearest

LISTS = ("list", "references", "numbers", "rows", "items")
_NUMBERS = ("integer", "number")
_FLOW = ("[", "{", '"', "'")
_BOOLEANS: dict[str, Value] = {"true": True, "yes": True, "false": False, "no": False}
_MOMENT = late_pattern(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?P<clock>[0-9]{2}:[0-9]{2})"
    r"(?P<seconds>:[0-9]{2}(?:\.[0-9]+)?)?"
    r" ?(?P<offset>Z|[+-][0-9]{2}:[0-9]{2})?"
)


class NoValue(ValueError):
    """A text that is no value of a field; the message says what is wrong, `remedy` what fits. A
    text that is `is_ambiguous` needs quotes.
    """

    def __init__(self, message: str, remedy: str = "", is_ambiguous: bool = False) -> None:
        super().__init__(message)
        self.remedy, self.is_ambiguous = remedy, is_ambiguous


def value_of(rule: Field, text: str, model: Model | None = None, is_local: bool = False) -> Value:
    """The value of a whole field; of a field of details if there is no `model`.

    Times may have no offset if the lab has a time zone (`is_local`).

    Raises:
        NoValue: the text does not fit the field.
    """
    value = _whole(rule, text, is_local)
    _check(rule, value, text, model, is_local)
    return value


def element_of(rule: Field, text: str) -> Value:
    """The value of one element of a list.

    Raises:
        NoValue: the text does not fit it.
    """
    if rule.kind == "list":
        return _enumerated(rule, text)
    if rule.kind == "references":
        return text
    return yaml_value(text)


def yaml_value(text: str) -> Value:
    """What YAML reads: a plain scalar, a quoted text, or a list or mapping between brackets.

    Raises:
        NoValue: it is not YAML, or readers of YAML disagree on it.
    """
    if not text.startswith(_FLOW):
        value = scalars.resolve(text)
        if isinstance(value, AmbiguousScalar):
            message = "readers of YAML disagree on it"
            raise NoValue(message, value.remedy, is_ambiguous=True)
        return value
    document = reader.parse(f"value: {text}\n".encode(), "the command line")
    members = document.root.members if document.root else {}
    if document.problems or members.keys() != {"value"}:
        raise NoValue("it is not valid YAML", "close every quote and bracket")
    return members["value"].value


def _whole(rule: Field, text: str, is_local: bool) -> Value:
    kind = rule.kind
    if kind in LISTS:
        value = yaml_value(text) if text.startswith("[") else [element_of(rule, text)]
        if not isinstance(value, list):
            raise NoValue("it is not a list", "write `[A, B]`")
        return value
    if kind in _NUMBERS:
        return _number(text, whole=kind == "integer")
    if kind == "boolean":
        if text.casefold() not in _BOOLEANS:
            raise NoValue("it is not a boolean", "write `true` or `false`")
        return _BOOLEANS[text.casefold()]
    if kind in ("date", "instant"):
        return _moment(text, with_time=kind == "instant", is_local=is_local)
    if kind == "quantity":
        if parse(text, rule.units) is None:
            raise NoValue(
                "it is not a number with its unit", f"the units are {joined(rule.units, 'or')}"
            )
        return text
    if kind in ("text", "reference", "id"):
        return _enumerated(rule, text)
    return yaml_value(text)


def _number(text: str, *, whole: bool) -> Value:
    value = scalars.resolve(text)
    if isinstance(value, AmbiguousScalar):
        raise NoValue("it is not a number that all readers of YAML agree on", "write it as `12.5`")
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise NoValue(f"it is not {'a whole' if whole else 'a'} number")
    return value


def _moment(text: str, *, with_time: bool, is_local: bool) -> Value:
    """A day or time as files write it: with a `T`, and with its seconds."""
    found = _MOMENT.fullmatch(text) if with_time else None
    if found is None:
        return text
    if not (found["offset"] or is_local):
        raise NoValue("the time has no offset", date_remedy(text, with_time=True))
    return f"{found['day']}T{found['clock']}{found['seconds'] or ':00'}{found['offset'] or ''}"


def _enumerated(rule: Field, text: str) -> Value:
    """A text, or the value of an enumeration that is spelled so."""
    if not rule.enum or text in rule.enum:
        return text
    same = [one for one in rule.enum if str(one).casefold() == text.casefold()]
    if same:
        return same[0]
    near = nearest(text, map(str, rule.enum))
    fitting = joined([f"`{one}`" for one in near or map(str, rule.enum)], "or")
    raise NoValue("it is not one of the choices", f"did you mean {fitting}?" if near else fitting)


def _check(rule: Field, value: Value, text: str, model: Model | None, is_local: bool) -> None:
    """Whether the schema takes the value."""
    if rule.kind in ("date", "instant"):
        local = is_local and rule.kind == "instant"
        if isinstance(value, str) and local and _MOMENT.fullmatch(value):
            return
        wrong, remedy = "it is not a day", date_remedy(text, rule.kind == "instant", is_local)
    else:
        wrong, remedy = "it does not fit", ""
        if rule.max_length and isinstance(value, str) and len(value) > rule.max_length:
            wrong = f"it has {len(value):,} characters, and {rule.max_length:,} are allowed"
    schema = field_schema.field_schema(rule, model) if model else detail_schemas.field_schema(rule)
    if not compiled(schema, schema)(value):
        raise NoValue(wrong, remedy)
