"""Edits that a person makes: which line, and what to type."""

from __future__ import annotations

from stemctl.manifests.editor.by_hand import by_hand
from stemctl.manifests.editor.edits import Add, Put, Take

TEXT = """\
sessions:
  - name: a
    tags: &tags [x]
    sex: M
  - name: b
    tags: *tags
    extra_fields: {room: 1}
"""


def test_each_edit_has_its_line() -> None:
    edits = [
        Put(("sessions", 0, "tags"), ["a", "b, c"]),
        Put(("sessions", 1, "notes"), "new"),
        Put(("sessions", 1, "extra_fields", "room"), "2024-03-12"),
        Put(("sessions", 0, "tags", 0), "z"),
        Add(("sessions", 1, "tags"), "z"),
        Add(("subjects",), {"name": "rat"}),
        Take(("sessions", 0, "sex")),
        Take(("sessions", 1)),
    ]
    assert by_hand(TEXT, edits) == (
        "3: tags: [a, 'b, c']",
        "5: add notes: new",
        "7: room: 2024-03-12",
        "3: item 1 of tags becomes z",
        "6: add to tags: z",
        "1: add to subjects: {name: rat}",
        "4: remove sex",
        "5: remove item 2 of sessions",
    )


def test_a_file_that_cannot_be_read_has_the_edit_in_its_first_line() -> None:
    assert by_hand("a: [", [Put(("a",), 1)]) == ("1: add a: 1",)


def test_long_values_are_cut() -> None:
    (line,) = by_hand("a: 1\n", [Put(("a",), "x" * 999)])
    assert len(line) < 250
