"""Media of a run: `log` writes their files, and then a line of the journal, before it returns; the store gets the rows later.

A file is named by its content and written once. Its name stands in the journal only when it is there and whole, so a process that is
killed leaves at most a file that nothing names. Rows are numbered when they are logged, so they may be moved into the store twice.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ..journal.null_journal import NullJournal
from ..media import index
from ..media.files import MediaFiles
from ..media.index import Row
from ..media.uncompressed import MARK
from ..media.values import Encoded, Media, MissingEncoderError
from ..store.paths import ProjectPaths
from ..user_warnings import warn, warn_once
from .logged_steps import LoggedSteps
from .logged_values import to_step
from .pending_media import PendingMedia, compressed_row, is_uncompressed

if TYPE_CHECKING:
    import polars as pl

    from ..journal.reader import Remains
    from ..store.base import Store
    from .logged_values import Skip
    from .recorder import Recorder
    from .run_writer import RunWriter

_TABLE: Final = "media"

Found: TypeAlias = Media | Sequence[Media]
Values: TypeAlias = Mapping[str, Sequence[Encoded]]


class MediaLog:
    """The media of one run, as this process writes them. Safe in threads."""

    def __init__(self, writer: RunWriter, earlier: Iterable[Row]) -> None:
        self._writer = writer
        self._files: MediaFiles | None = None
        self._pending = PendingMedia(writer.recorder, self._open)
        self._read: dict[str, int] = {}  # how far the journals of other processes are read
        self._waiting: dict[str, list[list[Row]]] = {}  # what they logged with points that are not there yet
        self._numbered: dict[str, list[pl.DataFrame]] = {}
        self._of_points: dict[str, dict[float, list[int]]] = {}  # steps of points whose media wait, by time
        self._next: dict[str, int] = largest_steps(earlier)
        self._steps = LoggedSteps(self._steps_from)
        self._numbers = index.Numbers()

    def record(
        self,
        now: float,
        found: Mapping[str, Found],
        step: Any,
        commit: bool | None,
        skip: Skip | None,
        *,
        with_points: bool = False,
    ) -> int | None:
        """Record the media of a call; return the step at which its points are recorded, None when they are counted.

        `with_points` says that there are points, which are recorded next, at the same time `now`.

        A value that cannot be encoded raises ``TypeError`` or ``ValueError``, and nothing is recorded; with `skip` it is passed there, and
        left out. One whose encoder is not installed, or whose file cannot be written, is left out with a warning: training goes on.
        """
        given = None if step is None else to_step(step)
        values = self._encoded(found, skip)
        recorder = self._writer.recorder
        self._writer.leave_to_rank_0()
        if recorder.closed or self._is_discarding:
            return given
        hold = commit is False and given is None
        rows: list[Row] = []
        with self._open().in_use():
            try:
                written = self._written(values)
                with recorder.lock:
                    if self._writer.ended:  # meanwhile, by another thread: `log` says so
                        return given
                    at = recorder.step_of_call(given, hold=hold)
                    if at == index.LATER and with_points:
                        at = index.WITH_POINTS
                    rows = self._rows(now, written, at)
                    try:
                        if rows:
                            recorder.journal.note(index.line(rows))
                    finally:  # of an interrupted call the journal may have the rows, and they need their files
                        if not self._writer.is_apart:
                            self._pending.add(rows)
            finally:
                self._discard(values, rows)
        return None if hold or (at is not None and at < 0) else at

    def _encoded(self, found: Mapping[str, Found], skip: Skip | None) -> Values:
        def encode(media: Media) -> Encoded:
            # a child has no thread that compresses
            return media.encode() if self._writer.is_apart else self._pending.encoded(media)

        values: dict[str, Sequence[Encoded]] = {}
        for metric, given in found.items():
            try:
                values[metric] = [encode(each) for each in ([given] if isinstance(given, Media) else given)]
            except MissingEncoderError as error:
                warn_once(f"{error}", f" (here {metric!r}, which is left out; said once)")
            except (TypeError, ValueError) as error:
                if skip is None:
                    raise type(error)(f"metric {metric!r}: {error}") from error
                skip(metric, error)
        return values

    @property
    def _is_discarding(self) -> bool:
        return self._writer.journals is None or isinstance(self._writer.recorder.journal, NullJournal)

    def _open(self) -> MediaFiles:
        if self._files is None:
            self._files = files_of(self._writer.paths)
        return self._files

    def _written(self, values: Values) -> Values:
        written = {}
        for metric, encoded in values.items():
            try:
                for each in encoded:
                    for file in each.files:
                        self._open().write(file)
                written[metric] = encoded
            except (OSError, MemoryError) as error:
                warn(f"metric {metric!r}: its media are not recorded, because their files cannot be written: {error}")
        return written

    def _discard(self, values: Values, rows: Iterable[Row]) -> None:
        """Remove files of values that were not recorded and that no other process can have."""
        kept = {row.file for row in rows}
        for each in (each for encoded in values.values() for each in encoded if each.about.get(MARK)):
            if each.file is not None and each.file.name not in kept:
                self._open().discard(each.file.name)

    def _rows(self, now: float, values: Values, at: int | None) -> list[Row]:
        rows: list[Row] = []
        is_apart = self._writer.is_apart
        for metric, encoded in values.items():
            step = self._next.get(metric, 0) if at is None else at
            if not is_apart:
                if step < self._next.get(metric, 0) and self._steps.has(metric, step):
                    self._writer.note_discarded([metric])
                    continue
                self._steps.add([metric], step)
                self._next[metric] = max(step + 1, self._next.get(metric, 0))
            rows += index.rows(self._numbers, metric, step, now, encoded)
        return rows

    def hand_over(self, *, compress: bool = True) -> None:
        """Move rows into the store: with `compress` all of them, else without waiting for images that are still to be compressed."""
        rows = self._pending.ready(compress=compress)
        if rows:
            self._writer.store.put_captured(self._writer.id, _TABLE, rows)
            self._pending.taken(rows)

    def close(self) -> None:
        """End the thread that compresses images."""
        self._pending.close()

    def numbered(self, left: Remains) -> list[pl.DataFrame]:
        """Return the list of the points that were given steps for a process that logs to this run, until `take_up` has read it."""
        return self._numbered.setdefault(left.folder.name, [])

    def take_up(self, left: Remains) -> None:
        """Move new rows of a process that logs to this run into the store. Rows without a step get that of their points, or the next one."""
        name, recorder = left.folder.name, self._writer.recorder
        numbered, of_points = self._numbered.pop(name, []), self._of_points.pop(name, {})
        lines, self._read[name] = left.calls(self._read.get(name, 0))
        calls = [*self._waiting.pop(name, []), *map(index.parsed, lines)]
        if not calls:
            return
        for time, steps in steps_by_time(numbered, calls).items():
            of_points.setdefault(time, []).extend(steps)
        if not (left.dead or recorder.by_metric):
            waits = (
                place for place, call in enumerate(calls) if _is_with_points(call) and not of_points.get(call[0].time)
            )
            first = next(waits, len(calls))  # later calls wait, too: they would take the steps of its points
            calls, self._waiting[name] = calls[:first], calls[first:]
        with recorder.lock:
            rows = index.with_steps(calls, partial(recorder.step_of_call, None, hold=False), self._next, of_points)
        self._of_points[name] = {time: steps for time, steps in of_points.items() if steps}
        self._writer.store.put_captured(self._writer.id, _TABLE, rows)

    def go_on_in_child(self) -> None:
        """Forget what a forked child got from its parent, which moves it into the store itself."""
        self._pending = PendingMedia(self._writer.recorder, self._open)
        self._read, self._waiting, self._numbered, self._of_points, self._next = {}, {}, {}, {}, {}
        self._steps = LoggedSteps(self._steps_from)

    def _steps_from(self, metric: str, first: int) -> array[int]:
        pending = self._pending.steps(metric, first)  # before the store, which may get some of them meanwhile
        stored = {row.step for row in rows_of(self._writer.store, self._writer.id, metric) if row.step >= first}
        return array("q", sorted(pending | stored))


def files_of(project: ProjectPaths | None) -> MediaFiles:
    """Return the media files of a project."""
    assert project is not None
    return MediaFiles(project.files)


def rows_of(store: Store, run_id: str, metric: str | None = None) -> list[Row]:
    """Return the media of a run, or those of one name, in the order in which they were logged."""
    return [Row(*row) for row in store.captured(run_id, _TABLE) if metric is None or row[1] == metric]


def largest_steps(rows: Iterable[Row], earlier: Mapping[str, int] | None = None) -> dict[str, int]:
    """Return the step after the largest one of each name."""
    found = dict(earlier or {})
    for row in rows:
        found[row.metric] = max(row.step + 1, found.get(row.metric, 0))
    return found


def _is_with_points(call: Sequence[Row]) -> bool:
    return bool(call) and call[0].step == index.WITH_POINTS


def steps_by_time(numbered: Sequence[pl.DataFrame], calls: Iterable[Sequence[Row]]) -> dict[float, list[int]]:
    """Return the steps of points that were logged with media, in order, by the time of their calls."""
    import polars as pl

    times = [call[0].time for call in calls if _is_with_points(call)]
    found: dict[float, list[int]] = {}
    if times and numbered:
        wanted = pl.concat([points.select("time", "step").filter(pl.col("time").is_in(times)) for points in numbered])
        for time, step in wanted.unique().sort("time", "step").iter_rows():
            found.setdefault(time, []).append(step)
    return found


def recover(store: Store, left: Remains, recorder: Recorder, numbered: Sequence[pl.DataFrame]) -> None:
    """Move the rows of a dead process's journal into the store, once. `numbered` holds its points that were given steps just now."""
    lines, _ = left.calls()
    if not lines:
        return
    run_id = left.head["id"]
    there = rows_of(store, run_id)
    known, next_ = {row.number for row in there}, largest_steps(there)
    calls = [[row for row in call if row.number not in known] for call in _last_rows(lines)]
    count = partial(recorder.step_of_call, None, hold=False)
    store.put_captured(run_id, _TABLE, index.with_steps(calls, count, next_, steps_by_time(numbered, calls)))


def _last_rows(lines: Iterable[Any]) -> Iterable[list[Row]]:
    """Return the rows of calls, each with the file that took the place of its first one; images that were not compressed stay as they are."""
    calls = [*map(index.parsed, lines)]
    last = {row.number: row for call in calls for row in call}
    for call in calls:
        rows = [last.pop(row.number) for row in call if row.number in last]
        yield [compressed_row(row) if is_uncompressed(row) else row for row in rows]
