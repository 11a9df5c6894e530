"""`stemctl fmt`: which files it lays out, what it says, and what it leaves alone."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path

import pytest

from stemctl.commands import fmt
from stemctl.manifests.formatter.layout import Formatted
from tests.support.lab import Lab, run_in_process

UGLY = "sessions:\n-   name:  a   # first\n"
TIDY = "sessions:\n  - name: a   # first\n"


@pytest.fixture
def tidy(lab: Lab) -> Lab:
    """A lab whose files are laid out: its configuration and one manifest."""
    lab.write("records/tidy.yaml", TIDY)
    lab.run("fmt")
    assert lab.run("fmt", "--check").code == 0
    return lab


def text(lab: Lab, name: str) -> str:
    return (lab.root / name).read_bytes().decode()


def test_what_is_laid_out_is_named_and_counted(tidy: Lab) -> None:
    tidy.write("records/b.yaml", UGLY)
    tidy.write("records/sub/_defaults.yaml", "defaults:\n    sessions: {tags: [ a ]}\n")
    result = tidy.run("fmt")
    assert result.code == 0
    assert (
        result.out == "formatted records/b.yaml\n"
        "formatted records/sub/_defaults.yaml\n"
        "2 of 4 files formatted.\n"
    )
    assert text(tidy, "records/b.yaml") == TIDY
    assert tidy.run("fmt").out == "All 4 files are already formatted.\n"


def test_stemctl_yaml_is_laid_out_as_well(tidy: Lab) -> None:
    before = text(tidy, "stemctl.yaml")
    tidy.write("stemctl.yaml", before.replace("\n", "\n\n\n"))
    assert "formatted stemctl.yaml" in tidy.run("fmt").out


def test_a_file_that_is_laid_out_is_not_written(tidy: Lab) -> None:
    before = (tidy.root / "records/tidy.yaml").stat()
    tidy.write("records/b.yaml", UGLY)
    tidy.run("fmt")
    after = (tidy.root / "records/tidy.yaml").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize("options", [["--check"], ["--diff"], ["--check", "--diff"]])
def test_check_and_diff_write_nothing_and_exit_with_1(tidy: Lab, options: list[str]) -> None:
    assert tidy.run("fmt", *options).code == 0
    tidy.write("records/b.yaml", UGLY)
    result = tidy.run("fmt", *options)
    assert result.code == 1
    assert "1 of 3 files would be formatted. Nothing was written." in result.said
    assert text(tidy, "records/b.yaml") == UGLY


def test_check_names_the_files_and_the_command(tidy: Lab) -> None:
    tidy.write("records/b.yaml", UGLY)
    out = tidy.run("fmt", "--check").out
    assert out.startswith("would format records/b.yaml\n")
    assert f"Next  stemctl -C {tidy.root} fmt    formats the files" in out


def test_the_difference_can_be_applied_by_git(tidy: Lab) -> None:
    tidy.write("records/b.yaml", UGLY)
    (tidy.root / "records/c.yaml").write_bytes(UGLY.removesuffix("\n").encode())
    diff = tidy.run("fmt", "--diff").out
    subprocess.run(["git", "init", "-q"], cwd=tidy.root, check=True)
    subprocess.run(["git", "apply", "-"], cwd=tidy.root, input=diff.encode(), check=True)
    assert text(tidy, "records/b.yaml") == text(tidy, "records/c.yaml") == TIDY


def test_a_clean_checkout_with_other_line_ends_is_formatted(tidy: Lab) -> None:
    """Git may write CRLF at checkout. Formatting must not undo it."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example"]
    tidy.write(".gitattributes", "*.yaml text eol=crlf\n")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], cwd=tidy.root, check=True)
    names = ("records/tidy.yaml", "stemctl.yaml")
    for name in names:
        (tidy.root / name).unlink()
    subprocess.run([*git, "checkout", "-q", "."], cwd=tidy.root, check=True)
    assert all("\r\n" in text(tidy, name) for name in names)
    assert tidy.run("fmt", "--check").code == 0
    assert tidy.run("fmt").out == "All 2 files are already formatted.\n"
    status = subprocess.run(
        [*git, "status", "--short", *names], cwd=tidy.root, capture_output=True, check=True
    )
    assert status.stdout == b""
    (tidy.root / names[0]).write_bytes(UGLY.replace("\n", "\r\n").encode())
    assert tidy.run("fmt").code == 0
    assert text(tidy, names[0]) == TIDY.replace("\n", "\r\n")


def test_mixed_line_ends_become_those_of_git(tidy: Lab) -> None:
    (tidy.root / "records/b.yaml").write_bytes(TIDY.replace("\n", "\r\n", 1).encode())
    assert tidy.run("fmt").code == 0
    assert text(tidy, "records/b.yaml") == TIDY


def test_marks_of_other_systems_go_and_their_line_ends_stay(tidy: Lab) -> None:
    (tidy.root / "records/b.yaml").write_bytes(
        b"\xef\xbb\xbf" + TIDY.replace("\n", "\r\n").encode()
    )
    (tidy.root / "records/c.yaml").write_bytes(b"\xef\xbb\xbf" + TIDY.encode())
    assert tidy.run("fmt").out.endswith("2 of 4 files formatted.\n")
    assert text(tidy, "records/b.yaml") == TIDY.replace("\n", "\r\n")
    assert text(tidy, "records/c.yaml") == TIDY


@pytest.mark.parametrize(
    "wrong, said",
    [
        (
            "sessions:\n  - {name: x\n",
            "records/wrong.yaml:2:5: error: this `{` is never closed [syntax]",
        ),
        (
            "sessions:\n\t- name: x\n",
            "records/wrong.yaml:2:1: error: a tab is not allowed here [syntax]",
        ),
        (
            "sessions: []\n---\nsessions: []\n",
            "a second YAML document begins here [several-documents]",
        ),
        (
            "%YAML 1.1\n---\nsessions:  []\n",
            "records/wrong.yaml:1:1: error: a YAML directive cannot be formatted [no-layout]",
        ),
    ],
)
def test_what_cannot_be_laid_out_is_left_alone_and_the_rest_is_not(
    tidy: Lab, wrong: str, said: str
) -> None:
    tidy.write("records/b.yaml", UGLY)
    (tidy.root / "records/wrong.yaml").write_bytes(wrong.encode())
    result = tidy.run("fmt")
    assert result.code == 3  # something was written
    assert said in result.out
    assert result.out.endswith(
        "1 of 4 files formatted. 1 of 4 files cannot be formatted and was left unchanged.\n"
    )
    assert text(tidy, "records/b.yaml") == TIDY
    assert text(tidy, "records/wrong.yaml") == wrong


@pytest.mark.parametrize(
    "bad",
    [
        Formatted("sessions:\n  - name: b  # first\n", ("# first",)),
        Formatted("sessions:\n  - name: 'a'  # first\n", ("# first",)),
        Formatted("sessions:\n  - name: a\n", ("# first",)),
        Formatted("sessions:\n    - name: a  # first\n", ("# first",)),
        Formatted("sessions: [\n", ()),
    ],
    ids=["value", "quotes", "comment", "not laid out", "no YAML"],
)
def test_a_layout_that_would_change_more_is_not_written(
    tidy: Lab, monkeypatch: pytest.MonkeyPatch, bad: Formatted
) -> None:
    format_text = fmt.format_text
    tidy.write("records/b.yaml", UGLY)
    monkeypatch.setattr(fmt, "format_text", lambda text: bad if text == UGLY else format_text(text))
    result = tidy.run("fmt")
    assert result.code == 1
    assert (
        "records/b.yaml:1:1: error: formatting would change the content: this is a bug in stemctl"
        in result.out
    )
    assert text(tidy, "records/b.yaml") == UGLY


def test_paths_are_files_and_folders_of_the_repository(tidy: Lab) -> None:
    for name in (
        "records/b.yaml",
        "records/sub/c.yaml",
        "records/sub/deep/d.yaml",
        "records/subway.yaml",
    ):
        tidy.write(name, UGLY)
    assert tidy.run("fmt", "records/sub").out.splitlines() == [
        "formatted records/sub/c.yaml",
        "formatted records/sub/deep/d.yaml",
        "2 of 2 files formatted.",
    ]
    assert tidy.run(
        "fmt", "./records/b.yaml", str(tidy.root / "records/tidy.yaml")
    ).out.splitlines() == [
        "formatted records/b.yaml",
        "1 of 2 files formatted.",
    ]
    assert tidy.run("fmt", ".").out.splitlines()[-1] == "1 of 6 files formatted."


def test_what_is_no_manifest_is_named_and_left_alone(tidy: Lab) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tidy.root, check=True)
    tidy.write(".gitignore", "ignored.yaml\n")
    others = [
        ".github/workflows/x.yaml",
        "other.yaml",
        "records/.hidden.yaml",
        "records/ignored.yaml",
        "seed.yaml",
        "../outside.yaml",
    ]
    for name in others:
        tidy.write(name, "on:   [ push ]\n")
    result = tidy.run("fmt", *others, "records/tidy.yaml")
    assert result.code == 1
    assert result.out.endswith("The file is already formatted.\n")
    for name in others:
        assert f"`{name}` is not a manifest of this repository; not formatted" in result.out
    assert tidy.run("fmt", *others).out.endswith("Nothing was formatted.\n")
    assert all(text(tidy, name) == "on:   [ push ]\n" for name in others)


def test_a_path_that_does_not_exist_is_an_error(tidy: Lab) -> None:
    tidy.write("records/b.yaml", UGLY)
    result = tidy.run("fmt", "records/b.yaml", "nowhere.yaml")
    assert result.code == 3  # something was written
    assert "`nowhere.yaml` is not a manifest of this repository; not formatted" in result.out
    assert "it does not exist" in result.out
    assert text(tidy, "records/b.yaml") == TIDY


def test_a_folder_without_manifests_is_an_error(
    tidy: Lab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    result = tidy.run("-C", str(tmp_path_factory.mktemp("empty")), "fmt")
    assert result.code == 1
    assert "No manifests found." in result.err


@pytest.mark.skipif(os.name != "posix", reason="links and modes")
def test_nothing_is_written_through_a_link_and_the_mode_stays(
    tidy: Lab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "a.yaml"
    outside.write_text(UGLY)
    tidy.write("elsewhere.yaml", UGLY)
    tidy.write("records/b.yaml", UGLY)
    (tidy.root / "records/b.yaml").chmod(0o640)
    for name, target in (("out", outside), ("in", tidy.root / "elsewhere.yaml")):
        (tidy.root / f"records/{name}.yaml").symlink_to(target)
    (tidy.root / "records/b.yaml.new").symlink_to(outside)
    assert tidy.run("fmt").out == "formatted records/b.yaml\n1 of 3 files formatted.\n"
    assert outside.read_text() == text(tidy, "elsewhere.yaml") == UGLY
    assert (tidy.root / "records/in.yaml").is_symlink()
    assert (tidy.root / "records/b.yaml").stat().st_mode & 0o777 == 0o640
    assert not (tidy.root / "records/b.yaml").is_symlink()


def test_records_are_the_same_for_a_plan(lab: Lab) -> None:
    lab.write(
        "records/a.yaml",
        """\
        defaults: {sessions: {projects: [ Theta Maze Study ]}}
        sessions:
        -   name:  a
            date_time: 2024-03-12
            description: |
                  Two
                    lines
            tags: [ x,y ]
        """,
    )
    before = lab.plan()
    assert "formatted records/a.yaml" in lab.run("fmt").out
    after = lab.plan()
    assert after["digest"] == before["digest"]
    assert [change["request"] for change in after["changes"]] == [
        change["request"] for change in before["changes"]
    ]


def test_the_screen_has_colours_only_at_a_terminal() -> None:
    from stemctl.render.terminal import TerminalStyle
    from stemctl.render.text.diff_text import unified_diff

    assert "\x1b" not in unified_diff("a.yaml", UGLY, TIDY, TerminalStyle())
    assert "\x1b[32m+  - name: a   # first\x1b[0m\n" in unified_diff(
        "a.yaml", UGLY, TIDY, TerminalStyle(colour=True)
    )


def test_a_folder_that_cannot_be_written_is_said(
    tidy: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *rest: object) -> None:
        raise OSError(28, "No space left on device")

    tidy.write("records/b.yaml", UGLY)
    monkeypatch.setattr("stemctl.commands.fmt.replace_file", full)
    result = tidy.run("fmt")
    assert result.code == 1
    assert "records/b.yaml:1:1: error: cannot be written: No space left on device" in result.out
    assert "formatted records" not in result.out


def format_stdin(
    monkeypatch: pytest.MonkeyPatch, data: bytes, *options: str
) -> tuple[int, str, str]:
    """`fmt -` in a folder without a stemctl.yaml."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    result = run_in_process("fmt", *options, "-")
    return result.code, result.out, result.err


def test_standard_input_is_formatted_to_standard_output(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    ugly, tidy = "sessions:\n    -   name:   rat1 # é\n", "sessions:\n  - name: rat1 # é\n"
    for text in (ugly, tidy, f"\ufeff{tidy}"):
        assert format_stdin(monkeypatch, text.encode()) == (0, tidy, "")
    assert format_stdin(monkeypatch, tidy.encode(), "--check") == (0, "", "")
    assert format_stdin(monkeypatch, ugly.encode(), "--check") == (1, "", "")
    code, out, err = format_stdin(monkeypatch, ugly.encode(), "--diff")
    assert (code, err) == (1, "")
    assert "+  - name: rat1" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'sessions:\n  - name: "rat1\n', "stdin:2:11: error: this quote is never closed"),
        (b"sessions:\n<<<<<<< a\n=======\n>>>>>>> b\n", "stdin:2:1: error: a merge conflict"),
        (b"", "stdin:1:1: error: this file declares nothing"),
        (b"sessions: \xff", "stdin:1:11: error: byte 0xff is not valid UTF-8"),
    ],
)
def test_a_fault_in_standard_input_leaves_standard_output_empty(
    monkeypatch: pytest.MonkeyPatch, data: bytes, said: str
) -> None:
    code, out, err = format_stdin(monkeypatch, data)
    assert (code, out) == (1, "")
    assert said in err


def test_standard_input_is_formatted_alone(tidy: Lab) -> None:
    result = tidy.run("fmt", "-", "records")
    assert result.code == 1
    assert "Write - alone" in result.err
