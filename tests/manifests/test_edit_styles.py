"""What an edited file looks like: as if its author had typed it."""

from __future__ import annotations

import pytest

from stemctl.manifests.editor.edit import edit_text
from stemctl.manifests.editor.edits import Add, Edit, Put, Take
from stemctl.manifests.editor.splices import CannotEdit
from tests.manifests import edit_many

LAB = """\
# The lab

sessions:
  # about a
  - name: a
    tags: [
      x,  # one
      y,  # two
    ]
    projects:
      - P  # main
      - Q
    # of a, too

  # a note of its own

  # about b
  - name: b
    extra_fields: {}
    sex:
"""


def lab(old: str, new: str) -> str:
    assert LAB.count(old) == 1
    return LAB.replace(old, new)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (Add(("sessions", 0, "tags"), "z"), lab("# two\n", "# two\n      z,\n")),
        (Take(("sessions", 0, "tags", 1)), lab("      y,  # two\n", "")),
        (Put(("sessions", 0, "tags"), []), lab("[\n      x,  # one\n      y,  # two\n    ]", "[]")),
        (Take(("sessions", 0, "projects", 0)), lab("      - P  # main\n", "")),
        (Put(("sessions", 0, "projects"), []), lab(":\n      - P  # main\n      - Q\n", ": []\n")),
        (Put(("sessions", 1, "sex"), "M"), lab("sex:", "sex: M")),
        (Put(("sessions", 1, "extra_fields", "room"), "12"), lab("{}", '{room: "12"}')),
        (Put(("sessions", 1, "key"), "k", ("key",)), lab("- name: b", "- key: k\n    name: b")),
        (Take(("sessions", 1)), LAB[: LAB.index("\n  # about b\n")]),
        (Take(("sessions", 0)), LAB[: LAB.index("  # about a\n")] + LAB[LAB.index("  # a note") :]),
        (
            Add(("sessions",), {"name": "c", "notes": "1\n2\n"}),
            LAB + "\n  - name: c\n    notes: |\n      1\n      2\n",
        ),
        (Add(("subjects",), {"name": "r"}), LAB + "subjects:\n  - {name: r}\n"),
        (
            Add(("sessions", 1, "behaviors"), {"name": "run", "subjects": ["r"]}),
            LAB + "    behaviors:\n      - {name: run, subjects: [r]}\n",
        ),
    ],
)  # fmt: skip
def test_only_the_lines_of_an_edit_change(edit: Edit, expected: str) -> None:
    assert edit_text(LAB, [edit]) == expected
    windows = LAB.replace("\n", "\r\n")
    assert edit_text("\ufeff" + windows, [edit]) == "\ufeff" + expected.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("text", "edits", "expected"),
    [
        ("t: [a, b]\n", [Add(("t",), "c", before=0), Add(("t",), "d")], "t: [c, a, b, d]\n"),
        ("t: ['a', 'b']\n", [Add(("t",), "c")], "t: ['a', 'b', 'c']\n"),
        ('n: "x"\n', [Put(("n",), "y")], 'n: "y"\n'),
        ("n: 'x'\n", [Put(("n",), "it's")], "n: it's\n"),
        ("a: {b: 1, c: 2}\n", [Take(("a", "c"))], "a: {b: 1}\n"),
        ("a: {b: 1, c: 2}\n", [Take(("a", "b")), Take(("a", "c"))], "a: {}\n"),
        ("a: {b: , c: }\n", [Put(("a", "b"), 3), Put(("a", "c"), 4)], "a: {b: 3, c: 4}\n"),
        ("a: 1\rb:\r- x\r", [Add(("b",), "z")], "a: 1\rb:\r- x\r- z\r"),
        ("a: 1", [Put(("b",), "x\nz\n")], "a: 1\nb: |\n  x\n  z\n"),
        ("a:\n- - x\n  - y\n", [Take(("a", 0, 0))], "a:\n- - y\n"),
        ("a:\n- - x\n", [Take(("a", 0, 0))], "a:\n- []\n"),
        ("a:\n- x", [Add(("a",), "z")], "a:\n- x\n- z"),
        ("a:\n- n: x\n", [Put(("a", 0, "t"), ["x" * 60, "z" * 60])],
         f"a:\n- n: x\n  t:\n  - {'x' * 60}\n  - {'z' * 60}\n"),
        ("a:\n- t:\n  - x\n- n: y\n", [Put(("a", 1, "t"), ["z"])],
         "a:\n- t:\n  - x\n- n: y\n  t:\n  - z\n"),
        ("? k\n: v\n", [Put(("k",), "new"), Put(("m",), 1)], "? k\n: new\nm: 1\n"),
        ("'k': v\n\"l\" : w\n", [Put(("k",), "z"), Put(("l",), ["x"])], "'k': z\n\"l\" : [x]\n"),
        ("%YAML 1.1\n---\na: 1\n...\n", [Put(("b",), 2)], "%YAML 1.1\n---\na: 1\nb: 2\n...\n"),
        ("", [Add(("a",), "x")], "a: [x]\n"),
        ("# c\n", [Put(("a",), 1)], "# c\n\na: 1\n"),
        ("---\n# c\n...\n", [Put(("a",), 1)], "---\n# c\n\na: 1\n...\n"),
        ("# c\n\na: 1\n", [Take(("a",))], "# c\n"),
        ("a: 1\nb:  # k\n  - x\n", [Put(("b",), 2)], "a: 1\nb: 2  # k\n"),
        ("b:\n  # k\n  long\n  text\nc: 1\n", [Put(("b",), 2)], "b: 2\n# k\nc: 1\n"),
        ("a: v  # c\n", [Put(("a",), "1\n2")], "a: |-  # c\n  1\n  2\n"),
        ("s:\n  - a\n\n  - b\n\n  - c\n", [Take(("s", 0)), Take(("s", 1))], "s:\n  - c\n"),
        ("s:\n  - a\n\n  - b\n\n  - c\n", [Take(("s", 1)), Take(("s", 2))], "s:\n  - a\n"),
        ("a: &x [1]\nb: *x\nc: 3\n", [Put(("c",), 2)], "a: &x [1]\nb: *x\nc: 2\n"),
        ("a: &x {}\nb:\n  <<: *x\n", [Put(("b", "k"), 2)], "a: &x {}\nb:\n  <<: *x\n  k: 2\n"),
    ],
)  # fmt: skip
def test_the_style_of_a_file_is_kept(text: str, edits: list[Edit], expected: str) -> None:
    assert edit_text(text, edits) == expected


@pytest.mark.parametrize(
    ("text", "edit", "why"),
    [
        ("a: &x [1]\nb: *x\n", Put(("a",), 2), "its value is used elsewhere in the file, as *x"),
        ("a: &x [1]\nb: *x\n", Add(("b",), 2), "its value, *x, is written elsewhere in the file"),
        ("a: &x {k: 1}\nb:\n  <<: *x\n", Take(("b", "k")),
         "it comes from `<<`, and is written elsewhere in the file"),
        ("a:\n  - x  # c\n  - y\n", Put(("a",), ["y", "x"]), "a comment is inside the value"),
        (
            "a: 1\n---\nb: 1\n",
            Put(("a",), 2),
            "it has an error: a second YAML document begins here",
        ),
    ],
)  # fmt: skip
def test_what_is_not_edited_says_why(text: str, edit: Edit, why: str) -> None:
    with pytest.raises(CannotEdit) as refused:
        edit_text(text, [edit])
    assert refused.value.why == why


def test_few_edits_are_refused_and_none_is_wrong() -> None:
    made, refused = edit_many.run(150)
    assert refused.total() < made * 0.05
