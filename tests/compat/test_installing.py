from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import trackbook as tb
from trackbook.compat import install, installing, uninstall
from trackbook.compat.tracker_modules import SUBMODULES, TRACKERS
from trackbook.user_warnings import TrackbookWarning
from tracker_scripts import hearing


def real_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a package `wandb` on the path, with a submodule and metadata."""
    package = folder / "wandb"
    package.mkdir()
    (package / "__init__.py").write_text("real = True")
    (package / "errors.py").write_text("real = True")
    metadata = folder / "wandb-9.9.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: wandb\nVersion: 9.9\n")
    monkeypatch.syspath_prepend(str(folder))


@pytest.mark.parametrize("tracker", TRACKERS)
def test_installed_tracker_is_the_dialect(tracker: str) -> None:
    install(tracker)
    module = importlib.import_module(tracker)
    dialect = importlib.import_module(f"trackbook.compat.{tracker}")
    assert module.init is dialect.init
    assert module.__version__ == dialect.__version__ == importlib.metadata.version(tracker)
    spec = importlib.util.find_spec(tracker)
    assert spec is not None
    assert spec.origin == "trackbook.compat"
    assert dialect.__spec__.name == f"trackbook.compat.{tracker}"
    assert set(dialect.__all__) <= set(dir(module))


@pytest.mark.parametrize("path", SUBMODULES)
def test_submodule_has_its_names(path: str) -> None:
    tracker, *names = path.split(".")
    found = functools.reduce(getattr, names, importlib.import_module(f"trackbook.compat.{tracker}"))
    install(tracker)
    module = importlib.import_module(path)
    for name in SUBMODULES[path]:
        assert callable(getattr(module, name)) or hasattr(getattr(module, name), "get")
        if path != "trackio.run":  # which is the current run until it is imported
            assert getattr(module, name) is getattr(found, name)


def test_submodule_that_is_not_known_cannot_be_imported() -> None:
    install("wandb")
    assert importlib.util.find_spec("wandb.nope") is None
    with pytest.raises(ModuleNotFoundError, match=r"wandb\.nope"):
        importlib.import_module("wandb.nope")
    with pytest.raises(ImportError, match=r"cannot import name 'Nope'"):
        exec("from wandb.errors import Nope")


def test_current_run_and_config_are_those_of_now() -> None:
    install("wandb")
    import wandb

    assert wandb.run is None
    with pytest.raises(RuntimeError, match="needs a run"):
        wandb.config  # noqa: B018
    run = wandb.init(project="p", config={"lr": 1})
    assert wandb.run is run is tb.run
    assert wandb.config is run.config
    assert wandb.summary is run.summary


def test_name_that_is_not_known_does_nothing_and_says_so_once() -> None:
    wandb = importlib.import_module("trackbook.compat.wandb")
    with hearing() as heard:
        assert wandb.profile("x", level=3) is None
        assert wandb.profile("y") is None
    assert heard == ["wandb.profile is unknown to trackbook, and does nothing (said once)"]
    run = wandb.init(project="p")
    with pytest.warns(TrackbookWarning, match=r"wandb\.Fancy is unknown"):
        value = wandb.Fancy(1)
    with pytest.warns(TrackbookWarning, match="Fancy is not recorded"):
        assert run.log({"a": 1, "b": value}) == {"a": 1.0}
    with pytest.raises(AttributeError, match="has no attribute '_private'"):
        wandb._private  # noqa: B018


def test_decorator_that_is_not_known_leaves_the_function() -> None:
    wandb = importlib.import_module("trackbook.compat.wandb")
    with pytest.warns(TrackbookWarning, match=r"wandb\.op is unknown"):

        @wandb.op
        def train() -> int:
            return 3

    assert train() == 3


def test_uninstall_restores_what_was_found_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_package(tmp_path, monkeypatch)
    before = list(sys.meta_path)
    install("wandb", "trackio")
    wandb = importlib.import_module("wandb.errors")
    assert "real" not in vars(wandb)
    uninstall("wandb")
    assert importlib.import_module("wandb.errors").real
    assert importlib.metadata.version("wandb") == "9.9"
    assert importlib.util.find_spec("trackio") is not None
    uninstall()
    assert importlib.util.find_spec("trackio") is None
    assert sys.meta_path == before


def test_tracker_that_is_imported_is_not_replaced_without_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_package(tmp_path, monkeypatch)
    real = importlib.import_module("wandb.errors")
    before = list(sys.meta_path)
    with pytest.raises(RuntimeError, match=r"wandb itself is imported already, from .*__init__\.py.*force=True"):
        install("trackio", "wandb")
    assert sys.meta_path == before
    assert importlib.util.find_spec("trackio") is None
    install("wandb", force=True)
    assert "real" not in vars(importlib.import_module("wandb"))
    assert importlib.metadata.version("wandb") != "9.9"
    uninstall()
    assert importlib.import_module("wandb.errors") is real
    assert importlib.metadata.version("wandb") == "9.9"


def test_package_on_the_path_is_replaced_before_it_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_package(tmp_path, monkeypatch)
    install("wandb")
    assert "real" not in vars(importlib.import_module("wandb"))
    assert importlib.metadata.version("wandb") != "9.9"


def test_second_install_changes_nothing() -> None:
    install("wandb")
    module = importlib.import_module("wandb")
    install("wandb")
    assert importlib.import_module("wandb") is module
    assert sys.meta_path.count(installing._finder) == 1


def test_another_tracker_is_an_error() -> None:
    with pytest.raises(
        ValueError, match="'mlflow' is not a tracker that trackbook stands in for: trackio, swanlab, wandb"
    ):
        install("mlflow")


def test_lists_of_what_is_installed_do_not_have_it() -> None:
    """A run records them, and they are to be true."""
    install("wandb")
    assert "wandb" not in {found.metadata["Name"] for found in importlib.metadata.distributions()}


def test_importing_the_dialects_changes_nothing() -> None:
    program = """
import importlib.metadata, sys
def state():
    return list(sys.meta_path), list(sys.path_hooks), {name for name in sys.modules if name.partition(".")[0] in ("wandb", "trackio", "swanlab")}
before = state()
import trackbook.compat.wandb, trackbook.compat.trackio, trackbook.compat.swanlab
trackbook.compat.wandb.sdk.lib.config_util
print(before == state())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_load_ext_installs_what_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[object] = []
    monkeypatch.setattr("trackbook.magics.extension.load", loaded.append)
    tb.load_ipython_extension("shell")
    assert importlib.util.find_spec("wandb") is None
    monkeypatch.setenv("TRACKBOOK_COMPAT", "trackio, wandb")
    tb.load_ipython_extension("shell")
    assert importlib.util.find_spec("wandb") is not None
    assert importlib.util.find_spec("trackio") is not None
    assert importlib.util.find_spec("swanlab") is None
    assert loaded == ["shell", "shell"]


def test_module_that_was_set_to_none_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)  # type: ignore[arg-type]  # forbids the import
    install("wandb")
    assert isinstance(importlib.import_module("wandb"), ModuleType)
    uninstall()
    assert sys.modules["wandb"] is None
