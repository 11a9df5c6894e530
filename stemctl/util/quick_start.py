"""What libraries do when they are imported and no command needs, left out or put off.

Importing takes most of the time of a short command. Without this file, everything works as well: it
takes a fifth longer.

- Modules that a library imports for seldom work are executed when they are first used.
- Patterns of click and PyYAML are compiled when they are used. Most are never: PyYAML's are for its
  parser in Python, and we use the one in C.
- click looks on the disk for translations of what it may say. stemctl speaks English.
- msgspec takes what `typing` has, and does not load the large `typing_extensions`.
"""

from __future__ import annotations

import gettext
import importlib
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from stemctl.util.late_pattern import LatePattern, compile_now

if TYPE_CHECKING:
    from importlib.abc import Loader

_OF_OTHERS = {
    "asyncio.staggered",  # asyncio: a host with several addresses
    *("asyncio.sslproto", "ssl"),  # asyncio: an address with https
    *("base64", "bisect"),  # PyYAML: binary data; stemctl: findings
    *("bz2", "lzma"),  # shutil: archives
    *("difflib", "getpass", "gzip", "hashlib", "html", "json", "pickle"),  # stemctl: some commands
    "email.utils",  # stemctl: a server that asks for a pause
    "h11",  # stemctl: a server that is not in this process
    *("inspect", "linecache", "tokenize", "traceback"),  # click, asyncio, logging: source code
    "ipaddress",  # urllib: addresses of IPv6
    "locale",  # gettext: translations
    *("msgspec.inspect", "msgspec.toml", "msgspec.yaml", "textwrap"),  # msgspec: schemas
    "ntpath",  # pathlib: paths of Windows
    "platformdirs",  # stemctl: tokens, and caches
    *("random", "tempfile"),  # stemctl: a second attempt, and another version of the files
    *("secrets", "shlex"),  # stemctl: tokens of the sandbox, and lines to type
}

_OF_OURS = {
    *("cli.habits", "cli.option_habits", "cli.usage"),  # a line that was typed wrong
    *("commands.plan_file", "planning.attribution", "planning.offline"),  # options of plan
    *("core.documents", "core.plan_codec"),  # JSON, and what a run writes
    *("config.config_errors", "config.file_templates"),  # a stemctl.yaml that has errors, or layout
    *("git.containment", "git.mirror", "git.mirror_cache"),  # a commit that is not here
    "git.errors",  # what git says when it fails
    *("manifests.field_context", "manifests.lost_text", "manifests.yaml_hints"),  # findings
    *("manifests.local_times", "manifests.typed_details"),  # some fields
    *("manifests.named_paths", "manifests.second_core"),  # some files, and many
    "render.markdown",  # comments of pull requests
    *("render.text.findings_text", "render.text.run_text"),  # findings; a run that broke off
    "sandbox.seeding",  # a new sandbox
    "schema.local_schema",  # a time zone
    "util.characters",  # findings about odd characters
}
"""What most runs of a short command do not need. Whoever uses such a module imports it as a whole:
`from stemctl.cli import usage`. To take a name from it would execute it at once.
"""

LATE = frozenset({*_OF_OTHERS, *(f"stemctl.{name}" for name in _OF_OURS)})
"""Modules that are imported now and executed when one of their names is first used."""

_WITH_PARTS = frozenset({"bz2", "lzma", "ssl"})
"""Modules of LATE that some builds of Python lack."""


def prepare() -> None:
    """Import the libraries of every command, and let some modules wait."""
    sys.meta_path.insert(0, _Late())
    # For the time of these imports, in the only thread that there is. Patterns that wait have the
    # methods of patterns, which is all that these libraries use.
    re.compile = LatePattern  # type: ignore[assignment]
    translate, gettext.gettext = gettext.gettext, lambda message: message
    try:
        with _without("typing_extensions"):
            for name in ("click", "msgspec", "yaml"):
                importlib.import_module(name)
    finally:
        re.compile = compile_now
        gettext.gettext = translate


def finish() -> None:
    """Execute all modules that wait, before there are threads that could meet one half done. From
    then on, modules are executed when they are imported.
    """
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Late)]
    for name in LATE:
        if isinstance(module := sys.modules.get(name), _LateModule):
            module.execute()


class _LateModule(ModuleType):
    """A module whose names are not there yet."""

    def execute(self) -> None:
        """Become what it should be: a module may change its class, if not for a type checker."""
        self.__class__ = ModuleType  # type: ignore[assignment]
        spec = self.__spec__
        if spec is not None and spec.loader is not None:
            try:
                spec.loader.exec_module(self)
            except BaseException:  # Ctrl-C as well: the next use tries again
                self.__class__ = _LateModule
                raise

    def __getattr__(self, name: str) -> Any:
        # The import system looks whether these are there.
        if name.startswith("__") and name not in ("__all__", "__version__"):
            raise AttributeError(name)
        self.execute()
        return getattr(self, name)


class _Late:
    """Finds the modules that wait, and puts off their execution."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if self._may_wait(name) else None
        if spec is not None:
            spec.loader_state, spec.loader = spec.loader, cast("Loader", self)
        return spec

    def _may_wait(self, name: str) -> bool:
        """Whether a module is on the list. Where its part in C is missing, whoever imports it goes
        on without it, which only an import at once tells.
        """
        if name not in _WITH_PARTS:
            return name in LATE
        part = f"_{name}"
        others = [finder for finder in sys.meta_path if finder is not self]
        is_hidden = sys.modules.get(part, self) is None
        return not is_hidden and any(finder.find_spec(part, None) for finder in others)

    def create_module(self, spec: ModuleSpec) -> None:
        """The usual one."""

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = module.__spec__.loader_state
        module.__class__ = _LateModule


@contextmanager
def _without(name: str) -> Iterator[None]:
    """An optional module that cannot be imported."""
    if name in sys.modules:
        yield
        return
    # None is how the import system is told so, though it is no module.
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
