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


def run(folder: Path) -> Any:
    """Return the only run of `folder`, as the next process finds it."""
    os.environ["TRACKBOOK_DIR"] = str(folder)
    import trackbook

    return trackbook.get_run(project="bench")


def read_back(folder: Path) -> dict[str, list[float]]:
    parts = run(folder).history().partition_by("metric", as_dict=True)
    return {str(metric): part["value"].to_list() for (metric,), part in parts.items()}


def state(folder: Path) -> str:
    return str(run(folder).state)
