from __future__ import annotations

import os
import sqlite3
from itertools import count
from pathlib import Path

from ._protocol import Log

SETTINGS = "SQLite store, synchronous as by default; no system metrics"


def start(folder: Path) -> Log:
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.create_experiment("bench", artifact_location=str(folder))
    mlflow.set_experiment("bench")
    mlflow.start_run(log_system_metrics=False)
    steps = count()
    return lambda values: mlflow.log_metrics(values, step=next(steps))


def finish() -> None:
    import mlflow

    mlflow.end_run()


def read_back(folder: Path) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    with sqlite3.connect(folder / "mlflow.db") as db:
        for name, value in db.execute("select key, value from metrics order by step"):
            found.setdefault(name, []).append(value)
    return found
