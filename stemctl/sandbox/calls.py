"""A request as its handlers see it, and the handlers of one URL."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Set

from msgspec import Struct

from stemctl.sandbox.access import Viewer
from stemctl.sandbox.list_query import Parameters
from stemctl.sandbox.replies import Reply, invalid
from stemctl.sandbox.storage import Storage
from stemctl.sandbox.users import User
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields, Value


class Call(Struct, frozen=True):
    """A request of a viewer. `url` has no query. It also implements `Lookups` for checks."""

    storage: Storage
    viewer: Viewer
    url: str
    parameters: Parameters
    content: bytes
    totals: str

    @property
    def user(self) -> User:
        """The user of a call that writes."""
        assert self.viewer.user is not None
        return self.viewer.user

    def body(self) -> dict[str, Value]:
        """The JSON object of the body; an empty body is an empty object.

        Raises:
            Refusal: 400, if it is not a JSON object.
        """
        return read_object(self.content)

    def taken(self, model: Model, body: Fields, names: tuple[str, ...], but: str | None) -> bool:
        """Whether another record has these values, also one that the user may not see."""
        return any(row.id != but for row in self.storage.holders(model, body, *names))

    def known(self, field: Field, ids: Set[str]) -> set[str]:
        """The ids that a field may refer to: those of records that the user may see."""
        target = self.storage.catalog.models.get(field.to or "")
        return self.storage.known(target, ids, self.viewer.sees(target)) if target else set()


Handler = Callable[[Call, str], Reply]
"""Serves a call; the text is the id in the URL, empty for a list."""


class Endpoint(Struct, frozen=True):
    """The handlers of `{app}/{name}`, by shape of the URL, then by method.

    Shapes are `many` (no id), `one` (an id), and any action that follows an id.
    """

    read_portals: tuple[str, ...]
    write_portals: tuple[str, ...]
    handlers: Mapping[str, Mapping[str, Handler]]


def read_object(content: bytes) -> dict[str, Value]:
    """A JSON object; empty content is an empty object.

    Raises:
        Refusal: 400, if it is not a JSON object.
    """
    try:
        value = json.loads(content or b"{}")
        # Python accepts more than JSON: NaN, 1e999 as infinity, lone surrogates.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON parse error - {error}") from error
    if not isinstance(value, dict):
        raise invalid(f"Invalid data. Expected a dictionary, but got {type(value).__name__}.")
    return value
