"""Live experiment tracking inside the notebook cell.

import trackbook as tb

tb.init(project="digits", config={"lr": 0.1})
for epoch in range(100):
    tb.log({"train/loss": loss, "val/acc": acc})
tb.finish()
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import media as _media
from .api.alerts import alert, alerts
from .api.artifacts import get_artifact, list_artifacts
from .api.boards import board
from .api.compare import RunDiff, diff
from .api.data import export, import_from, import_parquet, sql
from .api.pages import export_html
from .api.projects import delete_project, delete_run, get_run, move_run, rename_run, runs
from .api.run import attach, define_metric, finish, init, log, progress, track
from .api.serving import show
from .api.spaces import freeze
from .api.syncing import sync
from .artifacts.artifact import Artifact
from .integrations.adapters import autolog
from .tracking.config import Config
from .tracking.endings import Stopped
from .tracking.run import Run
from .user_warnings import TrackbookWarning

if TYPE_CHECKING:
    from .boards.widget import Board
    from .media.documents import Chart, ECharts, Molecule, Object3D, Plotly
    from .media.histogram import Histogram
    from .media.image import Image
    from .media.sound import Audio
    from .media.table import EvalTable, Table
    from .media.texts import Html, Markdown, Text
    from .media.trace import Trace
    from .media.video import Video

    run: Run | None
    config: Config

__version__ = "0.1.0"
# without `run` and `config`: `from trackbook import *` would copy their values of that moment
__all__ = [
    "Artifact",
    "Audio",
    "Board",
    "Chart",
    "Config",
    "ECharts",
    "EvalTable",
    "Histogram",
    "Html",
    "Image",
    "Markdown",
    "Molecule",
    "Object3D",
    "Plotly",
    "Run",
    "RunDiff",
    "Stopped",
    "Table",
    "Text",
    "Trace",
    "TrackbookWarning",
    "Video",
    "alert",
    "alerts",
    "attach",
    "autolog",
    "board",
    "define_metric",
    "delete_project",
    "delete_run",
    "diff",
    "export",
    "export_html",
    "finish",
    "freeze",
    "get_artifact",
    "get_run",
    "import_from",
    "import_parquet",
    "init",
    "list_artifacts",
    "log",
    "move_run",
    "progress",
    "rename_run",
    "runs",
    "show",
    "sql",
    "sync",
    "track",
]


def __dir__() -> list[str]:
    return sorted([*__all__, "config", "run", "__version__"])


def load_ipython_extension(shell: Any) -> None:
    """Register the magics ``%track`` and ``%%track`` with an IPython shell. Called by ``%load_ext trackbook``.

    Trackers that ``TRACKBOOK_COMPAT`` names are installed, as by `trackbook.compat.install`.
    """
    from .compat.installing import install_chosen
    from .magics.extension import load

    load(shell)
    install_chosen()


def __getattr__(name: str) -> Any:
    """Return `run` (the current run or None) and `config` (its config) as they are now, and what is imported at first use.

    That is `Board`, `compat`, the types of media, and the names of wandb, Trackio and SwanLab, for ``import trackbook as wandb``.
    """
    from .api import run as run_module

    if name == "run":
        return run_module.current_run()
    if name == "config":
        return run_module.current_config()
    if name in _media.PLACES:
        return _media.media_type(name)
    if name == "Board":
        from .store.polars_import import import_polars

        import_polars()
        from .boards.widget import Board

        return Board
    if name == "compat":
        return importlib.import_module(".compat", __name__)
    if name == "summary":
        return run_module.current_summary()
    if not name.startswith("_"):
        from .compat import shared

        if name in shared.__all__:
            return getattr(shared, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
