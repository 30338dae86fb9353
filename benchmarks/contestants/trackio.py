from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

from ._protocol import Log

SETTINGS = "local; no GPU and CPU metrics"


def start(folder: Path) -> Log:
    os.environ["TRACKIO_DIR"] = str(folder)
    import trackio

    trackio.init(project="bench", embed=False, auto_log_gpu=False, auto_log_cpu=False)
    return trackio.log


def finish() -> None:
    import trackio

    trackio.finish()


def read_back(folder: Path) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    with sqlite3.connect(folder / "bench.db") as db:
        if not db.execute("select 1 from sqlite_master where name = 'metrics'").fetchone():
            return {}  # killed before it made its tables
        for (metrics,) in db.execute("select metrics from metrics order by step"):
            for name, value in json.loads(metrics).items():
                found.setdefault(name, []).append(value)
    return found
