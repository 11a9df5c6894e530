"""What people type who know other programs: it is done, or one line says what to type."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from stemctl.cli import habits, option_habits
from stemctl.cli.arguments import options_of, understood
from stemctl.cli.command import program_options
from stemctl.cli.help import HELP, VERSION
from stemctl.cli.main import cli
from stemctl.cli.screen import Screen
from stemctl.errors import StemctlError
from tests.support.lab import Lab, run_in_process
from tests.support.typed import check_typed


def contexts() -> Iterator[click.Context]:
    """stemctl, each group and each command."""
    waiting = [
        click.Context(cli, info_name="stemctl", obj=Screen(), help_option_names=["-h", "--help"])
    ]
    while waiting:
        context = waiting.pop()
        yield context
        if isinstance(context.command, click.Group):
            for name in context.command.list_commands(context):
                command = context.command.get_command(context, name)
                assert command is not None
                waiting.append(
                    click.Context(command, parent=context, info_name=name, obj=context.obj)
                )


BY_PATH = {context.command_path.partition(" ")[2]: context for context in contexts()}

DONE = [
    ("plan -out=plan.json", "plan --out plan.json"),
    ("plan -out plan.json", "plan --out plan.json"),
    ("plan --save plan.json", "plan --out plan.json"),
    ("apply -auto-approve", "apply --auto-approve"),
    ("apply -y", "apply --auto-approve"),
    ("apply --auto_approve=true", "apply --auto-approve"),
    ("apply -parallelism=4 -auto-approve", "apply --parallelism 4 -y"),
    ("apply -j 4 -y", "apply --parallelism 4 -y"),
    ("apply -f records/sessions.yaml -y", "apply records/sessions.yaml -y"),
    ("plan --json", "plan -o json"),
    ("plan -json", "plan -o json"),
    ("plan -o=json", "plan -o json"),
    ("plan -ojson", "plan -o json"),
    ("plan -o JSON", "plan -o json"),
    ("plan -o md", "plan -o markdown"),
    ("plan --output=json", "plan -o json"),
    ("plan --output json", "plan -o json"),
    ("plan -target session/a", "plan session/a"),
    ("plan -target=session/a", "plan session/a"),
    ("plan --target=session/a -target session/b", "plan session/a session/b"),
    ("plan -detailed-exitcode", "plan --detailed-exitcode"),
    ("plan -no-color", "plan --no-color"),
    ("plan --color=never", "plan --no-color"),
    ("plan -refresh=true", "plan"),
    ("plan -input=false", "plan"),
    ("plan --Detailed-ExitCode", "plan --detailed-exitcode"),
    ("diff", "plan"),
    ("status", "plan"),
    ("PLAN", "plan"),
    ("lint", "validate"),
    ("check", "validate"),
    ("fmt -check", "fmt --check"),
    ("fmt -recursive", "fmt"),
    ("format --dry-run", "fmt --check"),
    ("state ls", "state list"),
    ("init -upgrade", "init"),
    ("whoami", "doctor"),
    ("auth status", "doctor"),
    ("log", "runs list"),
    ("get sessions", "get session"),
    ("get session -o wide", "get session"),
    ("describe session", "explain session"),
    ("cat session/a", "show session/a"),
    ("describe session/a", "show session/a"),
    ("approvals ls", "approvals list"),
    ("-no-color plan", "plan"),
    ("plan --server=sandbox", "--server sandbox plan"),
    ("plan -s sandbox", "--server sandbox plan"),
]


@pytest.mark.parametrize("typed, meant", DONE, ids=[typed for typed, _ in DONE])
def test_a_habit_is_understood(lab: Lab, typed: str, meant: str) -> None:
    lab.sessions("{name: a}", "{name: b}")
    lab.run("init")
    results = []
    for words in (meant, typed):
        for name in ("plan.json", ".stemctl/sandbox.db", ".stemctl/sandbox.state.json"):
            (lab.root / name).unlink(missing_ok=True)
        if "apply" not in words:
            lab.run("apply", "-y")
        result = lab.run(*words.split())
        results.append((result.code, len(lab.requests), _shape(result.out), _shape(result.err)))
    assert results[1] == results[0]
    assert results[0][0] == 0, results


def _shape(text: str) -> set[str]:
    """The words of an output without ids and times, which are others each time."""
    words = [word for word in text.split() if not any(char.isdigit() for char in word)]
    return {word for word in words if "plan.json" not in word}


@pytest.mark.parametrize("words", [["help"], ["--help"], ["-h"], ["-?"], ["/?"], ["-help"]])
def test_help_in_all_ways(words: list[str]) -> None:
    assert run_in_process(*words).out == HELP
    plan = run_in_process("plan", "--help").out
    typed = ["help", "plan"] if words == ["help"] else ["plan", *words]
    assert run_in_process(*typed).out == plan


@pytest.mark.parametrize(
    "words", [["version"], ["-version"], ["-V"], ["plan", "--version"], ["state", "list", "-V"]]
)
def test_version_in_all_ways(words: list[str]) -> None:
    assert run_in_process(*words).out == VERSION


TOLD = [
    ("destroy", "stemctl plan"),
    ("refresh", "stemctl drift"),
    ("delete session/a", "stemctl state rm session/a"),
    ("delete session a", "stemctl state rm session/a "),
    ("delete session", "stemctl state rm session/NAME"),
    ("delete", "stemctl state rm MODEL/NAME"),
    ("forget Sessions a --force", "stemctl state rm Sessions/a"),
    ("delete session a session b", "stemctl rm session/a session/b "),
    ("edit session a", "stemctl show session/a"),
    ("taint session a", "stemctl plan session/a"),
    ("apply --dry-run session a", "stemctl plan session/a"),
    ("describe session rat12", "stemctl show session/rat12"),
    ("describe session description", "stemctl explain session.description"),
    ("delete session/a", "stemctl rm session/a --keep-on-server"),
    ("create session/a", "name=NAME"),
    ("edit session/a", "stemctl plan"),
    ("commit -m x", "git"),
    ("push", "stemctl apply"),
    ("clone", "stemctl pull --all"),
    ("taint session/a", "stemctl plan session/a"),
    ("workspace list", "--server NAME"),
    ("output", "-o json"),
    ("console", "stemctl explain"),
    ("apply --dry-run session/a", "stemctl plan session/a"),
    ("apply -n", "stemctl plan"),
    ("plan -refresh=false", "stemctl plan --offline"),
    ("plan -var x=1", "defaults:"),
    ("plan -lock=false", "always locked"),
    ("plan -y", "stemctl apply --auto-approve"),
    ("get -n lab session", "stemctl get MODEL --portal"),
    ("login --token x", "BRAINSTEM_TOKEN"),
    ("init lab", "stemctl -C lab init"),
    ("sandbox serve 8001", "stemctl sandbox serve --port 8001"),
    ("plan -o plan.json", "--out plan.json"),
    ("accept x", "stemctl approvals accept x"),
    ("plna", "stemctl plan"),
    ("statee list", "stemctl state list"),
    ("state lst", "stemctl state list"),
    ("plan --ofline", "--offline"),
    ("plan --out", "--out needs a value"),
    ("apply -auto-aprove", "has no option -auto-aprove. Did you mean --auto-approve?"),
    ("apply -paralelism=4", "has no option -paralelism. Did you mean --parallelism?"),
    ("plan -detailed-exitcodes", "Did you mean --detailed-exitcode?"),
    ("get session -filtr name=a", "Did you mean --filter?"),
    ("plan -quite", "Did you mean --quiet"),
    ("plan --allow revret", "Did you mean revert?"),
    ("--ofline plan", "after it"),
    ("show", "stemctl show MODEL/KEY"),
    ("show session a", "stemctl show session/a"),
    ("explain session name", "stemctl explain session.name"),
    ("explain session/a", "stemctl show session/a"),
    ("session/a", "stemctl show session/a"),
    ("import 5f7f1d0e-8a80-4d8e-9d3c-3f1b6c0f1a11 session/a", "stemctl import MODEL/KEY 5f7f1d0e"),
    ("plan --allow delet", "Did you mean delete?"),
    ("import session/a", "needs an id"),
    ("apply --parallelism many", "whole number"),
    ("plan --detailed-exitcode=often", "takes no value"),
    ("validate --frobnicate", "stemctl validate --help"),
    ("doctor now", "takes no arguments"),
]


@pytest.mark.parametrize("typed, told", TOLD, ids=[typed for typed, _ in TOLD])
def test_what_cannot_be_done_says_what_to_type(lab: Lab, typed: str, told: str) -> None:
    result = lab.run(*typed.split())
    assert (result.code, result.out) == (1, "")
    assert told in result.err.replace(f" -C {lab.root}", "")
    assert lab.requests == []
    for clumsy in ("No such", "Missing", "unexpected", "Invalid value", "not one of", "?."):
        assert clumsy not in result.err


@pytest.mark.parametrize("kind", ["everything", "all", "any", "detail"])
def test_a_permission_is_never_proposed_by_chance(lab: Lab, kind: str) -> None:
    result = lab.run("plan", "--allow", kind)
    assert f"Unknown permission '{kind}'; choose from " in result.err
    assert "Did you mean" not in result.err


ALL_ADVICE = {
    **habits.NO_COMMANDS,
    **option_habits.ADVICE,
    **option_habits.EXTRA,
}


@pytest.mark.parametrize("key", ALL_ADVICE)
def test_what_an_advice_proposes_can_be_typed(key: str) -> None:
    error = ALL_ADVICE[key].error("plan", key, ["8000"])
    assert error.hints or error.why
    assert "{" not in f"{error.what}{error.why}".replace("{NAME: {edition: 2026}}", "").replace(
        "{backend: git}", ""
    )
    for command, _ in error.hints:
        if command.startswith("stemctl"):
            check_typed(command)


@pytest.mark.parametrize("key", ALL_ADVICE)
def test_an_advice_about_two_words_has_one_address(key: str) -> None:
    """What is proposed for MODEL NAME never has the model alone, which may mean all records."""
    for command, _ in ALL_ADVICE[key].error("plan", key, ["session", "a"]).hints:
        assert "session" not in command.split(), command


def test_what_is_proposed_to_forget_one_session_forgets_that_one(lab: Lab) -> None:
    lab.sessions("{name: a}", "{name: b}")
    lab.apply()
    typed = next(
        line for line in lab.run("delete", "session", "a").err.split("\n") if "state rm" in line
    )
    words = typed.partition("state rm")[2].split()
    assert words[0] == "session/a"
    assert lab.run("state", "rm", words[0]).code == 0
    assert set(lab.state["records"]) == {"session/b"}


@pytest.mark.parametrize("path", option_habits.NEEDED)
def test_what_is_proposed_for_a_missing_argument_can_be_typed(path: str) -> None:
    assert path in BY_PATH
    for command, _ in option_habits.NEEDED[path]:
        check_typed(command)


@pytest.mark.parametrize("word", habits.COMMANDS)
def test_the_meaning_of_a_word_is_a_command_and_the_word_is_none(word: str) -> None:
    group, _, _ = word.rpartition(" ")
    path = f"{group} {habits.COMMANDS[word]}".strip() if group in BY_PATH else habits.COMMANDS[word]
    assert path.removesuffix(" github").removesuffix(" gitlab") in BY_PATH
    assert word not in BY_PATH


@pytest.mark.parametrize("word", habits.NO_COMMANDS)
def test_a_word_without_a_counterpart_is_no_command(word: str) -> None:
    assert word not in BY_PATH
    assert word not in habits.COMMANDS


def read(path: str, *words: str) -> list[str]:
    context = BY_PATH[path]
    return understood(context.command, context, words)


@pytest.mark.parametrize("key", option_habits.SAME)
def test_another_name_of_an_option(key: str) -> None:
    """In each command that has the option, the other name is free and is read as the option."""
    typed, _, value = key.rpartition(" ")[2].partition("=")
    option, _, constant = option_habits.SAME[key].partition("=")
    path = key.rpartition(" ")[0]
    found = [
        each
        for each, context in BY_PATH.items()
        if option in options_of(context.command, context) and (not path or path == each)
    ]
    assert found, key
    for each in found:
        known = options_of(BY_PATH[each].command, BY_PATH[each])
        if typed in known:  # a command may have an option of this name itself
            continue
        if f"{each} {typed}" in {*option_habits.NEEDLESS, *option_habits.ADVICE}:
            continue
        takes_none = known[option].is_flag or known[option].count
        words = (
            [f"{typed}={value}"] if value else [typed] if takes_none or constant else [typed, "x"]
        )
        assert read(each, *words) == [option, *([constant] if constant else words[1:])], each


@pytest.mark.parametrize("key", option_habits.NEEDLESS)
def test_an_option_that_changes_nothing(key: str) -> None:
    path, _, option = key.rpartition(" ")
    assert read(path or "plan", option, "x") == ["x"]


@pytest.mark.parametrize("key", sorted(option_habits.ARGUMENTS))
def test_an_option_whose_value_is_an_argument(key: str) -> None:
    path, _, option = key.rpartition(" ")
    assert read(path, option, "x", "y") == read(path, f"{option}=x", "y") == ["x", "y"]


@pytest.mark.parametrize("key", sorted(option_habits.ADVICE))
def test_an_option_without_a_counterpart(key: str) -> None:
    path, _, option = key.rpartition(" ")
    assert (path or "plan") in BY_PATH
    with pytest.raises(StemctlError):
        read(path or "plan", option, "x")


def test_values_are_never_taken_for_options() -> None:
    assert read("plan", "--exclude", "-json", "--", "--json") == [
        "--exclude",
        "-json",
        "--",
        "--json",
    ]
    assert read("get", "session", "-o", "yaml") == ["session", "--format", "yaml"]
    assert read("plan", "-qv") == ["-qv"]


def test_options_of_stemctl_on_both_sides(lab: Lab, tmp_path: Path) -> None:
    lab.sessions("{name: a}", "{name: b}")
    other = tmp_path / "other"
    other.mkdir()
    (other / "stemctl.yaml").write_text("servers: {mine: {url: 'sandbox:'}}\n")
    plan = lab.run("plan").out
    for words in (["plan", "-C", str(lab.root)], ["plan", f"-C{lab.root}"]):
        assert run_in_process(*words).out == plan
        assert run_in_process("-C", str(other), *words).out == plan, "the later one wins"
    assert (
        "mine  sandbox:"
        in lab.run("state", "list", "-C", str(other)).err + lab.run("-C", str(other), "doctor").out
    )
    later = run_in_process(
        "--server", "nobody", "state", "--server", "none", "list", "-C", str(other)
    )
    assert "Unknown server 'none'" in later.err
    assert lab.run("state", "list", "-q").err == lab.run("state", "-q", "list").err == ""


def test_verbose_on_both_sides(lab: Lab) -> None:
    lab.sessions(*(f"{{name: s{number}}}" for number in range(8)))
    lab.apply()
    lab.sessions(*(f"{{name: s{number}, description: New.}}" for number in range(8)))
    unfolded = lab.run("-v", "plan").out
    assert lab.run("plan", "-v").out == lab.run("-v", "plan", "-v").out == unfolded
    assert lab.run("plan").out != unfolded


def test_no_command_has_an_option_of_stemctl_with_another_meaning() -> None:
    own = {opt for param in program_options(hidden=True) for opt in param.opts} - {"directory"}
    for path, context in BY_PATH.items():
        spellings = [opt for param in context.command.params for opt in param.opts]
        assert own <= set(spellings), path
        assert len(spellings) == len(set(spellings)), path


@pytest.mark.parametrize("path", BY_PATH)
def test_every_help_mentions_the_options_of_stemctl(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    help_text = run_in_process(*path.split(), "--help").out
    for option in ("-C", "--server", "--no-color", "-q", "-v"):
        assert option in help_text
    assert all(len(line) <= 80 for line in help_text.splitlines())
