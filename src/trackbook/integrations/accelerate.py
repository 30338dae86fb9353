"""Accelerate: a tracker for ``Accelerator(log_with=[TrackbookTracker()])``."""

from __future__ import annotations

from typing import Any

from accelerate.tracking import GeneralTracker, on_main_process

from ..api.run import init
from ..tracking.run import Run


class TrackbookTracker(GeneralTracker):
    """Logs what ``accelerator.log`` is given, from the main process: ``Accelerator(log_with=[TrackbookTracker()])``.

    ``accelerator.init_trackers(..., config)`` stores the config, and ``accelerator.end_training()`` ends the run, if the tracker began it.

    Parameters
    ----------
    run
        The run to log to, by default a new one.
    options
        Keywords of `trackbook.init` for the new run, such as ``project`` and ``name``.
    """

    name = "trackbook"
    requires_logging_directory = False
    main_process_only = True

    def __init__(self, run: Run | None = None, **options: Any) -> None:
        super().__init__()
        self._given = run
        self._options = options
        self._run: Run | None = run

    @on_main_process
    def start(self) -> None:
        """Begin the run. Newer versions of Accelerate call this."""
        if self._run is None:
            self._run = init(**self._options)

    @property
    def tracker(self) -> Run | None:
        """The run."""
        return self._run

    @on_main_process
    def store_init_configuration(self, values: dict[str, Any]) -> None:
        """Store the config of `init_trackers`."""
        self.start()
        if self._run is not None:
            self._run.config.update(values)

    @on_main_process
    def log(self, values: dict[str, Any], step: int | None = None, **_: Any) -> None:
        """Log metrics, those that are numbers."""
        self.start()
        if self._run is not None:
            self._run.log({name: value for name, value in values.items() if not isinstance(value, str)}, step)

    @on_main_process
    def finish(self) -> None:
        """End the run, if the tracker began it."""
        if self._run is not None and self._given is None:
            self._run.finish()
