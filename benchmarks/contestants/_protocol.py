"""The interface of a contestant: a module of this folder with these names, run in its own interpreter without other trackers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

Log = Callable[[dict[str, float]], object]


class Contestant(Protocol):
    SETTINGS: (
        str  # how it differs from its defaults: offline, and no system metrics, which Trackbook does not record either
    )

    def start(self, folder: Path) -> Log:
        """Import the tracker, open a run that keeps everything in `folder`, and return its log function."""

    def finish(self) -> None:
        """End the run, and return when the tracker considers it safe."""

    def read_back(self, folder: Path) -> dict[str, list[float]]:
        """Return the values of each metric in the files of `folder`, in order of step. Called in another process."""
