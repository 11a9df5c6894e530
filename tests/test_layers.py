"""Arrows go one way: values, pure functions, files and network, workflow, command line. No cycles."""

from __future__ import annotations

import ast
import graphlib
import re
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "stemctl"

LAYERS = {
    "values": "errors equality formats hashing records diagnostics masking plan since state strictjson",
    "pure": """
        accepts catalog claim config_schema editor explain git_words nearest patterns place plan_check
        plan_schema planning render runs saved schema shapes
        manifests.absent manifests.across manifests.check manifests.defaults manifests.document manifests.formats
        manifests.judge manifests.layout manifests.moments manifests.parser manifests.scalars manifests.scope
        manifests.subject manifests.syntax manifests.text_layout manifests.translate
    """,
    "files and network": """
        before branch calling_git clock collector config durable forge formatting git git_around journal manifests owner
        own_folder run_records sandbox schema_files server start state_file store work_tree
    """,
    "workflow": "ancestry applying checking ci connection migration workflow workspace",
    "command line": "cli __main__",
}
"""Who may import whom: modules and folders of a layer, those of the layers above it, and no other."""

NO_IO = {"asyncio", "httpx", "os", "pathlib", "socket", "sqlite3", "subprocess", "tempfile", "click", "starlette"}
SPAWNERS = {"subprocess": "stemctl.git.process", "webbrowser": "stemctl.cli.browser"}
"""The one module that may import what starts programs."""

STARTS = re.compile(r"os\.(system|popen|exec\w+|spawn\w+|posix_spawn\w*|fork\w*|startfile)|create_subprocess_\w+|Popen")

READS_TABLES = {"catalog"}
"""The one pure module that reads files: the tables of the package itself."""


def layer(module: str) -> int:
    """The number of a module's layer, or of its folder's; the package itself (its version) is below all."""
    name = module.removeprefix("stemctl").lstrip(".")
    if not name:
        return -1
    for known in (name, name.split(".")[0]):
        for number, names in enumerate(LAYERS.values()):
            if known in names.split():
                return number
    raise AssertionError(f"{module} stands in no layer of this test")


def imports(path: Path) -> set[str]:
    """What a module imports when it is loaded or run; what only type checkers see does not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            base = node.module
            found |= {
                f"{base}.{alias.name}"
                if (PACKAGE.parent / base.replace(".", "/") / f"{alias.name}.py").exists()
                else base
                for alias in node.names
            }
    return found


MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


def test_arrows_go_one_way() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, path in MODULES.items()
        for other in imports(path)
        if other.startswith("stemctl.") and layer(other) > layer(module)
    ]
    assert wrong == []


def test_there_is_no_cycle() -> None:
    graph = {module: {o for o in imports(path) if o in MODULES and o != module} for module, path in MODULES.items()}
    graphlib.TopologicalSorter(graph).prepare()


def test_pure_modules_do_no_io() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, path in MODULES.items()
        if layer(module) in (0, 1) and module.removeprefix("stemctl.") not in READS_TABLES
        for other in imports(path)
        if other.split(".")[0] in NO_IO
    ]
    assert wrong == []


def test_programs_are_started_in_two_places() -> None:
    """Git through one door, which is deaf to the checkout; and the user's browser. Neither is given the token."""
    imported = {(module, other.split(".")[0]) for module, path in MODULES.items() for other in imports(path)}
    assert {(module, other) for module, other in imported if other in SPAWNERS} == {
        (module, other) for other, module in SPAWNERS.items()
    }
    inner = [module for module, path in MODULES.items() if STARTS.search(path.read_text(encoding="utf-8"))]
    assert inner == ["stemctl.git.process"]


def test_no_model_is_named_in_the_code() -> None:
    from stemctl.schema.catalog import load_catalog

    names = {word for model in load_catalog("2024").models.values() for word in (model.name, model.one, model.many)}
    found = [
        f"{module}: {node.value!r}"
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in names
    ]
    assert found == []
