"""The writing side of a run: its record, its journal, and the hand-over of its points to the store."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from array import array
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import settings
from ..journal.journal import FileJournal, Journal, Ready, head_of
from ..journal.null_journal import NullJournal
from ..media.index import Row
from ..metrics import logged
from ..store.paths import ProjectPaths
from ..types import MetricSummary, RunRecord, State
from ..user_warnings import Findings
from .alert_book import AlertBook
from .config import Config, Summary
from .endings import loss
from .logged_media import MediaLog
from .logged_steps import LoggedSteps
from .logged_values import LARGEST_STEP
from .recorder import Recorder
from .run_options import RunOptions
from .task_origin import Origin

if TYPE_CHECKING:
    from ..store.base import Store
    from .run import Run
    from .uploading import Uploading


class RunWriter:
    """The side of a run that the pump, the project, the captures and the fork handlers use; users have its `Run`."""

    run: Run  # set by `Run`

    def __init__(
        self,
        project: str,
        record: RunRecord,
        store: Store,
        journal: Journal | None = None,
        folder: Path | None = None,
        *,
        options: RunOptions | None = None,
        is_new: bool = False,
        journal_only: bool = False,
    ) -> None:
        """Write a run to `journal`. Without a journal the run takes no points, and only its record can be edited.

        `folder` is that of the project files, None where there is none, as of a lake. `options` are those with which the run was
        opened. A run that `is_new` is not in the store yet. With `journal_only` this process cannot use the `store`: it only writes
        the journal, which the next process that opens the project recovers.
        """
        self.project = project
        self.folder = folder
        self.store = store
        self.options: RunOptions = options or RunOptions(record)
        paths = None if folder is None or self.options.disabled else ProjectPaths(folder, project)
        self.paths: ProjectPaths | None = paths  # None: nothing of the run is in our files
        self.journals = None if paths is None else paths.journals
        self.journal_only = journal_only
        self.origin = Origin()
        self.record = record
        self._is_new = is_new
        self.is_resumed: bool = not (is_new or journal is None or journal_only or self.options.disabled)
        earlier = self.earlier_summary() if journal is not None and not journal_only else {}
        largest = {name: known.step for name, known in logged(earlier).items()}
        media = [Row(*row) for row in self.earlier_rows("media")] if self.is_resumed else []
        first_step = max((row.step + 1 for row in media), default=0)
        self.recorder: Recorder = Recorder(journal or NullJournal(), record.step_by, largest, first_step)
        self.media = MediaLog(self, media)
        self.config = Config.of_record(record.config, self._note_change)
        self.summary = Summary(record.summary, self._current_summary, self._note_change)
        self.done = record.done  # steps done; not in the record, so that `track` counts at no cost
        self.total = record.total
        self.is_counting = False  # whether a loop of `track` is under way
        self.in_child = False  # whether another process owns the run, and this one was forked from it or got a pickle
        self.alert = journal_only  # whether `log` has more to do than to record
        self.is_suspended = False  # whether the run is marked as failed or interrupted until the next `log`
        self.stopped_by: str | None = None  # who asked the run to stop
        self.is_shown_here: Callable[[], bool] = lambda: False  # whether the running cell displayed the run's board
        self.at_exit = False  # whether the run ended with the program; daemon threads may still log, but too late
        self.has_children = False  # whether the process forked children, which may log into journals of their own
        self.findings = Findings()
        self.gathered: threading.Event | None = None  # set when the environment is recorded
        self.upload: Uploading | None = None
        self.at_risk: int | None = None  # points of the ended run that are only in memory; None: all of it is in files
        self.before_reading: list[Callable[[], None]] = []  # move buffered rows of captures into the store
        self.before_end: list[Callable[[RunWriter], None]] = []
        self.on_end: list[Callable[[RunWriter], None]] = []
        self.on_go_on: list[Callable[[], None]] = []
        self.alerts = AlertBook(self)
        self._marks: dict[str, int] = {}  # how far the journal is handed over
        self._lock = threading.RLock()  # records reach the store in order
        self._discarded: set[str] = set()
        self.steps = LoggedSteps(self._steps_from)
        self._knows_rank = False
        self._is_over = journal is None
        if journal is None:
            self.recorder.close()
        elif not journal_only:
            self._save()

    def earlier_summary(self) -> dict[str, MetricSummary]:
        """Return the summary from before the run was resumed. Raises ``OSError`` when it cannot be read now."""
        return {} if self._is_new else self.store.summary(self.id)

    def earlier_rows(self, table: str) -> list[tuple[Any, ...]]:
        """Return rows captured before the run was resumed. For a new run the file, which may be busy, is not read."""
        return [] if self._is_new else self.store.captured(self.id, table)

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def state(self) -> State:
        return self.record.state

    @property
    def ended(self) -> bool:
        """Whether the run takes no more points."""
        return self.recorder.closed

    @property
    def backlog(self) -> int:
        """The approximate number of bytes in the journal that are not handed over yet."""
        return self.recorder.journal.backlog()

    def written(self) -> list[tuple[str, int]]:
        """Return how far the journal is written: differs whenever something was logged since."""
        return [(segment.name, used) for segment, used in self.ready()[-1:]]

    def suspend(self, state: State, error: str | None) -> None:
        """Mark a running run as failed or interrupted, durably, and keep it open: `go_on` takes that back."""
        self.refuse_in_child()
        with self._lock:
            if self.ended or self.record.state != "running":
                return
            self.is_suspended = self.alert = True
            self.record = dataclasses.replace(self.record, state=state, ended=time.time(), error=error)
            self._save()
            self.store.flush()

    def go_on(self) -> None:
        """Let a suspended run be running again."""
        with self._lock:
            if self.ended or not self.is_suspended:
                return
            self.is_suspended = False
            self.record = dataclasses.replace(self.record, state="running", ended=None, error=None)
            self._save()
        for callback in self.on_go_on:
            callback()

    def hand_over(self, *, children: bool = True, compress: bool = True) -> None:
        """Move new points from the journal into the store, with `children` also from journals of forked children.

        Without `compress` images that are still to be compressed come later.
        """
        self.refuse_in_child()
        ready = self.ready()
        with self._lock:
            self._hand_over(ready, children=children, compress=compress)

    def ready(self) -> Ready:
        """Return how far the journal is written.

        Called before the hand-over's lock is taken: a signal handler that reads or ends the run may be inside `log`.
        """
        with self.recorder.lock:
            return self.recorder.journal.ready()

    def _hand_over(self, ready: Ready, *, children: bool = True, compress: bool = True) -> None:
        if (self.done, self.total) != (self.record.done, self.record.total):
            self.record = dataclasses.replace(self.record, done=self.done, total=self.total)
            self.store.put_run(self.record)
        journal = self.recorder.journal
        while (batch := journal.drain(ready)) is not None:
            self.note_discarded(self.store.append(self.id, batch.points, batch.marks))
            self.alerts.look(batch.points)
            journal.drained(batch.marks)
            self._marks.update(batch.marks)
        self.media.hand_over(compress=compress)
        if children and self.has_children:
            from .childrens_journals import take_up

            take_up(self)

    def handed_over(self) -> dict[str, int]:
        """Return how far the journal is handed over, for `forget` after the store was flushed."""
        with self._lock:
            return dict(self._marks)

    def taken(self, metrics: Iterable[str], step: int) -> list[str]:
        """Return those of `metrics` that have a point at `step`, and warn of each once: a second one is discarded.

        A child of the process that writes the run cannot know; its points are compared where they are taken up.
        """
        if self.is_apart:
            return []
        found = [name for name in metrics if self.steps.has(name, step)]
        if found:
            self.note_discarded(found)
            self.say()
        return found

    def _steps_from(self, metric: str, first: int) -> array[int] | None:
        self.hand_over(children=False, compress=False)
        points = self.store.window(self.id, [metric], first, LARGEST_STEP)
        return None if points is None else array("q", points["step"].sort().to_numpy().tobytes())

    def forget(self, marks: Mapping[str, int]) -> None:
        """Release the journal up to `marks`: its points are durable in the store."""
        with self._lock:
            self.recorder.journal.forget(marks)
            self._marks = dict(self._marks.items() - marks.items())

    def end(self, state: State, error: str | None = None) -> None:
        """End the run in any state, with the text of the `error` that ended it. A second call has no effect.

        An interrupted call is completed by the next one.
        """
        while self.before_end and not self.is_apart:
            last = self.before_end[-1]
            last(self)
            with contextlib.suppress(ValueError):  # another thread, which also ends the run, has removed it
                self.before_end.remove(last)
        self.recorder.close()
        if self.in_child or self.journal_only:
            self._leave_journal(state, error)
            return
        ready = self.ready()
        with self._lock:
            if self._is_over:
                return
            if self.record.state == "running":
                if state == "finished" and self.stopped_by is not None:
                    state, error = "interrupted", f"stopped by {self.stopped_by}"
                self.record = dataclasses.replace(self.record, state=state, ended=time.time(), error=error)
            self._hand_over(ready)
            self.media.close()
            self._save()
            journal = self.recorder.journal
            if self.store.flush():
                journal.close()
                self.store.clear_marks(journal.name)
            else:  # the next process that opens the project recovers the journal
                self.at_risk = journal.at_risk()
                journal.leave(head_of(self.record))
            if self.at_risk is None:
                self.findings.note(self.store.notices)
            elif not self.at_exit:  # else it is told once the last attempt to write has failed
                self.findings.note([loss(self, is_over=False)])
            self._is_over = True
        for callback in self.on_end:
            callback(self)
        self.say()

    def _leave_journal(self, state: State, error: str | None) -> None:
        """Close the journal for the next process that opens the project. A run of this process's own also ends."""
        if self._is_over:
            self.recorder.journal.leave()
            return
        self.at_risk = self.recorder.journal.at_risk()
        if self.at_risk is not None:
            self.findings.note([loss(self, is_over=True)])
        if self.in_child:
            self.recorder.journal.leave()
            self.findings.say()
            return
        self._is_over = True
        self.record = dataclasses.replace(
            self.record,
            state=state,
            ended=time.time(),
            error=error,
            done=self.done,
            total=self.total,
            config=self.config.to_json(),
            summary=self.summary.to_json(),
        )
        self.recorder.journal.leave(head_of(self.record))
        for callback in self.on_end:
            callback(self)
        self.say()

    def edit(self, **fields: Any) -> None:
        """Change fields of the record, durably."""
        self._refuse_change()
        with self._lock:
            self.record = dataclasses.replace(self.record, **fields)
            self._note_change()
            if not self.journal_only:
                self.store.flush()

    @property
    def is_apart(self) -> bool:
        """Whether this process must not touch the store."""
        return self.in_child or self.journal_only

    def refuse_in_child(self) -> None:
        """Raise ``RuntimeError`` if this process cannot read or change the run."""
        if self.in_child:
            raise RuntimeError(f"this process can only log to run {self.name!r}; read and change the run in its parent")
        if self.journal_only:
            raise RuntimeError(
                f"run {self.name!r} can only be logged to here, in a process forked from one that uses Polars; read it when it has "
                "ended, or start the process with multiprocessing.get_context('spawn')"
            )

    def go_on_in_child(self) -> None:
        """In a forked child, continue in a journal of the child's own, without touching store or pump."""
        self.in_child = self.alert = True
        self._knows_rank = False
        self._lock = threading.RLock()  # a thread of the parent may have held the other one at the fork
        inherited = self.recorder.journal
        head = head_of(self.record) | {"child": True}
        self.media.go_on_in_child()
        self.recorder.go_on_in_child(NullJournal() if self.journals is None else FileJournal(self.journals, head))
        self.findings.to_say.clear()
        inherited.leave()

    def attend(self) -> None:
        """Do what `log` does seldom: know this process's rank, issue warnings, and go on with a suspended run."""
        self.leave_to_rank_0()
        self.say()
        if self.is_suspended and not self.is_apart:
            self.go_on()
        self.alert = self.is_apart

    def leave_to_rank_0(self) -> None:
        """Stop recording in a child of the process that opened the run, if its rank is not 0.

        Launchers set the rank of a worker after the fork, but before it logs.
        """
        if self.in_child and not self._knows_rank:
            self._knows_rank = True
            if not self.options.all_ranks and settings.rank():
                self.recorder.go_on_in_child(NullJournal())

    def note_problems(self) -> None:
        """Queue warnings. Report a failing disk only once, by the store or else by the journal."""
        failures = self.store.failures
        self.findings.note(notice for notice in self.store.notices if notice not in failures)
        self.findings.note_failures(failures or self.recorder.journal.notices)

    def say(self) -> None:
        """Issue the queued warnings."""
        if self.is_apart:  # without a pump to do it
            self.findings.note(self.recorder.journal.notices)
        self.findings.say()

    def note_discarded(self, metrics: Iterable[str]) -> None:
        """Queue a warning for each metric of which a second value was logged at one step."""
        for metric in metrics:
            if metric not in self._discarded:
                self._discarded.add(metric)
                what = f"metric {metric!r} of run {self.name!r} was logged twice at one step"
                said = f"{what}: the first value stays and later ones are discarded (said once a metric)"
                self.findings.note([said])

    def _current_summary(self) -> Any:
        self.hand_over(compress=False)
        return logged(self.store.summary(self.id))

    def _refuse_change(self) -> None:
        if self.in_child or (self.journal_only and self.ended):
            self.refuse_in_child()
        if self.ended and self.state == "running":
            raise RuntimeError(
                f"run {self.name!r} is being written by another process; change it there, or when it ended"
            )

    def _note_change(self) -> None:
        self._refuse_change()
        if not self.journal_only:  # the record is written to the journal when the run ends
            with self._lock:
                self._save()

    def _save(self) -> None:
        self.record = dataclasses.replace(self.record, config=self.config.to_json(), summary=self.summary.to_json())
        self.store.put_run(self.record)

    def __repr__(self) -> str:
        return f"<writer of trackbook run {self.name!r} ({self.id})>"
