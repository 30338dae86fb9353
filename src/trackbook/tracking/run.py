"""The user's side of a run: the result of `init`, with `log` and everything else that users call."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar

from ..metrics import define
from ..store.documents import document
from ..types import RunRecord, State
from ..user_warnings import warn
from . import other_trackers
from .alerts import alert, alert_when
from .config import Config, Summary
from .endings import Stopped, in_words, state_after
from .logged_values import as_tags, check_text, check_title, flatten, to_step
from .model_watch import watch
from .progress import counted
from .read_media import logged_media
from .run_files import RunFiles
from .run_tables import cells, console, system
from .run_writer import RunWriter
from .sharing import share
from .uploading import sync_state, wait_for_upload

if TYPE_CHECKING:
    import polars as pl

T = TypeVar("T")

GATHERING_SECONDS: Final = 2.0


class Run(RunFiles, other_trackers.OtherTrackersRun):
    """One run of a project, made by `trackbook.init`. As a context manager it ends at the end of the block.

    ``config`` is dict-like with attribute access; ``summary`` holds the last value of each metric. All methods may be called
    from any thread.
    """

    config: Config
    summary: Summary

    def __init__(self, writer: RunWriter) -> None:
        self._skip = self._warn_of_value if writer.options.skip_bad_values else None
        self._skipped: set[str] = set()
        self._writer = writer
        self._recorder = writer.recorder
        self._to_say = writer.findings.to_say
        self._stop_raises = writer.options.stop_raises
        self._should_stop = False
        self._to_raise = False
        self.config = writer.config
        self.summary = writer.summary
        writer.run = self

    @property
    def record(self) -> RunRecord:
        """The record of the run without its points: state, error, times, config and more."""
        from ..store.text_gate import recorded_run

        return recorded_run(self._writer.record)

    @property
    def project(self) -> str:
        """The name of its project."""
        return self._writer.project

    @property
    def id(self) -> str:
        """The short id, unique in the project."""
        return self._writer.record.id

    @property
    def name(self) -> str:
        """The name, which can be set. Names may repeat."""
        return self._writer.record.name

    @name.setter
    def name(self, name: str) -> None:
        self._writer.edit(name=check_title("run name", name))

    @property
    def group(self) -> str | None:
        """The group passed to `init`."""
        return self._writer.record.group

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags, which can be set."""
        return self._writer.record.tags

    @tags.setter
    def tags(self, tags: Iterable[str] | str | None) -> None:
        self._writer.edit(tags=as_tags(tags))

    @property
    def notes(self) -> str | None:
        """The notes, which can be set."""
        return self._writer.record.notes

    @notes.setter
    def notes(self, notes: str | None) -> None:
        self._writer.edit(notes=check_text("notes", notes) if notes else None)

    @property
    def ended(self) -> bool:
        """Whether the run takes no more points."""
        return self._recorder.closed

    @property
    def state(self) -> State:
        """``running``, ``finished``, ``failed``, ``interrupted`` or ``lost``."""
        return self._writer.record.state

    @property
    def done(self) -> int | None:
        """The number of steps counted by `track`, None without it."""
        return self._writer.done

    @property
    def total(self) -> int | None:
        """The expected number of steps, None when it is unknown."""
        return self._writer.total

    @property
    def should_stop(self) -> bool:
        """Whether this run was asked to stop, on its board or by `stop`. A training loop can check it and end."""
        return self._should_stop

    def log(
        self,
        data: Mapping[str, Any] | None = None,
        step: int | None = None,
        *,
        print_to_console: bool = False,
        commit: bool | None = None,
        **other: Any,
    ) -> dict[str, float]:
        """Record one point for each metric of `data`, all or none, at the time of the call.

        Parameters
        ----------
        data
            Metric names and numbers: int, float, bool, numeric strings, ``Decimal``, ``Fraction``, scalars and
            one-element arrays of numpy, torch, jax and tensorflow. Media such as `trackbook.Image`, lists of them, and figures of
            matplotlib, Altair and Plotly. Nested dicts are joined by ``/``.
        step
            A whole number from 0, for every metric of the call. By default each metric counts its own steps, or, with
            ``init(step_by="run")``, the run counts for all. A second point for a metric and step is discarded, with a warning.
        print_to_console
            Also print the recorded values.
        commit
            A keyword of wandb's: False leaves a count of the run (``step_by="run"``) where it is, for more values at the same step.
            Every call is recorded at once.
        other
            Trackio's ``metrics=`` means `data`; further keywords of other trackers are ignored with one warning.

        Returns
        -------
        dict
            The recorded values: flat names and floats, without points that were discarded.

        Raises
        ------
        TypeError, ValueError
            For a name, value or step that cannot be logged; then nothing of the call is recorded. With
            ``init(on_bad_value="warn")`` only such values are left out, with one warning for each metric.
        RuntimeError
            When the run has ended.
        Stopped
            With ``init(stop="raise")``, after a request to stop; the values of the call are recorded.
        """
        if other:
            data = other_trackers.logged_data(data, other)
        values = self._log(data, step, commit)
        if print_to_console:
            print(values)  # noqa: T201  # asked for
        return values

    def _log(  # noqa: C901  # each function that the usual call does not need is 3 % of its time
        self, data: Mapping[str, Any] | None, step: int | None, commit: bool | None = None
    ) -> dict[str, float]:
        """Do what `log` says, but for what `trackbook.log` does not need: one more dict of keywords is 2 % of its time."""
        now = time.time()
        recorder = self._recorder
        # the usual call, known names and floats, needs no `flatten`
        values: dict[str, float] = {**data} if type(data) is dict else {}
        known = recorder.metrics
        for name, value in values.items():
            if type(value) is not float or name not in known:
                values = {}
                break
        if not values:
            media: dict[str, Any] = {}
            values = flatten(data, self._skip, media)
            if media:
                step = self._writer.media.record(now, media, step, commit, self._skip, with_points=bool(values))
        again = None
        if step is not None:
            step = to_step(step)
            again = recorder.going_back(values, step)
            if again and (taken := self._writer.taken(again, step)):
                values = {name: value for name, value in values.items() if name not in taken}
        if self._to_say or self._writer.alert:
            self._attend(now, values, step)
        if commit is False:
            is_open = recorder.record(now, values, step, hold=step is None)
        else:
            is_open = recorder.record(now, values, step)
        if not is_open and not self._writer.at_exit:
            raise RuntimeError(
                f"run {self.name!r} {in_words(self.state)} and takes no more points; call trackbook.init(...) for a new run"
            )
        if again and step is not None:
            self._writer.steps.add(again, step)
        return values

    def _warn_of_value(self, metric: str, error: Exception) -> None:
        if metric not in self._skipped:
            self._skipped.add(metric)
            warn(f"{error}; it is left out (said once a metric)")

    def history(self, metrics: str | Sequence[str] | None = None, wide: bool = False) -> pl.DataFrame:
        """Return the points logged so far.

        The long form has one row for each point: ``metric`` (str), ``step`` (int64), ``value`` (float64), ``time`` (float64, seconds
        UTC), with metrics in order of first appearance and steps ascending. ``wide=True``: ``step``, and one column of values for each
        metric, null without a point (a metric that is itself named ``step`` becomes the column ``step (metric)``).

        Raises ``ValueError`` when a metric of `metrics` was never logged in this run.
        """
        from ..data.dataframes import history

        self._writer.hand_over(compress=False)
        return history(self._writer.store, self.id, self.name, metrics, wide)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Write the run as one Parquet file: one row for each point, and everything else that was recorded in the file's metadata.

        Columns: ``project, run_id, run, group, metric`` (str), ``step`` (int64), ``value``, ``time`` (float64; seconds UTC),
        sorted by metric and step. `trackbook.import_parquet` restores an equal run. Raises ``ValueError`` when something
        other than an export is at `path`, ``OSError`` when writing fails.
        """
        from ..data.export import export_run

        self._writer.hand_over()
        export_run(path, self.project, self.record, self._writer.store)

    def define_metric(self, name: str, step_metric: str | None = None, goal: str | None = None, **other: Any) -> None:
        """Draw metrics over another logged metric rather than over the step, and say which of their values is the best.

        `name`, `step_metric`, `goal` and `other` are those of `trackbook.define_metric`.
        """
        record = self._writer.record
        defined, goals = define(record.defined, record.goals, name, step_metric, goal=goal, other=other)
        if defined is not record.defined or goals is not record.goals:
            self._writer.edit(defined=defined, goals=goals)

    def finish(
        self,
        state: State | int | str | None = None,
        *,
        exit_code: int | None = None,
        error: str | None = None,
        wait: bool | float = False,
        quiet: bool | None = None,  # a keyword of wandb's
        **other: Any,
    ) -> None:
        """End the run, after all its points are stored. A second call has no effect.

        `state` is ``finished`` (the default), ``failed``, ``interrupted`` or ``lost``; also SwanLab's ``success``, ``crashed`` and
        ``aborted``, and wandb's exit code, as `exit_code` is: other than 0 it means ``failed``. `error` is the text of what ended the run.
        With `wait`, a run that is uploaded waits for that, or at most so many seconds, and says how much is left.
        `quiet` is accepted for wandb and has no effect; further keywords (`other`) are ignored with one warning.
        """
        ending = other_trackers.ended_state(state, exit_code, other)
        if ending is not None:
            self._writer.stopped_by = None  # whoever names a state means it
            self._writer.go_on()
        self._writer.end(ending or ("finished" if error is None else "failed"), error)
        wait_for_upload(self._writer, wait)

    def track(self, iterable: Iterable[T], total: int | None = None) -> Iterator[T]:
        """Yield the items of `iterable` and count them as this run's progress. See `trackbook.track`."""
        return counted(self._writer, iterable, total)

    watch = watch
    share = share
    alert = alert
    alert_when = alert_when
    system = system
    cells = cells
    console = console
    media = logged_media
    sync_state = sync_state

    def stop(self) -> None:
        """Ask the training code to stop, as the board's stop button does: `should_stop` becomes true.

        With ``init(stop="raise")`` the next `log` raises `trackbook.Stopped`, only once, so that code that cleans up can still
        log. Raises ``RuntimeError`` for a run that has ended, or that another process writes.
        """
        self._stop("run.stop()")

    def _stop(self, by: str) -> None:
        if self.ended:
            theirs = "is being written by another process; stop it there"
            raise RuntimeError(
                f"run {self.name!r} {theirs if self.state == 'running' else f'{in_words(self.state)} already'}"
            )
        self._should_stop = True
        self._writer.stopped_by = by
        self._to_raise = self._stop_raises
        self._writer.alert |= self._stop_raises

    def _attend(self, now: float, values: dict[str, float], step: int | None) -> None:
        """Do the rare work of `log`: issue warnings, and raise `Stopped` after a request to stop."""
        self._writer.attend()
        if self._to_raise and self._recorder.record(now, values, step):
            self._to_raise = False
            raise Stopped(f"run {self.name!r} was stopped by {self._writer.stopped_by}")
        self._writer.alert |= self._to_raise

    @property
    def environment(self) -> dict[str, Any]:
        """The environment of the run, by topic: os, cpu, memory, disk, gpus, python, process, variables, packages, git, notebook.

        A topic that could not be determined holds the reason: ``{"error": ...}``. Empty when nothing was recorded. For a run that
        has just begun, waits at most two seconds for all topics.
        """
        self._writer.refuse_in_child()
        gathered = self._writer.gathered
        if gathered is not None:
            gathered.wait(GATHERING_SECONDS)
        return document(self._writer.store, self.id, "environment") or {}

    @property
    def code(self) -> str | None:
        """The source of the script that opened the run. None in notebooks, whose code is in `cells`, and with ``save_code=False``."""
        self._writer.refuse_in_child()
        found: str | None = (document(self._writer.store, self.id, "code") or {}).get("source")
        return found

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        """Return the run itself: a copy of an object with a run, such as an averaged model, refers to the same run."""
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        self._writer.end(*state_after(error))
        return False

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.startswith("_") and name not in other_trackers.NAMES]

    def _ipython_display_(self) -> None:
        """Show nothing as a cell's result where the cell shows the run's board; elsewhere its text."""
        if not self._writer.is_shown_here():
            raise NotImplementedError  # for IPython: show it as usual

    def __repr__(self) -> str:
        kept = ", not recorded" if self._writer.options.disabled else ""
        return f"<trackbook run {self.name!r} ({self.id}) of {self.project!r}: {self.state}{kept}>"


def writer_of(run: Run) -> RunWriter:
    """Return the writing side of a run."""
    return run._writer  # noqa: SLF001  # hidden from users, whose completion would offer it
