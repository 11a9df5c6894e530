"""Who may see and change a record, as conditions on rows.

Lists, single records and writes use the same rules.
"""

from __future__ import annotations

from msgspec import Struct

from stemctl.sandbox.storage import Sql
from stemctl.sandbox.users import MANAGES, OWNS, RIGHTS, User
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Access, Joining, Model

_ALWAYS, _NEVER = Sql("1"), Sql("0")

Rights = tuple[str, ...]
"""Any of these rights is enough; none are needed to read."""


class Viewer(Struct, frozen=True):
    """The user of a request, or the public if there is no user. `groups` are those of the user."""

    catalog: Catalog
    user: User | None
    groups: tuple[str, ...] = ()

    @property
    def writes(self) -> bool:
        """Whether this viewer may write. The public and readers may not."""
        return self.user is not None and self.user.can_write

    @property
    def rules(self) -> bool:
        """Whether this viewer is an administrator."""
        return self.user is not None and self.user.administrator

    def sees(self, model: Model) -> Sql:
        """The records of a model that this viewer may read."""
        return self._allowed(model, (), 0)

    def changes(self, model: Model) -> Sql:
        """The records of a model that this viewer may change, if it may write."""
        edit = model.access.edit if model.access else None
        return self._allowed(model, (edit,) if edit else RIGHTS, 0)

    def manages(self, model: Model) -> Sql:
        """The records of a model whose members this viewer may change."""
        return self._allowed(model, MANAGES, 0)

    def owns(self, model: Model) -> Sql:
        """The records of a model that this viewer owns."""
        return self._allowed(model, OWNS, 0)

    def is_party(self, model: Model, name: str) -> Sql:
        """The invitations in which the viewer speaks for one side: as the user, or as a manager."""
        return _ALWAYS if self.rules else self._party(model, name, 0)

    def _allowed(self, model: Model, rights: Rights, depth: int) -> Sql:
        access = model.access
        if self.rules:
            return _ALWAYS
        if rights and model.write_by:
            return _NEVER
        if model.joining:
            return self._joined(model, model.joining, depth)
        if access is None or (access.everyone and not rights):
            return _ALWAYS
        if access.through:
            return self._through(model, access.through, rights, depth)
        return self._owned(access, rights, depth)

    def _owned(self, access: Access, rights: Rights, depth: int) -> Sql:
        """Access by the record alone: its flag, its members, their groups."""
        if self.user is None:
            if not access.public:
                return _NEVER
            return Sql(f"json_extract(r{depth}.body, '$.\"{access.public}\"') IS 1")
        if access.account:
            return Sql(f"r{depth}.identity = ?", (self.user.email,))
        if not access.members:
            return _ALWAYS
        found = [_member(access.members, (self.user.email,), rights, depth)]
        if access.groups and self.groups:
            found.append(_member(access.groups, self.groups, rights, depth))
        return Sql.either(found)

    def _through(self, model: Model, name: str, rights: Rights, depth: int) -> Sql:
        """Access through other records: one of them is enough to read, all are needed to change."""
        target = self.catalog.models[model.fields[name].to or ""]
        inner = self._allowed(target, RIGHTS if rights else (), depth + 1)
        deciding, about = _referred(model, name, target, depth)
        found = Sql(f"EXISTS ({deciding} AND {inner.text})", (*about, *inner.values))
        if not rights:
            return found
        none_denies = f"NOT EXISTS ({deciding} AND NOT ({inner.text}))"
        return Sql.every([found, Sql(none_denies, (*about, *inner.values))])

    def _joined(self, model: Model, joining: Joining, depth: int) -> Sql:
        """Both sides see an invitation or a request."""
        sides = (joining.member, joining.to)
        return Sql.either(self._party(model, name, depth) for name in sides)

    def _party(self, model: Model, name: str, depth: int) -> Sql:
        target = self.catalog.models[model.fields[name].to or ""]
        inner = self._allowed(target, MANAGES, depth + 1)
        deciding, about = _referred(model, name, target, depth)
        return Sql(f"EXISTS ({deciding} AND {inner.text})", (*about, *inner.values))


def _referred(model: Model, name: str, target: Model, depth: int) -> tuple[str, tuple[str, str]]:
    """A query for the records that one field refers to, to be continued with a condition."""
    text = (
        f"SELECT 1 FROM links AS l{depth} JOIN records AS r{depth + 1}"
        f" ON r{depth + 1}.model = ? AND r{depth + 1}.id = l{depth}.target"
        f" WHERE l{depth}.source = r{depth}.position AND l{depth}.relation = ?"
    )
    return text, (target.name, f"{model.name}.{name}")


def _member(field: str, names: tuple[str, ...], rights: Rights, depth: int) -> Sql:
    """Compares keys instead of building a path: an e-mail address may contain any character."""
    known = ", ".join("?" * len(names))
    text = f"EXISTS (SELECT 1 FROM json_each(r{depth}.body, '$.\"{field}\"') AS m"
    text += f" WHERE m.key IN ({known})"
    granted = " OR ".join(f"json_extract(m.value, '$.{right}') IS 1" for right in rights)
    return Sql(f"{text} AND ({granted}))" if rights else f"{text})", names)
