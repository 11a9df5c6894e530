"""The shape of what a server answers: keys, kinds, lengths, counts, statuses, headers and times.

It holds no value of a record, so a lab can show it to others. `shapes` makes it of answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from stemctl.errors import StemctlError, Untouched
from stemctl.util.strict_json import read_json

_FORMAT = 1
_KIND = "stemctl profile"

Kind = Literal[
    "null", "boolean", "integer", "number", "text", "id", "day", "time", "url", "list", "object"
]
"""What a value is. Texts that are an id (UUID), a day, a time or a URL are called so."""

TEXTS: frozenset[Kind] = frozenset({"text", "id", "day", "time", "url"})

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Word = Annotated[str, msgspec.Meta(max_length=60, pattern=r"^[A-Za-z][A-Za-z0-9 _-]*\Z")]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e6)]
Words = Annotated[tuple[Word, ...], msgspec.Meta(max_length=200)]
TotalPlace = Literal["meta.total_results", "meta.count", "count"]
Range = tuple[Count, Count]
Status = Annotated[int, msgspec.Meta(ge=100, le=999)]


class Shape(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """The shape of all values at one place: how often each kind, and the range of their lengths.

    `keys` are those keys of objects that the tables know, `other_keys` how many more there were.
    `each` is the shape of the items of lists, and of the values of maps. `unlisted` counts the
    values that the table does not list, where it lists all.
    """

    kinds: dict[Kind, Count]
    lengths: Range | None = None
    sizes: Range | None = None
    unlisted: Count = 0
    keys: dict[Word, Shape] = {}
    other_keys: Count = 0
    each: Shape | None = None

    @property
    def values(self) -> int:
        """How many values were seen."""
        return sum(self.kinds.values())


class Answer(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """The shape of an answer: `status` is None if none came, `body` what its content is.

    `key` is the key of the envelope that holds the records, if any does.
    """

    status: Status | None
    body: Literal["json", "html", "text", "empty", "none"] = "none"
    seconds: Seconds = 0.0
    headers: Words = ()
    envelope: dict[Word, Kind] = {}
    other_keys: Count = 0
    key: Word | None = None


class Listing(Answer, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """The shape of a page of a list.

    `totals` are the places that say how many records there are, `total` is what they say.
    """

    totals: tuple[TotalPlace, ...] = ()
    total: Count | None = None
    records: Count = 0
    in_order: bool = True
    fields: dict[Word, Shape] = {}
    other_fields: Count = 0


class ModelProfile(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """The shapes of a model's answers: its list, one of its records, and its approvals."""

    list: Listing
    detail: Answer | None = None
    approvals: Listing | None = None


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The shapes of the answers of one server, by model."""

    format: Literal[1]
    kind: Literal["stemctl profile"]
    stemctl: Annotated[str, msgspec.Meta(max_length=60)]
    made: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d\Z")]
    edition: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z]{1,20}\Z")]
    portal: Word
    models: dict[Word, ModelProfile]


class BadProfile(StemctlError):
    """A file that is no profile."""

    def __init__(self, what: str, why: str) -> None:
        hint = ("stemctl doctor --profile FILE", "writes a profile of a server")
        super().__init__(what, why, [hint], Untouched.NOTHING_CHANGED)


def profile_text(profile: Profile) -> str:
    """The document of a profile."""
    return msgspec.json.format(msgspec.json.encode(profile), indent=1).decode() + "\n"


def is_profile(text: str) -> bool:
    """Whether a text is meant to be a profile, sound or not."""
    return isinstance(document := _document(text), dict) and document.get("kind") == _KIND


def read_profile(text: str, name: str) -> Profile:
    """The profile in a text.

    Raises:
        BadProfile: it is none, of another format, or not as its description says.
    """
    document = _document(text)
    if not isinstance(document, dict) or document.get("kind") != _KIND:
        raise BadProfile(f"{name} is not a profile.", "It is not what doctor --profile writes.")
    if document.get("format") != _FORMAT:
        raise BadProfile(
            f"{name} has format {document.get('format')!s:.20}, this stemctl reads {_FORMAT}.",
            "Another version of stemctl wrote it.",
        )
    try:
        return msgspec.convert(document, Profile)
    except msgspec.ValidationError as error:
        raise BadProfile(f"{name} was edited, or is damaged.", f"{error}.") from error


def _document(text: str) -> Mapping[str, Any] | None:
    try:
        document = read_json(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
