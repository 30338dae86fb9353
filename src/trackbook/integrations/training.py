"""One training call of a library: the run that it is logged to, its steps, and its end."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import inspect
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from ..api.run import current_run, init
from ..tracking.endings import in_words
from ..tracking.logged_values import flatten
from ..tracking.run import Run
from ..user_warnings import warn
from .adapters import adapters, guard, library_of, say_failed
from .beside import reopen


@dataclass(frozen=True)
class _Steps:
    """The steps of a training in its run: what was added to the library's own, the first and the last of them."""

    added: int
    first: int
    last: int


# by run, the steps of the last training by each library
_steps: Final[weakref.WeakKeyDictionary[Run, dict[str, _Steps]]] = weakref.WeakKeyDictionary()


class Training:
    """A training that is logged to a run. Made by `begin`.

    What is done within ``with training.safely():`` never fails: its first exception switches the training's logging off, with one
    warning.
    """

    def __init__(self, library: str) -> None:
        self.run: Run | None = None  # None when it could not be opened
        self._library = library
        self._owns_run = False
        self._is_off = False
        self._steps: _Steps | None = None
        self.on_failure: Callable[[Exception], None] = functools.partial(say_failed, library)
        self._is_over = False
        self._told: dict[str, tuple[int, float]] = {}  # the last step and value of each metric

    @classmethod
    def begin(
        cls,
        library: str,
        run: Run | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        total: int | None = None,
        name: str | None = None,
        group: str | None = None,
    ) -> Training:
        """Begin a training in `run`, by default in the current run, else in a new one that ends with the training.

        `config` is added to the run's config, without the keys that it has. The others describe a new run.
        """
        made = cls(library)
        with made.safely():
            made.run = run or current_run()
            if made.run is None:
                made.run = init(name=name, group=group, total=total, reinit="create_new")
                made._owns_run = True
            elif made.run.ended:
                warn(
                    f"run {made.run.name!r} {in_words(made.run.state)}, so this training by {library} is not logged; pass an open run"
                )
            made.configure(config or {})
        return made

    @property
    def should_stop(self) -> bool:
        """Whether the run was asked to stop, which the library's own mechanism then does."""
        return self.run is not None and self.run.should_stop

    def safely(self) -> guard:
        """Return a context in which an exception of our own code ends the logging, not the training."""
        return guard(self._fail)

    def configure(self, config: Mapping[str, Any]) -> None:
        """Add hyperparameters to the run's config. What the user has set there stays, and None is left out."""
        if self.run is None or self.run.ended:
            return
        new = {key: value for key, value in config.items() if value is not None and key not in self.run.config}
        if new:
            self.run.config.update(new)

    def log(self, values: Mapping[str, Any], step: int | None = None) -> None:
        """Log what is a number in `values`. `step` is the library's own; a second training in the run goes on after the first."""
        if self._is_off or self.run is None:
            return
        numbers = flatten(values, lambda *_: None)
        if step is not None:
            numbers = {name: value for name, value in numbers.items() if not self._was_told(name, step, value)}
        if not numbers:
            return
        if self._is_over:
            self._log_late(numbers, step)
        if self.run.ended:
            return
        self.run.log(numbers, None if step is None else self._step(self.run, step))
        activation = adapters.current()
        if activation is not None:
            activation.metrics.update(numbers)

    def end(self, error: BaseException | None = None) -> None:
        """End a run of the training's own, as `error` tells."""
        if self._owns_run and self.run is not None and not self.run.ended:
            self.run.__exit__(None if error is None else type(error), error, None)
            self._is_over = True

    def _log_late(self, numbers: dict[str, float], step: int | None) -> None:
        """Add an evaluation after the training to the run that ended with it."""
        assert self.run is not None
        state = self.run.state
        again = reopen(self.run)
        again.log(numbers, None if step is None else step + (0 if self._steps is None else self._steps.added))
        again.finish(state)

    def _was_told(self, name: str, step: int, value: float) -> bool:
        """Whether the library repeats itself: several tell the epoch with everything that they log at a step."""
        before = self._told.get(name)
        self._told[name] = step, value
        return before is not None and before[0] == step and (before[1] == value or name.rpartition("/")[2] == "epoch")

    def _step(self, run: Run, step: int) -> int:
        if self._steps is None:
            before = _steps.setdefault(run, {}).get(self._library)
            if before is None:
                added = 0
            elif step + before.added > before.first:  # resumed, by the library's own count
                added = before.added
            else:
                added = before.last + 1 - step
            self._steps = _Steps(added, step + added, step + added)
        now = self._steps.added + step
        self._steps = _Steps(self._steps.added, self._steps.first, max(self._steps.last, now))
        _steps[run][self._library] = self._steps
        return now

    def _fail(self, error: Exception) -> None:
        if not self._is_off:
            self._is_off = True
            self.on_failure(error)


class TrainingCallback:
    """What our callbacks have in common: the run that a user gave them, and the training that they log to it, None before it begins.

    A mixin, before a library's own class of callbacks.
    """

    def __init__(self, run: Run | None = None) -> None:
        super().__init__()
        self._run = run
        self._training: Training | None = None
        self._is_within = False  # a followed call, which begins and ends the training

    @classmethod
    def within(cls, training: Training) -> Self:
        """Return the callback of a training that a followed call has begun."""
        made = cls(training.run)
        made._training, made._is_within = training, True
        return made


class Call:
    """A followed call of a library's function: its arguments, which may be changed before, and its result after it."""

    def __init__(self, adapter: str, run: Run | None, arguments: inspect.BoundArguments) -> None:
        self.arguments: dict[str, Any] = arguments.arguments
        self.training: Training | None = None
        self.result: Any = None
        self.error: BaseException | None = None
        self._adapter = adapter
        self._run = run

    def begin(self, *, needs_run: bool = False, **options: Any) -> Training | None:
        """Begin a training in the run that is right here. See `Training.begin`.

        With `needs_run` return None when no run is open.
        """
        activation = adapters.current()
        run = self._run or (None if activation is None else activation.run)
        if needs_run and run is None and current_run() is None:
            return None
        self.training = Training.begin(library_of(self._adapter), run, **options)
        self.training.on_failure = functools.partial(adapters.switch_off, self._adapter)
        return self.training


Follow = Callable[[Call], Iterator[None]]


@dataclass(frozen=True)
class _Around:
    """What is around a training call: another one, whose own business it is, or a trial, in whose run it is followed."""

    run: Run | None


_around: Final[contextvars.ContextVar[_Around | None]] = contextvars.ContextVar("trackbook_training", default=None)


@contextlib.contextmanager
def calls_go_to(run: Run) -> Iterator[None]:
    """Follow the training calls within this context in `run`."""
    token = _around.set(_Around(run))
    try:
        yield
    finally:
        _around.reset(token)


def followed(adapter: str, follow: Follow) -> Callable[[Any], Any]:
    """Return a function that wraps a library's function, for `Patches.replace`.

    `follow` is a generator function. Up to its `yield` it prepares the call, and begins a training; then the library's function runs;
    then it does the rest, with the call's result or error. Neither can make the call fail. Training calls inside a followed one are
    the library's own business, and not followed, except within `calls_go_to`.
    """

    def wrap(original: Any) -> Any:
        signature = inspect.signature(original)

        @functools.wraps(original)
        def call(*given: Any, **named: Any) -> Any:
            __tracebackhide__ = True  # IPython and pytest leave such frames out of tracebacks
            around = _around.get() or _Around(None)
            is_inside = around.run is None and _around.get() is not None
            if adapters.current() is None or adapters.has_failed(adapter) or is_inside:
                return original(*given, **named)
            try:
                bound = signature.bind(*given, **named)
            except TypeError:
                return original(*given, **named)  # whose own error tells the user what is wrong
            return _run(Call(adapter, around.run, bound), follow, original, bound, (given, named))

        return call

    return wrap


def _run(
    call: Call,
    follow: Follow,
    original: Any,
    bound: inspect.BoundArguments,
    given: tuple[tuple[Any, ...], dict[str, Any]],
) -> Any:
    __tracebackhide__ = True
    steps = follow(call)
    fail = functools.partial(adapters.switch_off, call._adapter)  # noqa: SLF001  # of this module
    arguments, keywords = given
    try:
        with guard(fail):
            next(steps, None)
            arguments, keywords = bound.args, bound.kwargs
        token = _around.set(_Around(None))
        try:
            call.result = original(*arguments, **keywords)
        finally:
            _around.reset(token)
    except BaseException as error:
        call.error = error
        raise
    finally:
        try:
            with guard(fail):
                next(steps, None)
        finally:
            if call.training is not None:
                with guard(fail):
                    call.training.end(call.error)
    return call.result
