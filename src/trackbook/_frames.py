"""The picture that a board shows, and the frames that carry it: a keyframe, then deltas cumulative since it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ._buckets import Buckets, Floats, Rows, Steps
from ._names import new_id
from ._protocol import (
    BUCKET_COLUMNS,
    VERSION,
    Frame,
    FrameHeader,
    RunHeader,
    SeriesHeader,
)

# a point's columns among a bucket's: at width 1 a bucket is a point
_POINT_FIELDS = ("first_step", "first_time", "first")


class Picture:
    """All that a board may draw, bounded by pixels. It knows nothing of stores, threads or hosts."""

    def __init__(self, project: str) -> None:
        self.project = project
        self.session = new_id(16)
        self.seq = 0
        self.runs: dict[str, RunHeader] = {}
        self.metrics: dict[str, int] = {}
        self.series: dict[tuple[int, int], Buckets] = {}
        self.notices: list[str] = []
        self._base = 0
        self._sent_metrics = 0
        self._changed_runs: set[str] = set()
        self._changed_series: set[tuple[int, int]] = set()

    def put_run(self, run: RunHeader) -> None:
        """Adds a run, or replaces what was said of the run with this id."""
        if self.runs.get(run["id"]) != run:
            self.runs[run["id"]] = run
            self._changed_runs.add(run["id"])

    def add_points(self, run: str, metric: str, steps: Steps, times: Floats, values: Floats) -> None:
        """Takes in points (int64 steps, float64 seconds UTC, float64 values) that are new to the series."""
        key = (self.runs[run]["key"], self.metrics.setdefault(metric, len(self.metrics)))
        self.series.setdefault(key, Buckets()).add(steps, times, values)
        self._changed_series.add(key)

    def clear_run(self, run: str) -> None:
        """Forgets a run's points (a rewind); only a keyframe can tell it."""
        key = self.runs[run]["key"]
        for series in [series for series in self.series if series[0] == key]:
            del self.series[series]
            self._changed_series.discard(series)

    def remove_run(self, run: str) -> None:
        """Forgets a run; only a keyframe can tell it."""
        self.clear_run(run)
        del self.runs[run]
        self._changed_runs.discard(run)

    def keyframe(self, now: float) -> Frame:
        """The whole picture. Deltas from here on are cumulative since this frame."""
        self.seq += 1
        self._base = self.seq
        self._sent_metrics = len(self.metrics)
        self._changed_runs.clear()
        self._changed_series.clear()
        for buckets in self.series.values():
            buckets.settle()
        return self._frame(now, self.runs, list(self.metrics), {key: b.rows for key, b in self.series.items()})

    def delta(self, now: float) -> Frame:
        """Everything that changed since the last keyframe."""
        self.seq += 1
        frame = self._frame(
            now,
            [run for run in self.runs if run in self._changed_runs],
            list(self.metrics)[self._sent_metrics :],
            {key: self.series[key].changed() for key in sorted(self._changed_series)},
        )
        frame["header"]["base"] = self._base
        return frame

    def _frame(self, now: float, runs: Iterable[str], metrics: list[str], rows: dict[tuple[int, int], Rows]) -> Frame:
        series: list[SeriesHeader] = []
        columns: list[Floats] = []
        at = 0
        for key in sorted(rows):
            width = self.series[key].width
            names = _POINT_FIELDS if width == 1 else BUCKET_COLUMNS
            series.append({"run": key[0], "metric": key[1], "width": width, "rows": len(rows[key]), "at": at})
            columns += [rows[key][name].astype("<f8") for name in names]
            at += len(names) * len(rows[key])
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
        return {"header": header, "data": np.concatenate(columns).tobytes() if columns else b""}
