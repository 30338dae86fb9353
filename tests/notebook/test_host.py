from __future__ import annotations

import contextvars
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from trackbook import TrackbookWarning
from trackbook.notebook import host
from trackbook.notebook.host import Host, Jupyter, Marimo


class Shell:
    """The part of a Jupyter kernel's shell that `host` uses."""

    def __init__(self) -> None:
        self.kernel = object()
        self.execution_count = 1
        self.user_ns: dict[str, Any] = {}
        self.request: dict[str, Any] = {"header": {"msg_id": "first"}, "content": {"allow_stdin": True}}
        self.callbacks: list[Callable[[Any], None]] = []
        self.events = SimpleNamespace(
            register=lambda _, call: self.callbacks.append(call),
            unregister=lambda _, call: self.callbacks.remove(call),
        )

    def get_parent(self) -> dict[str, Any]:
        return self.request

    def end_cell(self) -> None:
        for callback in list(self.callbacks):
            callback(None)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = Shell()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return shell


@pytest.fixture
def jupyter(shell: Shell) -> Host:
    found = host.current()
    assert isinstance(found, Jupyter)
    return found


# --- which host


def test_plain_program_has_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    found = host.current()
    assert type(found) is Host
    assert (found.shell, found.cell(), found.name(), found.about()) == (None, None, None, None)
    assert (found.is_notebook, found.tells_cell_ends) == (False, False)
    assert (found.takes_late_outputs(), found.has_no_reader()) == (False, False)
    found.load_magics()


def test_ipython_in_a_terminal_is_not_a_notebook(shell: Shell) -> None:
    del shell.kernel
    assert type(host.current()) is Host


def test_shell_with_a_kernel_is_jupyter(shell: Shell, jupyter: Host) -> None:
    assert jupyter.shell is shell
    assert jupyter.is_notebook
    assert jupyter.tells_cell_ends
    assert jupyter.shares_models


def test_script_that_imports_marimo_is_not_a_notebook(marimo: SimpleNamespace) -> None:
    marimo.running_in_notebook = lambda: False
    assert type(host.current()) is Host


def test_marimo_wins_over_an_imported_ipython(shell: Shell, marimo: SimpleNamespace) -> None:
    assert isinstance(host.current(), Marimo)


# --- Jupyter


def test_each_execution_of_a_cell_has_another_name(shell: Shell, jupyter: Host) -> None:
    first = jupyter.cell()
    shell.request = {"header": {"msg_id": "second"}}
    assert (first, jupyter.cell()) == ("first", "second")


def test_kernel_that_keeps_no_request_counts_executions(shell: Shell, jupyter: Host) -> None:
    shell.request = {}
    assert jupyter.cell() == "1"


@pytest.mark.parametrize(
    ("path", "name"), [("work/my notebook.ipynb", "my notebook"), ("C:\\x\\digits.ipynb", "digits")]
)
def test_notebook_name_comes_from_jupyter(jupyter: Host, monkeypatch: pytest.MonkeyPatch, path: str, name: str) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", path)
    assert jupyter.name() == name


def test_notebook_name_comes_from_vs_code(shell: Shell, jupyter: Host) -> None:
    shell.user_ns["__vsc_ipynb_file__"] = "/home/me/digits.ipynb"
    assert jupyter.name() == "digits"
    assert jupyter.about() == {"name": "digits.ipynb", "path": "/home/me/digits.ipynb"}


def test_notebook_without_a_name_has_none(jupyter: Host) -> None:
    assert jupyter.name() is None
    assert jupyter.about() is None


def test_executed_notebook_has_no_reader(shell: Shell, jupyter: Host) -> None:
    assert not jupyter.has_no_reader()
    shell.request["content"]["allow_stdin"] = False
    assert jupyter.has_no_reader()


def test_only_jupyterlab_and_notebook_get_late_outputs(
    shell: Shell, jupyter: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert jupyter.takes_late_outputs()
    shell.user_ns["__vsc_ipynb_file__"] = "/home/me/digits.ipynb"
    assert not jupyter.takes_late_outputs()
    del shell.user_ns["__vsc_ipynb_file__"]
    shell.request["content"]["allow_stdin"] = False
    assert not jupyter.takes_late_outputs()
    shell.request["content"]["allow_stdin"] = True
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    assert not jupyter.takes_late_outputs()


def test_cell_id_and_source_come_with_the_request(shell: Shell, jupyter: Host) -> None:
    assert (jupyter.cell_id(), jupyter.cell_source()) == (None, None)
    shell.request |= {"metadata": {"cellId": "a1"}, "content": {"code": "x = 1"}}
    assert (jupyter.cell_id(), jupyter.cell_source()) == ("a1", "x = 1")


def test_failure_to_load_the_magics_is_a_warning(shell: Shell, jupyter: Host) -> None:
    def fail(_: str) -> None:
        raise ImportError("no")

    jupyter.load_magics()
    shell.extension_manager = SimpleNamespace(loaded={"trackbook"}, load_extension=fail)  # type: ignore[attr-defined]
    jupyter.load_magics()
    shell.extension_manager.loaded.clear()  # type: ignore[attr-defined]
    with pytest.warns(TrackbookWarning, match="%track is not available, because loading it failed"):
        jupyter.load_magics()


# --- marimo


@pytest.fixture
def marimo(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The part of marimo that `host` uses."""
    fake = SimpleNamespace(running_in_notebook=lambda: True, shown=[])
    fake.output = SimpleNamespace(append=fake.shown.append)
    fake.context = SimpleNamespace(execution_context=SimpleNamespace())
    monkeypatch.setitem(sys.modules, "marimo", fake)
    monkeypatch.setitem(sys.modules, "marimo._runtime.context", SimpleNamespace(get_context=lambda: fake.context))
    return fake


def test_marimo_names_each_execution(marimo: SimpleNamespace) -> None:
    found = host.current()
    first = found.cell()
    assert first is not None
    assert found.cell() == first
    marimo.context.execution_context = SimpleNamespace()
    assert found.cell() not in (None, first)
    marimo.context.execution_context = None
    assert found.cell() is None


def test_marimo_appends_boards_to_the_output_of_the_cell(marimo: SimpleNamespace) -> None:
    found = host.current()
    found.show("board")
    assert marimo.shown == ["board"]
    assert (found.is_notebook, found.shares_models, found.tells_cell_ends) == (True, False, False)
    assert not found.takes_late_outputs()


# --- hooks and threads


def test_hook_is_called_once_at_the_end_of_each_cell(shell: Shell) -> None:
    calls: list[str] = []
    hook = host.CellHook("post_run_cell", lambda _: calls.append("end"), "tells")
    hook.watch(shell)
    hook.watch(shell)
    shell.end_cell()
    shell.end_cell()
    assert calls == ["end", "end"]


def test_failing_hook_warns_once_and_switches_itself_off(shell: Shell) -> None:
    def fail(_: object) -> None:
        raise OSError("no")

    host.CellHook("post_run_cell", fail, "updates boards").watch(shell)
    with pytest.warns(TrackbookWarning, match="no longer updates boards, because that failed: OSError"):
        shell.end_cell()
    shell.end_cell()
    assert shell.callbacks == []


@pytest.mark.parametrize(("version", "kept"), [((7, 0, 1), "cell"), ((7, 4, 0), None)])
def test_threads_copy_the_variables_of_a_cell_only_for_ipykernel_7_0(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], kept: str | None
) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel", SimpleNamespace(version_info=version))
    variable = contextvars.ContextVar[str]("variable")
    token = variable.set("cell")
    assert host.thread_context().get(variable) == kept
    variable.reset(token)
