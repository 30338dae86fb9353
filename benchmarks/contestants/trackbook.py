from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ._protocol import Log

SETTINGS = "defaults"


def start(folder: Path) -> Log:
    os.environ["TRACKBOOK_DIR"] = str(folder)
    import trackbook

    trackbook.init(project="bench")
    return trackbook.log


def finish() -> None:
    import trackbook

    trackbook.finish()


def project(folder: Path) -> Any:
    """The project as the next process finds it."""
    os.environ["TRACKBOOK_DIR"] = str(folder)
    from trackbook import _api

    return _api._home("bench")  # noqa: SLF001  # the store beneath the public functions is what is measured


def read_back(folder: Path) -> dict[str, list[float]]:
    store = project(folder).store
    (run,) = store.runs()
    parts = store.read(run.id).partition_by("metric", as_dict=True)
    return {str(metric): part.sort("step")["value"].to_list() for (metric,), part in parts.items()}


def state(folder: Path) -> str:
    (run,) = project(folder).store.runs()
    return str(run.state)
