"""The picture, which is all data that a board can draw, and its frames: a keyframe, then deltas cumulative since the keyframe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ..ids import new_id
from ..metrics import is_system
from .bucket_rows import Floats, Rows, Steps, Taken
from .buckets import Buckets
from .encoding import Block, extremes, offsets, pack
from .protocol import HEAD_BYTES, VERSION, Frame, FrameHeader, Omitted, RunHeader, SeriesHeader
from .ragged_array import Ids

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIMITS: Final = (2048, 1024, 512, 256, 128, 64, 32, 16, 8)  # buckets a series, tried in turn to meet a budget
SERIES_BYTES: Final = (
    HEAD_BYTES + 60
)  # of a series without its rows: the head of its block, its header, and room for what `NUMBERED` adds
POINT_BYTES, BUCKET_BYTES = 16, 64
RUN_BYTES: Final = 300
NAMED: Final = 1000  # omitted series that are named one by one


@dataclass(frozen=True)
class Series:
    """One series of a picture, read-only."""

    buckets: Buckets
    number: int

    @property
    def width(self) -> int:
        return 1 << int(self.buckets.shift[self.number])

    @property
    def rows(self) -> Rows:
        return self.buckets.rows(self.number)


class Picture:
    """All data that a board can draw, of bounded size. Independent of stores, threads and hosts."""

    def __init__(self, project: str) -> None:
        self.project = project
        self.session = new_id(16)
        self.seq = 0
        self.runs: dict[str, RunHeader] = {}
        self.metrics: dict[str, int] = {}
        self.series: dict[tuple[int, int], Series] = {}
        self.notices: list[str] = []
        self.buckets = Buckets()
        self._keys: list[tuple[int, int]] = []  # run and metric by number of series
        self._base = 0
        self._sent_metrics = 0
        self._changed_runs: set[str] = set()
        self._sent: Steps = np.zeros(0, np.int64)  # shift of each series in the last keyframe, -1 if left out
        self._offset: Floats = np.zeros(0)  # offset of the values of each series in frames, NaN if not decided

    def put_run(self, run: RunHeader) -> None:
        """Add a run, or replace the header of the run with this id."""
        if self.runs.get(run["id"]) != run:
            self.runs[run["id"]] = run
            self._changed_runs.add(run["id"])

    def number(self, run: str, metric: str) -> int:
        """Return the number of a series, for `add`."""
        key = (self.runs[run]["key"], self.metrics.setdefault(metric, len(self.metrics)))
        if key not in self.series:
            self.series[key] = Series(self.buckets, self.buckets.new())
            self._keys.append(key)
        return self.series[key].number

    def add(self, series: Ids, steps: Steps, times: Floats, values: Floats) -> None:
        """Add points (int64 steps, float64 seconds UTC, float64 values) whose steps are new to their series."""
        self.buckets.add(series, steps, times, values)

    def add_points(self, run: str, metric: str, steps: Steps, times: Floats, values: Floats) -> None:
        """Add points of one series."""
        self.add(np.full(len(steps), self.number(run, metric)), steps, times, values)

    def clear_run(self, run: str) -> None:
        """Remove a run's points (a rewind). Only a keyframe can carry this."""
        key = self.runs[run]["key"]
        self.buckets.clear(np.array([one.number for (of, _), one in self.series.items() if of == key], np.int64))

    def remove_run(self, run: str) -> None:
        """Remove a run. Only a keyframe can carry this."""
        self.clear_run(run)
        del self.runs[run]
        self._changed_runs.discard(run)

    def size(self) -> int:
        """Return about how many bytes a keyframe without a budget takes."""
        return int(_bytes(self.buckets.shift, self.buckets.sizes)[: self.buckets.count].sum())

    def keyframe(self, now: float, budget: int | None = None) -> Frame:
        """Return the whole picture in about `budget` bytes. Later deltas are cumulative since this frame."""
        self.seq += 1
        self._base = self.seq
        self._sent_metrics = len(self.metrics)
        self._changed_runs.clear()
        self._reserve()
        series = np.flatnonzero(self.buckets.sizes[: self.buckets.count])
        shift, kept = self._fitted(series, budget)
        self._sent[:], self._offset[:] = 0, np.nan
        self._sent[series] = np.where(kept, shift, -1)
        frame = self._frame(now, self.runs, list(self.metrics), self.buckets.take(series[kept], shift[kept]))
        self.buckets.settle()
        if not kept.all():
            frame["header"]["omitted"] = self._omitted(series[~kept])
        return frame

    def delta(self, now: float) -> Frame:
        """Return everything that has changed since the last keyframe."""
        self.seq += 1
        self._reserve()
        series = self.buckets.changed()
        series = series[self._sent[series] >= 0]
        shift = np.maximum(self._sent[series], self.buckets.shift[series])
        self._sent[series] = shift
        frame = self._frame(
            now,
            [run for run in self.runs if run in self._changed_runs],
            list(self.metrics)[self._sent_metrics :],
            self.buckets.take(series, shift, changed=True),
        )
        frame["header"]["base"] = self._base
        return frame

    def _reserve(self) -> None:
        more = len(self.buckets.shift) - len(self._sent)
        if more:
            self._sent = np.append(self._sent, np.zeros(more, np.int64))
            self._offset = np.append(self._offset, np.full(more, np.nan))

    def _fitted(self, series: Ids, budget: int | None) -> tuple[Steps, NDArray[np.bool_]]:
        """Choose the bucket width in which each series is sent, and which series are sent."""
        shift, rows = self.buckets.shift[series], self.buckets.sizes[series]
        kept = np.ones(len(series), np.bool_)
        if budget is None:
            return shift, kept
        left = budget - RUN_BYTES * len(self.runs) - sum(map(len, self.metrics))
        if _bytes(shift, rows).sum() <= left:
            return shift, kept
        for shift, rows in self.buckets.narrowing(series, LIMITS):  # the last ones are used
            if _bytes(shift, rows).sum() <= left:
                return shift, kept
        faded = {run["key"] for run in self.runs.values() if run.get("faded")}
        apart = {number for metric, number in self.metrics.items() if is_system(metric)}
        keys = [self._keys[number] for number in series.tolist()]
        last = [(metric in apart, run in faded, metric, run) for run, metric in keys]
        order = np.array(sorted(range(len(keys)), key=last.__getitem__), np.int64)
        kept[order] = np.cumsum(_bytes(shift, rows)[order]) <= left
        return shift, kept

    def _omitted(self, series: Ids) -> Omitted:
        return {"count": len(series), "series": [self._keys[number] for number in series[:NAMED].tolist()]}

    def _frame(self, now: float, runs: Iterable[str], metrics: list[str], taken: tuple[Taken, Taken]) -> Frame:
        series, data = self._blocks(*taken)
        header: FrameHeader = {
            "version": VERSION,
            "session": self.session,
            "seq": self.seq,
            "now": now,
            "project": self.project,
            "runs": [self.runs[run] for run in runs],
            "metrics": metrics,
            "series": series,
            "notices": list(self.notices),
        }
        return {"header": header, "data": data}

    def _blocks(self, points: Taken, buckets: Taken) -> tuple[list[SeriesHeader], bytes]:
        self._decide_offsets(points[0], points[1]["value"], points[1]["value"])
        self._decide_offsets(buckets[0], buckets[1]["min"], buckets[1]["max"])
        blocks = pack(points, buckets, self._sent, self._offset, self.buckets.began)
        return headed(blocks, self._keys, self._sent, self._sent - self.buckets.shift[: len(self._sent)])

    def _decide_offsets(self, numbers: Ids, low: Floats, high: Floats) -> None:
        """Keep offsets until the next keyframe, unless new values are so close to 0 that an offset would cost digits."""
        series, low, high = extremes(numbers, low, high)
        offset = self._offset[series]
        near = ((low <= 0) & (high >= 0)) | (np.minimum(np.abs(low), np.abs(high)) < np.abs(offset) / 2)
        fresh = np.isnan(offset)
        self._offset[series] = np.where(near, 0.0, np.where(fresh, offsets(low, high), offset))


def headed(
    blocks: list[Block], keys: list[tuple[int, int]], shift: Steps, coarser: Steps
) -> tuple[list[SeriesHeader], bytes]:
    """Return headers and bytes of blocks; `keys`, `shift` and the number of doublings are by series number."""
    series: list[SeriesHeader] = []
    parts: list[bytes | memoryview] = []
    for number, rows, layout, data in blocks:
        width, doublings = 1 << int(shift[number]), max(0, int(coarser[number]))
        series.append(SeriesHeader(*keys[number], width, rows, layout, doublings))
        parts += data
    return series, b"".join(parts)


def _bytes(shift: Steps, rows: Steps) -> Steps:
    """Return the bytes that series take in a frame."""
    taken: Steps = np.where(rows > 0, SERIES_BYTES, 0) + rows * np.where(shift == 0, POINT_BYTES, BUCKET_BYTES)
    return taken
