"""What was logged, read back for tests of training libraries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import trackbook as tb


def curves(run: tb.Run) -> dict[str, dict[int, float]]:
    """Return the points of each metric of a run, values by step."""
    found: dict[str, dict[int, float]] = {}
    for metric, step, value, _ in run.history().iter_rows():
        found.setdefault(metric, {})[step] = value
    return found


def curve(values: Iterable[float], start: int = 0) -> dict[int, float]:
    """Return a library's list of values as a curve."""
    return {step: float(value) for step, value in enumerate(values, start)}


def only_run(project: str | None = None) -> tb.Run:
    """Return the one run there is."""
    (run,) = tb.runs(project)["id"]
    return tb.get_run(run, project)


def states() -> list[str]:
    """Return the states of all runs, oldest first."""
    return list(tb.runs()["state"])


class Raises:
    """Raises an error at the n-th call: the user's part that fails, or Ctrl-C."""

    def __init__(self, error: BaseException, at: int) -> None:
        self._error = error
        self._left = at

    def __call__(self, *_: Any, **__: Any) -> bool:
        self._left -= 1
        if self._left < 0:
            raise type(self._error)(*self._error.args)
        return True


ENDS: Sequence[tuple[BaseException, str]] = [(ValueError("diverged"), "failed"), (KeyboardInterrupt(), "interrupted")]
