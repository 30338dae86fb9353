"""A run: what `init` gives, and where `log` begins."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from ..errors import Findings
from ..journal.journal import FileJournal, Journal, NullJournal, Ready
from ..metrics import define, logged
from ..types import ENDED, RunRecord, State
from .captured import Captured
from .config import Config, Summary
from .endings import Stoppable, state_after
from .recorder import Recorder
from .values import as_tags, check_text, flatten, to_step

if TYPE_CHECKING:
    import polars as pl

    from ..store.base import Store

T = TypeVar("T")

# public to other modules, not to users
_OURS = """backlog before_end end forget go_on_in_child hand_over handed_over has_children journals note_problems on_end record
stop_raises store"""


class Run(Captured, Stoppable):
    """One run of a project. Made by `trackbook.init`; as a context manager it ends itself.

    ``config`` is dict-like with attribute access; ``summary`` gives the last value per metric. All methods may be called
    from any thread.
    """

    def __init__(
        self,
        project: str,
        record: RunRecord,
        store: Store,
        journal: Journal | None = None,
        journals: Path | None = None,
    ) -> None:
        """A run that is written to `journal`, or without one a run to read."""
        self.project = project
        self.journals = journals
        self._in_child = False
        self._alert = False  # `log` has more to do than to record
        self.has_children = False  # forked ones, which may log into journals of their own
        self.store = store
        self._record = record
        largest = {name: figures.step for name, figures in logged(store.summary(record.id)).items()} if journal else {}
        self._recorder = Recorder(journal or NullJournal(), record.step_by, largest)
        self._marks: dict[str, int] = {}  # how far the journal is handed over
        self._hand_over_lock = threading.RLock()  # records reach the store in order
        self._findings = Findings()
        self._discarded: set[str] = set()
        self.config = Config(record.config, self._note_change)
        self.summary = Summary(record.summary, self._current_summary, self._note_change)
        self.done = record.done  # steps done and expected: plain numbers, for `track` to count without cost
        self.total = record.total
        self._tracking = False
        self.before_end: list[Callable[[Run], None]] = []
        self.on_end: list[Callable[[Run], None]] = []
        self.before_reading: list[Callable[[], None]] = []
        self._is_over = journal is None
        if journal is None:
            self._recorder.close()
        else:
            self._save()

    @property
    def record(self) -> RunRecord:
        """What is known of the run beside its points."""
        return self._record

    @property
    def id(self) -> str:
        return self._record.id

    @property
    def name(self) -> str:
        return self._record.name

    @name.setter
    def name(self, name: str) -> None:
        self._edit(name=check_text("run name", name))

    @property
    def group(self) -> str | None:
        return self._record.group

    @property
    def tags(self) -> tuple[str, ...]:
        return self._record.tags

    @tags.setter
    def tags(self, tags: Iterable[str] | str | None) -> None:
        self._edit(tags=as_tags(tags))

    @property
    def notes(self) -> str | None:
        return self._record.notes

    @notes.setter
    def notes(self, notes: str | None) -> None:
        self._edit(notes=check_text("notes", notes) if notes else None)

    @property
    def ended(self) -> bool:
        """Whether it takes no more points."""
        return self._recorder.closed

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
        Stopped
            With ``init(stop="raise")``, when the run is to stop; what the call logs is recorded.
        """
        now = time.time()
        values = self._plain(data) or flatten(data)
        if step is not None:
            step = to_step(step)
        if self._findings.to_say or self._alert:
            self._attend(now, values, step)
        if not self._recorder.record(now, values, step):
            raise RuntimeError(
                f"run {self.name!r} is {self.state} and takes no more points; call trackbook.init(...) for a new run"
            )
        if print_to_console:
            print(values)  # noqa: T201  # asked for
        return values

    def _plain(self, data: Mapping[str, Any]) -> dict[str, float] | None:
        """The metrics of the usual call, a flat dict of known names and floats, without `flatten`'s care; else None."""
        values = {}
        if type(data) is not dict:
            return None
        known = self._recorder.metrics
        for name, value in data.items():
            if type(value) is not float or name not in known or type(name) is not str:
                return None
            values[name] = value
        return values

    def history(self, metrics: str | Sequence[str] | None = None, wide: bool = False) -> pl.DataFrame:
        """The points logged so far.

        Long: ``metric`` (str), ``step`` (int64), ``value`` (float64), ``time`` (float64, seconds UTC), one row a point,
        metrics in order of first appearance and steps ascending. ``wide=True``: ``step`` and one column of values a
        metric, null where it has no point (a metric that is itself named ``step`` becomes the column ``step (metric)``).

        Raises ``ValueError`` when a metric of `metrics` was never logged in this run.
        """
        from ..data.dataframes import history

        self.hand_over()
        return history(self.store, self.id, self.name, metrics, wide)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Writes the run as one Parquet file: a row a point, and in the file's metadata what is known and was captured of it.

        Columns: ``project, run_id, run, group, metric`` (str), ``step`` (int64), ``value``, ``time`` (float64; seconds UTC),
        sorted by metric and step. `trackbook.import_parquet` gives back an equal run. Raises ``ValueError`` when something
        else is at `path`, ``OSError`` when it cannot be written.
        """
        from ..data.export import export_run

        self.hand_over()
        export_run(path, self.project, self.record, self.store)

    def define_metric(self, name: str, step_metric: str | None = None, **other: Any) -> None:
        """Draws metrics over another logged metric rather than over the step. See `trackbook.define_metric`."""
        if (defined := define(self._record.defined, name, step_metric, other)) is not self._record.defined:
            self._edit(defined=defined)

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

    @property
    def backlog(self) -> int:
        """About how many bytes of its journal were not handed over yet."""
        return self._recorder.journal.backlog()

    def hand_over(self, *, children: bool = True) -> None:
        """Moves what was logged from the journal into the store, and what forked children logged from theirs."""
        self._stay_out_of_children()
        ready = self.ready()
        with self._hand_over_lock:
            self._hand_over(ready, children=children)

    def ready(self) -> Ready:
        """How far its journal is written.

        Asked for before the hand-over's lock is taken: a signal handler that reads or ends the run may be inside `log`.
        """
        with self._recorder.lock:
            return self._recorder.journal.ready()

    def _hand_over(self, ready: Ready, *, children: bool = True) -> None:
        if (self.done, self.total) != (self._record.done, self._record.total):
            self._record = dataclasses.replace(self._record, done=self.done, total=self.total)
            self.store.put_run(self._record)
        journal = self._recorder.journal
        while (batch := journal.drain(ready)) is not None:
            self._note_discarded(self.store.append(self.id, batch.points, batch.marks))
            journal.drained(batch.marks)
            self._marks.update(batch.marks)
        if children and self.has_children:
            self._take_up_children()

    def end(self, state: State, error: str | None = None) -> None:
        """Ends the run in any state, `error` saying what ended it; does nothing when it has ended.

        A call that an interrupt breaks off is carried on by the next one.
        """
        while self.before_end and not self._in_child:
            last = self.before_end[-1]
            last(self)
            with contextlib.suppress(ValueError):  # another thread that ends the run did it, too
                self.before_end.remove(last)
        self._recorder.close()
        if self._in_child:
            self._recorder.journal.leave()
            return
        ready = self.ready()
        with self._hand_over_lock:
            if self._is_over:
                return
            if self._record.state == "running":
                self._record = dataclasses.replace(self._record, state=state, ended=time.time(), error=error)
            self._hand_over(ready)
            self._save()
            journal = self._recorder.journal
            written = self.store.flush()
            if written:
                journal.close()
                self.store.clear_marks(journal.name)
            else:  # the next opener takes up what this process cannot write
                journal.leave(dataclasses.asdict(self._record))
            self._findings.note(self.store.notices)  # all: what could not be written is lost with this process
            self._is_over = True
        for callback in self.on_end:
            callback(self)
        self._say()

    def _take_up_children(self) -> None:
        from ..journal.reader import of_run
        from .recovery import take_over

        assert self.journals is not None
        for left in of_run(self.journals, self.id, but=self._recorder.journal.name):
            # what the store cannot take now, it can another time
            with contextlib.closing(left), contextlib.suppress(OSError):
                self._note_discarded(take_over(self.store, left, self._recorder))
                if left.dead and self.store.flush() and left.remove():
                    self.store.clear_marks(left.folder.name)

    def go_on_in_child(self) -> None:
        """After a fork, in the child: logs into a journal of its own, and touches neither store nor pump."""
        self._in_child = self._alert = True
        inherited = self._recorder.journal
        head = dataclasses.asdict(self._record) | {"child": True}
        self._recorder.go_on_in_child(NullJournal() if self.journals is None else FileJournal(self.journals, head))
        self._findings.to_say.clear()
        inherited.leave()

    def _note_discarded(self, metrics: Iterable[str]) -> None:
        for metric in metrics:
            if metric not in self._discarded:
                self._discarded.add(metric)
                what = f"metric {metric!r} of run {self.name!r} was logged twice at one step"
                said = f"{what}: the first value stays and later ones are discarded (said once a metric)"
                self._findings.note([said])

    def handed_over(self) -> dict[str, int]:
        """How far the journal is in the store, to be forgotten once the store is flushed."""
        with self._hand_over_lock:
            return dict(self._marks)

    def forget(self, marks: Mapping[str, int]) -> None:
        """Lets go of the journal up to `marks`: its points are durable in the store."""
        with self._hand_over_lock:
            self._recorder.journal.forget(marks)
            self._marks = dict(self._marks.items() - marks.items())

    def note_problems(self) -> None:
        """What there is to warn of. Of a disk that fails, the store or the journal that meets it first speaks for both."""
        failures = self.store.failures
        self._findings.note(notice for notice in self.store.notices if notice not in failures)
        self._findings.note_failures(failures or self._recorder.journal.notices)

    def _say(self) -> None:
        if self._in_child:  # where there is no pump
            self._findings.note(self._recorder.journal.notices)
        self._findings.say()

    def _current_summary(self) -> Any:
        self.hand_over()
        return logged(self.store.summary(self.id))

    def _stay_out_of_children(self) -> None:
        if self._in_child:
            raise RuntimeError(
                f"a forked child can only log to run {self.name!r}; read and change the run in its parent"
            )

    def _note_change(self) -> None:
        self._stay_out_of_children()
        if self.ended and self.state == "running":
            raise RuntimeError(
                f"run {self.name!r} is being written by another process; change it there, or when it ended"
            )
        with self._hand_over_lock:
            self._save()

    def _edit(self, **fields: Any) -> None:
        with self._hand_over_lock:
            self._record = dataclasses.replace(self._record, **fields)
            self._note_change()
            self.store.flush()

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

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.startswith("_") and name not in _OURS.split()]

    def __repr__(self) -> str:
        return f"<trackbook run {self.name!r} ({self.id}) of {self.project!r}: {self.state}>"
