"""Imports, in Trackio's words."""

from __future__ import annotations

import os
from typing import Any

from ..api.data import import_from
from ..tracking.other_trackers import say_ignored
from ..tracking.run import Run


def import_csv(csv_path: str | os.PathLike[str], project: str, name: str | None = None, **other: Any) -> list[Run]:
    """Import a CSV file as a run. See `trackbook.import_from`."""
    return _imported(csv_path, "csv", project, name, other)


def import_tf_events(log_dir: str | os.PathLike[str], project: str, name: str | None = None, **other: Any) -> list[Run]:
    """Import TensorBoard's event files, a run for each folder. See `trackbook.import_from`."""
    return _imported(log_dir, "tensorboard", project, name, other)


def _imported(
    path: str | os.PathLike[str], kind: str, project: str, name: str | None, other: dict[str, Any]
) -> list[Run]:
    say_ignored(f"import_{'csv' if kind == 'csv' else 'tf_events'}", {n: v for n, v in other.items() if v is not None})
    runs = import_from(path, kind, project)
    for run in runs if name else ():
        wanted = str(name) if len(runs) == 1 else f"{name}_{run.name.removeprefix(f'{name}_')}"
        if run.name != wanted:
            run.name = wanted
    return runs
