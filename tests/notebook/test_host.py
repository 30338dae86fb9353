from __future__ import annotations

import contextvars
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from trackbook import TrackbookWarning
from trackbook.notebook import host


class Shell:
    """As much of a Jupyter kernel's shell as `host` looks at."""

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


def test_a_plain_program_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert (host.shell(), host.cell(), host.name()) == (None, None, None)


def test_ipython_in_a_terminal_is_no_notebook(shell: Shell) -> None:
    del shell.kernel
    assert host.shell() is None


def test_each_execution_of_a_cell_is_another(shell: Shell) -> None:
    first = host.cell()
    shell.request = {"header": {"msg_id": "second"}}
    assert (first, host.cell()) == ("first", "second")


def test_a_kernel_that_keeps_no_request_counts_executions(shell: Shell) -> None:
    shell.request = {}
    assert host.cell() == "1"


@pytest.mark.parametrize(
    ("path", "name"), [("work/my notebook.ipynb", "my notebook"), ("C:\\x\\digits.ipynb", "digits")]
)
def test_the_notebooks_name_comes_from_jupyter(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, path: str, name: str
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", path)
    assert host.name() == name


def test_the_notebooks_name_comes_from_vs_code(shell: Shell) -> None:
    shell.user_ns["__vsc_ipynb_file__"] = "/home/me/digits.ipynb"
    assert host.name() == "digits"
    assert host.about() == {"name": "digits.ipynb", "path": "/home/me/digits.ipynb"}


def test_a_notebook_that_nobody_named_has_no_name(shell: Shell) -> None:
    assert host.name() is None
    assert host.about() is None


def test_a_program_that_executes_a_notebook_reads_no_answers(shell: Shell) -> None:
    assert not host.has_no_reader()
    shell.request["content"]["allow_stdin"] = False
    assert host.has_no_reader()


def test_the_end_of_each_cell_is_told_once(shell: Shell) -> None:
    told: list[str] = []
    hook = host.CellHook("post_run_cell", lambda _: told.append("end"), "tells")
    hook.watch(shell)
    hook.watch(shell)
    shell.end_cell()
    shell.end_cell()
    assert told == ["end", "end"]


def test_a_hook_that_fails_is_said_once_and_switched_off(shell: Shell) -> None:
    def fail(_: object) -> None:
        raise OSError("no")

    host.CellHook("post_run_cell", fail, "updates boards").watch(shell)
    with pytest.warns(TrackbookWarning, match="no longer updates boards, because that failed: OSError"):
        shell.end_cell()
    shell.end_cell()
    assert shell.callbacks == []


@pytest.mark.parametrize(("version", "kept"), [((7, 0, 1), "cell"), ((7, 4, 0), None)])
def test_threads_take_a_cells_variables_along_only_where_they_must(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], kept: str | None
) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel", SimpleNamespace(version_info=version))
    variable = contextvars.ContextVar[str]("variable")
    token = variable.set("cell")
    assert host.thread_context().get(variable) == kept
    variable.reset(token)


# --- marimo, and what hosts take ----------------------------------------------------------------------------------------


@pytest.fixture
def marimo(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """As much of marimo as `host` looks at."""
    fake = SimpleNamespace(running_in_notebook=lambda: True, shown=[])
    fake.output = SimpleNamespace(append=fake.shown.append)
    fake.context = SimpleNamespace(execution_context=SimpleNamespace())
    monkeypatch.setitem(sys.modules, "marimo", fake)
    monkeypatch.setitem(sys.modules, "marimo._runtime.context", SimpleNamespace(get_context=lambda: fake.context))
    return fake


def test_in_marimo_each_execution_is_another_cell(marimo: SimpleNamespace) -> None:
    first = host.cell()
    assert first is not None
    assert host.cell() == first
    marimo.context.execution_context = SimpleNamespace()
    assert host.cell() not in (None, first)
    marimo.context.execution_context = None
    assert host.cell() is None


def test_in_marimo_boards_are_appended_to_the_cells_output(marimo: SimpleNamespace) -> None:
    host.show("board")
    assert marimo.shown == ["board"]
    assert host.is_here()
    assert not host.takes_late_outputs()


def test_a_script_that_imports_marimo_is_no_notebook(marimo: SimpleNamespace) -> None:
    marimo.running_in_notebook = lambda: False
    assert (host.in_marimo(), host.is_here(), host.cell()) == (False, False, None)


def test_only_hosts_known_to_take_late_outputs_get_them(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert host.takes_late_outputs()
    shell.user_ns["__vsc_ipynb_file__"] = "/home/me/digits.ipynb"
    assert not host.takes_late_outputs()
    del shell.user_ns["__vsc_ipynb_file__"]
    shell.request["content"]["allow_stdin"] = False
    assert not host.takes_late_outputs()
    shell.request["content"]["allow_stdin"] = True
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    assert not host.takes_late_outputs()


def test_magics_that_cannot_be_loaded_are_said(shell: Shell) -> None:
    def fail(_: str) -> None:
        raise ImportError("no")

    host.load_magics()
    shell.extension_manager = SimpleNamespace(loaded={"trackbook"}, load_extension=fail)  # type: ignore[attr-defined]
    host.load_magics()
    shell.extension_manager.loaded.clear()  # type: ignore[attr-defined]
    with pytest.warns(TrackbookWarning, match="%track is not there, because loading it failed"):
        host.load_magics()


def test_a_cell_has_an_id_and_a_source_where_the_host_tells_them(shell: Shell) -> None:
    assert (host.cell_id(), host.cell_source()) == (None, None)
    shell.request |= {"metadata": {"cellId": "a1"}, "content": {"code": "x = 1"}}
    assert (host.cell_id(), host.cell_source()) == ("a1", "x = 1")
