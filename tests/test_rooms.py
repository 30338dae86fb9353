"""The package graph: imports point down, heavy libraries have fixed homes, and importing trackbook has no effect."""

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

# From the ground up; "" is what lies in the package itself: the modules that every room may use.
ROOMS = [
    "",
    "alerting",
    "store",
    "artifacts",
    "journal",
    "data",
    "frames",
    "charts",
    "media",
    "tracking",
    "imports",
    "notebook",
    "capture",
    "remote",
    "boards",
    "server",
    "api",
    "integrations",
    "compat",
    "magics",
    "cli",
]
WORDS = [
    "types",
    "forks",
    "user_warnings",
    "settings",
    "ids",
    "metrics",
    "text",
    "filesystem",
    "switch_interval",
    "pump",
]
HOMES = {
    "sqlite3": {"store", "imports"},
    "altair": {"charts", "media"},
    "anywidget": {"boards"},
    "arro3": {"remote"},
    "deltalake": {"remote"},
    "huggingface_hub": {"remote"},
    "starlette": {"server"},
    "uvicorn": {"server"},
    "prometheus_client": {"server"},
    "tenacity": {"remote"},
    "httpx": {"remote"},
    "ipywidgets": {"boards"},
    "traitlets": {"boards"},
    "IPython": {"notebook", "magics"},
    "numpy": {"store", "journal", "frames", "charts", "media", "tracking", "boards", "remote"},
    "polars": {"store", "journal", "data", "media", "tracking", "imports", "capture", "remote"},
    "platformdirs": {""},
    "psutil": {"store", "capture"},
    "pynvml": {"capture"},
    "pyte": {"capture"},
    "vl_convert": {"charts"},
    "PIL": {"charts", "media", "tracking"},
    "typer": {"cli"},
    "rich": {"cli"},
    "yaml": {"imports"},
    "aim": {"imports"},
}
HEAVY = sorted(HOMES.keys() - {"platformdirs"})


@functools.cache
def modules() -> dict[str, Path]:
    """Return every module of the package by its name inside it; the package itself has the empty name."""
    names = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def room(name: str) -> str:
    """The room of a module: its package, or "" for what lies in `trackbook` itself. `__main__` is the command line."""
    if name == "__main__":
        return "cli"
    first, dot, _ = name.partition(".")
    return first if dot or first in ROOMS else ""


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes except those under `if TYPE_CHECKING`, which never run."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"):
            yield from walk(child)


@functools.cache
def imports(name: str) -> tuple[set[str], set[str]]:
    """Return the modules of the package, and the top-level modules from outside, that a module imports anywhere."""
    path = modules()[name]
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
            inside |= {one if one in modules() else target for one in names}
    return inside - {name}, outside


def test_every_room_has_its_place() -> None:
    assert set(ROOMS) == {room(name) for name in modules()}
    assert {name for name in modules() if name and name not in ROOMS and room(name) == ""} == set(WORDS)


@pytest.mark.parametrize("name", sorted(modules().keys() - {""}))
def test_imports_point_down(name: str) -> None:
    upward = {other for other in imports(name)[0] if ROOMS.index(room(other)) > ROOMS.index(room(name))}
    assert not upward, f"{name} imports {upward}, whose rooms are above its own"


def test_no_modules_import_each_other_in_a_circle() -> None:
    left = {name: imports(name)[0] & modules().keys() for name in modules()}
    while free := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in free:
            del left[name]
    assert not left, f"circles among {sorted(left)}"


@pytest.mark.parametrize("library", sorted(HOMES))
def test_a_heavy_library_has_its_homes(library: str) -> None:
    assert {room(name) for name in modules() if library in imports(name)[1]} == HOMES[library]


def test_only_settings_reads_the_environment() -> None:
    readers = {name for name, path in modules().items() if re.search(r"\benviron\b|getenv", path.read_text("utf-8"))}
    assert readers == {"settings"}


def test_no_module_switches_warnings_off_for_a_while() -> None:
    """Warnings belong to the process: what a thread restores, another one may be in the middle of, and the user's would be lost for good."""
    assert not [name for name, path in modules().items() if "catch_warnings" in path.read_text("utf-8")]


def test_statements_of_sql_have_no_numbered_placeholders() -> None:
    """Python 3.12.0 to 3.12.3, the one of Ubuntu 24.04, warns of ``?1`` with a tuple of values, which ``-W error`` makes an error."""
    assert not [name for name, path in modules().items() if re.search(r"[=<>(] ?\?\d", path.read_text("utf-8"))]


def test_no_module_has_the_name_of_a_public_function() -> None:
    """Importing a submodule sets an attribute of its parent: `trackbook.board` would become a module."""
    public = {*trackbook.__all__, *dir(trackbook)}
    assert not public & {name for name in modules() if name and "." not in name}


def run(program: str, *words: str) -> str:
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_trackbook_loads_three_modules_of_it() -> None:
    """Whatever else a program uses is imported when it uses it."""
    program = "import sys, trackbook; print(*(name for name in sys.modules if name.startswith('trackbook')))"
    assert set(run(program).split()) == {"trackbook", "trackbook.forks", "trackbook.media"}


def test_importing_trackbook_loads_no_slow_modules_of_python() -> None:
    slow = {
        "asyncio",
        "dataclasses",
        "email",
        "hashlib",
        "http",
        "inspect",
        "json",
        "logging",
        "pathlib",
        "ssl",
        "uuid",
    }
    program = "import sys, trackbook; print(*(set(sys.argv[1:]) & set(sys.modules)))"
    assert run(program, *slow, *HEAVY) == ""


def test_a_run_that_only_logs_loads_no_other_verbs_modules() -> None:
    """Each of them would delay every first run."""
    others = {
        *(name for name in modules() if room(name) in ("charts", "imports", "integrations", "magics", "server", "cli")),
        *(
            f"api.{name}"
            for name in ("alerts", "artifacts", "compare", "data", "pages", "serving", "spaces", "syncing")
        ),
        "boards.widget",
        "data.run_differences",
        "remote.leaving",
    }
    assert others < modules().keys()
    program = """
import sys, trackbook
trackbook.init(display=False)
trackbook.log({"loss": 1.0})
trackbook.finish()
print(*(set(sys.argv[1:]) & set(sys.modules)))
"""
    assert run(program, *(f"trackbook.{name}" for name in others)) == ""


def test_importing_trackbook_has_no_effect_on_the_process() -> None:
    """Only registrations of our own callables count: modules of the standard library make some of theirs."""
    program = """
import atexit, os, signal, sys, threading
ours = []
def noting(register):
    def call(*given, **named):
        ours.extend(one for one in (*given, *named.values()) if getattr(one, "__module__", "").startswith("trackbook"))
        return register(*given, **named)
    return call
atexit.register = noting(atexit.register)
os.register_at_fork = noting(os.register_at_fork)
threading._register_atexit = noting(threading._register_atexit)
def state():
    handlers = [signal.getsignal(one) for one in signal.valid_signals()]
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook, sys.displayhook, sys.exit, sys.stdout, sys.stderr
    return handlers, threading.enumerate(), hooks, dict(os.environ)
before = state()
import trackbook
print(ours, before == state(), trackbook.run)
"""
    assert run(program) == "[] True None"


def test_first_call_registers_the_end_of_runs() -> None:
    """This shows that the test above looks in the right place."""
    program = """
import atexit, os
ours = []
atexit.register = lambda one, *rest: ours.append(one.__module__)
import trackbook
trackbook.runs()
print("trackbook.api.process" in ours)
"""
    assert run(program) == "True"


def test_importing_trackbook_registers_nothing_with_ipython() -> None:
    program = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def state():
    return {name: list(found) for name, found in shell.events.callbacks.items()}, set(shell.magics_manager.magics["line"])
before = state()
import trackbook
print(before == state())
"""
    assert run(program) == "True"


@pytest.mark.parametrize("name", sorted(modules()))
def test_a_module_stays_readable(name: str) -> None:
    source = modules()[name].read_text("utf-8")
    assert len(source.splitlines()) <= 400
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            start = node.body[1].lineno if ast.get_docstring(node) and len(node.body) > 1 else node.lineno
            assert (node.end_lineno or 0) - start < 60, f"{node.name} is too long"
