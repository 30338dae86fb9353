"""The host of this program: a Jupyter kernel, a marimo notebook, or neither. What it is called, which cell runs, how to display.

Nothing is imported to find out: a host that was not imported is not there.
"""

from __future__ import annotations

import contextvars
import os
import sys
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, Final

from .. import settings
from ..ids import new_id
from ..user_warnings import warn

_IMPORTED_IN: Final = os.getpid()


class Host:
    """A program without a notebook: a script, a REPL, IPython in a terminal."""

    shell: Any | None = None  # IPython's, when it has a Jupyter kernel
    is_notebook = False  # it shows what is displayed
    tells_cell_ends = False
    shares_models = True  # a widget's view finds the models of other widgets

    def cell(self) -> str | None:
        """Return a name for this execution of the running cell, another at each execution; None outside of cells."""
        return None

    def cell_id(self) -> str | None:
        """Return the notebook's own id of the running cell, the same at each execution, where the host tells it."""
        return None

    def cell_source(self) -> str | None:
        """Return the source of the running cell, as the host sent it."""
        return None

    def has_no_reader(self) -> bool:
        """Return whether a program executes the notebook (nbconvert, papermill), and nobody can type an answer."""
        return False

    def path(self) -> str | None:
        """Return the notebook's path as the host tells it: in its own words, from its own root."""
        return None

    def takes_late_outputs(self) -> bool:
        """Return whether an output can be updated when its cell has ended, and from another thread."""
        return False

    def load_magics(self) -> None:
        """Load our extension into the notebook's shell, if it is not there already."""

    def show(self, thing: Any, **options: Any) -> None:
        """Display `thing` under the running cell."""
        from IPython.display import display

        display(thing, **options)  # type: ignore[no-untyped-call]  # IPython has no types

    def show_data(self, data: dict[str, Any], metadata: dict[str, Any], place: str, *, again: bool) -> None:
        """Display a MIME bundle under the running cell, or `again` in its `place`."""
        self.show(data, metadata=metadata, raw=True, display_id=place, update=again)

    def name(self) -> str | None:
        """Return the notebook's name without folder and suffix, where the host tells it."""
        found = self.path()
        return PurePath(found).stem or None if found else None

    def about(self) -> dict[str, str] | None:
        """Return the notebook's ``name``, and its ``path`` as far as the host tells it; None outside of one."""
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
        """JupyterLab and Notebook 7 take them; a program that executes a notebook does not; of others it is not known."""
        if self.has_no_reader() or "google.colab" in sys.modules:
            return False
        return "__vsc_ipynb_file__" not in self.shell.user_ns

    def load_magics(self) -> None:
        manager = getattr(self.shell, "extension_manager", None)
        if manager is not None and "trackbook" not in manager.loaded:
            try:
                manager.load_extension("trackbook")
            except Exception as error:  # noqa: BLE001  the run matters more
                warn(f"%track is not there, because loading it failed: {error!r}")


class Marimo(Host):
    """A marimo notebook. It keeps a widget's code by its hash, and has no widgets but the one that is shown."""

    is_notebook = True
    shares_models = False

    def cell(self) -> str | None:
        """Marimo makes an execution context for each execution; that is private API, so a cell without one has no name."""
        module = sys.modules.get("marimo._runtime.context")
        execution = getattr(module.get_context(), "execution_context", None) if module is not None else None
        if execution is None:
            return None
        name: str = execution.__dict__.setdefault("trackbook_cell", new_id())
        return name

    def show(self, thing: Any, **options: Any) -> None:
        sys.modules["marimo"].output.append(thing)


def current() -> Host:
    """Return the host of this program, as far as it is known now. A process forked from a kernel has none: nobody sees it."""
    if os.getpid() != _IMPORTED_IN:
        return Host()
    marimo = sys.modules.get("marimo")
    if marimo is not None and marimo.running_in_notebook():
        return Marimo()
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    kernel = getattr(shell, "kernel", None)
    return Jupyter(shell) if hasattr(shell, "kernel") and not _is_forked(kernel) else Host()


def _is_forked(kernel: Any) -> bool:
    """Whether this is another process than the kernel's, which the kernel's messages would not leave."""
    return getattr(getattr(kernel, "session", None), "pid", os.getpid()) != os.getpid()


def thread_context() -> contextvars.Context:
    """Return the context variables for a thread that sends over comms: none, so that its messages belong to the newest cell.

    ipykernel 7.0 sends nothing without the variables of a cell (LookupError: shell_parent).
    """
    ipykernel = sys.modules.get("ipykernel")
    old = ipykernel is not None and ipykernel.version_info[:2] == (7, 0)
    return contextvars.copy_context() if old else contextvars.Context()


class CellHook:
    """Calls `callback` at one of IPython's events around cells. When it fails, it warns once and switches itself off.

    `event` is ``pre_run_cell`` or ``post_run_cell``; `does` says what is lost without it. A hook must not break cells.
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
