"""SciPy and statsmodels: a callback for their iterations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tracking.run import Run
from .training import Training


class TrackbookCallback:
    """Logs each iteration of an optimizer: ``scipy.optimize.minimize(f, x0, callback=TrackbookCallback())``.

    `minimize` tells the value of the objective, which is logged as ``fun``. Others, such as ``fit(callback=...)`` of statsmodels, tell the
    parameters alone: then `function` computes the value.

    The board's stop button ends a `minimize` after the iteration.

    Parameters
    ----------
    run
        The run to log to, by default the current one, else a new run, which stays open as a run of `trackbook.init` does.
    function
        The objective, for optimizers that do not tell its value: ``TrackbookCallback(function=model.loglike)``.
    name
        The name of the metric.
    """

    def __init__(
        self, run: Run | None = None, *, function: Callable[[Any], Any] | None = None, name: str = "fun"
    ) -> None:
        self._run = run
        self._function = function
        self._name = name
        self._training: Training | None = None

    def __call__(self, intermediate_result: Any) -> None:
        """Log an iteration. SciPy looks at the argument's name, and then passes its ``OptimizeResult``; others pass the parameters."""
        if self._training is None:
            self._training = Training.begin("scipy", self._run)
        with self._training.safely():
            value = getattr(intermediate_result, "fun", None)
            if self._function is not None:
                value = self._function(getattr(intermediate_result, "x", intermediate_result))
            if value is None:
                raise TypeError(
                    "this optimizer tells only the parameters; give TrackbookCallback(function=...) the objective"
                )
            self._training.log({self._name: value})
        if self._training.should_stop:
            raise StopIteration
