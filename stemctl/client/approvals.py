"""Proposals on the server: finding them by address or id, and deciding about them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from stemctl.client import retry
from stemctl.client.client import ReadClient, WriteClient
from stemctl.client.listing import read_all
from stemctl.client.proof import Proof, of_error
from stemctl.client.responses import Forbidden, NotFound, NotTheApi, Paused, ServerError
from stemctl.core.records import Address
from stemctl.errors import ConfigError, Untouched
from stemctl.planning.approvals import DECIDED
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.json_types import Fields
from stemctl.util.late_pattern import late_pattern
from stemctl.util.plural import joined
from stemctl.util.suggest import nearest

_ID_START = late_pattern(r"[0-9a-fA-F]{8}[0-9a-fA-F-]*")
"""An id, or the beginning of one, as shown in plans."""


class Proposal(Struct, frozen=True):
    """One approval of the server, and its model."""

    model: Model
    id: str
    fields: Fields

    @property
    def address(self) -> Address:
        """The default address of a record with this content."""
        return Address(self.model.name, str(self.fields.get(self.model.identity or "", self.id)))

    @property
    def pending(self) -> bool:
        """Whether it is not decided yet."""
        return self.fields.get("status") not in DECIDED

    def document(self) -> dict[str, Any]:
        """The approval as JSON."""
        return {
            "model": self.model.name,
            "address": str(self.address),
            "approval": dict(self.fields),
        }


async def read_proposals(client: ReadClient) -> list[Proposal]:
    """All approvals that this account may see, pending ones first.

    Raises:
        Forbidden: the account may not see the approvals of any model.
    """
    found: list[Proposal] = []
    refused: Forbidden | NotFound | None = None
    models = [model for model in client.catalog.models.values() if model.approval]
    for model in models:
        try:
            reading = await read_all(model.name, functools.partial(client.approval_page, model))
        except (Forbidden, NotFound) as error:
            refused = error
            continue
        found += [Proposal(model, id_, fields) for id_, fields in reading.records.items()]
    if refused is not None and not found:
        raise refused
    return sorted(found, key=lambda p: (not p.pending, p.address, p.id))


def choose(
    proposals: Sequence[Proposal], name: str, catalog: Catalog, only_pending: bool
) -> list[Proposal]:
    """The proposals that an address, a name or an id means.

    With `only_pending`, anything but an id means its one pending proposal.

    Raises:
        ConfigError: it matches no proposal, or several pending ones.
    """
    matching = [p for p in proposals if _matches(name, p, catalog)]
    if only_pending and not _ID_START.fullmatch(name):
        matching = [p for p in matching if p.pending]
    if not matching:
        kind = "pending proposal" if only_pending else "proposal"
        known = [p for p in proposals if p.pending or not only_pending]
        near = nearest(name, [str(p.address) if "/" in name else p.address.key for p in known])
        guess = joined([f"`{each}`" for each in near], "or")
        raise ConfigError(
            f"No {kind} matches {name}, or your account cannot see it.",
            f"Did you mean {guess}?" if near else "",
            [("stemctl approvals list", "lists the proposals that you can see")],
        )
    if only_pending and len(matching) > 1:
        texts = "\n".join(f"{p.id}  {p.fields.get('description', '')}" for p in matching)
        message = f"{name} has {len(matching):,} pending proposals. Choose one by its id."
        raise ConfigError(message, texts)
    return matching


def refuse_whole_model(name: str, proposals: Sequence[Proposal], catalog: Catalog) -> None:
    """Refuse to decide about a model alone, which is half of `MODEL NAME` in two words.

    Raises:
        ConfigError: the name is that of a model.
    """
    model = catalog.find(name.rstrip("/"))
    if model is None or any(name == p.address.key for p in proposals):
        return
    raise ConfigError(
        f"`{name}` is a model: write {model.name}/NAME.",
        hints=[("stemctl approvals list", "lists the proposals that you can see")],
        untouched=Untouched.NOTHING_CHANGED,
    )


def _matches(name: str, proposal: Proposal, catalog: Catalog) -> bool:
    if _ID_START.fullmatch(name):
        return proposal.id.startswith(name.lower())
    word, slash, key = name.partition("/")
    if not slash and name == proposal.address.key:
        return True
    model = catalog.find(word)
    return model is proposal.model and (not key or key == proposal.address.key)


async def decide(client: WriteClient, proposal: Proposal, verdict: str) -> None:
    """Accept or reject a proposal, if it has not changed. `read_decided` returns the outcome.

    Raises:
        ConfigError: the proposal was decided or changed meanwhile.
        ServerError: the decision may not have arrived.
    """
    lost: ServerError | None = None
    for _ in range(retry.ATTEMPTS):
        try:
            async with client.in_one_slot() as one:
                now = replace(proposal, fields=await one.approval(proposal.model, proposal.id))
                if lost is not None and now.fields.get("status") == _DONE[verdict]:
                    return
                _check_same(proposal, now)
                await one.decide(proposal.model, proposal.id, verdict)
            return
        except ServerError as error:
            if of_error("PATCH", error) is Proof.REFUSED:
                raise
            lost = error
    missed = lost or Paused()
    missed.exit_code = 3 if missed.sent else 1
    raise missed


_DONE = {"accept": "Accepted", "reject": "Rejected"}


def _check_same(chosen: Proposal, now: Proposal) -> None:
    changed = [name for name, value in chosen.fields.items() if now.fields.get(name) != value]
    if changed:
        raise ConfigError(
            f"Proposal {chosen.id} of {chosen.address} has changed: {', '.join(changed)}.",
            f"Its status is {now.fields.get('status')}. Your decision was not sent.",
            [(f"stemctl approvals show {chosen.id}", "shows the current proposal")],
        )


async def read_decided(client: ReadClient, proposal: Proposal, verdict: str) -> Proposal:
    """The proposal after a decision: the response to the decision itself is not documented.

    Raises:
        NotTheApi: the proposal does not have the status of this decision.
    """
    now = replace(proposal, fields=await client.approval(proposal.model, proposal.id))
    if now.fields.get("status") != _DONE[verdict]:
        raise NotTheApi(
            f"The server accepted the request for {proposal.address}, but the status is "
            f"{now.fields.get('status')!r:.40}.",
            "The server may need a moment. Check the proposal again.",
            [(f"stemctl approvals show {proposal.id}", "shows the current proposal")],
        )
    return now
