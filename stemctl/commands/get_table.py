"""get -o csv: records of the server as a table, with what they refer to and what is inside them."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from stemctl.client import query
from stemctl.client.client import ReadClient
from stemctl.client.listing import is_denied, read_all
from stemctl.client.query import QueryResult
from stemctl.client.responses import ServerError
from stemctl.commands.connection import connect
from stemctl.commands.get import Request, requested
from stemctl.commands.workspace import Workspace
from stemctl.core.snapshot import Completeness, Reading
from stemctl.planning.declared import shown_rows
from stemctl.schema.models import Model
from stemctl.sheets.table_cells import LiveRecords, default_columns, table_rows, used_columns
from stemctl.sheets.table_columns import TableColumn, columns_of
from stemctl.sheets.write_sheet import write_sheet
from stemctl.util.plural import counted, joined


class Table(Struct, frozen=True):
    """A table as the bytes of a file, and what is not in it."""

    data: bytes
    result: QueryResult
    complete: bool
    remarks: tuple[str, ...] = ()


async def get_table(
    workspace: Workspace, request: Request, columns: str | None, output_format: str
) -> Table:
    """Read records and what their columns need: each other model is listed once.

    Raises:
        ConfigError: an unknown model, portal, field or column.
    """
    model, name = requested(workspace, request)
    catalog = workspace.catalog
    wanted = columns_of(catalog, model, columns) if columns is not None else None
    asked = query.make_query(model, request.filters, request.sort, ())
    async with connect(workspace) as link:
        client = link.reader(request.portal)
        found = await query.find(client, model, name, asked)
        if wanted is None:
            referring = [row for row in shown_rows(model) if row.to in catalog.models]
            used = [row.to for row in referring if any(r.get(row.name) for r in found.records)]
            needed = {each for each in used if each}
        else:
            needed = {each for column in wanted for each in column.listed()}
        passed = {step.model.name for column in wanted or () for step in column.steps}
        readings = await _readings(client, sorted(needed & catalog.models.keys()), passed)
    live = LiveRecords(
        {each: reading.records for each, reading in readings.items()},
        {each: _names(catalog.models[each], reading) for each, reading in readings.items()},
        _keys(workspace, model, [catalog.models[each] for each in readings], wanted),
    )
    if wanted is None:
        shown: Sequence[TableColumn] = default_columns(model, found.records, live)
        shown, rows = used_columns(shown, list(table_rows(shown, found.records, live)))
    else:
        shown, rows = wanted, list(table_rows(wanted, found.records, live))
    data = write_sheet(output_format, [column.title for column in shown], rows)
    partial = [each for each, r in readings.items() if r.completeness is Completeness.PARTIAL]
    remarks = [f"Not all that is listed of {joined(partial)} could be read."] if partial else []
    return Table(
        data, found, found.complete and not partial, (*remarks, *_remarks(readings, live.unseen))
    )


async def _readings(
    client: ReadClient, names: Sequence[str], passed: set[str]
) -> Mapping[str, Reading]:
    """The listings of models. One that this account may not list leaves ids in place of names; if
    columns lead through it, there is no answer.

    Raises:
        ServerError: columns lead through it.
    """

    async def read(name: str) -> Reading:
        model = client.catalog.models[name]
        try:
            return await read_all(name, functools.partial(client.page, model))
        except ServerError as error:
            if name in passed or not is_denied(error):
                raise
            return Reading(name, Completeness.DENIED, {})

    return dict(zip(names, await asyncio.gather(*map(read, names)), strict=True))


def _names(model: Model, reading: Reading) -> Mapping[str, str]:
    """What references to the records of a model write: a name, if it means one of them alone."""
    rows = query.name_rows(model) or ((model.called,) if model.called else ())
    return query.unambiguous_names(reading, model, rows) if rows else {}


def _keys(
    workspace: Workspace,
    model: Model,
    others: Iterable[Model],
    columns: Sequence[TableColumn] | None,
) -> Mapping[str, str]:
    """The keys in the files of records that have no name on the server, by id."""
    asked = any(column.is_key for column in columns or ())
    nameless = {
        each.name for each in (model, *others) if each.nameless or (asked and each is model)
    }
    if not nameless:
        return {}
    records = workspace.store.read().records
    return {
        entry.id: address.key
        for address, entry in records.items()
        if entry.id and address.model in nameless
    }


def _remarks(readings: Mapping[str, Reading], unseen: Iterable[tuple[str, str]]) -> Iterable[str]:
    """What is not in the table as it might be."""
    if denied := [each for each, r in readings.items() if r.completeness is Completeness.DENIED]:
        yield f"You may not list {joined(denied)}: there are ids in place of names."
    if number := len(set(unseen)):
        yield f"{counted(number, 'record')} that others refer to cannot be seen, and are left out."
