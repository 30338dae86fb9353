"""SwanLab, as Trackbook speaks it: ``import trackbook.compat.swanlab as swanlab``."""

from __future__ import annotations

import enum
from typing import Any, Final

from ..api.alerts import alert
from ..api.run import current_run, define_metric, finish, log
from ..api.syncing import sync
from ..tracking.run import Run
from . import shared
from .dialect import Dialect

__version__ = "0.10.3"  # whose names these are
__all__ = ["Run", "State", "alert", "define_metric", "finish", "get_run", "init", "log", "sync"]
__all__ += shared.__all__

_SWANLAB: Final = Dialect(
    "swanlab",
    ("project", "workspace", "experiment_name", "description"),
    {"step_by": "metric"},
    resumes_by_id=True,
)


class State(enum.StrEnum):
    """How an experiment ends."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    SUCCESS = "success"
    CRASHED = "crashed"
    ABORTED = "aborted"


def init(*given: Any, **words: Any) -> Run:
    """Start a run, in SwanLab's words. See `trackbook.init`."""
    return _SWANLAB.init(*given, **words)


def get_run() -> Run | None:
    """Return the current run, None when none is open."""
    return current_run()


def __getattr__(name: str) -> Any:
    return _SWANLAB.attribute(name)


def __dir__() -> list[str]:
    return sorted([*__all__, "config", "run", "utils"])
