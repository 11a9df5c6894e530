"""How much was read of each model, in words."""

from __future__ import annotations

from stemctl.core.snapshot import Completeness, Reading, Snapshot
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model
from stemctl.util.plural import counted

MOST_COUNTED = 6
"""Models whose records are counted in one sentence."""


def count_read(snapshot: Snapshot, catalog: Catalog) -> list[str]:
    """`412 sessions`, for every model that was read, and which were not.

    Of many models, those of which the server has most.
    """
    readings = sorted(snapshot.readings.items())
    if len(readings) > MOST_COUNTED + 1:
        by_size = sorted(readings, key=lambda pair: -_size(pair[1]))
        kept = dict(by_size[:MOST_COUNTED])
        denied = {n: r for n, r in readings if r.completeness is Completeness.DENIED}
        readings = sorted({**kept, **denied}.items())
    texts = [_number_read(catalog.models[name], reading) for name, reading in readings]
    others = len(snapshot.readings) - len(texts)
    return [*texts, f"records of {counted(others, 'other model')}"] if others else texts


def _number_read(model: Model, reading: Reading) -> str:
    if reading.completeness is Completeness.DENIED:
        return f"{model.count(2)[2:]} not read"
    return model.count(_size(reading))


def _size(reading: Reading) -> int:
    return reading.total if reading.total is not None else len(reading.records)
