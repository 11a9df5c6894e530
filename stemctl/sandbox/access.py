"""Who may see and change a record, as conditions on rows.

Lists, single records and writes use the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from stemctl.sandbox.storage import Sql
from stemctl.sandbox.users import RIGHTS, User
from stemctl.schema.catalog import Catalog, Model

_ALWAYS = Sql("1")


@dataclass(frozen=True, slots=True)
class Viewer:
    """The user of a request, or the public if there is no user."""

    catalog: Catalog
    user: User | None

    @property
    def writes(self) -> bool:
        """Whether this viewer may write. The public and readers may not."""
        return self.user is not None and self.user.can_write

    def sees(self, model: Model) -> Sql:
        """The records of a model that this viewer may read."""
        return self._allowed(model, changing=False, depth=0)

    def changes(self, model: Model) -> Sql:
        """The records of a model that this viewer may change, if it may write."""
        return self._allowed(model, changing=True, depth=0)

    def _allowed(self, model: Model, *, changing: bool, depth: int) -> Sql:
        access = model.access
        if access is None or (self.user and self.user.administrator):
            return _ALWAYS
        if access.through:
            return self._through(model, access.through, changing=changing, depth=depth)
        if self.user is None:
            if not access.public:
                return Sql("0")
            return Sql(f"json_extract(r{depth}.body, '$.\"{access.public}\"') IS 1")
        if not access.members:
            return _ALWAYS
        return _member(self.user, access.members, changing=changing, depth=depth)

    def _through(self, model: Model, name: str, *, changing: bool, depth: int) -> Sql:
        """Access through other records: one of them is enough to read, all are needed to change."""
        target = self.catalog.models[model.fields[name].to or ""]
        inner = self._allowed(target, changing=changing, depth=depth + 1)
        deciding = (
            f"SELECT 1 FROM links AS l{depth} JOIN records AS r{depth + 1}"
            f" ON r{depth + 1}.model = ? AND r{depth + 1}.id = l{depth}.target"
            f" WHERE l{depth}.source = r{depth}.position AND l{depth}.relation = ?"
        )
        about = (target.name, f"{model.name}.{name}")
        found = Sql(f"EXISTS ({deciding} AND {inner.text})", (*about, *inner.values))
        if not changing:
            return found
        none_denies = f"NOT EXISTS ({deciding} AND NOT ({inner.text}))"
        return Sql.every([found, Sql(none_denies, (*about, *inner.values))])


def _member(user: User, field: str, *, changing: bool, depth: int) -> Sql:
    """Compares keys instead of building a path: an e-mail address may contain any character."""
    rights = " OR ".join(f"json_extract(m.value, '$.{right}') IS 1" for right in RIGHTS)
    text = f"EXISTS (SELECT 1 FROM json_each(r{depth}.body, '$.\"{field}\"') AS m WHERE m.key = ?"
    return Sql(f"{text} AND ({rights}))" if changing else f"{text})", (user.email,))
