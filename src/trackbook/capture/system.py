"""System metrics: the load of machine and process, sampled by a thread and stored as points of the run."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..metrics import SYSTEM, is_system

if TYPE_CHECKING:
    from ..tracking.run_writer import RunWriter
    from .hardware import Machine, Meter

LET_PASS_SECONDS: Final = 0.05  # delay before the first reading, so that `init` gets the interpreter
FIRST_SECONDS: Final = 0.15  # from the start of a run to its first points: rates need an earlier reading
SOON_SECONDS: Final = 1.0  # to the second points; then the interval grows with the run's age up to `system_seconds`

logger = logging.getLogger("trackbook")


@dataclass
class _FollowedRun:
    run: RunWriter
    steps: dict[str, int]  # the next one, by metric
    began: float
    due: float


class SystemCapture:
    """Samples the load for all open runs, in one thread that lives while a run is open."""

    def __init__(self, machine: Callable[[], Machine]) -> None:
        self._machine = machine
        self._followed: dict[str, _FollowedRun] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def begin(self, run: RunWriter) -> None:
        """See `Capture`. The steps of a resumed run continue."""
        steps = {name: figures.step + 1 for name, figures in run.earlier_summary().items() if is_system(name)}
        with self._changed:
            now = time.monotonic()
            self._followed[run.id] = _FollowedRun(run, steps, now, now + FIRST_SECONDS)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="trackbook-system", daemon=True)
                self._thread.start()
            self._changed.notify()

    def end(self, run: RunWriter) -> None:
        """See `Capture`. No point is appended to the run after this."""
        with self._changed:
            self._followed.pop(run.id, None)
            self._changed.notify()

    def forget_in_child(self) -> None:
        """See `Capture`."""
        self._followed, self._changed, self._thread = {}, threading.Condition(), None

    def _work(self) -> None:
        try:
            with self._changed:
                self._changed.wait_for(lambda: not self._followed, LET_PASS_SECONDS)
            from .hardware import Meter

            meter = Meter(self._machine())
            while self._wait():
                self._record(meter)
        except Exception:  # a thread has no caller to raise to
            logger.exception("trackbook no longer records system metrics of this process's runs")
            with self._changed:
                self._followed.clear()
                self._thread = None

    def _wait(self) -> bool:
        """Wait until a run is due. Return False when no run is open, so that the thread ends."""
        with self._changed:
            while self._followed:
                left = min(followed.due for followed in self._followed.values()) - time.monotonic()
                if left <= 0:
                    return True
                self._changed.wait(left)
            self._thread = None
            return False

    def _record(self, meter: Meter) -> None:
        figures = meter.read()
        now, clock = time.time(), time.monotonic()
        with self._changed:
            for followed in self._followed.values():
                if followed.due <= clock:
                    age = max(SOON_SECONDS, clock - followed.began)
                    followed.due = clock + min(followed.run.options.system_seconds, age)
                    _append(followed, {SYSTEM + name: value for name, value in figures.items()}, now)


def _append(followed: _FollowedRun, figures: dict[str, float], now: float) -> None:
    import polars as pl

    from ..store.base import POINTS

    steps = [followed.steps.get(name, 0) for name in figures]
    followed.steps |= {name: step + 1 for name, step in zip(figures, steps, strict=True)}
    columns = {"metric": list(figures), "step": steps, "value": list(figures.values()), "time": [now] * len(figures)}
    run = followed.run
    run.store.append(run.id, pl.DataFrame(columns, schema=POINTS))
