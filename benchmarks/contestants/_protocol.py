"""What a contestant is: a module of this folder with these names. It runs in its own interpreter, which has no other tracker."""

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
        """Imports the tracker, opens a run that keeps everything in `folder`, and returns its log function."""

    def finish(self) -> None:
        """Ends the run, when the tracker holds it to be safe."""

    def read_back(self, folder: Path) -> dict[str, list[float]]:
        """The values of each metric that the files of `folder` hold, in order of step; read in another process."""
