"""The forms of the workflows that `ci init` writes: full ones, and short ones that use stemctl's
action or component.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from stemctl.commands.install_source import GitSource, Source
from stemctl.errors import ConfigError, Untouched
from stemctl.util.late_pattern import late_pattern

TEMPLATES = Path(__file__).resolve().parent / "templates" / "ci"
LOCK = "stemctl.lock"
"""All packages that stemctl needs, with the hashes of their files."""
WORKFLOW_FOLDERS = {"github": ".github/workflows", "gitlab": ".gitlab"}
"""Where a forge looks for workflows, below the root of the git repository."""

_INCLUDE = late_pattern("^( *)@include (.+)@$", re.MULTILINE)
_FORGES = {"github": "github.com", "gitlab": "gitlab.com"}


class Form(Struct, frozen=True):
    """What is wanted: for which forge, how long, and whether with a nightly pull."""

    forge: str
    short: bool = False
    pull: bool = False

    @property
    def words(self) -> str:
        """What is typed behind `ci init`."""
        options = (" --pull" if self.pull else "") + (" --short" if self.short else "")
        return f"{self.forge}{options}"

    def templates(self) -> dict[str, Path]:
        """The template of each file, by its path below the root of the git repository."""
        kind = "short" if self.short else "full"
        folders = [kind, f"{kind}-pull"] if self.pull else [kind]
        target = WORKFLOW_FOLDERS[self.forge]
        found = {
            f"{target}/{file.name}": file
            for folder in folders
            for file in sorted((TEMPLATES / folder / self.forge).iterdir())
        }
        if not self.short:
            found[f".{self.forge}/{LOCK}"] = TEMPLATES / LOCK
        return dict(sorted(found.items()))


def source_values(form: Form, source: Source, remote: str) -> dict[str, str]:
    """What the templates say about where stemctl comes from. `remote` is the address of the
    metadata repository, or empty.

    Raises:
        ConfigError: the short form needs stemctl's repository, on the same forge.
    """
    if not form.short:
        return {"SOURCE": source.requirement, "INSTALL": "install-gitlab.sh"}
    if not isinstance(source, GitSource):
        raise _not_there(form, f"stemctl comes from {source.requirement}.")
    parts = urlsplit(source.url)
    path = parts.path.strip("/").removesuffix(".git")
    if parts.netloc not in (_host(remote), _FORGES[form.forge]):
        raise _not_there(form, f"stemctl comes from {source.url}.")
    if form.forge == "gitlab":
        if source.folder:
            raise _not_there(form, f"stemctl is in the folder {source.folder} of its repository.")
        return {
            "COMPONENT": f"{parts.netloc}/{path}",
            "COMMIT": source.commit,
            "REPOSITORY": source.url,
        }
    if path.count("/") != 1:
        raise _not_there(form, f"stemctl comes from {source.url}.")
    place = "/".join(part for part in (path, source.folder) if part)
    return {"ACTION": f"{place}@{source.commit}"}


def filled(template: Path, values: Mapping[str, str]) -> str:
    """The text of a template: other files in the place of its includes, then the values."""
    text = _with_includes(template.read_text(encoding="utf-8"), values)
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def published(name: str) -> str:
    """What `action.yml`, or a component of GitLab, says in stemctl's own repository."""
    server = "$[[ inputs.server ]]"
    values = {
        "SERVER": ' ${SERVER:+--server "$SERVER"}',
        "INSTALL": "install-component.sh",
    }
    if name != "action.yml":
        values |= {
            "SERVER": f' --server "{server}"',
            "FOLDER": "$[[ inputs.folder ]]",
            "ENVIRONMENT": server,
            "BRANCH": "$CI_DEFAULT_BRANCH",
        }
    return filled(TEMPLATES / "published" / name, values)


def _with_includes(text: str, values: Mapping[str, str]) -> str:
    def included(found: re.Match[str]) -> str:
        name = re.sub("@([A-Z]+)@", lambda value: values[value[1]], found[2])
        part = _with_includes((TEMPLATES / "steps" / name).read_text(encoding="utf-8"), values)
        lines = part.removesuffix("\n").split("\n")
        return "\n".join(f"{found[1]}{line}" if line else "" for line in lines)

    return _INCLUDE.sub(included, text)


def _host(remote: str) -> str:
    """The host of a remote, however it is spelled; empty for a folder."""
    if "://" in remote:
        return urlsplit(remote).netloc.rpartition("@")[2]
    return re.sub("^.*@", "", remote.partition(":")[0]) if ":" in remote else ""


def _not_there(form: Form, why: str) -> ConfigError:
    forge, what = ("GitHub", "action") if form.forge == "github" else ("GitLab", "component")
    full = Form(form.forge, pull=form.pull)
    return ConfigError(
        f"Short workflows need a copy of stemctl's repository on your {forge}.",
        f"They use its {what}, and {forge} takes that from itself alone. {why}",
        [
            (
                f"stemctl ci init {form.words} --source git+https://HOST/REPO@COMMIT",
                "names a commit there",
            ),
            (f"stemctl ci init {full.words}", "writes workflows that need no such copy"),
        ],
        Untouched.NOTHING_WRITTEN,
    )
