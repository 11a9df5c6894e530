"""Where the value of a field comes from: the record itself, or defaults of its file or folder."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from stemctl.core.records import Address
from stemctl.manifests.layers import element_name, merged
from stemctl.manifests.sources import DefaultPlace, Sources
from stemctl.schema.fields import Field
from stemctl.util.json_equality import same_json
from stemctl.util.json_types import Fields, Value

NO_DEFAULTS = "no_defaults"


class Gone:
    """The type of GONE."""

    def __repr__(self) -> str:
        return "GONE"


GONE = Gone()
"""In place of a value: nothing is written."""


class Origin(Struct, frozen=True):
    """The value of a field of one record: its own as written, or GONE, and those of the defaults
    that it takes, the nearest first. `hidden` says whether the nearest hide others.
    """

    own: Value | Gone
    below: tuple[tuple[DefaultPlace, Value], ...] = ()
    hidden: bool = False

    def inherited(self, rule: Field) -> Value | Gone:
        """What the record has of defaults."""
        value: Value | Gone = GONE
        for _, further in reversed(self.below):
            value = further if value is GONE or not rule.merges else merged(rule, value, further)
        return value

    def can_lose(self, rule: Field, gone: Collection[str]) -> bool:
        """Whether elements are gone once the nearest defaults lack them: none of those further
        away may have them.
        """
        if not gone:
            return True
        further = {name for _, value in self.below[1:] for name in elements(rule, value)}
        return not self.hidden and further.isdisjoint(gone)


def origin(sources: Sources, address: Address, rule: Field) -> Origin:
    """Where a field of a record comes from."""
    written = sources.written(address)
    own = written.get(rule.name, GONE)
    layers: list[Fields] = [written]
    below: list[tuple[DefaultPlace, Value]] = []
    hidden = False
    for place in sources.defaults(address):
        if any(rule.name in names(layer) for layer in layers) or _other_type(rule, layers, place):
            break
        if rule.name in place.values and (rule.merges or own is GONE):
            hidden = bool(below) and not rule.merges
            if hidden:
                break
            below.append((place, place.values[rule.name]))
        layers.append(place.values)
    return Origin(own, tuple(below), hidden)


def names(layer: Fields) -> Sequence[str]:
    """The fields that a record, or defaults, do not take from the defaults below."""
    lifecycle = layer.get("lifecycle")
    found = lifecycle.get(NO_DEFAULTS) if isinstance(lifecycle, dict) else None
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _other_type(rule: Field, layers: Iterable[Fields], place: DefaultPlace) -> bool:
    """Whether the details of these defaults are of another type than those of the record."""
    if rule.details is None or rule.details.of_parent:
        return False
    selector = rule.details.selector
    own = [layer[selector] for layer in layers if layer.get(selector) is not None]
    return bool(own) and own[0] != place.values.get(selector)


class Delta:
    """How the elements of a field change: those that are new or have another value, by name, and
    the names of those that go. A field that is not merged by element has one nameless element.
    """

    def __init__(self, new: dict[str, Value] | None = None, gone: set[str] | None = None) -> None:
        self.new = new if new is not None else {}
        self.gone = gone if gone is not None else set()

    def __eq__(self, other: object) -> bool:
        """Whether both change a value alike; `1` and `true` are not alike."""
        return (
            isinstance(other, Delta) and self.gone == other.gone and same_json(self.new, other.new)
        )

    def __bool__(self) -> bool:
        return bool(self.new or self.gone)


def elements(rule: Field, value: Value | Gone) -> Mapping[str, Value]:
    """The elements of a value by their names; the value itself if it has none."""
    if value is GONE:
        return {}
    if rule.merges and isinstance(value, dict):
        return value
    if rule.merges and isinstance(value, list):
        return {element_name(rule, item): item for item in value}
    return {"": value}


def value_of(rule: Field, parts: Mapping[str, Value], like: Value) -> Value:
    """A value with these elements, in the form that `like` has."""
    if "" in parts and not rule.merges:
        return parts[""]
    return dict(parts) if rule.keyed or isinstance(like, dict) else list(parts.values())


def delta(old: Mapping[str, Value], new: Mapping[str, Value]) -> Delta:
    """The difference between two sets of elements."""
    changed = {
        name: part
        for name, part in new.items()
        if name not in old or not same_json(old[name], part)
    }
    return Delta(changed, {name for name in old if name not in new})
