"""What is known of the notebook around us: which cell runs, what it is called, when a cell ends."""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from .. import settings
from ..errors import warn
from ..ids import new_id


def shell() -> Any | None:
    """IPython's shell when it has a Jupyter kernel, else None. Imports nothing: without IPython there is no notebook."""
    ipython = sys.modules.get("IPython")
    found = ipython.get_ipython() if ipython is not None else None
    return found if hasattr(found, "kernel") else None


def load_magics() -> None:
    """Loads our extension into a notebook's shell, if it is not there already."""
    manager = getattr(shell(), "extension_manager", None)
    if manager is not None and "trackbook" not in manager.loaded:
        try:
            manager.load_extension("trackbook")
        except Exception as error:  # noqa: BLE001  the run matters more
            warn(f"%track is not there, because loading it failed: {error!r}")


def _request() -> dict[str, Any]:
    kernel_shell = shell()
    get_parent = getattr(kernel_shell, "get_parent", None)
    return (get_parent() if get_parent is not None else None) or {}


def in_marimo() -> bool:
    """True in a marimo notebook. Imports nothing, as `shell`."""
    marimo = sys.modules.get("marimo")
    return marimo is not None and bool(marimo.running_in_notebook())


def is_here() -> bool:
    """Whether there is a notebook around us, which shows what is displayed."""
    return shell() is not None or in_marimo()


def cell() -> str | None:
    """What stands for this execution of this cell: another at each execution, None outside notebooks."""
    if in_marimo():
        return _marimo_cell()
    kernel_shell = shell()
    if kernel_shell is None:
        return None
    return str(_request().get("header", {}).get("msg_id") or kernel_shell.execution_count)


def _marimo_cell() -> str | None:
    """Marimo makes an execution context for each execution; it is no public API, so a cell without one is nameless."""
    module = sys.modules.get("marimo._runtime.context")
    execution = getattr(module.get_context(), "execution_context", None) if module is not None else None
    if execution is None:
        return None
    name: str = execution.__dict__.setdefault("trackbook_cell", new_id())
    return name


def cell_id() -> str | None:
    """The notebook's own id of the running cell, the same at each execution, where the host tells it."""
    found = _request().get("metadata", {}).get("cellId")
    return str(found) if found else None


def cell_source() -> str | None:
    """The running cell's source, as the host sent it."""
    found = _request().get("content", {}).get("code")
    return None if found is None else str(found)


def has_no_reader() -> bool:
    """True when a program executes the notebook (nbconvert, papermill): it says that nobody can type an answer."""
    return _request().get("content", {}).get("allow_stdin") is False


def path() -> str | None:
    """The notebook's path as the host tells it: in its own words, from its own root."""
    kernel_shell = shell()
    if kernel_shell is None:
        return None
    found = settings.notebook_path() or kernel_shell.user_ns.get("__vsc_ipynb_file__")
    return str(found).replace("\\", "/") if found else None


def name() -> str | None:
    """The notebook's name without folder and suffix, where the host tells it."""
    found = path()
    return PurePath(found).stem or None if found else None


def about() -> dict[str, str] | None:
    """The notebook's ``name``, and its ``path`` as far as the host tells it; None outside of one."""
    found = path()
    return {"name": PurePath(found).name, "path": found} if found else None


def thread_context() -> contextvars.Context:
    """The context variables for a thread that sends over comms: none, so that its messages belong to the newest cell.

    ipykernel 7.0 sends nothing without the variables of a cell (LookupError: shell_parent).
    """
    ipykernel = sys.modules.get("ipykernel")
    old = ipykernel is not None and ipykernel.version_info[:2] == (7, 0)
    return contextvars.copy_context() if old else contextvars.Context()


def can_share_models() -> bool:
    """Whether a widget's view finds other widgets' models: marimo keeps code by its hash, and has no widgets but its own."""
    return not in_marimo()


def takes_late_outputs() -> bool:
    """Whether the host still takes an output's update when its cell has ended, and from another thread.

    JupyterLab and Notebook 7 do; a program that executes a notebook does not, and of others it is not known.
    """
    kernel_shell = shell()
    if kernel_shell is None or has_no_reader() or "google.colab" in sys.modules:
        return False
    return "__vsc_ipynb_file__" not in kernel_shell.user_ns


def show(thing: Any, **options: Any) -> None:
    """Displays `thing` under the running cell."""
    if in_marimo():
        sys.modules["marimo"].output.append(thing)
        return
    from IPython.display import display

    display(thing, **options)  # type: ignore[no-untyped-call]  # IPython has no types


def show_data(data: dict[str, Any], metadata: dict[str, Any], place: str, *, again: bool) -> None:
    """Displays a bundle of MIME types under the running cell, or `again` in its `place`."""
    show(data, metadata=metadata, raw=True, display_id=place, update=again)


class CellHook:
    """Calls `callback` at one of IPython's events around cells. One that fails is said once and switched off.

    `event` is ``pre_run_cell`` or ``post_run_cell``; `does` says what is lost without it. A hook must not break cells.
    """

    def __init__(self, event: str, callback: Callable[[Any], None], does: str) -> None:
        self._event = event
        self._callback = callback
        self._does = does
        self._shell: Any | None = None

    def watch(self, kernel_shell: Any | None) -> None:
        if kernel_shell is not None and self._shell is None:
            self._shell = kernel_shell
            kernel_shell.events.register(self._event, self._called)

    def _called(self, happened: Any) -> None:
        try:
            self._callback(happened)
        except Exception as error:  # noqa: BLE001  whatever it is, the user's next cell must run
            self._shell.events.unregister(self._event, self._called)  # type: ignore[union-attr]
            warn(f"trackbook no longer {self._does}, because that failed: {error!r}")
