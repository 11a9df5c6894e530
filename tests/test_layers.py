"""The architecture as a table: which package may import which, and what is measured of it.

`python -m tests.test_layers` prints the measurements.
"""

from __future__ import annotations

import ast
import graphlib
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

from tests.support.paths import PROJECT

PACKAGE = PROJECT / "stemctl"

ROOMS = (
    "errors",
    "util",
    "git",
    "schema",
    "core",
    "manifests",
    "config",
    "planning",
    "takeover",
    "sheets",
    "sandbox",
    "render",
    "client",
    "state",
    "apply",
    "commands",
    "cli",
    "__main__",
)
"""The packages and the two loose modules. Each may import only from those before it."""

MOST_FLOORS, MOST_ARROWS = 12, 100
"""A room stands one floor above the highest room that it imports; an arrow says that one room
imports another.
"""

PURE = {"util", "schema", "core", "planning", "render"}
NO_IO = {
    "asyncio",
    "httpx",
    "os",
    "pathlib",
    "socket",
    "sqlite3",
    "subprocess",
    "tempfile",
    "click",
}
READS_FILES = {
    *(f"stemctl.schema.{name}" for name in ("catalog", "fields", "models", "tables")),
    "stemctl.util.atomic_file",
    "stemctl.util.user_folder",
}
"""The modules of pure packages that touch files: the tables of stemctl itself, the one writer of
files, and the home of the user.
"""

SPAWNERS = {"subprocess": "stemctl.git.process", "webbrowser": "stemctl.cli.browser"}
"""The one module that may import what starts programs."""

STARTS = re.compile(
    r"os\.(system|popen|exec\w+|spawn\w+|posix_spawn\w*|fork\w*|startfile)|create_subprocess_\w+|Popen"
)

TWICE = {
    "__init__.py",
    "errors.py",  # of a command, and of git
    "approvals.py",  # of a plan, and over HTTP
    "values.py",  # their comparison, and how they are shown
}
"""File names that several packages have; commands/ and cli/cmd/ may also share theirs."""

MODULES = {
    ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


@cache
def imports(module: str) -> frozenset[str]:
    """What a module imports when it is loaded or run, imports for type checkers excepted."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    for_types_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in for_types_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return frozenset(found - {module})


def room(module: str) -> str:
    """The package or loose module that a module is in; empty for stemctl itself, which holds its
    version.
    """
    return module.partition(".")[2].partition(".")[0]


def arrows() -> dict[tuple[str, str], list[str]]:
    """From which room to which, and the imports that make the arrow."""
    found: dict[tuple[str, str], list[str]] = {}
    for module in MODULES:
        for other in imports(module):
            ends = room(module), room(other)
            if other in MODULES and ends[0] != ends[1] and all(ends):
                found.setdefault(ends, []).append(f"{module} imports {other}")
    return found


def floors() -> dict[str, int]:
    """The floor of each room."""
    found: dict[str, int] = {}
    for name in ROOMS:
        below = [found[to] for start, to in arrows() if start == name]
        found[name] = 1 + max(below, default=0)
    return found


def test_every_module_is_in_a_package_of_the_table() -> None:
    assert {room(module) for module in MODULES if module != "stemctl"} == set(ROOMS)
    loose = {path.stem for path in PACKAGE.glob("*.py")}
    assert loose == {"__init__", "__main__", "errors"}


def test_arrows_go_one_way() -> None:
    upward = [
        line
        for (start, end), lines in arrows().items()
        if ROOMS.index(end) > ROOMS.index(start)
        for line in lines
    ]
    assert upward == []


def test_the_graph_stays_small() -> None:
    assert max(floors().values()) <= MOST_FLOORS
    assert len(arrows()) <= MOST_ARROWS


def test_there_is_no_cycle() -> None:
    graph = {module: {other for other in imports(module) if other in MODULES} for module in MODULES}
    graphlib.TopologicalSorter(graph).prepare()


def test_a_file_is_found_by_its_name() -> None:
    paired = {"stemctl/commands", "stemctl/cli/cmd"}
    names = Counter(
        path.name
        for path in PACKAGE.rglob("*.py")
        if path.parent.relative_to(PROJECT).as_posix() not in paired
    )
    assert {name for name, count in names.items() if count > 1} <= TWICE


def test_pure_packages_do_no_io() -> None:
    wrong = [
        f"{module} imports {other}"
        for module in MODULES
        if room(module) in PURE and module not in READS_FILES
        for other in imports(module)
        if other.split(".")[0] in NO_IO
    ]
    assert wrong == []


def test_programs_are_started_in_two_places() -> None:
    """Git through one door, which is deaf to the checkout; and the user's browser. Neither is given
    the token.
    """
    imported = {(module, other.split(".")[0]) for module in MODULES for other in imports(module)}
    assert {(module, other) for module, other in imported if other in SPAWNERS} == {
        (module, other) for other, module in SPAWNERS.items()
    }
    inner = {
        module: {match[0] for match in STARTS.finditer(path.read_text(encoding="utf-8"))}
        for module, path in MODULES.items()
        if STARTS.search(path.read_text(encoding="utf-8"))
    }
    # A fork alone starts no program: it is a copy of this one.
    assert inner.pop("stemctl.manifests.second_core") == {"os.fork"}
    assert list(inner) == ["stemctl.git.process"]


WORDS = {"user"}
"""Models whose names are words of their own here: `user` is a key that hides a secret."""


GENERIC = {
    "user": "of this machine, of a URL, and of the sandbox",
    "users": "of the sandbox",
    "group": "of commands, of a pattern, of fields and of types of details",
    "groups": "of fields that are unique together, and of the sandbox",
    "entry": "of the state, of a list, and of a log, which is a shape of its own",
    "entries": "of the state, of a list, and of a log",
    "collection": "a type of Python",
    "collections": "a module of Python",
    "journal": "of a run",
    "subject": "of a commit, and of a sentence",
    "session": "of processes, and the device login has a session_id",
    "setup": "of this machine, before the server is asked",
}
"""Words of the code that happen to be models as well, and what they mean there."""


def _words(text: str) -> set[str]:
    """The words of an identifier or key, and those that are made of several in a row."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower()
    parts = [part for part in re.split(r"[^a-z0-9]+", split) if part]
    runs = [parts[i:j] for i in range(len(parts)) for j in range(i + 1, min(i + 5, len(parts)) + 1)]
    return {"".join(run) for run in runs}


def _named_in(tree: ast.AST) -> Iterator[str]:
    """All identifiers of a module, and all its texts that are no prose."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=text) | ast.Attribute(attr=text) | ast.arg(arg=text):
                yield text
            case ast.FunctionDef(name=text) | ast.AsyncFunctionDef(name=text):
                yield text
            case ast.ClassDef(name=text):
                yield text
            case ast.keyword(arg=str() as text) | ast.alias(name=text):
                yield text
            case ast.ImportFrom(module=str() as text):
                yield text
            case ast.Constant(value=str() as text) if not re.search(r"\s", text.strip()):
                yield text


def _model_names() -> set[str]:
    from stemctl.schema.catalog import editions, load_catalog

    models = [model for edition in editions() for model in load_catalog(edition).models.values()]
    spellings = {w for m in models for w in (m.name, m.title, m.one, m.many, m.section)}
    return {re.sub("[^a-z]", "", word.lower()) for word in spellings}


def test_no_model_is_named_in_the_code() -> None:
    """Tables alone tell of models, in every edition: no identifier and no text is one of them."""
    names = _model_names() - set(GENERIC)
    found = [
        f"{module}: {text}"
        for module, path in MODULES.items()
        for text in _named_in(ast.parse(path.read_text(encoding="utf-8")))
        if _words(text) & names
    ]
    assert found == []


def test_generic_words_are_models_and_no_model_is_taken_by_its_name() -> None:
    """No word is excused that is no model, and none of them is a text that code compares with."""
    assert set(GENERIC) <= _model_names()
    texts = [
        f"{module}: {node.value!r}"
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in GENERIC
    ]
    assert texts == ["stemctl.config.config_errors: 'user'"]  # a key of stemctl.yaml that is none


def measure() -> None:
    """Print how large the house is."""
    lines = {
        module: path.read_text(encoding="utf-8").count("\n") for module, path in MODULES.items()
    }
    trees = {
        module: ast.parse(path.read_text(encoding="utf-8")) for module, path in MODULES.items()
    }
    functions = sorted(
        (node.end_lineno or node.lineno) - node.lineno + 1
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    wide = sum(
        len(line) > 100
        for path in MODULES.values()
        for line in path.read_text(encoding="utf-8").splitlines()
    )
    print(f"rooms {len(ROOMS)}, arrows {len(arrows())}, floors {max(floors().values())}")
    print(f"files {len(lines)}, lines {sum(lines.values())}, longest {max(lines.values())}")
    middle, tenth = len(functions) // 2, len(functions) * 9 // 10
    print(
        f"functions {len(functions)}: median {functions[middle]}, p90 {functions[tenth]}, "
        f"max {functions[-1]} lines"
    )
    print(f"lines of more than 100 characters {wide}")


if __name__ == "__main__":
    measure()
