"""What a shell is told that a word may become."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.cli.completion.ask import proposals_text
from stemctl.cli.completion.command_table import Command, command_table
from stemctl.cli.completion.next_words import KINDS, MOST
from stemctl.cli.completion.shells import SHELLS, split, unquoted
from tests.git.team import Member, Team
from tests.support.edition_2026 import begin
from tests.support.lab import Lab, run_in_process


def told(lab: Lab | Member, *words: str) -> list[str]:
    """The words that are proposed for the last one, or the kind of paths."""
    text = proposals_text("zsh", ["-C", str(lab.root), *words], os.environ)
    how, *lines = text.splitlines()
    return [line.split("\t")[1] for line in lines] if how == "words" else [how]


def for_bash(lab: Lab, line: str, part: str) -> list[str]:
    """The replies for a line of bash, of which readline replaces `part`."""
    line = line.replace("stemctl", f"stemctl -C {lab.root}", 1)
    return proposals_text("bash", [line, part], os.environ).splitlines()


def test_commands_and_options(lab: Lab) -> None:
    assert told(lab, "pl") == ["plan"]
    assert "show" in told(lab, "state", "")
    assert told(lab, "state", "m") == ["migrate", "mv"]
    assert told(lab, "plan", "--o") == ["--out", "--offline"]
    assert told(lab, "plan", "-o", "") == ["text", "json", "markdown", "html", "github"]
    assert told(lab, "plan", "-o", "j") == ["json"]
    assert told(lab, "plan", "--format=j") == ["--format=json"]
    assert told(lab, "plan", "-oj") == ["-ojson"]
    assert told(lab, "plan", "--allow", "del") == ["delete"]
    assert told(lab, "--server", "s") == ["sandbox"]
    assert told(lab, "ci", "init", "git") == ["github", "gitlab"]
    assert told(lab, "fmt", "--edition", "") == ["2024", "2026"]
    assert told(lab, "nonsense", "") == []
    assert told(lab, "plan", "--", "--o") == ["files"]


def test_paths_are_left_to_the_shell(lab: Lab) -> None:
    assert told(lab, "plan", "--out", "") == ["files"]
    assert told(lab, "validate", "rec") == ["files"]
    assert told(lab, "plan", "records/") == ["files"]
    assert told(lab, "-C", "") == ["folders"]


def test_addresses_of_the_files(lab: Lab) -> None:
    lab.sessions("{name: rat12 maze}", '{name: "rat:13"}', "{key: the-key, name: rat14}")
    assert told(lab, "plan", "ses") == ["session/"]
    assert told(lab, "plan", "session/") == [
        "session/rat12 maze",
        "session/rat:13",
        "session/the-key",
    ]
    assert told(lab, "plan", "sessions/the") == ["sessions/the-key"]
    assert told(lab, "plan", "session/rat:13", "rat12") == ["rat12 maze"]
    assert told(lab, "get", "sessions", "rat12") == ["rat12 maze"]
    assert told(lab, "plan", "--exclude", "session/the") == ["session/the-key"]


def test_addresses_of_the_state(lab: Lab) -> None:
    lab.sessions("{name: a}", "{name: b}")
    lab.apply()
    lab.sessions("{name: c}")
    assert told(lab, "plan", "session/") == ["session/c", "session/a", "session/b"]
    assert told(lab, "get", "session", "--filter", "projects=") == ["projects=Theta Maze Study"]


def test_addresses_of_a_state_on_a_branch(team: Team) -> None:
    alice = team.clone("alice")
    alice.sessions("{name: a}", "{name: b}")
    alice.apply()
    alice.sessions("{name: c}")
    assert told(alice, "state", "rm", "session/") == ["session/c", "session/a", "session/b"]


def test_a_file_that_is_being_edited(lab: Lab) -> None:
    lab.write("records/x.yaml", "sessions:\n  - name: whole\n  - {name: half, tags: [\n")
    assert told(lab, "plan", "session/") == ["session/whole"]
    for text in ("", "\0", "[]", "a: *b", "sessions: 1", "- - -", "%", "sessions:\n- {name: [}"):
        lab.write("records/x.yaml", text)
        assert told(lab, "plan", "session/") == ["files"]


def test_records_inside_others(lab: Lab) -> None:
    begin(lab)
    lab.write(
        "records/all.yaml",
        """\
        sessions:
          - name: s 1
            behaviors: [{subjects: [r]}]
            data_acquisitions: [{key: probe-a}, {key: probe-b}]
        subjects:
          - name: r
            subject_logs: [{key: w, type: Weighing, entries: [{date_time: 2024-03-12T08:00:00Z}]}]
        """,
    )
    assert told(lab, "plan", "dataacquisition/") == [
        "dataacquisition/s 1/probe-a",
        "dataacquisition/s 1/probe-b",
    ]
    assert told(lab, "plan", "subjectlogentry/") == ["subjectlogentry/r/w/2024-03-12T08:00:00Z"]
    # bash splits words at colons: what is before the last of them stays
    assert for_bash(lab, "stemctl plan subjectlogentry/r/w/2024-03-12T08:0", "0") == [
        "words",
        "00:00Z",
    ]


def test_models_in_all_spellings(lab: Lab) -> None:
    begin(lab)
    assert told(lab, "get", "ses") == ["session"]
    assert told(lab, "get", "sessions") == ["sessions"]
    assert told(lab, "get", "data_") == ["data_acquisition", "data_acquisitions"]
    assert "dataacquisition" in told(lab, "get", "d")
    assert told(lab, "explain", "session.dat") == [
        "session.date_time",
        "session.datastorage",
        "session.dataacquisition",
        "session.data_acquisitions",
    ]
    assert told(lab, "explain", "session.behaviors.se") == [
        "session.behaviors.session",
        "session.behaviors.setup",
    ]
    assert for_bash(lab, "stemctl explain procedure.det", "procedure.det") == [
        "open",
        "procedure.details",
    ]
    assert told(lab, "explain", "procedure.details.Bur") == ["procedure.details.BurrHole"]


def test_fields_and_their_values(lab: Lab) -> None:
    begin(lab)
    assert told(lab, "get", "session", "--filter", "ta") == ["tags="]
    assert told(lab, "get", "session", "--filter=ta") == ["--filter=tags="]
    assert told(lab, "get", "subjects", "--filter", "sex=") == ["sex=F", "sex=M", "sex=U"]
    assert told(lab, "get", "session", "--sort", "-da") == [
        "-date_time",
        "-datastorage",
        "-dataacquisition",
    ]
    assert told(lab, "get", "session", "--include", "beh") == ["behaviors"]
    assert told(lab, "get", "subject", "--include", "projects,subject_logs.e") == [
        "projects,subject_logs.entries"
    ]


def test_columns_of_a_table(lab: Lab) -> None:
    begin(lab)
    assert told(lab, "get", "session", "--columns", "desc") == ["description"]
    assert told(
        lab, "get", "session", "-o", "csv", "--columns", "name, behaviors.subjects.str"
    ) == ["name, behaviors.subjects.strain"]
    assert told(lab, "get", "session", "--columns", "name,data_") == ["name,data_acquisitions."]


def test_a_sheet_to_load(lab: Lab) -> None:
    begin(lab)
    assert told(lab, "load", "rec") == ["files"]
    assert told(lab, "load", "x.csv", "--as", "subj") == [
        "subject",
        "subjectlog",
        "subjectlogentry",
    ]
    assert told(lab, "load", "x.csv", "--as", "subjectlog/Wei") == ["subjectlog/Weighing"]
    line = ["load", "x.csv", "--as", "subject", "--map", "Animal ID=name, DOB=birth"]
    assert told(lab, *line) == ["Animal ID=name, DOB=birth_date"]
    assert told(lab, "load", "x.csv", "--time-zone", "Europe/Cop") == ["Europe/Copenhagen"]


def test_fields_to_set(lab: Lab) -> None:
    begin(lab)
    assert told(lab, "set", "session/m") == ["session/monday"]
    assert told(lab, "set", "session/*", "desc") == ["description="]
    assert told(lab, "set", "session/*", "tags") == ["tags=", "tags+=", "tags-="]
    assert told(lab, "set", "session/*", "ta") == ["tags=", "tags+=", "tags-="]
    assert told(lab, "set", "session/*", "extra_fields") == ["extra_fields=", "extra_fields."]
    assert told(lab, "set", "session/*", "projects+=T") == ["projects+=Theta"]
    assert told(lab, "set", "subject/*", "sex=") == ["sex=F", "sex=M", "sex=U"]
    assert told(lab, "set", "subject/*", "sex=M", "session/t") == ["session/tuesday"]


def test_nothing_that_a_terminal_obeys(lab: Lab) -> None:
    lab.sessions('{name: "a\\e[31mred"}', '{name: "a\\nb"}', '{name: "a\\u202eb"}', "{name: a}")
    assert told(lab, "plan", "session/") == ["session/a"]


def test_as_many_as_anybody_reads(lab: Lab) -> None:
    lab.sessions(*(f"{{name: s{number}}}" for number in range(MOST + 10)))
    assert len(told(lab, "plan", "session/")) == MOST


def test_nothing_is_asked_written_or_said(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.apply()
    lab.requests.clear()
    before = {path: path.stat().st_mtime_ns for path in lab.root.rglob("*")}
    for words in (["plan", "session/"], ["get", "session", "--filter", "projects="]):
        told(lab, *words)
    assert lab.requests == []
    assert {path: path.stat().st_mtime_ns for path in lab.root.rglob("*")} == before


@pytest.mark.parametrize(
    "config", ["", "servers: 1", "manifests: 3", "[", "\0", "servers: {s: {edition: 1999}}"]
)
def test_a_broken_configuration(lab: Lab, config: str) -> None:
    lab.write("stemctl.yaml", config)
    lab.sessions("{name: a}")
    for words in (["plan", "session/"], ["get", ""], ["--server", ""], ["-C", "/nowhere", "pl"]):
        told(lab, *words)


def test_a_manifest_elsewhere_is_not_read(
    lab: Lab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "x.yaml"
    elsewhere.write_text("sessions: [{name: secret}]")
    (lab.root / "records").mkdir(exist_ok=True)
    (lab.root / "records/x.yaml").symlink_to(elsewhere)
    assert told(lab, "plan", "session/") == ["files"]


@given(st.lists(st.text(max_size=12), max_size=5), st.sampled_from(SHELLS))
def test_no_line_is_too_odd(words: list[str], shell: str) -> None:
    """The line is cut anywhere by the cursor, inside of quotes and escapes too."""
    proposals_text(shell, words, os.environ)
    line = " ".join(["stemctl", *words])
    proposals_text("bash", [line, line[-3:]], os.environ)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\0"), min_size=1)))
def test_words_are_read_as_bash_reads_them(words: list[str]) -> None:
    quoted = ["'" + word.replace("'", "'\\''") + "'" for word in words]
    assert [unquoted(word) for word in split(" ".join([*quoted, ""]))] == [*words, ""]


@pytest.mark.parametrize(
    ("line", "part", "reply"),
    [
        ("stemctl plan session/", "session/", r"session/it\'s\ \$\(x\)\;\`y\`\ \"z\""),
        ("stemctl plan 'session/", "session/", "session/it'\\''s $(x);`y` \"z\""),
        ('stemctl plan "session/', "session/", 'session/it\'s \\$(x);\\`y\\` \\"z\\"'),
        (
            "X=1 stemctl plan session/it\\'s\\ ",
            "session/it\\'s\\ ",
            r"session/it\'s\ \$\(x\)\;\`y\`\ \"z\"",
        ),
    ],
)
def test_quotes_in_bash(lab: Lab, line: str, part: str, reply: str) -> None:
    lab.sessions('{name: "it\'s $(x);`y` \\"z\\""}')
    assert for_bash(lab, line, part) == ["words", reply]


def _kinds(command: Command) -> Iterator[str]:
    for option in command.options:
        if option.value and not option.choices:
            yield option.value
    for argument in command.arguments:
        if not argument.choices:
            yield argument.value
    for each in command.commands.values():
        yield from _kinds(each)


def test_every_kind_of_value_is_known() -> None:
    """Words of the help that completion does not know: add them to `next_words.py`."""
    kinds = set(_kinds(command_table()))
    unknown = {
        kind for kind in kinds if kind not in KINDS and not KINDS.issuperset(kind.split("|"))
    }
    assert unknown == set()


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_printed(shell: str) -> None:
    result = run_in_process("completion", shell)
    assert result.code == 0
    assert f"_STEMCTL_COMPLETE={shell}" in result.out
    assert run_in_process("completions", shell).out == result.out


def test_an_unknown_shell_is_named() -> None:
    result = run_in_process("completion", "powershell")
    assert result.code == 1
    assert "bash, zsh or fish" in result.err


def test_a_process_that_is_asked_stays_silent(tmp_path: Path) -> None:
    """Whatever it is asked, and however its output ends."""
    command = [sys.executable, "-m", "stemctl", "plan", "session/"]
    for shell in (*SHELLS, "bash_source", "tcsh", ""):
        environ = {**os.environ, "_STEMCTL_COMPLETE": shell}
        done = subprocess.run(command, capture_output=True, cwd=tmp_path, env=environ, check=True)
        assert done.stderr == b""
    with open("/dev/full", "w") as full:
        environ = {**os.environ, "_STEMCTL_COMPLETE": "zsh"}
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, cwd=tmp_path, env=environ, check=True
        )
        assert done.stderr == b""
