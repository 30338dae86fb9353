"""Execution of notebooks in separate kernels."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbclient import NotebookClient


def client_of(cells: Mapping[str, str], folder: Path) -> NotebookClient:
    """Execute `cells`, by id, in `folder`."""
    import nbformat
    from nbclient import NotebookClient

    made = [nbformat.v4.new_code_cell(source, id=name.replace(" ", "-")) for name, source in cells.items()]
    quiet = ["--IPKernelApp.log_level=40"]
    notebook = nbformat.v4.new_notebook(cells=made)
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True, extra_arguments=quiet)
    client.resources = {"metadata": {"path": str(folder)}}
    return client


def environment_of(folder: Path) -> dict[str, str]:
    """Return the environment of a kernel whose store is in `folder`."""
    found = os.environ | {"TRACKBOOK_DIR": str(folder), "IPYTHONDIR": str(folder / "ipython")}
    del found["PYTEST_CURRENT_TEST"]  # with which a kernel leaves subprocesses their stdout
    return found
