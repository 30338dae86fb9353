"""A run: what `init` gives, and where `log` begins."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from ._config import Config, Summary
from ._errors import warn
from ._protocol import State
from ._steps import Steps
from ._types import ENDED, RunRecord
from ._values import check_text, flatten, to_step

if TYPE_CHECKING:
    import polars as pl

    from ._journal import Journal
    from .store._interface import Store

T = TypeVar("T")


class Run:
    """One run of a project. Made by `trackbook.init`; as a context manager it ends itself.

    ``config`` is dict-like with attribute access; ``summary`` gives the last value per metric. All methods may be called
    from any thread.
    """

    def __init__(self, project: str, record: RunRecord, store: Store, journal: Journal) -> None:
        self.project = project
        self.store = store
        self._record = record
        self._journal = journal
        self._steps = Steps(record.step_by, {name: m.step for name, m in store.summary(record.id).items()})
        self._log_lock = threading.RLock()  # steps and records of one call stay together
        self._hand_over_lock = threading.RLock()  # records reach the store in order
        self._to_say: deque[str] = deque()
        self._discarded: set[str] = set()
        self._notices: set[str] = set()  # those that were said
        self.config = Config(record.config, self._note_change)
        self.summary = Summary(record.summary, self._current_summary, self._note_change)
        self.done = record.done  # steps done and expected: plain numbers, for `track` to count without cost
        self.total = record.total
        self._tracking = False
        self.on_end: list[Callable[[Run], None]] = []
        self._save()

    @property
    def id(self) -> str:
        return self._record.id

    @property
    def name(self) -> str:
        return self._record.name

    @property
    def group(self) -> str | None:
        return self._record.group

    @property
    def tags(self) -> tuple[str, ...]:
        return self._record.tags

    @property
    def notes(self) -> str | None:
        return self._record.notes

    @property
    def state(self) -> State:
        """``running``, ``finished``, ``failed``, ``interrupted`` or ``lost``."""
        return self._record.state

    def log(
        self, data: Mapping[str, Any], step: int | None = None, *, print_to_console: bool = False
    ) -> dict[str, float]:
        """Records one point for each metric of `data`, all or none, at the time of the call.

        Parameters
        ----------
        data
            Metric names and numbers: int, float, bool, numeric strings, ``Decimal``, ``Fraction``, scalars and
            one-element arrays of numpy, torch, jax and tensorflow. Nested dicts are joined by ``/``.
        step
            A whole number from 0, for every metric of the call. Without it each metric counts for itself (or the run
            for all, with ``init(step_by="run")``). A second point for a metric and step is discarded, with a warning.
        print_to_console
            Also print what was recorded.

        Returns
        -------
        dict
            What was taken in: flat names and floats.

        Raises
        ------
        TypeError, ValueError
            For a name, value or step that cannot be logged; nothing of the call is recorded then.
        RuntimeError
            When the run has ended.
        """
        values = flatten(data)
        number = None if step is None else to_step(step)
        if self._to_say:
            self._say()
        now = time.time()
        with self._log_lock:
            if self._record.state != "running":
                raise RuntimeError(
                    f"run {self.name!r} is {self.state} and takes no more points; call trackbook.init(...) for a new run"
                )
            self._journal.append(now, list(values), self._steps.assign(values, number), list(values.values()))
        if print_to_console:
            print(values)  # noqa: T201  # asked for
        return values

    def history(self, metrics: str | Sequence[str] | None = None, wide: bool = False) -> pl.DataFrame:
        """The points logged so far.

        Long: ``metric`` (str), ``step`` (int64), ``value`` (float64), ``time`` (float64, seconds UTC), one row a point,
        metrics in order of first appearance and steps ascending. ``wide=True``: ``step`` and one column of values a
        metric, null where it has no point (a metric that is itself named ``step`` becomes the column ``step (metric)``).

        Raises ``ValueError`` when a metric of `metrics` was never logged in this run.
        """
        from ._tables import history

        self.hand_over()
        return history(self.store, self.id, self.name, metrics, wide)

    def finish(self, state: State | None = None) -> None:
        """Ends the run, when all its points are in its store. A second call does nothing.

        `state` is ``finished`` (the default), ``failed``, ``interrupted`` or ``lost``.
        """
        if state is not None and state not in ENDED:
            raise ValueError(f"finish(state={state!r}): a run ends as one of {', '.join(ENDED)}")
        self.end(state or "finished")

    def track(self, iterable: Iterable[T], total: int | None = None) -> Iterator[T]:
        """Gives the items of `iterable` and counts them as this run's progress. See `trackbook.track`."""
        if self._tracking:
            yield from iterable
            return
        expected = self.total if total is None else to_step(total, "total")
        self._tracking = True
        self.done, self.total = 0, expected
        try:
            for item in iterable:
                yield item
                self.done += 1
        finally:
            self._tracking = False

    def hand_over(self) -> None:
        """Moves what was logged from the journal into the store."""
        with self._hand_over_lock:
            if (self.done, self.total) != (self._record.done, self._record.total):
                self._record = dataclasses.replace(self._record, done=self.done, total=self.total)
                self.store.put_run(self._record)
            self._note_problems()
            points = self._journal.drain()
            if points is None:
                return
            for metric in self.store.append(self.id, points):
                if metric not in self._discarded:
                    self._discarded.add(metric)
                    self._to_say.append(
                        f"metric {metric!r} of run {self.name!r} was logged twice at one step: the first value stays and "
                        "later ones are discarded (said once a metric)"
                    )

    def end(self, state: State, error: str | None = None) -> None:
        """Ends the run in any state, `error` saying what ended it; does nothing when it has ended."""
        with self._hand_over_lock:
            if self._record.state != "running":
                return
            with self._log_lock:
                self._record = dataclasses.replace(self._record, state=state, ended=time.time(), error=error)
            self.hand_over()
            self._save()
            self.store.flush()
            self._note_problems()
        for callback in self.on_end:
            callback(self)
        self._say()

    def _note_problems(self) -> None:
        for notice in self.store.notices:
            if notice not in self._notices:
                self._notices.add(notice)
                self._to_say.append(notice)

    def _say(self) -> None:
        """Warnings are the pump's findings, and the user's thread says them, at the line of a `log` call."""
        with contextlib.suppress(IndexError):  # another thread said the last one
            while self._to_say:
                warn(self._to_say.popleft())

    def _current_summary(self) -> Any:
        self.hand_over()
        return self.store.summary(self.id)

    def _note_change(self) -> None:
        with self._hand_over_lock:
            self._save()

    def _save(self) -> None:
        self._record = dataclasses.replace(self._record, config=self.config.to_json(), summary=self.summary.to_json())
        self.store.put_run(self._record)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        self.end(*state_after(error))
        return False

    def __repr__(self) -> str:
        return f"<trackbook run {self.name!r} ({self.id}) of {self.project!r}: {self.state}>"


def state_after(error: BaseException | None) -> tuple[State, str | None]:
    """How a run ends that an exception ends, or none, and what to say of it."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "finished", None
    said = "".join(traceback.format_exception_only(error)).strip().encode(errors="backslashreplace").decode()
    return "interrupted" if isinstance(error, KeyboardInterrupt) else "failed", said


def as_tags(tags: Iterable[Any] | str | None) -> tuple[str, ...]:
    """Tags from one string or several, each once, in order."""
    if tags is None:
        return ()
    if not isinstance(tags, Iterable):
        raise TypeError(f"tags={tags!r} is no list of strings; give one, such as tags=['baseline']")
    given = [tags] if isinstance(tags, str) else [tag if isinstance(tag, str) else str(tag) for tag in tags]
    return tuple(dict.fromkeys(check_text("tag", tag) for tag in given))
