import json

import pytest

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.plan_codec import findings_json
from stemctl.core.records import Location
from stemctl.render.github import findings_github
from stemctl.render.terminal import TerminalStyle
from stemctl.render.text.findings_text import findings_text


def finding(line="    tags: [a]", column=5, length=4, **more):
    given = {
        "severity": Severity.ERROR,
        "code": "duplicate-key",
        "message": "tags is written twice",
        "location": Location("records/a.yaml", 6, column),
        "remedy": "first in line 4; keep one",
        **more,
    }
    return Diagnostic(line=line, length=length, **given)


def lines_of(one, width=100):
    return findings_text([one], TerminalStyle(width=width)).splitlines()


def test_a_finding_on_a_screen():
    assert lines_of(finding()) == [
        "records/a.yaml:6:5: error: tags is written twice [duplicate-key]",
        "    6 |     tags: [a]",
        "      |     ^^^^ first in line 4; keep one",
    ]


def test_findings_are_set_apart_by_an_empty_line():
    assert findings_text([finding(), finding()]).count("\n\n") == 1
    assert findings_text([]) == ""


def test_a_note_takes_one_line():
    note = finding(
        severity=Severity.NOTE, code="missing-field", message="projects are left to the server"
    )
    assert lines_of(note) == [
        "records/a.yaml:6:5: note: projects are left to the server [missing-field]"
    ]


def test_what_has_no_place_or_no_line():
    assert lines_of(finding(location=None, line="")) == [
        "error: tags is written twice [duplicate-key]",
        "      | first in line 4; keep one",
    ]
    assert lines_of(finding(location=None, line="", remedy="")) == [
        "error: tags is written twice [duplicate-key]"
    ]


def test_a_long_line_is_cut_and_the_caret_stays_under_its_place():
    text = f"{'a' * 200}HERE{'b' * 200}"
    _, source, caret = lines_of(finding(line=text, column=201))
    assert len(source) == 100
    assert source.startswith("    6 | …aaa")
    assert source.endswith("bbb…")
    assert source.index("HERE") == caret.index("^^^^")


def test_a_long_value_is_cut_at_its_end():
    _, source, caret, remedy = lines_of(
        finding(line=f"    tags: {'x' * 300}", column=11, length=300)
    )
    assert len(source) == len(caret) == 100
    assert source.endswith("x…")
    assert caret.rstrip("^") == "      |           "
    assert remedy == "      | first in line 4; keep one"


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
@pytest.mark.parametrize("column", [1, 10, 79, 80, 81, 95, 160, 297])
@pytest.mark.parametrize("length", [1, 4, 50, 120])
def test_no_source_line_is_wider_than_the_screen(width, column, length):
    text = "".join(chr(ord("a") + i % 26) for i in range(300))
    _, source, caret, *_ = lines_of(finding(line=text, column=column, length=length), width)
    assert len(source) <= width
    assert source[caret.index("^")] == text[column - 1]


def test_wide_and_combining_characters_take_the_columns_they_take():
    _, source, caret = lines_of(finding(line="日本e\u0301: [x]", column=8, length=1))
    assert source == "    6 | 日本e\u0301: [x]"
    assert caret.startswith("      |         ^ ")  # 日本 take two columns each, the accent none


def test_control_characters_are_shown_and_not_obeyed():
    one = finding(
        line="a: \x1b[31m\u202e", column=4, message="the name \x1b[2J", remedy="write \x07"
    )
    screen = findings_text([one], TerminalStyle(width=100))
    assert "\x1b" not in screen
    assert "\x07" not in screen
    assert "\u202e" not in screen
    assert "the name \\x1b[2J" in screen
    assert "    6 | a: \\x1b[31m\\u202e\n" in screen


def test_colours_repeat_what_words_say():
    screen = findings_text([finding()], TerminalStyle(width=100, colour=True))
    assert "\x1b[31merror:\x1b[0m" in screen
    assert "\x1b[31m^^^^\x1b[0m" in screen


def test_findings_for_programs():
    rows = findings_json(
        [
            finding(address="session/a", field="tags", value=["a"], rule="x: 1"),
            finding(location=None, remedy=""),
        ]
    )
    assert json.loads(json.dumps(rows)) == rows
    assert rows[0] == {
        "severity": "error",
        "code": "duplicate-key",
        "message": "tags is written twice",
        "file": "records/a.yaml",
        "line": 6,
        "column": 5,
        "address": "session/a",
        "field": "tags",
        "value": ["a"],
        "rule": "x: 1",
        "remedy": "first in line 4; keep one",
    }
    assert (rows[1]["file"], rows[1]["line"], rows[1]["rule"], rows[1]["remedy"]) == (
        None,
        None,
        None,
        None,
    )


def test_findings_for_github():
    assert findings_github(
        [finding(), finding(severity=Severity.NOTE, location=None, remedy="")]
    ) == (
        "::error file=records/a.yaml,line=6,col=5,title=duplicate-key"
        "::tags is written twice%0Afirst in line 4; keep one\n"
        "::notice title=duplicate-key::tags is written twice\n"
    )
    assert findings_github([finding(severity=Severity.WARNING)]).startswith("::warning ")


def test_nothing_in_a_file_can_begin_a_command_of_its_own():
    one = finding(message="a%\r\n::error::b", location=Location("a,b:c%\n.yaml", 1, 1))
    assert findings_github([one]) == (
        "::error file=a%2Cb%3Ac%25%0A.yaml,line=1,col=1,title=duplicate-key"
        "::a%25%0D%0A::error::b%0Afirst in line 4; keep one\n"
    )
