"""What `ci init` writes, and what this repository publishes for it, as the checkers of others read
it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stemctl import __version__
from stemctl.commands.ci_forms import LOCK, TEMPLATES, published
from stemctl.schema.catalog import editions
from tests.git.jobs import ACTION
from tests.git.team import ON_GITHUB, SOURCE, git
from tests.support.lab import Lab, Result, run_in_process
from tests.support.paths import PROJECT

PUBLISHED = {
    "action.yml": "action.yml",
    "stemctl.yml": "templates/stemctl.yml",
    "stemctl-pull.yml": "templates/stemctl-pull.yml",
}
ON_GITLAB = f"git+https://gitlab.com/lab/tools/stemctl.git@{'5' * 40}"
FORMS = {
    "full": ["--source", SOURCE],
    "short": ["--short", "--source", ON_GITHUB],
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "--initial-branch=main", "lab")
    (tmp_path / "lab/stemctl.yaml").write_text(
        "servers: {lab: {url: 'https://www.brainstem.org/', edition: 2026}}\n"
    )
    return tmp_path / "lab"


def ci_init(repository: Path, *words: str) -> Result:
    return run_in_process("-C", str(repository), "ci", "init", *words)


def runs(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_is_published_is_made_of_the_same_parts(name: str) -> None:
    path = PROJECT / PUBLISHED[name]
    if os.environ.get("STEMCTL_UPDATE"):
        path.write_text(published(name), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == published(name)


def zizmor(*paths: Path) -> None:
    """An audit of workflows that others wrote, without the network."""
    program = shutil.which("zizmor", path=str(Path(sys.executable).parent))
    assert program, "pip install -e '.[dev]' installs it"
    runs(program, "--offline", "--quiet", "--no-progress", *map(str, paths))


@pytest.mark.parametrize("form", FORMS)
def test_zizmor_finds_nothing_in_the_workflows(repository: Path, form: str) -> None:
    assert ci_init(repository, "github", "--pull", *FORMS[form]).code == 0
    zizmor(repository)


def test_zizmor_finds_nothing_in_what_is_here() -> None:
    own = PROJECT / ".github"
    zizmor(PROJECT / "action.yml", *([own] if own.exists() else []))


def test_zizmor_finds_something_where_something_is(repository: Path) -> None:
    """Else the tests above would prove nothing."""
    assert ci_init(repository, "github", *FORMS["full"]).code == 0
    path = repository / ".github/workflows/stemctl-check.yml"
    path.write_text(path.read_text().replace("persist-credentials: false", "clean: true"))
    with pytest.raises(AssertionError, match="artipacked"):
        zizmor(repository)


def check_schema(schema: str, paths: Sequence[Path]) -> None:
    builtin = ("-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}")
    runs(sys.executable, *builtin, *map(str, paths))


@pytest.mark.parametrize("form", FORMS)
def test_the_schemas_of_the_forges_take_what_is_written(repository: Path, form: str) -> None:
    gitlab = ["--short", "--source", ON_GITLAB] if form == "short" else FORMS[form]
    assert ci_init(repository, "github", "--pull", *FORMS[form]).code == 0
    assert ci_init(repository, "gitlab", "--pull", *gitlab).code == 0
    check_schema("github-workflows", sorted(repository.glob(".github/workflows/*")))
    check_schema("gitlab-ci", sorted(repository.glob(".gitlab/*.yml")))


def test_the_schemas_of_the_forges_take_what_is_published(tmp_path: Path) -> None:
    check_schema("github-actions", [PROJECT / "action.yml"])
    for name in ("stemctl.yml", "stemctl-pull.yml"):  # that checker reads one document at a time
        header, body = (PROJECT / "templates" / name).read_text(encoding="utf-8").split("---\n")
        (tmp_path / f"header-{name}").write_text(header, encoding="utf-8")
        (tmp_path / f"body-{name}").write_text(body, encoding="utf-8")
    check_schema("gitlab-ci", sorted(tmp_path.iterdir()))


def test_no_script_of_the_action_holds_an_expression() -> None:
    action = yaml.safe_load((PROJECT / "action.yml").read_text(encoding="utf-8"))
    scripts = [step["run"] for step in action["runs"]["steps"] if "run" in step]
    assert len(scripts) > 10
    assert not any("${{" in script for script in scripts)


def test_the_short_form_names_the_action_at_its_commit(repository: Path) -> None:
    assert ci_init(repository, "github", *FORMS["short"]).code == 0
    for path in (repository / ".github/workflows").iterdir():
        used = {
            step["uses"]
            for job in yaml.safe_load(path.read_text())["jobs"].values()
            for step in job["steps"]
        }
        assert used == {f"{ACTION}@{'5' * 40}"}
    assert not (repository / ".github" / LOCK).exists()


def test_the_guide_shows_a_job_of_the_short_form(repository: Path) -> None:
    guide = (PROJECT / "docs/ci.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```yaml\n(  plan:\n.*?)^```", guide, re.MULTILINE | re.DOTALL)
    config = repository / "stemctl.yaml"
    config.write_text(config.read_text().replace("lab:", "brainstem:"))
    assert ci_init(repository, "github", *FORMS["short"]).code == 0
    text = (repository / ".github/workflows/stemctl-check.yml").read_text()
    assert shown.replace("COMMIT", "5" * 40).replace("0.1.0", __version__) in text


@pytest.mark.parametrize("name", ["plan.sh", "gitlab-jobs.yml"])
def test_git_is_told_its_folder_before_files_of_others_are_trusted(name: str) -> None:
    """In a folder of a pull request that looks like a bare repository, git would obey its
    settings.
    """
    text = (TEMPLATES / "steps" / name).read_text(encoding="utf-8")
    if name.endswith(".yml"):
        text = yaml.safe_load(text.replace("@include @INSTALL@@", ""))["stemctl-plan"]["script"][0]
    calls = re.findall(r"^(?: *|.*\|\| )git (.*)", text, re.MULTILINE)
    assert len(calls) >= 2
    assert all(call.startswith('-C "$') for call in calls)


def test_the_short_form_names_the_component_at_its_commit(repository: Path) -> None:
    source = ON_GITLAB.replace("https://gitlab.com", "https://git.lab.example")
    git(repository, "remote", "add", "origin", "git@git.lab.example:lab/metadata.git")
    assert ci_init(repository, "gitlab", "--short", "--source", source).code == 0
    (one,) = yaml.safe_load((repository / ".gitlab/stemctl.yml").read_text())["include"]
    assert one["component"] == f"git.lab.example/lab/tools/stemctl/stemctl@{'5' * 40}"
    assert one["inputs"]["repository"] == "https://git.lab.example/lab/tools/stemctl.git"


@pytest.mark.parametrize(
    ("forge", "source"),
    [
        ("github", SOURCE),
        ("github", "stemctl==0.1.0"),
        ("gitlab", ON_GITHUB),
        ("github", ON_GITLAB),
        ("gitlab", f"{ON_GITLAB}#subdirectory=tools"),
    ],
)
def test_a_short_form_that_the_forge_could_not_read_is_refused(
    repository: Path, forge: str, source: str
) -> None:
    result = ci_init(repository, forge, "--short", "--source", source)
    assert result.code == 1
    assert "need a copy of stemctl's repository" in result.err
    assert not list(repository.glob(".git[hl]*"))


def pins() -> dict[str, Requirement]:
    text = (TEMPLATES / LOCK).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", re.sub("^#.*\n", "", text, flags=re.MULTILINE).strip())
    found = {}
    for entry in entries:
        line, *hashes = entry.split(" \\\n")
        assert hashes, line
        assert all(re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}", one) for one in hashes), line
        requirement = Requirement(line)
        found[canonicalize_name(requirement.name)] = requirement
    return found


def test_the_lock_has_the_versions_that_are_tested() -> None:
    lines = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    tested = {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}
    locked = {name: pin.specifier for name, pin in pins().items()}
    assert locked.keys() <= tested.keys(), "run .ci/renew"
    assert locked == {name: tested[name].specifier for name in locked}, "run .ci/renew"


def test_the_lock_has_all_that_is_needed() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = project["project"]["dependencies"] + project["build-system"]["requires"]
    assert {canonicalize_name(Requirement(one).name) for one in needed} <= pins().keys()
    assert "://" not in (TEMPLATES / LOCK).read_text(encoding="utf-8")


@pytest.mark.parametrize("edition", editions())
def test_a_server_beside_the_sandbox_has_its_edition(lab: Lab, edition: str) -> None:
    lab.write("stemctl.yaml", f'servers: {{sandbox: {{url: "sandbox:", edition: {edition}}}}}\n')
    result = lab.run("ci", "init", "github")
    assert result.code == 1
    assert f"edition: {edition}, state: {{backend: git}}}}" in result.err


def test_next_keeps_the_options(lab: Lab) -> None:
    servers = "".join(f"  {x}: {{url: 'https://{x}.example/', edition: 2026}}\n" for x in "ab")
    lab.write("stemctl.yaml", f"servers:\n{servers}")
    result = lab.run("ci", "init", "gitlab", "--short")
    assert "--server a ci init gitlab --short" in result.err
