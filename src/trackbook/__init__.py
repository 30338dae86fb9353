"""Live experiment tracking inside the notebook cell.

import trackbook as tb

tb.init(project="digits", config={"lr": 0.1})
for epoch in range(100):
    tb.log({"train/loss": loss, "val/acc": acc})
tb.finish()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .api.compare import diff
from .api.data import export, import_parquet, sql
from .api.projects import delete_project, delete_run, get_run, move_run, rename_run
from .api.run import board, define_metric, finish, init, log, runs, track
from .errors import TrackbookWarning
from .tracking.endings import Stopped
from .tracking.run import Run

if TYPE_CHECKING:
    from .tracking.config import Config

    run: Run | None
    config: Config

__version__ = "0.1.0"
# without `run` and `config`, which change with time: `from trackbook import *` would freeze them
__all__ = [
    "Run",
    "Stopped",
    "TrackbookWarning",
    "board",
    "define_metric",
    "delete_project",
    "delete_run",
    "diff",
    "export",
    "finish",
    "get_run",
    "import_parquet",
    "init",
    "log",
    "move_run",
    "rename_run",
    "runs",
    "sql",
    "track",
]


def __dir__() -> list[str]:
    return sorted([*__all__, "config", "run", "__version__"])


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext trackbook``: gives an IPython shell the magics ``%track`` and ``%%track``."""
    from .magics.extension import load

    load(shell)


def __getattr__(name: str) -> Any:
    """`run` (the current run or None) and `config` (its config) change with time, so they are looked up at each use."""
    from .api import run as run_module

    if name == "run":
        return run_module.current_run()
    if name == "config":
        return run_module.current_config()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
