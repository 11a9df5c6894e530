"""A request as the handlers see it, and the handlers of one address."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass

from stemctl.sandbox.access import Viewer
from stemctl.sandbox.list_query import Parameters
from stemctl.sandbox.replies import Reply, invalid
from stemctl.sandbox.storage import Storage
from stemctl.sandbox.users import User
from stemctl.schema.catalog import Field, Model
from stemctl.util.json_types import Value


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks for what. `url` is the address without its query; it also answers a check's questions."""

    storage: Storage
    viewer: Viewer
    url: str
    parameters: Parameters
    content: bytes
    totals: str

    @property
    def user(self) -> User:
        """Who writes; calls that write are not served without."""
        assert self.viewer.user is not None
        return self.viewer.user

    def body(self) -> dict[str, Value]:
        """The JSON object that was sent; nothing at all counts as an empty one.

        Raises:
            Refusal: 400, it is something else.
        """
        return read_object(self.content)

    def taken(self, model: Model, field: Field, value: Value, but: str | None) -> bool:
        """Whether another record holds this value; names are unique beyond what the user sees."""
        holder = self.storage.holder(model, field, value)
        return holder is not None and holder.id != but

    def known(self, field: Field, ids: Set[str]) -> set[str]:
        """Those of the ids that a field may refer to: records that the user sees."""
        target = self.storage.catalog.models.get(field.to or "")
        return self.storage.known(target, ids, self.viewer.sees(target)) if target else set()


Handler = Callable[[Call, str], Reply]
"""Serves a call; the text is the id in the address, empty for a list."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What stands behind `{app}/{name}`: handlers by shape of the address, then by method.

    Shapes are `many` (no id), `one` (an id), and any action that follows an id.
    """

    read_portals: tuple[str, ...]
    write_portals: tuple[str, ...]
    handlers: Mapping[str, Mapping[str, Handler]]


def read_object(content: bytes) -> dict[str, Value]:
    """A JSON object; nothing at all counts as an empty one.

    Raises:
        Refusal: 400, it is something else.
    """
    try:
        value = json.loads(content or b"{}")
        # Python reads what JSON does not have: NaN, 1e999 as infinity, halves of characters.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON parse error - {error}") from error
    if not isinstance(value, dict):
        raise invalid(f"Invalid data. Expected a dictionary, but got {type(value).__name__}.")
    return value
