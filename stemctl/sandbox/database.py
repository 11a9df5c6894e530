"""The database of a sandbox: its storage, its accounts and its seed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stemctl.sandbox import seeding
from stemctl.sandbox.body_checks import defaults
from stemctl.sandbox.seed_names import SeedNames
from stemctl.sandbox.storage import Storage
from stemctl.sandbox.users import BY_EMAIL, User
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields


class Database(Storage):
    """Storage that can be seeded."""

    def __init__(self, path: Path | None, catalog: Catalog) -> None:
        """Open the database.

        Raises:
            ConfigError: the file is not a database of this version.
        """
        super().__init__(path, catalog)
        accounts = (m for m in catalog.models.values() if m.access and m.access.account)
        self._accounts: Model | None = next(accounts, None)
        # The accounts of the sandbox itself come first.
        self.is_new = self.last_position() <= (len(BY_EMAIL) if self._accounts else 0)

    def add_accounts(self) -> None:
        """Add the users of the sandbox as records, if the edition has such records."""
        model = self._accounts
        if model is None or model.identity is None:
            return
        email = model.identity

        def absent() -> list[User]:
            users = BY_EMAIL.values()
            return [u for u in users if not self.holders(model, {email: u.email}, email)]

        if absent():  # most often not, and then nothing is written
            with self.transaction():
                for user in absent():
                    self.add(model, {**defaults(model), email: user.email}, str(user.id))

    def has(self, model: Model, name: str) -> bool:
        """Whether a reference by this name means a record."""
        return bool(SeedNames(self, ()).find(model, name))

    def seed(self, data: Mapping[str, list[Fields]]) -> int:
        """Add records in the shape of a manifest, and return how many were added.

        References are names, keys or ids. Fields that only the server sets are allowed. Existing
        records (with the same id, or the same unique values) do not change. Either all records are
        added or none.

        Raises:
            ConfigError: an unknown list key or field, an invalid value, or a reference to no
            record.
        """
        self.add_accounts()
        with self.transaction():
            return seeding.add(self, data)
