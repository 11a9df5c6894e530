"""What is wrong with a reference, and what to write instead."""

from __future__ import annotations

from msgspec import Struct

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Record
from stemctl.core.snapshot import Completeness, Reading
from stemctl.planning.identity import is_searched
from stemctl.planning.live_names import LiveNames
from stemctl.schema.fields import Field
from stemctl.schema.models import Model
from stemctl.util.look_alike import twin_of
from stemctl.util.suggest import nearest


class WrittenReference(Struct, frozen=True):
    """A reference of a record, as it is written, and the model that it refers to."""

    record: Record
    row: Field
    text: str
    model: Model | None

    @property
    def words(self) -> str:
        """The model in words."""
        return self.model.words if self.model else str(self.row.to)

    @property
    def one(self) -> str:
        """The model in words, with its article."""
        return self.model.one_of_them if self.model else f"a {self.row.to}"

    def several(self, candidates: list[str]) -> Diagnostic:
        """Several records are called so."""
        message = f'several {self.words} records are called "{self.text}"'
        near = nearest(self.text, candidates, len(candidates))
        ordered = dict.fromkeys([*near, *candidates])
        return self._error("ambiguous-reference", message, f"write one of {', '.join(ordered)}")

    def of_another(self, what: str) -> Diagnostic:
        """It is the id of a record of another model."""
        message = f"this is the id of {what}, not of {self.one}"
        return self._error("other-model", message, f"write the name or id of {self.one}")

    def missing(self, names: LiveNames, declared: list[str], now: str | None) -> Diagnostic:
        """No record is called so, as far as is known. `now` is what the record that it meant in the
        last apply is called now.
        """
        reading = names.reading
        if self.model is None or reading is None or not is_searched(self.model, reading, self.text):
            message = f'cannot tell whether there is {self.one} "{self.text}"'
            return self._error("unread-reference", message, _why_unread(reading))
        remedy = self._you_can_see(self.model, reading, [*names.texts(), *declared])
        if now is not None:
            remedy = f'it is called "{now}" on the server now: write that name'
        return self._error("unknown-reference", f'no {self.words} "{self.text}"', remedy)

    def unseen(self) -> Diagnostic:
        """A warning that it goes by an id that the server does not show us any more."""
        message = (
            f'{self.words} "{self.text}" was deleted, or is hidden from your account; '
            "its id is taken from the last apply"
        )
        remedy = f"ask its manager for access, or write another {self.words}"
        return self._finding(Severity.WARNING, "unseen-reference", message, remedy)

    def _you_can_see(self, model: Model, reading: Reading, names: list[str]) -> str:
        """How many records there are to refer to, and the names nearest to a wrong one."""
        number = reading.total if reading.total is not None else len(reading.records)
        seen = f"you can see {model.count(number)}"
        if twin := twin_of(self.text, names):
            return f"{twin}: copy that name"
        near = nearest(self.text, names)
        return f"{seen}; nearest: {', '.join(near)}" if near else seen

    def _error(self, code: str, message: str, remedy: str) -> Diagnostic:
        return self._finding(Severity.ERROR, code, message, remedy)

    def _finding(self, severity: Severity, code: str, message: str, remedy: str) -> Diagnostic:
        return Diagnostic(
            severity,
            code,
            message,
            location=self.record.location_of(self.row.name, self.text),
            remedy=remedy,
            address=str(self.record.address),
            field=self.row.name,
            value=self.text,
            length=len(self.text),
        )


def _why_unread(reading: Reading | None) -> str:
    if reading is None or reading.completeness is Completeness.COMPLETE:
        return "it was not read"
    return reading.reason
