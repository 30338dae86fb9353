"""The shape of the house: imports point down, each heavy library has one home, and importing trackbook is light."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import trackbook

PACKAGE = Path(trackbook.__file__).parent

# From the ground up; a module may import from its own layer's earlier names and from the layers below.
LAYERS: dict[str, list[str]] = {
    "words": ["_protocol", "_types", "_errors", "_settings", "_names"],
    "pure": [
        "_values",
        "_config",
        "_keywords",
        "_whats",
        "_rewrite",
        "_defined",
        "_differences",
        "_side_by_side",
        "_stretches",
        "_m4",
        "_buckets",
        "_packing",
        "_frames",
        "_smoothing",
        "_drawn",
        "_still",
        "_picture_file",
        "charts",
        "_altair",
    ],
    "state": [
        "_switching",
        "_files",
        "store",
        "store._interface",
        "store._forms",
        "store._chunks",
        "store._figures",
        "store._points",
        "store.memory",
        "store._schema",
        "store._rows",
        "store._salvage",
        "store._file",
        "store._view",
        "store.sqlite",
        "_records",
        "_journal",
        "_remains",
        "_tables",
        "_enclosed",
        "_facts",
        "_foreign",
        "_parquet",
        "_sql",
    ],
    "doing": [
        "_endings",
        "_recorder",
        "_recovery",
        "_captured",
        "_run",
        "_pump",
        "_project",
        "_tracker",
        "capture",
        "capture.redact",
        "capture.gpus",
        "capture.hardware",
        "capture.environment",
        "capture.system",
        "capture._row",
        "capture._terminal",
        "capture._record",
        "capture._streams",
        "capture.console",
    ],
    "talking": ["_catalog", "_origins", "_about", "_actions", "_detail", "_session"],
    "hosts": [
        "_notebook",
        "_cells",
        "capture.cells",
        "_watching",
        "_front_end",
        "_view",
        "_charted",
        "widget",
        "page",
        "_stills",
    ],
    "face": [
        "_process",
        "_api",
        "_manage",
        "_exchange",
        "_comparing",
        "_options",
        "_commands",
        "_completion",
        "_magics",
        "",
    ],
}
HEIGHT = {name: (floor, place) for floor, names in enumerate(LAYERS.values()) for place, name in enumerate(names)}

HOMES = {
    "sqlite3": {"store._file", "store._rows", "store._salvage"},
    "altair": {"charts", "_altair"},  # what the front end bundles, and what users ask for
    "anywidget": {"widget"},
    "traitlets": {"_front_end", "_view", "_charted", "widget"},
    "ipywidgets": {"_front_end", "widget"},
    "IPython": {"_notebook", "_options", "_commands", "_magics"},
    "numpy": {
        "_stretches",
        "_m4",
        "_buckets",
        "_packing",
        "_drawn",
        "_smoothing",
        "_frames",
        "_detail",
        "_session",
        "_picture_file",
        "_still",
        "_catalog",
        "store._forms",
        "store._chunks",
        "store._figures",
        "store._points",
        "store._rows",
        "store._view",
        "store.sqlite",
        "_records",
        "_remains",
    },
    "polars": {
        "store._interface",
        "store._chunks",
        "store._figures",
        "store._points",
        "store.memory",
        "store._rows",
        "store.sqlite",
        "_records",
        "_recovery",
        "_tables",
        "_enclosed",
        "_foreign",
        "_parquet",
        "_sql",
        "capture.system",
    },
    "platformdirs": {"_settings"},
    "psutil": {"capture.hardware"},
    "pynvml": {"capture.gpus"},
    "pyte": {"capture._row", "capture._terminal"},
    "vl_convert": {"_picture_file", "_altair"},
}
HEAVY = [
    "altair",
    "anywidget",
    "ipywidgets",
    "IPython",
    "numpy",
    "polars",
    "psutil",
    "pynvml",
    "pyte",
    "sqlite3",
    "traitlets",
    "vl_convert",
]


def modules() -> dict[str, Path]:
    """Every module of the package by its name inside it; the package itself is the empty name."""
    names = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING`, which run nowhere."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"):
            yield from walk(child)


@functools.cache
def imports(name: str, path: Path) -> tuple[set[str], set[str]]:
    """The modules of the package, and the top-level modules from outside, that a module imports anywhere."""
    inside, outside = set(), set()
    folder = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            outside.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            outside.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            base = folder.split(".") if folder else []
            base = base[: len(base) - node.level + 1]
            target = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            names = {f"{target}.{alias.name}".strip(".") for alias in node.names}
            inside |= {one if one in HEIGHT else target for one in names}
    return inside - {name}, outside


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_point_down(name: str) -> None:
    assert name in HEIGHT, f"{name} has no layer yet: give it its place in LAYERS and in ARCHITECTURE.md"
    inside, _ = imports(name, modules()[name])
    upward = {other for other in inside if HEIGHT[other] >= HEIGHT[name]}
    assert not upward, f"{name} imports {upward}, which is not below it"


def test_every_layered_module_exists() -> None:
    assert set(HEIGHT) == set(modules())


@pytest.mark.parametrize("library", sorted(HOMES))
def test_a_heavy_library_has_one_home(library: str) -> None:
    users = {name for name, path in modules().items() if library in imports(name, path)[1]}
    assert users == HOMES[library]


def test_only_settings_reads_the_environment() -> None:
    readers = {name for name, path in modules().items() if re.search(r"\benviron\b|getenv", path.read_text("utf-8"))}
    assert readers == {"_settings"}


def test_importing_trackbook_loads_nothing_heavy() -> None:
    program = "import sys, trackbook; print(*(set(sys.argv[1:]) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program, *HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_importing_trackbook_registers_nothing_with_ipython() -> None:
    program = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = {name: list(found) for name, found in shell.events.callbacks.items()}, set(shell.magics_manager.magics["line"])
import trackbook
after = {name: list(found) for name, found in shell.events.callbacks.items()}, set(shell.magics_manager.magics["line"])
print(before == after)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


@pytest.mark.parametrize("name", sorted(modules()))
def test_a_module_stays_readable(name: str) -> None:
    source = modules()[name].read_text("utf-8")
    assert len(source.splitlines()) <= 400
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            start = node.body[1].lineno if ast.get_docstring(node) and len(node.body) > 1 else node.lineno
            assert (node.end_lineno or 0) - start < 60, f"{node.name} is too long"
