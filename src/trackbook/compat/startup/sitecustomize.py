"""What Python imports at its start where ``trackbook run --as`` and ``python -m trackbook.compat`` put this folder first."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def install() -> None:
    """Let imports of other trackers find Trackbook, where this Python has it."""
    try:
        from trackbook.compat.installing import install_chosen
    except ImportError as error:
        sys.stderr.write(f"trackbook: this Python imports other trackers as they are: {error}\n")
    else:
        install_chosen()


def run_hidden() -> None:
    """Execute the ``sitecustomize`` that this one hides, if there is one."""
    folders = [folder for folder in sys.path if Path(folder or ".").resolve() != HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", folders)
    if spec is not None and spec.loader is not None:
        hidden = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = hidden
        spec.loader.exec_module(hidden)


install()
run_hidden()
