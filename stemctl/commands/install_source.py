"""Where this stemctl came from (PEP 610), as jobs have to install it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import url2pathname

from msgspec import Struct

from stemctl import __version__
from stemctl.commands.install_folder import published_commit
from stemctl.errors import ConfigError, Untouched
from stemctl.util.late_pattern import late_pattern

_COMMIT = late_pattern("[0-9a-f]{40}|[0-9a-f]{64}")
_SHA256 = late_pattern("[0-9a-f]{64}")
_PLAIN_URL = late_pattern(r"[\w.~:/%+=,@-]+", re.ASCII)
"""Without what YAML, a shell or a forge could take for anything else."""
_SSH = late_pattern(r"(?:ssh://git@([\w.-]+)/|git@([\w.-]+):)([\w.~/+-]+)")
_LOCAL = late_pattern("file:///|http://127[.]0[.]0[.]1[:/]")
"""What a runner may have on its own machine."""
_FORMS = """\
It is one of these; the commit is written in full, without a password:
  git+https://HOST/REPO@COMMIT
  https://HOST/FILE.whl#sha256=HASH
  stemctl==VERSION"""


class GitSource(Struct, frozen=True):
    """A commit of a repository, and the folder in it that holds the project."""

    url: str
    commit: str
    folder: str = ""

    @property
    def requirement(self) -> str:
        """What pip installs."""
        folder = f"#subdirectory={self.folder}" if self.folder else ""
        name = "" if self.url.startswith("file:") else "stemctl @ "  # pip takes none before a file
        return f"{name}git+{self.url}@{self.commit}{folder}"


class FileSource(Struct, frozen=True):
    """A wheel, or an archive of the source code."""

    url: str
    sha256: str

    @property
    def requirement(self) -> str:
        """What pip installs; it compares the hash."""
        return f"stemctl @ {self.url}#sha256={self.sha256}"


class Release(Struct, frozen=True):
    """A version on the package index."""

    version: str

    @property
    def requirement(self) -> str:
        """What pip installs."""
        return f"stemctl=={self.version}"


Source = GitSource | FileSource | Release


def find_source(words: str, environ: Mapping[str, str]) -> Source:
    """Where the stemctl that runs came from. `words` is what was typed behind `ci init`.

    Raises:
        ConfigError: from where no job can get it, or nothing says so.
    """
    try:
        document = _direct_url()
        if document is None:
            raise _installed_by_name(words)
        return read_direct_url(document, environ)
    except ConfigError as error:
        advice = (
            f"stemctl ci init {words} --source git+https://HOST/REPO@COMMIT",
            "names a commit of stemctl that the jobs can get",
        )
        raise ConfigError(
            error.what, error.why, (*error.hints, advice), Untouched.NOTHING_WRITTEN
        ) from error


def _installed_by_name(words: str) -> ConfigError:
    """Which index it was is recorded nowhere, and another one may have other code of this name."""
    return ConfigError(
        "Nothing says where this stemctl came from.",
        "It was installed by its name, from a package index or a folder of wheels. If that was\n"
        "not pypi.org, jobs would run whatever pypi.org has under this name, with your token.",
        [(f"stemctl ci init {words} --source stemctl=={__version__}", "takes it from pypi.org")],
    )


def _direct_url() -> str | None:
    """The record of the installer; None if stemctl was installed by its name."""
    from importlib import metadata

    try:
        return metadata.distribution("stemctl").read_text("direct_url.json")
    except metadata.PackageNotFoundError:  # it runs from a folder that was never installed
        folder = Path(__file__).resolve().parents[2]
        return json.dumps({"url": folder.as_uri(), "dir_info": {}})


def read_direct_url(text: str, environ: Mapping[str, str]) -> Source:
    """The source that an installer recorded.

    Raises:
        ConfigError: it is not one that jobs can get.
    """
    try:
        document = json.loads(text)
        return _read(document, _without_password(document["url"]), environ)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ConfigError(
            "The record of how stemctl was installed cannot be read.",
            "It is direct_url.json, beside the metadata of the package.",
        ) from error


def _read(document: Any, url: str, environ: Mapping[str, str]) -> Source:
    folder = document.get("subdirectory", "")
    if "vcs_info" in document:
        if document["vcs_info"]["vcs"] != "git":
            raise ConfigError(f"stemctl was installed with {document['vcs_info']['vcs']}.")
        return _git_source(url, document["vcs_info"]["commit_id"], folder)
    if "dir_info" in document:
        path = Path(url2pathname(urlsplit(url).path))
        remote, commit, folder = published_commit(path, environ)
        return _git_source(_without_password(remote), commit, folder)
    info = document["archive_info"]
    algorithm, _, old = info.get("hash", "").partition("=")
    sha256 = info.get("hashes", {}).get("sha256") or (old if algorithm == "sha256" else "")
    if urlsplit(url).scheme != "https":
        raise ConfigError(
            "stemctl was installed from a file of this machine.", f"{url} is not there for jobs."
        )
    if not sha256:
        raise ConfigError(
            f"stemctl was installed from {url}, whose hash is unknown.",
            "Add it, as --source URL#sha256=HASH.",
        )
    return _file_source(url, sha256)


def parse_source(text: str) -> Source:
    """The source that a user named.

    Raises:
        ConfigError: it is none, names no commit or hash, or holds a password.
    """
    named = re.sub(r"^stemctl\s*@\s*", "", text.strip())
    release = re.fullmatch(r"stemctl==([0-9][0-9A-Za-z.]*)", named)
    if release:
        return Release(release[1])
    address, _, fragment = named.partition("#")
    key, _, value = fragment.partition("=")
    try:
        if address.startswith("git+") and key in ("", "subdirectory"):
            url, _, commit = address.removeprefix("git+").rpartition("@")
            _refuse_password(url)
            return _git_source(url, commit, value, typed=True)
        if key == "sha256":
            _refuse_password(address)
            return _file_source(address, value)
    except ValueError:
        pass
    except ConfigError as error:
        raise ConfigError(error.what, error.why, error.hints, Untouched.NOTHING_WRITTEN) from error
    raise ConfigError("This is not a source of stemctl.", _FORMS, (), Untouched.NOTHING_WRITTEN)


def _git_source(url: str, commit: str, folder: str, *, typed: bool = False) -> GitSource:
    ssh = _SSH.fullmatch(url)
    if ssh:  # jobs have no key; the same forge has it at this address
        url = f"https://{ssh[1] or ssh[2]}/{ssh[3]}"
    if not typed or not _LOCAL.match(url):
        _check_address(url)
    if not _PLAIN_URL.fullmatch(f"{url}{folder}"):
        raise ConfigError("The source has characters that cannot be used in a workflow.")
    if not _COMMIT.fullmatch(commit):
        raise _no_commit(url, commit)
    return GitSource(url, commit, folder)


def _no_commit(url: str, name: str) -> ConfigError:
    if not url or not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", name, re.ASCII):
        return ConfigError("The source has no commit.", _FORMS)
    if re.fullmatch("[0-9a-f]{7,}", name):
        return ConfigError(f"`{name}` is not a whole commit.", "Write all of its 40 digits.")
    return ConfigError(
        f"`{name}` is not a commit.",
        "A tag or a branch can move, so write the 40 digits of its commit.",
        [(f"git ls-remote {url} {name}", "shows the commit of a tag or a branch")],
    )


def _file_source(url: str, sha256: str) -> FileSource:
    _check_address(url)
    if not _SHA256.fullmatch(sha256):
        raise ConfigError("The source has no SHA-256 hash.", _FORMS)
    return FileSource(url, sha256)


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.netloc or not _PLAIN_URL.fullmatch(url):
        raise ConfigError(f"Jobs cannot get stemctl from {url}.", "They need an https address.")


def _refuse_password(url: str) -> None:
    if not _SSH.fullmatch(url) and _without_password(url) != url:
        raise ConfigError(
            "The source has a user, a password or a query in its address.",
            "Everyone who can read the workflows would see it.",
        )


def _without_password(url: str) -> str:
    """The address without the parts that may be secrets."""
    if _SSH.fullmatch(url):
        return url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
