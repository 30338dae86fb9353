"""Live experiment tracking inside the notebook cell.

import trackbook as tb

tb.init(project="digits", config={"lr": 0.1})
for epoch in range(100):
    tb.log({"train/loss": loss, "val/acc": acc})
tb.finish()
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from . import forks as _forks  # noqa: F401  # it notes in which process trackbook is imported
from . import media as _media

if TYPE_CHECKING:
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
    from .boards.widget import Board
    from .integrations.adapters import autolog
    from .media.documents import Chart, ECharts, Molecule, Object3D, Plotly
    from .media.histogram import Histogram
    from .media.image import Image
    from .media.sound import Audio
    from .media.table import EvalTable, Table
    from .media.texts import Html, Markdown, Text
    from .media.trace import Trace
    from .media.video import Video
    from .tracking.config import Config
    from .tracking.endings import Stopped
    from .tracking.run import Run
    from .user_warnings import TrackbookWarning

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


# the modules of the public names, beside those of media; each is imported when one of its names is first asked for
_PLACES = {
    "api.alerts": ("alert", "alerts"),
    "api.artifacts": ("get_artifact", "list_artifacts"),
    "api.boards": ("board",),
    "api.compare": ("RunDiff", "diff"),
    "api.data": ("export", "import_from", "import_parquet", "sql"),
    "api.pages": ("export_html",),
    "api.projects": ("delete_project", "delete_run", "get_run", "move_run", "rename_run", "runs"),
    "api.run": ("attach", "define_metric", "finish", "init", "log", "progress", "track"),
    "api.serving": ("show",),
    "api.spaces": ("freeze",),
    "api.syncing": ("sync",),
    "artifacts.artifact": ("Artifact",),
    "boards.widget": ("Board",),
    "integrations.adapters": ("autolog",),
    "tracking.config": ("Config",),
    "tracking.endings": ("Stopped",),
    "tracking.run": ("Run",),
    "user_warnings": ("TrackbookWarning",),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}


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
    """Import a public name at its first use; return `run` (the current run or None) and `config` (its config) as they are now.

    Also `compat`, and the names of wandb, Trackio and SwanLab, for ``import trackbook as wandb``.
    """
    if name in _MODULES:
        if name == "Board":
            from .store.polars_import import import_polars

            import_polars()
        found = globals()[name] = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
        return found
    if name in _media.PLACES:
        return _media.media_type(name)
    if name == "compat":
        return importlib.import_module(".compat", __name__)
    if name in ("run", "config", "summary"):
        from .api import run as run_module

        return getattr(run_module, f"current_{name}")()
    # `from .. import settings` asks here, too, before it imports the module
    if not name.startswith("_") and importlib.util.find_spec(f".{name}", __name__) is None:
        from .compat import shared

        if name in shared.__all__:
            return getattr(shared, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
