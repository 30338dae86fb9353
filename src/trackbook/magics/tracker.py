"""The callback of instrumented code: takes the values of a ``%%track`` cell and logs them to its run."""

from __future__ import annotations

import functools
import math
import operator
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ..tracking.endings import Stopped
from ..tracking.logged_values import to_float, to_step
from ..tracking.run import Run
from ..user_warnings import said_by
from .axes import LoopAxes
from .instrument import AXIS, DUE, KINDS, LATER, VALUE
from .messages import show_note

_PLAIN = frozenset((bool, int, float, Decimal, Fraction))
_LIBRARIES = frozenset(("numpy", "torch", "jax", "jaxlib", "tensorflow", "ml_dtypes", "cupy"))
_STAND_INS = frozenset(
    ("Tracer", "SymbolicTensor", "KerasTensor", "FakeTensor")
)  # placeholders for values while code is compiled


class Tracker:
    """Logs values of instrumented code. Raises only `Stopped`, when the run is stopped that way.

    A value that cannot be logged is reported once per metric, or ignored with `lenient`. A tracker without a run, before `begin` and
    after `end`, ignores all values.
    """

    def __init__(
        self,
        metrics: Sequence[str],
        *,
        every: int = 1,
        min_interval: float = 0.0,
        stepped: bool = False,
        lenient: bool = False,
        axes: LoopAxes | None = None,
        say: Callable[[str], None] = show_note,
    ) -> None:
        self.metrics = metrics
        self.tracked: set[str] = set()
        self.logged: dict[str, None] = {}  # the same as they are logged: in a phase, with its name before
        self.missed = False  # a value came after the run's end
        self._run: Run | None = None
        self._find_run: Callable[[], Run] | None = None
        self._every = every
        self._min_interval = min_interval
        self._stepped = stepped
        self._lenient = lenient
        self._axes = axes if axes is not None and not stepped else LoopAxes()
        self._on_axes = self._axes.metrics
        self._takes_all = every == 1 and not min_interval
        self._say = say
        self.was_sent = False  # whether it was pickled for another process, with a function of the cell
        self._countdown = [0] * len(metrics)
        self._not_before = [-math.inf] * len(metrics)
        self._kinds: dict[type, bool | None] = {}
        self._unsaid: dict[str, str] = {}
        self._warned: set[str] = set()

    def begin(self, run: Run) -> None:
        self._run = run

    def begin_with(self, find_run: Callable[[], Run]) -> None:
        """Log to the run that `find_run` returns at the first value, and again once that run has ended."""
        self._find_run = find_run

    def end(self) -> None:
        self._run = self._find_run = None
        self._kinds.clear()

    def __call__(self, code: int, value: Any) -> bool:
        """Handle a call of instrumented code (see `instrument`). Return True when the value it asks about is wanted."""
        if self._run is None and self._find_run is None:
            return False
        if code % KINDS == VALUE:
            self._take(self.metrics[code // KINDS], value)
        elif code % KINDS == DUE:
            return self._is_due(code // KINDS)
        elif code % KINDS == LATER:
            self._evaluate(self.metrics[code // KINDS], value)
        elif code % KINDS == AXIS:
            self._axes.begin(code // KINDS, value)
        else:
            self._note_failure(self.metrics[code // KINDS], sys.exception())
        return False

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a function that does nothing: cloudpickle sends the tracker along with functions of the cell."""
        self.was_sent = True
        return functools.partial, (operator.is_,)

    def take_passed(self, value: Any, numbers: Sequence[int], *, spread: bool, step: Callable[[], Any] | None) -> None:
        """Handle a value that is passed on; with `spread` it is a tuple, with a value for each of the metrics."""
        if self._run is None and self._find_run is None:
            return
        if self._takes_all and not spread and step is None:
            for number in numbers:
                self._take(self.metrics[number], value)
            return
        values = value if spread and isinstance(value, (tuple, list)) else (value,)
        for number, one in zip(numbers, values, strict=False):
            if self._takes_all or self._is_due(number):
                if step is None:
                    self._take(self.metrics[number], one)
                else:
                    self._evaluate(self.metrics[number], lambda one=one: (one, step()))

    def why_not(self, metric: str) -> str | None:
        """Return why a metric was never tracked, if that is known and not yet reported."""
        return None if metric in self._warned else self._unsaid.get(metric)

    @property
    def refused(self) -> set[str]:
        """The metrics with a reported value that could not be logged."""
        return self._warned

    def _take(self, metric: str, value: Any) -> None:
        step = None
        if self._stepped:
            value, step = value
        number = value if type(value) is float else self._number(metric, value)
        if number is None:
            return
        if self._find_run is not None and (self._run is None or self._run.ended):
            self._run = self._find_run()
        run = self._run
        if run is None:
            return
        if run.ended:
            self.missed = True
            return
        try:
            said_by(self._say, self._log, run, metric, number, step)
        except (TypeError, ValueError, RuntimeError) as error:
            self._refuse(metric, str(error))
        else:
            self.tracked.add(metric)

    def _log(self, run: Run, metric: str, number: float, step: Any) -> None:
        if metric in self._on_axes:
            metric = self._axes.log(run, metric, number)
        else:
            run.log({metric: number}, None if step is None else to_step(step))
        self.logged[metric] = None

    def _is_due(self, number: int) -> bool:
        if self._countdown[number]:
            self._countdown[number] -= 1
            return False
        if self._min_interval:
            now = time.monotonic()
            if now < self._not_before[number]:
                return False
            self._not_before[number] = now + self._min_interval
        self._countdown[number] = self._every - 1
        return True

    def _evaluate(self, metric: str, value: Any) -> None:
        try:
            found = value()
        except Exception as error:  # noqa: BLE001  an exception here must not stop the user's code
            self._note_failure(metric, error)
        else:
            self._take(metric, found)

    def _note_failure(self, metric: str, error: BaseException | None) -> None:
        """Note a failed expression. A missing name, item or attribute may still come, and is reported at the end."""
        if isinstance(error, Stopped):
            raise error
        if isinstance(error, (NameError, LookupError, AttributeError)):
            missing = f"{type(error).__name__}: {error}" if isinstance(error, LookupError) else str(error)
            self._unsaid.setdefault(metric, missing)
        else:
            self._refuse(metric, f"{metric!r} is not tracked here: {type(error).__name__}: {error}")

    def _number(self, metric: str, value: Any) -> float | None:
        """Return `value` as a float if its type is a known one, whose conversion runs no user code, else None."""
        kind = type(value)
        if kind not in self._kinds:
            self._kinds[kind] = _is_known(kind)
        known = self._kinds[kind]
        if known is None:
            self._unsaid.setdefault(metric, "its code ran only while a compiler traced it")
            return None
        if self._lenient and (not known or kind is str or not _is_single(value)):
            return None
        if not known:
            self._refuse(metric, f"{metric!r} is of type {kind.__qualname__} here, which cannot be tracked")
        elif not _is_single(value):
            shape = " x ".join(map(str, value.shape))
            self._refuse(
                metric, f"{metric!r} is an array of {shape} here; track one number of it, as in: {metric}.mean()"
            )
        else:
            try:
                return to_float(metric, value)
            except Exception as error:  # noqa: BLE001  a library may raise anything
                self._refuse(metric, str(error))
        return None

    def _refuse(self, metric: str, why: str) -> None:
        if metric not in self._warned:
            self._warned.add(metric)
            if not self._lenient:
                self._say(f"{why} (said once)")


class Passing:
    """The function that instrumented code passes a reported value through: returns the first element of its argument."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    def __call__(self, given: tuple[Any, tuple[int, ...], bool, Callable[[], Any] | None]) -> Any:
        value, numbers, spread, step = given
        self._tracker.take_passed(value, numbers, spread=spread, step=step)
        return value

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a function of the standard library that returns the value."""
        self._tracker.was_sent = True
        return operator.itemgetter, (0,)


def _is_known(kind: type) -> bool | None:
    """Whether values of this type can be converted without running user code; None for placeholders of compilers."""
    if kind in _PLAIN or kind is str:
        return True
    if kind.__module__.partition(".")[0] not in _LIBRARIES:
        return False
    return None if any(base.__name__ in _STAND_INS for base in kind.__mro__) else True


def _is_single(value: Any) -> bool:
    shape = getattr(value, "shape", ())
    return not shape or all(length == 1 for length in shape)
