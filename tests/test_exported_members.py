from __future__ import annotations

import ast
import importlib
import inspect
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import trackbook


def modules_for_type_checkers() -> dict[str, str]:
    """Return the module of each name that `trackbook` imports under ``if TYPE_CHECKING``."""
    tree = ast.parse(Path(trackbook.__file__).read_text("utf-8"))
    (checked,) = [node for node in tree.body if isinstance(node, ast.If)]
    froms = [node for node in checked.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: f"trackbook.{node.module}" for node in froms for alias in node.names}


def test_type_checkers_see_the_public_names() -> None:
    assert modules_for_type_checkers().keys() == set(trackbook.__all__)


@pytest.mark.parametrize("name", trackbook.__all__)
def test_public_names_are_those_of_the_type_checkers(name: str) -> None:
    module = importlib.import_module(modules_for_type_checkers()[name])
    assert getattr(trackbook, name) is getattr(module, name)


def test_dir_lists_the_public_names_before_they_are_imported() -> None:
    program = "import trackbook; print(*dir(trackbook))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert set(found.split()) == {*trackbook.__all__, "config", "run", "__version__"}


def test_a_star_import_has_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from trackbook import *", names)
    assert names.keys() - {"__builtins__"} == set(trackbook.__all__)


def test_exceptions_and_types_are_pickled_by_their_public_names() -> None:
    """In a process that has not used `trackbook` yet."""
    data = pickle.dumps([trackbook.Stopped("enough"), trackbook.TrackbookWarning, trackbook.log])
    program = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read()))"
    done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, check=True)
    assert done.stdout.decode().startswith("[Stopped('enough'), <class 'trackbook.user_warnings.TrackbookWarning'>")


@pytest.mark.parametrize("name", trackbook.__all__)
def test_public_names_have_docstrings(name: str) -> None:
    assert inspect.getdoc(getattr(trackbook, name))


def test_the_version_is_the_distributions() -> None:
    from importlib.metadata import version

    assert trackbook.__version__ == version("trackbook")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        trackbook.nope  # noqa: B018
