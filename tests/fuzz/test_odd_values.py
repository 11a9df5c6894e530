"""Values that no program expects: in stemctl.yaml, on the command line, in the environment, in
names of folders.

Each is a message or works, and none is a bug.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.lab import Lab, Result
from tests.support.served import serve

pytestmark = pytest.mark.slow

VALUES = [
    *(
        r"a\0b",
        r"\0",
        r"a\nb",
        r"\e[31m",
        r"\x7f",
        r"\x85",
        r"\u2028",
        "..",
        "/",
        "",
        " ",
        "-x",
        "~",
        "[",
        "**",
    ),
    *(
        "a" * 300,
        "a" * 5000,
        "ſ",
        r"\u212a",
        "%00",
        "a/**b",
        "a/../b",
        "$(id)",
        "ext::sh -c id",
        r"C:\\x",
    ),
]
URLS = [
    *(
        "https://brainſtem.org/",
        "https://brain\u212atem.org/",
        "httpſ://a.example/",
        "https://ⓐ.example/",
    ),
    *(
        "https://faß.example/",
        "https://a\u3002example/",
        "http://127.0.0.1:１/",
        "https://xn--/",
        "https://xn--a/",
    ),
    *(
        r"https://a\0b/",
        r"https://a\nb/",
        "https://a:99999/",
        "https://[::1/",
        "https://[1]/",
        "https:///a",
    ),
    *("https://" + "a" * 300 + "/", "https://a.example/" + "a/" * 40_000, "sandbox:x", "SANDBOX:"),
]
TEMPLATES = {
    "manifests": 'manifests: ["{}"]\nservers: {{sandbox: {{url: "sandbox:"}}}}\n',
    "seed": 'servers: {{sandbox: {{url: "sandbox:", seed: "{}"}}}}\n',
    "faults": 'servers: {{sandbox: {{url: "sandbox:", faults: "{}"}}}}\n',
    "default_server": 'default_server: "{}"\nservers: {{sandbox: {{url: "sandbox:"}}}}\n',
    "name": 'servers: {{"{}": {{url: "sandbox:"}}}}\n',
    "branch": 'servers: {{s: {{url: "http://127.0.0.1:1/", edition: 2024,'
    ' state: {{backend: git, branch: "{}"}}}}}}\n',
    "remote": 'servers: {{s: {{url: "http://127.0.0.1:1/", edition: 2024,'
    ' state: {{backend: git, remote: "{}"}}}}}}\n',
}
COMMANDS = [
    ["validate"],
    ["plan"],
    ["apply", "-y"],
    ["fmt", "--check"],
    ["get", "project"],
    ["init"],
    ["state", "list"],
]


@pytest.fixture
def lab(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """One in a git repository, whose requests are not tried again."""
    monkeypatch.setattr("stemctl.client.client.ATTEMPTS", 1)
    subprocess.run(["git", "init", "-q", str(lab.root)], check=True)
    lab.sessions("{name: a, description: x}")
    return lab


def fine(result: Result) -> bool:
    return result.code in (0, 1, 2, 3) and (result.code == 0 or bool(result.said.strip()))


@pytest.mark.parametrize("key", TEMPLATES)
def test_a_value_of_the_configuration(lab: Lab, key: str) -> None:
    for value in VALUES:
        for words in COMMANDS:
            lab.write("stemctl.yaml", TEMPLATES[key].format(value))
            result = lab.run(*words)
            assert fine(result), (value, words, result.said)
    lab.write("stemctl.yaml", TEMPLATES[key].format(r"a\0b"))
    assert lab.run("plan").err.startswith("Error: stemctl.yaml:1:")


@pytest.mark.parametrize("url", URLS)
def test_a_url(lab: Lab, url: str) -> None:
    lab.write("stemctl.yaml", f'servers: {{s: {{url: "{url}", edition: 2024}}}}\n')
    for words in (["plan"], ["doctor"], ["login", "--headless"], ["state", "list"]):
        result = lab.run(*words)
        assert fine(result), result.said
    assert lab.run("plan").code == 1
    typed = url.encode().decode("unicode_escape") if "\\" in url else url
    assert fine(lab.run("--server", typed, "plan"))


WORDS = [
    *(
        "\udcff",
        "",
        " ",
        "\n",
        "*",
        "[",
        "?",
        "é",
        "-",
        "--",
        "a" * 5000,
        "/",
        "..",
        "\x1b[31m",
        "session/",
        "/x",
    ),
    *(
        "session/\udcff",
        "session/a\n",
        "name=\udcff",
        "name=",
        "²",
        "delete=²",
        "delete=" + "9" * 5000,
        "HEAD~1",
    ),
    *("name=" + "a" * 70_000, "records/\udcff", "sha256:\udcff", "nosuch.json", "@{0}"),
]
PLACES = """\
--server W plan
-C W plan
plan W
plan --out W
plan --base W
plan --exclude W
plan --allow W
apply -y W
apply -y --digest W
show W
get session W
get session -o json W
get W
get session --filter W
get session --sort W
get session --include W
import W 3f2504e0-4f89-11d3-9a0c-0305e82c3301
import session/z W
state show W
state rm W
state mv session/a W
runs show W
explain W
schema show W
resolve W
approvals accept W
validate W
fmt W
sandbox seed W
W"""


@pytest.mark.parametrize("location", PLACES.splitlines())
def test_a_word_of_the_command_line(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    monkeypatch.chdir(lab.root)
    for word in WORDS:
        result = lab.run(*(word if part == "W" else part for part in location.split()))
        assert fine(result), (word[:40], result.said)


def test_a_word_that_is_not_utf8_is_named(lab: Lab) -> None:
    result = lab.run("get", "session", "a\udcff")
    assert (result.code, "a\\udcff is not valid UTF-8." in result.err) == (1, True)
    assert lab.run("get", "session", "-o", "json", "a\udcff").json["exit_code"] == 1


ENVIRONMENTS = [
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii:strict"},
    {"PYTHONIOENCODING": "latin-1"},
    {"COLUMNS": "1000000000"},
    {"COLUMNS": "-1", "TZ": "garbage\udcff", "NO_COLOR": "", "TERM": "\udcff"},
    {
        "COLUMNS": "abc",
        "HOME": "/nowhere\udcff",
        "XDG_CONFIG_HOME": "relative",
        "TMPDIR": "/nowhere",
    },
    {"BRAINSTEM_TOKEN": "\udcff" * 9},
    {"BRAINSTEM_TOKEN": "sandbox-\udcff", "STEMCTL_TOKEN_HOSTS": "\udcff,"},
    {"GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/nowhere", "GIT_INDEX_FILE": "\udcff"},
    {
        "GIT_CONFIG_COUNT": "x",
        "GIT_CONFIG_PARAMETERS": "'",
        "GIT_CONFIG_GLOBAL": "\udcff",
        "GIT_TRACE": "1",
    },
    {"GITHUB_STEP_SUMMARY": "/dev/full", "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": "\udcff"},
    {"PATH": "", "USER": "\udcff", "LOGNAME": "a\nb"},
]


@pytest.mark.parametrize("environ", ENVIRONMENTS, ids=lambda environ: "-".join(environ))
def test_an_environment(lab: Lab, environ: dict[str, str]) -> None:
    lab.sessions("{name: a, description: é → \U0001f400}")
    for words in (
        ["apply", "-y"],
        ["plan", "-o", "markdown"],
        ["--server", "http://127.0.0.1:1/", "doctor"],
    ):
        command = [sys.executable, "-m", "stemctl", "-C", str(lab.root), *words]
        done = subprocess.run(
            command, capture_output=True, check=False, env={**os.environ, **environ}, timeout=120
        )
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        assert done.returncode in (0, 1), said
        assert "Traceback" not in said


@pytest.mark.skipif(sys.platform != "linux", reason="other systems want UTF-8 in names")
def test_a_folder_whose_name_is_not_utf8_with_its_state_in_git(lab: Lab, tmp_path: Path) -> None:
    lab.write("stemctl.yaml", 'servers: {sandbox: {url: "sandbox:", seed: seed.yaml}}\n')
    remote, top = tmp_path / "remote.git", Path(os.fsdecode(os.fsencode(tmp_path) + b"/lab\xff"))
    folder = top / "ordner\udcff"
    (folder / "records\udcff").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    subprocess.run(["git", "-C", str(top), "remote", "add", "origin", str(remote)], check=True)
    (folder / "records\udcff/s.yaml").write_text(
        "sessions:\n  - {name: s, projects: [Theta Maze Study]}\n"
    )

    def run(*words: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "stemctl", "-C", str(folder), *words]
        environ = {**os.environ, "BRAINSTEM_TOKEN": "sandbox-user"}
        done = subprocess.run(command, capture_output=True, check=False, env=environ, timeout=120)
        said = (done.stdout + done.stderr).decode("utf-8", "surrogateescape")
        assert done.returncode == code, (words, said)
        return said

    with serve(lab.root) as url:
        there = f"{{url: '{url}', edition: 2024, state: {{backend: git}}}}"
        config = f"manifests: ['*']\nservers: {{there: {there}}}\n"
        (folder / "stemctl.yaml").write_text(config)
        commit = "git add -A && git -c user.name=a -c user.email=a@b.example commit -qm x"
        subprocess.run(commit, shell=True, cwd=top, check=True)
        for form in ("text", "json", "markdown", "html", "github"):
            run("plan", "-o", form)
        run("plan", "--out", "plan.json")
        assert "1 created" in run("apply", "plan.json")
        assert "session/s" in run("state", "list")
        assert "session/s" in run("show", "session/s")
        run("runs", "list", "-o", "json")
        run("plan", "--base", "HEAD", "--detailed-exitcode")
        run("validate", "-o", "github")
        run("fmt")
    assert "stemctl-state" in subprocess.check_output(
        ["git", "-C", str(remote), "branch"], text=True
    )
