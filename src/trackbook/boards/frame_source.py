"""Follows runs of a store, and makes frames of their new points. The only I/O is reading the store."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..frames.picture import BUCKET_BYTES, POINT_BYTES, SERIES_BYTES, Picture
from ..frames.protocol import Frame, RunHeader
from ..metrics import as_pairs, is_system
from ..store.base import Points, Store
from ..types import ENDED, Cursor, RunRecord

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

SMALLEST_BUDGET, LARGEST_BUDGET = 250_000, 1_000_000  # bytes of a keyframe: 128 and 512 buckets for 30 series
MANY_RUNS, BYTES_A_RUN = 100, 2500  # runs from which on each adds to the budget, and how much: 30 buckets of one metric
SAVED_BUDGET = 150_000  # bytes of the keyframe that a notebook keeps: 60 buckets for 30 series
SENT_A_REFRESH = 60_000  # bytes; when frames are larger, keyframes become coarser
SMALLEST_KEYFRAME_STEP = 16_384  # bytes by which deltas grow before a new keyframe is worth its cost
SHOWN_RUNS = 10  # the newest runs of a project, as many as there are colours
POINTS_AT_ONCE = 1_000_000  # points of a long run that are read at once, to bound memory
RATE_SECONDS = 10.0
RECHECK_SECONDS = 1.0  # another process may resume a run that has ended

_Read: TypeAlias = "Callable[[], tuple[pl.DataFrame, Cursor]]"


@dataclass
class _FollowedRun:
    key: int
    faded: bool
    cursor: Cursor = field(default_factory=Cursor)
    largest_step: int = -1
    progress: deque[tuple[float, int]] = field(default_factory=deque)
    record: RunRecord | None = None
    checked: float = float("-inf")
    # by categorical code of the metric: the number of its series, and whether it is a system metric
    numbers: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    is_system: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))


class FrameSource:
    """Follows runs of a store, and makes frames of their new points. With `follow`, it also follows every new run of the store.

    `points` gives points that the store does not have yet.
    """

    def __init__(self, project: str, store: Store, *, follow: bool = False, points: Points | None = None) -> None:
        self.store = store
        self.points: Points = points or store
        self.follow = follow
        self._looked = float("-inf")
        self._picture = Picture(project)
        self._runs: dict[str, _FollowedRun] = {}
        self._own: dict[str, bool] = {}  # the runs that were added, and whether they are faded
        self._only: tuple[str, ...] | None = None  # the runs to draw in place of the own ones
        self._beside: tuple[str, ...] = ()  # and those beside either
        self._keys: dict[str, int] = {}  # kept for removed runs, which may come back
        self._places: dict[str, int] = {}
        self._removed = False
        self.more_notices: list[str] = []  # beside the store's
        self.logged = 0  # points read so far, except those of system metrics
        self.is_behind = False  # whether the last `pull` left points to the next
        self._wanted = math.inf  # points that the current `pull` may still read
        self._fresh: list[tuple[NDArray[Any], ...]] = []  # points read and not yet in the picture
        self._budget = LARGEST_BUDGET
        self._spent = 0  # bytes of deltas since the keyframe
        self._frames = 0  # deltas since the keyframe
        self._growth = 0  # bytes by which they are larger than deltas of one row for each series
        self._keyframe_due = False  # for a change that no delta can carry
        self._coarse = False  # the last keyframe was the saved one; deltas need a finer one

    @property
    def id(self) -> str:
        return self._picture.session

    @property
    def picture(self) -> Picture:
        """The picture as of the last `pull`."""
        return self._picture

    @property
    def seq(self) -> int:
        """The number of the newest frame."""
        return self._picture.seq

    @property
    def run_names(self) -> list[str]:
        return [run["name"] for run in self._picture.runs.values()]

    @property
    def running(self) -> bool:
        return any(run["state"] == "running" for run in self._picture.runs.values())

    def add_run(self, run_id: str, *, faded: bool = False) -> None:
        """Make a run one of the board's own, and follow it; one that is so already is left alone."""
        if run_id not in self._own:
            self._own[run_id] = faded
            self._follow(run_id)

    def remove_run(self, run_id: str) -> None:
        """Drop a run, which was deleted."""
        self._own.pop(run_id, None)
        self._unfollow(run_id)

    def draw(self, only: Iterable[str] | None, beside: Iterable[str] = ()) -> bool:
        """Follow the board's own runs, or `only` these and those of its own that are open. Return whether that is a change."""
        self._only, self._beside = None if only is None else tuple(only), tuple(beside)
        wanted = [*(self._own if self._only is None else [*self._only, *self._own_running()]), *self._beside]
        before = list(self._runs)
        for run_id in set(before).difference(wanted):
            self._unfollow(run_id)
        for run_id in wanted:
            self._follow(run_id)
        return before != list(self._runs)

    def _own_running(self) -> list[str]:
        """Return the followed runs of its own that are open, or that were added and not read yet."""
        runs = self._picture.runs
        return [run for run in self._runs if run in self._own and (run not in runs or runs[run]["state"] == "running")]

    def _follow(self, run_id: str) -> None:
        if run_id not in self._runs:
            key = self._keys.setdefault(run_id, len(self._keys))
            self._runs[run_id] = _FollowedRun(key, self._own.get(run_id, False))

    def _unfollow(self, run_id: str) -> None:
        if self._runs.pop(run_id, None) is not None and run_id in self._picture.runs:
            self._picture.remove_run(run_id)
            self._keyframe_due = self._removed = True

    @property
    def run_ids(self) -> list[str]:
        """The ids of the followed runs."""
        return list(self._runs)

    def recheck(self) -> None:
        """Let the next `pull` read ended runs, too."""
        for run in self._runs.values():
            run.checked = float("-inf")

    def pull(self, most: float = math.inf) -> bool:
        """Read new points and records from the store, and return whether anything is new.

        About `most` points are read, in whole batches of `POINTS_AT_ONCE`; `is_behind` says whether the rest is left to the next `pull`.
        """
        now = time.monotonic()
        self._wanted, self.is_behind = most, False
        if self.follow and self._only is None and now - self._looked >= RECHECK_SECONDS:
            self._looked = now
            with suppress(OSError):  # the store has a notice, and the next read may succeed
                for run in self.store.latest(SHOWN_RUNS):
                    self.add_run(run.id)
        self._find_places()
        news = [self._pull_run(run_id, run, now) for run_id, run in [*self._runs.items()]]
        self._take_in()
        news.append(self._removed)
        self._removed = False
        notices = [*self.store.notices, *self.more_notices]
        if notices != self._picture.notices:
            self._picture.notices = list(notices)
            news.append(True)
        return any(news)

    def keyframe(self, budget: int | None = None) -> tuple[Frame, Frame]:
        """Return the whole picture in about `budget` bytes, and the empty delta on it."""
        more = BYTES_A_RUN * max(0, len(self._runs) - MANY_RUNS)
        keyframe = self._picture.keyframe(time.time(), self._budget + more if budget is None else budget)
        self._spent, self._growth, self._frames = 0, 0, 0
        self._keyframe_due = self._coarse = False
        return keyframe, self.delta()

    def saved_keyframe(self) -> tuple[Frame, Frame]:
        """Return the keyframe that a notebook keeps, and the empty delta on it. Later deltas get a finer keyframe."""
        frames = self.keyframe(SAVED_BUDGET)
        self._coarse = self._picture.size() > SAVED_BUDGET
        return frames

    def delta(self) -> Frame:
        """Return everything that changed since the last keyframe."""
        return self._picture.delta(time.time())

    def frames(self) -> tuple[Frame | None, Frame]:
        """Return the next frames to send: a delta, and its keyframe if that is new.

        Deltas grow until the next keyframe. The total is smallest when a keyframe follows deltas that have grown by as many bytes in all.
        """
        if not self._keyframe_due and not self._coarse:
            delta = self.delta()
            fewest = _fewest_bytes(delta)
            self._spent += _bytes(delta)
            self._growth += _bytes(delta) - fewest
            self._frames += 1
            keyframe = min(self._picture.size(), self._budget)
            if self._growth < max(SMALLEST_KEYFRAME_STEP, keyframe - fewest):
                return None, delta
            self._adapt((self._spent + keyframe) / self._frames)
        return self.keyframe()

    def _adapt(self, sent: float) -> None:
        """Make keyframes coarser when refreshes send too many bytes, and finer when they send few."""
        if sent > SENT_A_REFRESH:
            self._budget = max(SMALLEST_BUDGET, self._budget // 2)
        elif 2 * sent < SENT_A_REFRESH:
            self._budget = min(LARGEST_BUDGET, self._budget * 2)

    def _find_places(self) -> None:
        missing = [run for run in self._runs if run not in self._places]
        if missing:
            with suppress(OSError):  # the store's notices say so
                self._places.update(self.store.places(missing)[1])

    def _header(self, record: RunRecord, run: _FollowedRun, rate: float | None = None) -> RunHeader:
        return _header(record, run, self._places.get(record.id, run.key), rate)

    def _pull_run(self, run_id: str, run: _FollowedRun, now: float) -> bool:
        settled = run.record is not None and run.record.state in ENDED
        if settled and now - run.checked < RECHECK_SECONDS:
            return False
        run.checked = now
        try:
            record = self.store.run(run_id)
        except OSError:  # the store has a notice, and the next read may succeed
            return False
        if record is None:
            if run.record is not None:  # another process deleted it
                self.remove_run(run_id)
            return False
        if run.record is None:
            self._picture.put_run(self._header(record, run))
        start = run.cursor
        self._read_points(run_id, run)
        run.record, earlier = record, run.record
        header = self._header(record, run, _rate(run, record, now))
        self._picture.put_run(header)
        return run.cursor != start or record != earlier or self._keyframe_due

    def _read_points(self, run_id: str, run: _FollowedRun) -> None:
        read: _Read = partial(self.points.since, run_id, run.cursor, POINTS_AT_ONCE)
        while self._wanted > 0:
            advanced = self._note_points(run_id, run, *read())
            self._wanted -= advanced
            if advanced < POINTS_AT_ONCE:
                return
            if self._wanted > 0:
                read = self._take_in_and_read(run_id, run.cursor)
        run.checked, self.is_behind = float("-inf"), True

    def _take_in_and_read(self, run_id: str, cursor: Cursor) -> _Read:
        """Start to read the next points of a long run on a thread, while the points read so far are added to the picture."""
        read: _Read = partial(self.points.since, run_id, cursor, POINTS_AT_ONCE)
        with ThreadPoolExecutor(1) as reader:
            with suppress(RuntimeError):  # no thread can be started while the interpreter shuts down
                read = reader.submit(read).result
            self._take_in()
        return read

    def _note_points(self, run_id: str, run: _FollowedRun, points: pl.DataFrame, cursor: Cursor) -> int:
        """Note new points of a run. Return how many ordinals the cursor advanced."""
        advanced = cursor.ordinal
        if cursor.generation == run.cursor.generation:
            advanced -= run.cursor.ordinal
        else:
            self._picture.clear_run(run_id)
            run.largest_step = -1
            self._keyframe_due = True
        run.cursor = cursor
        if len(points):
            codes = points["metric"].to_physical().to_numpy()
            steps, times, values = (points[name].to_numpy() for name in ("step", "time", "value"))
            self._fresh.append((self._numbers(run_id, run, points["metric"], codes), steps, times, values))
            counted = steps[~run.is_system[codes]]
            run.largest_step = max(run.largest_step, int(counted.max(initial=-1)))
            self.logged += len(counted)
        return advanced

    def _numbers(
        self, run_id: str, run: _FollowedRun, metrics: pl.Series, codes: NDArray[np.uint32]
    ) -> NDArray[np.int64]:
        """Return the series number of each point, given its metric and the code of that."""
        largest = int(codes.max())
        if largest >= len(run.numbers):
            run.numbers = np.append(run.numbers, np.full(largest + 1, -1))
            run.is_system = np.append(run.is_system, np.zeros(largest + 1, np.bool_))
        numbers: NDArray[np.int64] = run.numbers[codes]
        if numbers.min() < 0:
            new = metrics.filter(numbers < 0).unique(maintain_order=True)
            names, new_codes = new.cast(str).to_list(), new.to_physical().to_numpy()
            run.numbers[new_codes] = [self._picture.number(run_id, name) for name in names]
            run.is_system[new_codes] = [is_system(name) for name in names]
            numbers = run.numbers[codes]
        return numbers

    def _take_in(self) -> None:
        if self._fresh:
            fresh = self._fresh[0] if len(self._fresh) == 1 else map(np.concatenate, zip(*self._fresh, strict=True))
            self._picture.add(*fresh)
            self._fresh.clear()


def _bytes(frame: Frame) -> int:
    return len(frame["data"]) + SERIES_BYTES * len(frame["header"]["series"])


def _fewest_bytes(delta: Frame) -> int:
    """Return the bytes of a delta in which each series has one row: those that follow a keyframe at once are hardly larger."""
    series = delta["header"]["series"]
    return sum(SERIES_BYTES + (POINT_BYTES if each.width == 1 else BUCKET_BYTES) for each in series)


def _done(record: RunRecord, run: _FollowedRun) -> int:
    return run.largest_step + 1 if record.done is None else record.done


def _rate(run: _FollowedRun, record: RunRecord, now: float) -> float | None:
    """Return the steps per second over the last ten seconds; None without progress."""
    if record.state in ENDED:
        return None
    samples = run.progress
    samples.append((now, _done(record, run)))
    while samples[0][0] < now - RATE_SECONDS and len(samples) > 2:
        samples.popleft()
    seconds, steps = samples[-1][0] - samples[0][0], samples[-1][1] - samples[0][1]
    return float(f"{steps / seconds:.3g}") if seconds > 0 and steps > 0 else None


def _header(record: RunRecord, run: _FollowedRun, place: int, rate: float | None) -> RunHeader:
    return {
        "key": run.key,
        "place": place,
        "id": record.id,
        "name": record.name,
        "group": record.group,
        "state": record.state,
        "started": record.started,
        "ended": record.ended,
        "done": _done(record, run),
        "total": record.total,
        "rate": rate,
        "faded": run.faded,
        "error": record.error,
        "defined": as_pairs(record.defined),
        "goals": as_pairs(record.goals),
    }
