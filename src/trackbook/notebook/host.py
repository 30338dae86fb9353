"""The host of this program: a Jupyter kernel, a marimo notebook, or neither. It knows the running cell, and displays outputs.

Nothing is imported to detect it: a host that is present has imported its own modules.
"""

from __future__ import annotations

import contextvars
import os
import sys
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from .. import forks, settings
from ..ids import new_id
from ..user_warnings import warn


class Host:
    """A program without a notebook: a script, a REPL, IPython in a terminal."""

    shell: Any | None = None  # IPython's shell, if it belongs to a Jupyter kernel
    is_notebook = False  # whether displayed objects are shown
    tells_cell_ends = False
    shares_models = True  # whether the view of a widget can use the models of other widgets

    def cell(self) -> str | None:
        """Return a name of the running execution of a cell, different for each; None outside of cells."""
        return None

    def cell_id(self) -> str | None:
        """Return the notebook's id of the running cell, equal for each of its executions; None if the host sends none."""
        return None

    def cell_source(self) -> str | None:
        """Return the source of the running cell, as the host sent it."""
        return None

    def has_no_reader(self) -> bool:
        """Whether a program executes the notebook (nbconvert, papermill), so that nobody can type an answer."""
        return False

    def path(self) -> str | None:
        """Return the notebook's path as the host reports it, relative to the host's root; None if it reports none."""
        return None

    def takes_late_outputs(self) -> bool:
        """Whether an output can be updated after its cell has ended, and from another thread."""
        return False

    def load_magics(self) -> None:
        """Load our extension into the notebook's shell, unless it is loaded."""

    def show(self, thing: Any, **options: Any) -> None:
        """Display `thing` under the running cell."""
        from IPython.display import display

        display(thing, **options)  # type: ignore[no-untyped-call]  # IPython has no types

    def show_data(self, data: dict[str, Any], metadata: dict[str, Any], place: str, *, again: bool) -> None:
        """Display a MIME bundle under the running cell; with `again`, update the output with the display id `place`."""
        self.show(data, metadata=metadata, raw=True, display_id=place, update=again)

    def name(self) -> str | None:
        """Return the notebook's name without folder and suffix, None if the host does not report it."""
        found = self.path()
        return PurePath(found).stem or None if found else None

    def about(self) -> dict[str, str] | None:
        """Return the notebook's ``name`` and ``path`` as the host reports them; None if it does not."""
        found = self.path()
        return {"name": PurePath(found).name, "path": found} if found else None


class Jupyter(Host):
    """A kernel of JupyterLab, Notebook, VS Code, Colab, nbclient or a Jupyter console."""

    is_notebook = True
    tells_cell_ends = True

    def __init__(self, shell: Any) -> None:
        self.shell: Any = shell

    @property
    def _request(self) -> dict[str, Any]:
        get_parent = getattr(self.shell, "get_parent", None)
        return (get_parent() if get_parent is not None else None) or {}

    def cell(self) -> str | None:
        return str(self._request.get("header", {}).get("msg_id") or self.shell.execution_count)

    def cell_id(self) -> str | None:
        found = self._request.get("metadata", {}).get("cellId")
        return str(found) if found else None

    def cell_source(self) -> str | None:
        found = self._request.get("content", {}).get("code")
        return None if found is None else str(found)

    def has_no_reader(self) -> bool:
        return self._request.get("content", {}).get("allow_stdin") is False

    def path(self) -> str | None:
        found = settings.notebook_path() or self.shell.user_ns.get("__vsc_ipynb_file__")
        return str(found).replace("\\", "/") if found else None

    def takes_late_outputs(self) -> bool:
        """Whether late outputs are shown. JupyterLab and Notebook 7 show them, programs do not, Colab and VS Code may not."""
        if self.has_no_reader() or "google.colab" in sys.modules:
            return False
        return "__vsc_ipynb_file__" not in self.shell.user_ns

    def load_magics(self) -> None:
        manager = getattr(self.shell, "extension_manager", None)
        if manager is not None and "trackbook" not in manager.loaded:
            try:
                manager.load_extension("trackbook")
            except Exception as error:  # noqa: BLE001  the run matters more
                warn(f"%track is not available, because loading it failed: {error!r}")


class Marimo(Host):
    """A marimo notebook. It caches a widget's code by its hash, and a widget cannot refer to other widgets."""

    is_notebook = True
    shares_models = False

    def cell(self) -> str | None:
        """Return a name kept in marimo's context of the execution, which is private API; None when there is no such context."""
        module = sys.modules.get("marimo._runtime.context")
        execution = getattr(module.get_context(), "execution_context", None) if module is not None else None
        if execution is None:
            return None
        name: str = execution.__dict__.setdefault("trackbook_cell", new_id())
        return name

    def show(self, thing: Any, **options: Any) -> None:
        sys.modules["marimo"].output.append(thing)


def current() -> Host:
    """Return the host of this program, as known now. A process forked from a kernel has none, as its outputs are not shown."""
    if forks.is_fork():
        return Host()
    marimo = sys.modules.get("marimo")
    if marimo is not None and marimo.running_in_notebook():
        return Marimo()
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    kernel = getattr(shell, "kernel", None)
    return Jupyter(shell) if hasattr(shell, "kernel") and not _is_forked(kernel) else Host()


def _is_forked(kernel: Any) -> bool:
    """Whether this process was forked from the kernel's, and so cannot send messages."""
    return getattr(getattr(kernel, "session", None), "pid", os.getpid()) != os.getpid()


def thread_context() -> contextvars.Context:
    """Return an empty context for a thread that sends over comms, so that its messages belong to the newest cell.

    With ipykernel 7.0 return a copy of the current context: it cannot send without one (LookupError: shell_parent).
    """
    ipykernel = sys.modules.get("ipykernel")
    old = ipykernel is not None and ipykernel.version_info[:2] == (7, 0)
    return contextvars.copy_context() if old else contextvars.Context()


class CellHook:
    """Calls `callback` at one of IPython's events around cells. When it fails, it warns once and switches itself off.

    `event` is ``pre_run_cell`` or ``post_run_cell``; `does` describes the callback for the warning. A hook must not break cells.
    """

    def __init__(self, event: str, callback: Callable[[Any], None], does: str) -> None:
        self._event = event
        self._callback = callback
        self._does = does
        self._shell: Any | None = None

    def watch(self, shell: Any | None) -> None:
        """Register with this shell, once."""
        if shell is not None and self._shell is None:
            self._shell = shell
            shell.events.register(self._event, self._called)

    def _called(self, event: Any) -> None:
        try:
            self._callback(event)
        except Exception as error:  # noqa: BLE001  whatever it is, the user's next cell must run
            self._shell.events.unregister(self._event, self._called)  # type: ignore[union-attr]
            warn(f"trackbook no longer {self._does}, because that failed: {error!r}")
