"""Text out of files and servers is shown, and obeyed by nobody: no terminal, no browser, no reader
of Markdown.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
import yaml

from stemctl.manifests import reader
from stemctl.render.manifest_yaml import manifest_text
from stemctl.render.terminal import TerminalStyle
from stemctl.util.safe_text import harmless, json_text, visible
from tests.support.lab import Lab, Result

CONTROLS = "\x00\x01\x07\x08\x0b\x0c\x0d\x1b\x7f\x80\x85\x90\x9b\x9d\x9f"
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
UNSEEN = (
    "\xad\u034f\u180e\u200b\u200c\u200d\u2028\u2029\u2060\u2061\u3164\ufeff\ufff9"
    "\U000e0041\U000e007f"
)
OBEYED = frozenset(CONTROLS + BIDI + UNSEEN + "\t" + "".join(map(chr, range(0xD800, 0xE000))))

ESCAPES = "\x1b[2J\x1b[31mred\x1b]8;;https://evil.example\x07link\x1b]8;;\x07\x1b]52;c;ZXZpbA==\x07\x1bP+q\x1b\\\x9b2J"
EVIL = (
    f"{ESCAPES}\r\nforged line\n{CONTROLS}{BIDI}{UNSEEN}\t"
    "<img src=x onerror=alert(1)>[x](javascript:1)`|*#@all"
)
EVIL_NAME = re.sub(r"[\x00-\x1f\x7f-\x9f]", "", EVIL).strip()
"""What a manifest may call a record."""


def obeyed(text: str) -> set[str]:
    """What a terminal, or a reader of text in two directions, would act on."""
    return {character for character in text if character in OBEYED}


def shown_safely(result: Result) -> None:
    for text in (result.out, result.err):
        assert obeyed(text) == set(), text
        assert "\nforged line" not in text
    assert result.code in (0, 1, 2, 3), result.said


def spread(
    text: str, keys: bool = True
) -> Callable[[httpx.Request, httpx.Response], httpx.Response]:
    """A server that puts a text behind every name and text, and under every object as a key."""

    def changed(value: Any, name: str) -> Any:
        if isinstance(value, dict):
            new = {key: changed(inner, key) for key, inner in value.items()}
            return {**new, text: text} if keys and name not in ("meta",) else new
        if isinstance(value, list):
            return [changed(inner, name) for inner in value]
        plain = isinstance(value, str) and not re.fullmatch(
            r"[0-9a-f-]{36}|[0-9T:Z+-]{10,}|Pending|Add|Change", value
        )
        return value + text if plain and name not in ("id", "approval_id") else value

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if (
            not response.content or "/project/" in request.url.path
        ):  # which the manifests refer to by its name
            return response
        return httpx.Response(
            response.status_code, content=json.dumps(changed(json.loads(response.content), ""))
        )

    return after


TYPES = "sensory_stimulus_types:\n  - {name: Air puff, description: Puff}\n"
READING = [
    *(["plan", "-o", form] for form in ("text", "json", "markdown", "html", "github")),
    *(["-v", "plan", "--allow", kind] for kind in ("delete", "revert", "replace")),
    ["validate"],
    ["validate", "--online"],
    ["validate", "--online", "-o", "github"],
    ["validate", "--online", "-o", "json"],
    ["get", "session"],
    ["get", "session", "-o", "json"],
    ["get", "session", "-o", "yaml"],
    ["get", "project"],
    ["get", "sensorystimulustype", "-o", "yaml"],
    ["show", "session/a"],
    ["show", "session/a", "-o", "json"],
    ["approvals", "list"],
    ["approvals", "list", "-o", "json"],
    ["approvals", "show", "sensorystimulustype"],
    ["approvals", "show", "sensorystimulustype", "-o", "json"],
    ["report", "--out", "-"],
    ["drift"],
    ["drift", "-o", "json"],
    ["pull", "--all", "--dry-run"],
    ["pull", "--all", "--dry-run", "-o", "json"],
    ["doctor"],
    ["doctor", "-o", "json"],
    ["state", "list"],
    ["state", "show", "session/a"],
    ["runs", "list"],
    ["runs", "show", "2"],
    ["runs", "show", "2", "-o", "json"],
    ["runs", "show", "2", "-o", "yaml"],
]
WRITING = [
    ["apply", "-y"],
    ["apply", "-y", "-o", "json"],
    ["apply", "-y", "--allow", "delete", "--allow", "revert", "--allow", "replace", "--resubmit"],
    ["approvals", "accept", "sensorystimulustype"],
    ["resolve", "session/conflict"],
    ["pull", "--all"],
    ["pull", "session", "--all-fields"],
]


def long_lived(lab: Lab) -> None:
    """Records that were applied, and what came since on both sides."""
    lab.write("records/s.yaml", TYPES)
    lab.sessions(
        "{name: a, description: One., tags: [t], extra_fields: {room: B115}}",
        "{name: conflict, description: One.}",
        "{name: left, description: Going.}",
    )
    lab.apply()
    lab.sessions(
        "{name: a, description: Two., tags: [t, u], extra_fields: {room: B116}}",
        "{name: conflict, description: Two.}",
        "{name: new, description: 'a, and more'}",
    )
    with lab.database() as database:
        database.seed(
            {"sessions": [{"name": "theirs", "projects": ["Theta Maze Study"], "tags": ["x"]}]}
        )


@pytest.mark.parametrize("command", [*READING, *WRITING], ids=" ".join)
def test_answers_of_a_server_are_shown_and_not_obeyed(lab: Lab, command: list[str]) -> None:
    long_lived(lab)
    lab.after = spread(EVIL)
    token = "sandbox-admin" if "accept" in command else None
    result = lab.run(*command, token=token)
    shown_safely(result)
    if command[-1:] == ["json"]:
        assert json.loads(result.out)
    if command[0] not in ("state", "runs") and {
        "plan",
        "apply",
        "drift",
        "session",
        "session/a",
    } & set(command):
        assert "1b[2J" in result.out or "\\e[2J" in result.out


REFUSALS = {
    "messages by field": httpx.Response(400, json={EVIL: [EVIL, {EVIL: EVIL}], "name": [EVIL]}),
    "a message": httpx.Response(403, json={"detail": EVIL}),
    "a list": httpx.Response(400, json=[EVIL, [EVIL], {EVIL: EVIL}]),
    "text": httpx.Response(500, text=EVIL),
    "a page": httpx.Response(500, text=f"<title>{EVIL}</title>"),
    "a page in place of data": httpx.Response(200, html=f"<title>{EVIL}</title>"),
    "another envelope": httpx.Response(200, json={EVIL: []}),
    "a list in place of data": httpx.Response(200, json=[EVIL]),
    "text in place of data": httpx.Response(200, text=EVIL),
    "a redirect": httpx.Response(302, headers=[(b"Location", EVIL.encode())]),
    "a strange number": httpx.Response(
        200, json={"sessions": [], "meta": {"total_results": EVIL}, "count": EVIL}
    ),
    "a pause": httpx.Response(429, text=EVIL, headers=[(b"Retry-After", EVIL.encode())]),
    "not authorised": httpx.Response(
        401, json={"detail": EVIL}, headers=[(b"WWW-Authenticate", EVIL.encode())]
    ),
}


@pytest.mark.parametrize("writes_alone", [False, True], ids=["of everything", "of writes"])
@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_of_a_server_are_shown_and_not_obeyed(
    lab: Lab, name: str, writes_alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stemctl.client.retry.backoff", lambda attempt: 0.0)
    long_lived(lab)
    lab.intercept = lambda request: (
        REFUSALS[name] if not writes_alone or request.method != "GET" else None
    )
    for command in (
        ["plan"],
        ["apply", "-y"],
        ["apply", "-y", "-o", "json"],
        ["get", "session"],
        ["doctor"],
        ["drift"],
    ):
        shown_safely(lab.run(*command))


def test_what_a_server_calls_a_login_is_shown_and_not_obeyed(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.security.wire import ADDRESS, tapped

    begun = {"verification_uri": ADDRESS, "user_code": EVIL, "device_code": "d"}
    answers = iter([begun, {"status": EVIL, "error": EVIL}])

    async def sleep(seconds: float) -> None:
        pass

    from stemctl.client import device_login

    monkeypatch.setattr(device_login.finish_login, "__defaults__", (sleep,))
    with tapped(monkeypatch) as wire:
        wire.fault = lambda request: httpx.Response(200, json=next(answers))
        result = lab.run("--server", ADDRESS, "login", "--headless")
    assert "The login was not completed" in result.err
    shown_safely(result)


def quoted(text: str) -> str:
    """Text as YAML takes it, whatever is in it."""
    return (
        '"' + "".join(c if c.isascii() and c.isalnum() else f"\\U{ord(c):08x}" for c in text) + '"'
    )


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html", "github"])
def test_names_and_texts_of_manifests_are_shown_and_not_obeyed(lab: Lab, form: str) -> None:
    """Names hold no control characters, and all that Unicode has besides."""
    name, text = EVIL_NAME[:80].strip(), EVIL.replace("\x00", "")
    lab.sessions(f"{{name: {quoted(name)}, description: {quoted(text)}, tags: [{quoted(text)}]}}")
    shown_safely(lab.run("plan", "-o", form))
    shown_safely(lab.run("plan", "--out", "plan.json"))
    shown_safely(lab.run("show", "plan.json", "-o", form))
    lab.apply()
    shown_safely(lab.run("show", f"session/{name}", "-o", form))
    lab.sessions(
        f"{{key: {quoted(name)}, name: other, description: {quoted(text[::-1])}}}",
        name="records/sessions.yaml",
    )
    shown_safely(lab.run("plan", "-o", form))
    shown_safely(lab.run("apply", "-y"))
    lab.sessions()
    shown_safely(lab.run("plan", "-o", form))
    shown_safely(lab.run("apply", "-y", "--allow", "delete"))


def test_a_file_of_a_strange_name_is_shown_and_not_obeyed(lab: Lab) -> None:
    file = f"records/{EVIL[:60].replace('/', '').replace(chr(0), '')}\u202e\u200b.yaml"
    lab.sessions("{name: a, nam: b}", name=file)
    for form in ("text", "json", "github"):
        shown_safely(lab.run("validate", "-o", form))
    lab.sessions("{name: a}", name=file)
    for form in ("text", "json", "markdown", "html", "github"):
        shown_safely(lab.run("plan", "-o", form))


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_findings_are_shown_and_not_obeyed(lab: Lab, form: str) -> None:
    lab.sessions(
        f"{{name: {quoted(EVIL)}}}",
        f"{{name: x, {quoted(EVIL)}: {quoted(EVIL)}, date_time: {quoted(EVIL)}, "
        f"extra_fields: {{{quoted(EVIL)}: 1}}}}",
        f"{{name: y, projects: [{quoted(EVIL)}], "
        f"download_links: [{{Repository: a, URL: {quoted(EVIL)}}}]}}",
        "{name: \u202ez\u200b, tagz: \u2066}",
    )
    lab.write("records/m.yaml", f"{quoted(EVIL)}: 1\nforget: [{quoted(EVIL)}]\n")
    result = lab.run("validate", "-o", form)
    assert result.code == 1
    shown_safely(result)
    if form == "github":
        *commands, last = result.out.splitlines()
        assert all(
            line.startswith(("::error ", "::warning ", "::notice ", "GitHub shows"))
            for line in commands
        )
        assert last.endswith("Nothing was sent.")


def test_a_strange_configuration_is_shown_and_not_obeyed(lab: Lab) -> None:
    for text in (
        f"{quoted(EVIL)}: 1",
        f"servers: {{a: {{url: {quoted('https://' + EVIL)}, edition: 2024}}}}",
        f"servers: {{a: {{url: 'sandbox:', {quoted(EVIL)}: 1}}}}",
        f"servers: {{{quoted(EVIL)}: {{url: 'sandbox:'}}}}",
        f"servers: {{a: {{url: 'sandbox:', seed: {quoted(EVIL)}}}}}",
        f"default_server: {quoted(EVIL)}",
        f"manifests: [{quoted(EVIL)}]",
    ):
        lab.write("stemctl.yaml", text)
        result = lab.run("plan")
        assert result.code == 1
        shown_safely(result)


@pytest.mark.parametrize("named", [True, False])
def test_a_record_that_is_bound_by_its_id_is_shown_and_not_obeyed(lab: Lab, named: bool) -> None:
    long_lived(lab)
    id_ = lab.live("session", "theirs")["id"]
    lab.after = (
        spread(EVIL)
        if named
        else lambda request, response: httpx.Response(200, json={"session": {"id": id_}})
    )
    result = lab.run("import", "session/theirs", id_)
    assert result.code == 0, result.said
    shown_safely(result)


def test_words_that_were_typed_are_shown_and_not_obeyed(lab: Lab) -> None:
    lab.sessions("{name: a}")
    word = EVIL.replace("\x00", "")
    for command in (
        [word],
        ["plan", word],
        ["get", word],
        ["get", "session", word],
        ["get", "session", "--filter", word],
        ["show", word],
        ["apply", f"{word}.json"],
        ["explain", word],
        ["state", "rm", f"session/{word}"],
        ["import", f"session/{word}", "1c77ae53-6f83-4398-bfe5-6eb95ff00610"],
        ["--server", word, "plan"],
        ["--server", f"https://{word}", "plan"],
        ["plan", "--out", f"no/such/{word}"],
    ):
        result = lab.run(*command)
        assert result.code == 1, command
        shown_safely(result)


@pytest.mark.parametrize(
    "text", [EVIL, "\u202etxt", "a\u200bb", " \xad ", ": x", "'", "\n"], ids=ascii
)
def test_what_get_prints_reads_back_as_the_same_values(lab: Lab, text: str) -> None:
    """By our reader and by others, whatever the values are."""
    lab.after = spread(text, keys=False)
    with lab.database() as database:
        record = {"name": "n", "projects": ["Theta Maze Study"], "description": "d", "tags": ["t"]}
        database.seed({"sessions": [{**record, "extra_fields": {"k": "v"}}]})
    written = lab.run("get", "session", "-o", "yaml").out
    left_out = [line.strip() for line in written.splitlines() if "# left out: " in line]
    (live,) = json.loads(lab.run("get", "session", "-o", "json").out)
    assert (live["name"], live["tags"]) == ("n" + text, ["t" + text])
    for read in (yaml.safe_load(written), reader.parse(written.encode(), "f.yaml").root.value):  # type: ignore[union-attr]
        (printed,) = read["sessions"]
        for name in ("name", "description", "tags", "extra_fields"):
            if any(line.startswith(f"# left out: {name}") for line in left_out):
                assert not printed.get(name), "what no file can hold"
            else:
                assert printed[name] == live[name]
    assert written.count("\n") == 1 + len(printed) + len(left_out)
    assert obeyed(written) == set()


LONGEST = 600
"""Columns of the longest line that is still readable; a terminal of 100 wraps it into six."""


@pytest.mark.parametrize("letters", ["x", "long words of a name ", "名"])
@pytest.mark.parametrize(
    "command",
    [
        c
        for c in [*READING, *WRITING]
        if not {"json", "yaml", "html", "markdown", "github", "--dry-run"} & set(c)
        and c[0] not in ("state", "runs", "report")
    ],
    ids=" ".join,
)
def test_a_very_long_name_leaves_the_screen_readable(
    lab: Lab, command: list[str], letters: str
) -> None:
    long_lived(lab)
    lab.after = spread((letters * 10_000)[:10_000], keys=False)
    result = lab.run(*command, token="sandbox-admin" if "accept" in command else None)
    shown_safely(result)
    longest = max(map(len, result.said.splitlines()), default=0)
    assert longest <= LONGEST, [
        line[:200] for line in result.said.splitlines() if len(line) > LONGEST
    ][:5]


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_no_text_of_a_server_becomes_a_tag_of_a_page(lab: Lab) -> None:
    long_lived(lab)
    lab.after = spread(EVIL)
    page = Page()
    page.feed(lab.run("plan", "-o", "html").out)
    names = {tag for tag, _ in page.tags}
    assert not names & {"img", "a", "iframe", "link", "object", "form", "svg", "base"}
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not any(
        name.startswith("on") or name in ("src", "href") for _, found in page.tags for name in found
    )


def test_no_text_of_a_server_leaves_its_fence(lab: Lab) -> None:
    long_lived(lab)
    lab.after = spread(EVIL + "\n```\n~~~\n````\n")
    outside, fence = [], ""
    for line in lab.run("plan", "-o", "markdown").out.splitlines():
        ticks = re.match("`{3,}", line)
        if fence and line == fence:
            fence = ""
        elif not fence and ticks:
            fence = ticks[0]
        elif not fence:
            outside.append(re.sub("(`+) .*? \\1|`[^`]*`", "", line))
    assert not fence
    assert not re.search("alert|@all|<img|javascript", "\n".join(outside))


def test_a_screen_keeps_its_own_colours_and_no_others() -> None:
    look = TerminalStyle(colour=True)
    painted = look.paint("red", "Error:")
    assert harmless(painted + EVIL, colour=True).startswith(painted)
    assert (
        obeyed(
            harmless(painted + ESCAPES, colour=True).replace("\x1b[31m", "").replace("\x1b[0m", "")
        )
        == set()
    )
    assert obeyed(harmless(painted, colour=False)) == set()
    (line,) = look.columns([(painted, EVIL, EVIL)])
    assert "\n" not in line
    assert "\\x1b]52" in line


def test_a_long_name_pushes_nothing_out_of_sight() -> None:
    rows = TerminalStyle(width=80).wrapped(
        [("a", "one"), ("x" * 5_000, "two"), ("b" * 10, "three " * 20)]
    )
    assert max(map(len, rows)) <= 170
    assert rows[0] == "      a             one"
    assert rows[1].endswith("… (5,000 characters)")
    assert rows[2].strip() == "two"
    rows = TerminalStyle(width=80).columns(
        [("x" * 5_000, "y" * 5_000, "z" * 5_000), ("a", "b", "c")]
    )
    assert max(map(len, rows)) <= 700


def test_manifests_are_written_without_what_nobody_sees() -> None:
    for text in ("\u202etxt", "a\u200bb", EVIL):
        written = manifest_text("sessions", [{"name": text, "extra_fields": {text: [text]}}])
        assert obeyed(written) == set()
        assert yaml.safe_load(written) == {
            "sessions": [{"name": text, "extra_fields": {text: [text]}}]
        }


@pytest.mark.parametrize("text", [EVIL, "\ud800", "\U0001f600 é 日本"])
def test_json_says_the_same_with_fewer_characters(text: str) -> None:
    for ascii_only in (False, True):
        written = json_text({text: [text]}, ascii_only)
        assert json.loads(written) == {text: [text]}
        assert obeyed(written) == set()


def test_everything_unseen_is_written_out() -> None:
    for character in OBEYED:
        assert visible(f"a{character}b").isprintable(), hex(ord(character))
    assert visible("é 日本 \U0001f600 ß") == "é 日本 \U0001f600 ß"


@pytest.mark.parametrize(
    "encoding",
    [*(pytest.param(name, marks=pytest.mark.slow) for name in ("ascii", "utf-8")), "cp1252"],
)
def test_a_terminal_that_lacks_letters_gets_their_numbers(lab: Lab, encoding: str) -> None:
    lab.sessions("{name: maze 迷路, description: Zürich}")
    command = [sys.executable, "-m", "stemctl", "-C", str(lab.root)]
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}

    def said(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [*command, *arguments], capture_output=True, env=environment, check=False
        )
        return done.returncode, done.stdout.decode(encoding), done.stderr.decode(encoding)

    code, out, err = said("plan")
    assert (code, err) == (0, "")
    assert ("maze 迷路" if encoding == "utf-8" else "maze \\u8ff7\\u8def") in out
    assert ("Z\\xfcrich" if encoding == "ascii" else "Zürich") in out
    code, out, err = said("plan", "-o", "json")
    assert (code, err) == (0, "")
    assert json.loads(out)["changes"][0]["address"] == "session/maze 迷路"
    code, out, err = said("get", "session", "迷路")
    assert (code, out) == (1, "")
    assert "bug" not in err
