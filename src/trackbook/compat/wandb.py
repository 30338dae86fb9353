"""wandb, as Trackbook speaks it: ``import trackbook.compat.wandb as wandb``."""

from __future__ import annotations

from typing import Any, Final

from ..api.alerts import alert
from ..api.run import define_metric, finish, log
from ..tracking.run import Run
from . import shared
from .dialect import Dialect

__version__ = "0.31.0"  # whose names these are
__all__ = ["Run", "alert", "define_metric", "finish", "init", "log"]
__all__ += shared.__all__

_WANDB: Final = Dialect(
    "wandb",
    ("entity", "project", "dir", "id", "name", "notes", "tags", "config"),
    {"step_by": "run", "on_bad_value": "warn"},
    resumes_by_id=True,
)


def init(*given: Any, force: Any = None, **words: Any) -> Run:  # noqa: ARG001  # wandb's `force` asks for a login
    """Start a run, in wandb's words. See `trackbook.init`."""
    return _WANDB.init(*given, **words)


def __getattr__(name: str) -> Any:
    return _WANDB.attribute(name)


def __dir__() -> list[str]:
    return sorted([*__all__, "config", "run", "summary"])
